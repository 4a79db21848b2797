"""A .safetensors file written tensor by tensor, and mapped: its sizes are checked before anything of it is used.

Layout (safetensors 0.x): u64 header length, JSON header, then the tensors without gaps. Each tensor starts on a
64-byte boundary here; ``pad.N`` tensors (uint8) fill the gaps.
"""

from __future__ import annotations

import json
import math
import mmap
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from wordstock._files import atomic_write, open_regular
from wordstock.errors import FormatError

__all__ = ["TensorFile", "is_safetensors", "open_tensors", "write_tensors"]

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
_HEADER_LIMIT = 100_000_000  # bytes, as in safetensors itself
_SIZE_LIMIT = 1 << 62
_CHUNK = 1 << 24  # bytes written at once
# A private map is not charged as memory before it is written to, so that it may be larger than the machine has. The
# number is Linux's, for versions of Python that have no name for it.
_NORESERVE = getattr(mmap, "MAP_NORESERVE", 0x4000 if sys.platform == "linux" else 0)


class TensorFile(NamedTuple):
    """A mapped file.

    Parameters
    ----------
    metadata : whatever stands there under that name, perhaps no mapping.
    header : what it says of each tensor.
    base : where the tensors begin.
    """

    path: Path
    metadata: Any
    header: dict[str, Any]
    buffer: mmap.mmap
    base: int

    def tensor(self, name: str) -> npt.NDArray[Any]:
        """A view of the file.

        Raises
        ------
        FormatError
            A tensor that does not fit into the file.
        """
        path, entry, buffer, base = self.path, self.header[name], self.buffer, self.base
        try:
            dtype = _DTYPES[entry["dtype"]]
            shape, (start, stop) = entry["shape"], entry["data_offsets"]
            if len(shape) > 2 or not all(type(n) is int and 0 <= n < _SIZE_LIMIT for n in (*shape, start, stop)):
                raise ValueError("a size out of range")
        except (KeyError, TypeError, ValueError) as error:
            raise FormatError(
                path, expected=f"dtype, shape and offsets of {name!r}", found=f"{entry!r:.120}"
            ) from error
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


def write_tensors(path: Path | str, tensors: dict[str, npt.NDArray[Any]], metadata: dict[str, str]) -> None:
    """Write one file, atomically.

    Raises
    ------
    StorageError
        The file cannot be written; nothing is left behind.
    """
    layout, arrays = _layout(tensors)
    encoded = json.dumps({"__metadata__": metadata} | layout, ensure_ascii=False, separators=(",", ":")).encode()
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


def is_safetensors(start: bytes) -> bool:
    """Whether these first bytes of a file (64 or more) look like the header of such a file."""
    return len(start) > 10 and start[8:9] == b"{" and 2 <= int.from_bytes(start[:8], "little") <= _HEADER_LIMIT


def open_tensors(path: Path, *, private: bool = False) -> TensorFile:
    """Map a file.

    Parameters
    ----------
    private : its tensors are writable, and pages become this process's own when written to.

    Raises
    ------
    FileNotFoundError
        No such file.
    FormatError
        Another file, or a damaged one.
    """
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
    metadata = header.pop("__metadata__", {})
    return TensorFile(path, metadata, header, buffer, 8 + length)
