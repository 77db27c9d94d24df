"""Labelled texts in several domains: a bundled demo corpus and two published data sets.

The published ones are looked for in ``data_home``, in the folder that ``EMBTRANSFER_DATA`` names
and in the per-user cache, and downloaded only if none of these has them.
"""

from __future__ import annotations

import csv
import hashlib
import os
import re
import tarfile
import tempfile
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.utils import Bunch

from .system._package_data import data_folder

_SENTIMENTS = ("negative", "positive")
DEMO_DOMAINS = ("films", "kitchenware")
_AMAZON_URL = "https://www.cs.jhu.edu/~mdredze/datasets/sentiment/domain_sentiment_data.tar.gz"
# Checksums of content, as no SHA-256 of the archive is known. The copy they were computed from has
# " " or " and " for every "&" and no accents: _UNCOUNTED is what copies differ in, and left out.
_AMAZON_CHECKSUMS = {
    "books": "fed1efa4291e3d87ed8be3052023f53f637433cff7c3259c33d1f6772c91d548",
    "dvd": "d196d54bcfbe57326e2258d22bf0f739a7da86a457b3f647ae7d649db8fef3fa",
    "electronics": "b2258958d22e1a5e4976f17c2c61b04d2e26aa1397efc637e2bb6c74f5c803b4",
    "kitchen": "09d99b88c1cafa3f85d99ca218ab66e63654982ba2dfa20e454bd6024987aeb6",
}
_AMAZON_MOST_BYTES = 1 << 27  # several times what the published files take
AMAZON_DOMAINS = tuple(_AMAZON_CHECKSUMS)
_AMAZON_FOLDERS = {name: name for name in AMAZON_DOMAINS} | {"kitchen": "kitchen_&_housewares"}
_REVIEW = re.compile(r"<review>(.*?)</review>", re.DOTALL)
_FIELD = re.compile(r"<(title|review_text)>(.*?)</\1>", re.DOTALL)
_UNCOUNTED = re.compile(r"(?<![A-Za-z0-9])and(?![A-Za-z0-9])|[^A-Za-z0-9]+")
_BANKING77_URL = "https://raw.githubusercontent.com/PolyAI-LDN/task-specific-datasets/master/banking_data/"
_BANKING77_CHECKSUMS = {  # SHA-256 of the files
    "train": "b06e26ac675513959a63135f11b94ea7786ed02da65db93a5650d8838cbc664b",
    "test": "d12d6e3bc4c3103966ae786dc435913c0c563dfa328f5a3646d0e62cfeeb474d",
}


def load_demo_reviews(domain: str | Sequence[str] | None = None) -> Bunch:
    """Load the bundled demo reviews: two small domains with the same two labels.

    Parameters
    ----------
    domain : {"films", "kitchenware"}, list of these, or None, default=None
        The domains to load, in the order asked. None loads both, since adapting needs two.

    Returns
    -------
    :class:`~sklearn.utils.Bunch`
        `data`, list of str: the reviews; `target`, int64 ndarray: 0 negative, 1 positive;
        `target_names`: ``["negative", "positive"]``; `domain`, ndarray of str: the domain of each
        row; `DESCR`, str.

    Raises
    ------
    ValueError
        If a domain is unknown or named twice.

    Examples
    --------
    >>> from embtransfer.datasets import load_demo_reviews
    >>> load_demo_reviews("films").target_names
    ['negative', 'positive']
    """
    names = _check_domains(DEMO_DOMAINS if domain is None else domain, DEMO_DOMAINS, "domain")
    parts = {}
    for name in names:
        texts, labels = _read_csv(data_folder() / f"demo_{name}.csv", "label")
        parts[name] = texts, [_SENTIMENTS.index(label) for label in labels]
    descr = "Demo reviews of films and kitchenware, bundled with embtransfer: see data/README.md."
    return _bunch(parts, "domain", _SENTIMENTS, descr)


