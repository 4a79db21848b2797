"""The steps from numbered batches to finished shards."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from wordstock.vocab.idfiles import IdFiles
from wordstock.vocab.key_block import take_keys
from wordstock.vocab.manifest import write_manifest
from wordstock.vocab.numbering import Numbered, WordList, nothing_left, top_word
from wordstock.vocab.phrase_pass import join_phrases
from wordstock.vocab.phrases import PhraseSettings
from wordstock.vocab.ranking import rank_words
from wordstock.vocab.streams import count_stream, translate
from wordstock.vocab.wordtable import WordTable

__all__ = ["ShardBuild"]


class Words(Protocol):
    """What numbers words and knows in the end which there were: ``Numbering``, ``KeyedIds``."""

    def words(self, *, min_count: int, max_size: int | None = None) -> WordList:
        """The words in order, and the place of each number there."""
        ...


class ShardBuild:
    """One build: ``write`` everything, then ``finish``.

    Parameters
    ----------
    folder : where the files go; there are none in it yet.
    shard_ids : ids per file, about.
    memory_limit : bytes for counting pairs.
    progress : called after each block with the number of words so far.
    """

    def __init__(
        self, folder: Path, *, shard_ids: int, memory_limit: int, progress: Callable[[int], object] | None
    ) -> None:
        self._folder, self._limit, self._progress = folder, memory_limit, progress
        self._files = IdFiles(folder, shard_ids)

    def write(self, blocks: Iterable[Numbered]) -> None:
        """Write blocks with the numbers they have.

        Raises
        ------
        StorageError
            The disk is full or cannot be written to.
        """
        seen = 0
        for ids, source in blocks:
            self._files.append(ids, source)
            if self._progress is not None:
                seen += int(np.count_nonzero(ids >= 0))
                self._progress(seen)

    def finish(self, given: Words, request: dict[str, Any], source: str, phrases: PhraseSettings | None) -> None:
        """Join phrases, give the words their final numbers, write vocabulary and manifest.

        Raises
        ------
        InputError
            No word, or none that is frequent enough.
        StorageError
            The disk is full or cannot be written to.
        """
        least, most = request["min_count"], request["max_size"]
        settings = dict(request)
        if phrases is None:
            words = given.words(min_count=least, max_size=most)
        else:
            words = given.words(min_count=least)
            translate(self._files, words.numbers, gaps=True)
            learned, table = join_phrases(self._files, words, phrases, self._limit)
            settings["phrases"] = learned.to_dict()
            words = self._recounted(table, least, most)
        tokens, sentences = translate(self._files, words.numbers)
        self._files.finish()
        fields = {
            "source": source,
            "request": request,
            "settings": settings,
            "tokens": tokens,
            "sentences": sentences,
        }
        write_manifest(self._folder, (words.blob, words.offsets, words.counts), self._files.paths, fields)

    def _recounted(self, table: WordTable, min_count: int, max_size: int | None) -> WordList:
        """The words by what is left of each when phrases are joined."""
        counts = count_stream(self._files, len(table)).counts
        if counts.max(initial=0) < min_count:
            raise nothing_left(min_count, top_word(table.blob, table.offsets, counts))
        order = rank_words(table.blob, table.offsets, np.flatnonzero(counts >= min_count), counts)[:max_size]
        places = np.full(len(table), -1, np.int32)
        places[order] = np.arange(len(order), dtype=np.int32)
        return WordList(*take_keys(table.blob, table.offsets, order), counts[order], [places])
