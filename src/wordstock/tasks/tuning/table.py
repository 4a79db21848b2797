"""A static table whose rows are tuned: a training of what is added to them, and the table with it added.

Only rows that occur in the training texts can change, so only these are kept: the others are the table's own, which is
neither copied nor read into memory.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, overload

import numpy as np
import numpy.typing as npt

from wordstock.embeddings import Embeddings, Storage
from wordstock.embeddings.digest import digest_of
from wordstock.embeddings.sentence import check_texts
from wordstock.embeddings.text_rows import text_rows
from wordstock.errors import InputError
from wordstock.protocols import FloatArray, IntArray
from wordstock.tasks.tuning.loop import Group

if TYPE_CHECKING:
    import torch

    from wordstock.tasks.tuning.config import Tuning

__all__ = ["TableTuner", "TunedTable"]

LEARNING_RATE = 1e-2


class TunedTable:
    """A table with something added to some of its rows; an ``Encoder``.

    Parameters
    ----------
    base : the table.
    rows : int64 (m,), increasing, the rows that were tuned.
    change : float32 (m, dim), what is added to each of them.
    """

    def __init__(self, base: Embeddings, rows: IntArray, change: FloatArray) -> None:
        self.base, self.rows, self.change = base, rows, change
        self.card = replace(base.card, name=f"{base.card.name} tuned" if base.card.name else "")
        self._plain = base.with_common(None).with_config(unit=False)
        self._place = np.full(len(base.storage) + 1, -1)  # the last place is that of unknown words
        self._place[rows] = np.arange(len(rows))

    @property
    def dim(self) -> int:
        """Length of every vector."""
        return self.base.dim

    @property
    def fingerprint(self) -> str:
        """Stable hash of the table's fingerprint and of what was added."""
        return digest_of({"rows": self.rows, "change": self.change}, self.base.fingerprint)

    def __repr__(self) -> str:
        return f"TunedTable({self.base!r}, {len(self.rows):,} rows changed)"

    def __deepcopy__(self, memo: dict[int, Any]) -> TunedTable:
        return self

    @overload
    def encode(self, texts: str) -> FloatArray: ...
    @overload
    def encode(self, texts: Sequence[str]) -> FloatArray: ...
    def encode(self, texts: str | Sequence[str]) -> FloatArray:
        """As ``Embeddings.encode``, with the changed rows.

        Raises
        ------
        InputError
            An item that is not a str.
        """
        listed = [texts] if isinstance(texts, str) else check_texts(texts)
        out = np.array(self._plain.encode(listed))
        found = text_rows(self.base, listed)
        out += _sums(self._place[found.rows], found.shares, found.bounds, self.change)
        out = finished(out, self.base)
        return out[0] if isinstance(texts, str) else out

    def encode_words(self, sentences: Sequence[str | Sequence[str]]) -> list[FloatArray]:
        """As ``Embeddings.encode_words``, with the changed rows.

        Raises
        ------
        InputError
            As ``Embeddings.encode_words``.
        """
        found = self.base.encode_words(sentences)
        for vectors, sentence in zip(found, sentences, strict=True):
            words = self.base.words(sentence)
            places = self._place[self.base.lookup.rows(words, len(words))]
            vectors[places >= 0] += self.change[places[places >= 0]]
        return found

    def save(self, path: Path | str) -> None:
        """Write the whole table, in float32, as a native file, which ``wordstock.load`` opens.

        Raises
        ------
        StorageError
            The file cannot be written.
        """
        vectors = np.empty((len(self.base.storage), self.dim), np.float32)
        for start, block in self.base.storage.blocks():
            vectors[start : start + len(block)] = block
        vectors[self.rows] += self.change
        table = self.base.with_storage(Storage(vectors), subword_vectors=self.base.subword_vectors)
        table.with_common(self.base.common).with_card(self.card).save(path)


class _Texts(NamedTuple):
    """What a tuner reads of texts: of each the fixed part of its vector, and its tuned rows."""

    lengths: IntArray
    fixed: FloatArray
    places: IntArray
    shares: FloatArray
    bounds: IntArray


class _Words(NamedTuple):
    """Words of texts as numbers of distinct words."""

    lengths: IntArray
    ids: IntArray
    bounds: IntArray
    vectors: FloatArray  # of each distinct word
    places: IntArray  # the tuned row of each, or one past the last


