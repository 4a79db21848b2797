"""Agreement of a table's cosines with human judgements of similarity."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from wordstock._settings import check_whole
from wordstock.embeddings import Embeddings
from wordstock.evaluate.correlation import DoubleArray, bootstrap_spearman, pearson, spearman
from wordstock.evaluate.lookup import Case, KeyLookup
from wordstock.evaluate.sets import SimilaritySet
from wordstock.protocols import IntArray

__all__ = ["SimilarityResult", "evaluate_similarity"]


@dataclass(frozen=True)
class SimilarityResult:
    """Correlations between cosines and human scores.

    A pair with an out-of-vocabulary word is dropped for ``spearman``, ``pearson`` and ``interval``, and is given the
    cosine 0 for ``spearman_all`` and ``pearson_all``; gensim calls the latter ``dummy4unknown``. Correlations are None
    where they are undefined: fewer than two pairs, or one side constant. With no word in the vocabulary ``covered`` is
    0 and every correlation None.

    Parameters
    ----------
    pairs, covered : number of pairs, and of those whose words are both in the vocabulary.
    interval : 95 % bootstrap interval of ``spearman``; None where that is None or no resamples were asked for.
    oov_words : the words that are not in the vocabulary, sorted.
    """

    name: str
    pairs: int
    covered: int
    spearman: float | None
    pearson: float | None
    interval: tuple[float, float] | None
    spearman_all: float | None
    pearson_all: float | None
    oov_words: tuple[str, ...]

    @property
    def coverage(self) -> float:
        """Share of pairs whose words are both in the vocabulary."""
        return self.covered / self.pairs

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values, for JSON."""
        return {"kind": "similarity", **asdict(self), "coverage": self.coverage}


def evaluate_similarity(
    embeddings: Embeddings,
    dataset: SimilaritySet,
    *,
    case: Case = "fold",
    subwords: bool = False,
    seed: int = 0,
    resamples: int = 1000,
) -> SimilarityResult:
    """Correlate cosines with a set's scores.

    Repeated pairs count as often as they occur. With ``case="fold"`` and a sorted table the correlations equal those of
    gensim's ``evaluate_word_pairs`` with ``restrict_vocab`` at the size of the table.

    Parameters
    ----------
    case : "fold" compares in upper case, the first key winning; "exact" keeps case apart.
    subwords : whether an unknown word takes the mean of its n-grams' vectors and counts as covered.
    seed, resamples : of the bootstrap; 0 resamples skip it.

    Raises
    ------
    InputError
        An unknown ``case``, negative resamples, or ``subwords`` on a table without n-grams.
    """
    check_whole("resamples", resamples, 0)
    check_whole("seed", seed, 0)
    words = sorted({word for pair in dataset.pairs for word in pair})
    lookup = KeyLookup(embeddings.vocabulary, words, case=case, size=len(embeddings))
    numbers = np.array([lookup.number(word) for word in words], np.int64)
    place = {word: i for i, word in enumerate(words)}
    pairs = np.array([(place[first], place[second]) for first, second in dataset.pairs], np.int64)
    unit, same = _unit_vectors(embeddings, words, numbers, subwords)
    known = (numbers >= 0) | subwords
    covered = known[pairs].all(axis=1)
    cosines = np.where(covered, _cosines(unit, same[pairs]), 0.0)
    scores = np.array(dataset.scores, np.float64)
    x, y = cosines[covered], scores[covered]
    return SimilarityResult(
        name=dataset.name,
        pairs=len(pairs),
        covered=int(covered.sum()),
        spearman=spearman(x, y),
        pearson=pearson(x, y),
        interval=bootstrap_spearman(x, y, resamples=resamples, seed=seed),
        spearman_all=spearman(cosines, scores),
        pearson_all=pearson(cosines, scores),
        oov_words=tuple(word for word, number in zip(words, numbers.tolist(), strict=True) if number < 0),
    )


def _unit_vectors(
    embeddings: Embeddings, words: list[str], numbers: IntArray, subwords: bool
) -> tuple[DoubleArray, IntArray]:
    """Vectors of length 1, float64, and the line of each word among them: words of one row share a line."""
    rows = numbers if embeddings.vocabulary.rows is None else np.append(embeddings.vocabulary.rows, -1)[numbers]
    unknown = np.flatnonzero(numbers < 0)
    lines = rows.astype(np.int64)
    lines[unknown] = -1 - unknown  # an unknown word is equal to itself only
    used, first, same = np.unique(lines, return_index=True, return_inverse=True)
    vectors = np.zeros((len(used), embeddings.dim))
    in_table = used >= 0
    vectors[in_table] = embeddings.storage.take(used[in_table])
    if subwords:
        missing = [words[i] for i in first[~in_table]]
        vectors[~in_table] = embeddings.vectors(missing, "subword")
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.divide(vectors, norms, out=np.zeros_like(vectors), where=norms > 0), same.reshape(-1)


def _cosines(unit: DoubleArray, pairs: IntArray) -> DoubleArray:
    """Cosine of each pair of lines; equal pairs, in either order, get equal bits, so that they tie in rank."""
    distinct, back = np.unique(np.sort(pairs, axis=1), axis=0, return_inverse=True)
    values: DoubleArray = np.einsum("ij,ij->i", unit[distinct[:, 0]], unit[distinct[:, 1]])
    itself = (distinct[:, 0] == distinct[:, 1]) & (values > 0)
    values[itself] = 1.0
    return values[back.reshape(-1)]
