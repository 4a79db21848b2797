"""The native file: one memory-mapped .safetensors without pickle, opened in milliseconds whatever its size.

Layout (safetensors 0.x): u64 header length, JSON header, then the tensors without gaps. Each tensor starts on a
64-byte boundary; ``pad.N`` tensors (uint8) fill the gaps. Tensors, * = optional:

``vectors`` float32, float16 or int8 (rows, dim) · ``scales``* float32 (rows,), int8 only · ``norms`` float32 (rows,) ·
``keys`` uint8, UTF-8 bytes · ``offsets`` int64 (n + 1,) · ``slots`` int32 (2**k,), hash index (see
``vocab.vocabulary``) · ``rows``* int32 (n,) · ``counts``* int64 (n,) · ``frequencies``* float32 (n,), shares of the
corpus where counts do not give them · ``common``* float32 (k, dim), components that ``encode`` removes · ``subword``*
float32 (buckets, dim), one row per n-gram bucket, or (n, dim) with ``subword_buckets``* int32 (n,), ascending, the only
buckets that have one · ``output``* float32 (rows, dim), so that training can go on.

``__metadata__["wordstock"]`` holds JSON: ``version``, ``card``, ``encode`` (settings), ``digest``, ``subwords``.
"""

from __future__ import annotations

import json
import math
import mmap
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from wordstock._files import atomic_write, open_regular
from wordstock.embeddings.card import Card
from wordstock.embeddings.config import EncodeConfig
from wordstock.embeddings.storage import Precision, Storage
from wordstock.errors import FormatError, InputError, WordstockError
from wordstock.vocab import Subwords, Vocabulary

if TYPE_CHECKING:
    from wordstock.embeddings.table import Embeddings

__all__ = ["is_native", "map_arrays", "read_native", "write_native"]

VERSION = 1
_ALIGN = 64
_DTYPES: dict[str, np.dtype[Any]] = {
    "F32": np.dtype("<f4"),
    "F16": np.dtype("<f2"),
    "I8": np.dtype("i1"),
    "U8": np.dtype("u1"),
    "I32": np.dtype("<i4"),
    "I64": np.dtype("<i8"),
}
_NAMES = {dtype: name for name, dtype in _DTYPES.items()}
_REQUIRED = ("vectors", "norms", "keys", "offsets", "slots")
_HEADER_LIMIT = 100_000_000  # bytes, as in safetensors itself
_SIZE_LIMIT = 1 << 62
_CHUNK = 1 << 24  # bytes written at once
# A private map is not charged as memory before it is written to, so that it may be larger than the machine has. The
# number is Linux's, for versions of Python that have no name for it.
_NORESERVE = getattr(mmap, "MAP_NORESERVE", 0x4000 if sys.platform == "linux" else 0)


def write_native(table: Embeddings, path: Path | str, *, precision: Precision | None = None) -> None:
    """Write the table as one native file, atomically.

    Parameters
    ----------
    precision : store as "float32", "float16" or "int8"; None keeps what the table has.

    Raises
    ------
    StorageError
        The file cannot be written; nothing is left behind.
    InputError
        Values that the precision cannot hold.
    """
    if precision is not None:
        table = table.with_precision(precision)
    vocabulary = table.vocabulary
    candidates: dict[str, npt.NDArray[Any] | None] = {
        "vectors": table.storage.data,
        "norms": table.norms,
        "offsets": vocabulary.offsets,
        "slots": vocabulary.slots,
        "keys": vocabulary.blob,
        "scales": table.storage.scales,
        "rows": vocabulary.rows,
        "counts": vocabulary.counts,
        "common": table.common,
        "subword": table.subword_vectors,
        "subword_buckets": None if table.subwords is None else table.subwords.stored,
        "output": table.output,
        "frequencies": table.given_frequencies,
    }
    tensors = {name: array for name, array in candidates.items() if array is not None}
    meta: dict[str, Any] = {
        "version": VERSION,
        "card": table.card.to_dict(),
        "encode": table.config.to_dict(),
        "digest": table.digest,
    }
    if table.subwords is not None:
        meta["subwords"] = {
            "min_n": table.subwords.min_n,
            "max_n": table.subwords.max_n,
            "buckets": table.subwords.buckets,
        }
    layout, arrays = _layout(tensors)
    header: dict[str, Any] = {"__metadata__": {"format": "np", "wordstock": json.dumps(meta, ensure_ascii=False)}}
    header.update(layout)
    encoded = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    encoded += b" " * (-(8 + len(encoded)) % _ALIGN)
    with atomic_write(path) as stream:
        stream.write(len(encoded).to_bytes(8, "little"))
        stream.write(encoded)
        for array in arrays:
            for chunk in _bytes_of(array):
                stream.write(chunk)


