"""Datasets: parsing, look-up order, checksums, and real downloads from a server on this machine."""

import hashlib
import io
import os
import re
import sys
import tarfile
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import platformdirs
import pytest

from embtransfer.datasets import _amazon, _banking77, fetch_amazon_reviews, fetch_banking77, load_demo_reviews

DOMAINS = ["books", "dvd", "electronics", "kitchen"]
REAL_DATA = Path(os.environ.get("EMBTRANSFER_DATA") or "no-such-folder")
needs_amazon = pytest.mark.skipif(
    not (REAL_DATA / "amazon_reviews").is_dir() and not (REAL_DATA / "sorted_data_acl").is_dir(),
    reason="EMBTRANSFER_DATA names no folder with the Amazon reviews",
)
needs_banking77 = pytest.mark.skipif(
    not (REAL_DATA / "banking77").is_dir(),
    reason="EMBTRANSFER_DATA names no folder with banking77",
)
OFFICIAL_REVIEW = """<review>
<unique_id>
{number}:a_title:someone
</unique_id>
<asin>
{number}
</asin>
<product_name>
Pots & Pans <new>: Kitchen
</product_name>
<helpful>

</helpful>
<rating>
{rating}
</rating>
<title>
 {title}
</title>
<date>
July 1, 2006
</date>
<reviewer_location>

</reviewer_location>
<review_text>
{text}

</review_text>
</review>
"""


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """Replace the per-user cache by an empty folder, and unset EMBTRANSFER_DATA."""
    monkeypatch.setattr(platformdirs, "user_cache_dir", lambda project: tmp_path / "cache" / project)
    monkeypatch.delenv("EMBTRANSFER_DATA", raising=False)
    return tmp_path / "cache" / "embtransfer"


@pytest.fixture
def server(tmp_path, monkeypatch):
    """Serve a folder over HTTP and give the folder, its address and the paths asked for."""
    folder = tmp_path / "served"
    folder.mkdir()
    asked = []

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, format, *args):
            asked.append(self.path)

    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=folder)) as http:
        thread = threading.Thread(target=http.serve_forever, args=(0.01,))  # poll often
        thread.start()
        yield folder, f"http://127.0.0.1:{http.server_port}/", asked
        http.shutdown()
        thread.join()


def amazon_texts(name):
    """Three positive and two negative (title, text) pairs of a domain."""
    positive = [(f"Good {name} & more", "Fiancé said &quot;yes&quot;.\r\n\r\nTwice")]
    positive += [("", f"No title, {name}"), ("Third", "R&B <3")]
    return {"positive": positive, "negative": [("Bad", f"cliché {name}"), ("Worse", "the end")]}


def amazon_files(layout="official"):
    """Member name -> bytes: all domains, in the official layout or with two tags only."""
    bare = "<review>\n<title>\n{title}\n</title>\n<review_text>\n{text}\n</review_text>\n</review>\n"
    template = OFFICIAL_REVIEW if layout == "official" else bare
    contents = {}
    for name in DOMAINS:
        folder = "kitchen_&_housewares" if name == "kitchen" else name
        for label, pairs in amazon_texts(name).items():
            blocks = [
                template.format(number=number, title=title, text=text, rating="5.0")
                for number, (title, text) in enumerate(pairs)
            ]
            contents[f"{folder}/{label}.review"] = "".join(blocks).encode("latin-1")
    return contents


