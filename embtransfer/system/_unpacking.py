"""Packed files: how much they may unpack to, so that a small one cannot fill memory or the disk."""

import struct
import zipfile

_FREE = 1 << 26  # bytes: up to here anything goes
_RATIO = 100  # texts and numbers shrink to a third or a tenth; deflate alone can reach a thousandth
_LARGEST_DICTIONARY = 64 << 20  # bytes; that of xz -9


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


def check_packing(file, info: zipfile.ZipInfo, where) -> None:
    """Refuse a member of a .zip whose LZMA dictionary, which is allocated whole, is larger than any of xz.

    Raises
    ------
    ValueError
    """
    if info.compress_type != zipfile.ZIP_LZMA:
        return
    file.seek(info.header_offset + 26)  # of the local header: sizes of the name and of what follows it
    file.seek(sum(struct.unpack("<2H", file.read(4))), 1)
    size = int.from_bytes(file.read(9)[5:], "little")
    if size > _LARGEST_DICTIONARY:
        raise ValueError(f"{where}: got {info.filename} with a dictionary of {size:,} bytes. It is damaged.")
