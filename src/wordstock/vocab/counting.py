"""Count the words of a corpus, in parallel and within a memory limit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from wordstock._paths import user_path
from wordstock._settings import check_whole
from wordstock.text import Tokenizer
from wordstock.vocab.batches import Sentences
from wordstock.vocab.numbering import Numbering
from wordstock.vocab.vocabulary import Vocabulary

__all__ = ["check_counting", "count_words"]


def count_words(
    sentences: Sentences,
    *,
    min_count: int = 1,
    max_size: int | None = None,
    tokenizer: Tokenizer | None = None,
    memory_limit: int = 1 << 30,
    scratch: Path | str | None = None,
    progress: Callable[[int], object] | None = None,
) -> Vocabulary:
    """The words of a corpus with their counts, the most frequent first, equal counts by ascending bytes.

    Parameters
    ----------
    sentences : a str is tokenised, a sequence of str taken as words, a ``TextBlock`` as many lines of text, such as
        ``wordstock.corpus.read_blocks`` gives. Read once. Empty words are skipped; lone
        surrogates, which UTF-8 cannot hold, become U+FFFD.
    min_count : words seen less often are left out.
    max_size : keep this many words at most.
    memory_limit : bytes for the tables of words. What does not fit is spilled to ``scratch`` and merged in the end;
        the vocabulary that is returned must fit in memory beside it, and blocks of text take some 10 MB a thread.
        With 64 MiB and two threads, 1 and 4 million different words took 87 MiB each; pages of the spilled files, which
        are mapped when merged, come on top as long as the system has room for them.
    scratch : folder for spilled words, None = the system's; emptied in the end.
    progress : called after every block of text with the number of words so far.

    Raises
    ------
    InputError
        An empty corpus, no word that is frequent enough, or a sentence that is neither text nor words.
    StorageError
        The disk is full while spilling.
    """
    check_counting(min_count, max_size, memory_limit)
    seen = 0
    place = None if scratch is None else user_path(scratch, "scratch")
    with (
        TemporaryDirectory(prefix="wordstock-", dir=place) as folder,
        Numbering(tokenizer or Tokenizer(), memory_limit=memory_limit, scratch=Path(folder) / "runs") as numbering,
    ):
        for numbered in numbering.number(sentences):
            if progress is not None:
                seen += int((numbered.ids >= 0).sum())
                progress(seen)
        words = numbering.words(min_count=min_count, max_size=max_size)
    return Vocabulary(words.blob, words.offsets, counts=words.counts)


def check_counting(min_count: int, max_size: int | None, memory_limit: int) -> None:
    """Refuse settings of counting that cannot be meant.

    Raises
    ------
    InputError
        A ``min_count``, ``max_size`` or ``memory_limit`` that is no whole number of at least 1.
    """
    check_whole("min_count", min_count, 1)
    check_whole("max_size", max_size, 1, optional=True)
    check_whole("memory_limit", memory_limit, 1)
