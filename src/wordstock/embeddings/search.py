"""Exact nearest neighbours and analogies over a whole table, walked in blocks so that memory stays bounded.

Every thread walks its own share of the rows: a product with single-threaded BLAS, then a scan that keeps the best k.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from wordstock._threads import run_slices, single_threaded_blas
from wordstock.embeddings.storage import Storage
from wordstock.protocols import FloatArray, IntArray

__all__ = ["AnalogyMethod", "Neighbor", "top_k", "top_k_analogies"]

AnalogyMethod = Literal["3cosadd", "3cosmul"]

_FEW = 8  # queries up to which the scan runs along the rows
_QUERIES = 4096  # queries handled at once; bounds the scratch to 8 MB a thread
_LONG = 1000  # neighbours from which sorting all scores beats keeping a sorted list
_QUESTIONS = 20_000  # analogy questions handled at once; bounds the scratch to some 80 MB a thread
_BLOCK_FEW = 32768
_BLOCK_MANY = 512
_EPSILON = np.float32(0.001)  # of 3CosMul (Levy & Goldberg 2014): keeps its divisor off zero


class Neighbor(NamedTuple):
    """A key and its cosine (or, for analogies, the method's own score); higher is nearer."""

    key: str
    score: float


def top_k(storage: Storage, inverse_norms: FloatArray, queries: FloatArray, k: int) -> tuple[FloatArray, IntArray]:
    """The k rows with the highest cosine to each query, best first, equal scores in row order.

    Parameters
    ----------
    inverse_norms : float32 (rows,), 0 for a zero row, whose cosine is taken as 0.
    queries : float32 (n, dim), of length 1; other lengths scale the scores.

    Returns
    -------
    cosines float32 and rows int64, both (n, min(k, rows)).
    """
    k = min(k, len(storage))
    scores = np.empty((len(queries), k), np.float32)
    rows = np.empty((len(queries), k), np.int64)
    at_once, search = (_QUERIES, _top_k) if k <= _LONG else (1, _sorted_k)
    for start in range(0, len(queries), at_once):
        part = slice(start, start + at_once)
        scores[part], rows[part] = search(storage, inverse_norms, queries[part], k)
    return scores, rows


def _sorted_k(storage: Storage, inverse_norms: FloatArray, queries: FloatArray, k: int) -> tuple[FloatArray, IntArray]:
    """One query against every row, all scores kept."""
    scores = np.empty(len(storage), np.float32)
    for start, block in storage.blocks():
        stop = start + len(block)
        scores[start:stop] = block @ queries[0] * inverse_norms[start:stop]
    if k < len(scores):
        limit = np.partition(scores, len(scores) - k)[len(scores) - k]
        rows = np.flatnonzero(scores >= limit)
    else:
        rows = np.arange(len(scores))
    rows = rows[np.argsort(-scores[rows], kind="stable")][:k]
    return scores[None, rows], rows[None]


def _top_k(storage: Storage, inverse_norms: FloatArray, queries: FloatArray, k: int) -> tuple[FloatArray, IntArray]:
    from wordstock.kernels.topk import scan_by_query, scan_by_row

    few = len(queries) <= _FEW
    step = _BLOCK_FEW if few else _BLOCK_MANY
    columns = np.ascontiguousarray(queries.T)

    def work(first: int, last: int) -> tuple[FloatArray, IntArray]:
        scores, rows = _empty(len(queries), k)
        scratch = np.empty((0 if few else step, len(queries)), np.float32)
        for start in range(first, last, step):
            stop = min(start + step, last)
            block, scales = storage.block(start, stop), inverse_norms[start:stop]
            if few:
                products = np.stack([block @ query for query in queries])
                scan_by_query(products, scales, start, scores, rows)
            else:
                products = np.matmul(block, columns, out=scratch[: stop - start])
                scan_by_row(products, scales, start, 0, len(queries), scores, rows)
        return scores, rows

    with single_threaded_blas():
        parts = run_slices(work, len(storage), smallest=step)
    return _merge(parts, k)


def top_k_analogies(
    storage: Storage,
    inverse_norms: FloatArray,
    words: FloatArray,
    triples: IntArray,
    k: int,
    method: AnalogyMethod,
    *,
    skip: Sequence[IntArray] | None = None,
) -> tuple[FloatArray, IntArray]:
    """The k best rows x for each question "a is to b as c is to x".

    The cosines of all distinct words with a block of rows are computed once, and so are the differences of all distinct
    pairs (a, b): a set of many questions over few words costs little more than its words do. For 3CosMul
    (Levy & Goldberg 2014) cosines are shifted to (1 + x) / 2 and pairs hold quotients.

    Parameters
    ----------
    words : float32 (n_words, dim), of length 1, the distinct words of the questions.
    triples : int64 (n, 3), positions of a, b and c in ``words``.
    skip : for each word, the rows that are no answer to a question in which it occurs; None skips nothing.

    Returns
    -------
    scores float32 and rows int64, both (n, min(k, rows)), best first; row -1 and score -inf where none is left.
    """
    k = min(k, len(storage))
    parts = [
        _analogies(storage, inverse_norms, words, triples[start : start + _QUESTIONS], k, method, skip)
        for start in range(0, len(triples), _QUESTIONS)
    ]
    if not parts:
        return _empty(0, k)
    return np.concatenate([scores for scores, _ in parts]), np.concatenate([rows for _, rows in parts])


def _analogies(
    storage: Storage,
    inverse_norms: FloatArray,
    words: FloatArray,
    triples: IntArray,
    k: int,
    method: AnalogyMethod,
    skip: Sequence[IntArray] | None,
) -> tuple[FloatArray, IntArray]:
    from wordstock.kernels.analogy import scan_analogies

    used, positions = np.unique(triples, return_inverse=True)
    words, triples = words[used], positions.reshape(-1, 3).astype(np.int64)
    skip = None if skip is None else [skip[word] for word in used.tolist()]
    pairs, pair_of = np.unique(triples[:, 0] * len(words) + triples[:, 1], return_inverse=True)
    first, second = pairs // len(words), pairs % len(words)
    skip = skip or [np.empty(0, np.int64)] * len(words)
    skip_bounds = np.cumsum([0, *map(len, skip)], dtype=np.int64)
    skip_rows = np.concatenate([np.empty(0, np.int64), *skip])
    lines = len(words) + len(pairs)
    step = max(256, min(_BLOCK_FEW, (1 << 21) // max(1, lines) // 64 * 64))  # 8 MB of lines

    def work(start: int, stop: int) -> tuple[FloatArray, IntArray]:
        scores, rows = _empty(len(triples), k)
        for low in range(start, stop, step):
            high = min(low + step, stop)
            block, scales = storage.block(low, high), inverse_norms[low:high]
            few = len(words) < storage.dim  # scale the smaller of the two factors' matrices
            cosines = (words @ block.T) * scales if few else words @ (block * scales[:, None]).T
            if method == "3cosadd":
                pair_lines = cosines[second] - cosines[first]
            else:
                cosines = np.maximum((1 + cosines) / 2, 0)
                pair_lines = cosines[second] / (cosines[first] + _EPSILON)
            scan_analogies(
                pair_lines, cosines, pair_of, triples, skip_bounds, skip_rows, low, method == "3cosmul", scores, rows
            )
        return scores, rows

    with single_threaded_blas():
        parts = run_slices(work, len(storage), smallest=step)
    return _merge(parts, k)


def _empty(queries: int, k: int) -> tuple[FloatArray, IntArray]:
    return np.full((queries, k), -np.inf, np.float32), np.full((queries, k), -1, np.int64)


def _merge(parts: list[tuple[FloatArray, IntArray]], k: int) -> tuple[FloatArray, IntArray]:
    if len(parts) == 1:
        return parts[0]
    scores = np.concatenate([part[0] for part in parts], axis=1)
    rows = np.concatenate([part[1] for part in parts], axis=1)
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(scores, order, 1), np.take_along_axis(rows, order, 1)
