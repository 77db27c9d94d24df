"""How many threads `n_jobs` asks for."""

import os
import sys


def n_threads(n_jobs: int | None) -> int:
    """As joblib counts: None is 1 or parallel_config's, -1 all processors, -2 all but one.

    Raises
    ------
    ValueError
        If `n_jobs` is 0.
    """
    if n_jobs == 0:
        raise ValueError("Got n_jobs=0. Expected a number of threads, -1 for all processors, or None for 1.")
    if n_jobs is None:
        # where nobody has imported joblib, nothing is configured, and a compiled model runs without it
        configured = getattr(sys.modules.get("joblib"), "effective_n_jobs", None)
        return configured(None) if configured else 1
    return n_jobs if n_jobs > 0 else max(_n_processors() + 1 + n_jobs, 1)


def _n_processors():
    """Those that this process may use."""
    try:
        from joblib import cpu_count
    except ImportError:
        return os.cpu_count() or 1
    return cpu_count()
