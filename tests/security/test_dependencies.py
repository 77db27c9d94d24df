"""Dependencies: the audit, and lower bounds that leave out what was unsafe."""

import json
import re
import runpy

import pytest

from tests.security.hostile import ROOT


@pytest.fixture(scope="module")
def audit():
    return runpy.run_path(str(ROOT / ".ci" / "audit.py"))


@pytest.fixture
def service(answers, monkeypatch):
    """The audit's index is the server."""
    answer, address = answers
    monkeypatch.setenv("PIP_INDEX_URL", f"{address}simple/")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("PIP_CONFIG_FILE", raising=False)
    return answer


def known(**more):
    one = {"id": "PYSEC-1", "aliases": ["CVE-1"], "fixed_in": ["99.1"], "summary": "bad", "withdrawn": None}
    return json.dumps({"info": {}, "vulnerabilities": [one | more]}).encode()


def test_the_audit_names_what_is_vulnerable(audit, service, capsys):
    service[:] = [(200, {}, known())]
    assert audit["main"]() == 1
    out = capsys.readouterr().out
    version = __import__("skops").__version__
    assert re.search(rf"skops {re.escape(version)}: PYSEC-1 \(CVE-1\), fixed in 99\.1", out)
    assert re.search(r"skops 0\.15 \(lower bound\): PYSEC-1", out)


def test_the_audit_passes_where_nothing_is_known(audit, service, capsys):
    service[:] = [(200, {}, known(withdrawn="2026-01-01"))]
    assert audit["main"]() == 0
    assert re.search(r"\d\d versions of \d\d packages: no known vulnerability", capsys.readouterr().out)


def test_the_audit_says_when_it_could_not_look(audit, service, answers, capsys):
    for status, body in [(404, b""), (500, b""), (200, b"<html>"), (200, b"{}"), (200, b"[]")]:
        service[:] = [(status, {}, body)]
        assert isinstance(audit["vulnerabilities"](answers[1].rstrip("/"), "skops", "0.15"), str)
    assert audit["vulnerabilities"]("http://127.0.0.1:9", "skops", "0.15") == "URLError"
    assert audit["main"]() == 0
    out = capsys.readouterr().out
    assert "NOT AUDITED" in out
    assert "no known vulnerability" not in out


def test_lower_bounds_leave_out_what_was_unsafe(audit):
    bounds = audit["lower_bounds"](ROOT / "setup.cfg")
    least = {
        "skops": (0, 15),  # code run by MethodNode and OperatorFuncNode, and by names of bit generators
        "filelock": (3, 20, 3),  # links in place of locks
        "sentence-transformers": (6,),  # code run from a local model folder
        "pyarrow": (14, 0, 1),  # pickles in the metadata of columns
        "joblib": (1, 2),
        "scikit-learn": (1, 5),
    }
    for name, bound in least.items():
        assert tuple(map(int, bounds[name].split("."))) >= bound, name
