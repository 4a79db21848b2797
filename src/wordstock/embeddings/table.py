"""Embeddings: the static table. Storage, vocabulary and norms, composed; an ``Encoder``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, Unpack, overload

import numpy as np
import numpy.typing as npt

from wordstock.embeddings.arrays import check_norms, checked_arrays
from wordstock.embeddings.bridges import bridge
from wordstock.embeddings.card import Card
from wordstock.embeddings.config import EncodeConfig
from wordstock.embeddings.copies import changed_copy, configured, subset_of, with_vectors
from wordstock.embeddings.digest import digest_of, table_digest
from wordstock.embeddings.lookup import Missing, RowLookup, vectors_of
from wordstock.embeddings.native import read_native, write_native
from wordstock.embeddings.query import cosine, find_analogies, find_nearest
from wordstock.embeddings.screen import Screen, ScreenAtNeed
from wordstock.embeddings.search import AnalogyMethod, Neighbor
from wordstock.embeddings.sentence import check_texts, key_frequencies, sif_weights
from wordstock.embeddings.storage import Precision, Storage, quantize
from wordstock.embeddings.texts import Split, encode_sentences, encode_texts, splitter, words_of
from wordstock.errors import InputError
from wordstock.protocols import FloatArray
from wordstock.vocab import KeyView, Subwords, Vocabulary

if TYPE_CHECKING:
    from wordstock.tasks.keras import EmbeddingLayer as KerasLayer
    from wordstock.tasks.keras import KerasOptions
    from wordstock.tasks.torch import EmbeddingLayer, TorchOptions

__all__ = ["Embeddings"]


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
        frequencies: FloatArray | None = None,
        digest: str | None = None,
        path: Path | None = None,
    ) -> None:
        self.vocabulary = vocabulary
        self.storage = storage
        self.card = card or Card()
        self.config = config or EncodeConfig.for_keys(vocabulary.keys)
        self.common = common
        self.subwords = subwords
        self.subword_vectors = subword_vectors
        self.output = output
        self.path = path
        self._screen = ScreenAtNeed()
        if norms is not None:
            self.norms = norms
        self.given_frequencies = frequencies
        if frequencies is not None:
            self.frequencies = frequencies
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
        vocabulary, storage = checked_arrays(keys, vectors, rows, counts)
        table = cls(vocabulary, storage, card=card, config=config)
        table.check_finite()
        return table

    def check_finite(self) -> None:
        """Refuse NaN and infinity.

        Raises
        ------
        InputError
            Names the first such key.
        """
        check_norms(self.vocabulary, self.norms)

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

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys)

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and self.lookup[key] >= 0

    def __repr__(self) -> str:
        name = f"{self.card.name!r}, " if self.card.name else ""
        return f"Embeddings({name}{len(self):,} keys, dim {self.dim}, {self.storage.precision})"

    @cached_property
    def norms(self) -> FloatArray:
        """Euclidean length of every row, float32 (rows,)."""
        return self.storage.norms()

    @cached_property
    def inverse_norms(self) -> FloatArray:
        """1 / norm of every row, 0 for a zero row, float32 (rows,)."""
        norms = self.norms
        return np.divide(1, norms, out=np.zeros_like(norms), where=norms > 0)

    @cached_property
    def digest(self) -> str:
        """SHA-256 over vectors, keys, rows, counts and subwords; kept in a native file's header."""
        return table_digest(self)

    @property
    def fingerprint(self) -> str:
        """Stable hash of vectors, precision and every setting that changes what ``encode`` returns."""
        return digest_of({}, f"{self.digest} {json.dumps(self.config.to_dict(), sort_keys=True)}")

    def verify(self) -> bool:
        """Recompute the digest over all bytes and compare it with the one in the file's header."""
        return table_digest(self) == self.digest

    # Copies that share the vectors -----------------------------------------------------------------------------

    def with_config(self, config: EncodeConfig | None = None, **changes: Any) -> Embeddings:
        """The same vectors with other ``encode`` settings: ``emb.with_config(pooling="mean")``.

        Raises
        ------
        InputError
            An unknown setting or value.
        """
        return configured(self, config, changes)

    def with_card(self, card: Card) -> Embeddings:
        """The same vectors with another card."""
        return changed_copy(self, "norms", "digest", card=card, path=self.path)

    def with_storage(self, storage: Storage, *, subword_vectors: FloatArray | None = None) -> Embeddings:
        """The same keys with other vectors, one per row.

        What belongs to the old vectors does not follow: the output matrix, the components that ``encode`` removes, and
        the n-grams, unless their vectors are given anew, float32 (n_ngrams, dim).

        Raises
        ------
        InputError
            Another number of rows.
        """
        return with_vectors(self, storage, subword_vectors)

    def with_precision(self, precision: Precision) -> Embeddings:
        """The same table with vectors stored as "float32", "float16" or "int8" (one scale per row).

        Raises
        ------
        InputError
            Values that the precision cannot hold.
        """
        storage = quantize(self.storage, precision)
        return self if storage is self.storage else changed_copy(self, storage=storage)

    def with_common(self, common: FloatArray | None) -> Embeddings:
        """The same vectors; ``encode`` then removes these directions (orthonormal float32 (k, dim)) from every text."""
        return changed_copy(self, "norms", common=common)

    def __deepcopy__(self, memo: dict[int, Any]) -> Embeddings:
        return self  # immutable: scikit-learn's clone need not copy the vectors

    def __reduce__(self) -> tuple[Any, ...]:
        if self.path is not None:
            return _reopen, (self.path, self.digest, self.config, self.card)
        return _rebuild, (self.vocabulary, self.storage, self._state())

    def _state(self) -> dict[str, Any]:
        names = ("norms", "card", "config", "common", "subwords", "subword_vectors", "output", "digest")
        return {name: getattr(self, name) for name in names} | {"frequencies": self.given_frequencies}

    # Lookup ----------------------------------------------------------------------------------------------------

    @property
    def screen(self) -> Screen | None:
        """A compact copy for single searches, a quarter of the table's size, made when they turn out to be many.

        None for the first few searches, and for tables too small to need it or too large to keep it.
        """
        return self._screen.asked(self.storage, lambda: self.inverse_norms)

    @cached_property
    def lookup(self) -> RowLookup:
        """Rows of words, remembered once found; casing as ``config`` says."""
        return RowLookup(self.vocabulary, fold=self.config.case == "fallback")

    @overload
    def __getitem__(self, key: str) -> FloatArray: ...
    @overload
    def __getitem__(self, key: Sequence[str]) -> FloatArray: ...
    def __getitem__(self, key: str | Sequence[str]) -> FloatArray:
        """Vector of one key, float32 (dim,); of a list of keys, (n, dim). UnknownWordError if one is not there."""
        if isinstance(key, str):
            return self.storage.row(self.row(key))
        return self.vectors(key)

    def row(self, key: str) -> int:
        """Row of a key in ``storage``. UnknownWordError if it is not there."""
        number = self.vocabulary.require(key, fold=self.config.case == "fallback")
        return self.vocabulary.row(number)

    def vectors(self, keys: Sequence[str], missing: Missing = "raise") -> FloatArray:
        """Vectors of many keys, a new float32 (n, dim) array.

        Parameters
        ----------
        missing : what an unknown key gives: "raise" an UnknownWordError, "zero" a zero row, "subword" the mean of its
            n-grams' vectors, for tables that have them; zeros if it has none of them.

        Raises
        ------
        UnknownWordError
            With ``missing="raise"``; names the first unknown key, near matches, and how many there are.
        InputError
            A key that is not a str, an unknown policy, or "subword" on a table without n-grams.
        """
        return vectors_of(self, [keys] if isinstance(keys, str) else check_texts(keys, "key"), missing)

    # Similarity ------------------------------------------------------------------------------------------------

    def similarity(self, first: str, second: str) -> float:
        """Cosine of two keys, -1 to 1; 0 where one is a zero vector. UnknownWordError if one is not there."""
        return cosine(self, first, second)

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
        self, query: str | Sequence[str] | npt.NDArray[Any], k: int = 10, *, exclude: Iterable[str] = ()
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
        return find_nearest(self, query, k, exclude)

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
        return find_analogies(self, questions, k, method)

    # Encoder ---------------------------------------------------------------------------------------------------

    @cached_property
    def frequencies(self) -> FloatArray:
        """Each key's share of the training corpus, float32 (n_keys,).

        From the counts; without counts, Zipf's law by rank. A subset keeps the shares that its keys had.
        """
        return key_frequencies(self.vocabulary)

    @cached_property
    def row_weights(self) -> FloatArray:
        """Weight of each row in the mean of a text, float32 (rows,); empty where all weigh alike."""
        if self.config.pooling == "mean":
            return np.empty(0, np.float32)
        return sif_weights(self.frequencies, self.vocabulary.rows, len(self.storage), self.config.sif_a)

    @cached_property
    def _split(self) -> Split:
        return splitter(self.vocabulary, self.config)

    def tokenize(self, text: str) -> list[str]:
        """The words of ``text`` as ``encode`` looks them up: the tokeniser's, phrases joined if ``config`` says so.

        Raises
        ------
        InputError
            Something that is not a str, or a splitter that is not registered.
        """
        return self._split(*check_texts([text]))

    @overload
    def encode(self, texts: str) -> FloatArray: ...
    @overload
    def encode(self, texts: Sequence[str]) -> FloatArray: ...
    def encode(self, texts: str | Sequence[str]) -> FloatArray:
        """One vector per text, float32 (n, dim); (dim,) for a single str.

        The mean of the known words' vectors, weighted as ``config`` says, and with ``unknown="subword"`` of the others'
        n-grams. A text without a known word, an empty one included, becomes a zero vector, and one warning counts them.

        Raises
        ------
        InputError
            An item that is not a str.
        """
        return encode_texts(self, texts, self._split)

    def encode_words(self, sentences: Sequence[str | Sequence[str]]) -> list[FloatArray]:
        """One float32 (n_words, dim) array per sentence; an unknown word gives its subwords' vector, or zeros.

        A sentence is a str, which is split as ``tokenize`` does, or a list of words. Of these, one that is no key is
        taken as the tokeniser normalises it (NFC, casing, digits): a table of lower-case words finds "The".

        Raises
        ------
        InputError
            A str instead of a list of sentences, or a word that is not a str.
        """
        return encode_sentences(self, sentences)

    def words(self, sentence: str | Sequence[str]) -> list[str]:
        """The words of one sentence as ``encode_words`` looks them up, in order.

        Raises
        ------
        InputError
            A word that is not a str.
        """
        return words_of(self, sentence, self._split)

    # Layers ----------------------------------------------------------------------------------------------------

    def to_torch(self, trainable: bool | int = False, **options: Unpack[TorchOptions]) -> EmbeddingLayer:
        """A PyTorch module that gives these vectors for the numbers of words; see ``wordstock.tasks.torch``.

        Parameters
        ----------
        trainable : False, True, or a number of training steps after which the vectors begin to learn.
        options : ``unknown``, ``dtype``, ``subwords``, ``sparse``, ``persistent`` and ``max_words``, as
            ``wordstock.tasks.torch.to_torch`` explains them.

        Raises
        ------
        InputError
            A setting that is not known or does not suit the table.
        MissingExtraError
            PyTorch is not installed.
        """
        layer: EmbeddingLayer = bridge("to_torch")(self, trainable, **options)
        return layer

    def to_keras(self, trainable: bool = False, **options: Unpack[KerasOptions]) -> KerasLayer:
        """A Keras 3 layer that gives these vectors for the numbers of words; see ``wordstock.tasks.keras``.

        Parameters
        ----------
        trainable : whether the vectors learn.
        options : ``unknown``, ``mask_zero``, ``dtype`` and ``name``, as
            ``wordstock.tasks.keras.to_keras`` explains them.

        Raises
        ------
        InputError
            A setting that is not known or does not suit the table.
        MissingExtraError
            Keras or its backend is not installed.
        """
        layer: KerasLayer = bridge("to_keras")(self, trainable, **options)
        return layer

    # Other tables ----------------------------------------------------------------------------------------------

    def subset(self, keys: Iterable[str]) -> Embeddings:
        """A new in-memory table of these keys, in this order, each once. UnknownWordError if one is not there."""
        return subset_of(self, keys)

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


def _reopen(path: Path, digest: str, config: EncodeConfig, card: Card) -> Embeddings:
    table = read_native(path)
    if table.digest != digest:
        raise InputError(f"{path} is not the file that was pickled by its path: it has been replaced since")
    if table.config != config:
        table = table.with_config(config)
    return table if table.card == card else table.with_card(card)


def _rebuild(vocabulary: Vocabulary, storage: Storage, state: dict[str, Any]) -> Embeddings:
    return Embeddings(vocabulary, storage, **state)
