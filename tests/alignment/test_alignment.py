"""align_word_vectors: rotations that are known, retrieval, seeds in every form, texts of two languages."""

import gzip
import pickle
import re
from itertools import islice

import numpy as np
import pytest
from scipy.linalg import orthogonal_procrustes

from embtransfer import (
    DomainCentering,
    WordEmbedder,
    WordVectors,
    align_word_vectors,
    load_pipeline,
    make_classifier,
    make_transfer_pipeline,
    save_pipeline,
)
from embtransfer.alignment._retrieval import crowding, nearest, normalised, procrustes
from embtransfer.alignment._seeds import read_pairs
from embtransfer.datasets import load_demo_reviews

N_WORDS = 1500


def foreign(word):
    return word[::-1] + "o"


def make_tables(noise=0.0, n_words=N_WORDS, seed=0):
    """GloVe words, and a made-up language: the same words, rotated, with noise, shuffled."""
    glove, rng = WordVectors.bundled(), np.random.default_rng(seed)
    fitting = (word for word in glove.words if word.isalpha() and foreign(word) not in glove)
    words = list(islice(fitting, n_words))
    matrix = glove[words]
    rotation = np.linalg.qr(rng.normal(size=(50, 50)))[0]
    turned = matrix @ rotation + noise * matrix.std() * rng.normal(size=matrix.shape)
    order = np.argsort(np.arange(n_words) + rng.normal(scale=20, size=n_words))
    other = WordVectors([foreign(words[at]) for at in order], turned[order], "foreign")
    return WordVectors(words, matrix, "english"), other, rotation


def precision(alignment, words):
    found = alignment.translate(words)
    return np.mean([line == [foreign(word)] for word, line in zip(words, found, strict=True)])


def seeds(words):
    return [(word, foreign(word)) for word in words]


def test_procrustes_is_that_of_scipy():
    rng = np.random.default_rng(0)
    source, target = rng.normal(size=(2, 40, 6)).astype(np.float32)
    expected = orthogonal_procrustes(source.astype(float), target.astype(float))[0]
    np.testing.assert_allclose(procrustes(source, target), expected, atol=1e-5)


def test_normalised_formula():
    matrix = np.random.default_rng(0).normal(size=(30, 5)) + 1
    unit = matrix / np.linalg.norm(matrix, axis=1, keepdims=True)
    centred = unit - unit[:20].mean(axis=0)
    expected = centred / np.linalg.norm(centred, axis=1, keepdims=True)
    ours = normalised(matrix, 20)
    assert ours.dtype == np.float32
    np.testing.assert_allclose(ours, expected, atol=1e-6)
    assert np.isfinite(normalised(np.zeros((3, 2)), 3)).all()


@pytest.mark.parametrize("cells", [1 << 22, 200])
def test_csls_formula(cells, monkeypatch):
    monkeypatch.setattr("embtransfer.alignment._retrieval._CELLS", cells)
    rng = np.random.default_rng(0)
    S, T = (normalised(rng.normal(size=(n, 6)), n) for n in (70, 90))
    cosines = S.astype(float) @ T.T.astype(float)
    of_source = np.sort(cosines, axis=1)[:, -4:].mean(axis=1)
    of_target = np.sort(cosines, axis=0)[-4:].mean(axis=0)
    csls = 2 * cosines - of_source[:, None] - of_target
    np.testing.assert_allclose(crowding(T, S, 4), of_target, atol=1e-6)
    found, cosine = nearest(S, T, crowding(T, S, 4))
    np.testing.assert_array_equal(found, csls.argmax(axis=1))
    np.testing.assert_allclose(cosine, cosines[np.arange(70), found], atol=1e-6)
    assert np.mean(found == cosines.argmax(axis=1)) < 1
    assert len(crowding(S, T[:2], 4)) == 70


def test_left_out_candidates_are_not_found():
    X = normalised(np.random.default_rng(0).normal(size=(400, 6)), 400)
    found, _ = nearest(X, X, np.zeros(400, np.float32), 0.1, np.random.default_rng(1))
    assert np.mean(found == np.arange(400)) == pytest.approx(0.1, abs=0.06)


