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
    """numba's decorator; a full disk, on which the compiled kernel cannot be kept, is no error."""

    def decorate(function):
        kernel = numba.njit(cache=cache, **options)(function)
        if cache and hasattr(kernel, "_cache"):  # with NUMBA_DISABLE_JIT it is the function itself
            save = kernel._cache.save_overload

            def save_if_there_is_room(*args):
                with suppress(OSError):
                    save(*args)

            kernel._cache.save_overload = save_if_there_is_room
        return kernel

    return decorate
