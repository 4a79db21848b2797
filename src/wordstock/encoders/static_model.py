"""A model in the layout of model2vec as an ``Encoder``: its own pieces of words, its own vectors of texts.

Such a model is a table, but one of word pieces; its tokeniser belongs to it. github.com/MinishLab/model2vec.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import cached_property
from itertools import chain
from pathlib import Path
from statistics import median
from typing import Any, overload

import numpy as np

from wordstock._optional import require
from wordstock._paths import user_path
from wordstock.embeddings import Card, Embeddings
from wordstock.embeddings.digest import digest_of
from wordstock.embeddings.sentence import check_texts, each_sentence, pool_texts, warn_blank
from wordstock.encoders.subwords import refuse_surrogates
from wordstock.errors import FormatError, InputError
from wordstock.formats.model2vec import read_model2vec, read_settings
from wordstock.protocols import FloatArray, IntArray
from wordstock.text import Tokenizer

__all__ = ["StaticModel", "open_static_model"]

_CHUNK = 8192  # texts tokenised at once
_MAX_LENGTH = 512  # tokens, where config.json says nothing, as in model2vec
_EVEN = np.empty(0, np.float32)  # no weights: plain means


class StaticModel:
    """Means of word pieces' vectors; open one with ``wordstock.load`` or ``open_static_model``.

    Attributes
    ----------
    table : the pieces as keys, for look-ups and neighbours.
    card : name, licence and source.
    max_length : tokens of a text that are read, None for all.

    Raises
    ------
    InputError
        A tokeniser without any pieces.
    """

    def __init__(
        self, table: Embeddings, description: str, *, max_length: int | None, card: Card | None = None
    ) -> None:
        tokenizers = require("tokenizers", extra="static", purpose="a model in the layout of model2vec")
        self.table, self.card, self.max_length = table, card or table.card, max_length
        self._pieces = tokenizers.Tokenizer.from_str(description)
        self._pieces.no_padding()
        self._pieces.no_truncation()
        self._described = hashlib.sha256(description.encode()).hexdigest()
        self._words = Tokenizer(casing="keep")
        vocabulary = self._pieces.get_vocab()
        if not vocabulary:
            raise InputError("the tokeniser knows no pieces of words, and no text can be read with it")
        self._rows = _rows(vocabulary, table, _unknown(self._pieces))
        self._characters = None if max_length is None else max_length * int(median(map(len, vocabulary)))

    # Size and identity -----------------------------------------------------------------------------------------

    @property
    def dim(self) -> int:
        """Length of every vector."""
        return self.table.dim

    @cached_property
    def fingerprint(self) -> str:
        """Stable hash of vectors, tokeniser and settings."""
        return digest_of({}, f"{self.table.fingerprint} {self._described} {self.max_length}")

    def __repr__(self) -> str:
        name = f"{self.card.name!r}, " if self.card.name else ""
        return f"StaticModel({name}{len(self.table):,} pieces, dim {self.dim})"

    def __deepcopy__(self, memo: dict[int, Any]) -> StaticModel:
        return self  # immutable: scikit-learn's clone need not copy the vectors

    # Encoder ---------------------------------------------------------------------------------------------------

    @overload
    def encode(self, texts: str) -> FloatArray: ...
    @overload
    def encode(self, texts: Sequence[str]) -> FloatArray: ...
    def encode(self, texts: str | Sequence[str]) -> FloatArray:
        """One vector per text, float32 (n, dim); (dim,) for a single str; the same as model2vec's.

        A text without a known piece, an empty one included, becomes a zero vector, and one warning counts them. As in
        model2vec a text is read up to ``max_length`` tokens, and to so many characters as such a number of tokens has
        in the middle.

        Raises
        ------
        InputError
            An item that is not a str or holds a lone surrogate, with its position.
        """
        listed = [texts] if isinstance(texts, str) else check_texts(texts)
        cut = listed if self._characters is None else [text[: self._characters] for text in listed]
        out, blank = self._means(cut, self.max_length)
        if self.table.config.unit:
            norms = np.linalg.norm(out, axis=1, keepdims=True)
            np.divide(out, norms, out=out, where=norms > 0)
        warn_blank(blank, len(listed))
        return out[0] if isinstance(texts, str) else out

    def encode_words(self, sentences: Sequence[str | Sequence[str]]) -> list[FloatArray]:
        """One float32 (n_words, dim) array per sentence: of each word the mean of its pieces, zeros if all are unknown.

        A sentence is a list of words, or a str, which is split into words and punctuation marks.

        Raises
        ------
        InputError
            A single str, or a word that is not a str or holds a lone surrogate, with its position.
        """
        words = each_sentence(sentences, self._checked)
        distinct = {word: number for number, word in enumerate(dict.fromkeys(chain.from_iterable(words)))}
        vectors, _ = self._means(list(distinct), None)
        return [vectors[np.array([distinct[word] for word in sentence], np.int64)] for sentence in words]

    def _checked(self, sentence: str | Sequence[str]) -> list[str]:
        words = self._words(sentence) if isinstance(sentence, str) else check_texts(sentence, "word")
        refuse_surrogates(words, "word")
        return words

    def _means(self, texts: list[str], most: int | None) -> tuple[FloatArray, IntArray]:
        """Mean of each text's pieces, and the texts that have none."""
        out = np.zeros((len(texts), self.dim), np.float32)
        blank = []
        for start in range(0, len(texts), _CHUNK):
            part = texts[start : start + _CHUNK]
            ids = [found[:most] for found in self._ids(part, start)]
            bounds = np.zeros(len(part) + 1, np.int64)
            np.cumsum(np.fromiter(map(len, ids), np.int64, len(part)), out=bounds[1:])
            rows = self._rows[np.fromiter(chain.from_iterable(ids), np.int64, int(bounds[-1]))]
            pool_texts(self.table.storage, rows, _EVEN, bounds, out[start : start + len(part)])
            known = np.concatenate([[0], np.cumsum(rows >= 0)])
            blank.append(start + np.flatnonzero(known[bounds[1:]] == known[bounds[:-1]]))
        return out, np.concatenate(blank) if blank else np.empty(0, np.int64)

    def _ids(self, texts: list[str], first: int) -> list[list[int]]:
        try:
            return [found.ids for found in self._pieces.encode_batch_fast(texts, add_special_tokens=False)]
        except (TypeError, UnicodeEncodeError):
            refuse_surrogates(texts, first=first)
            raise


