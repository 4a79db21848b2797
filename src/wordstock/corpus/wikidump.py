"""Wikipedia XML dumps (``pages-articles.xml``), compressed or not, multistream or not, in parallel processes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import BinaryIO

from wordstock._compression import decompressed
from wordstock.corpus.bzstreams import stream_ranges
from wordstock.corpus.report import damage_error
from wordstock.corpus.source import Source
from wordstock.corpus.wikiwork import MOST, Result, texts_of_pages, work
from wordstock.corpus.wikixml import parse_site
from wordstock.corpus.workers import Task, in_order, worker_count
from wordstock.errors import FormatError

__all__ = ["read_wikidump"]

_PIECE = 1 << 22  # uncompressed bytes of a slice, where this process decompresses
_SMALLEST = 1 << 20  # bytes on disk from which on worker processes pay for their start
_SMALLEST_PLAIN = 1 << 25  # the same where nothing is compressed
_OPEN, _CLOSE, _END = b"<page>", b"</page>", b"</mediawiki>"


def read_wikidump(source: Source, *, entities: bool = False, workers: int | None = None) -> Iterator[str]:
    """The plain text of every article, in the order of the dump.

    Streams of a multistream file are decompressed in the workers; any other file is decompressed here while the workers
    parse. A damaged bzip2 stream is reported, and reading goes on with the next one.

    Parameters
    ----------
    source : the open dump.
    entities : put an entity token before the text of every link to an article.
    workers : processes; None for one per core if the dump is large enough, 0 for none.

    Raises
    ------
    FormatError
        The head is not that of a dump; any damage where the reading is strict.
    """
    try:
        site = parse_site(source.head)
    except ValueError as error:
        raise FormatError(source.path, offset=0, expected="the head of a MediaWiki dump", found=str(error)) from error
    settings = {"namespaces": site.namespaces, "entities": entities}
    multistream = source.compression == "bzip2" and source.seekable
    if workers is None:
        size = source.size if source.seekable else _SMALLEST_PLAIN
        workers = worker_count(size, _SMALLEST if source.compression else _SMALLEST_PLAIN)
    tasks = _stream_tasks(source, settings) if multistream else _piece_tasks(source.pieces(), settings)
    joiner = _Joiner(source, settings)
    with closing(in_order(tasks, work, workers)) as results:
        for task, result in results:
            yield from joiner.take(task, result)
            if "position" in task:
                source.tell(task["position"])
    joiner.finish()


def _piece_tasks(pieces: Iterable[bytes], settings: Task) -> Iterator[Task]:
    """Slices of a stream that this process decompresses."""
    parts: list[bytes] = []
    size = 0
    for piece in pieces:
        parts.append(piece)
        size += len(piece)
        if size >= _PIECE:
            yield {**settings, "data": b"".join(parts)}
            parts, size = [], 0
    if parts:
        yield {**settings, "data": b"".join(parts)}


def _stream_tasks(source: Source, settings: Task) -> Iterator[Task]:
    """Groups of bzip2 streams; a stream too large for a worker, and what follows it, is decompressed here."""
    for start, stop in stream_ranges(source.path):
        if stop is None:
            yield from _piece_tasks(_decompressed_here(source, start, source.size), settings)
        else:
            yield {**settings, "path": str(source.path), "start": start, "stop": stop, "position": stop}


def _decompressed_here(source: Source, start: int, stop: int) -> Iterator[bytes]:
    """The bytes of the streams from ``start`` to ``stop`` of the file on disk, as far as they are sound."""
    with source.path.open("rb") as stream:
        stream.seek(start)
        try:
            for piece in decompressed(_Part(stream, stop), "bzip2", source.path):  # type: ignore[arg-type]
                yield piece
                source.tell(stream.tell())
        except FormatError as error:
            source.cut = True
            where = {
                "offset": start,
                "expected": error.expected,
                "found": f"{error.found}, uncompressed {error.offset}",
            }
            source.report.damage(damage_error(source.path, where))


class _Part:
    """A file that ends early."""

    def __init__(self, stream: BinaryIO, stop: int) -> None:
        self._stream, self._stop = stream, stop

    def read(self, size: int) -> bytes:
        return self._stream.read(min(size, self._stop - self._stream.tell()))


class _Joiner:
    """Puts the pages together that lie across two slices, and reports what the slices found."""

    def __init__(self, source: Source, settings: Task) -> None:
        self._source, self._settings = source, settings
        self._carry = b""
        self._lost = True  # no page is open: before the first one, and after damage that has been reported

    def take(self, task: Task, result: Result) -> Iterator[str]:
        """The texts up to the end of this slice."""
        if result.get("too_large"):
            pieces = _decompressed_here(self._source, task["start"], task["stop"])
            for smaller in _piece_tasks(pieces, self._settings):
                yield from self.take(smaller, work(smaller))
            return
        yield from self._join(result["head"], at_page=result["pages"])
        yield from self._account(result)
        self._carry += result["tail"]
        if result["broken"]:
            self._source.cut = True
            self._carry, self._lost = b"", True
            if "resume" in result:
                rest = {**task, "start": result["resume"]}
                yield from self.take(rest, work(rest))

    def finish(self) -> None:
        """Report a dump that ends before its end."""
        if _END not in self._carry and not self._source.cut:
            found = "a page cut off" if _OPEN in self._carry else "the end of the file"
            told = self._source.seekable and self._source.compression in (None, "bzip2")
            remedy = "the dump is cut short; fetch it again"
            self._report(
                {
                    "offset": self._source.size if told else None,
                    "expected": "</mediawiki>",
                    "found": found,
                    "remedy": remedy,
                }
            )

    def _join(self, head: bytes, *, at_page: bool) -> Iterator[str]:
        """The pages that end in ``head``; the rest is carried on unless a page begins after it."""
        joined = self._carry + head
        self._carry = b""
        first, last = joined.find(_OPEN), joined.rfind(_CLOSE)
        if 0 <= first < last:
            self._lost = False
            stop = last + len(_CLOSE)
            result: Result = {"texts": [], "left_out": {}, "damages": []}
            texts_of_pages(joined[first:stop], self._settings, result)
            yield from self._account(result)
            joined = joined[stop:]
        if at_page:
            if not self._lost and joined.strip():
                self._report({"expected": "a page", "found": repr(joined.strip()[:40])})
            self._lost = False
        elif len(joined) > MOST:
            self._report({"expected": "</page>", "found": f"none in {MOST:,} bytes"})
            self._lost = True
        else:
            self._carry = joined

    def _account(self, result: Result) -> Iterator[str]:
        report = self._source.report
        report.left_out.update(Counter(result["left_out"]))
        for damage in result["damages"]:
            self._report(damage)
        report.documents += len(result["texts"])
        yield from result["texts"]

    def _report(self, damage: dict[str, object]) -> None:
        self._source.report.damage(damage_error(self._source.path, damage))
