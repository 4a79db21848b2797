"""SHA-256 of the files of a model, remembered: reading all weights would be half of the time that opening them takes.

Layout: ``digests/NAME.json`` in the user's cache folder, NAME being made of the file's path; it holds the digest beside
the file's size, number and times. A change of any of them makes the digest anew, and the time of change cannot be set
by a user, as that of modification can. A file that changed just before it was read is not remembered: another change
within the same tick of the clock would show in none of these.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from contextlib import suppress
from pathlib import Path

from wordstock._cache import cache_folder
from wordstock._files import atomic_write
from wordstock.errors import StorageError

__all__ = ["file_digest"]

_SMALL = 1 << 20  # bytes; hashing fewer costs less than looking up
_SETTLED = 2 * 10**9  # nanoseconds, the coarsest tick of a file system


def file_digest(path: Path) -> bytes:
    """SHA-256 of a file, from memory where nothing about the file has changed since."""
    now = time.time_ns()
    with path.open("rb") as stream:
        status = os.fstat(stream.fileno())
        if status.st_size < _SMALL:
            return hashlib.file_digest(stream, "sha256").digest()
        state = [status.st_size, status.st_ino, status.st_dev, status.st_mtime_ns, status.st_ctime_ns]
        note = _note(path)
        if (known := _read(note, state)) is not None:
            return known
        digest = hashlib.file_digest(stream, "sha256").digest()
    if max(status.st_mtime_ns, status.st_ctime_ns) < now - _SETTLED:
        with suppress(StorageError), atomic_write(note, durable=False) as out:  # read-only caches cost time alone
            out.write(json.dumps({"file": str(path.resolve()), "state": state, "sha256": digest.hex()}).encode())
    return digest


def _note(path: Path) -> Path:
    name = hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:32]
    return cache_folder() / "digests" / f"{name}.json"


def _read(note: Path, state: list[int]) -> bytes | None:
    try:
        kept = json.loads(note.read_bytes())
        return bytes.fromhex(kept["sha256"]) if kept["state"] == state else None
    except (OSError, ValueError, TypeError, KeyError):
        return None
