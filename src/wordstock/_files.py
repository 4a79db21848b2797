"""Files opened as such, and written whole or not at all; what the disk complains of becomes one clear error."""

from __future__ import annotations

import errno
import glob
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path
from typing import BinaryIO

from wordstock._paths import user_path
from wordstock.errors import FormatError, StorageError

__all__ = ["atomic_write", "open_regular", "reserve", "storage_errors"]

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


def open_regular(path: Path) -> FileIO:
    """Open a file of vectors for reading, unbuffered; a pipe, which has no size and no way back, is not waited for.

    Raises
    ------
    FormatError
        A folder, a pipe or a device.
    FileNotFoundError
        No such file.
    """
    kind = path.stat().st_mode
    if stat.S_ISDIR(kind):
        raise FormatError(path, expected="a file of vectors", found="a folder", remedy="give a file inside it")
    if not stat.S_ISREG(kind):
        remedy = "write it to a file first"
        raise FormatError(path, expected="a regular file", found="a pipe or device", remedy=remedy)
    return path.open("rb", buffering=0)


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


def reserve(path: Path) -> None:
    """Take a mapped file's space on the disk now: a full disk is an OSError here, but would kill the process later."""
    if hasattr(os, "posix_fallocate"):
        with path.open("r+b") as stream:
            os.posix_fallocate(stream.fileno(), 0, path.stat().st_size)


@contextmanager
def atomic_write(path: Path | str, *, durable: bool = True) -> Iterator[BinaryIO]:
    """Open a temporary file beside ``path``; on success flush it to disk and move it into place.

    A link stays one: what it leads to is written. On any failure, Ctrl-C included, the temporary file is removed and
    ``path`` keeps what it held. After a kill -9 a ``.NAME.*.part`` file may stay behind; ``path`` itself is untouched,
    and the next write of the same name clears leftovers whose writer is gone, which their lock tells.

    Parameters
    ----------
    durable : wait until the bytes are on the disk. Without, a file that is lost when the power fails has to be noticed
        by other means.

    Raises
    ------
    StorageError
        The file cannot be written, or it is a folder, a pipe or a device.
    """
    path = user_path(path)
    with storage_errors(path):
        _check_kind(path)
        path = Path(os.path.realpath(path))
        path.parent.mkdir(parents=True, exist_ok=True)
        _clear_leftovers(path)
        part = path.parent / f".{path.name}.{secrets.token_hex(6)}.part"
        try:
            handle = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
            with os.fdopen(handle, "wb") as stream:
                _lock(handle)
                yield stream
                stream.flush()
                if durable:
                    os.fsync(handle)
            part.replace(path)
        except BaseException:
            with suppress(OSError):
                part.unlink()
            raise


def _check_kind(path: Path) -> None:
    """Refuse what is no file, now rather than after the work; a device would even be replaced by one."""
    try:
        kind = path.stat().st_mode
    except OSError:
        return
    if stat.S_ISDIR(kind):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(kind):
        raise StorageError(errno.EINVAL, f"cannot write {path}: it is a pipe or device: give a file name")


def _clear_leftovers(path: Path) -> None:
    for part in path.parent.glob(f".{glob.escape(path.name)}.*.part"):
        with suppress(OSError), part.open("rb+") as stream:
            if _lock(stream.fileno()):
                part.unlink()


def _lock(handle: int) -> bool:
    """Take the file's lock if it is free; False if it is held, or if this system or file system has none."""
    try:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (ImportError, OSError):
        return False
    return True
