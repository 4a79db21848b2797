"""What a caller asks of a table, checked and turned into rows, and the answer turned into keys."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Sized
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import numpy.typing as npt

from wordstock._settings import check_known, check_whole
from wordstock.embeddings.search import AnalogyMethod, Neighbor, top_k, top_k_analogies
from wordstock.embeddings.sentence import check_keys, check_texts
from wordstock.errors import InputError
from wordstock.protocols import FloatArray, IntArray

if TYPE_CHECKING:
    from wordstock.embeddings.table import Embeddings

__all__ = ["cosine", "find_analogies", "find_nearest"]

_SCREENED = 200  # neighbours up to which a compact copy is worth asking first


def cosine(table: Embeddings, first: str, second: str) -> float:
    """``Embeddings.similarity``."""
    a, b = table.row(first), table.row(second)
    product = float(table.storage.row(a) @ table.storage.row(b))
    scale = float(table.norms[a]) * float(table.norms[b])
    return max(-1.0, min(1.0, product / scale)) if scale else 0.0


def find_nearest(
    table: Embeddings, query: str | Sequence[str] | npt.NDArray[Any], k: int, exclude: Iterable[str]
) -> list[Neighbor] | list[list[Neighbor]]:
    """``Embeddings.nearest``."""
    check_whole("k", k, 1)
    left_out = {table.row(key) for key in ([exclude] if isinstance(exclude, str) else check_keys(exclude))}
    if isinstance(query, np.ndarray) and query.dtype.kind not in "UO":
        queries, own = _query_matrix(query, table.dim), None
        single = query.ndim == 1
    else:
        first: Any = query[0] if isinstance(query, list) and query else None
        if isinstance(first, int | float):
            raise InputError("the query is a list of numbers: pass a numpy array for a vector")
        words = [query] if isinstance(query, str) else check_texts(query, "key")
        single = isinstance(query, str)
        own = table.lookup.rows(words, len(words))
        for position in np.flatnonzero(own < 0):
            table.vocabulary.require(words[position])
        queries = table.storage.take(own)
    norms = np.linalg.norm(queries.astype(np.float64), axis=1, keepdims=True)
    queries = np.divide(queries, norms, out=np.zeros(queries.shape), where=norms > 0).astype(np.float32)
    wanted = k + len(left_out) + (own is not None)
    screen = table.screen if len(queries) == 1 and wanted <= _SCREENED else None
    if screen is not None and wanted < len(table.storage):
        scores, rows = screen.top_k(queries[0], wanted)
    else:
        scores, rows = top_k(table.storage, table.inverse_norms, queries, wanted)
    skip = [left_out if own is None else left_out | {int(own[i])} for i in range(len(queries))]
    found = _neighbors(table, scores, rows, skip, k)
    return found[0] if single else found


def find_analogies(
    table: Embeddings, questions: Sequence[tuple[str, str, str]], k: int, method: AnalogyMethod
) -> list[list[Neighbor]]:
    """``Embeddings.analogies``."""
    check_whole("k", k, 1)
    check_known("method", method, get_args(AnalogyMethod))
    given: object = questions
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise InputError(f"expected a list of questions (a, b, c), not {type(given).__name__}")
    listed: list[Any] = list(given)
    for position, question in enumerate(listed):
        if isinstance(question, str) or not isinstance(question, Sized) or len(question) != 3:
            raise InputError(f"question at position {position} must be three keys (a, b, c): {question!r:.80}")
    asked = np.array([[table.row(word) for word in question] for question in listed], np.int64).reshape(-1, 3)
    if not len(asked):
        return []
    used, positions = np.unique(asked, return_inverse=True)
    words = table.storage.take(used) * table.inverse_norms[used, None]
    triples = positions.reshape(-1, 3).astype(np.int64)
    if method == "3cosadd" and len(triples) <= len(words):  # a sum of cosines is one product: cheaper for few questions
        sums = words[triples[:, 1]] - words[triples[:, 0]] + words[triples[:, 2]]
        scores, rows = top_k(table.storage, table.inverse_norms, sums, k + 3)
    else:
        scores, rows = top_k_analogies(table.storage, table.inverse_norms, words, triples, k + 3, method)
    return _neighbors(table, scores, rows, [set(question) for question in asked.tolist()], k)


def _query_matrix(query: npt.NDArray[Any], dim: int) -> FloatArray:
    if query.ndim not in (1, 2) or query.shape[-1] != dim:
        raise InputError(f"query vectors have shape {query.shape}; this table needs ({dim},) or (n, {dim})")
    if query.dtype.kind not in "fiu":
        raise InputError(f"query vectors must be real numbers, not {query.dtype}")
    with np.errstate(over="ignore"):
        matrix = np.atleast_2d(np.ascontiguousarray(query, np.float32))
    if not np.isfinite(matrix).all():
        raise InputError("query vectors hold NaN or infinity, or numbers too large for float32")
    return matrix


def _neighbors(
    table: Embeddings, scores: FloatArray, rows: IntArray, skip: Sequence[set[int]], k: int
) -> list[list[Neighbor]]:
    """The first k of each line that are not to be skipped, under the first key of each row."""
    vocabulary = table.vocabulary
    first = vocabulary.first_keys(len(table.storage)) if vocabulary.rows is not None else None
    found = []
    for line, row_line, left_out in zip(scores.tolist(), rows.tolist(), skip, strict=True):
        kept = [
            Neighbor(vocabulary.key(row if first is None else int(first[row])), score)
            for score, row in zip(line, row_line, strict=True)
            if row >= 0 and row not in left_out and (first is None or first[row] >= 0)
        ]
        found.append(kept[:k])
    return found
