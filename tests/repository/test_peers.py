"""The peers of the benchmarks: pinned, and a row that says why where one is absent."""

import numpy as np
import pytest

from benchmarks import _peers_adapt, _peers_classify, _peers_embed, _speed_tables, accuracy_peers
from benchmarks._peers import Peer, absent, asked, present
from benchmarks._peers_train import FastText

TABLES = (_peers_embed.PEERS, _peers_classify.PEERS, _peers_adapt.PEERS)
REASON = "adapt 0.4.5 not usable: ModuleNotFoundError: No module named 'adapt'"


@pytest.mark.parametrize("peers", TABLES)
def test_every_package_is_pinned(peers):
    packages = {package for peer in peers.values() for package in (peer.package, *peer.also)}
    assert packages <= set(asked())
    assert all(version[0].isdigit() for version in asked().values())


def test_why_one_is_absent(monkeypatch, tmp_path):
    (tmp_path / "broken_peer.py").write_text("raise RuntimeError('wants another\\n numpy')\n")
    monkeypatch.syspath_prepend(tmp_path)
    peers = {
        "fine": Peer("scikit-learn", None),
        "nowhere": Peer("no-such-peer", None),
        "broken": Peer("numpy", None, ("broken-peer",)),
    }
    here, reasons = present(peers)
    assert list(here) == ["fine"]
    missing = "ModuleNotFoundError: No module named 'no_such_peer'"
    assert reasons["nowhere"] == f"no-such-peer, no version asked for, not usable: {missing}"
    assert reasons["broken"].endswith("not usable: RuntimeError: wants another numpy")
    assert absent("scikit-learn") == ""


def test_rows_of_embed_speed_name_their_parts():
    for names in (_peers_embed.SHARES, _peers_embed.REFERENCES):
        assert set(names) <= set(_peers_embed.PEERS)
    listed = set(_speed_tables.EMBEDDING_PEERS.values())
    assert set(_peers_embed.PEERS) <= listed


def test_an_absent_peer_is_a_row_of_the_page(monkeypatch):
    stored = _speed_tables.results("embed_speed")
    changed = {**stored, "absent": {"spaCy": "spacy 3.8.18 not usable: ModuleNotFoundError"}}
    monkeypatch.setattr(_speed_tables, "results", {"embed_speed": changed}.get)
    assert "| spaCy nlp.pipe: spacy 3.8.18 not usable: ModuleNotFoundError |" in _speed_tables.embedding()


def test_report_of_accuracy():
    pairs = [(source, target) for name, source, target in accuracy_peers.tasks_of("adapt: CORAL")]
    assert len(set(pairs)) == 12
    records = [
        {"method": "POT: EMDTransport", "source": s, "target": t, "unseen": 0.95, "seconds": 1.0}
        for s, t in pairs
    ]
    part = {**records[0], "method": "skada: CORAL"}  # one pair of twelve: no row yet
    text = "\n".join(accuracy_peers.report([*records, part], {"adapt: CORAL": REASON}))
    assert "| POT: EMDTransport | 95.0 | 95.0 | 0 of 12 | 1.0 |" in text
    assert f"| adapt: CORAL: {REASON} |" in text
    assert "skada: CORAL" not in text
    assert "| embtransfer: recipe 'words' |" in text


def test_texts_for_fasttext():
    texts = ["Good, isn't it?\nYES", "a/b"]
    assert FastText.prepare(texts) == ["good , isn ' t it ? yes", "a / b"]


def test_a_head_on_vectors():
    rng = np.random.default_rng(0)
    rows = dict(zip("abcdefghijklmnopqrst", rng.normal(size=(20, 3)), strict=True))
    texts = list(rows)
    y = (np.array([row[0] for row in rows.values()]) > 0).astype(int)
    model = _peers_classify.OnVectors(lambda texts: np.array([rows[text] for text in texts]))
    assert np.mean(model.fit(texts, y).predict(texts) == y) > 0.9
