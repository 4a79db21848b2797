"""Rows as a reader delivers them, grown into a table: key encoding, NaN, duplicates, and what to tell the user."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from wordstock._compression import compression_of_name
from wordstock._settings import check_known, check_whole
from wordstock._wording import counted
from wordstock.embeddings import Card, Embeddings, Storage
from wordstock.errors import FormatError
from wordstock.formats.window import Progress, Window
from wordstock.protocols import FloatArray, IntArray
from wordstock.vocab.distinct import distinct_vocabulary

__all__ = [
    "MAX_DIM",
    "EncodingErrors",
    "NonFinite",
    "ReadOptions",
    "TableBuilder",
    "decoded_keys",
    "name_of",
    "repair_notes",
    "repeat_notes",
    "tell_notes",
]

EncodingErrors = Literal["strict", "replace", "latin-1"]
NonFinite = Literal["raise", "drop"]

MAX_DIM = 1 << 20  # components of one vector; a row must fit in a window
_MOVED_ROWS = 16384  # rows moved at once where some are dropped
_MOST_ROWS = 1 << 62  # a header may promise more than an array can count
_GROWTH = 8  # most that one estimate of the rows to come may multiply the table


@dataclass(frozen=True)
class ReadOptions:
    """What the caller of a reader asked for; see ``wordstock.formats.read``."""

    encoding_errors: EncodingErrors = "strict"
    non_finite: NonFinite = "raise"
    limit: int | None = None
    progress: Progress | None = None

    def __post_init__(self) -> None:
        check_known("encoding_errors", self.encoding_errors, get_args(EncodingErrors))
        check_known("non_finite", self.non_finite, get_args(NonFinite))
        check_whole("limit", self.limit, 1, optional=True)


class TableBuilder:
    """Collects blocks of rows; memory is the table plus one block.

    Parameters
    ----------
    window : where the rows come from; its size bounds what is reserved.
    dim : components per row.
    smallest : bytes that a row takes in the file at least.
    promised : rows that the file's header promises; None without header.
    header_lines : lines before the first row of a text file, for error messages; None if rows are not lines.
    """

    def __init__(
        self,
        window: Window,
        dim: int,
        smallest: int,
        promised: int | None,
        options: ReadOptions,
        *,
        header_lines: int | None = None,
    ) -> None:
        self.window, self.dim, self.options = window, dim, options
        self.path = window.path
        self.header_lines = header_lines
        self.size = 0
        self.notes: list[str] = []
        self._smallest = smallest
        bounds = [b for b in (promised, options.limit) if b is not None]
        self.wanted: int | None = min(*bounds, _MOST_ROWS) if bounds else None
        self._vectors = np.empty((0, dim), np.float32)
        self._blobs: list[npt.NDArray[np.uint8]] = []
        self._lengths: list[IntArray] = []
        self._dropped: list[int] = []
        self._repaired = 0
        self._limit = np.float32(np.sqrt(np.finfo(np.float32).max / max(1, dim)))

    @property
    def missing(self) -> int | None:
        """Rows still wanted; None if all that come."""
        return None if self.wanted is None else self.wanted - self.size

    def room(self, count: int) -> FloatArray:
        """A float32 (count, dim) view to write the next rows in, valid until the next call of any method."""
        need = self.size + count
        if need > len(self._vectors):
            shape = (max(need, self._estimate(need)), self.dim)
            if self.size == 0:
                self._vectors = np.empty(shape, np.float32)  # a page costs memory when it is first written
            else:
                self._vectors.resize(shape, refcheck=False)  # grows in place where the system can
        return self._vectors[self.size : need]

    def _estimate(self, need: int) -> int:
        """Rows to reserve, never more than the file can hold."""
        most = need + self.window.file_size // self._smallest
        if self.window.compression is None and self.wanted is not None:
            return min(self.wanted, most)
        share = self.window.share
        rows = int(need / share * 1.02) + 64 if share > 0 else need
        if self.wanted is not None:
            rows = min(rows, self.wanted)
        return min(rows, most if self.window.compression is None else need * _GROWTH)

    def add(self, spans: IntArray) -> None:
        """Take over the rows just written to ``room``, whose keys lie at ``spans`` (int64 (n, 2)) of the window.

        Raises
        ------
        FormatError
            A key that is not UTF-8, or a vector that holds NaN or infinity, unless the options allow them.
        """
        from wordstock.kernels.parse import copy_keys

        count = len(spans)
        lengths = spans[:, 1] - spans[:, 0]
        offsets = np.zeros(count + 1, np.int64)
        np.cumsum(lengths, out=offsets[1:])
        blob = np.empty(int(offsets[-1]), np.uint8)
        copy_keys(self.window.data, spans, offsets, blob)

        def refuse(key: int, position: int, found: str, remedy: str) -> FormatError:
            return self.error(int(spans[key, 0]) + position, key, expected="a key in UTF-8", found=found, remedy=remedy)

        blob, lengths, repaired = decoded_keys(blob, offsets, self.options.encoding_errors, refuse)
        self._repaired += repaired
        self._check_numbers(self._vectors[self.size : self.size + count], spans)
        self._blobs.append(blob)
        self._lengths.append(lengths)
        self.size += count

    def _check_numbers(self, vectors: FloatArray, spans: IntArray) -> None:
        from wordstock.kernels.parse import find_large

        row = -1
        while (row := int(find_large(vectors, row + 1, self._limit))) >= 0:
            with np.errstate(over="ignore"):
                if np.isfinite(vectors[row]).all() and np.isfinite(np.vdot(vectors[row], vectors[row])):
                    continue
            if self.options.non_finite == "raise":
                start, stop = spans[row].tolist()
                key = bytes(self.window.buffer[start : min(stop, start + 60)]).decode(errors="replace")
                raise self.error(
                    start,
                    row,
                    expected=f"finite numbers in the vector of {key!r}",
                    found="NaN, infinity or numbers whose squares overflow float32",
                    remedy='repair the file, or pass non_finite="drop" to leave such rows out'
                    " (`wordstock convert --non-finite`)",
                )
            self._dropped.append(self.size + row)
            vectors[row] = 0

    def error(self, position: int, row: int, *, expected: str, found: str, remedy: str) -> FormatError:
        """A FormatError about the row-th of the rows being added, at a position of the window's buffer."""
        offset = self.window.offset + position - self.window.start
        number = self.size + row + 1
        line = None if self.header_lines is None else self.header_lines + number
        where = f" in row {number:,}" if line is None else ""
        return FormatError(self.path, line=line, offset=offset, expected=expected + where, found=found, remedy=remedy)

    def finish(self) -> Embeddings:
        """The table, with one warning about everything that was left out or repaired."""
        self._vectors.resize((self.size, self.dim), refcheck=False)
        vectors = self._vectors
        blob = np.concatenate([np.empty(0, np.uint8), *self._blobs])
        offsets = np.zeros(self.size + 1, np.int64)
        np.cumsum(np.concatenate([np.empty(0, np.int64), *self._lengths]), out=offsets[1:])
        self._blobs, self._lengths = [], []
        self.notes += repair_notes(self._repaired, self.options.encoding_errors)
        if self._dropped:
            self.notes.append(f"{counted(len(self._dropped), 'row')} with NaN or infinity dropped")
            kept = np.delete(np.arange(self.size), self._dropped)
            vectors = _keep(vectors, kept)
            blob, offsets = _keep_keys(blob, offsets, kept)
        vocabulary, kept_numbers = distinct_vocabulary(blob, offsets)
        if kept_numbers is not None:
            self.notes += repeat_notes(len(offsets) - 1 - len(kept_numbers))
            vectors = _keep(vectors, kept_numbers)
        tell_notes(self.path, self.notes)
        card = Card(name=name_of(self.path), notes=tuple(self.notes))
        return Embeddings(vocabulary, Storage(vectors), card=card)


