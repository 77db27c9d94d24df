"""Contenders timed in turn, one thread each, and the report of it.

Import this before numpy: importing it sets the variables from which OpenMP, OpenBLAS, MKL, numba, polars and
rayon take their number of threads to 1, or to what EMBTRANSFER_BENCHMARK_THREADS says, and switches off the
parallelism of tokenizers. `interleave` limits the pools that threadpoolctl knows to the same number, and
reports CPU seconds a second of each contender, which is 1.0 where one thread ran.
"""

import gc
import json
import os
import platform
import statistics
import time
from importlib.metadata import version
from pathlib import Path

THREADS_VARIABLE = "EMBTRANSFER_BENCHMARK_THREADS"
THREADS = int(os.environ.get(THREADS_VARIABLE, "1"))
os.environ["TOKENIZERS_PARALLELISM"] = "false"
for _variable in ("OMP_NUM", "OPENBLAS_NUM", "MKL_NUM", "NUMBA_NUM", "RAYON_NUM", "POLARS_MAX"):
    os.environ[f"{_variable}_THREADS"] = str(THREADS)

RESULTS = Path(__file__).parent / "results"


def stopwatch(work, prepare=lambda: None):
    """A repetition: calls work(prepare()) and returns seconds and CPU seconds of work alone."""

    def repetition():
        argument = prepare()
        gc.collect()
        cpu, start = time.process_time(), time.perf_counter()
        result = work(argument)
        seconds = time.perf_counter() - start
        cpu = time.process_time() - cpu
        del result  # freed after the clock has stopped, for all alike
        return seconds, cpu

    return repetition


def interleave(contenders, reference, rounds=5):
    """Run every contender once a round, after one unmeasured round.

    Parameters
    ----------
    contenders : dict of str to callable
        Each call is one repetition and returns (seconds, CPU seconds), see `stopwatch`.
    reference : str
        The contender that the others are compared with.
    rounds : int, default=5
        Measured rounds, at least 5. The order is rotated by one from round to round.

    Returns
    -------
    dict of str to dict
        `seconds` (median), `min`, `max`; `ratio`, `ratio_min`, `ratio_max`: the contender's seconds divided
        by the reference's of the same round, median and range; `cpu`: CPU seconds a second, median;
        `all_seconds`: one for each round.
    """
    from threadpoolctl import threadpool_limits

    if rounds < 5:
        raise ValueError(f"Got rounds={rounds}. Expected at least 5: a median of fewer says little.")
    names = list(contenders)
    seconds, cpu = {name: [] for name in names}, {name: [] for name in names}
    with threadpool_limits(THREADS):
        for round_ in range(-1, rounds):
            turn = round_ % len(names)
            for name in names[turn:] + names[:turn]:
                one_seconds, one_cpu = contenders[name]()
                if round_ >= 0:
                    seconds[name].append(one_seconds)
                    cpu[name].append(one_cpu / one_seconds)
    results = {}
    for name in names:
        ratios = [own / ref for own, ref in zip(seconds[name], seconds[reference], strict=True)]
        results[name] = {
            "seconds": statistics.median(seconds[name]),
            "min": min(seconds[name]),
            "max": max(seconds[name]),
            "ratio": statistics.median(ratios),
            "ratio_min": min(ratios),
            "ratio_max": max(ratios),
            "cpu": statistics.median(cpu[name]),
            "all_seconds": seconds[name],
        }
    return results


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
        "packages": {package: version(package) for package in packages},
    }


def spread(median, low, high, digits):
    """A cell of a table: 2.0 (1.5 to 2.5)."""
    return f"{median:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def markdown_table(header, rows):
    """A Markdown table; the first column is text, the others are numbers."""
    lines = [header, ["---"] + ["---:"] * (len(header) - 1), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def write_results(folder, name, data, host, parts):
    """Write data to folder/name.json, the parts and the machine to folder/name.md, and print the latter."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    packages = ", ".join(f"{package} {number}" for package, number in host["packages"].items())
    about = (
        f"Machine: {host['cpu']}, {host['cores']} cores, {host['system']}; load at the start "
        f"{host['load']:.1f}.\nPython {host['python']}; {packages}.\n"
        f"{data['rounds']} interleaved rounds after a warm-up; threads limited by environment "
        "variables\nand threadpoolctl (benchmarks/_interleaved.py)."
    )
    text = "\n\n".join([*parts, about]) + "\n"
    (folder / f"{name}.json").write_text(json.dumps({"machine": host, **data}, indent=1) + "\n", "utf-8")
    (folder / f"{name}.md").write_text(text, "utf-8")
    print(text)
