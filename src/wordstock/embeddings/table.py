"""Embeddings: the static table. Storage, vocabulary and norms, composed; an ``Encoder``."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Self, overload

import numpy as np
import numpy.typing as npt

from wordstock.embeddings.card import Card
from wordstock.embeddings.config import EncodeConfig
from wordstock.embeddings.native import read_native, write_native
from wordstock.embeddings.search import AnalogyMethod, Neighbor, top_k, top_k_analogies
from wordstock.embeddings.sentence import RowLookup, check_texts, sif_weights, text_means, warn_blank
from wordstock.embeddings.storage import Precision, Storage
from wordstock.errors import InputError, WordstockError
from wordstock.protocols import FloatArray, IntArray
from wordstock.vocab import KeyView, Subwords, Vocabulary

__all__ = ["Embeddings"]

Missing = Literal["raise", "zero", "subword"]
Query = str | Sequence[str] | npt.NDArray[Any]

_CASE_SAMPLE = 5000  # keys looked at to tell a lower-cased table from a cased one


class Embeddings:
    """Vectors of words, phrases or entities under unique keys; immutable, in memory or memory-mapped.

    Make one with ``wordstock.load``, ``Embeddings.from_arrays`` or a reader of ``wordstock.formats``. Instances may be
    shared between threads; pickling one that was opened from a native file stores its path, not its vectors.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        storage: Storage,
        *,
        norms: FloatArray | None = None,
        card: Card | None = None,
        config: EncodeConfig | None = None,
        common: FloatArray | None = None,
        subwords: Subwords | None = None,
        subword_vectors: FloatArray | None = None,
        output: FloatArray | None = None,
        digest: str | None = None,
        path: Path | None = None,
    ) -> None:
        self.vocabulary = vocabulary
        self.storage = storage
        self.card = card or Card()
        self.config = config or EncodeConfig(tokenizer=replace(EncodeConfig().tokenizer, casing=_casing(vocabulary)))
        self.common = common
        self.subwords = subwords
        self.subword_vectors = subword_vectors
        self.output = output
        self.path = path
        if norms is not None:
            self.norms = norms
        if digest is not None:
            self.digest = digest

    @classmethod
    def from_arrays(
        cls,
        keys: Iterable[str],
        vectors: npt.ArrayLike,
        *,
        rows: npt.ArrayLike | None = None,
        counts: npt.ArrayLike | None = None,
        card: Card | None = None,
        config: EncodeConfig | None = None,
    ) -> Self:
        """Build a table from keys and a matrix.

        Parameters
        ----------
        keys : unique str, most frequent first where that is known.
        vectors : (n_rows, dim) numbers, kept as float32 or float16.
        rows : int (n_keys,), row of each key, where several keys share one; None = key i is row i.
        counts : int (n_keys,), how often each key was seen in training.

        Raises
        ------
        InputError
            Shapes that do not agree, NaN or infinity, a key that is repeated or not a str.
        """
        matrix = np.asarray(vectors)
        if matrix.dtype != np.float16:
            try:
                matrix = np.ascontiguousarray(matrix, np.float32)
            except (TypeError, ValueError) as error:
                raise InputError(f"vectors must be a matrix of numbers: {error}") from error
        if matrix.ndim != 2:
            raise InputError(f"vectors must have two dimensions (keys, dim), not shape {matrix.shape}")
        if matrix.flags.writeable or not matrix.flags.c_contiguous:
            matrix = np.array(matrix, order="C")  # the caller's array stays the caller's
        row_array = None if rows is None else np.array(rows, np.int32)
        count_array = None if counts is None else np.array(counts, np.int64)
        vocabulary = Vocabulary.from_keys(keys, rows=row_array, counts=count_array)
        if row_array is None and len(vocabulary) != len(matrix):
            raise InputError(f"{len(vocabulary)} keys for {len(matrix)} vectors; give one vector per key, or rows=")
        if row_array is not None and len(row_array) and not 0 <= row_array.min() <= row_array.max() < len(matrix):
            raise InputError(f"rows run from {row_array.min()} to {row_array.max()}; there are {len(matrix)} vectors")
        table = cls(vocabulary, Storage(matrix), card=card, config=config)
        table.check_finite()
        return table

    def check_finite(self) -> None:
        """Refuse NaN and infinity.

        Raises
        ------
        InputError
            Names the first such key.
        """
        bad = np.flatnonzero(~np.isfinite(self.norms))
        if len(bad):
            numbers = bad if self.vocabulary.rows is None else np.flatnonzero(self.vocabulary.rows == bad[0])
            key = repr(self.vocabulary.key(int(numbers[0]))) if len(numbers) else f"row {bad[0]}"
            raise InputError(
                f"the vector of {key} holds NaN, infinity or numbers too large for float32 "
                f"({len(bad)} such rows); drop or repair them first"
            )

    # Size and identity -----------------------------------------------------------------------------------------

    @property
    def dim(self) -> int:
        """Length of every vector."""
        return self.storage.dim

    @property
    def keys(self) -> KeyView:
        """The keys in table order."""
        return self.vocabulary.keys

    def __len__(self) -> int:
        return len(self.vocabulary)

    def __contains__(self, key: object) -> bool:
        return key in self.vocabulary

    def __repr__(self) -> str:
        name = f"{self.card.name!r}, " if self.card.name else ""
        return f"Embeddings({name}{len(self):,} keys, dim {self.dim}, {self.storage.precision})"

    @cached_property
    def norms(self) -> FloatArray:
        """Euclidean length of every row, float32 (rows,)."""
        return self.storage.norms()

    @cached_property
    def _inverse_norms(self) -> FloatArray:
        norms = self.norms
        return np.divide(1, norms, out=np.zeros_like(norms), where=norms > 0)

    @cached_property
    def digest(self) -> str:
        """SHA-256 over vectors, keys, rows, counts and subwords; kept in a native file's header."""
        state = hashlib.sha256()
        parts = (
            ("vectors", self.storage.data),
            ("scales", self.storage.scales),
            ("keys", self.vocabulary.blob),
            ("offsets", self.vocabulary.offsets),
            ("rows", self.vocabulary.rows),
            ("counts", self.vocabulary.counts),
            ("common", self.common),
            ("subword", self.subword_vectors),
        )
        for name, array in parts:
            if array is not None:
                state.update(f"{name} {array.dtype.name} {array.shape}\n".encode())
                if array.size:
                    state.update(np.ascontiguousarray(array).data.cast("B"))
        state.update(repr(self.subwords).encode())
        return state.hexdigest()

    @property
    def fingerprint(self) -> str:
        """Stable hash of vectors, precision and every setting that changes what ``encode`` returns."""
        settings = json.dumps(self.config.to_dict(), sort_keys=True)
        return hashlib.sha256(f"{self.digest} {settings}".encode()).hexdigest()

    def verify(self) -> bool:
        """Recompute the digest over all bytes and compare it with the one in the file's header."""
        stored = self.digest
        fresh = self.with_storage(self.storage)
        fresh.common = self.common
        return fresh.digest == stored

    # Copies that share the vectors -----------------------------------------------------------------------------

    def _copy(self, **changes: Any) -> Embeddings:
        values: dict[str, Any] = {
            "card": self.card,
            "config": self.config,
            "common": self.common,
            "subwords": self.subwords,
            "subword_vectors": self.subword_vectors,
            "output": self.output,
        }
        return Embeddings(
            changes.pop("vocabulary", self.vocabulary), changes.pop("storage", self.storage), **(values | changes)
        )

    def with_config(self, config: EncodeConfig | None = None, **changes: Any) -> Embeddings:
        """The same vectors with other ``encode`` settings: ``emb.with_config(pooling="mean")``.

        Raises
        ------
        InputError
            An unknown setting or value.
        """
        config = config or self.config
        try:
            config = replace(config, **changes)
        except TypeError as error:
            known = ", ".join(config.to_dict())
            raise InputError(f"unknown setting in {', '.join(changes)}; known are {known}") from error
        return self._copy(config=config, norms=self.norms, digest=self.digest)

    def with_card(self, card: Card) -> Embeddings:
        """The same vectors with another card."""
        return self._copy(card=card, norms=self.norms, digest=self.__dict__.get("digest"), path=self.path)

    def with_storage(self, storage: Storage) -> Embeddings:
        """The same keys with other vectors, one per row; the output matrix and removed components do not follow.

        Raises
        ------
        InputError
            Another number of rows.
        """
        if len(storage) != len(self.storage):
            raise InputError(f"{len(storage)} vectors for {len(self.storage)} rows; give one per row")
        same = storage.dim == self.dim
        return self._copy(
            storage=storage,
            common=None,
            output=None,
            subwords=self.subwords if same else None,
            subword_vectors=self.subword_vectors if same else None,
        )

    def with_common(self, common: FloatArray | None) -> Embeddings:
        """The same vectors; ``encode`` then removes these directions (orthonormal float32 (k, dim)) from every text."""
        return self._copy(common=common, norms=self.norms)

    def __deepcopy__(self, memo: dict[int, Any]) -> Embeddings:
        return self  # immutable: scikit-learn's clone need not copy the vectors

    def __reduce__(self) -> tuple[Any, ...]:
        if self.path is not None:
            return _reopen, (self.path, self.digest, self.config)
        return _rebuild, (self.vocabulary, self.storage, self._state())

    def _state(self) -> dict[str, Any]:
        names = ("norms", "card", "config", "common", "subwords", "subword_vectors", "output", "digest")
        return {name: getattr(self, name) for name in names}

    # Lookup ----------------------------------------------------------------------------------------------------

    @cached_property
    def _lookup(self) -> RowLookup:
        return RowLookup(self.vocabulary, fold=self.config.case == "fallback")

    @overload
    def __getitem__(self, key: str) -> FloatArray: ...
    @overload
    def __getitem__(self, key: Sequence[str]) -> FloatArray: ...
    def __getitem__(self, key: str | Sequence[str]) -> FloatArray:
        """Vector of one key, float32 (dim,); of a list of keys, (n, dim). UnknownWordError if one is not there."""
        if isinstance(key, str):
            return self.storage.row(self._row(key))
        return self.vectors(key)

    def _row(self, key: str) -> int:
        number = self.vocabulary.require(key, fold=self.config.case == "fallback")
        return self.vocabulary.row(number)

    def vectors(self, keys: Sequence[str], missing: Missing = "raise") -> FloatArray:
        """Vectors of many keys, a new float32 (n, dim) array.

        Parameters
        ----------
        missing : what an unknown key gives: "raise" an UnknownWordError, "zero" a zero row, "subword" the mean of its
            n-grams' vectors, for tables that have them.

        Raises
        ------
        UnknownWordError
            With ``missing="raise"``; names the first unknown key, near matches, and how many there are.
        InputError
            A key that is not a str, an unknown policy, or "subword" on a table without n-grams.
        """
        if missing not in ("raise", "zero", "subword"):
            raise InputError(f"missing={missing!r}: known are 'raise', 'zero', 'subword'")
        if missing == "subword" and self.subwords is None:
            raise InputError(
                "missing='subword' needs a table with n-gram vectors, as fastText trains them; "
                "this one has none: use missing='zero'"
            )
        words = [keys] if isinstance(keys, str) else check_texts(keys, "key")
        rows = self._lookup.rows(words, len(words))
        absent = np.flatnonzero(rows < 0)
        if not len(absent):
            return self.storage.take(rows)
        if missing == "raise":
            hint = f"{len(absent)} of {len(words)} keys are unknown; missing='zero' gives zero rows"
            self.vocabulary.require(words[absent[0]], hint=hint if len(words) > 1 else "")
        out = (
            self.storage.take(np.maximum(rows, 0)) if len(self.storage) else np.zeros((len(rows), self.dim), np.float32)
        )
        out[absent] = 0
        if missing == "subword":
            for position in absent:
                out[position] = self._from_subwords(words[position])
        return out

    def _from_subwords(self, word: str) -> FloatArray:
        if self.subwords is None or self.subword_vectors is None:
            raise WordstockError("a table with subword settings lacks their vectors")
        rows = self.subwords.rows(word)
        return self.subword_vectors[rows].mean(axis=0) if len(rows) else np.zeros(self.dim, np.float32)

    # Similarity ------------------------------------------------------------------------------------------------

    def similarity(self, first: str, second: str) -> float:
        """Cosine of two keys, -1 to 1; 0 where one is a zero vector. UnknownWordError if one is not there."""
        a, b = self._row(first), self._row(second)
        product = float(self.storage.row(a) @ self.storage.row(b))
        scale = float(self.norms[a]) * float(self.norms[b])
        return max(-1.0, min(1.0, product / scale)) if scale else 0.0

    @overload
    def nearest(  # type: ignore[overload-overlap]  # a str is a Sequence[str] too; the first overload wins
        self, query: str, k: int = 10, *, exclude: Iterable[str] = ()
    ) -> list[Neighbor]: ...
    @overload
    def nearest(self, query: Sequence[str], k: int = 10, *, exclude: Iterable[str] = ()) -> list[list[Neighbor]]: ...
    @overload
    def nearest(
        self, query: npt.NDArray[Any], k: int = 10, *, exclude: Iterable[str] = ()
    ) -> list[Neighbor] | list[list[Neighbor]]: ...
    def nearest(
        self, query: Query, k: int = 10, *, exclude: Iterable[str] = ()
    ) -> list[Neighbor] | list[list[Neighbor]]:
        """The k keys with the highest cosine, exactly, best first.

        Parameters
        ----------
        query : a key (which is itself left out), a list of keys, a vector (dim,), or vectors (n, dim).
        exclude : keys to leave out of every result.

        Returns
        -------
        A list of Neighbor for one key or vector; a list of such lists for many. Where several keys share a row, the
        first of them stands for it.

        Raises
        ------
        UnknownWordError
            A key that is not there.
        InputError
            k below 1, or a vector of another length or with NaN.
        """
        if not isinstance(k, int | np.integer) or k < 1:
            raise InputError(f"k={k!r}: needs a whole number of at least 1")
        left_out = {self._row(key) for key in ([exclude] if isinstance(exclude, str) else exclude)}
        if isinstance(query, np.ndarray) and query.dtype.kind not in "UO":
            queries, own = self._query_matrix(query), None
            single = query.ndim == 1
        else:
            words = [query] if isinstance(query, str) else check_texts(query, "key")
            single = isinstance(query, str)
            own = self._lookup.rows(words, len(words))
            for position in np.flatnonzero(own < 0):
                self.vocabulary.require(words[position])
            queries = self.storage.take(own)
        norms = np.linalg.norm(queries, axis=1, keepdims=True)
        queries = np.divide(queries, norms, out=np.zeros_like(queries), where=norms > 0)
        scores, rows = top_k(self.storage, self._inverse_norms, queries, k + len(left_out) + (own is not None))
        skip = [left_out if own is None else left_out | {int(own[i])} for i in range(len(queries))]
        found = self._neighbors(scores, rows, skip, k)
        return found[0] if single else found

    def _query_matrix(self, query: npt.NDArray[Any]) -> FloatArray:
        if query.ndim not in (1, 2) or query.shape[-1] != self.dim:
            raise InputError(
                f"query vectors have shape {query.shape}; this table needs ({self.dim},) or (n, {self.dim})"
            )
        matrix = np.atleast_2d(np.ascontiguousarray(query, np.float32))
        if not np.isfinite(matrix).all():
            raise InputError("query vectors hold NaN or infinity")
        return matrix

    def _neighbors(self, scores: FloatArray, rows: IntArray, skip: Sequence[set[int]], k: int) -> list[list[Neighbor]]:
        vocabulary = self.vocabulary
        first = self._first_keys
        found = []
        for line, row_line, left_out in zip(scores.tolist(), rows.tolist(), skip, strict=True):
            kept = [
                Neighbor(vocabulary.key(row if first is None else int(first[row])), score)
                for score, row in zip(line, row_line, strict=True)
                if row >= 0 and row not in left_out and (first is None or first[row] >= 0)
            ]
            found.append(kept[:k])
        return found

    @cached_property
    def _first_keys(self) -> IntArray | None:
        return None if self.vocabulary.rows is None else _padded(self.vocabulary.first_keys(), len(self.storage))

    def analogy(self, a: str, b: str, c: str, k: int = 5, *, method: AnalogyMethod = "3cosadd") -> list[Neighbor]:
        """``a`` is to ``b`` as ``c`` is to what? The k best keys other than the three, best first.

        Parameters
        ----------
        method : "3cosadd" scores cos(x, b) - cos(x, a) + cos(x, c) (Mikolov et al. 2013); "3cosmul" multiplies
            shifted cosines (Levy & Goldberg 2014).

        Raises
        ------
        UnknownWordError
            A key that is not there.
        """
        return self.analogies([(a, b, c)], k, method=method)[0]

    def analogies(
        self, questions: Sequence[tuple[str, str, str]], k: int = 5, *, method: AnalogyMethod = "3cosadd"
    ) -> list[list[Neighbor]]:
        """``analogy`` for many questions at once; far cheaper than one by one, since shared words are computed once.

        Raises
        ------
        UnknownWordError
            A key that is not there.
        InputError
            k below 1, an unknown method, or a question that is not three keys.
        """
        if not isinstance(k, int | np.integer) or k < 1:
            raise InputError(f"k={k!r}: needs a whole number of at least 1")
        if method not in ("3cosadd", "3cosmul"):
            raise InputError(f"method={method!r}: known are '3cosadd', '3cosmul'")
        for position, question in enumerate(questions):
            if isinstance(question, str) or len(question) != 3:
                raise InputError(f"question at position {position} must be three keys (a, b, c): {question!r:.80}")
        flat = [self._row(word) for question in questions for word in question]
        if not flat:
            return []
        used, positions = np.unique(np.array(flat, np.int64), return_inverse=True)
        triples = positions.reshape(-1, 3).astype(np.int64)
        words = self.storage.take(used) * self._inverse_norms[used, None]
        scores, rows = top_k_analogies(self.storage, self._inverse_norms, words, triples, k + 3, method)
        asked = np.array(flat).reshape(-1, 3).tolist()
        return self._neighbors(scores, rows, [set(question) for question in asked], k)

    # Encoder ---------------------------------------------------------------------------------------------------

    @cached_property
    def _weights(self) -> FloatArray:
        if self.config.pooling == "mean":
            return np.empty(0, np.float32)
        return sif_weights(self.vocabulary, len(self.storage), self.config.sif_a)

    @overload
    def encode(self, texts: str) -> FloatArray: ...
    @overload
    def encode(self, texts: Sequence[str]) -> FloatArray: ...
    def encode(self, texts: str | Sequence[str]) -> FloatArray:
        """One vector per text, float32 (n, dim); (dim,) for a single str.

        The mean of the known words' vectors, weighted as ``config`` says. A text without a known word, an empty one
        included, becomes a zero vector, and one warning counts them.

        Raises
        ------
        InputError
            An item that is not a str.
        """
        listed = [texts] if isinstance(texts, str) else check_texts(texts)
        out, blank = text_means(listed, self.storage, self._lookup, self._weights, self.config)
        if self.common is not None:
            out -= (out @ self.common.T) @ self.common
        if self.config.unit:
            norms = np.linalg.norm(out, axis=1, keepdims=True)
            np.divide(out, norms, out=out, where=norms > 0)
        warn_blank(blank, len(listed))
        return out[0] if isinstance(texts, str) else out

    def encode_words(self, sentences: Sequence[str | Sequence[str]]) -> list[FloatArray]:
        """One float32 (n_words, dim) array per sentence; an unknown word gives its subwords' vector, or zeros.

        A sentence is a list of words, taken as they are, or a str, which the table's tokeniser splits.
        """
        if isinstance(sentences, str):
            raise InputError("encode_words takes a list of sentences; for one sentence pass a list with it")
        policy: Missing = "zero" if self.subwords is None else "subword"
        return [
            self.vectors(self.config.tokenizer(sentence) if isinstance(sentence, str) else sentence, policy)
            for sentence in sentences
        ]

    # Other tables ----------------------------------------------------------------------------------------------

    def subset(self, keys: Iterable[str]) -> Embeddings:
        """A new in-memory table of these keys, in this order. UnknownWordError if one is not there."""
        numbers = np.array([self.vocabulary.require(key) for key in dict.fromkeys(keys)], np.int64)
        rows = numbers if self.vocabulary.rows is None else self.vocabulary.rows[numbers]
        scales = None if self.storage.scales is None else self.storage.scales[rows]
        return self._copy(
            vocabulary=self.vocabulary.select(numbers),
            storage=Storage(self.storage.data[rows], scales),
            output=None if self.output is None else self.output[rows],
        )

    def save(self, path: Path | str, *, precision: Precision | None = None) -> None:
        """Write one native file, atomically; see ``wordstock.embeddings.native`` for its layout.

        Parameters
        ----------
        precision : "float32", "float16" or "int8" (one scale per row); None keeps the table's own.

        Raises
        ------
        StorageError
            The file cannot be written; whatever stood there before is untouched.
        """
        write_native(self, path, precision=precision)


def _casing(vocabulary: Vocabulary) -> Literal["lower", "keep"]:
    sample = vocabulary.keys[:_CASE_SAMPLE]
    return "lower" if all(key == key.lower() for key in sample) else "keep"


def _padded(first: IntArray, size: int) -> IntArray:
    return np.concatenate([first, np.full(size - len(first), -1, np.int64)])


def _reopen(path: Path, digest: str, config: EncodeConfig) -> Embeddings:
    table = read_native(path)
    if table.digest != digest:
        raise InputError(f"{path} is not the file that was pickled by its path: it has been replaced since")
    return table if table.config == config else table.with_config(config)


def _rebuild(vocabulary: Vocabulary, storage: Storage, state: dict[str, Any]) -> Embeddings:
    return Embeddings(vocabulary, storage, **state)
