"""The one door to the benchmarks.

    python -m benchmarks --list            what there is, how long it takes, what is missing here
    python -m benchmarks speed             one group: speed, accuracy, load, scale or page
    python -m benchmarks all               all groups
    python -m benchmarks tables            write the tables of the README and the guide from results/

A benchmark runs in a process of its own, one after the other; one that cannot run here, or fails, is a row of
the closing table that says why. Then the tables are written.
"""

import argparse
import subprocess
import sys
import time

from rich.console import Console
from rich.table import Table

from ._list import BENCHMARKS, GROUPS
from .tables import write_tables


def parser():
    head = __doc__.partition("\n\n")
    asked = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=head[0],
        epilog=head[2],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    asked.add_argument("group", nargs="?", choices=[*GROUPS, "all", "tables"])
    asked.add_argument("--list", action="store_true", help="print the benchmarks, and run none")
    return asked


def print_list():
    for group, about in GROUPS.items():
        print(f"{group}: {about}")
        for benchmark in BENCHMARKS:
            if benchmark.group == group:
                print(f"  {benchmark.module} ({benchmark.minutes} min): {benchmark.what}")
                if missing := benchmark.missing():
                    print(f"    left out here: {missing}. {benchmark.command}")


def run(benchmarks, console):
    """Run one after the other; False if one failed."""
    table = Table("benchmark", "outcome", "minutes")
    failed = 0
    for benchmark in benchmarks:
        outcome, minutes = benchmark.missing(), ""
        if outcome:
            outcome = f"left out: {outcome}"
        else:
            console.print(f"{benchmark.command}, about {benchmark.minutes} min", markup=False, style="bold")
            start = time.perf_counter()
            command = [sys.executable, "-m", f"benchmarks.{benchmark.module}", *benchmark.arguments]
            code = subprocess.run(command).returncode
            minutes = f"{(time.perf_counter() - start) / 60:.1f}"
            outcome = f"failed, exit code {code}" if code else "done"
            failed += code != 0
        table.add_row(benchmark.module, outcome, minutes)
    console.print(table, markup=False)
    return not failed


def main():
    asked = parser()
    arguments = asked.parse_args()
    console = Console(stderr=True)
    if arguments.list:
        return print_list()
    if arguments.group is None:
        asked.error("got no group. Expected one of " + ", ".join([*GROUPS, "all", "tables"]) + ", or --list.")
    right = True
    if arguments.group != "tables":
        groups = GROUPS if arguments.group == "all" else [arguments.group]
        right = run([benchmark for benchmark in BENCHMARKS if benchmark.group in groups], console)
    for page in write_tables():
        console.print(f"{page}: tables written anew", markup=False)
    if not right:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
