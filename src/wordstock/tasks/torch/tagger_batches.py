"""Sentences as padded tensors: words, characters and tags made ready once, put together in any batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from wordstock.protocols import IntArray
from wordstock.tasks.tagging.characters import Characters, character_ids, hashed_fields
from wordstock.tasks.tagging.features import WordVectors
from wordstock.tasks.torch.tagger_network import TaggerBatch

if TYPE_CHECKING:
    from wordstock.encoders.training import TrainableEncoder

__all__ = ["Prepared"]

_POOL = 50  # batches among which sentences are sorted by length, so that little is padding
_WORDS = 8192  # padded words of a batch in inference


class Prepared:
    """Sentences with all that the network is given of them.

    Parameters
    ----------
    sentences : lists of words.
    vectors : their words' vectors, or the encoder that is trained along.
    characters, alphabet : the kind of character features, and the letters that "cnn" knows.
    tags : numbers of each word's tag; None where they are to be found.
    """

    def __init__(
        self,
        sentences: Sequence[Sequence[str]],
        vectors: WordVectors | TrainableEncoder,
        *,
        characters: Characters,
        alphabet: str,
        device: str,
        tags: list[IntArray] | None = None,
    ) -> None:
        self.lengths = np.fromiter(map(len, sentences), np.int64, len(sentences))
        self._device, self._tags, self._vectors = device, tags, vectors
        self._tokens: Any = None if isinstance(vectors, WordVectors) else vectors.tokenize_words(sentences)
        numbers: dict[str, int] = {}
        self._words = [
            np.fromiter((numbers.setdefault(word, len(numbers)) for word in words), np.int64, len(words))
            for words in sentences
        ]
        self._fields: IntArray | None = None
        if characters != "none":
            distinct = list(numbers)
            self._fields = hashed_fields(distinct) if characters == "hashed" else character_ids(distinct, alphabet)

    def batch(self, rows: IntArray) -> TaggerBatch:
        """The sentences ``rows``."""
        lengths = self.lengths[rows]
        longest = int(lengths.max())
        mask = np.arange(longest) < lengths[:, None]
        listed = rows.tolist()
        words = np.concatenate([self._words[row] for row in listed])
        distinct, own = np.unique(words, return_inverse=True)
        places = np.zeros(mask.shape, np.int64)
        places[mask] = own
        tags = None
        if self._tags is not None:
            tags = np.zeros(mask.shape, np.int64)
            tags[mask] = np.concatenate([self._tags[row] for row in listed])
        vectors: Any
        if isinstance(self._vectors, WordVectors):
            vectors = self._tensor(self._vectors.padded(listed, longest))
        else:
            vectors = self._vectors.batch(self._tokens, rows)
        return TaggerBatch(
            vectors,
            None if self._fields is None else self._tensor(self._fields[distinct]),
            self._tensor(places),
            self._tensor(mask),
            None if tags is None else self._tensor(tags),
        )

    def epoch(self, size: int, generator: np.random.Generator) -> Iterator[TaggerBatch]:
        """All sentences once, in random batches of ``size`` of like length."""
        order = generator.permutation(len(self.lengths))
        groups: list[IntArray] = []
        for start in range(0, len(order), size * _POOL):
            pool = order[start : start + size * _POOL]
            pool = pool[np.argsort(self.lengths[pool], kind="stable")]
            groups += [pool[at : at + size] for at in range(0, len(pool), size)]
        for number in generator.permutation(len(groups)):
            yield self.batch(groups[number])

    def ordered(self) -> Iterator[tuple[IntArray, TaggerBatch]]:
        """All sentences by length, as many at once as memory should hold, with their numbers."""
        order = np.argsort(self.lengths, kind="stable")[::-1]
        at = 0
        while at < len(order):
            count = max(1, _WORDS // int(self.lengths[order[at]]))
            rows = order[at : at + count].copy()
            yield rows, self.batch(rows)
            at += count

    def _tensor(self, array: Any) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(self._device)