def open_static_model(folder: Path | str, *, card: Card | None = None) -> StaticModel:
    """Open a folder in the layout of model2vec.

    Raises
    ------
    FormatError
        A file is missing or damaged.
    MissingExtraError
        The library ``tokenizers`` is not installed.
    """
    folder = user_path(folder, "folder")
    table, settings = read_model2vec(folder), read_settings(folder)
    most = settings.get("max_length", _MAX_LENGTH)
    if most is not None and (not isinstance(most, int) or isinstance(most, bool) or most < 1):
        raise FormatError(folder / "config.json", expected="max_length as a positive number or null", found=repr(most))
    path = folder / "tokenizer.json"
    try:
        return StaticModel(table, path.read_text(encoding="utf-8"), max_length=most, card=card)
    except ImportError:
        raise
    except Exception as error:  # what the library raises of a file it cannot use
        raise FormatError(path, expected="a tokeniser", found=f"{error!r:.200}") from error


def _unknown(pieces: Any) -> int | None:
    """The id of unknown pieces, which take no part in the mean."""
    if hasattr(pieces.model, "unk_token"):
        token = pieces.model.unk_token
        return None if token is None else pieces.token_to_id(token)
    unknown = json.loads(pieces.to_str())["model"].get("unk_id")  # Unigram
    return None if unknown is None else int(unknown)


def _rows(vocabulary: dict[str, int], table: Embeddings, unknown: int | None) -> IntArray:
    """Row of each id in the table, -1 for what has none; int64 (largest id + 1,)."""
    rows = np.full(max(vocabulary.values(), default=-1) + 1, -1, np.int64)
    rows[list(vocabulary.values())] = table.lookup.rows(vocabulary, len(vocabulary))
    if unknown is not None:
        rows[unknown] = -1
    return rows
