"""A linear classifier over words and hashed n-grams: what training gives, files hold and prediction needs."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from wordstock._threads import run_slices
from wordstock.errors import FormatError
from wordstock.formats.fasttext_file import FastTextFile
from wordstock.protocols import FloatArray, IntArray
from wordstock.train.ngram_config import LABEL, LOSSES, NgramConfig
from wordstock.train.ngram_start import NgramStart

if TYPE_CHECKING:
    from wordstock.kernels.fasttextdictionary import Dictionary
    from wordstock.kernels.fasttextfeatures import Matrix

__all__ = ["NgramModel", "make_dictionary"]


@dataclass(frozen=True, eq=False)
class NgramModel:
    """Entries, rows and output rows; instances may be shared between threads.

    Parameters
    ----------
    config : how it was trained.
    dictionary : words and then labels as bytes, labels with ``__label__`` before them.
    counts : int64 (entries,).
    matrix : the rows of words and then of n-grams, dense or quantised.
    outputs : float32 (labels or nodes, dim).
    names : of the labels, without ``__label__``.
    losses : mean loss of each epoch, in nats.
    tokens : how many the training text had.
    several : whether some line had more than one label.
    """

    config: NgramConfig
    dictionary: Dictionary
    counts: IntArray
    matrix: Matrix
    outputs: FloatArray
    names: tuple[str, ...]
    losses: tuple[float, ...] = ()
    tokens: int = 0
    several: bool = False

    @classmethod
    def of_file(cls, model: FastTextFile) -> NgramModel:
        """A supervised model that fastText wrote.

        Raises
        ------
        FormatError
            Word vectors instead of a classifier.
        """
        settings, entries = model.settings, model.dictionary
        if settings.algorithm != 3:
            remedy = "read it with wordstock.load"
            raise FormatError(model.path, expected="a fastText classifier", found="word vectors", remedy=remedy)
        first = entries.n_words
        blob, bounds = entries.blob.tobytes(), entries.offsets[first:].tolist()
        names = tuple(
            blob[begin:end].decode(errors="replace").removeprefix(LABEL) for begin, end in itertools.pairwise(bounds)
        )
        losses = {number: name for name, number in LOSSES.items()}
        config = NgramConfig(
            dim=settings.dim,
            epochs=max(1, settings.epochs),
            word_ngrams=max(1, settings.word_ngrams),
            min_count=max(1, settings.min_count),
            min_n=max(1, settings.min_n) if settings.max_n else 0,
            max_n=settings.max_n,
            buckets=max(1, settings.buckets),
            loss=losses[settings.loss],  # type: ignore[arg-type]
            negative=max(1, settings.negative),
        )
        outputs = np.array(model.output.dense())
        return cls(config, entries, model.counts, model.inputs.matrix, outputs, names)

    @property
    def n_words(self) -> int:
        """Entries that are words."""
        return int(self.dictionary.n_words)

    @property
    def dim(self) -> int:
        """Length of the rows."""
        return self.config.dim

    @property
    def pruned(self) -> bool:
        """Whether an n-gram without a row is left out of a text's features, as in fastText's pruned models."""
        entries = self.dictionary
        if entries.buckets == 0:
            return self.config.n_buckets > 0
        return len(entries.kept) > 0 or (len(entries.direct) > 0 and not entries.counted)

    def rows(self) -> FloatArray:
        """The rows of words and then of the n-grams in ``stored``, float32 (rows, dim): a view, or decoded."""
        from wordstock.kernels.fasttextfeatures import decode_rows

        matrix, dim = self.matrix, self.dim
        if not len(matrix.codes):
            size = self.n_words + len(self.stored())
            return np.frombuffer(matrix.data, "<f4").reshape(-1, dim)[:size]
        out = np.zeros((len(matrix.codes), dim), np.float32)
        run_slices(lambda first, last: decode_rows(matrix, first, last, out), len(out), smallest=1024)
        return out

    def stored(self) -> npt.NDArray[np.int32]:
        """The bucket of each row that belongs to an n-gram, int32."""
        kept, direct, buckets = self.dictionary.kept, self.dictionary.direct, self.dictionary.buckets
        if buckets == 0:
            return np.empty(0, np.int32)
        if len(direct):
            used = np.flatnonzero(direct >= 0).astype(np.int32)
            pairs = np.stack([used, direct[used]], axis=1)
        elif len(kept):
            pairs = kept[kept[:, 0] >= 0]
        else:
            return np.arange(buckets, dtype=np.int32)
        stored = np.empty(len(pairs), np.int32)
        stored[pairs[:, 1]] = pairs[:, 0]
        return stored

    def start(self) -> NgramStart:
        """What another training goes on from."""
        first, rows = self.n_words, self.rows()
        offsets = self.dictionary.offsets[: first + 1]
        return NgramStart(
            self.dictionary.blob[: offsets[-1]], offsets, rows[:first], self.stored(), rows[first:], self.names,
            self.counts[first:], self.outputs,
        )  # fmt: skip

    def tree(self) -> npt.NDArray[np.int32]:
        """Children of each node of hierarchical softmax, int32 (2 * labels - 1, 2), or of no length."""
        from wordstock.kernels.fasttextlabels import build_tree

        size = len(self.names)
        tree = np.full((2 * size - 1 if self.config.loss == "hs" else 0, 2), -1, np.int32)
        if len(tree):
            build_tree(self.counts[self.n_words :], tree, np.empty(len(tree)))
        return tree


def make_dictionary(
    config: NgramConfig, blob: npt.NDArray[Any], offsets: IntArray, n_words: int, direct: npt.NDArray[np.int32]
) -> Dictionary:
    """Index the entries; ``direct`` int32 (buckets,), the row of each bucket less ``n_words``, or -1.

    A bucket without a row counts as one of zeros: in fastText it keeps its random start, which says nothing either, but
    counts as one of the text's features.
    """
    from wordstock.kernels.fasttextdictionary import Dictionary, index_words

    size = len(offsets) - 1
    slots = np.full(1 << max(4, (2 * size).bit_length()), -1, np.int32)
    hashes = np.empty(size, np.uint32)
    index_words(blob, offsets, slots, hashes)
    bits = np.zeros(-(-len(direct) // 64) * 64, np.uint8)
    bits[: len(direct)] = direct >= 0
    seen = np.packbits(bits, bitorder="little").view("<u8").astype(np.uint64)
    shape = (n_words, max(1, config.min_n), config.max_n, config.n_buckets, config.word_ngrams)
    blob = np.array(blob)
    blob.flags.writeable = False  # as those of files: one kind of array, one compiled kernel
    return Dictionary(blob, offsets, slots, hashes, np.empty((0, 2), np.int32), *shape, direct, seen, True)
