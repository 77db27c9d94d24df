"""spaCy's vectors: as spaCy reads them, damage that is named."""

import json
import re
import shutil
import struct
from importlib.util import find_spec

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from numpy.testing import assert_array_equal

from embtransfer.word_vectors.readers import _spacy
from tests.word_vectors.reading import WORDS, load

if find_spec("spacy") is None:  # and not importorskip: workers without these tests spare it
    pytest.skip("needs spacy", allow_module_level=True)
pytestmark = pytest.mark.usefixtures("small_blocks")


@pytest.fixture(scope="module")
def spacy():
    import spacy.vectors

    return spacy


def make_pipeline(spacy, n=300, **options):
    pipeline = spacy.blank("en")
    words = [*WORDS, *(f"word{i}é"[: 1 + i % 12] + str(i) for i in range(n))]
    matrix = np.random.default_rng(0).random((len(words), 4), np.float32)
    pipeline.vocab.vectors = spacy.vectors.Vectors(strings=pipeline.vocab.strings, data=matrix, **options)
    if not options:
        for row, word in enumerate(words):
            pipeline.vocab.strings.add(word)
            pipeline.vocab.vectors.add(word, row=row)
    return pipeline, words, matrix


def test_spacy_pipeline_vocab_and_vectors_folders(spacy, tmp_path):
    pipeline, words, matrix = make_pipeline(spacy)
    (tmp_path / "package").mkdir()
    pipeline.to_disk(tmp_path / "package" / "en_test-1.0")
    pipeline.vocab.vectors.to_disk(tmp_path / "alone")
    places = ["package/en_test-1.0", "package/en_test-1.0/vocab", "package", "alone"]
    for place in places:
        found, got, rows = load(tmp_path / place)
        assert got == words
        assert_array_equal(rows, matrix)
        assert {file.name for file in found.files} == {"vectors", "key2row", "vectors.cfg", "strings.json"}
    again = spacy.load(tmp_path / places[0])
    assert_array_equal(rows, [again.vocab[word].vector for word in got])


def test_spacy_pruned_vectors_share_rows(spacy, tmp_path):
    pipeline, words, _ = make_pipeline(spacy)
    for word in words:
        pipeline.vocab[word]
    pipeline.vocab.prune_vectors(50)
    pipeline.vocab.to_disk(tmp_path / "vocab")
    _, got, rows = load(tmp_path)
    assert sorted(got) == sorted(words)
    assert_array_equal(rows, [pipeline.vocab.get_vector(word) for word in got])
    positions = [pipeline.vocab.vectors.find(key=word) for word in got]
    assert positions == sorted(positions)
    key_order = {
        pipeline.vocab.strings.as_string(key): i for i, key in enumerate(pipeline.vocab.vectors.key2row)
    }
    pairs = list(zip(positions, (key_order[word] for word in got), strict=True))
    assert pairs == sorted(pairs)


@pytest.mark.parametrize("n", [0, 5, 15, 16, 70_000])
def test_spacy_maps_of_any_size(spacy, tmp_path, n, monkeypatch):
    monkeypatch.undo()  # whole blocks: this one is large
    strings = [f"w{i}" for i in range(n + 1)]
    vectors = spacy.vectors.Vectors(data=np.arange(n + 1, dtype=np.float32)[:, None])
    for row, word in enumerate(strings):
        vectors.strings.add(word)
        vectors.add(word, row=row)
    vectors.to_disk(tmp_path)
    _, got, rows = load(tmp_path)
    assert got == strings
    assert_array_equal(rows[:, 0], np.arange(n + 1))


@settings(max_examples=100, deadline=None)
@given(word=st.text(st.characters(codec="utf-8"), max_size=40))
def test_hash_is_spacys(spacy, word):
    from embtransfer.kernels import _subwords

    out = np.empty(1, np.uint64)
    data = np.frombuffer(word.encode(), np.uint8)
    _subwords.murmur_hashes(data, np.array([0, len(data)]), 1, out)
    assert out[0] == spacy.strings.hash_string(word)


def test_symbols_are_spacys(spacy):
    assert {word: i for i, word in enumerate(["", *_spacy.SYMBOLS])} == spacy.symbols.IDS


def test_spacy_floret_is_refused(spacy, tmp_path):
    pipeline, _, _ = make_pipeline(spacy, mode="floret", minn=2, maxn=3, hash_count=2)
    pipeline.to_disk(tmp_path / "floret")
    with pytest.raises(ValueError, match="got vectors of mode 'floret', which have no row a word"):
        load(tmp_path / "floret")


@pytest.fixture(scope="module")
def written(spacy, tmp_path_factory):
    folder = tmp_path_factory.mktemp("written")
    make_pipeline(spacy)[0].vocab.vectors.to_disk(folder)
    return folder


@pytest.fixture
def spacy_folder(written, tmp_path):
    return shutil.copytree(written, tmp_path / "vectors_folder")


def msgpack(*pairs):
    data = bytes([0x80 + len(pairs)])
    for key, row in pairs:
        data += b"\xcf" + struct.pack(">Q", key) + b"\xce" + struct.pack(">I", row)
    return data


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("strings.json", None, "got no strings.json, there or in the folder above"),
        ("strings.json", b"[1]", "got 1 as string 0. Expected only strings"),
        ("strings.json", b'["a"', "got no JSON"),
        ("strings.json", b'{"a": 1}', "got a JSON dict. Expected a list"),
        ("strings.json", b'["\\ud800"]', "a word that is no text"),
        ("vectors.cfg", b"[", "got no JSON"),
        ("vectors", b"\x93NUMPY\x01\x00", "got a damaged .npy header"),
        ("key2row", b"", "got no bytes at byte 0"),
        ("key2row", b"\xc0", "got type 0xc0 at byte 0. Expected a msgpack map"),
        ("key2row", b"\xdf\xff\xff\xff\xff", "got a size of 4,294,967,295 in a file of 5 bytes"),
        ("key2row", b"\x81\xcf\x00", "got the end at byte 1"),
        ("key2row", b"\x81\xa1x\x00", "got type 0xa1 at byte 1"),
        ("key2row", b"\x81\x01\x02\x03", "got 1 bytes more at byte 3"),
        ("key2row", msgpack((1, 307)), "got row 307 for key 1, but there are 307 rows"),
        ("key2row", b"\x81\x01\xcf" + b"\xff" * 8, "but there are 307 rows"),
    ],
)
def test_spacy_damaged(spacy_folder, name, content, message):
    if content is None:
        (spacy_folder / name).unlink()
    else:
        (spacy_folder / name).write_bytes(content)
    with pytest.raises(ValueError, match=re.escape(message)):
        load(spacy_folder)


def test_spacy_keys_without_a_string_are_left_out(spacy_folder):
    words = set(json.loads((spacy_folder / "strings.json").read_text("utf-8"))) - {"the", "naïve"}
    (spacy_folder / "strings.json").write_text(json.dumps(sorted(words)))
    with pytest.warns(UserWarning, match="2 of 307 keys have no word in strings.json"):
        _, got, _ = load(spacy_folder)
    assert len(got) == 305
    (spacy_folder / "key2row").write_bytes(msgpack((12345, 0)))
    with (
        pytest.warns(UserWarning, match="1 of 1 keys have no word"),
        pytest.raises(ValueError, match="got no word with a vector"),
    ):
        load(spacy_folder)
