"""How time and memory grow with rows, columns, classes and words: embed, adapt, fit, measure, search, score.

    EMBTRANSFER_DATA=... python -m benchmarks.growth [--budget 15] [--only adapt score_file] [--cache FOLDER]

A curve is one work at growing sizes, in a process of its own: rows from 1,000 up by about three until the
next point would go past its CPU seconds (--budget) or memory (--memory), as the points before foretell. A
point is the median of three runs, after one unmeasured run of the curve's first size. Time is that of the
CPU, which other processes change less; the works have one thread. Memory is the peak that a run adds to what
is there before it, its inputs (VmHWM, reset by /proc/self/clear_refs). The exponent is the slope of a
least-squares line through the logarithms of the upper half of the points, at least three, with its standard
error: 1 is linear. Texts are sentences of the Amazon reviews with a made-up word each, rows and vectors are
random. Points are kept in --cache, as are ended curves: run again to go on, empty it to begin anew. Writes
results/growth.json and .md.
"""

import argparse
import ctypes
import gc
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

from ._interleaved import THREADS  # before numpy
from ._results import RESULTS, machine, markdown_table, write_results

# isort: split
import numpy as np

REPETITIONS = 3
LINEAR = 1.15  # an exponent above it, by more than its standard error, is faster than linear
LEAST_MEMORY = 5.0  # MB: what is below is rounding of pages and pools
ABOUT = """# Growth

One thread; each row is a curve of medians of {repetitions} runs, in a process of its own. Exponents of CPU
time and of peak memory beside the inputs, with standard errors, over the upper half of the points: 0 is
constant, 1 is linear, 2 is square. Sizes that do not vary: {sizes}; 5,000 words of sparse rows
and of the texts that classifiers are fitted on. Seconds, by the clock, and MB are those of the largest point.
A curve ends at the end of its range, or where the next point would take it past {budget:g} CPU seconds, or
those named, or take too much memory."""


# ---------------------------------------------------------------- one point
def status(field):
    """A line of /proc/self/status, in MB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) * 1024 / 1e6
    raise OSError(f"/proc/self/status has no {field}. This benchmark wants Linux.")


def give_back():
    """Give free memory back to the system, so that the next run is seen to take it."""
    import pyarrow as pa

    gc.collect()
    pa.default_memory_pool().release_unused()
    ctypes.CDLL(None).malloc_trim(0)


def measure(run, repetitions=REPETITIONS):
    """Median seconds of a function, and the MB that it adds at its peak, the most of all repetitions."""
    seconds, cpu, peaks = [], [], []
    for _ in range(repetitions):
        give_back()
        before = status("VmRSS")
        Path("/proc/self/clear_refs").write_text("5")  # the peak is now what is there
        start, cpu_start = time.perf_counter(), time.process_time()
        result = run()
        seconds.append(time.perf_counter() - start)
        cpu.append(time.process_time() - cpu_start)
        peaks.append(status("VmHWM") - before)
        del result
    found = {"seconds": statistics.median(seconds), "cpu": statistics.median(cpu)}
    return found | {"megabytes": max(peaks), "peak": status("VmHWM")}


# ---------------------------------------------------------------- one curve, in a process of its own
def extrapolated(points, x, value, least):
    """value(point) at x, by the slope of the last two points on logarithms, which is at least `least`."""
    last, slope = points[-1], max(least, 1.0 if len(points) == 1 else 0.0)
    if len(points) > 1 and min(value(last), value(points[-2])) > 0:
        rise = np.log(value(last) / value(points[-2])) / np.log(last["x"] / points[-2]["x"])
        slope = max(slope, rise)
    return value(last) * (x / last["x"]) ** slope


def foretold(points, x):
    """CPU seconds and MB that the point at x will come to, as those before tell; zeros for the first."""
    if not points:
        return 0.0, 0.0
    runs = REPETITIONS * extrapolated(points, x, lambda point: point["cpu"], 1.0)
    rest = extrapolated(points, x, lambda point: max(point["whole"] - REPETITIONS * point["cpu"], 0), 0.0)
    base = points[0]["peak"]  # of a process that holds next to nothing
    return runs + rest, base + extrapolated(points, x, lambda point: point["peak"] - base, 1.0)


def grow(curve, values, points, budget, memory, keep):
    """Measure further points until something is used up, `keep` each; why it ended."""
    spent = sum(point["whole"] for point in points)
    if not points:
        curve.prepare(**curve.sizes | {curve.variable: values[0]})()  # compiles kernels, imports
    for x in values[len(points) :]:
        seconds, megabytes = foretold(points, x)
        if spent + seconds > budget:
            return f"{x:,} would pass {budget:g} s"
        if megabytes > memory:
            return f"{x:,} would take {megabytes / 1000:.0f} GB"
        start = time.process_time()
        try:
            point = measure(curve.prepare(**curve.sizes | {curve.variable: x}))
        except (MemoryError, ValueError) as error:  # a refusal is a result
            return f"{x:,}: {type(error).__name__}: {error}".partition("\n")[0]
        point |= {"x": x, "whole": time.process_time() - start}
        spent += point["whole"]
        points.append(point)
        keep({"point": point})
    return "end of the range"


def serve(name, args):
    """A curve's process: points go to its file in the cache."""
    from . import _growth_work as works

    warnings.simplefilter("ignore")  # solvers that stop early, classes of few rows
    with tempfile.TemporaryDirectory() as folder:
        os.environ["EMBTRANSFER_CACHE"] = str(Path(folder) / "cache")
        curve = works.curves(Path(folder))[name]
        path = args.cache / file_of(name)
        stored = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        points = [entry["point"] for entry in stored if "point" in entry]

        def keep(entry):
            with open(path, "a") as file:
                file.write(json.dumps(entry) + "\n")

        ended = grow(curve, curve.values, points, args.budget, args.memory, keep)
        keep({"ended": ended, "budget": args.budget})


