"""Post-processing of vectors: all-but-the-top, and the common component of sentence vectors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from wordstock._settings import check_whole
from wordstock.embeddings.sentence import check_texts
from wordstock.embeddings.storage import Storage
from wordstock.embeddings.table import Embeddings
from wordstock.errors import InputError
from wordstock.protocols import FloatArray

__all__ = ["all_but_the_top", "fit_common_component"]


def all_but_the_top(table: Embeddings, components: int | None = None) -> Embeddings:
    """Subtract the mean vector, then remove the strongest principal components (Mu & Viswanath 2018).

    Parameters
    ----------
    components : how many to remove; None takes dim / 100, at least 1.

    Returns
    -------
    A new float32 table in memory with the same keys.

    Raises
    ------
    InputError
        More components than dimensions, or an empty table.
    """
    check_whole("components", components, 0, optional=True)
    removed = max(1, table.dim // 100) if components is None else components
    if removed > table.dim:
        raise InputError(f"components={components}: needs 0 to {table.dim}, the table's dimensions")
    if not len(table.storage):
        raise InputError("the table is empty")
    total, products = np.zeros(table.dim), np.zeros((table.dim, table.dim))
    for _, block in table.storage.blocks():
        wide = block.astype(np.float64)
        total += wide.sum(axis=0)
        products += wide.T @ wide
    mean = total / len(table.storage)
    covariance = products / len(table.storage) - np.outer(mean, mean)
    top = np.linalg.eigh(covariance)[1][:, table.dim - removed :]
    projector = (np.eye(table.dim) - top @ top.T).astype(np.float32)
    centre = mean.astype(np.float32)
    out = np.empty((len(table.storage), table.dim), np.float32)
    for start, block in table.storage.blocks():
        np.matmul(block - centre, projector, out=out[start : start + len(block)])
    grams = table.subword_vectors  # the map is affine, so the mean of mapped n-grams is the mapped mean
    return table.with_storage(Storage(out), subword_vectors=None if grams is None else (grams - centre) @ projector)


def fit_common_component(table: Embeddings, texts: Sequence[str], components: int = 1) -> Embeddings:
    """A table whose ``encode`` also removes the first singular vectors of these texts' vectors, as SIF does.

    Nothing is centred (Arora et al. 2017). The directions are kept with the table and are part of its fingerprint.

    Raises
    ------
    InputError
        Fewer texts than components, more components than dimensions, or a text that is not a str.
    """
    check_whole("components", components, 1)
    if isinstance(texts, str):
        raise InputError("expected a list of texts, not a str")
    listed = check_texts(texts)
    if components > min(len(listed), table.dim):
        raise InputError(
            f"components={components}: needs at most the number of texts ({len(listed)}) and dimensions ({table.dim})"
        )
    plain = table.with_common(None)
    vectors: FloatArray = plain.encode(listed)
    directions = np.linalg.svd(vectors, full_matrices=False)[2][:components]
    return plain.with_common(np.ascontiguousarray(directions, np.float32))
