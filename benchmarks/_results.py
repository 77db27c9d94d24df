"""How benchmarks report: the machine, Markdown tables, and files under results/."""

import json
import os
import platform
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


def results(name):
    """The stored results of a benchmark."""
    return json.loads((RESULTS / f"{name}.json").read_text("utf-8"))


def machine(*packages):
    """The processor, the system, and the versions of Python and of the packages named."""
    cpu = platform.processor()
    if Path("/proc/cpuinfo").exists():
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                cpu = line.partition(":")[2].strip()
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "load": os.getloadavg()[0],
        "python": platform.python_version(),
        "packages": {package: _version(package) for package in packages},
    }


def _version(package):
    try:
        return version(package)
    except PackageNotFoundError:  # fasttext is also fasttext-wheel
        return version(packages_distributions()[package][0])


def spread(median, low, high, digits):
    """A cell of a table: 2.0 (1.5 to 2.5)."""
    return f"{median:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def markdown_table(header, rows, texts=(0,)):
    """A Markdown table; the columns named in `texts` are text, the others are numbers."""
    lines = [header, ["---" if column in texts else "---:" for column in range(len(header))], *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def measure(name, doc, run, work, table):
    """The command line of a benchmark that runs tasks by themselves, and writes their records and a table."""
    import argparse

    from joblib import Parallel, delayed
    from rich.progress import track

    parser = argparse.ArgumentParser(description=doc.partition("\n")[0])
    parser.add_argument("--jobs", type=int, default=-1)
    parser.add_argument("--output", type=Path, default=RESULTS, help="folder of the report")
    arguments = parser.parse_args()
    host = machine("embtransfer", "scikit-learn", "numpy")
    todo = [delayed(run)(*one) for one in work()]
    records = list(track(Parallel(arguments.jobs, return_as="generator")(todo), "tasks", len(todo)))
    write_results(arguments.output, name, {"records": records}, host, [table(records)])


def write_results(folder, name, data, host, parts):
    """Write data to folder/name.json, the parts and the machine to folder/name.md, and print the latter."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    packages = ", ".join(f"{package} {number}" for package, number in host["packages"].items())
    about = (
        f"Machine: {host['cpu']}, {host['cores']} cores, {host['system']}; load at the start "
        f"{host['load']:.1f}.\nPython {host['python']}; {packages}."
    )
    if "rounds" in data:
        about += (
            f"\n{data['rounds']} interleaved rounds after a warm-up; threads limited by environment "
            "variables\nand threadpoolctl (benchmarks/_interleaved.py)."
        )
    text = "\n\n".join([*parts, about]) + "\n"
    (folder / f"{name}.json").write_text(json.dumps({"machine": host, **data}, indent=1) + "\n", "utf-8")
    (folder / f"{name}.md").write_text(text, "utf-8")
    print(text)