def test_a_rotation_is_recovered():
    source, target, rotation = make_tables()
    alignment = align_word_vectors(source, target, seeds(source.words[:100]), refinement=0)
    np.testing.assert_allclose(alignment.rotation_, rotation, atol=1e-3)
    np.testing.assert_allclose(alignment.rotation_ @ alignment.rotation_.T, np.eye(50), atol=1e-5)
    assert precision(alignment, source.words) == 1
    assert alignment.n_seeds_ == 100
    assert alignment.reliable_


def test_both_tables_are_in_one_space():
    source, target, _ = make_tables()
    before = source.matrix.copy(), target.matrix.copy()
    alignment = align_word_vectors(source, target, seeds(source.words[:200]))
    for table, original in ((alignment.source, source), (alignment.target, target)):
        assert table.words == original.words
        assert table.matrix.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(table.matrix, axis=1), 1, atol=1e-5)
    for table, copy in zip((source, target), before, strict=True):
        np.testing.assert_array_equal(table.matrix, copy)
    np.testing.assert_allclose(alignment.source["good"], alignment.target[foreign("good")], atol=1e-3)


def test_refinement_makes_up_for_few_seeds():
    source, target, _ = make_tables(noise=0.5)
    unseen = source.words[200:]
    given, refined = (
        align_word_vectors(source, target, seeds(source.words[:60]), refinement=rounds) for rounds in (0, 8)
    )
    assert precision(refined, unseen) > max(0.9, precision(given, unseen) + 0.1)
    right = np.mean([pair == (pair[0], foreign(pair[0])) for pair in refined.pairs_])
    assert right > 0.95


def test_translations_come_in_order_and_number():
    source, target, _ = make_tables(noise=0.5)
    alignment = align_word_vectors(source, target, seeds(source.words[:300]), max_words=1000)
    few, many = (alignment.translate(["good", "music"], k) for k in (1, 5))
    assert [line[:1] for line in many] == few
    assert {len(set(line)) for line in many} == {5}
    assert {word for line in alignment.translate(source.words[:300], 3) for word in line} <= set(
        target.words[:1000]
    )
    with pytest.raises(KeyError, match="'qqq' is not among the 1,500 words of english aligned"):
        alignment.translate(["qqq"])
    with pytest.raises(TypeError, match="Got a single string, 'good'"):
        alignment.translate("good")


def test_identical_words_as_seeds():
    source, target, _ = make_tables()
    shared = {foreign(word): word for word in source.words[::5]}
    target = WordVectors([shared.get(word, word) for word in target.words], target.matrix)
    alignment = align_word_vectors(source, target, "identical")
    assert alignment.n_seeds_ == 300
    assert alignment.translate(["year"]) == [[foreign("year") if "year" not in target else "year"]]


def test_without_a_dictionary():
    source, target, rotation = make_tables(noise=0.1, n_words=1000)
    alignment = align_word_vectors(source, target)
    assert (alignment.n_seeds_, alignment.reliable_) == (0, True)
    assert precision(alignment, source.words) > 0.95
    np.testing.assert_allclose(alignment.rotation_, rotation, atol=0.1)


def test_tables_that_have_nothing_in_common_are_not_to_be_relied_on():
    source, target, _ = make_tables(n_words=400)
    noise = WordVectors(target.words, np.random.default_rng(0).normal(size=(400, 50)), "noise")
    with pytest.warns(UserWarning, match="of english and noise is not to be relied on: two attempts"):
        alignment = align_word_vectors(source, noise)
    assert not alignment.reliable_


def test_a_wrong_dictionary_is_not_to_be_relied_on():
    source, target, _ = make_tables()
    wrong = list(
        zip(source.words[:300], np.random.default_rng(0).permutation(target.words[:300]), strict=True)
    )
    with pytest.warns(UserWarning, match="not to be relied on"):
        assert not align_word_vectors(source, target, wrong).reliable_


