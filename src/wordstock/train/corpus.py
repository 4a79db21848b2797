"""What training reads: token ids in shards, whatever the caller has."""

from __future__ import annotations

import errno
import hashlib
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from wordstock._settings import check_type
from wordstock.corpus import corpus_mark, read_blocks
from wordstock.embeddings import EncodeConfig
from wordstock.errors import InputError
from wordstock.protocols import TextBlock
from wordstock.vocab import Vocabulary

__all__ = ["Corpus", "Shards", "TextRecord", "corpus_identity", "opened_corpus", "plan_slices", "text_record"]

IdArray = npt.NDArray[np.int32]
_SMALLEST, _FEWEST = 1000, 64  # positions in a slice, and slices in an epoch
_SAMPLE = 1 << 16  # ids at each end of a shard that its identity is made from


@runtime_checkable
class Shards(Protocol):
    """Token ids on disk or in memory: int32, -1 after each sentence, words numbered by falling count."""

    @property
    def vocabulary(self) -> Vocabulary:
        """Words with counts, the most frequent first."""
        ...

    @property
    def arrays(self) -> list[IdArray]:
        """The ids, one array per shard."""
        ...

    @property
    def n_tokens(self) -> int:
        """Ids of words in all arrays."""
        ...

    @property
    def settings(self) -> dict[str, Any]:
        """How text became words, for the card."""
        ...


Corpus = Shards | PathLike[str] | str | Iterable[str | Sequence[str] | TextBlock]


@contextmanager
def opened_corpus(corpus: Corpus, folder: Path | None, options: dict[str, Any]) -> Iterator[Shards]:
    """Shards of a corpus; those made here lie in ``folder``, or in a temporary one that goes with the context.

    Parameters
    ----------
    corpus : shards, the folder they are in, a file or folder of text, or sentences.
    options : of ``vocab.shards.build_shards``; not for shards.

    Raises
    ------
    InputError
        A single str that is no path, fewer than two words, or no counts.
    FormatError
        A file that is no text.
    """
    from wordstock.vocab.shards import build_shards, open_shards

    if isinstance(corpus, Shards):
        yield _checked(corpus)
        return
    if isinstance(corpus, PathLike):
        corpus = Path(corpus)
    if isinstance(corpus, str | Path):
        if _are_shards(corpus):
            yield _checked(open_shards(corpus))
            return
        corpus, mark = _files(corpus)
        options = {**options, "source": options["source"] or mark}
    check_type("corpus", corpus, Iterable, "shards, a path or an iterable of sentences")
    with tempfile.TemporaryDirectory(prefix="wordstock-shards-") as temporary:
        place = folder / "shards" if folder else Path(temporary)
        yield _checked(build_shards(corpus, place, **options))


def _are_shards(corpus: str | Path) -> bool:
    """Whether it is a folder of shards; a text that can be no path is none."""
    from wordstock.vocab.shards import is_shards

    try:
        return is_shards(corpus)
    except (OSError, ValueError):
        return False


def _files(corpus: str | Path) -> tuple[Iterator[str | TextBlock], str]:
    """The texts of a file or folder, and what tells its present content from another."""
    try:
        return read_blocks(corpus), corpus_mark(corpus)
    except (OSError, ValueError) as error:
        if isinstance(error, InputError) or (
            isinstance(error, OSError) and error.errno not in (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG)
        ):
            raise
        raise InputError(
            f"corpus={str(corpus)!r:.80}: no such file or folder; pass sentences as an iterable of str"
        ) from None


def _checked(shards: Shards) -> Shards:
    words = len(shards.vocabulary)
    if shards.n_tokens == 0:
        raise InputError("the corpus holds no word that is trained on; give more text or lower min_count")
    if words < 2:
        raise InputError(f"the corpus holds {words} different word; training needs at least 2")
    if shards.vocabulary.counts is None:
        raise InputError("the corpus has no word counts; build its shards with wordstock.vocab")
    for array in shards.arrays:
        if len(array) and (int(array.max()) >= words or int(array.min()) < -1):
            low, high = int(array.min()), int(array.max())
            raise InputError(
                f"token ids run from {low} to {high}; with {words} words they must lie from -1 to {words - 1}"
            )
    return shards


def corpus_identity(shards: Shards) -> str:
    """A hash of vocabulary, counts, sizes and the ends of every shard: enough to tell corpora apart, in no time."""
    state = hashlib.sha256()
    vocabulary = shards.vocabulary
    for array in (vocabulary.blob, vocabulary.offsets, vocabulary.counts):
        state.update(np.ascontiguousarray(array).tobytes())
    for ids in shards.arrays:
        state.update(f"{len(ids)} ".encode())
        state.update(ids[:_SAMPLE].tobytes())
        state.update(ids[-_SAMPLE:].tobytes())
    return state.hexdigest()[:32]


class TextRecord(NamedTuple):
    """What a table keeps of how its corpus became words.

    tokenizer : the tokeniser's settings, for the card; empty where the shards tell none.
    corpus : the other settings of the shards; of phrases how they were found and how many pairs, not each of them.
    encode : the settings with which the table turns text into the same words.
    """

    tokenizer: dict[str, Any]
    corpus: dict[str, Any]
    encode: EncodeConfig


def text_record(shards: Shards, vocabulary: Vocabulary) -> TextRecord:
    """The record of shards for a table with the keys of ``vocabulary``.

    Words that came as lists may hold capitals whatever the tokeniser's settings are; text is then not lower-cased.
    """
    settings = dict(shards.settings)
    tokenizer, phrases = settings.pop("tokenizer", None), settings.get("phrases")
    encode = EncodeConfig.for_keys(vocabulary.keys).to_dict()
    if isinstance(tokenizer, dict) and tokenizer:
        cased = encode["tokenizer"]["casing"] == "keep" and tokenizer.get("split", "words") == "words"
        encode["tokenizer"] = tokenizer | ({"casing": "keep"} if cased else {})
    if isinstance(phrases, dict):
        settings["phrases"] = phrases | {"pairs": sum(map(len, phrases.get("pairs", [])))}
        encode["phrases"] = phrases["delimiter"]
    return TextRecord(dict(encode["tokenizer"]) if tokenizer else {}, settings, EncodeConfig.from_dict(encode))


def plan_slices(arrays: Sequence[IdArray], size: int) -> list[tuple[int, int, int]]:
    """(shard, start, stop) of every slice, in corpus order; windows reach across the cuts.

    Slices of a small corpus are smaller than ``size``, so that its learning rate falls in steps that are small too.
    """
    size = min(size, max(_SMALLEST, sum(map(len, arrays)) // _FEWEST))
    return [
        (number, start, min(start + size, len(ids)))
        for number, ids in enumerate(arrays)
        for start in range(0, len(ids), size)
    ]