def fetch_amazon_reviews(
    domains: str | Sequence[str] = ("books", "dvd", "electronics", "kitchen"),
    *,
    data_home: str | os.PathLike[str] | None = None,
    download_if_missing: bool = True,
) -> Bunch:
    """Load the Multi-Domain Sentiment Dataset [1]_: Amazon reviews, 1,000 + 1,000 a domain.

    Parameters
    ----------
    domains : {"books", "dvd", "electronics", "kitchen"} or sequence of these, default=all four
        The domains to load, in the order asked.
    data_home : str or path-like, default=None
        Folder to look in first and to download into. Next come the folder in the environment
        variable ``EMBTRANSFER_DATA`` and the per-user cache, where downloads go by default.
    download_if_missing : bool, default=True
        If False, raise an OSError instead of downloading (30 MB).

    Returns
    -------
    :class:`~sklearn.utils.Bunch`
        `data`, list of str: title, newline, review, each stripped; `target`, int64 ndarray:
        0 negative, 1 positive; `target_names`: ``["negative", "positive"]``; `domain`, ndarray of
        str: the domain of each row; `DESCR`, str. Rows are in the order of `domains`, in each the
        positive file before the negative one, in file order.

    Raises
    ------
    ValueError
        If a domain is unknown or named twice, or if a download has other content than the
        published one; nothing of it is kept then.
    OSError
        If the files are not found and `download_if_missing` is False.

    Notes
    -----
    For research use, not to be redistributed. A folder may hold it as ``sorted_data_acl`` or
    ``amazon_reviews/sorted_data_acl``; other content found there loads with a UserWarning.

    The archive's own SHA-256 could not be recorded, so integrity is a checksum of content: for each
    domain SHA-256 over label, title and review of each row, texts reduced to ASCII letters and
    digits without the word "and", since copies differ in entities ("&"), accents and line ends.

    References
    ----------
    .. [1] J. Blitzer, M. Dredze, F. Pereira (2007). "Biographies, Bollywood, Boom-boxes and
       Blenders: Domain Adaptation for Sentiment Classification". ACL.

    Examples
    --------
    >>> from embtransfer.datasets import fetch_amazon_reviews
    >>> len(fetch_amazon_reviews(["books", "kitchen"]).data)  # doctest: +SKIP
    4000
    """
    names = _check_domains(domains, AMAZON_DOMAINS, "domains")
    members = [member for name in names for member in _amazon_members(name)]
    archive = {"archive.tar.gz": (_AMAZON_URL, None)}
    layouts = ["amazon_reviews/sorted_data_acl", "sorted_data_acl"]
    folder = _locate(layouts, members, data_home, download_if_missing, archive, _unpack_amazon)
    parts = {name: _read_amazon(folder, name) for name in names}
    for name, (texts, target) in parts.items():
        if _fingerprint(texts, target) != _AMAZON_CHECKSUMS[name]:
            warnings.warn(
                f"Got {sum(target)} positive and {len(target) - sum(target)} negative reviews of "
                f"{name!r} in {folder}, expected the published 1000 and 1000: the content differs. "
                "They are loaded as they are; delete the files to download the published ones.",
                stacklevel=2,
            )
    descr = "Multi-Domain Sentiment Dataset (Blitzer et al., ACL 2007): research only, cite the paper."
    return _bunch(parts, "domain", _SENTIMENTS, descr)


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
        f"{part}.csv": (f"{_BANKING77_URL}{part}.csv", f"sha256:{checksum}")
        for part, checksum in _BANKING77_CHECKSUMS.items()
    }
    folder = _locate(["banking77"], list(sources), data_home, download_if_missing, sources)
    rows = {part: _read_csv(folder / f"{part}.csv", "category") for part in _BANKING77_CHECKSUMS}
    code = {name: number for number, name in enumerate(sorted(set(rows["train"][1])))}
    if unknown := sorted(set(rows["test"][1]) - set(code)):
        message = f"Got {unknown} in test.csv of {folder}, expected only intents of train.csv."
        raise ValueError(f"{message} Delete both files to download the published ones.")
    for part, checksum in _BANKING77_CHECKSUMS.items():
        if hashlib.sha256((folder / f"{part}.csv").read_bytes()).hexdigest() != checksum:
            warnings.warn(
                f"Got {folder / f'{part}.csv'}, which is not the published file: the content differs. It is "
                "loaded as it is; delete it to download the published one.",
                stacklevel=2,
            )
    asked = list(rows) if subset == "all" else [subset]
    parts = {part: (rows[part][0], [code[name] for name in rows[part][1]]) for part in asked}
    descr = "BANKING77: queries to a bank, 77 intents (Casanueva et al., 2020). Licence: CC BY 4.0."
    bunch = _bunch(parts, "subset", list(code), descr)
    if subset != "all":
        bunch.pop("subset")
    return bunch


def _bunch(parts: dict[str, Any], key: str, target_names: Sequence[str], descr: str) -> Bunch:
    """Join the named parts, each (texts, codes); `key` holds the name of the part of each row."""
    return Bunch(
        data=[text for texts, _ in parts.values() for text in texts],
        target=np.concatenate([np.array(codes, dtype=np.int64) for _, codes in parts.values()]),
        target_names=list(target_names),
        DESCR=descr,
        **{key: np.repeat(list(parts), [len(texts) for texts, _ in parts.values()])},
    )


def _check_domains(asked: str | Sequence[str], valid: Sequence[str], parameter: str) -> list[str]:
    names = [asked] if isinstance(asked, str) else list(asked)
    if not names or len(set(names)) < len(names) or not set(names) <= set(valid):
        expected = f"one or more of {list(valid)}, each at most once"
        raise ValueError(f"Got {parameter}={asked!r}, expected {expected}.")
    return names