def tell_notes(path: Path, notes: list[str]) -> None:
    """One warning about everything that was left out or repaired; none if there is nothing."""
    if notes:
        warnings.warn(f"{path}: {'; '.join(notes)}", stacklevel=_depth_of_caller())


def name_of(path: Path) -> str:
    """What the card of a table from this file is named."""
    bare, _ = compression_of_name(path)
    return os.fsencode(bare.stem).decode(errors="replace")  # a card is UTF-8, a file name may be any bytes


def decoded_keys(
    blob: npt.NDArray[np.uint8],
    offsets: IntArray,
    errors: EncodingErrors,
    refuse: Callable[[int, int, str, str], FormatError],
) -> tuple[npt.NDArray[np.uint8], IntArray, int]:
    """(blob, length of each key, how many were repaired) where every key is UTF-8.

    ``refuse`` makes the error for a key's number, the place of its first bad byte, what was found and the remedy.

    Raises
    ------
    FormatError
        A key that is not UTF-8, where ``errors`` is "strict".
    """
    if _is_utf8(blob, offsets):
        return blob, np.diff(offsets), 0
    data, bounds = blob.tobytes(), offsets.tolist()
    keys = []
    repaired = 0
    for i in range(len(bounds) - 1):
        key = data[bounds[i] : bounds[i + 1]]
        try:
            key.decode()
        except UnicodeDecodeError as error:
            if errors == "strict":
                remedy = (
                    'pass encoding_errors="replace", or "latin-1" for what western tools wrote before UTF-8'
                    " (`wordstock convert --encoding-errors`)"
                )
                raise refuse(i, error.start, f"{key[:60]!r}", remedy) from None
            repaired += 1
            coding = ("utf-8", "replace") if errors == "replace" else ("latin-1", "strict")
            key = key.decode(*coding).encode()
        keys.append(key)
    return np.frombuffer(b"".join(keys), np.uint8), np.fromiter(map(len, keys), np.int64, len(keys)), repaired


