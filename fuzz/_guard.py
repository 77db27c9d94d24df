"""What no input may make a reader do, whatever it returns: run code, take much memory, warn of itself."""

import os
import re
import resource
import sys
import traceback
import warnings
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

_MEMORY = 2 << 30  # bytes more than the process has: inputs are a thousandth of that
_FORBIDDEN = {
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.fork",
    "subprocess.Popen",
    "pty.spawn",
    "socket.connect",
    "urllib.Request",
    "shutil.rmtree",
}
_watching = _installed = _warm = False
_warmed: set[str] = set()


class Broken(AssertionError):
    """What was promised does not hold for this input."""


def _watch(event, args):
    if _watching and (event in _FORBIDDEN or (event == "exec" and _is_foreign(args[0]))):
        raise Broken(f"the input ran {event}{args!r:.200}")


def _is_foreign(code):
    """Modules that are imported late run their own code; what comes from an input has no file."""
    name = getattr(code, "co_filename", "")
    return not os.path.isabs(name) and not name.startswith("<frozen")


def warm_up(target) -> None:
    """Run the seeds without a guard: kernels compile, and modules that are imported late run their code."""
    global _warm
    if target.__name__ in _warmed:
        return
    _warm = False
    for data in target.seeds().values():
        target.run(data)
    _warm = True
    _warmed.add(target.__name__)


@contextmanager
def guarded():
    """Bounds memory, refuses what runs code, and makes every warning but UserWarning an error."""
    global _watching, _installed
    if not _warm:
        yield
        return
    if not _installed:
        sys.addaudithook(_watch)
        _installed = True
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (_address_space() + _MEMORY, before[1]))
    _watching = True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.simplefilter("ignore", UserWarning)
            yield
    except pa.ArrowMemoryError:
        raise
    except MemoryError as error:
        raise Broken("the input takes more than 2 GiB of memory") from error
    finally:
        _watching = False
        resource.setrlimit(resource.RLIMIT_AS, before)


def _address_space():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[0]) * resource.getpagesize()


def refusal(error: Exception) -> str:
    """The name of an error that was promised: it says what is wrong, and hides no lack of memory.

    pyarrow's own is let pass: it asks for what a page's header says, at most 2 GiB, before it reads the page.
    """
    inner = error
    while inner is not None:
        if isinstance(inner, MemoryError) and not isinstance(inner, pa.ArrowMemoryError):
            raise Broken("the input takes more than 2 GiB of memory, and is called damaged") from error
        inner = inner.__cause__ or inner.__context__
    if len(str(error)) < 10:
        raise Broken(f"an error that says nothing: {error!r}") from error
    return type(error).__name__


def name_of(error: Exception) -> str:
    """A name for what went wrong: the same mistake has the same name."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "embtransfer" in frame.filename or isinstance(error, Broken)]
    last = (ours or frames)[-1]
    what = re.sub(r"\W+", "-", str(error))[:40] if isinstance(error, Broken) else Path(last.filename).stem
    return f"{type(error).__name__}-{what}-{last.name}"


def expect(condition, what: str) -> None:
    if not condition:
        raise Broken(what)
