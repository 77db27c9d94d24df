"""Downloads: wrong ones leave nothing, and no redirect leaves the web."""

import io
import re

import pytest

from tests.security.hostile import ROOT


@pytest.fixture
def elsewhere(tmp_path, monkeypatch, answers):
    """The data sets come from the server, and go to an empty cache."""
    import platformdirs

    from embtransfer.datasets import _amazon, _banking77

    monkeypatch.setattr(platformdirs, "user_cache_dir", lambda project: tmp_path / "cache")
    monkeypatch.delenv("EMBTRANSFER_DATA", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(_banking77, "_URL", answers[1])
    monkeypatch.setattr(_amazon, "_URL", f"{answers[1]}archive.tar.gz")
    return answers[0], tmp_path / "cache"


def test_wrong_downloads_leave_nothing(elsewhere):
    from embtransfer.datasets import fetch_banking77

    answer, cache = elsewhere
    for body in (b"", b"text,category\na,b\n", b"\x00" * 1000):
        answer[:] = [(200, {}, body)]
        with pytest.raises(ValueError, match=r"SHA256 hash of downloaded file .* does not match"):
            fetch_banking77()
        assert list(cache.rglob("*")) == []


@pytest.mark.parametrize("to", ["file:///etc/passwd", "ftp://127.0.0.1/x", "data:text/csv,a"])
def test_no_redirect_leaves_the_web(elsewhere, to):
    from embtransfer.datasets import fetch_amazon_reviews, fetch_banking77

    answer, cache = elsewhere
    answer[:] = [(302, {"Location": to}, b"")]
    for fetch in (fetch_banking77, fetch_amazon_reviews):
        with pytest.raises((OSError, ValueError), match=r"No connection adapters|scheme"):
            fetch()
        assert list(cache.rglob("*")) == []


def test_an_archive_that_unpacks_to_too_much(elsewhere):
    import tarfile

    from embtransfer.datasets import _amazon, fetch_amazon_reviews

    answer, cache = elsewhere
    out, block = io.BytesIO(), bytes(1 << 25)
    with tarfile.open(fileobj=out, mode="w:gz", compresslevel=1) as tar:
        for name in _amazon._FOLDERS:
            for member in _amazon._members(name):
                info = tarfile.TarInfo(f"sorted_data_acl/{member}")
                info.size = len(block)
                tar.addfile(info, io.BytesIO(block))
    answer[:] = [(200, {}, out.getvalue())]
    with pytest.raises(ValueError, match="Got files of more than 128 MB from"):
        fetch_amazon_reviews()
    assert list(cache.rglob("*")) == []


def test_every_address_is_https_and_has_a_checksum():
    from embtransfer.datasets import _amazon, _banking77

    assert _amazon._URL.startswith("https://")
    assert _banking77._URL.startswith("https://")
    sums = [*_amazon._CHECKSUMS.values(), *_banking77._CHECKSUMS.values()]
    assert all(re.fullmatch("[0-9a-f]{64}", one) for one in sums)
    for file in (ROOT / "embtransfer").rglob("*.py"):
        assert not re.search(r"http://(?!www\.w3\.org)", file.read_text("utf-8")), file