def _layout(tensors: dict[str, npt.NDArray[Any]]) -> tuple[dict[str, Any], list[npt.NDArray[Any]]]:
    layout: dict[str, Any] = {}
    arrays: list[npt.NDArray[Any]] = []
    position = 0

    def place(name: str, array: npt.NDArray[Any]) -> None:
        nonlocal position
        dtype = array.dtype.newbyteorder("<")
        layout[name] = {
            "dtype": _NAMES[dtype],
            "shape": list(array.shape),
            "data_offsets": [position, position + array.nbytes],
        }
        arrays.append(array.astype(dtype, copy=False))
        position += array.nbytes

    for name, array in tensors.items():
        if gap := -position % _ALIGN:
            place(f"pad.{len(arrays)}", np.zeros(gap, np.uint8))
        place(name, array)
    return layout, arrays


def _bytes_of(array: npt.NDArray[Any]) -> Iterator[memoryview]:
    if array.nbytes == 0:
        return
    step = max(1, _CHUNK * len(array) // array.nbytes)
    for start in range(0, len(array), step):
        yield np.ascontiguousarray(array[start : start + step]).data.cast("B")


def is_native(start: bytes) -> bool:
    """Whether these first bytes of a file (64 or more) look like a safetensors header of a table."""
    return len(start) > 10 and start[8:9] == b"{" and 2 <= int.from_bytes(start[:8], "little") <= _HEADER_LIMIT


def read_native(path: Path | str) -> Embeddings:
    """Open a native file by mapping it; vectors and keys are read only when they are used.

    Sizes are checked against the file before anything is mapped. The digest is taken from the header; recompute it
    with ``Embeddings.verify``.

    Raises
    ------
    FileNotFoundError
        No such file.
    FormatError
        Not a native file, or a damaged one.
    """
    from wordstock.embeddings.table import Embeddings

    path = Path(path).absolute()  # a pickled table opens it again, perhaps from another folder
    header, buffer, base = _open(path)
    try:
        meta = json.loads(header.pop("__metadata__", {})["wordstock"])
        card, config = Card.from_dict(meta["card"]), EncodeConfig.from_dict(meta["encode"])
        digest, version = str(meta["digest"]), int(meta["version"])
        subwords = Subwords(**meta["subwords"]) if "subwords" in meta else None
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError, WordstockError) as error:
        raise FormatError(
            path,
            offset=8,
            expected="the metadata of a wordstock table",
            found=f"a safetensors file without it ({error!r:.120})",
            remedy="write it with Embeddings.save",
        ) from error
    if not 1 <= version <= VERSION:
        raise FormatError(
            path, expected=f"version {VERSION} or older", found=f"version {version}", remedy="upgrade wordstock"
        )
    arrays = {name: _view(path, name, entry, buffer, base) for name, entry in header.items()}
    if subwords is not None and "subword_buckets" in arrays:
        subwords = _with_stored(path, subwords, arrays["subword_buckets"])
    _check(path, arrays, subwords)
    vocabulary = Vocabulary(
        arrays["keys"],
        arrays["offsets"],
        slots=arrays["slots"],
        rows=arrays.get("rows"),
        counts=arrays.get("counts"),
    )
    return Embeddings(
        vocabulary,
        Storage(arrays["vectors"], arrays.get("scales")),
        norms=arrays["norms"],
        card=card,
        config=config,
        common=arrays.get("common"),
        subwords=subwords,
        subword_vectors=arrays.get("subword"),
        output=arrays.get("output"),
        frequencies=arrays.get("frequencies"),
        digest=digest,
        path=path,
    )


def map_arrays(path: Path, names: Iterable[str]) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
    """The file's metadata, and those of these tensors that it has, writable: pages become private when written to.

    Raises
    ------
    FormatError
        Not a native file, or a damaged one.
    """
    header, buffer, base = _open(path, private=True)
    meta = header.pop("__metadata__", {})
    return meta, {name: _view(path, name, header[name], buffer, base) for name in names if name in header}


def _open(path: Path, *, private: bool = False) -> tuple[dict[str, Any], mmap.mmap | bytes, int]:
    with open_regular(path) as stream:
        size = path.stat().st_size
        prefix = stream.read(8)
        length = int.from_bytes(prefix, "little")
        if len(prefix) < 8 or length > min(size - 8, _HEADER_LIMIT):
            raise FormatError(
                path,
                offset=0,
                expected=f"a header length of at most {max(0, size - 8)}",
                found=str(length) if len(prefix) == 8 else f"a file of {size} bytes",
                remedy="the file is cut short or not a native file; save or fetch it again",
            )
        try:
            header = json.loads(stream.read(length))
            if not isinstance(header, dict):
                raise ValueError(f"a JSON {type(header).__name__}")
        except (ValueError, RecursionError) as error:
            raise FormatError(
                path, offset=8, expected="a JSON object as header", found=f"something else ({error!s:.80})"
            ) from error
        if private:
            flags, pages = mmap.MAP_PRIVATE | _NORESERVE, mmap.PROT_READ | mmap.PROT_WRITE
            buffer = mmap.mmap(stream.fileno(), 0, flags=flags, prot=pages)
        else:
            buffer = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
    return header, buffer, 8 + length


