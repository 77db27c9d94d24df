"""What commands write into the model card, and that filling it in changes no model."""

import numpy as np
from typer.testing import CliRunner

from embtransfer import score_file
from embtransfer.cli import app
from embtransfer.cli._inputs import for_card


def test_the_card_names_files_without_folders_and_counts_labels():
    texts, labels = ["a", "b", "c", "d"], ["good", "good", "good", "bad"]
    assert for_card("/home/me/films.csv", "pans.csv", texts, labels, texts[:2], 1) == {
        "source": "films.csv, 4 labelled texts",
        "target": "pans.csv, 2 texts, 1 of them labelled",
        "labels of the source": "good 3 (75%), bad 1 (25%)",
    }
    assert for_card("films.csv", None, np.eye(3), None) == {"source": "films.csv, 3 labelled vectors"}


def test_fit_writes_a_card_and_filling_it_in_makes_no_other_model(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "films.csv").write_text("text,label\n" + "a good film,+\na bad film,-\n" * 5)
    (tmp_path / "pans.csv").write_text("text\n" + "a good pan\na bad pan\n" * 5)
    run = CliRunner().invoke(app, ["fit", "--source", "films.csv", "--target", "pans.csv", "-o", "model"])
    assert run.exit_code == 0, run.output
    card = tmp_path / "model" / "README.md"
    assert "- target: pans.csv, 10 texts, without labels\n" in card.read_text("utf-8")
    ids = []  # by which a run that was stopped is resumed

    def noted(*files, model_id, **more):
        ids.append(model_id)
        return score_file(*files, model_id=model_id, **more)

    monkeypatch.setattr("embtransfer.scoring.score_file", noted)
    score = ["score", "model", "pans.csv", "-o", "scored.csv", "--jobs", "1"]
    assert CliRunner().invoke(app, score).exit_code == 0
    card.write_text("license: mit")
    assert CliRunner().invoke(app, score).exit_code == 0
    assert CliRunner().invoke(app, ["fit", "--source", "films.csv", "-o", "other"]).exit_code == 0
    assert CliRunner().invoke(app, ["score", "other", *score[2:]]).exit_code == 0
    assert ids[0] == ids[1] != ids[2]
