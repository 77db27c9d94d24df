"""Speed and peak memory of CORAL against skada's CORALAdapter, 50,000 x 384 rows a domain.

    python -m benchmarks.coral_speed [--rounds 5] [--rows 50000] [--columns 384]

Ours: fit(source, X_target=target), transform_source(source), transform(target). skada: fit_transform of the
stacked domains (stacked beforehand, not measured), then transform of the target rows, as in fitting a
pipeline and predicting; and fit_transform alone, which maps the target rows too. float32 and float64 rows, 1
and 2 threads of BLAS for both alike, Ledoit-Wolf shrinkage in both. Every contender has a process of its own,
so that `import skada`, which switches scikit-learn's metadata routing on, does not reach ours. Peak memory is
what the first run in that fresh process adds to ru_maxrss: results included, rows not. No data set is needed:
the rows are random, with decaying variances along random axes. Writes results/coral_speed.json and .md.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from ._interleaved import THREADS_VARIABLE, interleave, stopwatch
from ._results import RESULTS, machine, markdown_table, spread, write_results

# isort: split
import numpy as np

OURS, SKADA, ALONE = "CORAL", "skada, fit_transform and transform", "skada, fit_transform alone"
ABOUT = """# Speed of CORAL

{rows:,} x {columns} rows a domain, every contender in a process of its own. Seconds: median over the rounds,
the fastest and the slowest. "Times as long": the contender's seconds divided by CORAL's in the same round.
CPU: CPU seconds a second. Peak memory: what the first run adds to a process that has its rows loaded, results
included."""
NOTES = """How far the adapted source rows of the two are apart, which have a root mean square of 1.
"Ledoit-Wolf" differs because skada standardises the columns before it shrinks. Of float32 rows skada makes
float64 ones."""


def load(rows, columns, dtype):
    """Source rows, then target rows; made block by block, so that no peak comes before the measured one."""
    rng = np.random.default_rng(0)
    stacked = np.empty((2 * rows, columns), dtype)
    variances = 1 / np.arange(1, columns + 1)
    for domain in (0, 1):
        axes = np.linalg.qr(rng.standard_normal((columns, columns)))[0]
        mixing = (axes * np.sqrt(variances / variances.mean())) @ axes.T
        mean = rng.standard_normal(columns)
        for start in range(domain * rows, (domain + 1) * rows, 1000):
            block = stacked[start : min(start + 1000, (domain + 1) * rows)]
            block[:] = rng.standard_normal(block.shape) @ mixing + mean
    return stacked


def contender(name, stacked):
    """A function of the shrinkage that adapts both domains and returns the adapted rows, source first."""
    rows = len(stacked) // 2
    source, target = stacked[:rows], stacked[rows:]
    if name == OURS:
        from embtransfer import CORAL

        def adapt(shrinkage="auto"):
            adapter = CORAL(shrinkage=shrinkage).fit(source, X_target=target)
            return adapter.transform_source(source), adapter.transform(target)

        return adapt
    from skada import CORALAdapter

    sample_domain = np.repeat([1, -2], rows)

    def adapt(shrinkage="auto"):
        adapter = CORALAdapter(reg=shrinkage or None)
        both = adapter.fit_transform(stacked, sample_domain=sample_domain)
        return (both,) if name == ALONE else (both, adapter.transform(target))

    return adapt


def serve(name, rows, columns, dtype):
    """A contender's process. Each line of stdin is a JSON list: ["run"], or ["save", path, shrinkage]."""
    adapt = contender(name, load(rows, columns, dtype))
    repetition = stopwatch(lambda _: adapt())
    unit = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss, in bytes
    for line in sys.stdin:
        command, *arguments = json.loads(line)
        answer = None
        if command == "run":
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            seconds, cpu = repetition()
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            answer = seconds, cpu, (peak - before) * unit / 1e6
        else:
            path, shrinkage = arguments
            np.save(path, adapt(shrinkage)[0][:rows])
        print(json.dumps(answer), flush=True)


class Worker:
    """The other end of `serve`."""

    def __init__(self, name, args, dtype, threads):
        command = [sys.executable, "-m", "benchmarks.coral_speed", "--serve", name, "--dtype", dtype]
        command += ["--rows", str(args.rows), "--columns", str(args.columns)]
        environment = os.environ | {THREADS_VARIABLE: str(threads)}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.process = subprocess.Popen(command, env=environment, **pipes)

    def ask(self, *request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.communicate()


def run(args, dtype, threads):
    """Times, memory and, with one thread, how far the adapted source rows are apart."""
    workers = {name: Worker(name, args, dtype, threads) for name in (OURS, SKADA, ALONE)}
    memory = {name: worker.ask("run")[2] for name, worker in workers.items()}
    repetitions = {name: lambda worker=worker: worker.ask("run")[:2] for name, worker in workers.items()}
    result = {"dtype": dtype, "threads": threads, "contenders": interleave(repetitions, OURS, args.rounds)}
    for name, megabytes in memory.items():
        result["contenders"][name]["peak_megabytes"] = megabytes
    if threads == 1:
        result["differences"] = {key: difference(workers, key) for key in ("plain", "Ledoit-Wolf")}
    for worker in workers.values():
        worker.close()
    return result


def difference(workers, covariance):
    """Largest and root mean square difference between the adapted source rows."""
    with tempfile.TemporaryDirectory() as folder:
        rows = []
        for name in (OURS, SKADA):
            path = str(Path(folder) / f"{len(rows)}.npy")
            workers[name].ask("save", path, 0 if covariance == "plain" else "auto")
            rows.append(np.load(path))
    apart = rows[0] - rows[1]
    return {"largest": float(np.abs(apart).max()), "rms": float(np.sqrt(np.mean(apart**2)))}


def report(data):
    """The parts of the Markdown file."""
    rows, checks = [], []
    for result in data["runs"]:
        for name, one in result["contenders"].items():
            cells = (
                spread(one["seconds"], one["min"], one["max"], 3),
                spread(one["ratio"], one["ratio_min"], one["ratio_max"], 2),
                f"{one['cpu']:.2f}",
                f"{one['peak_megabytes']:,.0f}",
            )
            rows.append([name, result["dtype"], result["threads"], *cells])
        for covariance, apart in result.get("differences", {}).items():
            checks.append([covariance, result["dtype"], f"{apart['largest']:.0e}", f"{apart['rms']:.0e}"])
    header = ["contender", "dtype", "threads", "seconds", "times as long", "CPU", "peak memory, MB"]
    about = ABOUT.format(rows=data["rows"], columns=data["columns"])
    check = markdown_table(["covariance", "dtype", "largest difference", "root mean square"], checks)
    return [about, markdown_table(header, rows), NOTES, check]


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rows", type=int, default=50_000, help="of each domain")
    parser.add_argument("--columns", type=int, default=384)
    parser.add_argument("--output", type=Path, default=RESULTS, help="folder of the report")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    parser.add_argument("--dtype", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        return serve(args.serve, args.rows, args.columns, args.dtype)
    host = machine("embtransfer", "numpy", "scipy", "scikit-learn", "skada")
    data = {"rows": args.rows, "columns": args.columns, "rounds": args.rounds, "runs": []}
    for dtype in ("float32", "float64"):
        for threads in (1, 2):
            print(f"{dtype}, {threads} threads", file=sys.stderr)
            data["runs"].append(run(args, dtype, threads))
    write_results(args.output, "coral_speed", data, host, report(data))


if __name__ == "__main__":
    main()
