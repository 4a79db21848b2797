"""The parts of a fastText model file (``.bin``, ``.ftz``), each checked against the size of the file before it is used.

Layout, little-endian (``fasttext.cc`` and ``dictionary.cc``, versions 11 and 12): i32 magic 793712314, i32 version;
twelve i32 settings and one f64; i32 entries, words, labels, i64 tokens, i64 pruned n-grams (-1 = not pruned); per
entry its bytes, NUL, i64 count, i8 kind (0 word, 1 label); per pruned n-gram i32 bucket, i32 row; u8 whether the input
is quantised, the input matrix; u8 whether the output is, the output matrix. Files of 2016 start with the settings, and
have neither pruned n-grams nor the two u8.

A matrix is i64 rows, i64 columns and float32; a quantised one u8 whether norms are apart, i64 rows, i64 columns, i32
size, u8 codes, a codebook, and with norms apart a u8 code each and their codebook. A codebook is i32 columns, parts,
width, width of the last part, and 256 float32 per column.
"""

from __future__ import annotations

import struct
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from wordstock._compression import decompressed, sniff_compression
from wordstock._files import open_regular, storage_errors
from wordstock._paths import user_path
from wordstock._threads import run_slices
from wordstock.errors import FormatError
from wordstock.formats.builder import MAX_DIM
from wordstock.protocols import FloatArray, IntArray

if TYPE_CHECKING:
    from wordstock.kernels.fasttextdictionary import Dictionary
    from wordstock.kernels.fasttextfeatures import Matrix

__all__ = ["MAGIC", "FastTextFile", "Settings", "Weights", "open_fasttext"]

MAGIC = 793712314
_CUT = "the file is cut short or damaged: fetch it again"
_DAMAGED = "the file is damaged: fetch it again"
_MOST_N = 1000  # characters or words of an n-gram; what a sound file asks for is below 10
_MOST_COUNT = 10**15  # fastText's tree of labels takes no larger one
_DECODED = 1 << 26  # bytes up to which a quantised matrix is kept decoded
_CHECKED = 1 << 22  # numbers looked at in one step

Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Settings:
    """How the model was trained, in the order of the file; names are those of this library.

    ``loss`` is 1 hierarchical softmax, 2 negative sampling, 3 softmax, 4 one-versus-all; ``algorithm`` is 1 CBOW,
    2 skip-gram, 3 a classifier.
    """

    dim: int
    window: int
    epochs: int
    min_count: int
    negative: int
    word_ngrams: int
    loss: int
    algorithm: int
    buckets: int
    min_n: int
    max_n: int
    rate_steps: int
    subsample: float


@dataclass(frozen=True)
class Weights:
    """A matrix of the file: where it begins, how many rows it has, and its numbers as kernels take them."""

    offset: int
    rows: int
    matrix: Matrix

    @property
    def quantised(self) -> bool:
        """Whether its rows are codes."""
        return len(self.matrix.codes) > 0

    def dense(self, first: int = 0) -> FloatArray:
        """The rows from ``first`` on, float32 (rows, dim): a view of the file, or decoded in memory."""
        from wordstock.kernels.fasttextfeatures import decode_rows

        dim = self.matrix.dim
        if not self.quantised:
            return np.frombuffer(self.matrix.data, "<f4").reshape(-1, dim)[first:]
        out = np.zeros((self.rows, dim), np.float32)
        run_slices(lambda start, stop: decode_rows(self.matrix, start, stop, out), self.rows, smallest=1024)
        return out[first:]


@dataclass(frozen=True)
class FastTextFile:
    """A model: settings, entries with their counts and places in the file, and both matrices."""

    path: Path
    settings: Settings
    dictionary: Dictionary
    counts: IntArray
    starts: IntArray
    inputs: Weights
    output: Weights


def open_fasttext(path: Path | str) -> FastTextFile:
    """Open a model file, dense or quantised; its matrices stay on disk, mapped.

    A compressed file is decompressed to a temporary one, which is gone when the model is.

    Raises
    ------
    FormatError
        Not such a file, or a damaged one; says at which byte.
    FileNotFoundError
        No such file.
    """
    path = user_path(path)
    return _Reader(path, _mapped(path)).model()


def _mapped(path: Path) -> Bytes:
    with open_regular(path) as stream:
        compression = sniff_compression(stream.read(6))
        stream.seek(0)
        if compression is None:
            return _map(stream)
        with storage_errors(Path(tempfile.gettempdir())), tempfile.TemporaryFile() as copy:
            for piece in decompressed(stream, compression, path):
                copy.write(piece)
            copy.flush()
            return _map(copy)


def _map(stream: Any) -> Bytes:
    if stream.seek(0, 2) == 0:
        return np.frombuffer(b"", np.uint8)
    return np.asarray(np.memmap(stream, np.uint8, "r"))


