"""score_file with margin and reject_below: how sure a label is, and none where it is not sure enough."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier
from typer.testing import CliRunner

from embtransfer import (
    MultiLabelClassifier,
    NGramVectorizer,
    NoAdaptation,
    compile_pipeline,
    make_classifier,
    make_regressor,
    make_transfer_pipeline,
    save_pipeline,
    score_file,
)
from embtransfer.cli import app
from embtransfer.datasets import load_demo_reviews
from embtransfer.tables import FORMATS

FILMS = load_demo_reviews("films")
TEXTS = load_demo_reviews("kitchenware").data[:60] + ["", "a", "good", "bad good"]
MARKS = ["bad", "good", "middling"]


def fit(classifier="logistic", labels=None):
    classifier = make_classifier(classifier) if isinstance(classifier, str) else classifier
    labels = (
        [MARKS[y] if i % 5 else MARKS[2] for i, y in enumerate(FILMS.target)] if labels is None else labels
    )
    return make_transfer_pipeline(NGramVectorizer(), NoAdaptation(), classifier).fit(FILMS.data, labels)


@pytest.fixture(scope="module")
def model():
    return fit()


@pytest.fixture
def source(tmp_path):
    pd.DataFrame({"text": TEXTS}).to_csv(tmp_path / "in.csv", index=False)
    return tmp_path / "in.csv"


def read(path):
    if path.suffix == ".parquet":
        return pd.read_parquet(path)
    return pd.read_json(path, lines=True) if path.suffix == ".jsonl" else pd.read_csv(path)


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("ending", FORMATS)
def test_labels_below_are_left_empty_and_all_else_stays(tmp_path, model, source, ending, compiled):
    proba, out = np.sort(model.predict_proba(TEXTS), axis=1), tmp_path / f"out{ending}"
    limit = float(np.median(proba[:, -1])) + 1e-4
    scorer = compile_pipeline(model) if compiled else model
    report = score_file(
        scorer, source, out, margin=True, reject_below=limit, proba=True, n_jobs=2, block_size=900
    )
    found = read(out)
    assert found.columns[1:4].tolist() == ["prediction", "confidence", "margin"]
    np.testing.assert_allclose(found["confidence"], proba[:, -1], atol=2e-5)
    np.testing.assert_allclose(found["margin"], proba[:, -1] - proba[:, -2], atol=2e-5)
    below = proba[:, -1] < limit
    assert report.rows_without_label == below.sum() == len(TEXTS) // 2
    assert found["prediction"].isna().tolist() == below.tolist()
    assert found["prediction"][~below].tolist() == model.predict(TEXTS)[~below].tolist()
    assert not found.drop(columns=["text", "prediction"]).isna().any(axis=None)


def test_each_option_by_itself(tmp_path, model, source):
    out = tmp_path / "out.jsonl"
    assert score_file(model, source, out, margin=True).rows_without_label == 0
    assert [*json.loads(out.read_text().splitlines()[0])] == ["text", "prediction", "confidence", "margin"]
    assert score_file(model, source, out, reject_below=1).rows_without_label == len(TEXTS)
    assert [*json.loads(out.read_text().splitlines()[0]).items()][1:] == [("prediction", None)]
    assert score_file(model, source, out, reject_below=0, columns=[]).rows_without_label == 0


@pytest.mark.parametrize("labels", [[3, 1], [2.0, -1.0], [True, False]])
def test_labels_of_other_types_keep_it(tmp_path, source, labels):
    model = fit(labels=[labels[y] for y in FILMS.target])
    score_file(model, source, tmp_path / "out.parquet", reject_below=0.7)
    found = pd.read_parquet(tmp_path / "out.parquet", dtype_backend="pyarrow")["prediction"]
    assert 0 < found.isna().sum() < len(TEXTS)
    sure = ~found.isna().to_numpy()
    assert found[sure].tolist() == model.predict(TEXTS)[sure].tolist()


def test_the_confidence_is_that_of_the_label_where_the_threshold_is_tuned(tmp_path, source):
    tuned = fit(FixedThresholdClassifier(LogisticRegression(), threshold=0.8), FILMS.target)
    score_file(tuned, source, tmp_path / "out.csv", margin=True)
    found, proba = pd.read_csv(tmp_path / "out.csv"), tuned.predict_proba(TEXTS)
    own = proba[np.arange(len(TEXTS)), found["prediction"]]
    np.testing.assert_allclose(found["confidence"], own, atol=1e-6)
    np.testing.assert_allclose(found["margin"], 2 * own - 1, atol=1e-6)
    assert found["margin"].min() < 0


def test_a_run_that_was_stopped_counts_those_of_before(tmp_path, model):
    table = pd.DataFrame({"text": TEXTS * 20})
    table.to_csv(tmp_path / "in.csv", index=False)
    options = {"margin": True, "reject_below": 0.6, "block_size": 2_000, "model_id": "one"}
    whole = score_file(model, tmp_path / "in.csv", tmp_path / "whole.csv", **options)

    def stop(report):
        if report.rows_read > 200:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        score_file(model, tmp_path / "in.csv", tmp_path / "out.csv", monitor=stop, **options)
    changed = options | {"reject_below": 0.7}
    with pytest.raises(ValueError, match=r"Cannot resume out.csv: reject_below was 0.6, is 0.7"):
        score_file(model, tmp_path / "in.csv", tmp_path / "out.csv", resume=True, **changed)
    resumed = score_file(model, tmp_path / "in.csv", tmp_path / "out.csv", resume=True, n_jobs=2, **options)
    assert resumed.rows_resumed > 200
    assert resumed.rows_without_label == whole.rows_without_label > 200
    assert (tmp_path / "out.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()


def test_the_command_says_how_many(tmp_path, model, source):
    save_pipeline(model, tmp_path / "model")
    words = [
        "score",
        tmp_path / "model",
        source,
        "-o",
        tmp_path / "out.csv",
        "--margin",
        "--reject-below",
        "0.6",
    ]
    run = CliRunner().invoke(app, [*map(str, words)])
    assert run.exit_code == 0, run.output
    found = pd.read_csv(tmp_path / "out.csv")
    n = int((found["confidence"] < 0.6).sum())
    assert n == found["prediction"].isna().sum()
    assert f"\n{n} of 64 rows have no label: their confidence is below 0.6.\n" in run.stderr


@pytest.mark.parametrize("options", [{"margin": True}, {"reject_below": 0.5}])
def test_what_has_no_confidence_is_refused(tmp_path, source, options):
    name = "margin" if "margin" in options else "reject_below"
    several = fit(MultiLabelClassifier(), [[MARKS[y], "film"] if y else [MARKS[y]] for y in FILMS.target])
    numbers = fit(make_regressor("ridge"), FILMS.target.astype(float))
    for model, error, message in (
        (several, ValueError, rf"Got {name} .* predicts several labels a text. Expected one"),
        (numbers, ValueError, rf"Got {name} .* predicts numbers. Expected one"),
        (fit("ridge"), AttributeError, rf"Got {name} .*, but RidgeClassifier has no predict_proba"),
    ):
        with pytest.raises(error, match=message):
            score_file(model, source, tmp_path / "out.csv", **options)


def test_what_cannot_be(tmp_path, model, source):
    with pytest.raises(ValueError, match=r"Got reject_below=80. Expected a probability, from 0 to 1"):
        score_file(model, source, tmp_path / "out.csv", reject_below=80)
    with pytest.raises(ValueError, match=r"more than one column confidence"):
        score_file(model, source, tmp_path / "out.csv", margin=True, output_column="confidence")
