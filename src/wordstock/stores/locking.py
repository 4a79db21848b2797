"""One writer of a file at a time: the lock beside a saved store, and who holds a lock."""

from __future__ import annotations

import os
from pathlib import Path

from wordstock._files import storage_errors
from wordstock.errors import StorageError, StoreError

__all__ = ["FileClaim", "holder"]


class FileClaim:
    """The right to write a file, held until it is given up or forgotten; whoever reads needs none.

    Parameters
    ----------
    path : of the file as it is now, which is about to be read.
    """

    def __init__(self, path: Path) -> None:
        import filelock

        self.path = path
        self._state = _state(path)
        self._place = path.with_name(f".{path.name}.lock")
        self._lock = filelock.FileLock(self._place, thread_local=False)

    def take(self) -> None:
        """Claim the file; nothing where that is done.

        Raises
        ------
        StoreError
            Another has claimed it, or has written it since it was read.
        StorageError
            The folder cannot be written, or is on a file system without locks.
        """
        import filelock

        if self._lock.is_locked:
            return
        with storage_errors(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            try:
                self._lock.acquire(timeout=0)
            except filelock.Timeout:
                who = holder(self._place)
                where = "twice in this process" if who.startswith(f" ({os.getpid()}:") else f"in another process{who}"
                raise StoreError(
                    f"{self.path} is open for writing {where}; close it there, or serve several writers from a Milvus "
                    "server (http://...)"
                ) from None
            except NotImplementedError:
                raise StorageError(
                    0, f"{self.path} is on a file system without file locks; keep the store in another folder"
                ) from None
        if self._state != _state(self.path):
            self._lock.release()
            raise StoreError(f"{self.path} was written by another since it was opened here; open it again")

    def give_up(self) -> None:
        """Let others write the file."""
        self._lock.release(force=True)


def _state(path: Path) -> tuple[int, ...]:
    try:
        status = path.stat()
    except OSError:
        return ()
    return status.st_ino, status.st_mtime_ns, status.st_size


def holder(lock: Path) -> str:
    """Number and command of the process that holds a lock, as far as Linux tells them: " (NUMBER: COMMAND)", or ""."""
    try:
        status = lock.stat()
        mark = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
        for line in Path("/proc/locks").read_text().splitlines():
            fields = line.split()
            if len(fields) > 5 and fields[1] == "FLOCK" and fields[5] == mark:
                words = Path(f"/proc/{fields[4]}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                return f" ({fields[4]}: {' '.join(words.split())[:60]})"
    except OSError:
        pass
    return ""
