"""How much memory is left, and a clear error before an array is made that it cannot hold."""

from contextlib import suppress
from math import inf
from pathlib import Path

_SMALL = 1 << 26  # bytes: less is not worth reading the files below
_UNLIMITED = 1 << 60
_PROC, _CGROUPS = Path("/proc"), Path("/sys/fs/cgroup")


def check_memory(n_bytes: float, what: str, advice: str) -> None:
    """Refuse what would not fit, instead of letting the machine swap or the system kill the process.

    Parameters
    ----------
    n_bytes : number
        The most that is taken at a time, temporary copies included.
    what : str
        What takes them: the subject of the message.
    advice : str
        What to do instead.

    Raises
    ------
    MemoryError

    Examples
    --------
    >>> from embtransfer.system._memory import check_memory
    >>> check_memory(1000, "A thousand numbers", "Take fewer.")
    """
    if n_bytes < _SMALL:
        return
    left, limit = available_memory()
    if n_bytes > left:
        raise MemoryError(f"{what} would take {_size(n_bytes)}, but {limit} leaves {_size(left)}. {advice}")


def available_memory() -> tuple[float, str]:
    """Bytes that this process can still take without swapping, and what limits them.

    Infinity where the system does not say, as outside Linux.
    """
    return min([_of_machine(), *_of_cgroups(), *_of_process()], key=lambda found: found[0])


def _of_machine():
    return _table(_PROC / "meminfo").get("MemAvailable", inf), "the machine"


def _of_cgroups():
    """Of the process's control groups and those above them, what pages of files take not counted."""
    for line in _lines(_PROC / "self" / "cgroup"):
        _, controllers, path = line.split(":", 2)
        if controllers == "memory":
            root, prefix = _CGROUPS / "memory", "total_"
            limits, usage = ["memory.limit_in_bytes"], "memory.usage_in_bytes"
        elif not controllers:
            root, prefix = _CGROUPS, ""
            limits, usage = ["memory.max", "memory.high"], "memory.current"
        else:
            continue
        group = Path(path.lstrip("/"))
        # inside a container the path can be that of the host, of which only the root is there
        for folder in (root / group, *(root / parent for parent in group.parents)):
            limit = min(_number(folder / name) for name in limits)
            used = _number(folder / usage)
            if limit < _UNLIMITED and used < inf:
                stat = _table(folder / "memory.stat")
                files = sum(stat.get(f"{prefix}{kind}_file", 0) for kind in ("active", "inactive"))
                yield max(limit - used + files, 0), "the limit of the control group"


def _of_process():
    """Of the limits that `ulimit -v` and `ulimit -d` set."""
    try:
        import resource
    except ImportError:  # Windows
        return
    taken = _table(_PROC / "self" / "status")
    for limit, key, name in (("RLIMIT_AS", "VmSize", "v"), ("RLIMIT_DATA", "VmData", "d")):
        soft = resource.getrlimit(getattr(resource, limit))[0]
        if soft != resource.RLIM_INFINITY:
            yield max(soft - taken.get(key, 0), 0), f"the limit of the process (ulimit -{name})"


def _lines(path):
    with suppress(OSError):
        return path.read_text("ascii", "replace").splitlines()
    return []


def _table(path):
    """Names and numbers of a file's lines, in bytes."""
    rows = [line.replace(":", " ").split() for line in _lines(path)]
    rows = [row for row in rows if len(row) > 1 and row[1].isdigit()]
    return {row[0]: int(row[1]) * (1024 if row[2:] == ["kB"] else 1) for row in rows}


def _number(path):
    found = "".join(_lines(path))
    return int(found) if found.isdigit() else inf


def _size(n_bytes):
    return f"{n_bytes / 1e9:,.1f} GB" if n_bytes >= 1e9 else f"{n_bytes / 1e6:,.0f} MB"
