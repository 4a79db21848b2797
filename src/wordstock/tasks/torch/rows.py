"""The rows of a table as tensors: shared with it where they stay as they are, writable where they learn."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from wordstock.embeddings import Embeddings
from wordstock.embeddings.private import private_arrays
from wordstock.errors import InputError
from wordstock.protocols import FloatArray, IntArray

__all__ = ["Bags", "Rows", "frozen_rows", "learning_rows", "tensor_of"]


class Rows(NamedTuple):
    """Vectors as tensors.

    Parameters
    ----------
    vectors : (rows, dim) float32, float16, bfloat16 or int8.
    scales : float32 (rows,), for int8 only.
    grams : floating (n_ngrams, dim); None for a table without n-grams or where they are of no use.
    """

    vectors: Tensor
    scales: Tensor | None
    grams: Tensor | None


class Bags(NamedTuple):
    """The n-grams of every word of a table: those of row r are ``grams[starts[r]:starts[r + 1]]``, int64 tensors."""

    grams: Tensor
    starts: Tensor

    @classmethod
    def of(cls, table: Embeddings) -> Bags:
        """From a table with n-grams whose keys have a row each."""
        if table.subwords is None or table.vocabulary.rows is not None:
            raise InputError("subwords='all' needs a table with n-gram vectors and a row for each key")
        rows, starts = table.subwords.rows_of(list(table.keys))
        kept = rows >= 0
        starts = np.concatenate([[0], np.cumsum(kept)])[starts]
        return cls(torch.from_numpy(rows[kept]), torch.from_numpy(starts))

    def select(self, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(n-grams of these rows one after the other, where those of each begin, how many each has)."""
        first, counts = self.starts[rows], self.starts[rows + 1] - self.starts[rows]
        bounds = counts.cumsum(0) - counts
        places = torch.arange(int(counts.sum()), device=rows.device) + torch.repeat_interleave(first - bounds, counts)
        return self.grams[places], bounds, counts


def tensor_of(array: npt.NDArray[Any]) -> Tensor:
    """A tensor on the same memory. It must not be written to where the array is read-only."""
    if array.flags.writeable:
        return torch.from_numpy(array)
    try:
        return torch.from_dlpack(array)  # type: ignore[attr-defined]  # from_numpy warns of such arrays
    except BufferError:  # a PyTorch that takes writable memory only
        return torch.from_numpy(array.copy())


def frozen_rows(table: Embeddings, *, grams: bool) -> Rows:
    """Rows as they are stored: pages of the table's file, or the memory of the table itself."""
    arrays: dict[str, npt.NDArray[Any]] = {"vectors": table.storage.data}
    if table.subword_vectors is not None:
        arrays["subword"] = table.subword_vectors
    if table.path is not None:  # writable pages: a write by mistake changes this process's copy, where it would crash
        arrays = private_arrays(table)
    scales = table.storage.scales
    return Rows(
        tensor_of(arrays["vectors"]),
        None if scales is None else torch.from_numpy(scales.copy()),
        tensor_of(arrays["subword"]) if grams else None,
    )


def learning_rows(table: Embeddings, dtype: torch.dtype, *, grams: bool, bags: Bags | None) -> Rows:
    """Rows that may be written to, in ``dtype``: copy-on-write pages of the table's file, or copies.

    With ``bags`` each word's own row, so that its vector is the mean of it and of its n-grams' rows as in fastText.
    """
    arrays = private_arrays(table)
    if table.storage.scales is None:
        vectors = torch.from_numpy(arrays["vectors"]).to(dtype)
    else:
        vectors = torch.empty(arrays["vectors"].shape, dtype=dtype)
        for start, block in table.storage.blocks():
            vectors[start : start + len(block)] = torch.tensor(block)
    if bags is not None and table.subword_vectors is not None:
        vectors = torch.from_numpy(_own_rows(table, table.subword_vectors, bags)).to(dtype)
    return Rows(vectors, None, torch.from_numpy(arrays["subword"]).to(dtype) if grams else None)


def _own_rows(table: Embeddings, grams: FloatArray, bags: Bags) -> FloatArray:
    """Solve v = (own + sum of n-grams) / (1 + n) for own."""
    own = np.empty((len(table.storage), table.dim), np.float32)
    starts: IntArray = bags.starts.cpu().numpy()
    rows: IntArray = bags.grams.cpu().numpy()
    for start, block in table.storage.blocks():
        stop = start + len(block)
        bounds = starts[start : stop + 1] - starts[start]
        sums = _sums(grams, rows[starts[start] : starts[stop]], bounds)
        own[start:stop] = block * (1 + np.diff(bounds))[:, None] - sums
    return own


def _sums(grams: FloatArray, rows: IntArray, bounds: IntArray) -> FloatArray:
    bag = torch.nn.functional.embedding_bag
    found = bag(torch.from_numpy(rows), tensor_of(grams), torch.from_numpy(bounds[:-1].copy()), mode="sum")
    sums: FloatArray = found.numpy()
    return sums
