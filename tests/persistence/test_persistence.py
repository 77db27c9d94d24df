"""save_pipeline and load_pipeline: the same to the bit, whole or not at all, and no code from the file."""

import hashlib
import inspect
import json
import os
import pickle
import platform
import re
import shlex
import subprocess
import sys
import zipfile
from contextlib import suppress
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from warnings import catch_warnings, simplefilter
from zipfile import ZipFile

import numpy as np
import pytest
import skops.io
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import FunctionTransformer, StandardScaler

import embtransfer
from embtransfer import (
    CompiledPipeline,
    DomainCentering,
    NGramVectorizer,
    NoAdaptation,
    SelfTrainingClassifier,
    TransferSearch,
    WordEmbedder,
    WordVectors,
    compile_pipeline,
    load_pipeline,
    make_adapter,
    make_classifier,
    make_recipe,
    make_transfer_pipeline,
    save_pipeline,
)
from embtransfer.adapters import ADAPTERS
from embtransfer.classifiers import CLASSIFIERS
from embtransfer.datasets import load_demo_reviews
from embtransfer.persistence import TRUSTED, load_model
from embtransfer.persistence._state import _name_publicly
from embtransfer.recipes import RECIPES, TAUGHT

FILMS = ["a good film", "a bad film", "great plot", "terrible actor", "fine story", "awful script"] * 3
LABELS = ["+", "-"] * 9
PANS = ["a good pan", "a bad pan", "great knife", "terrible lid", "", "fine pot"]
NEW = ["an excellent kettle", "poor handle", "", None, "xyzzy", "good", "The lid fits! 👍"]
OWN = WordVectors(["good", "bad", "naïve word"], np.arange(12, dtype=np.float16).reshape(3, 4), "own")


def fit(embedder=None, adapter=None, *steps):
    steps = steps or [make_classifier("logistic")]
    pipeline = make_transfer_pipeline(embedder or WordEmbedder(), adapter or DomainCentering(), *steps)
    return pipeline.fit(FILMS, LABELS, X_target=PANS)


@pytest.fixture
def folder(tmp_path):
    """A saved model."""
    return save_pipeline(fit(), tmp_path / "model")


def check_same(loaded, pipeline):
    np.testing.assert_array_equal(loaded.predict(NEW), pipeline.predict(NEW))
    np.testing.assert_array_equal(loaded.predict_source(NEW), pipeline.predict_source(NEW))
    np.testing.assert_array_equal(loaded[:-1].transform(NEW), pipeline[:-1].transform(NEW))
    if hasattr(pipeline, "predict_proba"):
        np.testing.assert_array_equal(loaded.predict_proba(NEW), pipeline.predict_proba(NEW))
        np.testing.assert_array_equal(loaded.predict_proba_source(NEW), pipeline.predict_proba_source(NEW))
    assert repr(loaded) == repr(pipeline)


def edit_config(folder, **changes):
    """Change entries of config.json, and make the checksum that of the state as it is now."""
    file = folder / "config.json"
    config = json.loads(file.read_text("utf-8"))
    config["sha256"] = {"pipeline.skops": checksum(folder / "pipeline.skops")}
    file.write_text(json.dumps(config | changes), "utf-8")


