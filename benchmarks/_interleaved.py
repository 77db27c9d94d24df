"""Contenders timed in turn, one thread each, and the report of it.

Import this before numpy: importing it sets the variables from which OpenMP, OpenBLAS, MKL, numba, polars and
rayon take their number of threads to 1, or to what EMBTRANSFER_BENCHMARK_THREADS says, and switches off the
parallelism of tokenizers. `interleave` limits the pools that threadpoolctl knows to the same number, and
reports CPU seconds a second of each contender, which is 1.0 where one thread ran.
"""

import gc
import os
import statistics
import time

THREADS_VARIABLE = "EMBTRANSFER_BENCHMARK_THREADS"
THREADS = int(os.environ.get(THREADS_VARIABLE, "1"))
os.environ["TOKENIZERS_PARALLELISM"] = "false"
for _variable in ("OMP_NUM", "OPENBLAS_NUM", "MKL_NUM", "NUMBA_NUM", "RAYON_NUM", "POLARS_MAX"):
    os.environ[f"{_variable}_THREADS"] = str(THREADS)


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


def times(share, repetition):
    """A repetition on one text in so many, counted for all."""
    return lambda: tuple(share * seconds for seconds in repetition())


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
