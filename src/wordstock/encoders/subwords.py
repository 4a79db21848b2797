"""A model's own tokeniser: texts to token numbers, without padding, truncation or special tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from wordstock._optional import require
from wordstock.encoders.folder import ModelFolder
from wordstock.errors import FormatError, InputError
from wordstock.protocols import IntArray

__all__ = ["SubwordTokenizer", "Tokenized", "open_tokenizer", "refuse_surrogates"]

_PURPOSE = "running a contextual encoder"
_SPACE_MARKS = ("▁", "Ġ")  # a space of its own in SentencePiece's and in byte-level vocabularies


@dataclass(frozen=True)
class Tokenized:
    """Tokens of many texts, one after the other.

    Parameters
    ----------
    ids : int64 (tokens,); text i has ``ids[bounds[i]:bounds[i + 1]]``.
    bounds : int64 (texts + 1,).
    offsets : int64 (tokens, 2), characters of its text that each token stands for, without spaces around them; empty
        where it stands for none. Only where asked for.
    """

    ids: IntArray
    bounds: IntArray
    offsets: IntArray | None = None


class SubwordTokenizer:
    """The tokeniser of a model folder.

    Attributes
    ----------
    prefix, suffix : int64, special tokens that the model wants around a text.

    Raises
    ------
    FormatError
        By itself and ``tokenize``: a token number that the model has no vector for.
    """

    def __init__(self, tokenizer: Any, model: ModelFolder) -> None:
        self._tokenizer, self._model = tokenizer, model
        tokenizer.no_truncation()  # some folders carry both from training
        tokenizer.no_padding()
        probe = tokenizer.encode("a")
        special = np.array(probe.special_tokens_mask, bool)
        inner = np.flatnonzero(~special)
        ids = np.array(probe.ids, np.int64)
        self.prefix: IntArray = ids[: inner[0]] if len(inner) else ids
        self.suffix: IntArray = ids[inner[-1] + 1 :] if len(inner) else ids[:0]
        self._check_numbers(ids)
        self._marks = [number for mark in _SPACE_MARKS if (number := tokenizer.token_to_id(mark)) is not None]

    def tokenize(self, texts: Sequence[str], *, offsets: bool = False, first: int = 0) -> Tokenized:
        """Tokens of each text, in parallel.

        Parameters
        ----------
        first : position of the first text, for messages.

        Raises
        ------
        InputError
            A text with a lone surrogate, which has no UTF-8 form; names its position.
        """
        encode = self._tokenizer.encode_batch if offsets else self._tokenizer.encode_batch_fast
        try:
            encodings = encode(texts, add_special_tokens=False)
        except (TypeError, UnicodeEncodeError):
            refuse_surrogates(texts, first=first)
            raise
        listed = [encoding.ids for encoding in encodings]
        bounds = np.zeros(len(texts) + 1, np.int64)
        np.cumsum(np.fromiter(map(len, listed), np.int64, len(listed)), out=bounds[1:])
        ids = np.fromiter(chain.from_iterable(listed), np.int64, int(bounds[-1]))
        self._check_numbers(ids)
        if not offsets:
            return Tokenized(ids, bounds)
        pairs = chain.from_iterable(chain.from_iterable(encoding.offsets for encoding in encodings))
        places = np.fromiter(pairs, np.int64, 2 * len(ids)).reshape(-1, 2)
        self._trim(places, ids, bounds, texts)
        return Tokenized(ids, bounds, places)

    def pieces(self, ids: IntArray) -> list[str]:
        """How the vocabulary writes each token."""
        return [self._tokenizer.id_to_token(number) for number in ids.tolist()]

    def _check_numbers(self, ids: IntArray) -> None:
        size, highest = self._model.config.get("vocab_size"), int(ids.max(initial=0))
        if isinstance(size, int) and highest >= size:
            raise FormatError(
                self._model.weights_folder,
                expected=f"token numbers below {size:,}, the vocab_size of config.json",
                found=f"{highest:,} for {self._tokenizer.id_to_token(highest)!r}: the tokeniser is of another model",
            )

    def _trim(self, offsets: IntArray, ids: IntArray, bounds: IntArray, texts: Sequence[str]) -> None:
        """Take spaces off both ends of each token's characters; a mark for a space stands for no character.

        Depending on its settings, a byte-level or SentencePiece tokeniser counts the space before a word as the word's,
        or places the mark that it puts before a text on the text's first character.
        """
        if not len(ids):
            return
        is_space, bases = _spaces(texts)
        shift = np.repeat(bases, np.diff(bounds))
        start, stop = offsets[:, 0] + shift, offsets[:, 1] + shift
        while (at := np.flatnonzero((start < stop) & is_space[start])).size:
            start[at] += 1
        while (at := np.flatnonzero((start < stop) & is_space[stop - 1])).size:
            stop[at] -= 1
        marks = np.isin(ids, self._marks)
        stop[marks] = start[marks]
        offsets[:, 0], offsets[:, 1] = start - shift, stop - shift


def open_tokenizer(model: ModelFolder) -> SubwordTokenizer:
    """The tokeniser of a folder: its ``tokenizer.json``, or what transformers builds from the files of older folders.

    Raises
    ------
    MissingExtraError
        The tokenizers library is not installed.
    FormatError
        No tokeniser, or a damaged one.
    """
    library = require("tokenizers", extra="encoders", purpose=_PURPOSE)
    path = model.weights_folder / "tokenizer.json"
    if path.is_file():
        try:
            tokenizer = library.Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises nothing narrower
            raise FormatError(path, expected="a tokeniser", found=f"{error!s:.200}") from error
    else:
        tokenizer = _converted(model.weights_folder)
    if model.layout.lower_case:
        normalizers = library.normalizers
        before = [] if tokenizer.normalizer is None else [tokenizer.normalizer]
        tokenizer.normalizer = normalizers.Sequence([normalizers.Lowercase(), *before])
    return SubwordTokenizer(tokenizer, model)


def _converted(folder: Path) -> Any:
    transformers = require("transformers", extra="encoders", purpose=f"{folder} has no tokenizer.json: converting it")
    sources = ("vocab.txt", "vocab.json", "sentencepiece.bpe.model")
    problem = f"none of {', '.join(sources)} either"
    if any((folder / name).is_file() for name in sources):
        try:
            slow = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
            return slow.backend_tokenizer
        except (OSError, ValueError, TypeError, KeyError, AttributeError, ImportError) as error:
            problem = f"transformers cannot build one: {' '.join(str(error).split()):.200}"
    raise FormatError(folder, expected="tokenizer.json", found=problem, remedy="fetch or save the model again")


def refuse_surrogates(texts: Sequence[str], what: str = "text", *, first: int = 0) -> None:
    """Refuse texts with a lone surrogate, which have no UTF-8 form.

    Parameters
    ----------
    what : what they are called, and ``first`` the position of the first one, in messages.

    Raises
    ------
    InputError
        Names the text's position, the surrogate and its place.
    """
    for position, text in enumerate(texts, first):
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise InputError(
                f"{what} at position {position} holds a lone surrogate, U+{ord(text[error.start]):04X}, as character "
                f"{error.start}: it has no UTF-8 form; replace it, for instance by "
                "text.encode('utf-16', 'surrogatepass').decode('utf-16', 'replace')"
            ) from None


def _spaces(texts: Sequence[str]) -> tuple[npt.NDArray[np.bool_], IntArray]:
    """Whether each character of the joined texts is a space, and where in them each text starts."""
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    points = np.frombuffer("".join(texts).encode("utf-32-le"), np.uint32)
    known = np.unique(points)
    blank = known[[chr(point).isspace() for point in known.tolist()]] if len(known) else known
    padded = np.append(np.isin(points, blank), False)  # an empty place at the very end may be looked at
    return padded, np.cumsum(lengths) - lengths