def checksum(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


# round trips


DENSE = [name for name in CLASSIFIERS if name != "log_count_ratio"]
# each of both in one pair: what is saved of an adapter does not depend on the classifier
PAIRS = [
    (list(ADAPTERS)[i % len(ADAPTERS)], DENSE[i % len(DENSE)]) for i in range(max(len(ADAPTERS), len(DENSE)))
]


@pytest.mark.parametrize(("adapter", "classifier"), PAIRS)
def test_every_adapter_and_classifier(tmp_path, adapter, classifier):
    pipeline = fit(None, make_adapter(adapter), make_classifier(classifier))
    check_same(load_pipeline(save_pipeline(pipeline, tmp_path / "model")), pipeline)


@pytest.mark.parametrize("weighting", ["tfidf", "count", "binary"])
def test_sparse_rows_and_their_classifier(tmp_path, weighting):
    pipeline = fit(NGramVectorizer(weighting), NoAdaptation(), make_classifier("log_count_ratio"))
    loaded = load_pipeline(save_pipeline(pipeline, tmp_path / "model"))
    np.testing.assert_array_equal(loaded.predict_proba(NEW), pipeline.predict_proba(NEW))
    assert repr(loaded) == repr(pipeline)


@pytest.mark.parametrize("name", [name for name in RECIPES if name not in ("vectors", "columns")])
def test_every_recipe(tmp_path, name):
    teacher = WordEmbedder() if name in TAUGHT else None
    model = make_recipe(name, teacher)
    model.fit(FILMS, LABELS, X_target=PANS)
    loaded = load_pipeline(save_pipeline(model, tmp_path / "model"))
    np.testing.assert_array_equal(loaded.predict_proba(NEW), model.predict_proba(NEW))


@pytest.mark.parametrize("pooling", ["mean", "idf", "sif"])
@pytest.mark.parametrize("vectors", [None, OWN], ids=["bundled", "own"])
def test_every_pooling_and_table(tmp_path, pooling, vectors):
    pipeline = fit(WordEmbedder(vectors, pooling=pooling))
    loaded = load_pipeline(save_pipeline(pipeline, tmp_path / "model"))
    check_same(loaded, pipeline)
    table = loaded[0].vectors_
    if vectors is None:
        assert np.shares_memory(table.matrix, WordVectors.bundled().matrix)
    else:
        assert (table.words, table.name, table.checksum) == (OWN.words, "own", OWN.checksum)
        assert table.matrix.dtype == np.float16


def test_a_table_read_from_a_file_that_is_gone(tmp_path):
    file = tmp_path / "vectors.txt"
    file.write_text("good 1 0\nbad 0 1\n")
    pipeline = fit(WordEmbedder(str(file)))
    save_pipeline(pipeline, tmp_path / "model")
    file.unlink()
    check_same(load_pipeline(tmp_path / "model"), pipeline)


@pytest.mark.parametrize(
    "steps",
    [
        [StandardScaler(), make_classifier("svm")],
        [PCA(2, random_state=0), make_classifier("ridge")],
        [CalibratedClassifierCV(make_classifier("svm"), cv=2)],
        [CalibratedClassifierCV(make_classifier("naive_bayes"), cv=2, method="isotonic")],
    ],
    ids=["scaler", "pca", "calibrated", "isotonic"],
)
def test_steps_of_scikit_learn_inside(tmp_path, steps):
    pipeline = fit(None, None, *steps)
    check_same(load_pipeline(save_pipeline(pipeline, tmp_path / "model")), pipeline)


@pytest.mark.parametrize("labels", [[0, 1], [False, True], ["−", "é👍"], ["a", "b", "c"]])
def test_labels_keep_their_type(tmp_path, labels):
    pipeline = make_transfer_pipeline(WordEmbedder(), make_classifier("logistic"))
    pipeline.fit(FILMS, (labels * 9)[: len(FILMS)])
    loaded = load_pipeline(save_pipeline(pipeline, tmp_path / "model"))
    assert loaded.classes_.dtype == pipeline.classes_.dtype
    np.testing.assert_array_equal(loaded.predict(NEW), pipeline.predict(NEW))


def test_a_loaded_pipeline_is_as_good_as_new(tmp_path):
    first = load_pipeline(save_pipeline(fit(), tmp_path / "model"))
    check_same(load_pipeline(save_pipeline(first, tmp_path / "again")), first)
    check_same(first.fit(FILMS, LABELS, X_target=PANS), fit())


def test_in_a_fresh_process(folder):
    """And without importing torch, which takes longer than all the rest."""
    code = (
        "import sys, json; from embtransfer import load_pipeline; "
        "print(json.dumps(load_pipeline(sys.argv[1]).predict_proba(json.loads(sys.argv[2])).tolist())); "
        "assert not {'torch', 'pytest'} & set(sys.modules)"
    )
    command = [sys.executable, "-W", "error", "-c", code, folder, json.dumps(NEW)]
    run = subprocess.run(command, capture_output=True, text=True, check=True, cwd=folder.parent)
    np.testing.assert_array_equal(json.loads(run.stdout), load_pipeline(folder).predict_proba(NEW))


# the folder


def test_the_folder(folder):
    assert sorted(os.listdir(folder)) == ["README.md", "config.json", "pipeline.skops"]
    assert os.listdir(folder.parent) == ["model"]
    config = json.loads((folder / "config.json").read_text("utf-8"))
    assert config == {
        "format": "embtransfer-pipeline",
        "format_version": 1,
        "versions": {
            "embtransfer": embtransfer.__version__,
            "python": platform.python_version(),
            **{package: version(package) for package in ("numpy", "scipy", "scikit-learn", "skops")},
        },
        "sha256": {"pipeline.skops": checksum(folder / "pipeline.skops")},
    }


@pytest.mark.parametrize("pooling", ["mean", "idf", "sif"])
def test_the_bundled_vectors_are_not_saved(tmp_path, pooling):
    folder = save_pipeline(fit(WordEmbedder(pooling=pooling)), tmp_path / "model")
    assert sum(file.stat().st_size for file in folder.iterdir()) < 1_000_000


def test_missing_parents_are_made_and_the_path_comes_back(tmp_path):
    path = save_pipeline(fit(), str(tmp_path / "a" / "b" / "model"))
    assert path == tmp_path / "a" / "b" / "model"
    assert (path / "config.json").is_file()


def test_others_may_read_the_folder(tmp_path):
    before = os.umask(0o022)
    try:
        folder = save_pipeline(fit(), tmp_path / "model")
    finally:
        os.umask(before)
    assert oct(folder.stat().st_mode)[-3:] == "755"
    assert {oct(file.stat().st_mode)[-3:] for file in folder.iterdir()} == {"644"}


def test_a_private_umask_keeps_the_folder_private(tmp_path):
    before = os.umask(0o077)
    try:
        folder = save_pipeline(fit(), tmp_path / "model")
    finally:
        os.umask(before)
    assert oct(folder.stat().st_mode)[-3:] == "700"


# damage is refused by name


def change_byte(file):
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


@pytest.mark.parametrize(
    "damage",
    [
        change_byte,
        lambda file: file.write_bytes(file.read_bytes()[:-100]),
        lambda file: file.write_bytes(b""),
    ],
    ids=["byte", "cut", "empty"],
)
def test_a_changed_state(folder, damage):
    damage(folder / "pipeline.skops")
    with pytest.raises(ValueError, match=r"pipeline\.skops is not the file that was saved: its checksum"):
        load_pipeline(folder)


def zip_with(**files):
    def damage(file):
        with zipfile.ZipFile(file, "w") as archive:
            for name, content in files.items():
                archive.writestr(name.replace("_", "."), content)

    return damage


def without_arrays(file):
    with zipfile.ZipFile(file) as archive:
        schema = archive.read("schema.json").decode()
    zip_with(schema_json=schema)(file)


def overwrite_middle(file):
    content = file.read_bytes()
    middle = len(content) // 2
    file.write_bytes(content[: middle - 100] + b"\xff" * 200 + content[middle + 100 :])


@pytest.mark.parametrize(
    "damage",
    [
        lambda file: file.write_bytes(b""),
        lambda file: file.write_bytes(file.read_bytes()[:-100]),
        lambda file: file.write_bytes(pickle.dumps(os.getcwd)),
        zip_with(),
        zip_with(schema_json="{"),
        zip_with(schema_json="[]"),
        zip_with(schema_json="{}"),
        zip_with(schema_json="null"),
        zip_with(
            schema_json='{"__class__": "a", "__module__": "b", "__loader__": "NoSuchNode", "protocol": 2}'
        ),
        without_arrays,
        overwrite_middle,
    ],
    ids=[
        "empty",
        "cut",
        "pickle",
        "empty zip",
        "no JSON",
        "list",
        "empty object",
        "null",
        "unknown node",
        "no arrays",
        "overwritten",
    ],
)
def test_a_damaged_state_whose_checksum_is_right(folder, damage):
    damage(folder / "pipeline.skops")
    edit_config(folder)
    with pytest.raises(ValueError, match=r"pipeline\.skops is damaged"):
        load_pipeline(folder)


def test_a_pickle_is_not_opened(folder):
    (folder / "pipeline.skops").write_bytes(pickle.dumps(Bomb()))
    edit_config(folder)
    with pytest.raises(ValueError, match=r"pipeline\.skops is damaged"):
        load_pipeline(folder)
    assert Bomb.went_off == 0


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", r"config\.json is damaged"),
        ("", r"config\.json is damaged"),
        ("[" * 100_000, r"config\.json is damaged"),
        ("\udce9", r"config\.json is damaged"),
        ("[]", r"config\.json is no embtransfer-pipeline configuration"),
        ("{}", r"config\.json is no embtransfer-pipeline configuration"),
        ('{"format": "other"}', r"config\.json is no embtransfer-pipeline configuration"),
        (
            '{"format": "embtransfer-pipeline", "format_version": 1}',
            r"config\.json is damaged: it lacks checksums",
        ),
    ],
)
def test_a_damaged_config(folder, content, message):
    (folder / "config.json").write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(ValueError, match=message):
        load_pipeline(folder)


