"""Packed files: how much they may unpack to, so that a small one cannot fill memory or the disk."""

_FREE = 1 << 26  # bytes: up to here anything goes
_RATIO = 100  # texts and numbers shrink to a third or a tenth; deflate alone can reach a thousandth


def check_unpacked(n_unpacked: int, n_packed: int, name) -> None:
    """Refuse what unpacks to far more than texts or numbers do.

    Raises
    ------
    ValueError
    """
    if n_unpacked > _FREE + _RATIO * n_packed:
        raise ValueError(
            f"{name}: got {n_unpacked:,} bytes or more out of {n_packed:,} packed ones. Expected at most "
            f"{_RATIO} times as many: such a file is made to fill memory. Unpack it first if you trust it."
        )