class _Reader:
    """Goes through the file; every part is checked against what is left of it."""

    def __init__(self, path: Path, data: Bytes) -> None:
        self.path, self.data, self.at = path, data, 0

    def model(self) -> FastTextFile:
        old = self.data[:4].tobytes() != struct.pack("<i", MAGIC)
        version = 0
        if not old:
            self.at = 4
            (version,) = self.numbers("<i", "a version")
            self.check(version in (11, 12), 4, "version 11 or 12", f"{version}", "this version is not known")
        settings = self.settings(version)
        where = self.at
        entries, n_words, n_labels, _ = self.numbers("<3iq", "the sizes of the dictionary")
        sound = n_words >= 0 and n_labels >= 0 and entries == n_words + n_labels
        self.check(sound, where, "as many entries as words and labels", f"{entries} of {n_words} and {n_labels}")
        pruned = -1 if old else self.numbers("<q", "the number of pruned n-grams")[0]
        dictionary, counts, starts = self.entries(settings, n_words, entries)
        rows = n_words + settings.buckets
        if pruned >= 0:
            dictionary = self.pruned(dictionary, pruned)
            rows = n_words + pruned
        quantised = not old and self.flag("whether the input is quantised")
        self.check(quantised or pruned < 0, self.at, "a quantised matrix, since n-grams are pruned", "a dense one")
        inputs = self.weights(quantised, rows, settings.dim)
        quantised_output = not old and self.flag("whether the output is quantised") and quantised
        classifies = settings.algorithm == 3
        self.check(n_labels > 0 or not classifies, where, "labels in a classifier", "none")
        output = self.weights(quantised_output, n_labels if classifies else n_words, settings.dim)
        left = len(self.data) - self.at
        self.check(left == 0, self.at, "the end of the file", f"{left:,} more bytes", "no known version writes these")
        return FastTextFile(self.path, settings, dictionary, counts, starts, inputs, output)

    def settings(self, version: int) -> Settings:
        where = self.at
        made = Settings(*self.numbers("<12id", "the settings"))
        old = "" if version else ", or a file in another format"
        for name, low, high in (
            ("dim", 1, MAX_DIM),
            ("word_ngrams", 0, _MOST_N),
            ("loss", 1, 4),
            ("algorithm", 1, 3),
            ("buckets", 0, 2**31 - 1),
            ("min_n", 0, _MOST_N),
            ("max_n", 0, _MOST_N),
        ):
            value = getattr(made, name)
            place = where + 4 * list(Settings.__dataclass_fields__).index(name)
            found = f"{value}{old}"
            self.check(low <= value <= high, place, f"a fastText model, {name} being from {low} to {high}", found)
        if version < 12 and made.algorithm == 3:  # classifiers knew no character n-grams yet
            return Settings(**{**made.__dict__, "max_n": 0})
        return made

    def entries(self, settings: Settings, n_words: int, size: int) -> tuple[Dictionary, IntArray, IntArray]:
        from wordstock.kernels.fasttextdictionary import Dictionary, index_words, scan_entries
        from wordstock.kernels.parse import copy_keys

        where = self.at
        self.room(10 * size, f"{size:,} entries")
        spans, counts, kinds = np.empty((size, 2), np.int64), np.empty(size, np.int64), np.empty(size, np.int8)
        found, self.at = (int(x) for x in scan_entries(self.data, where, spans, counts, kinds))
        self.check(found == size, self.at, f"{size:,} entries", f"the end of the file after {found:,}", _CUT)
        wrong = np.flatnonzero(kinds != (np.arange(size) >= n_words))
        if len(wrong):
            entry = int(wrong[0])
            expected = f"entry {entry:,} of kind {int(entry >= n_words)}, words being first"
            raise self.error(int(spans[entry, 1]) + 9, expected, f"kind {kinds[entry]}", _DAMAGED)
        odd = np.flatnonzero((counts < 0) | (counts >= _MOST_COUNT))
        if len(odd):
            raise self.error(int(spans[odd[0], 1]) + 1, "a count", f"{counts[odd[0]]}", _DAMAGED)
        offsets = np.zeros(size + 1, np.int64)
        np.cumsum(spans[:, 1] - spans[:, 0], out=offsets[1:])
        blob = np.empty(int(offsets[-1]), np.uint8)
        copy_keys(self.data, spans, offsets, blob)
        blob.flags.writeable = False
        slots = np.full(1 << max(4, (2 * size).bit_length()), -1, np.int32)
        hashes = np.empty(size, np.uint32)
        index_words(blob, offsets, slots, hashes)
        kept = np.empty((0, 2), np.int32)
        shape = (n_words, max(1, settings.min_n), settings.max_n, settings.buckets, settings.word_ngrams)
        return Dictionary(blob, offsets, slots, hashes, kept, *shape), counts, spans[:, 0]

    def pruned(self, dictionary: Dictionary, size: int) -> Dictionary:
        from wordstock.kernels.fasttextdictionary import index_rows

        if size == 0:
            return dictionary._replace(buckets=0)
        where = self.at
        pairs = np.frombuffer(self.take(8 * size, f"{size:,} pruned n-grams"), "<i4").reshape(-1, 2).astype(np.int32)
        limits = np.array([dictionary.buckets, size])
        wrong = np.flatnonzero(((pairs < 0) | (pairs >= limits)).any(axis=1))
        if len(wrong):
            expected = f"a bucket below {limits[0]:,} and a row below {size:,}"
            raise self.error(where + 8 * int(wrong[0]), expected, f"{pairs[wrong[0]].tolist()}", _DAMAGED)
        kept = np.full((1 << (2 * size).bit_length(), 2), -1, np.int32)
        index_rows(pairs, kept)
        return dictionary._replace(kept=kept)

    def weights(self, quantised: bool, rows: int, dim: int) -> Weights:
        from wordstock.kernels.fasttextfeatures import Matrix

        apart = quantised and self.flag("whether norms are apart")
        where = self.at
        shape = self.numbers("<2q", "the shape of a matrix")
        self.check(shape == (rows, dim), where, f"a matrix of {rows:,} by {dim}", f"{shape[0]:,} by {shape[1]:,}")
        start = self.at
        if not quantised:
            data = self.take(rows * dim * 4, f"{rows:,} by {dim} float32")
            none = np.empty((0, 0), np.uint8), np.empty(0, np.float32), np.empty(0, np.float32)
            self.finite(data, start)
            return Weights(start, rows, Matrix(data, *none, 0, dim))
        (size,) = self.numbers("<i", "the size of the codes")
        parts = size // rows if rows else 0
        self.check(rows * parts == size and parts > 0, start, f"codes for {rows:,} rows", f"{size:,} bytes of them")
        codes = self.take(size, f"{size:,} codes").reshape(rows, parts)
        centroids, width = self.codebook(dim, parts)
        norms = np.ones(rows, np.float32)
        if apart:
            norm_codes = self.take(rows, f"{rows:,} codes of norms")
            norms = self.codebook(1, 1)[0][norm_codes]
        weights = Weights(start, rows, Matrix(np.empty(0, np.uint8), codes, centroids, norms, width, dim))
        if rows * dim * 4 > _DECODED:
            return weights
        decoded = weights.dense().reshape(-1).view(np.uint8)
        decoded.flags.writeable = False
        return Weights(start, rows, weights.matrix._replace(data=decoded, codes=codes[:0]))

    def codebook(self, dim: int, parts: int) -> tuple[FloatArray, int]:
        """(centroids, numbers in a part)."""
        where = self.at
        columns, given, width, last = self.numbers("<4i", "a codebook")
        sound = columns == dim and given == parts and 0 < last <= width and (parts - 1) * width + last == dim
        found = f"{columns} in {given}, of {width} each and the last of {last}"
        self.check(sound, where, f"a codebook of {dim} columns in {parts} parts", found)
        where = self.at
        raw = self.take(1024 * dim, f"{256 * dim:,} centroids")
        self.finite(raw, where)
        return np.frombuffer(raw.tobytes(), "<f4").astype(np.float32), width

    def finite(self, raw: Bytes, start: int) -> None:
        numbers = np.frombuffer(raw, "<f4")
        for at in range(0, len(numbers), _CHECKED):
            sound = np.isfinite(numbers[at : at + _CHECKED])
            if not sound.all():
                where = at + int(np.argmin(sound))
                raise self.error(start + 4 * where, "a finite number", f"{numbers[where]}", _DAMAGED)

    def flag(self, what: str) -> bool:
        (value,) = self.numbers("<B", what)
        self.check(value in (0, 1), self.at - 1, f"0 or 1, {what}", f"{value}")
        return bool(value)

    def numbers(self, layout: str, what: str) -> tuple[Any, ...]:
        return struct.unpack(layout, self.take(struct.calcsize(layout), what).tobytes())

    def take(self, size: int, what: str) -> Bytes:
        self.room(size, what)
        self.at += size
        return self.data[self.at - size : self.at]

    def room(self, size: int, what: str) -> None:
        left = len(self.data) - self.at
        self.check(size <= left, self.at, f"{what} ({size:,} bytes)", f"{left:,} bytes to the end of the file", _CUT)

    def check(self, holds: bool, at: int, expected: str, found: str, remedy: str = _DAMAGED) -> None:
        if not holds:
            raise self.error(at, expected, found, remedy)

    def error(self, at: int, expected: str, found: str, remedy: str) -> FormatError:
        return FormatError(self.path, offset=at, expected=expected, found=found, remedy=remedy)
