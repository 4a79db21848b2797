"""Whether a row has changed since it was stored: one digest of its text, one of its metadata."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

__all__ = ["digest_of", "id_of", "same_text"]

_TEXT = 32  # hexadecimal digits of the text's part
_JSON = json.JSONEncoder(sort_keys=True)


def digest_of(text: str, metadata: Mapping[str, Any]) -> str:
    """32 hexadecimal digits for the text and 16 for the metadata, which passed ``check_columns``."""
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
    if not metadata:
        return digest
    written = _JSON.encode(metadata).encode()
    return digest + hashlib.blake2b(written, digest_size=8).hexdigest()


def same_text(one: str, other: str) -> bool:
    """Whether two digests are of the same text."""
    return len(one) >= _TEXT and one[:_TEXT] == other[:_TEXT]


def id_of(text: str) -> str:
    """The id of a text that was given none: equal texts are one row."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16, person=b"wordstock-id").hexdigest()
