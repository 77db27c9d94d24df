"""Models on the hub, a small one on this machine: what is pushed loads, if pinned, and if it is sound."""

import base64
import json
import re
import threading
from hashlib import sha1
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from embtransfer import (
    WordEmbedder,
    load_pipeline,
    make_classifier,
    make_transfer_pipeline,
    push_to_hub,
    save_pipeline,
)

constants = pytest.importorskip("huggingface_hub.constants")
TEXTS, LABELS = ["a good pan", "a bad pan"] * 4, ["+", "-"] * 4
NAME = "me/kitchen"


class Hub(BaseHTTPRequestHandler):
    """What of the hub's protocol an upload and a download of small files want."""

    def log_message(self, *_):
        pass

    def answer(self, body=b"", status=200, **headers):
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Length": len(body), **headers}.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.asked.append(self.path)
        if self.path == "/api/repos/create":
            self.server.created = json.loads(body)
            self.answer({"url": f"{self.server.address}/{NAME}", "name": NAME, "id": NAME})
        elif self.path == "/api/validate-yaml":
            self.answer({"errors": [], "warnings": []})
        elif "/preupload/" in self.path:
            paths = [file["path"] for file in json.loads(body)["files"]]
            files = [{"path": path, "uploadMode": "regular", "shouldIgnore": False} for path in paths]
            self.answer({"files": files})
        else:
            lines = [json.loads(line)["value"] for line in body.splitlines()]
            files = {line["path"]: base64.b64decode(line["content"]) for line in lines if "path" in line}
            commit = sha1(body).hexdigest()
            self.server.commits[commit] = files
            self.answer({"commitUrl": f"{self.server.address}/{NAME}/commit/{commit}", "commitOid": commit})

    def do_GET(self):
        self.server.asked.append(self.path)
        commit, path = re.search(r"/([0-9a-f]{40})/?([^?]*)", self.path).groups()
        files = self.server.commits.get(commit)
        if files is None:
            self.answer({"error": "Not found"}, 404, X_Error_Code="RevisionNotFound")
        elif "/resolve/" in self.path:
            body = files[path]
            self.answer(body, ETag=f'"{sha1(body).hexdigest()}"', X_Repo_Commit=commit)
        elif "/tree/" in self.path:
            self.answer([{"type": "file", "path": p, "size": len(b), "oid": "0"} for p, b in files.items()])
        else:
            siblings = [{"rfilename": name} for name in files]
            self.answer({"id": NAME, "sha": commit, "siblings": siblings, "private": True, "tags": []})

    do_HEAD = do_GET


@pytest.fixture
def hub(tmp_path, monkeypatch):
    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as http:
        http.asked, http.commits, http.created = [], {}, None
        http.address = f"http://127.0.0.1:{http.server_port}"
        monkeypatch.setenv("HF_ENDPOINT", http.address)
        monkeypatch.setenv("HF_TOKEN", "hf_test")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        thread = threading.Thread(target=http.serve_forever, args=(0.01,))
        thread.start()
        yield http
        http.shutdown()
        thread.join()


@pytest.fixture
def folder(tmp_path):
    pipeline = make_transfer_pipeline(WordEmbedder(), make_classifier("ridge")).fit(TEXTS, LABELS)
    return save_pipeline(pipeline, tmp_path / "model")


def test_what_is_pushed_loads(hub, folder):
    (folder / "notes.txt").write_text("mine")
    commit = push_to_hub(folder, NAME)
    assert set(hub.commits[commit]) == {"README.md", "config.json", "pipeline.skops"}
    assert hub.created["name"] == "kitchen"
    assert "private" in json.dumps(hub.created)
    assert load_pipeline(f"hf://{NAME}", revision=commit).predict(TEXTS).tolist() == LABELS
    assert not any("README" in path for path in hub.asked if "resolve" in path)


@pytest.mark.parametrize("revision", [None, "main", "v1", "abc123", "A" * 40])
def test_a_model_that_is_not_pinned_is_refused_before_it_is_asked_for(hub, revision):
    with pytest.raises(ValueError, match=r"Expected a commit, of 40 hexadecimal digits"):
        load_pipeline(f"hf://{NAME}", revision=revision)
    assert hub.asked == []


@pytest.mark.parametrize("name", ["", "kitchen", "../x", "a/../b", "a/b/c", "a/b?c", "a b/c"])
def test_a_name_that_is_no_name_is_refused(hub, folder, name):
    for call in (lambda: load_pipeline(f"hf://{name}", revision="a" * 40), lambda: push_to_hub(folder, name)):
        with pytest.raises(ValueError, match="Expected owner/name"):
            call()
    assert hub.asked == []


def test_a_changed_model_is_refused_as_in_a_folder(hub, folder):
    commit = push_to_hub(folder, NAME)
    hub.commits[commit]["pipeline.skops"] += b"more"
    with pytest.raises(ValueError, match="is not the file that was saved"):
        load_pipeline(f"hf://{NAME}", revision=commit)


def test_another_repository_is_no_model(hub):
    hub.commits["b" * 40] = {"config.json": b'{"model_type": "bert"}'}
    with pytest.raises(ValueError, match="is no embtransfer-pipeline configuration"):
        load_pipeline(f"hf://{NAME}", revision="b" * 40)


def test_a_commit_that_is_not_there_is_an_error_of_the_system(hub):
    with pytest.raises(OSError, match="404"):
        load_pipeline(f"hf://{NAME}", revision="c" * 40)


def test_a_damaged_folder_is_not_pushed(hub, folder):
    (folder / "pipeline.skops").write_bytes(b"")
    with pytest.raises(ValueError, match="is not the file that was saved"):
        push_to_hub(folder, NAME)
    assert hub.asked == []


def test_a_folder_has_no_revision(folder):
    with pytest.raises(ValueError, match="which is not on the hub"):
        load_pipeline(folder, revision="a" * 40)
