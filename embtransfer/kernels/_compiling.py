"""How kernels are compiled and kept, in one place: `@njit`."""

import hashlib
import warnings
from contextlib import suppress
from importlib.resources import files

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


def _stamp_of_room():
    """A hash of all files of this room: kernels are compiled into one another, across files."""
    room = [file for file in files(__package__).iterdir() if file.name.endswith(".py")]
    sources = sorted((file.name, file.read_bytes()) for file in room)
    return hashlib.sha256(repr(sources).encode()).hexdigest()


_CAN_KEEP = _can_keep()
_STAMP = _stamp_of_room()


def njit(function):
    """Compile a function with numba at its first call; the result is kept until a file of this room changes.

    A kept kernel that cannot be written or read is no error: it is compiled anew.
    """
    kernel = numba.njit(nogil=True, cache=_CAN_KEEP, error_model="numpy")(function)
    if not hasattr(kernel, "_cache"):  # with NUMBA_DISABLE_JIT it is the function itself
        return kernel
    cache = kernel._cache
    save, load = cache.save_overload, cache.load_overload

    def save_if_there_is_room(*args):
        with suppress(OSError):
            save(*args)

    def load_if_it_is_whole(*args):
        try:
            return load(*args)
        except Exception:  # a file that is cut: whatever pickle and LLVM raise
            with suppress(OSError):
                cache.flush()  # or it could not be saved either
            return None

    with suppress(AttributeError):  # where nothing is kept, or a numba keeps its stamp elsewhere
        cache._cache_file._source_stamp = cache._cache_file._source_stamp, _STAMP
    cache.save_overload, cache.load_overload = save_if_there_is_room, load_if_it_is_whole
    return kernel