def repair_notes(repaired: int, errors: EncodingErrors) -> list[str]:
    """What to tell of keys that were repaired."""
    if not repaired:
        return []
    how = {"replace": "with U+FFFD in their place", "latin-1": "as Latin-1"}[errors]
    return [f"{counted(repaired, 'key')} with bytes that are not UTF-8 read {how}"]


def repeat_notes(repeated: int) -> list[str]:
    """What to tell of keys that an earlier one equals."""
    return [f"{counted(repeated, 'repeated key')} dropped; the first of each was kept"] if repeated else []


def _depth_of_caller() -> int:
    """The stack level, counted from the caller of this, of the first frame outside this package."""
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and str(frame.f_globals.get("__name__")).startswith("wordstock."):
        frame, level = frame.f_back, level + 1
    return level


def _is_utf8(blob: npt.NDArray[np.uint8], offsets: IntArray) -> bool:
    """Whether every key is UTF-8 by itself: all together are, and none starts inside a character."""
    data = blob.tobytes()
    if data.isascii():
        return True
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    starts = offsets[:-1][np.diff(offsets) > 0]
    return not ((blob[starts] & 0xC0) == 0x80).any()


def _keep(vectors: FloatArray, kept: IntArray) -> FloatArray:
    """These rows, moved to the front in place, so that no second table is needed."""
    for start in range(0, len(kept), _MOVED_ROWS):
        rows = kept[start : start + _MOVED_ROWS]
        vectors[start : start + len(rows)] = vectors[rows]
    vectors.resize((len(kept), vectors.shape[1]), refcheck=False)
    return vectors


def _keep_keys(
    blob: npt.NDArray[np.uint8], offsets: IntArray, kept: IntArray
) -> tuple[npt.NDArray[np.uint8], IntArray]:
    from wordstock.kernels.parse import copy_keys

    spans = np.stack([offsets[kept], offsets[kept + 1]], axis=1)
    bounds = np.zeros(len(kept) + 1, np.int64)
    np.cumsum(spans[:, 1] - spans[:, 0], out=bounds[1:])
    packed = np.empty(int(bounds[-1]), np.uint8)
    copy_keys(blob, spans, bounds, packed)
    return packed, bounds
