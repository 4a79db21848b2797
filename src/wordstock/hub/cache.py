"""The model cache: a folder per model, there whole or not at all.

Layout: ``models/NAME/`` holds the files and, written last, ``manifest.json``; a folder without it is no model. A fetch
holds ``locks/NAME.lock``, works in ``models/.NAME.part/`` and moves the result into place by one rename. A working
folder that a killed process left is taken over by the next fetch of the same name: an unfinished download in it is
resumed if the server vouches that the file is the same, the rest is removed. Reading takes no lock and writes nothing.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from wordstock._cache import cache_folder
from wordstock._files import storage_errors
from wordstock.errors import StorageError
from wordstock.hub.entry import Entry, Kind, PathSource

__all__ = [
    "TABLE",
    "Manifest",
    "cache_errors",
    "cache_folder",
    "discard",
    "install",
    "listed",
    "locked",
    "lookup",
    "working_folder",
]

TABLE = "table.safetensors"  # the native file of a cached table
MANIFEST = "manifest.json"
_KEPT = ("download.part", "download.json")  # what a resumed download needs

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Manifest:
    """What one cached model is and where it came from; ``files`` gives bytes by path."""

    name: str
    kind: Kind
    source: str
    sha256: str
    fetched: str
    wordstock: str
    files: dict[str, int]
    detail: dict[str, str] = field(default_factory=dict)
    folder: Path = field(default=Path(), compare=False)

    @property
    def path(self) -> Path:
        """The native file of a table, the folder of another model."""
        return self.folder / TABLE if self.kind == "table" else self.folder

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return sum(self.files.values())


def lookup(entry: Entry) -> Manifest | None:
    """The manifest of a model that is in the cache and was made from what the registry names, else None."""
    manifest = _read(cache_folder() / "models" / entry.folder)
    if manifest is None or manifest.name != entry.name:
        return None
    same = manifest.sha256 == entry.sha256 if entry.sha256 else manifest.source == str(entry.source)
    return manifest if same else None


def listed() -> list[Manifest]:
    """Every model in the cache, by name."""
    try:
        folders = sorted((cache_folder() / "models").iterdir())
    except OSError:
        return []
    found = (_read(folder) for folder in folders if not folder.name.startswith("."))
    return [manifest for manifest in found if manifest is not None]


def _read(folder: Path) -> Manifest | None:
    try:
        values: dict[str, Any] = json.loads((folder / MANIFEST).read_bytes())
        values.pop("version")
        manifest = Manifest(**values, folder=folder)
        named = Entry(manifest.name, PathSource(manifest.source), manifest.kind).folder == folder.name
        there = all((folder / name).is_file() and size >= 0 for name, size in manifest.files.items())
        told = all(isinstance(one, str) for one in (manifest.sha256, manifest.fetched, *manifest.detail.values()))
    except (OSError, ValueError, TypeError, KeyError, AttributeError):  # an InputError is a ValueError
        return None
    return manifest if named and there and told else None


@contextmanager
def cache_errors() -> Iterator[None]:
    """Turn the disk's complaints into a StorageError that says where the cache can be moved.

    Raises
    ------
    StorageError
        Disk full, read-only folder, no permission, no file locks.
    """
    folder = cache_folder()
    remedy = "WORDSTOCK_CACHE can point the model cache to another folder"
    try:
        with storage_errors(folder):
            yield
    except StorageError as error:
        said = error.strerror or str(error)
        if remedy in said:
            raise
        raise StorageError(error.errno or 0, f"{said}; {remedy}") from error
    except NotImplementedError as error:
        raise StorageError(0, f"{folder} is on a file system without file locks; {remedy}") from error


@contextmanager
def locked(entry: Entry) -> Iterator[None]:
    """Hold the model's lock against other processes and threads; waits for it.

    Raises
    ------
    StorageError
        The cache folder cannot be written.
    """
    import filelock

    with cache_errors():
        folder = cache_folder() / "locks"
        folder.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(folder / f"{entry.folder}.lock")
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout:
            _log.warning("%s is being fetched by another process; waiting for it", entry.name)
            lock.acquire()
    try:
        yield
    finally:
        lock.release()


@contextmanager
def working_folder(entry: Entry) -> Iterator[Path]:
    """A folder to build the model in, empty but for a download to resume; call with the lock held.

    Any error removes it. Ctrl-C keeps it, so that the download can be resumed.
    """
    folder = cache_folder() / "models" / f".{entry.folder}.part"
    with cache_errors():
        folder.mkdir(parents=True, exist_ok=True)
        for path in folder.iterdir():
            if path.name not in _KEPT:
                _delete(path)
        try:
            yield folder
        except Exception:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        _delete(folder)


def install(manifest: Manifest, built: Path, work: Path) -> Manifest:
    """Write the manifest into ``built`` and move that folder into place, over whatever stood there."""
    values = asdict(manifest)
    values.pop("folder")
    with (built / MANIFEST).open("w", encoding="utf-8") as stream:
        json.dump({"version": 1, **values}, stream, indent=1, ensure_ascii=False)
        stream.flush()
        os.fsync(stream.fileno())
    _sync(built)
    place = manifest.folder
    if place.exists():
        place.rename(work / "replaced")
    built.rename(place)
    _sync(place.parent)
    return manifest


def discard(entry: Entry) -> bool:
    """Delete a model and what an unfinished fetch left of it; whether there was anything. Call with the lock held."""
    models = cache_folder() / "models"
    place, part = models / entry.folder, models / f".{entry.folder}.part"
    found = place.exists() or part.exists()
    with cache_errors():
        if place.exists():
            part.mkdir(exist_ok=True)
            place.rename(Path(tempfile.mkdtemp(dir=part)) / "removed")  # one step: no half of it is ever seen
        if part.exists():
            _delete(part)
    return found


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def _sync(folder: Path) -> None:
    with suppress(OSError):  # some file systems do not sync folders
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
