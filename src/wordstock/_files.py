"""Atomic writes: a file is there whole or not at all, and the disk's complaints become one clear error."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from wordstock.errors import StorageError

__all__ = ["atomic_write", "storage_errors"]

_REMEDY = {
    errno.ENOSPC: "the disk is full: free some space or choose another folder",
    errno.EDQUOT: "the disk quota is used up: free some space or choose another folder",
    errno.EROFS: "the folder is read-only: choose another folder",
    errno.EACCES: "permission denied: choose a folder you may write to",
    errno.EPERM: "permission denied: choose a folder you may write to",
    errno.EEXIST: "a part of the path is a file, not a folder",
    errno.ENOTDIR: "a part of the path is a file, not a folder",
    errno.EISDIR: "the path is a folder: give a file name",
    errno.EFBIG: "the file would be larger than this system or `ulimit -f` allows: choose another folder",
    errno.ENAMETOOLONG: "the file name is too long",
}


@contextmanager
def storage_errors(path: Path | str) -> Iterator[None]:
    """Turn an ``OSError`` from writing ``path`` into a StorageError that says what to do.

    Raises
    ------
    StorageError
        Disk full, read-only folder, no permission, or any other OSError below.
    """
    try:
        yield
    except StorageError:
        raise
    except OSError as error:
        remedy = _REMEDY.get(error.errno or 0, error.strerror or str(error))
        raise StorageError(error.errno or 0, f"cannot write {path}: {remedy}") from error


@contextmanager
def atomic_write(path: Path | str) -> Iterator[BinaryIO]:
    """Open a temporary file beside ``path``; on success flush it to disk and move it into place.

    On any failure, Ctrl-C included, the temporary file is removed and ``path`` keeps what it held. After a
    kill -9 a ``.NAME.*.part`` file may stay behind; ``path`` itself is untouched, and the next write of the same
    name clears leftovers whose writer is gone.

    Raises
    ------
    StorageError
        The file cannot be written.
    """
    path = Path(path)
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        _clear_leftovers(path)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.{os.getpid()}.", suffix=".part", dir=path.parent)
        part = Path(name)
        try:
            with os.fdopen(handle, "wb") as stream:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
            part.chmod(0o666 & ~_umask())
            part.replace(path)
        except BaseException:
            with suppress(OSError):
                part.unlink()
            raise


def _clear_leftovers(path: Path) -> None:
    for part in path.parent.glob(f".{path.name}.*.part"):
        pid = part.name[len(path.name) + 2 :].split(".")[0]
        if pid.isdigit() and not _alive(int(pid)):
            with suppress(OSError):
                part.unlink()


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