def test_same_numbers_every_time():
    source, target, _ = make_tables(n_words=400)
    for dictionary in (seeds(source.words[:200]), None):
        first, again = (align_word_vectors(source, target, dictionary, refinement=1) for _ in range(2))
        np.testing.assert_array_equal(first.rotation_, again.rotation_)
        assert first.agreement_ == again.agreement_


def test_progress_is_told():
    source, target, _ = make_tables(n_words=200)
    told = []
    align_word_vectors(
        source, target, seeds(source.words), refinement=3, progress=lambda *step: told.append(step)
    )
    steps = ["First pairs", *["Refining the pairs"] * 3, "Mapped"]
    assert told == [(done, 5, step) for done, step in enumerate(steps, 1)]


def write_dictd(folder, entries):
    """A dictd dictionary as dictfmt writes it: base-64 offsets and lengths, gzipped text."""
    digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

    def number(value):
        return (number(value // 64) if value >= 64 else "") + digits[value % 64]

    data, lines = b"", []
    for word, text in [("00databaseinfo", "00-database-info\nA dictionary\n"), *entries]:
        lines.append(f"{word}\t{number(len(data))}\t{number(len(text.encode()))}\n")
        data += text.encode()
    (folder / "eng-fra.index").write_text("".join(lines), "utf-8")
    (folder / "eng-fra.dict.dz").write_bytes(gzip.compress(data))


def test_dictd_dictionaries(tmp_path):
    filler = [(f"filler{i}", f"filler{i} /x/\nremplissage{i}\n") for i in range(200)]
    entries = [
        ("abandon", "abandon /əbændən/\n1. délaisser, abandonner\n2. lâcher (une prise)\n"),
        ("amende", "Amende /amɑ̃d/ <n, fem>\nfine\n"),
        ("a lot", 'a lot /ə lɔt/\nbeaucoup; maint\n "a lot of water" - beaucoup d\'eau\nSynonym: {much}\n'),
    ]
    write_dictd(tmp_path, [*filler, *entries])
    expected = [
        ("abandon", "délaisser"),
        ("abandon", "abandonner"),
        ("abandon", "lâcher"),
        ("Amende", "fine"),
        ("a lot", "beaucoup"),
        ("a lot", "maint"),
    ]
    for name in ("eng-fra.index", "eng-fra.dict.dz"):
        pairs = read_pairs(str(tmp_path / name))
        assert pairs[200:] == expected
        assert pairs[199] == ("filler199", "remplissage199")
    (tmp_path / "eng-fra.dict").write_bytes(gzip.decompress((tmp_path / "eng-fra.dict.dz").read_bytes()))
    assert read_pairs(tmp_path / "eng-fra.dict")[200:] == expected


def test_a_dictd_dictionary_seeds_an_alignment(tmp_path):
    source, target, _ = make_tables()
    entries = [(word, f"{word.title()} /x/\n1. {foreign(word)}, unknown\n") for word in source.words[:150]]
    write_dictd(tmp_path, entries)
    alignment = align_word_vectors(source, target, tmp_path / "eng-fra.index")
    assert alignment.n_seeds_ == 150
    assert precision(alignment, source.words) == 1


def test_dictionaries_in_every_form(tmp_path):
    expected = [("dog", "chien"), ("dog", "clebs"), ("cat", "chat")]
    (tmp_path / "tabs.tsv").write_text("dog\tchien\ndog\tclebs\r\n\ncat\tchat\n", "utf-8")
    (tmp_path / "spaces.txt").write_text("dog chien\ndog  clebs\ncat chat", "utf-8")
    for dictionary in (
        expected,
        np.array(expected),
        {"dog": ["chien", "clebs"], "cat": "chat"},
        tmp_path / "tabs.tsv",
        str(tmp_path / "spaces.txt"),
    ):
        assert read_pairs(dictionary) == expected


def test_bad_dictionaries(tmp_path):
    (tmp_path / "three.txt").write_text("dog chien\ndog chien clebs\n", "utf-8")
    (tmp_path / "no.index").write_text("dog\tA\tB\n", "utf-8")
    with pytest.raises(ValueError, match=r"Got 3 columns in line 2 of .*three\.txt"):
        read_pairs(tmp_path / "three.txt")
    with pytest.raises(FileNotFoundError, match=r"Expected no.index and no.dict.dz side by side"):
        read_pairs(tmp_path / "no.index")
    with pytest.raises(FileNotFoundError, match=r"Got dictionary 'nowhere.txt', which is no file"):
        read_pairs("nowhere.txt")
    with pytest.raises(TypeError, match=r"Got int as dictionary\. Expected pairs of words"):
        read_pairs(3)
    with pytest.raises(ValueError, match=r"Got \('dog',\) as pair 1 of the dictionary"):
        read_pairs([("cat", "chat"), ("dog",)])
    write_dictd(tmp_path, [("dog", "dog\nchien\n")])
    for line, message in (("dog\tA\tBé\n", "as line 1 of"), ("dog\tA\tBAAA\n", "line 1 points past the end")):
        (tmp_path / "eng-fra.index").write_text(line, "utf-8")
        with pytest.raises(ValueError, match=message):
            read_pairs(tmp_path / "eng-fra.index")


def test_bad_tables_and_parameters():
    source, target, _ = make_tables(n_words=100)
    with pytest.raises(TypeError, match=r"Got str\. Expected WordVectors"):
        align_word_vectors("glove", target)
    narrow = WordVectors(target.words, target.matrix[:, :20], "narrow")
    with pytest.raises(ValueError, match="Got 50 dimensions in english and 20 in narrow"):
        align_word_vectors(source, narrow)
    with pytest.raises(ValueError, match="Got a dictionary of 1 pairs, none of which"):
        align_word_vectors(source, target, {"qqq": "rrr"})
    with pytest.raises(ValueError, match="Got a dictionary of 0 pairs, none of which"):
        align_word_vectors(source, target, [])
    for options in ({"refinement": -1}, {"csls_k": 0}, {"max_words": 1}):
        with pytest.raises(ValueError, match="Expected at least 0, 1 and 2"):
            align_word_vectors(source, target, "identical", **options)


@pytest.fixture(scope="module")
def two_languages():
    """Labelled reviews in English, the same kind in the made-up language, and the aligned tables."""
    source, target, _ = make_tables(noise=0.3, n_words=6000)
    alignment = align_word_vectors(source, target, seeds(source.words[:500]), refinement=2, max_words=1500)
    films, pans = load_demo_reviews("films"), load_demo_reviews("kitchenware")
    foreign_texts = [" ".join(map(foreign, re.findall(r"[a-z]{3,}", text.lower()))) for text in pans.data]
    return alignment, films, foreign_texts, pans.target


def test_a_classifier_of_one_language_scores_another(two_languages):
    alignment, films, texts, labels = two_languages
    source, target = WordEmbedder(alignment.source), WordEmbedder(alignment.target)
    adapter = DomainCentering()
    rows = adapter.fit_transform(source.fit_transform(films.data), X_target=target.fit_transform(texts))
    classifier = make_classifier("logistic").fit(rows, films.target)
    assert classifier.score(adapter.transform(target.transform(texts)), labels) > 0.6
    blind = make_classifier("logistic").fit(source.transform(films.data), films.target)
    assert np.all(source.transform(texts) == 0)  # no word in common
    assert blind.score(source.transform(texts), labels) == pytest.approx(0.5, abs=0.05)


def test_aligned_tables_are_kept_in_a_saved_pipeline(two_languages, tmp_path):
    alignment, films, texts, _ = two_languages
    pipeline = make_transfer_pipeline(WordEmbedder(alignment.source), make_classifier("logistic"))
    pipeline.fit(films.data, films.target)
    save_pipeline(pipeline, tmp_path / "model")
    again = load_pipeline(tmp_path / "model")
    np.testing.assert_allclose(again.predict_proba(films.data), pipeline.predict_proba(films.data), atol=1e-6)
    pickled = pickle.loads(pickle.dumps(alignment))
    assert pickled.translate(["good"]) == alignment.translate(["good"])
    np.testing.assert_array_equal(
        WordEmbedder(pickled.target).fit_transform(texts),
        WordEmbedder(alignment.target).fit_transform(texts),
    )
