"""Find and join phrases in files of token ids, where a pair of words is one 64-bit number.

Pairs are counted in hash tables, one per thread, each thread taking the pairs of one residue class of the hash over
the whole corpus; so nothing is merged and the counts are exact. Where the tables would outgrow the memory limit
there are more classes than threads and the ids are read more often.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt

from wordstock._threads import run_slices, thread_count
from wordstock.kernels.pairs import count_pairs, join_pairs, move_pairs, place_pairs
from wordstock.protocols import IntArray
from wordstock.text import Tokenizer
from wordstock.vocab.batches import Batch, Sentences
from wordstock.vocab.folding import Workspace
from wordstock.vocab.idfiles import IdFiles
from wordstock.vocab.numbering import Numbering, WordList
from wordstock.vocab.phrases import Phrases, PhraseSettings
from wordstock.vocab.streams import StreamCounts, count_stream, translate
from wordstock.vocab.wordtable import IdArray, WordTable

__all__ = ["join_phrases", "learn_phrases"]

_PAIR_BYTES = 16
_FIRST_SLOTS = 1 << 16
_SHARD = 1 << 24
_LIMIT = 1 << 30  # bytes that Phrases.learn counts in


def join_phrases(
    files: IdFiles, words: WordList, settings: PhraseSettings, memory_limit: int
) -> tuple[Phrases, WordTable]:
    """Join the phrases of the files' ids in place, pass by pass.

    Returns
    -------
    The phrases, and the table of all words with the phrases after them, whose counts are not kept up.
    """
    table = WordTable.from_words(words.blob, words.offsets, words.counts)
    passes: list[frozenset[tuple[str, str]]] = []
    for _ in range(settings.passes):
        stream = count_stream(files, len(table))
        chosen = _choose(files, table, stream, settings, memory_limit)
        pairs = [(table.word(key >> 32), table.word(key & 0xFFFFFFFF)) for key in chosen.tolist()]
        passes.append(frozenset(pairs))
        if not pairs:
            break
        _join(files, chosen, _add(table, pairs, settings.delimiter), len(table))
    return Phrases(tuple(passes), settings), table


def learn_phrases(sentences: Sentences, settings: PhraseSettings) -> Phrases:
    """See ``Phrases.learn``."""
    with TemporaryDirectory(prefix="wordstock-") as name:
        folder = Path(name)
        files = IdFiles(folder, _SHARD)
        with Numbering(Tokenizer(), memory_limit=_LIMIT, scratch=folder / "runs") as numbering:
            for numbered in numbering.number(sentences):
                files.append(numbered.ids, numbered.source)
            words = numbering.words(min_count=_least(settings), none_is_fine=True)
        translate(files, words.numbers, gaps=True)
        return join_phrases(files, words, settings, _LIMIT)[0]


def _least(settings: PhraseSettings) -> int:
    """A pair seen less often is never joined, and so no pair with a word seen less often."""
    return settings.discount + 1 if settings.score == "word2phrase" else max(1, settings.discount)


def _choose(
    files: IdFiles, table: WordTable, stream: StreamCounts, settings: PhraseSettings, memory_limit: int
) -> IntArray:
    """The pairs to join, int64 ``first << 32 | second``, ascending."""
    least = _least(settings)
    frequent = stream.counts >= least
    if settings.words_only:
        for number in np.flatnonzero(frequent).tolist():
            frequent[number] = any(map(str.isalnum, table.word(number)))
    found = []
    for pairs, counts in _counted(files, frequent, least, memory_limit):
        first, second = stream.counts[pairs >> 32], stream.counts[pairs & 0xFFFFFFFF]
        score = _score(settings, counts.astype(np.float64), first, second, float(stream.words))
        found.append(pairs[score > settings.limit])
    return np.sort(np.concatenate(found))


def _score(
    settings: PhraseSettings, both: npt.NDArray[np.float64], first: IntArray, second: IntArray, total: float
) -> npt.NDArray[np.float64]:
    product = first.astype(np.float64) * second
    if settings.score == "word2phrase":
        score: npt.NDArray[np.float64] = (both - settings.discount) * total / product
    else:
        score = np.log(both * total / product) / -np.log(both / total)
    return score


def _counted(
    files: IdFiles, frequent: npt.NDArray[np.bool_], least: int, memory_limit: int
) -> list[tuple[IntArray, IntArray]]:
    """Pairs seen at least ``least`` times and their counts, one entry per residue class."""
    threads = thread_count()
    share = memory_limit // (2 * threads * _PAIR_BYTES)  # slots; a table and its double live side by side for a moment
    largest = max(_FIRST_SLOTS, 1 << max(0, share.bit_length() - 1))
    parts = threads
    while True:
        full = False
        found: list[tuple[IntArray, IntArray]] = []
        for start in range(0, parts, threads):
            group = range(start, min(start + threads, parts))
            counted = run_slices(
                lambda low, high, group=group, parts=parts: [  # type: ignore[misc]
                    _count_part(files, frequent, group[i], parts, least, largest) for i in range(low, high)
                ],
                len(group),
            )
            results = [result for each in counted for result in each]
            found += [result for result in results if result is not None]
            if full := None in results:
                break
        if not full:
            return found
        parts *= 2


def _count_part(
    files: IdFiles, frequent: npt.NDArray[np.bool_], part: int, parts: int, least: int, largest: int
) -> tuple[IntArray, IntArray] | None:
    """The pairs of one class, or None if they do not fit in ``largest`` slots."""
    slots = min(largest, _FIRST_SLOTS)
    pairs, counts = np.full(slots, -1, np.int64), np.zeros(slots, np.int64)
    size = 0
    for number in range(len(files.paths)):
        ids = files.view(number)
        start = 0
        while start < len(ids):
            stop = min(start + len(pairs) // 4, len(ids))
            if size + len(pairs) // 4 > len(pairs) // 4 * 3:
                if len(pairs) >= largest:
                    return None
                pairs, counts = _wider(pairs, counts, parts)
                continue
            # One id of overlap: the pair across the cut belongs to the next piece.
            size = count_pairs(ids[max(0, start - 1) : stop], frequent, part, parts, pairs, counts, size)
            start = stop
    kept = counts >= least
    return pairs[kept], counts[kept]


def _wider(pairs: IntArray, counts: IntArray, parts: int) -> tuple[IntArray, IntArray]:
    wider, moved = np.full(2 * len(pairs), -1, np.int64), np.zeros(2 * len(pairs), np.int64)
    move_pairs(pairs, counts, parts, wider, moved)
    return wider, moved


def _add(table: WordTable, pairs: list[tuple[str, str]], delimiter: str) -> IdArray:
    """Number of each phrase; one that the corpus already holds as a word, or made in two ways, is one word."""
    data = b"".join(f"{first}{delimiter}{second}".encode() + b"\xff" for first, second in pairs)
    return table.number(Batch(data, "words"), Workspace(Tokenizer()))


def _join(files: IdFiles, chosen: IntArray, phrases: IdArray, n_ids: int) -> None:
    slots = 1 << (2 * len(chosen)).bit_length()
    pairs, numbers = np.full(slots, -1, np.int64), np.full(slots, -1, np.int32)
    place_pairs(chosen, phrases, pairs, numbers)
    starts = np.zeros(n_ids, np.bool_)
    starts[chosen >> 32] = True

    files.rewrite(lambda ids, _source: int(join_pairs(ids, pairs, numbers, starts)))
