"""--trusted: types of other packages by their names, in every command that loads a model."""

import json

import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import FunctionTransformer
from typer.testing import CliRunner

from embtransfer import WordEmbedder, make_transfer_pipeline, save_pipeline
from embtransfer.cli import app


class Mine(FunctionTransformer):
    """A step of another package."""


NAME = f"{Mine.__module__}.Mine"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    pipeline = make_transfer_pipeline(WordEmbedder(), Mine(), LogisticRegression())
    folder = tmp_path_factory.mktemp("model") / "model"
    with pytest.warns(UserWarning, match=rf"trusted=\['{NAME}'\] \(--trusted {NAME}\)"):
        return save_pipeline(pipeline.fit(["good pan", "bad pan"], ["+", "-"]), folder)


@pytest.mark.parametrize("command", ["score", "explain"])
def test_types_are_trusted_by_name_alone(model, tmp_path, command):
    (tmp_path / "in.jsonl").write_text(json.dumps({"text": "good pan"}) + "\n")
    words = {
        "score": [
            "score",
            str(model),
            str(tmp_path / "in.jsonl"),
            "-o",
            str(tmp_path / "out.jsonl"),
            "--vectors",
        ],
        "explain": ["explain", str(model), "good pan", "--format", "json"],
    }[command]
    for trusted in ([], ["--trusted", "all"], ["--trusted", "other.Step"]):
        result = CliRunner().invoke(app, [*words, *trusted])
        assert result.exit_code == 2
        assert f"types that are not trusted: {NAME}" in result.stderr
        assert f"(--trusted {NAME})" in result.stderr
    result = CliRunner().invoke(app, [*words, "--trusted", f"other.Step,{NAME}"])
    assert "not trusted" not in result.stderr
    assert result.exit_code == 0 or "Cannot" in result.stderr
    if command == "score":
        assert json.loads((tmp_path / "out.jsonl").read_text())["prediction"] == "+"
