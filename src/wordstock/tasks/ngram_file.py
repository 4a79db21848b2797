"""A classifier over n-grams as one .safetensors file, without pickle, or as fastText's own.

Tensors: ``rows`` float32 (words + stored, dim), of words and then of the n-grams' buckets in ``stored`` int32 ·
``outputs`` float32 (labels or nodes, dim) · ``blob`` uint8 and ``offsets`` int64 (entries + 1,), words and then labels
with ``__label__`` · ``counts`` int64 (entries,). ``__metadata__["ngram_classifier"]`` holds JSON: ``version``,
``wordstock`` (the version that wrote it), ``config``, ``n_words``, ``pruned`` (whether an n-gram without a row is left
out; else it counts as zeros), ``names`` (of labels, in the order of ``blob``), ``classes``, ``kind`` (of a class: str,
int, bool), ``layout``, ``losses``, ``tokens``, ``adjustment``, and ``sha256`` over the rest of it, written alike, and
the tensors in the order above.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from wordstock._paths import user_path
from wordstock.errors import FormatError, InputError
from wordstock.formats.fasttext_classifier_writer import write_fasttext_classifier
from wordstock.formats.fasttext_file import Settings, open_fasttext
from wordstock.tasks.adjustment import Adjustment
from wordstock.tasks.labels import LabelCodec, Layout
from wordstock.tasks.verified_file import Tensors, VerifiedFile
from wordstock.train.ngram_config import LABEL, LOSSES, NgramConfig
from wordstock.train.ngram_model import NgramModel, make_dictionary

__all__ = ["NgramFile", "is_ngram_file", "read_ngram_file", "write_fasttext", "write_ngram_file"]

_DTYPES = {
    "rows": np.float32,
    "outputs": np.float32,
    "stored": np.int32,
    "blob": np.uint8,
    "offsets": np.int64,
    "counts": np.int64,
}
FILE = VerifiedFile("ngram_classifier", "classifier over n-grams", version=1, first=tuple(_DTYPES))
_MOST_HEADER = 1 << 28  # bytes of a header that are read to tell the kind of a file


@dataclass(frozen=True)
class NgramFile:
    """What a file holds."""

    model: NgramModel
    codec: LabelCodec
    adjustment: Adjustment


def write_ngram_file(path: Path | str, content: NgramFile) -> None:
    """Write the file, atomically.

    Raises
    ------
    StorageError
        The file cannot be written.
    """
    model, codec = content.model, content.codec
    meta = {
        "config": model.config.to_dict(),
        "n_words": model.n_words,
        "pruned": model.pruned,
        "names": list(model.names),
        **codec.to_dict(),
        "losses": list(model.losses),
        "tokens": model.tokens,
        "adjustment": content.adjustment.to_dict(),
    }
    tensors = {
        "rows": model.rows(),
        "outputs": model.outputs,
        "stored": model.stored(),
        "blob": model.dictionary.blob,
        "offsets": model.dictionary.offsets,
        "counts": model.counts,
    }
    tensors = {name: np.ascontiguousarray(tensors[name], dtype) for name, dtype in _DTYPES.items()}
    FILE.write(path, meta, tensors)


def write_fasttext(path: Path | str, model: NgramModel) -> None:
    """Write fastText's ``.bin``; see ``NgramClassifier.write_fasttext``."""
    config, entries = model.config, model.dictionary
    if model.pruned:
        raise InputError("n-grams of this model were pruned, which a dense fastText file cannot say; copy its .ftz")
    first = model.n_words
    text, bounds = entries.blob.tobytes(), entries.offsets[first:].tolist()
    labels = [text[begin:end].decode(errors="replace") for begin, end in itertools.pairwise(bounds)]
    seen: dict[str, str] = {}
    for label, name in zip(labels, model.names, strict=True):
        if label in seen or label == LABEL:
            other = f" like {seen[label]!r}" if label in seen else ""
            raise InputError(f"the label {name!r} would be {label!r} for fastText{other}; rename it")
        seen[label] = name
    settings = Settings(
        config.dim, 5, config.epochs, config.min_count, config.negative, config.word_ngrams, LOSSES[config.loss], 3,
        config.n_buckets, config.min_n, config.max_n, 100, 1e-4,
    )  # fmt: skip
    write_fasttext_classifier(
        path, settings, entries.blob, entries.offsets, model.counts, first, model.tokens, model.rows(), model.stored(),
        model.outputs,
    )  # fmt: skip