@pytest.mark.parametrize("number", [0, 2, "1", None])
def test_another_format_version(folder, number):
    edit_config(folder, format_version=number)
    with pytest.raises(
        ValueError, match=rf"format version {number!r}; this embtransfer reads 1\. Install the"
    ):
        load_pipeline(folder)


@pytest.mark.parametrize(
    "changes",
    [{"sha256": {"pipeline.skops": "0" * 64}}, {"sha256": {}}, {"sha256": {"pipeline.skops": None}}],
)
def test_a_changed_checksum(folder, changes):
    edit_config(folder, **changes)
    with pytest.raises(ValueError, match=r"pipeline\.skops is not the file that was saved"):
        load_pipeline(folder)


def test_missing_files(folder):
    (folder / "pipeline.skops").unlink()
    with pytest.raises(ValueError, match=r"pipeline\.skops is missing\. The model is not complete"):
        load_pipeline(folder)
    (folder / "config.json").unlink()
    with pytest.raises(ValueError, match=r"holds no config\.json\. Expected a folder of embtransfer fit"):
        load_pipeline(folder)


def test_no_model_there(tmp_path):
    (tmp_path / "file").write_text("text")
    for path in (tmp_path / "nowhere", tmp_path / "file"):
        with pytest.raises(FileNotFoundError, match="There is no model folder"):
            load_pipeline(path)
    with pytest.raises(ValueError, match=r"holds no config\.json"):
        load_pipeline(tmp_path)