def write_amazon(folder, contents):
    for name, content in contents.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def write_archive(path, contents):
    """Write the archive with members that no one asked for, one with a path that leaves it."""
    others = {"books/unlabeled.review": b"<review>", "summary.txt": b"", "../../escaped.txt": b""}
    with tarfile.open(path, "w:gz") as tar:
        for name, content in {**others, **contents}.items():
            member = tarfile.TarInfo(f"sorted_data_acl/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))


@pytest.fixture
def small_amazon(server, monkeypatch):
    """Make the small archive the published one, and serve it."""
    folder, address, asked = server
    checksums = {}
    for name in DOMAINS:
        pairs = amazon_texts(name)
        texts = [f"{title}\n{text}" for label in pairs for title, text in pairs[label]]
        checksums[name] = _amazon._fingerprint(texts, [1, 1, 1, 0, 0])
    monkeypatch.setattr(_amazon, "_URL", f"{address}archive.tar.gz")
    monkeypatch.setattr(_amazon, "_CHECKSUMS", checksums)
    write_archive(folder / "archive.tar.gz", amazon_files())
    return folder, asked


BANKING77 = {
    "train": b'text,category\n my card? ,card\n"why, oh why",fee\nand now?,card\n',
    "test": b"text,category\nstill?,fee\n",
}


@pytest.fixture
def small_banking77(server, monkeypatch):
    """Make two small files the published ones, and serve them."""
    folder, address, asked = server
    checksums = {part: hashlib.sha256(content).hexdigest() for part, content in BANKING77.items()}
    monkeypatch.setattr(_banking77, "_URL", address)
    monkeypatch.setattr(_banking77, "_CHECKSUMS", checksums)
    for part, content in BANKING77.items():
        (folder / f"{part}.csv").write_bytes(content)
    return folder, asked


def all_files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


# ---------------------------------------------------------------- the demo corpus


def test_demo_reviews_hold_two_balanced_domains():
    demo = load_demo_reviews()
    assert demo.target_names == ["negative", "positive"]
    assert demo.target.dtype == np.int64
    assert list(dict.fromkeys(demo.domain)) == ["films", "kitchenware"]
    assert len(demo.data) == len(demo.target) == len(demo.domain)
    for domain in ("films", "kitchenware"):
        assert np.bincount(demo.target[demo.domain == domain]).tolist() == [160, 160]
    assert all(isinstance(text, str) and text == text.strip() != "" for text in demo.data)
    assert "Demo reviews" in demo.DESCR


@pytest.mark.parametrize("asked", ["kitchenware", ["kitchenware"], ("kitchenware", "films")])
def test_demo_reviews_of_some_domains_in_the_order_asked(asked):
    demo = load_demo_reviews(asked)
    names = [asked] if isinstance(asked, str) else list(asked)
    both = load_demo_reviews()
    assert list(dict.fromkeys(demo.domain)) == names
    of_domain = dict.fromkeys(names)
    for name in names:
        of_domain[name] = [t for t, d in zip(both.data, both.domain, strict=True) if d == name]
    assert demo.data == [text for name in names for text in of_domain[name]]


@pytest.mark.parametrize("bad", ["film", ["films", "films"], []])
def test_demo_reviews_refuse_bad_domains(bad):
    message = f"Got domain={bad!r}, expected one or more of ['films', 'kitchenware']"
    with pytest.raises(ValueError, match=re.escape(message)):
        load_demo_reviews(bad)


# ---------------------------------------------------------------- Amazon reviews


@needs_amazon
def test_amazon_real_counts_order_and_checksums():
    reviews = fetch_amazon_reviews(download_if_missing=False)  # a wrong checksum would warn
    assert reviews.target.dtype == np.int64
    assert reviews.target_names == ["negative", "positive"]
    assert reviews.domain.tolist() == np.repeat(DOMAINS, 2000).tolist()
    assert reviews.target.tolist() == ([1] * 1000 + [0] * 1000) * 4
    assert reviews.data[0].startswith("One of the best Crichton novels\nSphere by Michael")
    assert reviews.data[1000].startswith("Horrible book, horrible.\nTHis book was")
    assert not any("\r" in text or "<review" in text for text in reviews.data)
    assert "ACL 2007" in reviews.DESCR


@needs_amazon
def test_amazon_real_domains_come_in_the_order_asked():
    both = fetch_amazon_reviews(["kitchen", "books"], download_if_missing=False)
    assert both.domain.tolist() == ["kitchen"] * 2000 + ["books"] * 2000
    assert both.data[2000:] == fetch_amazon_reviews("books", download_if_missing=False).data


@pytest.mark.parametrize("layout", ["official", "bare"])
@pytest.mark.parametrize("below", ["amazon_reviews/sorted_data_acl", "sorted_data_acl"])
def test_amazon_layouts(layout, below, cache, small_amazon, tmp_path):
    write_amazon(tmp_path / "home" / below, amazon_files(layout))
    reviews = fetch_amazon_reviews("dvd", data_home=tmp_path / "home", download_if_missing=False)
    assert reviews.data == [
        "Good dvd & more\nFiancé said &quot;yes&quot;.\n\nTwice",
        "\nNo title, dvd",
        "Third\nR&B <3",
        "Bad\ncliché dvd",
        "Worse\nthe end",
    ]
    assert reviews.target.tolist() == [1, 1, 1, 0, 0]
    assert reviews.domain.tolist() == ["dvd"] * 5


def test_fingerprint_is_of_labels_and_what_all_copies_share():
    digest = hashlib.sha256(b"1 TitleRB3cliche\n0 bandBad\n").hexdigest()
    assert _amazon._fingerprint(["Title\nR&B 3 cliché and e", "band\nBad"], [1, 0]) == digest


@pytest.mark.parametrize(
    "copy",
    [
        "His  quot;Great Work quot; B N\nclichï¿½d 1  and  2",
        'His  and quot;Great Work and quot; B and N\r\nclichd "1" 2',
    ],
)
def test_fingerprint_of_copies_with_lost_characters_is_that_of_the_original(copy):
    original = "His &quot;Great Work&quot; B&N\nclichéd 1 & 2"
    assert _amazon._fingerprint([copy], [1]) == _amazon._fingerprint([original], [1])


@pytest.mark.parametrize(
    ("texts", "target"),
    [(["a\nb", "c"], [0, 0]), (["a\nb", "d"], [1, 0]), (["c", "a\nb"], [1, 0]), (["a\nbc"], [1])],
)
def test_fingerprint_sees_other_labels_texts_order_and_rows(texts, target):
    expected = _amazon._fingerprint(["a\nb", "c"], [1, 0])
    assert _amazon._fingerprint(texts, target) != expected


@pytest.mark.parametrize("bad", ["kitchens", ["books", "books"], [], ["books", "toys"]])
def test_amazon_refuses_bad_domains(bad):
    message = f"Got domains={bad!r}, expected one or more of {DOMAINS}"
    with pytest.raises(ValueError, match=re.escape(message)):
        fetch_amazon_reviews(bad)


def test_amazon_not_found_says_where_and_what_to_do(cache, tmp_path, monkeypatch):
    (tmp_path / "env").mkdir()
    monkeypatch.setenv("EMBTRANSFER_DATA", str(tmp_path / "env"))
    homes = [tmp_path / "home", tmp_path / "env", cache]
    layouts = ["amazon_reviews/sorted_data_acl", "sorted_data_acl"]
    folders = ", ".join(str(home / layout) for home in homes for layout in layouts)
    with pytest.raises(OSError, match=re.escape(f"in one of {folders}. Pass download_if_m")):
        fetch_amazon_reviews("dvd", data_home=tmp_path / "home", download_if_missing=False)
    assert list(tmp_path.rglob("*")) == [tmp_path / "env"]


def test_amazon_look_up_order(cache, small_amazon, tmp_path, monkeypatch):
    found = []
    home, env = tmp_path / "home", tmp_path / "env"
    env.mkdir()
    monkeypatch.setenv("EMBTRANSFER_DATA", str(env))
    for folder in (cache, env, home):  # each comes before the one written earlier
        files = amazon_files()
        word = folder.name.encode()
        files["dvd/positive.review"] = files["dvd/positive.review"].replace(b"Third", word)
        write_amazon(folder / "sorted_data_acl", files)
        with pytest.warns(UserWarning, match=re.escape(str(folder))):
            reviews = fetch_amazon_reviews("dvd", data_home=home, download_if_missing=False)
        found.append(reviews.data[2])
    assert found == ["embtransfer\nR&B <3", "env\nR&B <3", "home\nR&B <3"]
    with pytest.warns(UserWarning, match=re.escape(str(env))):
        assert fetch_amazon_reviews("dvd").data[2] == "env\nR&B <3"


def test_amazon_other_content_warns_and_loads(cache, small_amazon, tmp_path):
    files = amazon_files()
    files["books/negative.review"] += files["dvd/negative.review"]
    write_amazon(tmp_path / "sorted_data_acl", files)
    message = "Got 3 positive and 4 negative reviews of 'books'"
    with pytest.warns(UserWarning, match=message) as caught:
        reviews = fetch_amazon_reviews(["books", "dvd"], data_home=tmp_path)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert reviews.target.tolist() == [1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 0, 0]


@pytest.mark.parametrize("use_home", [True, False])
def test_amazon_download(use_home, cache, small_amazon, tmp_path, monkeypatch):
    _, asked = small_amazon
    (tmp_path / "env").mkdir()
    monkeypatch.setenv("EMBTRANSFER_DATA", str(tmp_path / "env"))
    home = tmp_path / "home" if use_home else None
    reviews = fetch_amazon_reviews("kitchen", data_home=home)
    assert reviews.data[0] == "Good kitchen & more\nFiancé said &quot;yes&quot;.\n\nTwice"
    folder = home or cache
    assert all_files(folder) == sorted(f"amazon_reviews/sorted_data_acl/{f}" for f in amazon_files())
    assert [path.name for path in folder.iterdir()] == ["amazon_reviews"]
    assert not list((tmp_path / "env").iterdir())
    assert len(fetch_amazon_reviews(data_home=home).data) == 20
    assert asked == ["/archive.tar.gz"]  # the second time it is found


def test_amazon_download_keeps_files_that_are_there(cache, small_amazon, tmp_path):
    mine = amazon_files()["books/negative.review"]
    mine = {"books/positive.review": mine, "books/negative.review": mine}
    write_amazon(tmp_path / "amazon_reviews" / "sorted_data_acl", mine)
    assert len(fetch_amazon_reviews("dvd", data_home=tmp_path).data) == 5
    with pytest.warns(UserWarning, match="Got 2 positive and 2 negative reviews of 'books'"):
        fetch_amazon_reviews("books", data_home=tmp_path)


def test_amazon_tampered_download_is_refused_and_deleted(cache, small_amazon):
    folder, _ = small_amazon
    files = amazon_files()
    files["dvd/negative.review"] = files["dvd/negative.review"].replace(b"Worse", b"Better")
    write_archive(folder / "archive.tar.gz", files)
    expected = _amazon._CHECKSUMS["dvd"]
    message = f"Got content checksum [0-9a-f]{{64}} for domain 'dvd' from .*, expected {expected}"
    with pytest.raises(ValueError, match=message):
        fetch_amazon_reviews("books")
    assert list(cache.iterdir()) == []


def test_amazon_archive_without_a_file_is_refused(cache, small_amazon):
    folder, _ = small_amazon
    files = amazon_files()
    del files["dvd/negative.review"]
    write_archive(folder / "archive.tar.gz", files)
    with pytest.raises(ValueError, match=r"dvd/negative\.review' not found.*expected a tar"):
        fetch_amazon_reviews()
    assert list(cache.iterdir()) == []


@pytest.mark.parametrize("cut", [0, 200])
def test_amazon_broken_archive_is_refused(cut, cache, small_amazon):
    folder, _ = small_amazon
    content = (folder / "archive.tar.gz").read_bytes()
    (folder / "archive.tar.gz").write_bytes(content[:cut] or b"<html>Moved</html>")
    with pytest.raises(ValueError, match=r"expected a tar\.gz file with books/positive"):
        fetch_amazon_reviews()
    assert list(cache.iterdir()) == []


def test_amazon_failed_download_leaves_nothing(cache, small_amazon):
    folder, _ = small_amazon
    (folder / "archive.tar.gz").unlink()
    with pytest.raises(OSError, match="404"):
        fetch_amazon_reviews()
    assert list(cache.iterdir()) == []


# ---------------------------------------------------------------- BANKING77


@needs_banking77
def test_banking77_real_counts_and_names():
    train = fetch_banking77(download_if_missing=False)
    test = fetch_banking77("test", download_if_missing=False)
    both = fetch_banking77("all", download_if_missing=False)
    assert (len(train.data), len(test.data), len(both.data)) == (10003, 3080, 13083)
    assert train.target_names == test.target_names == both.target_names
    assert train.target_names == sorted(train.target_names)
    assert train.target.dtype == test.target.dtype == both.target.dtype == np.int64
    for bunch in (train, test, both):
        assert np.unique(bunch.target).tolist() == list(range(77))
        assert all(text == text.strip() != "" for text in bunch.data)
    assert both.data == train.data + test.data
    assert both.target.tolist() == [*train.target, *test.target]
    assert both.subset.tolist() == ["train"] * 10003 + ["test"] * 3080
    assert "subset" not in train
    assert train.data[0] == "I am still waiting on my card?"
    assert train.target_names[train.target[0]] == "card_arrival"


@needs_banking77
def test_banking77_checksums_are_those_of_the_files():
    for part, checksum in _banking77._CHECKSUMS.items():
        content = (REAL_DATA / "banking77" / f"{part}.csv").read_bytes()
        assert hashlib.sha256(content).hexdigest() == checksum


def test_banking77_download(cache, small_banking77):
    _, asked = small_banking77
    queries = fetch_banking77("all")
    assert queries.data == ["my card?", "why, oh why", "and now?", "still?"]
    assert queries.target_names == ["card", "fee"]
    assert queries.target.tolist() == [0, 1, 0, 1]
    assert queries.subset.tolist() == ["train", "train", "train", "test"]
    assert "CC BY 4.0" in queries.DESCR
    assert all_files(cache) == ["banking77/test.csv", "banking77/train.csv"]
    test = fetch_banking77("test")
    assert (test.data, test.target.tolist()) == (["still?"], [1])
    assert asked == ["/train.csv", "/test.csv"]


def test_banking77_tampered_download_is_refused_and_deleted(cache, small_banking77):
    folder, _ = small_banking77
    (folder / "test.csv").write_bytes(BANKING77["test"] + b"more,card\n")
    with pytest.raises(ValueError, match="does not match the known hash"):
        fetch_banking77()
    assert list(cache.iterdir()) == []


def test_banking77_not_found_says_where_and_what_to_do(cache):
    message = f"expected train.csv, test.csv in one of {cache / 'banking77'}. Pass download_if"
    with pytest.raises(OSError, match=re.escape(message)):
        fetch_banking77(download_if_missing=False)


def test_banking77_refuses_an_unknown_subset():
    with pytest.raises(ValueError, match="Got subset='dev', expected one of 'train', 'test'"):
        fetch_banking77("dev")


@pytest.mark.parametrize(
    ("test", "message"),
    [
        (b"text,label\na,b\n", r"Got the columns \['text', 'label'\] in .*, expected text and cat"),
        (b"", "Got the columns None in .*, expected text and category"),
        (b"text,category\na,loan\n", r"Got \['loan'\] in test.csv .* expected only intents of"),
    ],
)
def test_banking77_refuses_other_files(test, message, cache, tmp_path):
    folder = tmp_path / "banking77"
    folder.mkdir()
    (folder / "train.csv").write_bytes(BANKING77["train"])
    (folder / "test.csv").write_bytes(test)
    with pytest.raises(ValueError, match=message):
        fetch_banking77(data_home=tmp_path)


def test_import_loads_neither_pooch_nor_pandas():
    for path in Path(_amazon.__file__).parent.glob("*.py"):
        assert not re.search(r"^(import|from) (pooch|pandas)", path.read_text("utf-8"), re.MULTILINE)


def test_without_pooch_files_are_found_and_a_download_says_what_to_install(cache, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(ImportError, match=r'needs pooch: pip install "embtransfer\[datasets\]"'):
        fetch_banking77()
    assert not cache.exists()
    (tmp_path / "banking77").mkdir()
    for name in ("train", "test"):
        (tmp_path / "banking77" / f"{name}.csv").write_bytes(BANKING77[name])
    with pytest.warns(UserWarning, match="is not the published file"):
        assert fetch_banking77(data_home=tmp_path).data


def test_a_folder_named_by_mistake_is_no_reason_to_download(cache, tmp_path, monkeypatch):
    monkeypatch.setenv("EMBTRANSFER_DATA", str(tmp_path / "typo"))
    with pytest.raises(FileNotFoundError, match=r"EMBTRANSFER_DATA names .*typo, which is no folder"):
        fetch_amazon_reviews("kitchen")
