"""BANKING77: queries to a bank."""

import hashlib
import os
import warnings

from sklearn.utils import Bunch

from ._bunches import join_parts
from ._files import locate, read_csv

_URL = "https://raw.githubusercontent.com/PolyAI-LDN/task-specific-datasets/master/banking_data/"
_CHECKSUMS = {  # SHA-256 of the files
    "train": "b06e26ac675513959a63135f11b94ea7786ed02da65db93a5650d8838cbc664b",
    "test": "d12d6e3bc4c3103966ae786dc435913c0c563dfa328f5a3646d0e62cfeeb474d",
}


def fetch_banking77(
    subset: str = "train",
    *,
    data_home: str | os.PathLike[str] | None = None,
    download_if_missing: bool = True,
) -> Bunch:
    """Load BANKING77 [1]_: customer queries to a bank, with 77 intents.

    Parameters
    ----------
    subset : {"train", "test", "all"}, default="train"
        The 10,003 training queries, the 3,080 test queries, or the former and then the latter.
    data_home, download_if_missing
        As in :func:`fetch_amazon_reviews`.

    Returns
    -------
    :class:`~sklearn.utils.Bunch`
        `data`, list of str: the queries, stripped; `target`, int64 ndarray: positions in
        `target_names`, list of str: the 77 intents of the training file, sorted, whatever the
        subset; `DESCR`, str; with ``subset="all"`` also `subset`, ndarray of str: ``"train"`` or
        ``"test"`` for each row.

    Raises
    ------
    ValueError
        If `subset` is unknown, a file lacks a column, the test file has an intent of its own, or
        the SHA-256 of a download is not the recorded one.
    OSError
        If the files are not found and `download_if_missing` is False.

    Notes
    -----
    Files: ``banking77/train.csv`` and ``banking77/test.csv``, both needed; with other content than the
    published one they load with a UserWarning. Licence: CC BY 4.0.

    References
    ----------
    .. [1] I. Casanueva, T. Temcinas, D. Gerz, M. Henderson, I. Vulic (2020). "Efficient Intent
       Detection with Dual Sentence Encoders". Workshop on NLP for Conversational AI.

    Examples
    --------
    >>> from embtransfer.datasets import fetch_banking77
    >>> len(fetch_banking77("test").data)  # doctest: +SKIP
    3080
    """
    if subset not in ("train", "test", "all"):
        raise ValueError(f"Got subset={subset!r}, expected one of 'train', 'test', 'all'.")
    sources = {
        f"{part}.csv": (f"{_URL}{part}.csv", f"sha256:{checksum}") for part, checksum in _CHECKSUMS.items()
    }
    folder = locate(["banking77"], list(sources), data_home, download_if_missing, sources)
    rows = {part: read_csv(folder / f"{part}.csv", "category") for part in _CHECKSUMS}
    code = {name: number for number, name in enumerate(sorted(set(rows["train"][1])))}
    if unknown := sorted(set(rows["test"][1]) - set(code)):
        message = f"Got {unknown} in test.csv of {folder}, expected only intents of train.csv."
        raise ValueError(f"{message} Delete both files to download the published ones.")
    for part, checksum in _CHECKSUMS.items():
        if hashlib.sha256((folder / f"{part}.csv").read_bytes()).hexdigest() != checksum:
            warnings.warn(
                f"Got {folder / f'{part}.csv'}, which is not the published file: the content differs. It is "
                "loaded as it is; delete it to download the published one.",
                stacklevel=2,
            )
    asked = list(rows) if subset == "all" else [subset]
    parts = {part: (rows[part][0], [code[name] for name in rows[part][1]]) for part in asked}
    descr = "BANKING77: queries to a bank, 77 intents (Casanueva et al., 2020). Licence: CC BY 4.0."
    bunch = join_parts(parts, "subset", list(code), descr)
    if subset != "all":
        bunch.pop("subset")
    return bunch