def is_ngram_file(path: Path | str) -> bool:
    """Whether it is a file that ``write_ngram_file`` or fastText wrote, told by how it begins."""
    with user_path(path).open("rb") as stream:
        start = stream.read(8)
        size = int.from_bytes(start, "little")
        if not 2 <= size <= _MOST_HEADER:
            return _is_fasttext(start)
        header = stream.read(min(size, 1 << 16))
    return FILE.key.encode() in header if header.startswith(b"{") else _is_fasttext(start)


def _is_fasttext(start: bytes) -> bool:
    from wordstock.formats.fasttext_file import MAGIC

    return start[:4] == MAGIC.to_bytes(4, "little")


def read_ngram_file(path: Path | str) -> NgramFile:
    """Read and verify a file that ``write_ngram_file`` or fastText wrote.

    Raises
    ------
    FormatError
        Neither, a newer version, or damage anywhere in the file.
    FileNotFoundError
        No such file.
    """
    path = user_path(path)
    if path.is_file():
        with path.open("rb") as stream:
            start = stream.read(9)
        if start[8:] != b"{":
            return _of_fasttext(path)
    return FILE.read(path, _build)


def _of_fasttext(path: Path) -> NgramFile:
    model = NgramModel.of_file(open_fasttext(path))
    if len(set(model.names)) < max(2, len(model.names)):
        raise FormatError(
            path,
            expected="two or more labels, all different",
            found=f"{len(model.names)}, such as {list(model.names[:3])}",
            remedy="train it with two labels or more",
        )
    layout: Layout = "list" if model.config.loss == "ova" else "single"
    return NgramFile(model, LabelCodec(np.array(sorted(model.names)), layout), Adjustment())


def _build(meta: dict[str, Any], tensors: Tensors) -> NgramFile:
    from wordstock.kernels.fasttextfeatures import Matrix

    if set(tensors) != set(_DTYPES):
        raise ValueError(f"tensors {', '.join(sorted(tensors))}"[:200])
    config = NgramConfig(**meta["config"])
    codec, names = LabelCodec.from_dict(meta), tuple(meta["names"])
    classes = codec.classes.tolist()
    if sorted(map(str, classes)) != sorted(names) or len(set(names)) < max(2, len(names)):
        raise ValueError(f"{len(classes)} classes and {len(names)} labels")
    rows, outputs, stored, blob, offsets, counts = (tensors[name] for name in _DTYPES)
    n_words, size = meta["n_words"], len(counts)
    shapes = (rows.shape, outputs.shape, offsets.shape, stored.ndim, blob.ndim)
    if shapes != ((n_words + len(stored), config.dim), (len(names), config.dim), (n_words + len(names) + 1,), 1, 1):
        raise ValueError(f"shapes {shapes}")
    if len(offsets) != size + 1 or offsets[0] != 0 or offsets[-1] != len(blob) or (np.diff(offsets) < 0).any():
        raise ValueError("offsets that do not fit")
    if len(stored) and not (0 <= stored.min() <= stored.max() < config.n_buckets):
        raise ValueError("buckets out of range")
    if not all(np.isfinite(matrix).all() for matrix in (rows, outputs)):
        raise ValueError("rows that are not all finite")
    direct = np.full(config.n_buckets, -1, np.int32)
    direct[stored] = np.arange(len(stored))
    entries = make_dictionary(config, blob, offsets, n_words, direct)
    if meta["pruned"]:
        entries = entries._replace(counted=False)
    data = np.ascontiguousarray(rows).reshape(-1).view(np.uint8)
    data.flags.writeable = False
    none = np.empty((0, 0), np.uint8), np.empty(0, np.float32), np.empty(0, np.float32)
    matrix = Matrix(data, *none, 0, config.dim)
    losses = tuple(float(loss) for loss in meta["losses"])
    model = NgramModel(config, entries, counts, matrix, outputs, names, losses, int(meta["tokens"]))
    return NgramFile(model, codec, Adjustment.from_dict(meta["adjustment"], len(classes)))