def _locate(
    layouts: Sequence[str],
    members: Sequence[str],
    data_home: str | os.PathLike[str] | None,
    download_if_missing: bool,
    sources: Mapping[str, tuple[str, str | None]],
    unpack: Callable[[Path], Path] = lambda work: work,
) -> Path:
    """Return the first folder with all members; `sources`: file name -> address, known hash."""
    import pooch

    named = os.environ.get("EMBTRANSFER_DATA")
    if named and not Path(named).is_dir():
        raise FileNotFoundError(f"EMBTRANSFER_DATA names {named}, which is no folder. Mend it or unset it.")
    places = (data_home, named, pooch.os_cache("embtransfer"))
    homes = [Path(place).expanduser() for place in places if place]
    folders = [home / layout for home in homes for layout in layouts]
    for folder in folders:
        if all((folder / member).is_file() for member in members):
            return folder
    if not download_if_missing:
        looked_in = ", ".join(map(str, folders))
        raise OSError(
            f"Got download_if_missing=False, expected {', '.join(members)} in one of {looked_in}. "
            "Pass download_if_missing=True, or set data_home or EMBTRANSFER_DATA to where they are."
        )
    home = homes[0] if data_home else homes[-1]
    home.mkdir(parents=True, exist_ok=True)
    # A refused or broken download leaves nothing behind, and files that were there before stay.
    with tempfile.TemporaryDirectory(dir=home) as work:
        for name, (url, known_hash) in sources.items():
            pooch.retrieve(url, known_hash, fname=name, path=work)
        fresh = unpack(Path(work))
        for path in [path for path in fresh.rglob("*") if path.is_file()]:
            place = home / layouts[0] / path.relative_to(fresh)
            place.parent.mkdir(parents=True, exist_ok=True)
            if not place.exists():
                path.replace(place)
    return home / layouts[0]


def _read_csv(path: Any, label_column: str) -> tuple[list[str], list[str]]:
    again = "Delete the file to download the published one."
    try:
        with path.open("r", encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file)
            if not {"text", label_column} <= set(rows.fieldnames or ()):
                got = f"Got the columns {rows.fieldnames} in {path}, expected text and {label_column}."
                raise ValueError(f"{got} {again}")
            pairs = [(row["text"], row[label_column]) for row in rows]
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path} is damaged: {error}. {again}") from error
    if any(None in pair for pair in pairs):
        raise ValueError(f"{path} is damaged: a row has too few fields. {again}")
    pairs = [(text.strip(), label) for text, label in pairs]
    return [text for text, _ in pairs], [label for _, label in pairs]


def _amazon_members(name: str) -> list[str]:
    return [f"{_AMAZON_FOLDERS[name]}/{label}.review" for label in ("positive", "negative")]


def _read_amazon(folder: Path, name: str) -> tuple[list[str], list[int]]:
    texts: list[str] = []
    target: list[int] = []
    for label, member in zip((1, 0), _amazon_members(name), strict=True):
        blocks = _REVIEW.findall((folder / member).read_text(encoding="latin-1"))
        for fields in map(dict, map(_FIELD.findall, blocks)):
            texts.append("\n".join(fields.get(k, "").strip() for k in ("title", "review_text")))
        target += [label] * len(blocks)
    return texts, target


def _fingerprint(texts: Sequence[str], target: Sequence[int]) -> str:
    """SHA-256 over a line for each review: its label and what _UNCOUNTED leaves of the text."""
    lines = [f"{c} {_UNCOUNTED.sub('', t)}\n" for c, t in zip(target, texts, strict=True)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _unpack_amazon(work: Path) -> Path:
    by_hand = "Try again, or unpack the archive by hand into data_home: that loads with a warning."
    members = [member for name in _AMAZON_FOLDERS for member in _amazon_members(name)]
    try:
        with tarfile.open(work / "archive.tar.gz") as tar:
            wanted = [tar.getmember(f"sorted_data_acl/{member}") for member in members]
            if sum(member.size for member in wanted) > _AMAZON_MOST_BYTES:
                raise tarfile.TarError(f"files of more than {_AMAZON_MOST_BYTES >> 20} MB")
            tar.extractall(work, wanted, filter="data")
    except (KeyError, EOFError, tarfile.TarError) as error:
        got = f"Got {error} from {_AMAZON_URL}, expected a tar.gz file with {', '.join(members)}."
        raise ValueError(f"{got} {by_hand}") from error
    for name, expected in _AMAZON_CHECKSUMS.items():
        checksum = _fingerprint(*_read_amazon(work / "sorted_data_acl", name))
        if checksum != expected:
            got = f"Got content checksum {checksum} for domain {name!r} from {_AMAZON_URL}"
            raise ValueError(f"{got}, expected {expected}. The download is deleted. {by_hand}")
    return work / "sorted_data_acl"
