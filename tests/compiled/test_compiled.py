"""CompiledPipeline: threads, files, pickles, and processes without scikit-learn."""

import json
import pickle
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer
from sklearn.svm import LinearSVC

from embtransfer import (
    CompiledPipeline,
    DomainCentering,
    WordEmbedder,
    compile_pipeline,
    make_recipe,
    make_transfer_pipeline,
)
from embtransfer.datasets import load_demo_reviews
from embtransfer.system._safetensors import map_tensors, write_tensors

FILMS, PANS = load_demo_reviews("films"), load_demo_reviews("kitchenware")
TEXTS = [*PANS.data, "", None, "xyzzyq", "crème brûlée"] * 20


def fitted(kind):
    y = np.asarray(FILMS.target)
    if kind == "words":
        return make_recipe("words").fit(FILMS.data, y, X_target=PANS.data)
    if kind == "l2":
        return make_pipeline(WordEmbedder(), Normalizer(), LinearSVC()).fit(FILMS.data, y)
    if kind == "20 classes":
        model = make_transfer_pipeline(WordEmbedder(), DomainCentering(), LogisticRegression())
        return model.fit(FILMS.data, np.arange(len(y)) % 20, X_target=PANS.data)
    model = make_transfer_pipeline(WordEmbedder(), DomainCentering(), LogisticRegression(C=10))
    return model.fit(FILMS.data, np.array(["no", "yes"])[y], X_target=PANS.data)


@pytest.fixture(scope="module", params=["vectors", "words", "l2", "20 classes"])
def compiled(request):
    return compile_pipeline(fitted(request.param))


@pytest.fixture(scope="module")
def model():
    return compile_pipeline(fitted("vectors"))


@pytest.fixture
def folder(model, tmp_path):
    return model.save(tmp_path / "model")


def write_config(folder, config):
    rest = {key: value for key, value in config.items() if key != "checksum"}
    (folder / "config.json").write_text(json.dumps(rest))
    return folder


def threshold(head, value, response="proba"):
    return {"kind": "threshold", "head": head, "positive": 1, "threshold": value, "response": response}


def mean(head, weights=(1,)):
    return {"kind": "mean", "heads": [head], "weights": list(weights)}


def shift(head, ratio):
    return {"kind": "shift", "head": head, "biases": [0, 0], "ratio": ratio, "slope": 1, "least": 1e-9}


def calibrated(head, places=(1,), method="sigmoid"):
    member = {
        "head": head,
        "method": method,
        "places": list(places),
        "calibrators": [{"slope": 1, "offset": 0}],
    }
    return {"kind": "calibrated", "members": [member], "n_classes": 2}


class TestScores:
    @pytest.mark.parametrize("n_jobs", [2, -1])
    def test_threads_change_nothing(self, compiled, n_jobs):
        expected = compiled.decision_function(TEXTS)
        compiled.n_jobs = n_jobs
        np.testing.assert_array_equal(compiled.decision_function(TEXTS), expected)
        compiled.n_jobs = None

    def test_eight_threads_at_once(self, compiled):
        expected = compiled.decision_function(TEXTS)
        with ThreadPoolExecutor(8) as threads:
            for found in threads.map(compiled.decision_function, [TEXTS] * 24):
                np.testing.assert_array_equal(found, expected)

    def test_containers(self, model):
        texts = ["a good pan", "crème", None, "bad lid"]
        expected = model.predict(texts).tolist()
        for container in (
            np.array(texts, object),
            pd.Series(texts),
            pa.array(texts),
            pa.chunked_array([texts[:2], texts[2:]]),
            pl.Series(texts),
            tuple(texts),
        ):
            assert model.predict(container).tolist() == expected
        assert model.predict([]).tolist() == []
        assert model.predict_proba([]).shape == (0, 2)

    def test_texts_are_checked(self, model):
        with pytest.raises(TypeError, match="Got a single str"):
            model.predict("a text")
        with pytest.raises(TypeError, match="Got 3"):
            model.predict(["a", 3])

    def test_labels_and_probabilities_in_one_pass(self, model):
        labels, shares = model.predict_all(TEXTS)
        np.testing.assert_array_equal(labels, model.predict(TEXTS))
        np.testing.assert_array_equal(shares, model.predict_proba(TEXTS))

    def test_top_k(self):
        pipeline = fitted("20 classes")
        labels, values = compile_pipeline(pipeline).predict_top_k(PANS.data, k=5)
        shares = pipeline.predict_proba(PANS.data)
        np.testing.assert_allclose(values, -np.sort(-shares, axis=1)[:, :5], atol=1e-6)
        np.testing.assert_array_equal(labels[:, 0], pipeline.predict(PANS.data))
        assert labels.shape == (len(PANS.data), 5)

    def test_top_k_by_decisions(self):
        pipeline = fitted("l2")
        labels, values = compile_pipeline(pipeline).predict_top_k(PANS.data, k=2)
        np.testing.assert_allclose(values[:, 0], np.abs(pipeline.decision_function(PANS.data)), atol=1e-5)
        np.testing.assert_array_equal(labels[:, 0], pipeline.predict(PANS.data))

    @pytest.mark.parametrize("k", [0, 3])
    def test_top_k_of_too_many(self, model, k):
        with pytest.raises(ValueError, match=f"Got k={k}. Expected 1 to 2"):
            model.predict_top_k(["a"], k=k)

    def test_long_text(self, model):
        """Sums stay exact: the mean of a million words is that of one."""
        one, many = model.decision_function(["good pan", "good pan " * 500_000])
        assert many == pytest.approx(one, abs=1e-6)


