"""The Multi-Domain Sentiment Dataset: Amazon reviews."""

import hashlib
import os
import re
import tarfile
import warnings
from collections.abc import Sequence
from pathlib import Path

from sklearn.utils import Bunch

from ._bunches import SENTIMENTS, check_domains, join_parts
from ._files import locate

_URL = "https://www.cs.jhu.edu/~mdredze/datasets/sentiment/domain_sentiment_data.tar.gz"
# Checksums of content, as no SHA-256 of the archive is known. The copy they were computed from has
# " " or " and " for every "&" and no accents: _UNCOUNTED is what copies differ in, and left out.
_CHECKSUMS = {
    "books": "fed1efa4291e3d87ed8be3052023f53f637433cff7c3259c33d1f6772c91d548",
    "dvd": "d196d54bcfbe57326e2258d22bf0f739a7da86a457b3f647ae7d649db8fef3fa",
    "electronics": "b2258958d22e1a5e4976f17c2c61b04d2e26aa1397efc637e2bb6c74f5c803b4",
    "kitchen": "09d99b88c1cafa3f85d99ca218ab66e63654982ba2dfa20e454bd6024987aeb6",
}
_MOST_BYTES = 1 << 27  # several times what the published files take
AMAZON_DOMAINS = tuple(_CHECKSUMS)
_FOLDERS = {name: name for name in AMAZON_DOMAINS} | {"kitchen": "kitchen_&_housewares"}
_REVIEW = re.compile(r"<review>(.*?)</review>", re.DOTALL)
_FIELD = re.compile(r"<(title|review_text)>(.*?)</\1>", re.DOTALL)
_UNCOUNTED = re.compile(r"(?<![A-Za-z0-9])and(?![A-Za-z0-9])|[^A-Za-z0-9]+")


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
    names = check_domains(domains, AMAZON_DOMAINS, "domains")
    members = [member for name in names for member in _members(name)]
    archive = {"archive.tar.gz": (_URL, None)}
    layouts = ["amazon_reviews/sorted_data_acl", "sorted_data_acl"]
    folder = locate(layouts, members, data_home, download_if_missing, archive, _unpack)
    parts = {name: _read(folder, name) for name in names}
    for name, (texts, target) in parts.items():
        if _fingerprint(texts, target) != _CHECKSUMS[name]:
            warnings.warn(
                f"Got {sum(target)} positive and {len(target) - sum(target)} negative reviews of "
                f"{name!r} in {folder}, expected the published 1000 and 1000: the content differs. "
                "They are loaded as they are; delete the files to download the published ones.",
                stacklevel=2,
            )
    descr = "Multi-Domain Sentiment Dataset (Blitzer et al., ACL 2007): research only, cite the paper."
    return join_parts(parts, "domain", SENTIMENTS, descr)


def _members(name: str) -> list[str]:
    return [f"{_FOLDERS[name]}/{label}.review" for label in ("positive", "negative")]


def _read(folder: Path, name: str) -> tuple[list[str], list[int]]:
    texts: list[str] = []
    target: list[int] = []
    for label, member in zip((1, 0), _members(name), strict=True):
        blocks = _REVIEW.findall((folder / member).read_text(encoding="latin-1"))
        for fields in map(dict, map(_FIELD.findall, blocks)):
            texts.append("\n".join(fields.get(k, "").strip() for k in ("title", "review_text")))
        target += [label] * len(blocks)
    return texts, target


def _fingerprint(texts: Sequence[str], target: Sequence[int]) -> str:
    """SHA-256 over a line for each review: its label and what _UNCOUNTED leaves of the text."""
    lines = [f"{c} {_UNCOUNTED.sub('', t)}\n" for c, t in zip(target, texts, strict=True)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _unpack(work: Path) -> Path:
    by_hand = "Try again, or unpack the archive by hand into data_home: that loads with a warning."
    members = [member for name in _FOLDERS for member in _members(name)]
    try:
        with tarfile.open(work / "archive.tar.gz") as tar:
            wanted = [tar.getmember(f"sorted_data_acl/{member}") for member in members]
            if sum(member.size for member in wanted) > _MOST_BYTES:
                raise tarfile.TarError(f"files of more than {_MOST_BYTES >> 20} MB")
            tar.extractall(work, wanted, filter="data")
    except (KeyError, EOFError, tarfile.TarError) as error:
        got = f"Got {error} from {_URL}, expected a tar.gz file with {', '.join(members)}."
        raise ValueError(f"{got} {by_hand}") from error
    for name, expected in _CHECKSUMS.items():
        checksum = _fingerprint(*_read(work / "sorted_data_acl", name))
        if checksum != expected:
            got = f"Got content checksum {checksum} for domain {name!r} from {_URL}"
            raise ValueError(f"{got}, expected {expected}. The download is deleted. {by_hand}")
    return work / "sorted_data_acl"
