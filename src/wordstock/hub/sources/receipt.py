"""What a source says it delivered, and the check against what the registry promises."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from wordstock.errors import DownloadError

__all__ = ["Receipt", "check_hash"]


@dataclass(frozen=True)
class Receipt:
    """What was delivered: SHA-256 of the download ("" for several files), and what else the source said of it."""

    sha256: str
    detail: dict[str, str] = field(default_factory=dict)


def check_hash(path: Path, expected: str, what: str) -> str:
    """SHA-256 of a file, compared with the one on record, if there is one.

    Raises
    ------
    DownloadError
        The file is another one than promised.
    """
    with path.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if expected and found != expected:
        raise DownloadError(
            f"{what} is not the file on record: expected SHA-256 {expected}, found {found} "
            f"({path.stat().st_size:,} bytes); nothing of it was opened or kept. Try again; if it persists, the source "
            "has changed or something on the way alters downloads"
        )
    return found
