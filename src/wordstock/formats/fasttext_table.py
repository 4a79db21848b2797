"""Word vectors with n-grams from fastText models (Bojanowski et al. 2017); the layout is in ``fasttext_file``."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from wordstock._threads import run_slices
from wordstock.embeddings import Card, Embeddings, Storage
from wordstock.errors import FormatError
from wordstock.formats.builder import (
    EncodingErrors,
    NonFinite,
    ReadOptions,
    decoded_keys,
    name_of,
    repair_notes,
    repeat_notes,
    tell_notes,
)
from wordstock.formats.fasttext_file import FastTextFile, open_fasttext
from wordstock.formats.window import Progress
from wordstock.protocols import FloatArray, IntArray
from wordstock.vocab import Subwords, Vocabulary
from wordstock.vocab.distinct import distinct_vocabulary

__all__ = ["read_fasttext"]

_METHODS = {1: "fasttext-cbow", 2: "fasttext-skipgram"}
_LOSSES = {1: "hierarchical softmax", 2: "negative sampling", 3: "softmax", 4: "one-versus-all"}
_CITATION = "Bojanowski et al. 2017, Enriching Word Vectors with Subword Information"
_SCRATCH = 4096
_SMALLEST = 256  # words worth a thread


def read_fasttext(
    path: Path | str,
    *,
    encoding_errors: EncodingErrors = "strict",
    non_finite: NonFinite = "raise",
    limit: int | None = None,
    progress: Progress | None = None,
) -> Embeddings:
    """Read a skip-gram or CBOW model that fastText wrote (``.bin``, versions 11, 12 and those of 2016).

    A word's vector is the mean of its own row and those of its n-grams, as fastText gives it; unseen words have the
    mean of their n-grams' (``missing="subword"``). The rows of n-grams and the output matrix stay in the file, mapped.
    A compressed model is decompressed to a temporary file first.

    Parameters
    ----------
    encoding_errors, limit, progress : as in ``wordstock.formats.read``.
    non_finite : NaN and infinity are refused whatever it says, since words share their n-grams.

    Returns
    -------
    A table of the words, float32, in memory, with their counts. ``output`` is there unless the model was trained with
    hierarchical softmax, whose output rows belong to no word.

    Raises
    ------
    FormatError
        Not such a file, a classifier, or a damaged file; says at which byte.
    FileNotFoundError
        No such file.
    """
    options = ReadOptions(encoding_errors, non_finite, limit, progress)
    model = open_fasttext(path)
    settings = model.settings
    if settings.algorithm == 3:
        remedy = "read it with wordstock.formats.read_fasttext_classifier"
        raise FormatError(model.path, expected="word vectors", found="a fastText classifier", remedy=remedy)
    n_words = model.dictionary.n_words
    size = n_words if limit is None else min(limit, n_words)
    vectors = _vectors(model, size)
    vocabulary, kept, notes = _vocabulary(model, options, size)
    if kept is not None:
        vectors = vectors[kept]
    output = model.output.dense()[:size] if settings.loss != 1 else None
    if output is not None and kept is not None:
        output = output[kept]
    subwords = None
    if settings.buckets > 0 and max(1, settings.min_n) <= settings.max_n:
        subwords = Subwords(max(1, settings.min_n), settings.max_n, settings.buckets)
    tell_notes(model.path, notes)
    if progress is not None:
        total = model.path.stat().st_size
        progress(total, total)
    return Embeddings(
        vocabulary,
        Storage(vectors),
        card=Card(name=name_of(model.path), training=_training(model), citation=_CITATION, notes=tuple(notes)),
        subwords=subwords,
        subword_vectors=None if subwords is None else model.inputs.dense(n_words),
        output=output,
    )


def _vectors(model: FastTextFile, size: int) -> FloatArray:
    from wordstock.kernels.fasttextfeatures import compose_words

    out = np.empty((size, model.settings.dim), np.float32)

    def compose(first: int, last: int) -> None:
        rows = np.empty(_SCRATCH + model.settings.max_n, np.int64)
        compose_words(model.dictionary, model.inputs.matrix, first, last, rows, out)

    run_slices(compose, size, smallest=_SMALLEST)
    large = np.flatnonzero(~np.isfinite(np.einsum("ij,ij->i", out, out)))
    if len(large):
        found = f"numbers whose squares overflow float32, in word {large[0] + 1:,}"
        raise FormatError(model.path, expected="finite vectors", found=found, remedy="train it again")
    return out


def _vocabulary(model: FastTextFile, options: ReadOptions, size: int) -> tuple[Vocabulary, IntArray | None, list[str]]:
    """(vocabulary with counts, the words kept where some became equal, what to tell the user)."""
    starts = model.starts
    offsets = model.dictionary.offsets[: size + 1].copy()
    blob = model.dictionary.blob[: offsets[-1]]

    def refuse(word: int, position: int, found: str, remedy: str) -> FormatError:
        where = int(starts[word]) + position
        return FormatError(model.path, offset=where, expected=f"word {word + 1:,} in UTF-8", found=found, remedy=remedy)

    blob, lengths, repaired = decoded_keys(blob, offsets, options.encoding_errors, refuse)
    notes = repair_notes(repaired, options.encoding_errors)
    np.cumsum(lengths, out=offsets[1:])
    vocabulary, kept = distinct_vocabulary(blob, offsets)
    counts = model.counts[:size]
    if kept is not None:
        notes += repeat_notes(size - len(kept))
        counts = counts[kept]
    vocabulary = Vocabulary(vocabulary.blob, vocabulary.offsets, slots=vocabulary.slots, counts=counts)
    return vocabulary, kept, notes


def _training(model: FastTextFile) -> dict[str, object]:
    settings = model.settings
    return {
        "method": _METHODS[settings.algorithm],
        "loss_function": _LOSSES[settings.loss],
        "dim": settings.dim,
        "window": settings.window,
        "epochs": settings.epochs,
        "min_count": settings.min_count,
        "negative": settings.negative,
        "subsample": settings.subsample,
    }
