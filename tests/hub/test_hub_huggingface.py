"""The Hugging Face source through its real client, against a small hub on loopback."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import huggingface_hub.utils
import pytest
from hub_samples import sha256

from wordstock.hub.sources.huggingface import _silent

COMMIT = "0123456789abcdef0123456789abcdef01234567"
LOAD = "import sys, wordstock as ws; table = ws.load('{}'); print(len(table), table.card.licence, table.card.language)"


@pytest.fixture
def hub(cache, tmp_path, monkeypatch):
    """Repositories by name, each a dict of files; and what was asked for."""
    repos: dict[str, dict[str, bytes]] = {}
    seen: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def do_HEAD(self):
            self.do_GET()

        def do_GET(self):
            seen.append(self.path)
            parts = self.path.split("?")[0].strip("/").split("/")
            if parts[:2] == ["api", "models"]:
                repo = "/".join(parts[2:4])
                if repo not in repos:
                    self.answer(404, b"{}", {"X-Error-Code": "RepoNotFound", "X-Error-Message": "Repository not found"})
                    return
                siblings = [{"rfilename": name, "size": len(data)} for name, data in repos[repo].items()]
                card = {"license": "mit", "language": ["en"]}
                facts = {"_id": "x", "id": repo, "modelId": repo, "sha": COMMIT, "siblings": siblings, "cardData": card}
                self.answer(200, json.dumps(facts | {"private": False, "tags": [], "downloads": 0}).encode())
                return
            data = repos["/".join(parts[:2])].get("/".join(parts[4:]))
            self.answer(200, data, {"ETag": f'"{sha256(data)[:40]}"', "X-Repo-Commit": COMMIT})

        def answer(self, status, data, headers=None):
            self.send_response(status)
            for name, value in {"Content-Length": str(len(data)), **(headers or {})}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(data)

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.daemon_threads = True
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{httpd.server_port}")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("HF_HUB_DISABLE_TELEMETRY", "1")
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    yield repos, seen
    httpd.shutdown()
    httpd.server_close()
    thread.join()


def test_a_table_of_a_repository(hub, cache, native_file, run_python, leftovers):
    repos, seen = hub
    repos["org/tiny"] = {
        "tiny.safetensors": native_file,
        "pytorch_model.bin": b"pickled",
        "evil.pkl": b"pickled",
        "README.md": b"x",
    }
    done = run_python(LOAD.format("hf:org/tiny"))
    assert done.stdout.split() == ["4", "mit", "en"]
    assert done.stderr == ""
    assert not [path for path in seen if "pytorch_model" in path or "evil" in path]
    assert leftovers() == ["hf--org--tiny", "hf--org--tiny/manifest.json", "hf--org--tiny/table.safetensors"]
    manifest = json.loads((cache / "models" / "hf--org--tiny" / "manifest.json").read_text())
    assert manifest["detail"]["revision"] == COMMIT
    asked = len(seen)
    assert run_python(LOAD.format("hf:org/tiny"), HF_HUB_OFFLINE="1").stdout.split() == ["4", "mit", "en"]
    assert len(seen) == asked


def test_an_encoder_of_a_repository(hub, run_python, leftovers):
    config = json.dumps({"model_type": "llama", "num_hidden_layers": 2}).encode()
    hub[0]["org/llama"] = {"model.safetensors": b"weights", "config.json": config}
    done = run_python(LOAD.format("hf:org/llama"), check=False)
    assert "a model of type 'llama', which wordstock does not run" in done.stderr.splitlines()[-1]
    assert not [path for path in hub[1] if "model.safetensors" in path]  # no weights for nothing
    assert leftovers() == []
    config = config.replace(b"llama", b"bert")
    hub[0]["org/bert"] = {"model.safetensors": b"weights", "config.json": config, "1_Pooling/config.json": b"{}"}
    done = run_python("import wordstock.hub as h; print(h.fetch('hf:org/bert'))")
    assert leftovers() == [
        "hf--org--bert",
        "hf--org--bert/1_Pooling",
        "hf--org--bert/1_Pooling/config.json",
        "hf--org--bert/config.json",
        "hf--org--bert/manifest.json",
        "hf--org--bert/model.safetensors",
    ]


@pytest.mark.parametrize(
    ("name", "environment", "said"),
    [
        ("hf:org/none", {}, "UnknownModelError: the Hugging Face hub has no model 'org/none'"),
        ("hf:org/pickled", {}, "has no .safetensors file (it holds pytorch_model.bin)"),
        ("hf:org/none", {"HF_HUB_OFFLINE": "1"}, "OfflineError: hf:org/none is not in the cache and HF_HUB_OFFLINE"),
        ("hf:org/none", {"HF_ENDPOINT": "http://127.0.0.1:9"}, "check the network"),
        ("hf:org/none", {"WORDSTOCK_OFFLINE": "1"}, "WORDSTOCK_OFFLINE is set"),
    ],
)
def test_what_cannot_be_had(hub, run_python, leftovers, name, environment, said):
    hub[0]["org/pickled"] = {"pytorch_model.bin": b"pickled"}
    done = run_python(LOAD.format(name), check=False, **environment)
    assert said in done.stderr.splitlines()[-1]
    assert leftovers() == []


def test_huggingface_hub_missing(hub, run_python, leftovers):
    script = "import sys; sys.modules['huggingface_hub'] = None\n" + LOAD.format("hf:org/tiny")
    done = run_python(script, check=False)
    assert "MissingExtraError" in done.stderr
    assert "pip install 'wordstock[hub]'" in done.stderr
    assert leftovers() == []


@pytest.mark.parametrize("name", ["../../escaped.safetensors", "/tmp/escaped.safetensors", "a\\..\\b.json"])
def test_a_listing_that_points_outside_is_refused(hub, run_python, leftovers, name):
    hub[0]["org/evil"] = {"model.safetensors": b"x", name: b"x"}
    done = run_python(LOAD.format("hf:org/evil"), check=False)
    assert "would be written outside of its folder; refused" in done.stderr.splitlines()[-1]
    assert all(path.startswith("/api/") for path in hub[1])
    assert leftovers() == []


def test_the_silent_bar_is_the_clients_own(capfd):
    bar = _silent()(total=5, name="x", desc="shown")
    bar.update(5)
    bar.close()
    assert isinstance(bar, huggingface_hub.utils.tqdm)
    assert capfd.readouterr() == ("", "")