class TestFiles:
    def test_round_trip(self, compiled, tmp_path):
        path = compiled.save(tmp_path / "model")
        loaded = CompiledPipeline.load(path)
        np.testing.assert_array_equal(loaded.decision_function(TEXTS), compiled.decision_function(TEXTS))
        np.testing.assert_array_equal(loaded.classes_, compiled.classes_)
        assert sorted(file.name for file in path.iterdir()) == ["config.json", "tensors.safetensors"]

    @pytest.mark.parametrize("dtype", ["int8", "uint16", "float32", "bool", "U9", object])
    def test_labels_keep_their_type(self, tmp_path, dtype):
        y = np.asarray(FILMS.target).astype(str if dtype is object else dtype).astype(dtype)
        pipeline = make_pipeline(WordEmbedder(), LogisticRegression()).fit(FILMS.data, y)
        loaded = CompiledPipeline.load(compile_pipeline(pipeline).save(tmp_path / "model"))
        assert loaded.predict(PANS.data).dtype == pipeline.predict(PANS.data).dtype
        assert loaded.predict(PANS.data).tolist() == pipeline.predict(PANS.data).tolist()

    def test_tables_are_mapped(self, folder):
        vocabulary = CompiledPipeline.load(folder)._program.parts[0].vocabulary
        assert not vocabulary.slots.flags.owndata
        assert not vocabulary.slots.flags.writeable

    def test_loads_in_milliseconds(self, folder):
        CompiledPipeline.load(folder)  # kernels
        seconds = []
        for _ in range(5):
            start = time.perf_counter()
            CompiledPipeline.load(folder)
            seconds.append(time.perf_counter() - start)
        assert min(seconds) < 0.1

    def test_overwriting(self, model, folder):
        with pytest.raises(FileExistsError, match=r"exists already. Pass overwrite=True"):
            model.save(folder)
        model.save(folder, overwrite=True)
        assert CompiledPipeline.load(folder).predict(["good pan"]) == model.predict(["good pan"])

    def test_other_folders_stay(self, model, tmp_path):
        (tmp_path / "letters.txt").write_text("dear")
        with pytest.raises(FileExistsError, match="It is no compiled model: it stays"):
            model.save(tmp_path, overwrite=True)
        assert (tmp_path / "letters.txt").read_text() == "dear"

    def test_files_of_the_user_beside_a_model_stay(self, model, folder):
        (folder / "notes.txt").write_text("mine")
        with pytest.raises(FileExistsError, match="holds other files beside the model: it stays"):
            model.save(folder, overwrite=True)
        assert (folder / "notes.txt").read_text() == "mine"

    def test_no_folder(self, tmp_path):
        with pytest.raises(FileNotFoundError, match="There is no model folder"):
            CompiledPipeline.load(tmp_path / "nothing")

    @pytest.mark.parametrize("unit", ["s", "ns"])
    def test_classes_that_json_cannot_hold(self, tmp_path, unit):
        pipeline = make_pipeline(WordEmbedder(), LogisticRegression()).fit(FILMS.data, FILMS.target)
        pipeline[-1].classes_ = np.array(["2020-01-01", "2021-01-01"], f"M8[{unit}]")
        with pytest.raises(ValueError, match="Expected text or numbers"):
            compile_pipeline(pipeline).save(tmp_path / "model")
        assert list(tmp_path.iterdir()) == []

    def test_read_by_the_formats_own_library(self, folder):
        from safetensors.numpy import load_file

        file = folder / "tensors.safetensors"
        expected = {name: array for name, (_, array) in map_tensors(file).items()}
        found = load_file(file)
        assert found.keys() == expected.keys()
        for name, array in found.items():
            np.testing.assert_array_equal(array, expected[name])