class TableTuner:
    """Rows of a table as torch parameters.

    Parameters
    ----------
    base : the table.
    texts : whose rows are trained.
    """

    device = "cpu"  # a step reads few rows

    def __init__(self, base: Embeddings, texts: Sequence[str], config: Tuning) -> None:
        import torch

        self.base, self._config = base, config
        self.dim = self.word_dim = base.dim
        self.rows = np.unique(text_rows(base, texts).rows)
        if not len(self.rows):
            raise InputError(f"none of the {len(texts)} texts holds a word of {base!r}; there is nothing to tune")
        self._place = np.full(len(base.storage) + 1, len(self.rows), np.int64)
        self._place[self.rows] = np.arange(len(self.rows))
        self._plain = base.with_common(None).with_config(unit=False)
        self.module: Any = torch.nn.Module()
        self.module.change = torch.nn.Parameter(torch.zeros(len(self.rows), base.dim))
        self._common = None if base.common is None else torch.from_numpy(np.array(base.common))

    def groups(self, steps: int = 1) -> list[Group]:
        """One, with decay towards the rows as they were; its rate does not depend on the number of steps."""
        rate = self._config.learning_rate or LEARNING_RATE
        return [Group([self.module.change], rate, self._config.weight_decay)]

    def read(self, texts: Sequence[str]) -> _Texts:
        """Read texts once, for ``vectors``."""
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".*hold no word of the vocabulary")  # fit has said so already
            fixed = self._plain.encode(list(texts))
        found = text_rows(self.base, texts)
        return _Texts(np.diff(found.bounds), fixed, self._place[found.rows], found.shares, found.bounds)

    def vectors(self, read: _Texts, rows: IntArray) -> torch.Tensor:
        """What ``encode`` gives, with gradients, float32 (n, dim)."""
        import torch

        words = np.concatenate([np.arange(read.bounds[row], read.bounds[row + 1]) for row in rows])
        counts = read.lengths[rows]
        words = words.astype(np.int64)
        places, shares = torch.from_numpy(read.places[words]), torch.from_numpy(read.shares[words])
        text = torch.from_numpy(np.repeat(np.arange(len(rows)), counts))
        known = places < len(self.rows)  # texts that are held out have rows of their own
        moved = self.module.change[places[known]] * shares[known, None]
        out = torch.from_numpy(read.fixed[rows]).index_add(0, text[known], moved)
        if self._common is not None:
            out = out - (out @ self._common.T) @ self._common
        return torch.nn.functional.normalize(out, dim=1) if self.base.config.unit else out

    def read_words(self, texts: Sequence[str]) -> _Words:
        """Read texts once, for ``words``."""
        listed = [self.base.words(text) for text in texts]
        distinct = {word: number for number, word in enumerate(dict.fromkeys(word for one in listed for word in one))}
        ids = np.array([distinct[word] for one in listed for word in one], np.int64)
        lengths = np.array([len(one) for one in listed], np.int64)
        vectors = self.base.encode_words([list(distinct)])[0]
        places = self._place[self.base.lookup.rows(distinct, len(distinct))]
        return _Words(lengths, ids, np.concatenate([[0], np.cumsum(lengths)]), vectors, places)

    def words(self, read: _Words, rows: IntArray) -> tuple[torch.Tensor, torch.Tensor]:
        """Vectors of words, float32 (n, words, dim), and a mask, bool (n, words)."""
        import torch

        longest = max(1, int(read.lengths[rows].max()))
        column = np.arange(longest)
        mask = column < read.lengths[rows, None]
        ids = np.zeros(mask.shape, np.int64)
        ids[mask] = read.ids[(read.bounds[rows, None] + column)[mask]]
        fixed = torch.zeros(*mask.shape, self.dim)
        places = np.full(mask.shape, len(self.rows))
        if len(read.vectors):
            fixed = torch.from_numpy(read.vectors[ids])
            places[mask] = read.places[ids[mask]]
        # What follows the last row stands for padding and for rows that are not tuned.
        padded = torch.cat([self.module.change, self.module.change.new_zeros(1, self.dim)])
        return fixed + padded[torch.from_numpy(places)], torch.from_numpy(mask)

    def tensors(self) -> dict[str, npt.NDArray[Any]]:
        """What a saved classifier keeps."""
        change = self.module.change.detach().cpu().numpy().astype(np.float32)
        return {"rows": self.rows, "change": np.ascontiguousarray(change)}

    def encoder(self) -> TunedTable:
        """The table with what was learnt."""
        return tuned_table(self.base, self.tensors())


def tuned_table(base: Embeddings, tensors: dict[str, npt.NDArray[Any]]) -> TunedTable:
    """A table and what ``TableTuner.tensors`` gave.

    Raises
    ------
    ValueError
        Tensors that do not fit the table.
    """
    rows, change = tensors["rows"], tensors["change"]
    if rows.dtype != np.int64 or change.dtype != np.float32 or change.shape != (len(rows), base.dim):
        raise ValueError(f"tuned rows {rows.dtype} {rows.shape}, change {change.dtype} {change.shape}")
    if len(rows) and (rows[0] < 0 or rows[-1] >= len(base.storage) or (np.diff(rows) <= 0).any()):
        raise ValueError("tuned rows that the table does not have")
    return TunedTable(base, rows, change)


def finished(vectors: FloatArray, base: Embeddings) -> FloatArray:
    """What ``encode`` does to means: take the common directions out, and scale."""
    if base.common is not None:
        vectors -= (vectors @ base.common.T) @ base.common
    if base.config.unit:
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        vectors = np.divide(vectors, norms, out=np.zeros_like(vectors), where=norms > 0)
    return vectors


def _sums(places: IntArray, shares: FloatArray, bounds: IntArray, change: FloatArray) -> FloatArray:
    """For each text, the sum of its shares of what was added to its rows, float32 (texts, dim)."""
    from scipy.sparse import csr_matrix

    known = places >= 0
    starts = np.concatenate([[0], np.cumsum(known)])[bounds]
    matrix = csr_matrix((shares[known], places[known], starts), shape=(len(bounds) - 1, len(change)))
    return np.asarray(matrix @ change, np.float32)
