"""The words of a training that goes on from earlier vectors."""

from __future__ import annotations

import numpy as np

from wordstock._settings import check_type
from wordstock.embeddings import Embeddings
from wordstock.errors import InputError
from wordstock.protocols import IntArray
from wordstock.vocab import Vocabulary

__all__ = ["joined_words"]


def joined_words(corpus: Vocabulary, old: Embeddings, dim: int) -> tuple[Vocabulary, IntArray]:
    """The corpus' words first, then words that only the earlier vectors have.

    Returns
    -------
    The vocabulary, with counts: those of the corpus plus those of the earlier vectors where known; and int64 (words,),
    the old key of each word, -1 for a new one.

    Raises
    ------
    InputError
        Earlier vectors that are none or of another ``dim``, or a corpus without counts.
    """
    check_type("init", old, Embeddings, "Embeddings, such as wordstock.load gives")
    if old.dim != dim:
        raise InputError(f"dim={dim}, but the vectors to continue from have {old.dim}; pass dim={old.dim}")
    if corpus.counts is None:
        raise InputError("the corpus has no word counts")
    words = list(corpus.keys)
    found = np.array([old.vocabulary.find(word) for word in words], np.int64)
    unseen = np.setdiff1d(np.arange(len(old)), found)
    counts = np.concatenate([np.asarray(corpus.counts, np.int64), np.zeros(len(unseen), np.int64)])
    sources = np.concatenate([found, unseen])
    if old.vocabulary.counts is not None:
        counts += np.where(sources >= 0, old.vocabulary.counts[sources], 0)
    keys = [*words, *(old.vocabulary.key(int(number)) for number in unseen)]
    return Vocabulary.from_keys(keys, counts=counts), sources
