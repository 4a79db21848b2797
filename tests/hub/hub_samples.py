"""Small things that several tests of the hub are made of."""

from __future__ import annotations

import hashlib
import io
import zipfile
from typing import Any

import numpy as np
import polars

KEYS = ["the", "cat", "sat", "mat"]
VECTORS = np.arange(12, dtype=np.float32).reshape(4, 3) + 1


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def zipped(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def npy(vectors: Any = VECTORS) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.asfortranarray(vectors))
    return buffer.getvalue()


def parquet(keys: list[str] = KEYS) -> bytes:
    buffer = io.BytesIO()
    polars.DataFrame({"key": keys}).write_parquet(buffer)
    return buffer.getvalue()
