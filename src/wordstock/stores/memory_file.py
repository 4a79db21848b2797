"""A saved in-memory store: one .safetensors file, without pickle.

Tensors: ``vectors`` float32 or float16 (n, dim) · ``ids``, ``texts``, ``metadata`` (one JSON object a row) and
``digests``, each uint8, UTF-8 · their ``NAME.offsets`` int64 (n + 1,). ``__metadata__["store"]`` holds JSON:
``version``, ``wordstock`` (the version that wrote it), ``metric``, ``details``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, NoReturn, get_args

import numpy as np
import numpy.typing as npt
import safetensors.numpy
from safetensors import SafetensorError

from wordstock._files import atomic_write
from wordstock._version import __version__
from wordstock.errors import FormatError
from wordstock.stores.checking import Metric

__all__ = ["Saved", "read_store", "write_store"]

VERSION = 1
_COLUMNS = ("ids", "texts", "metadata", "digests")


class Saved(NamedTuple):
    """What a file holds."""

    vectors: npt.NDArray[Any]
    ids: list[str]
    texts: list[str]
    metadata: Sequence[Mapping[str, Any]]
    digests: list[str]
    metric: Metric
    details: dict[str, Any]


def write_store(path: Path | str, saved: Saved) -> None:
    """Write the file, atomically.

    Raises
    ------
    StorageError
        The file cannot be written.
    """
    tensors: dict[str, npt.NDArray[Any]] = {"vectors": np.ascontiguousarray(saved.vectors)}
    written = [json.dumps(dict(one), ensure_ascii=False) if one else "" for one in saved.metadata]
    for name, values in zip(_COLUMNS, (saved.ids, saved.texts, written, saved.digests), strict=True):
        encoded = [value.encode() for value in values]
        tensors[name] = np.frombuffer(b"".join(encoded), np.uint8)
        tensors[f"{name}.offsets"] = np.cumsum([0, *map(len, encoded)], dtype=np.int64)
    meta = {"version": VERSION, "wordstock": __version__, "metric": saved.metric, "details": saved.details}
    with atomic_write(path) as stream:
        stream.write(safetensors.numpy.save(tensors, metadata={"store": json.dumps(meta)}))


def read_store(path: Path) -> Saved:
    """Read and verify the file.

    Raises
    ------
    FormatError
        No saved store, a newer version, or damage.
    """
    if path.is_dir():
        _refuse(path, "a folder")
    data = path.read_bytes()
    try:
        tensors = safetensors.numpy.load(data)
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])["__metadata__"]
        meta = json.loads(header["store"])
        version = meta["version"]
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        _refuse(path, f"something else ({error!r:.120})", error)
    if type(version) is int and version > VERSION:
        raise FormatError(
            path, expected=f"version {VERSION} or older", found=f"version {version}", remedy="upgrade wordstock"
        )
    try:
        return _build(meta, tensors)
    except (LookupError, TypeError, ValueError) as error:
        _refuse(path, f"damage ({error!r:.120})", error)


def _build(meta: dict[str, Any], tensors: dict[str, npt.NDArray[Any]]) -> Saved:
    vectors = tensors["vectors"]
    if vectors.ndim != 2 or vectors.dtype.name not in ("float32", "float16") or not np.isfinite(vectors).all():
        raise ValueError(f"vectors of {vectors.dtype.name} {vectors.shape}, or not all finite")
    ids, texts, written, digests = (_column(tensors, name, len(vectors)) for name in _COLUMNS)
    metadata: list[dict[str, Any]] = [json.loads(one) if one else {} for one in written]
    if len(set(ids)) < len(ids) or not all(isinstance(one, dict) for one in metadata):
        raise ValueError("an id that is there twice, or metadata that is no object")
    if meta["metric"] not in get_args(Metric) or not isinstance(meta["details"], dict):
        raise ValueError(f"metric {meta['metric']!r}")
    return Saved(vectors, ids, texts, metadata, digests, meta["metric"], meta["details"])


def _column(tensors: dict[str, npt.NDArray[Any]], name: str, rows: int) -> list[str]:
    offsets, blob = tensors[f"{name}.offsets"], tensors[name].tobytes()
    if offsets.shape != (rows + 1,) or offsets[0] != 0 or offsets[-1] != len(blob) or (np.diff(offsets) < 0).any():
        raise ValueError(f"offsets of {name} do not fit {rows} rows")
    cuts = offsets.tolist()
    return [blob[cuts[i] : cuts[i + 1]].decode() for i in range(rows)]


def _refuse(path: Path, found: str, cause: Exception | None = None) -> NoReturn:
    raise FormatError(path, expected="a saved store", found=found, remedy="index the texts again") from cause
