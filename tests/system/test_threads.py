"""n_jobs means what joblib means by it, also where joblib is not there."""

import sys

import joblib
import pytest

from embtransfer import WordEmbedder, compile_pipeline, make_classifier, make_transfer_pipeline
from embtransfer.system import _threads
from embtransfer.system._threads import n_threads


@pytest.mark.parametrize("n_jobs", [None, 1, 3, 1000, -1, -2, -1000])
def test_as_many_as_joblib_takes(n_jobs):
    assert n_threads(n_jobs) == joblib.effective_n_jobs(n_jobs)


def test_none_is_what_joblib_is_told():
    assert n_threads(None) == 1
    with joblib.parallel_config(n_jobs=3):
        assert n_threads(None) == 3
        assert n_threads(2) == 2


@pytest.mark.parametrize(("n_jobs", "expected"), [(None, 1), (2, 2), (-1, 6), (-2, 5), (-7, 1)])
def test_without_joblib(monkeypatch, n_jobs, expected):
    monkeypatch.setitem(sys.modules, "joblib", None)
    monkeypatch.setattr(_threads.os, "cpu_count", lambda: 6)
    assert n_threads(n_jobs) == expected


def test_zero_is_refused():
    texts, labels = ["good pan", "bad pan"], [1, 0]
    pipeline = make_transfer_pipeline(WordEmbedder(n_jobs=0), make_classifier("ridge"))
    message = r"Got n_jobs=0\. Expected a number of threads, -1 for all processors, or None for 1\."
    with pytest.raises(ValueError, match=message):
        pipeline.fit(texts, labels)
    compiled = compile_pipeline(pipeline.set_params(wordembedder__n_jobs=1).fit(texts, labels), n_jobs=0)
    with pytest.raises(ValueError, match=message):
        compiled.predict(texts)
