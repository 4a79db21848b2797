"""A corpus as token ids on disk: written in one pass over the text, memory-mapped for training."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from wordstock._files import storage_errors
from wordstock._paths import user_path
from wordstock._settings import check_whole, plain
from wordstock.errors import FormatError
from wordstock.text import Tokenizer
from wordstock.vocab.batches import Sentences
from wordstock.vocab.counting import check_counting
from wordstock.vocab.id_source import IdSource, KeyedIds
from wordstock.vocab.manifest import MANIFEST, read_manifest, read_vocabulary, remove_shards
from wordstock.vocab.numbering import Numbering
from wordstock.vocab.phrases import Phrases, PhraseSettings
from wordstock.vocab.shard_build import ShardBuild
from wordstock.vocab.vocabulary import Vocabulary
from wordstock.vocab.wordtable import IdArray

__all__ = ["TokenShards", "build_shards", "is_shards", "open_shards"]

log = logging.getLogger(__name__)

Progress = Callable[[int], object]
_SHARD_IDS = 1 << 24  # 64 MiB a file
_SCRATCH = "runs"


@dataclass(frozen=True)
class TokenShards:
    """Token ids on disk, memory-mapped and read-only.

    Parameters
    ----------
    vocabulary : keys with counts, the most frequent first, equal counts by ascending bytes.
    arrays : int32, one per file: ids into the vocabulary, -1 after each sentence. No sentence is cut.
    n_tokens : ids >= 0 in all arrays.
    settings : tokenizer, min_count, max_size and, where asked for, the phrases: what a card records.
    folder : where the files are.
    n_sentences : sentences in all arrays.
    """

    vocabulary: Vocabulary
    arrays: list[IdArray]
    n_tokens: int
    settings: dict[str, Any]
    folder: Path
    n_sentences: int

    @property
    def phrases(self) -> Phrases | None:
        """The phrases that were joined, to be applied again to text that is encoded; None if none were asked for."""
        saved = self.settings.get("phrases")
        return None if saved is None else Phrases.from_dict(saved)

    @property
    def tokenizer(self) -> Tokenizer:
        """The tokeniser of the text."""
        return Tokenizer.from_dict(self.settings["tokenizer"])

    def sentences(self) -> Iterator[list[str]]:
        """The sentences as words, as training sees them."""
        keys = np.array(list(self.vocabulary.keys), dtype=object)
        for array in self.arrays:
            ends = np.flatnonzero(array == -1)
            start = 0
            for end in ends.tolist():
                yield keys[array[start:end]].tolist()
                start = end + 1


def is_shards(folder: Path | str) -> bool:
    """Whether a folder holds token shards, finished or not."""
    folder = user_path(folder, "folder")
    return folder.is_dir() and ((folder / MANIFEST).exists() or any(folder.glob("shard-?????.ids")))


def open_shards(folder: Path | str, *, verify: bool = True) -> TokenShards:
    """Open a folder that ``build_shards`` finished.

    Parameters
    ----------
    verify : compare every file with its checksum, which reads it once (about a second per GB). Training takes ids
        as they are, so leave it on unless the files were just verified.

    Raises
    ------
    FormatError
        There are no shards, building them was not finished, or a file is damaged.
    """
    folder = user_path(folder, "folder")
    manifest = read_manifest(folder, verify=verify)
    vocabulary = read_vocabulary(folder, int(manifest["vocabulary"]["keys"]))
    arrays: list[IdArray] = []
    for entry in manifest["shards"]:
        path = folder / Path(entry["file"]).name
        if entry["bytes"] % 4 or not entry["bytes"]:
            raise FormatError(path, expected="int32 ids", found=f"{entry['bytes']} bytes")
        arrays.append(np.asarray(np.memmap(path, "<i4", "r")))
    counts = int(manifest["tokens"]), int(manifest["sentences"])
    return TokenShards(vocabulary, arrays, counts[0], dict(manifest["settings"]), folder, counts[1])


def build_shards(
    sentences: Sentences | IdSource,
    folder: Path | str,
    *,
    min_count: int = 5,
    max_size: int | None = None,
    tokenizer: Tokenizer | None = None,
    phrases: int | PhraseSettings = 0,
    memory_limit: int = 1 << 30,
    source: str = "",
    progress: Progress | None = None,
    threads: int | None = None,
    shard_ids: int = _SHARD_IDS,
) -> TokenShards:
    """Turn a corpus into token ids on disk, or open those of an earlier call with the same source and settings.

    The text is read once: words get provisional numbers while it streams by, and the files are renumbered in place
    when the vocabulary is known. Peak disk use is the provisional ids, four bytes a token, and the spilled words.

    Parameters
    ----------
    sentences : a str is tokenised, a sequence of str taken as words, a ``TextBlock`` as many lines of text, such as
        ``wordstock.corpus.read_blocks`` gives; or walks and baskets as ids (``IdSource``).
        Sentences are never cut. Empty words are skipped; lone surrogates become U+FFFD.
    folder : made if needed; files of earlier shards in it are replaced, others are left alone.
    min_count : words seen less often are left out. With phrases they end a phrase, and ``min_count`` is applied
        again to what is left when phrases are joined.
    max_size : keep this many words at most.
    tokenizer : None is ``Tokenizer()``. Of a splitter or segmenter only the name is compared on reuse.
    phrases : number of passes with the default settings, or settings.
    memory_limit : bytes for tables of words and of pairs; what does not fit is spilled, or counted in several
        rounds. The vocabulary that remains must fit in memory beside it, and batches of text take some 10 MB a thread.
    source : fingerprint of the text, such as file names, sizes and times. Without one, shards are always built anew.
    progress : called after every block of text with the number of words so far.
    threads : None is one per core; the result does not depend on it.
    shard_ids : ids per file, about.

    Raises
    ------
    InputError
        An empty corpus, no word that is frequent enough, a sentence that is neither text nor words, or settings that
        cannot be meant.
    StorageError
        The disk is full or cannot be written to; what was written is removed.
    """
    check_counting(min_count, max_size, memory_limit)
    check_whole("shard_ids", shard_ids, 1)
    folder = user_path(folder, "folder")
    tokenizer = tokenizer or Tokenizer()
    settings = _phrase_settings(phrases)
    request: dict[str, Any] = {
        "tokenizer": tokenizer.to_dict(), "min_count": plain(min_count), "max_size": plain(max_size)
    }  # fmt: skip
    if settings is not None:
        request["phrases"] = settings.to_dict()
    from filelock import FileLock

    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / ".lock")
        lock.acquire()
    try:
        if source and (found := _reusable(folder, source, request)) is not None:
            return found
        _clear(folder)
        try:
            build = ShardBuild(folder, shard_ids=shard_ids, memory_limit=memory_limit, progress=progress)
            if isinstance(sentences, IdSource):
                given = KeyedIds(sentences)
                build.write(given.number())
                build.finish(given, request, source, settings)
            else:
                scratch = folder / _SCRATCH
                with Numbering(tokenizer, memory_limit=memory_limit, scratch=scratch, threads=threads) as numbering:
                    build.write(numbering.number(sentences))
                    build.finish(numbering, request, source, settings)
        except BaseException:
            with suppress(OSError):
                _clear(folder)
            raise
        shutil.rmtree(folder / _SCRATCH, ignore_errors=True)
        return open_shards(folder, verify=False)
    finally:
        lock.release()


def _phrase_settings(phrases: int | PhraseSettings) -> PhraseSettings | None:
    if isinstance(phrases, PhraseSettings):
        return phrases
    check_whole("phrases", phrases, 0)
    return PhraseSettings(passes=phrases) if phrases else None


def _reusable(folder: Path, source: str, request: dict[str, Any]) -> TokenShards | None:
    """The shards in ``folder`` if they are whole and of this source and these settings."""
    try:
        manifest = read_manifest(folder, verify=False)
        same = manifest.get("source") == source and manifest["request"] == json.loads(json.dumps(request))
        return open_shards(folder) if same else None
    except FormatError as error:
        log.info("building shards anew: %s", error)
        return None


def _clear(folder: Path) -> None:
    remove_shards(folder)
    shutil.rmtree(folder / _SCRATCH, ignore_errors=True)