def file_of(name):
    return "".join(c if c.isalnum() else "-" for c in name) + ".jsonl"


def stored_curve(path, budget):
    """(Points, why it ended) of a curve's file; None for the reason where it is to go on."""
    if not path.exists():
        return [], None
    entries = [json.loads(line) for line in path.read_text().splitlines()]
    points = [entry["point"] for entry in entries if "point" in entry]
    last = entries[-1]
    return points, last["ended"] if last.get("budget", 0) >= budget else None


def run_curve(name, args):
    """The curve's points and why it ended, from the cache or measured."""
    path = args.cache / file_of(name)
    if stored_curve(path, args.budget)[1] is None:
        command = [sys.executable, "-m", "benchmarks.growth", "--curve", name, "--cache", str(args.cache)]
        command += ["--budget", str(args.budget), "--memory", str(args.memory)]
        try:
            done = subprocess.run(command, timeout=10 * args.budget + 300)
            ended = f"the process ended with {done.returncode}" if done.returncode else None
        except subprocess.TimeoutExpired:
            ended = "the next point took too long"
        if ended:
            with open(path, "a") as file:
                file.write(json.dumps({"ended": ended, "budget": args.budget}) + "\n")
    return stored_curve(path, args.budget)


# ---------------------------------------------------------------- exponents
def exponent(points, what, least=0.0):
    """(Slope, its standard error) over the upper half of the points, at least three; None for fewer."""
    upper = points[-max(3, -(-len(points) // 2)) :]
    if len(upper) < 3:
        return None
    x = np.log([point["x"] for point in upper])
    y = np.log([max(point[what], least) for point in upper])
    x -= x.mean()
    slope = x @ y / (x @ x)
    residual = y - y.mean() - slope * x
    return float(slope), float(np.sqrt(residual @ residual / (len(x) - 2) / (x @ x)))


def summary(curve, points, ended):
    """A record of a curve."""
    record = {"stage": curve.stage, "work": curve.work, "variable": curve.variable, "ended": ended}
    record |= {"points": points, "reason": curve.reason}
    for what, key, least in (("cpu", "time", 1e-6), ("megabytes", "memory", LEAST_MEMORY)):
        record[key] = exponent(points, what, least)
    found = record["time"]
    record["faster"] = bool(found and found[0] - found[1] > LINEAR)
    return record


def shown(found):
    return "" if found is None else f"{found[0]:.2f} ± {found[1]:.2f}"


def report(data):
    """The parts of the Markdown file."""
    fixed = ", ".join(f"{value:,} {name}" for name, value in data["sizes"].items())
    parts = [ABOUT.format(repetitions=REPETITIONS, sizes=fixed, budget=data["budget"])]
    header = ["work", "grows by", "from", "to", "time", "memory", "seconds", "MB", "ended"]
    stages = dict.fromkeys(record["stage"] for record in data["curves"])
    for stage in stages:
        rows = []
        for record in data["curves"]:
            if record["stage"] != stage:
                continue
            ends = [record["points"][i] for i in (0, -1)] if record["points"] else None
            cells = ["", "", shown(record["time"]), shown(record["memory"]), "", ""]
            if ends:
                cells[:2] = (f"{point['x']:,}" for point in ends)
                cells[4:] = f"{ends[1]['seconds']:.3g}", f"{ends[1]['megabytes']:,.0f}"
            rows.append([record["work"], record["variable"], *cells, record["ended"]])
        parts.append(f"## {stage}\n\n" + markdown_table(header, rows, texts=(0, 1, 8)))
    faster = [
        f"- {record['work']}: {shown(record['time'])}. {record['reason'] or 'No reason is known.'}"
        for record in data["curves"]
        if record["faster"] and record["variable"] == "rows"
    ]
    title = f"## Faster than linear in rows (above {LINEAR} by more than the standard error)"
    return [*parts, title, "\n".join(faster) or "None."]


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--budget", type=float, default=15, help="CPU seconds of a curve")
    parser.add_argument("--memory", type=float, default=6000, help="MB that a curve's process may take")
    parser.add_argument("--only", nargs="+", default=[], help="parts of names of curves, such as embed")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "embtransfer-growth")
    parser.add_argument("--output", type=Path, default=RESULTS, help="folder of the report")
    parser.add_argument("--curve", help=argparse.SUPPRESS)
    args = parser.parse_args()
    args.cache.mkdir(parents=True, exist_ok=True)
    if args.curve:
        return serve(args.curve, args)
    from . import _growth_work as works

    host = machine("embtransfer", "numpy", "scipy", "scikit-learn", "numba", "pyarrow")
    data = {"threads": THREADS, "budget": args.budget, "sizes": works.SIZES, "curves": []}
    for name, curve in works.curves(args.cache).items():
        if args.only and not any(part in name for part in args.only):
            continue
        points, ended = run_curve(name, args)
        data["curves"].append(summary(curve, points, ended))
        record = data["curves"][-1]
        last = points[-1] if points else {"x": 0, "seconds": 0, "megabytes": 0}
        print(
            f"{name}: to {last['x']:,}, {last['seconds']:.3g} s, {last['megabytes']:,.0f} MB; "
            f"{shown(record['time'])}; {shown(record['memory'])}; {ended}",
            file=sys.stderr,
            flush=True,
        )
    write_results(args.output, "growth", data, host, report(data))


if __name__ == "__main__":
    main()