def _view(path: Path, name: str, entry: Any, buffer: mmap.mmap | bytes, base: int) -> npt.NDArray[Any]:
    try:
        dtype = _DTYPES[entry["dtype"]]
        shape, (start, stop) = entry["shape"], entry["data_offsets"]
        if len(shape) > 2 or not all(type(n) is int and 0 <= n < _SIZE_LIMIT for n in (*shape, start, stop)):
            raise ValueError("a size out of range")
    except (KeyError, TypeError, ValueError) as error:
        raise FormatError(path, expected=f"dtype, shape and offsets of {name!r}", found=f"{entry!r:.120}") from error
    count = math.prod(shape)
    if start > stop or stop - start != count * dtype.itemsize or base + stop > len(buffer):
        raise FormatError(
            path,
            offset=base + max(0, start),
            expected=f"{count * dtype.itemsize} bytes of {name!r}",
            found=f"{max(0, min(base + stop, len(buffer)) - base - start)} of {len(buffer)} bytes in the file",
            remedy="the file is cut short or damaged; save or fetch it again",
        )
    if (base + start) % dtype.itemsize:
        raise FormatError(
            path,
            offset=base + start,
            expected=f"{name!r} on a multiple of {dtype.itemsize} bytes",
            found="a place between",
            remedy="write it with Embeddings.save",
        )
    view: npt.NDArray[Any] = np.frombuffer(buffer, dtype, count, base + start)
    return view.reshape(shape)


def _with_stored(path: Path, subwords: Subwords, stored: npt.NDArray[Any]) -> Subwords:
    expected = f"'subword_buckets' as ascending int32 below {subwords.buckets}"
    if stored.dtype != np.int32 or stored.ndim != 1:
        raise FormatError(path, expected=expected, found=f"{stored.dtype} {list(stored.shape)}", remedy=_REMEDY)
    try:
        return replace(subwords, stored=stored)
    except InputError as error:
        raise FormatError(path, expected=expected, found="another order or range", remedy=_REMEDY) from error


_REMEDY = "the file is damaged; save or fetch it again"
_KINDS = {
    "norms": ("f4", 1),
    "keys": ("u1", 1),
    "offsets": ("i8", 1),
    "slots": ("i4", 1),
    "rows": ("i4", 1),
    "counts": ("i8", 1),
    "scales": ("f4", 1),
    "common": ("f4", 2),
    "subword": ("f4", 2),
    "output": ("f4", 2),
    "frequencies": ("f4", 1),
}


def _check(path: Path, arrays: dict[str, npt.NDArray[Any]], subwords: Subwords | None) -> None:
    """Shapes that must agree, and the bounds that no later code checks again."""

    def need(holds: bool, expected: str, found: object) -> None:
        if not holds:
            raise FormatError(path, expected=expected, found=str(found), remedy=_REMEDY)

    missing = [name for name in _REQUIRED if name not in arrays]
    need(not missing, f"the tensors {', '.join(_REQUIRED)}", f"no {', '.join(missing)}")
    for name, (kind, dimensions) in _KINDS.items():
        if (array := arrays.get(name)) is not None:
            expected = f"{name!r} as {np.dtype(kind)} with {dimensions} dimensions"
            holds = array.dtype == np.dtype(kind) and array.ndim == dimensions
            need(holds, expected, f"{array.dtype} {list(array.shape)}")
    vectors, offsets, slots, rows = arrays["vectors"], arrays["offsets"], arrays["slots"], arrays.get("rows")
    precise = vectors.dtype.name in ("float32", "float16", "int8") and vectors.ndim == 2
    need(precise, "'vectors' as a matrix of float32, float16 or int8", f"{vectors.dtype} {list(vectors.shape)}")
    need((vectors.dtype == np.int8) == ("scales" in arrays), "'scales' with int8 vectors and only there", vectors.dtype)
    size = len(offsets) - 1
    spans = size >= 0 and offsets[0] == 0 and offsets[-1] == len(arrays["keys"])
    need(bool(spans), f"key offsets from 0 to {len(arrays['keys'])}", f"{len(offsets)} offsets of another range")
    indexable = len(slots) > size and len(slots) & (len(slots) - 1) == 0
    need(indexable, f"an index size that is a power of two above {size}", len(slots))
    per_row, per_key = ("norms", "scales", "output"), ("rows", "counts", "frequencies")
    lengths = dict.fromkeys(per_row, len(vectors)) | dict.fromkeys(per_key, size)
    for name, length in lengths.items():
        if name in arrays:
            need(len(arrays[name]) == length, f"{length} entries in {name!r}", len(arrays[name]))
    if rows is None:
        need(size == len(vectors), f"{size} vectors, one per key", len(vectors))
    elif size:
        low, high = int(rows.min()), int(rows.max())
        need(0 <= low <= high < len(vectors), f"rows from 0 to {len(vectors) - 1}", f"{low} to {high}")
    for name in {"common", "subword", "output"} & arrays.keys():
        columns = arrays[name].shape[1]
        need(columns == vectors.shape[1], f"{vectors.shape[1]} columns in {name!r}", columns)
    grams = len(arrays["subword"]) if "subword" in arrays else None
    wanted = subwords.n_rows if subwords is not None else None
    need(grams == wanted, f"{wanted} subword vectors", grams)
