"""Every error wordstock raises on purpose.

WordstockError
├── InputError (ValueError)            what the caller passed cannot be used
│   ├── UnknownWordError (KeyError)    a key that the table does not hold
│   └── LabelError                     labels that cannot be learned from or were never seen
├── FormatError (ValueError)           a file that is damaged or is not what it claims to be
├── ModelError                         a named model that cannot be had
│   ├── UnknownModelError              no such name in the registry, no such file
│   ├── DownloadError                  the source did not deliver, or delivered something else
│   └── OfflineError                   it would need the network, and the network is switched off
├── FingerprintError                   an artefact made with other vectors than the ones given
├── StoreError                         a vector store that is in use, damaged, or refused what it was asked
│   └── StoreUnavailableError          a server that cannot be reached, or that turned the token down
├── StorageError (OSError)             disk full, read-only folder, no permission
└── MissingExtraError (ImportError)    an optional library is not installed
"""

from __future__ import annotations

from pathlib import Path

__all__ = [
    "DownloadError",
    "FingerprintError",
    "FormatError",
    "InputError",
    "LabelError",
    "MissingExtraError",
    "ModelError",
    "OfflineError",
    "StorageError",
    "StoreError",
    "StoreUnavailableError",
    "UnknownModelError",
    "UnknownWordError",
    "WordstockError",
]


class WordstockError(Exception):
    """Base of every error that wordstock raises on purpose."""


class InputError(WordstockError, ValueError):
    """An argument or an input record that cannot be used as given."""


class UnknownWordError(InputError, KeyError):
    """A key that the table does not hold, with near matches where there are any."""

    def __init__(self, key: str, near: list[str] | None = None, hint: str = "") -> None:
        self.key = key
        self.near = near or []
        message = f"{key!r} is not in the vocabulary"
        if self.near:
            message += f"; near matches: {', '.join(self.near)}"
        if hint:
            message += f" ({hint})"
        super().__init__(message)

    def __str__(self) -> str:
        return str(self.args[0])  # KeyError would show the repr


class LabelError(InputError):
    """Labels that cannot be learned from, or that were never seen in training.

    Parameters
    ----------
    at : of a label that was never seen, the number of its text, or those of its sentence and word, from 0.
    """

    def __init__(self, message: str = "", *, at: tuple[int, ...] = ()) -> None:
        super().__init__(message)
        self.at = at


class FormatError(WordstockError, ValueError):
    """A damaged file, or a file that is not what it claims to be.

    Parameters
    ----------
    path : the file.
    offset : byte offset at which the trouble starts, counted in the uncompressed stream; None if unknown.
    expected, found : what should have stood there, and what stood there.
    remedy : what the user can do about it.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        expected: str,
        found: str,
        offset: int | None = None,
        line: int | None = None,
        remedy: str = "",
    ) -> None:
        self.path, self.offset, self.line = str(path), offset, line
        self.expected, self.found = expected, found
        where = str(path)
        if line is not None:
            where += f", line {line}"
        if offset is not None:
            where += f", byte {offset}"
        message = f"{where}: expected {expected}, found {found}"
        if remedy:
            message += f"; {remedy}"
        super().__init__(message.encode("utf-8", "backslashreplace").decode())  # a path may hold bytes of no character


class ModelError(WordstockError):
    """A named model that cannot be had."""


class UnknownModelError(ModelError, LookupError):
    """No such name in the registry and no such file."""


class DownloadError(ModelError):
    """The source did not deliver, or delivered something else than was promised."""


class OfflineError(ModelError):
    """It would need the network, and the network is switched off."""


class FingerprintError(WordstockError):
    """An artefact made with other vectors than the ones given."""


class StoreError(WordstockError):
    """A vector store that is in use, damaged, or that refused what it was asked.

    ``rows``, if not None, are the first and the last number of rows that were refused; the message begins with them.
    """

    def __init__(self, message: str = "", *, rows: tuple[int, int] | None = None) -> None:
        super().__init__(message)
        self.message, self.rows = message, rows

    def __str__(self) -> str:
        return self.message if self.rows is None else "rows {:,} to {:,} {}".format(*self.rows, self.message)


class StoreUnavailableError(StoreError):
    """A server that cannot be reached, or that turned the token down."""


class StorageError(WordstockError, OSError):
    """Disk full, read-only folder, no permission."""


class MissingExtraError(WordstockError, ImportError):
    """An optional library is not installed."""
