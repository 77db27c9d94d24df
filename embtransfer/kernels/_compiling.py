"""How kernels are compiled, in one place: `@njit(**OPTIONS)`."""

import warnings
from contextlib import suppress

import numba


def _probe():
    pass


def _can_keep():
    """Whether numba finds a folder for what it compiles: beside the package, or in the user's cache."""
    try:
        numba.njit(cache=True)(_probe)
    except RuntimeError:
        warnings.warn(
            "There is no folder in which compiled kernels can be kept: each process compiles them anew, "
            "which takes some seconds. Name one in the environment variable NUMBA_CACHE_DIR.",
            UserWarning,
            stacklevel=2,
        )
        return False
    return True


OPTIONS = {"nogil": True, "cache": _can_keep(), "error_model": "numpy"}


def njit(cache, **options):
    """numba's decorator; a kept kernel that cannot be written or read is no error: it is compiled anew."""

    def decorate(function):
        kernel = numba.njit(cache=cache, **options)(function)
        if cache and hasattr(kernel, "_cache"):  # with NUMBA_DISABLE_JIT it is the function itself
            save, load = kernel._cache.save_overload, kernel._cache.load_overload

            def save_if_there_is_room(*args):
                with suppress(OSError):
                    save(*args)

            def load_if_it_is_whole(*args):
                try:
                    return load(*args)
                except Exception:  # a file that is cut: whatever pickle and LLVM raise
                    with suppress(OSError):
                        kernel._cache.flush()  # or it could not be saved either
                    return None

            kernel._cache.save_overload = save_if_there_is_room
            kernel._cache.load_overload = load_if_it_is_whole
        return kernel

    return decorate
