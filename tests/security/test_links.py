"""Links that others could have put there are not followed."""

import hashlib

import numpy as np
import pytest

from embtransfer import WordEmbedder, make_classifier, make_transfer_pipeline, save_pipeline, score_file
from tests.security.hostile import LABELS, OWN, TEXTS, _Model, write


def test_links_beside_an_output_are_not_followed(tmp_path):
    source = write(tmp_path / "a.csv", b"text\ngood\n")
    victim = write(tmp_path / "victim", b"mine")
    out = tmp_path / "shared" / "out.csv"
    out.parent.mkdir()
    digest = hashlib.sha256(str(out.resolve()).encode()).hexdigest()[:8]
    for kind in ("part", "rejected", "journal"):
        hidden = out.with_name(f".out.csv.{digest}.{kind}")
        hidden.symlink_to(victim)
        with pytest.raises(
            ValueError, match=rf"\.out\.csv\.{digest}\.{kind} is a link, which no run of ours"
        ):
            score_file(_Model(), source, out, resume=True)
        hidden.unlink()
    assert victim.read_bytes() == b"mine"
    out.with_name(f".out.csv.{digest}.lock").symlink_to(victim)
    with pytest.raises(OSError, match="symbolic link"):
        score_file(_Model(), source, out)
    assert victim.read_bytes() == b"mine"
    assert not out.exists()


def test_a_link_in_the_cache_of_embeddings_is_not_followed(tmp_path):
    from embtransfer.embedders._cache import EmbeddingCache

    victim = write(tmp_path / "victim", b"")
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "embeddings.sqlite3").symlink_to(victim)
    with (
        pytest.warns(RuntimeWarning, match="cannot be used .*symbolic link"),
        EmbeddingCache(tmp_path / "cache", 2, 1e6) as cache,
    ):
        cache.put([b"k"], np.ones((1, 2), np.float32))
    assert victim.read_bytes() == b""


def test_a_model_and_a_report_replace_links_not_what_they_lead_to(tmp_path):
    from embtransfer.report._report import Report

    victim = write(tmp_path / "victim", b"mine")
    (tmp_path / "report").mkdir()
    for name in ("report.html", "report.md", "report.json"):
        (tmp_path / "report" / name).symlink_to(victim)
    report = Report.__new__(Report)
    report.title = report.lead = report.created = "x"
    report._sections = []
    report.save(tmp_path / "report")
    assert victim.read_bytes() == b"mine"
    assert not (tmp_path / "report" / "report.html").is_symlink()
    (tmp_path / "model").symlink_to(tmp_path / "nowhere")
    pipeline = make_transfer_pipeline(WordEmbedder(OWN), make_classifier("ridge")).fit(TEXTS, LABELS)
    with pytest.raises(FileExistsError, match="model is a link to what is not there"):
        save_pipeline(pipeline, tmp_path / "model")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model", "report", "victim"]
