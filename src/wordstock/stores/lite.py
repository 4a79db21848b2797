"""Milvus Lite runs inside the process that opens its folder; this counts who uses it and says who else has it open."""

from __future__ import annotations

import threading
from importlib.metadata import version
from pathlib import Path
from typing import Any

from wordstock._files import storage_errors
from wordstock._optional import require
from wordstock.errors import StoreError
from wordstock.stores.locking import holder

__all__ = ["acquire", "release"]

_guard = threading.Lock()
_SQLITE = b"SQLite format 3\0"
_users: dict[str, int] = {}


def acquire(path: str) -> None:
    """Before a client opens this path: make its parent folder, and refuse it while another process has it open.

    Raises
    ------
    StoreError
        Another process has it open, with its number where the system tells it; or a file stands there.
    StorageError
        The folder cannot be made.
    MissingExtraError
        Milvus Lite is not installed.
    """
    require("milvus_lite", extra="stores", purpose="a store in a .db folder")
    place = Path(path)
    if place.is_file() and not version("milvus_lite").startswith("2."):
        old = place.open("rb").read(len(_SQLITE)) == _SQLITE
        found = "a store of Milvus Lite 2, which milvus-lite<3 can open and export" if old else "no store"
        raise StoreError(f"{place} is a file, {found}; Milvus Lite keeps a store in a folder: give another path")
    with storage_errors(place):
        place.parent.mkdir(parents=True, exist_ok=True)
    with _guard:
        if not _users.get(path):
            _refuse_if_held(place)
        _users[path] = _users.get(path, 0) + 1


def release(path: str) -> None:
    """After a client was closed; the last one stops the embedded server, which gives the folder free."""
    with _guard:
        _users[path] = _users.get(path, 1) - 1
        if _users[path] > 0:
            return
        del _users[path]
        manager: Any = require("milvus_lite.server_manager", extra="stores", purpose="a store in a .db folder")
        manager.server_manager_instance.release_server(path)


def _refuse_if_held(place: Path) -> None:
    lock = place / "LOCK"
    if not lock.is_file():
        return
    try:
        import fcntl
    except ImportError:
        return
    with lock.open("rb+") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise StoreError(
                f"{place} is open in another process{holder(lock)}; close it there, or serve several processes from a "
                "Milvus server (http://...)"
            ) from None
