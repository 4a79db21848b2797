"""What the training of an n-gram classifier is given beside lines: rows to begin from, and labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from wordstock.embeddings import Embeddings
from wordstock.protocols import FloatArray, IntArray

__all__ = ["Bytes", "GivenLabels", "NgramStart"]

Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class NgramStart:
    """Rows that are there before the first line is read.

    Parameters
    ----------
    blob, offsets : the words, one after the other, and where each starts, int64 (words + 1,).
    vectors : float32 (words, dim).
    buckets : int32 (n,), of n-grams, all different; ``bucket_vectors`` float32 (n, dim), the row of each.
    names : of labels; ``counts`` int64 (labels,); ``outputs`` float32 (labels or nodes, dim).
    """

    blob: Bytes
    offsets: IntArray
    vectors: FloatArray
    buckets: npt.NDArray[np.int32]
    bucket_vectors: FloatArray
    names: tuple[str, ...]
    counts: IntArray
    outputs: FloatArray

    @classmethod
    def of_table(cls, table: Embeddings) -> NgramStart:
        """Pre-trained word vectors: every word of the table gets a row, as with fastText's ``-pretrainedVectors``."""
        vocabulary, dim = table.vocabulary, table.dim
        vectors = np.empty((len(table.storage), dim), np.float32)
        for start, block in table.storage.blocks():
            vectors[start : start + len(block)] = block
        if vocabulary.rows is not None:  # keys that share rows
            vectors = vectors[vocabulary.rows]
        none = np.empty((0, dim), np.float32)
        return cls(
            np.asarray(vocabulary.blob), np.asarray(vocabulary.sound_offsets()), vectors, np.empty(0, np.int32), none,
            (), np.empty(0, np.int64), none,
        )  # fmt: skip

    @property
    def dim(self) -> int:
        """Length of the rows."""
        return int(self.vectors.shape[1])


@dataclass(frozen=True)
class GivenLabels:
    """Labels that come beside the lines instead of in them.

    Parameters
    ----------
    names : of the labels.
    codes : int32, numbers in ``names``, line i having ``codes[ends[i]:ends[i + 1]]``; ``ends`` int64 (lines + 1,).
    """

    names: Sequence[str]
    codes: npt.NDArray[np.int32]
    ends: IntArray