def test_a_model_of_either_kind_is_loaded(folder, tmp_path):
    check_same(load_model(folder), load_pipeline(folder))
    compiled = compile_pipeline(fit()).save(tmp_path / "compiled")
    assert isinstance(load_model(compiled), CompiledPipeline)
    for path, file in ((folder, "pipeline.skops"), (compiled, "tensors.safetensors")):
        (path / file).unlink()
        with pytest.raises(ValueError, match=rf"{re.escape(file)} is missing"):
            load_model(path)
    config = json.loads((compiled / "config.json").read_text())
    (compiled / "config.json").write_text(json.dumps({**config, "classes": ["a", "b"]}))
    with pytest.raises(ValueError, match=r"is damaged: .* by its own checksum"):
        load_model(compiled)
    with pytest.raises(FileNotFoundError, match="There is no model folder"):
        load_model(tmp_path / "nowhere")


def test_another_scikit_learn_warns(folder):
    file = folder / "config.json"
    file.write_text(file.read_text().replace(f'"{version("scikit-learn")}"', '"1.6.0"'))
    with pytest.warns(
        UserWarning, match=r"was made with scikit-learn 1\.6\.0; this is .* predictions may differ"
    ):
        loaded = load_pipeline(folder)
    check_same(loaded, fit())


def test_another_bundled_table(folder, tmp_path):
    state = folder / "pipeline.skops"
    mine = WordVectors.bundled().checksum
    with zipfile.ZipFile(state) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    assert mine.encode() in files["schema.json"]
    files["schema.json"] = files["schema.json"].replace(mine.encode(), b"0" * 64)
    with zipfile.ZipFile(state, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    edit_config(folder)
    with pytest.raises(ValueError, match=f"another bundled table \\(checksum 0{{12}}, .* {mine[:12]}"):
        load_pipeline(folder)


# foreign types


class Bomb:
    """Goes off when it is made, unpickled or given its state."""

    went_off = 0

    def __init__(self):
        pass

    def __setstate__(self, state):
        type(self).went_off += 1

    def __reduce__(self):
        return explode, ()


def explode():
    Bomb.went_off += 1
    return Bomb()


class Foreign(TransformerMixin, BaseEstimator):
    """A step that load_pipeline does not know."""

    def fit(self, X, y=None):
        self.fitted_ = True
        return self

    def transform(self, X):
        return X

    def __setstate__(self, state):
        Bomb.went_off += 1
        super().__setstate__(state)


def tokens(text):
    return text.split()


def name_of(part):
    return f"{part.__module__}.{part.__qualname__}"


@pytest.mark.parametrize(
    ("part", "name"),
    [
        (Foreign().fit([]), name_of(Foreign)),
        (FunctionTransformer(os.system).fit([[0]]), name_of(os.system)),
        (FunctionTransformer(shlex.split).fit([[0]]), "shlex.split"),
        (FunctionTransformer(tokens).fit([[0]]), name_of(tokens)),
        ({"a": [Foreign()]}, name_of(Foreign)),
        ([eval], "builtins.eval"),
        ([Foreign().fit], name_of(Foreign)),
        (Foreign, name_of(Foreign)),
        (subprocess.Popen, "subprocess.Popen"),
    ],
    ids=["class", "os.system", "function", "own function", "nested", "eval", "method", "type", "Popen"],
)
def test_a_foreign_type_is_named_and_not_run(folder, part, name):
    skops.io.dump(part, folder / "pipeline.skops")
    edit_config(folder)
    before = Bomb.went_off
    with pytest.raises(ValueError, match=rf"pipeline\.skops holds types that are not trusted: .*{name}"):
        load_pipeline(folder)
    assert Bomb.went_off == before


def test_a_foreign_step_warns_and_loads_if_trusted(tmp_path):
    pipeline = fit(None, None, Foreign(), LogisticRegression())
    with pytest.warns(UserWarning, match=f"other packages. To load it pass trusted=.*{name_of(Foreign)}"):
        folder = save_pipeline(pipeline, tmp_path / "model")
    with pytest.raises(ValueError, match=f"pass trusted=.*{name_of(Foreign)}"):
        load_pipeline(folder)
    with pytest.raises(ValueError, match=f"not trusted: {name_of(Foreign)}"):
        load_pipeline(folder, trusted=["other.Type"])
    check_same(load_pipeline(folder, trusted=[name_of(Foreign)]), pipeline)


def test_a_callable_token_pattern_warns_and_loads_if_trusted(tmp_path):
    pipeline = fit(WordEmbedder(token_pattern=tokens))
    with pytest.warns(UserWarning, match=f"pass trusted=.*{name_of(tokens)}"):
        folder = save_pipeline(pipeline, tmp_path / "model")
    with pytest.raises(ValueError, match=f"not trusted: {name_of(tokens)}"):
        load_pipeline(folder)
    check_same(load_pipeline(folder, trusted=[name_of(tokens)]), pipeline)


def test_of_a_search_the_best_is_saved(tmp_path):
    films, pans = load_demo_reviews("films"), load_demo_reviews("kitchenware")
    search = TransferSearch(["word_mean"], ["centering"], ["logistic"], recipes=[])
    search.fit(films.data, films.target, X_target=pans.data)
    check_same(load_pipeline(save_pipeline(search, tmp_path / "best")), search.best_estimator_)


def test_every_public_estimator_is_trusted():
    parts = {name: getattr(embtransfer, name) for name in embtransfer.__all__}
    classes = {name for name, part in parts.items() if inspect.isclass(part) and hasattr(part, "get_params")}
    assert len(classes) >= 6
    trusted = {name.rpartition(".")[2] for name in TRUSTED}
    missing = (classes - {"TransferSearch"} | {"WordVectors"}) - trusted
    assert not missing, f"add them to _TYPES_OF in embtransfer/persistence/_state.py: {missing}"


@pytest.mark.parametrize("name", TRUSTED)
def test_every_trusted_type_exists_under_a_public_path(name):
    module, _, part = name.rpartition(".")
    assert inspect.isclass(getattr(import_module(module), part))
    assert module.partition(".")[0] in ("embtransfer", "numpy", "sklearn", "scipy")
    assert not name.startswith("embtransfer") or "._" not in name


def test_a_saved_model_names_no_private_module(folder):
    with ZipFile(folder / "pipeline.skops") as archive:
        schema = archive.read("schema.json").decode()
    modules = set(re.findall(r'"__module__": "(embtransfer[^"]*)"', schema))
    assert modules == {"embtransfer", "embtransfer.adapters"}


SAVED_BEFORE = Path(__file__).parent / "saved_with_private_names"  # by the commit before public names


def test_a_model_that_names_private_modules_still_loads():
    with ZipFile(SAVED_BEFORE / "pipeline.skops") as archive:
        assert "embtransfer.adapters._linear_ot" in archive.read("schema.json").decode()
    with catch_warnings():  # it was made with another scikit-learn, maybe
        simplefilter("ignore", UserWarning)
        loaded = load_pipeline(SAVED_BEFORE)
    shares = loaded.predict_proba(["good pan", "bad handle"])
    np.testing.assert_allclose(shares[:, 0], [0.99496341, 0.01366132], atol=1e-5)


def test_adapters_saved_before_they_had_priors_have_those_of_the_source():
    with catch_warnings():
        simplefilter("ignore", UserWarning)
        before = load_pipeline(SAVED_BEFORE)[1]
    former = DomainCentering().fit(np.eye(6), X_target=np.ones((2, 6)))
    del former.priors
    for adapter in (before, pickle.loads(pickle.dumps(former))):
        assert "priors" not in vars(adapter)
        assert adapter.get_params()["priors"] == "source"
        rows = np.random.default_rng(0).normal(size=(40, adapter.n_features_in_))
        fitted = clone(adapter).fit(rows, [0, 1] * 20, X_target=rows + 1)
        assert fitted.priors_ is None
        expected = clone(adapter).fit(rows, X_target=rows + 1)
        assert_array_equal(fitted.transform(rows), expected.transform(rows))


@pytest.mark.parametrize("priors", ["estimated", "source", [0.25, 0.75]], ids=str)
def test_shares_of_the_target_stay(tmp_path, priors):
    pipeline = fit(None, DomainCentering(priors=priors), SelfTrainingClassifier(priors=priors))
    loaded = load_pipeline(save_pipeline(pipeline, tmp_path / "model"))
    check_same(loaded, pipeline)
    for step, expected in zip(loaded[1:], pipeline[1:], strict=True):
        assert step.priors == priors
        for name in ("source_priors_", "priors_", "prior_intervals_"):
            assert_array_equal(getattr(step, name), getattr(expected, name))
    assert pipeline[-1].priors_.sum() == pytest.approx(1)
    assert (pipeline[1].priors_ is None) == (priors == "source")


@pytest.mark.parametrize("name", [name for name in TRUSTED if name.startswith("embtransfer")])
def test_a_type_of_ours_loads_by_the_name_of_any_former_module(name):
    node = {"__class__": name.rpartition(".")[2], "__module__": "embtransfer.attic._former"}
    assert _name_publicly(node)
    assert f"{node['__module__']}.{node['__class__']}" == name
    assert not _name_publicly(node)


def test_trusted_is_in_order_and_without_repeats():
    assert list(TRUSTED) == sorted(set(TRUSTED)), "sort _TYPES_OF in embtransfer/persistence/_state.py"


# saving: whole, or not at all


def test_not_fitted(tmp_path):
    pipeline = make_transfer_pipeline(WordEmbedder(), NoAdaptation(), make_classifier("logistic"))
    with pytest.raises(NotFittedError, match="not fitted"):
        save_pipeline(pipeline, tmp_path / "a" / "model")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("kind", ["file", "folder", "full folder", "other config"])
def test_what_is_no_model_stays(tmp_path, kind, overwrite):
    path = tmp_path / "there"
    if kind == "file":
        path.write_text("mine")
    else:
        path.mkdir()
        if kind != "folder":
            (path / ("config.json" if "config" in kind else "mine")).write_text('{"format": "mine"}')
    before = {file: file.is_file() and file.read_text() for file in tmp_path.rglob("*")}
    with pytest.raises(FileExistsError, match=r"exists already\. It is no saved pipeline: it stays"):
        save_pipeline(fit(), path, overwrite=overwrite)
    assert {file: file.is_file() and file.read_text() for file in tmp_path.rglob("*")} == before


def test_a_model_is_replaced_only_if_asked(folder):
    before = checksum(folder / "pipeline.skops")
    other = fit(WordEmbedder(pooling="idf"))
    with pytest.raises(FileExistsError, match=r"exists already\. Pass overwrite=True .*--overwrite"):
        save_pipeline(other, folder)
    assert checksum(folder / "pipeline.skops") == before
    assert save_pipeline(other, folder, overwrite=True) == folder
    check_same(load_pipeline(folder), other)
    assert os.listdir(folder.parent) == ["model"]


def test_files_of_the_user_in_a_model_folder_stay(folder):
    (folder / "notes.txt").write_text("mine")
    with suppress(FileExistsError):
        save_pipeline(fit(), folder, overwrite=True)
    assert (folder / "notes.txt").read_text() == "mine"


class Unsaveable(Foreign):
    def __getstate__(self):
        raise RuntimeError("cannot be saved")


@pytest.mark.parametrize("old", [False, True])
def test_a_failing_save_leaves_what_was_there(tmp_path, old):
    path = tmp_path / "model"
    if old:
        save_pipeline(fit(), path)
    with pytest.raises(RuntimeError, match="cannot be saved"):
        save_pipeline(fit(None, None, Unsaveable(), LogisticRegression()), path, overwrite=True)
    assert os.listdir(tmp_path) == (["model"] if old else [])
    if old:
        check_same(load_pipeline(path), fit())


def test_a_warning_that_is_an_error_leaves_what_was_there(tmp_path):
    path = save_pipeline(fit(), tmp_path / "model")
    with pytest.raises(UserWarning, match="types of other packages"):  # pytest turns warnings into errors
        save_pipeline(fit(None, None, Foreign(), LogisticRegression()), path, overwrite=True)
    assert os.listdir(tmp_path) == ["model"]
    check_same(load_pipeline(path), fit())


def test_a_relative_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert save_pipeline(fit(), "model") == Path("model")
    check_same(load_pipeline("model"), fit())


# ---------------------------------------------------------------- tables of vectors
@pytest.fixture
def converted(tmp_path, monkeypatch):
    """A pipeline with vectors of a file, and the folder of a new machine's cache."""
    monkeypatch.setenv("EMBTRANSFER_CACHE", str(tmp_path / "cache"))
    words = WordVectors.bundled().words[:20_000]
    source = tmp_path / "vectors.txt"
    rows = WordVectors.bundled()[words]
    lines = zip(words, rows.tolist(), strict=True)
    source.write_text("".join(f"{word} {' '.join(map(str, row))}\n" for word, row in lines), "utf-8")
    pipeline = make_transfer_pipeline(WordEmbedder(str(source)), make_classifier("ridge"))
    return pipeline.fit(["good pan", "bad pan"], ["+", "-"]), source


def size(folder):
    return sum(path.stat().st_size for path in folder.iterdir())


def test_converted_vectors_go_by_checksum(converted, tmp_path, monkeypatch):
    pipeline, source = converted
    folder = save_pipeline(pipeline, tmp_path / "model")
    assert size(folder) < 100_000
    loaded = load_pipeline(folder)
    assert_array_equal(loaded.decision_function(["good"]), pipeline.decision_function(["good"]))
    monkeypatch.setenv("EMBTRANSFER_CACHE", str(tmp_path / "other"))
    source.unlink()
    with pytest.raises(ValueError, match=r"refers to the vectors 'vectors\.txt'.*embed_vectors=True"):
        load_pipeline(folder)


@pytest.mark.parametrize("bundled", [True, False])
def test_vectors_are_saved_on_request(converted, tmp_path, monkeypatch, bundled):
    pipeline, source = converted
    if bundled:
        pipeline.set_params(wordembedder__vectors=None).fit(["good pan", "bad pan"], ["+", "-"])
    folder = save_pipeline(pipeline, tmp_path / "model", embed_vectors=True)
    assert size(folder) > 3_000_000
    monkeypatch.setenv("EMBTRANSFER_CACHE", str(tmp_path / "other"))
    source.unlink()
    loaded = load_pipeline(folder)
    assert_array_equal(loaded.decision_function(["good"]), pipeline.decision_function(["good"]))