class TestDamage:
    @pytest.mark.parametrize("at", [0, 100, 5000, -1])
    def test_a_changed_byte(self, folder, at):
        data = bytearray((folder / "tensors.safetensors").read_bytes())
        data[at] ^= 1
        (folder / "tensors.safetensors").write_bytes(data)
        with pytest.raises(ValueError, match="not the file that was saved"):
            CompiledPipeline.load(folder)

    def test_cut_short(self, folder):
        data = (folder / "tensors.safetensors").read_bytes()
        (folder / "tensors.safetensors").write_bytes(data[: len(data) // 2])
        with pytest.raises(ValueError, match="not the file that was saved"):
            CompiledPipeline.load(folder)

    def test_a_file_is_missing(self, folder):
        (folder / "tensors.safetensors").unlink()
        with pytest.raises(ValueError, match=r"tensors.safetensors is missing"):
            CompiledPipeline.load(folder)
        (folder / "config.json").unlink()
        with pytest.raises(ValueError, match=r"holds no config.json"):
            CompiledPipeline.load(folder)

    @pytest.mark.parametrize("text", ["", "{", "[]", '{"format": "other"}'])
    def test_another_configuration(self, folder, text):
        (folder / "config.json").write_text(text)
        with pytest.raises(ValueError, match=r"is damaged|is no embtransfer-compiled configuration"):
            CompiledPipeline.load(folder)

    def test_a_newer_format(self, folder):
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps(config | {"format_version": 9}))
        with pytest.raises(ValueError, match="format version 9; this embtransfer reads 1"):
            CompiledPipeline.load(folder)

    @pytest.mark.parametrize(
        "change",
        [
            lambda config: config.pop("program"),
            lambda config: config["program"]["parts"][0].update(first=5),
            lambda config: config["program"]["parts"][0].update(vocabulary=3),
            lambda config: config["program"]["parts"][0].update(divisor="none"),
            lambda config: config["program"]["parts"][0].update(kind="code"),
            lambda config: config["head"].update(stop=4),
            lambda config: config["head"].update(kind="eval"),
            lambda config: config.update(classes=["a"]),
            lambda config: config["vocabularies"][0].update(longest=10**9),
            lambda config: config["vocabularies"][0].update(n_forming=10**9),
            lambda config: config["vocabularies"][0].update(min_length=-1),
            lambda config: config["vocabularies"][0].update(min_length=10**30),
            lambda config: config["program"]["parts"][0].update(first=float("inf")),
            lambda config: config["program"]["parts"][0].update(vocabulary=-1),
            lambda config: config.update(dtype="U1000000000"),
            lambda config: config.update(classes=[["a"], ["b"]], dtype="O"),
            lambda config: config.update(classes=[10**30, 1], dtype="i8"),
            lambda config: config["head"].update(start=0.0),
            lambda config: config.update(head=threshold(config["head"], "a")),
            lambda config: config.update(head=threshold(mean(config["head"]), 0.5, "decision")),
            lambda config: config.update(head=mean(config["head"], weights=[None])),
            lambda config: config.update(head=shift(config["head"], ratio=[1, "a"])),
            lambda config: config.update(head=calibrated(config["head"], places=[5])),
            lambda config: config.update(head=calibrated(config["head"], method="temperature")),
        ],
    )
    def test_a_configuration_that_lies(self, folder, change):
        """Made to deceive: without the checksum, as in folders of 0.1.0."""
        config = json.loads((folder / "config.json").read_text())
        assert CompiledPipeline.load(write_config(folder, config)).predict(["a"]) is not None
        change(config)
        write_config(folder, config)
        with pytest.raises(ValueError, match="damaged"):
            CompiledPipeline.load(folder)

    def test_a_configuration_of_endless_depth(self, folder):
        text = (folder / "config.json").read_text()
        (folder / "config.json").write_text(text.replace('"head": ', '"head": ' + '{"head": ' * 100_000))
        with pytest.raises(ValueError, match="damaged"):
            CompiledPipeline.load(folder)

    @pytest.mark.parametrize(
        "change",
        [
            lambda config: config.update(classes=["c", "d"]),
            lambda config: config["program"]["parts"][0].update(divisor="sqrt"),
            lambda config: config.update(checksum="0"),
        ],
    )
    def test_a_configuration_that_changed(self, folder, change):
        config = json.loads((folder / "config.json").read_text())
        change(config)
        (folder / "config.json").write_text(json.dumps(config))
        with pytest.raises(ValueError, match="damaged"):
            CompiledPipeline.load(folder)

    @pytest.mark.parametrize(
        ("name", "change"),
        [
            ("offsets", lambda a: a.__setitem__(-1, 10**12)),
            ("offsets", lambda a: a.__setitem__(5, a[4] - 1)),
            ("slots", lambda a: a.__setitem__((np.flatnonzero(a[:, 2])[0], 2), (5 << 32) | 2**31)),
            ("slots", lambda a: a.__setitem__((a[:, 2] == 0, 2), 1)),
            ("words", lambda a: a[:-40]),
            ("slots", lambda a: a[:-1]),
            ("slots", lambda a: np.zeros((1, 4), np.uint64)),
            ("ngrams", lambda a: np.zeros(4, np.int64)),
            ("ngrams", lambda a: np.zeros((4, 1), np.int64)),
            ("words", lambda a: a.reshape(1, -1)),
        ],
    )
    def test_tables_that_would_mislead_a_kernel(self, folder, name, change):
        """Made to deceive: the checksum is right, the tables are not."""
        import hashlib

        file = folder / "tensors.safetensors"
        arrays = {key: np.array(array) for key, (_, array) in map_tensors(file).items()}
        changed = change(arrays[f"vocabulary_0_{name}"])
        if changed is not None:
            arrays[f"vocabulary_0_{name}"] = changed
        write_tensors(file, arrays)
        config = json.loads((folder / "config.json").read_text())
        config["sha256"] = hashlib.sha256(file.read_bytes()).hexdigest()
        config["vocabularies"][0]["longest"] = 2 if name == "ngrams" else 1
        write_config(folder, config)
        with pytest.raises(ValueError, match="damaged"):
            CompiledPipeline.load(folder)


class TestProcesses:
    def test_pickles_by_reference(self, folder):
        model = CompiledPipeline.load(folder, n_jobs=2)
        data = pickle.dumps(model)
        assert len(data) < 1000
        again = pickle.loads(data)
        assert again.n_jobs == 2
        np.testing.assert_array_equal(again.decision_function(TEXTS), model.decision_function(TEXTS))

    def test_pickled_by_reference_to_a_model_that_changed(self, folder):
        data = pickle.dumps(CompiledPipeline.load(folder))
        compile_pipeline(fitted("20 classes")).save(folder, overwrite=True)
        with pytest.raises(ValueError, match="holds another model than the one that was pickled"):
            pickle.loads(data)

    def test_pickles_whole_without_a_folder(self, compiled):
        model = compile_pipeline(fitted("vectors"))
        for one in (model, compiled):
            again = pickle.loads(pickle.dumps(one))
            np.testing.assert_array_equal(again.decision_function(TEXTS), one.decision_function(TEXTS))

    def test_runs_without_scikit_learn(self, tmp_path):
        models = {kind: compile_pipeline(fitted(kind)) for kind in ["vectors", "words", "l2"]}
        folders = [str(model.save(tmp_path / kind)) for kind, model in models.items()]
        code = """
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"sklearn", "scipy", "pandas", "joblib", "gensim", "skops", "torch"}:
            raise ImportError(f"{name} is not wanted")

sys.meta_path.insert(0, Refuse())
from embtransfer import CompiledPipeline
for folder in sys.argv[1:4]:
    model = CompiledPipeline.load(folder, n_jobs=2)
    print(*model.decision_function(sys.argv[4:]).tolist())
"""
        texts = ["a good pan", "crème brûlée", "a terrible lid, not good"]
        run = subprocess.run(
            [sys.executable, "-W", "error", "-c", code, *folders, *texts], capture_output=True, text=True
        )
        assert run.returncode == 0, run.stderr
        for line, model in zip(run.stdout.splitlines(), models.values(), strict=True):
            assert [float(number) for number in line.split()] == model.decision_function(texts).tolist()

    def test_what_it_shows(self, model, folder):
        assert repr(CompiledPipeline.load(folder)).startswith("CompiledPipeline(2 classes, ")

    def test_vectorizers_of_scikit_learn_need_it_no_more(self, tmp_path):
        pipeline = make_pipeline(TfidfVectorizer(ngram_range=(1, 2)), LinearSVC()).fit(
            FILMS.data, FILMS.target
        )
        folder = compile_pipeline(pipeline).save(tmp_path / "model")
        found = CompiledPipeline.load(folder).decision_function(PANS.data)
        np.testing.assert_allclose(found, pipeline.decision_function(PANS.data), atol=1e-6)
