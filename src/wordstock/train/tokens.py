"""What may stand for a corpus: finished shards, their folder, or sentences of which shards are made."""

from __future__ import annotations

import importlib
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol, cast

import numpy as np
import numpy.typing as npt

from wordstock.errors import InputError
from wordstock.vocab import Vocabulary

__all__ = ["Corpus", "Tokens", "fingerprint_of", "open_tokens"]


class Tokens(Protocol):
    """Token ids of a corpus, as ``vocab.shards`` keeps them."""

    @property
    def vocabulary(self) -> Vocabulary:
        """Keys with counts, most frequent first."""

    @property
    def arrays(self) -> Sequence[npt.NDArray[np.int32]]:
        """Ids, -1 after each sentence."""

    @property
    def n_tokens(self) -> int:
        """Ids >= 0 over all arrays."""

    @property
    def settings(self) -> dict[str, Any]:
        """How the text became ids."""


Corpus = Tokens | Path | str | Iterable[str | Sequence[str]]


@contextmanager
def open_tokens(corpus: Corpus, folder: Path | None, **settings: Any) -> Iterator[Tokens]:
    """The tokens of a corpus.

    Parameters
    ----------
    corpus : shards, a folder of shards (a path or str), or an iterable of sentences, each a str or a list of words.
    folder : where shards of sentences are kept; None uses a temporary folder.
    settings : handed to ``build_shards``.

    Raises
    ------
    InputError
        Not a corpus, or one without words.
    """
    if hasattr(corpus, "arrays") and hasattr(corpus, "vocabulary"):
        yield _checked(cast(Tokens, corpus))
        return
    if isinstance(corpus, str | Path) and not Path(corpus).is_dir():
        raise InputError(f"{str(corpus)!r} is not a folder of shards; give one, or an iterable of sentences")
    if not isinstance(corpus, str | Path | Iterable):
        raise InputError(f"a corpus is shards, a folder of them or an iterable of sentences, not {type(corpus)}")
    shards = importlib.import_module("wordstock.vocab.shards")
    if isinstance(corpus, str | Path):
        yield _checked(shards.open_shards(Path(corpus)))
        return
    if folder is not None:
        yield _checked(shards.build_shards(corpus, folder, **settings))
        return
    with TemporaryDirectory(prefix="wordstock-shards-") as temporary:
        yield _checked(shards.build_shards(corpus, Path(temporary), **settings))


def _checked(tokens: Tokens) -> Tokens:
    if not len(tokens.vocabulary) or not tokens.n_tokens:
        raise InputError("the corpus has no words left to train on: it is empty, or every word is under min_count")
    return tokens


def fingerprint_of(tokens: Tokens) -> str:
    """A checksum of the ids and the keys."""
    value = zlib.crc32(np.ascontiguousarray(tokens.vocabulary.blob).data)
    for array in tokens.arrays:
        value = zlib.crc32(np.ascontiguousarray(array).data, value)
    return f"{tokens.n_tokens}-{value:08x}"
