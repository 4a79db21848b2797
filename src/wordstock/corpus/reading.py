"""One door to every kind of corpus."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from inspect import signature
from pathlib import Path
from typing import Any, Literal

from wordstock.corpus.dedup import DuplicateFilter
from wordstock.corpus.detect import Kind, check_kind
from wordstock.corpus.folder import corpus_files
from wordstock.corpus.language import LanguageFilter
from wordstock.corpus.lines import LineCounter
from wordstock.corpus.onefile import FileOptions, check_fit, read_file
from wordstock.corpus.report import ReadReport
from wordstock.corpus.smallfiles import file_tasks, file_workers
from wordstock.corpus.source import STDIN, Progress, Tracker
from wordstock.corpus.workers import in_order
from wordstock.errors import FormatError, InputError
from wordstock.protocols import TextBlock

__all__ = ["read_blocks", "read_texts"]


def read_texts(
    path: str | Path | Sequence[str | Path],
    *,
    kind: Kind | None = None,
    field: str | None = None,
    unit: Literal["line", "document"] = "line",
    encoding: str = "utf-8",
    entities: bool = False,
    language: str | Callable[[str], object] | None = None,
    unique: bool | DuplicateFilter = False,
    workers: int | None = None,
    blank: bool = False,
    strict: bool = False,
    report: ReadReport | None = None,
    progress: Progress | None = None,
) -> Iterator[str]:
    """Texts of a file, a folder, several of them, or standard input, one at a time and in bounded memory.

    Damage is logged, listed in ``report`` and skipped over; nothing is left out uncounted.

    Parameters
    ----------
    path : file; folder, read recursively; "-" for standard input; or a list of these. gzip, bzip2, xz and Zstandard are
        recognised by their content.
    kind : "text", "jsonl", "csv", "parquet", "wikipedia" (XML dump), "wikiextractor" or "warc" (WET too); None tells
        each file's kind by its content and, for JSON lines and CSV, its name.
    field : the field of JSON lines, the column of CSV or Parquet; "text" where None.
    unit : "line" gives paragraphs, and what holds only white space is dropped; "document" a whole article, page or
        row, its lines joined by newlines. A line of a plain text file is both.
    encoding : of plain text; a byte order mark wins.
    entities : put a token such as ``ENTITY/Barack_Obama`` before the text of a link; Wikipedia dumps only.
    language : a code such as "en" keeps the pages of a WARC or WET file that declare it first; a callable gets each
        document's text, of any kind, and says whether to keep it: fast for all kinds is
        ``wordstock.formats.read_fasttext_classifier("lid.176.ftz").keeps("en")``.
    unique : leave out texts seen before, case, digits, punctuation and spaces aside; a DuplicateFilter sets how many
        to expect and how often a new one may be lost (True: 50 million, 0.01 %, 115 MiB).
    workers : processes beside this one, for Wikipedia dumps, JSON lines, the pages of WARC files, and small files that
        are compressed or no plain text; None for one per core where that pays, 0 for none.
    blank : with ``unit="document"``, keep the lines of a plain text file that hold only white space, so that text i is
        line i.
    strict : raise at the first damage.
    report : filled while reading.
    progress : called with (bytes read, bytes in all) of the files on disk; the second is 0 for standard input alone.

    Returns
    -------
    texts : iterator of str.

    Raises
    ------
    FileNotFoundError
        No such file.
    InputError
        An unknown kind or unit, an option that does not fit the kind, a folder without files.
    FormatError
        A single file that is binary or not of its kind, a missing field; with ``strict``, any damage.
    MissingExtraError
        A library that this kind needs is not installed.
    """
    return _Reading(
        path, kind, field, unit, encoding, entities, language, unique, workers, blank, strict, report, progress
    ).texts()


def read_blocks(path: str | Path | Sequence[str | Path], **options: Any) -> Iterator[str | TextBlock]:
    """As ``read_texts``, but lines of plain text come many at once where nothing has to look at each of them.

    This is the fast way from files to ``wordstock.vocab.build_shards`` and training.

    Parameters
    ----------
    options : of ``read_texts``. Where ``language`` or ``unique`` is given, every text comes by itself.

    Raises
    ------
    FileNotFoundError, InputError, FormatError, MissingExtraError
        As ``read_texts``.
    """
    given = signature(read_texts).bind(path, **options)
    given.apply_defaults()
    return _Reading(**given.arguments).blocks()


@dataclass
class _Reading:
    """One call of ``read_texts``, whose parameters these are."""

    path: str | Path | Sequence[str | Path]
    kind: Kind | None
    field: str | None
    unit: Literal["line", "document"]
    encoding: str
    entities: bool
    language: str | Callable[[str], object] | None
    unique: bool | DuplicateFilter
    workers: int | None
    blank: bool
    strict: bool
    report: ReadReport | None
    progress: Progress | None

    def __post_init__(self) -> None:
        check_kind(self.kind)
        if self.unit not in ("line", "document"):
            raise InputError(f"unit={self.unit!r}: known are 'line', 'document'")
        try:
            "".encode(self.encoding)
        except LookupError:
            raise InputError(f"encoding={self.encoding!r}: Python knows no such encoding") from None
        if self.workers is not None and self.workers < 0:
            raise InputError(f"workers={self.workers}: 0 or more")
        report = ReadReport() if self.report is None else self.report
        report.strict = self.strict
        self.told = report
        self.keep = LanguageFilter(self.language)
        self.options = FileOptions(self.kind, self.field, self.encoding, self.entities, self.keep.code, self.workers)
        if self.kind is not None:
            check_fit(self.kind, self.options)
        self.files = corpus_files(self.path, self.told)
        # A link in a folder may lead nowhere: that is told when its turn comes.
        total = sum(file.stat().st_size for file, _ in self.files if file != STDIN and file.exists())
        self.tracker = Tracker(total, report, self.progress)

    def texts(self) -> Iterator[str]:
        """Every text by itself."""
        return _counted(self._singly(), self.told)

    def blocks(self) -> Iterator[str | TextBlock]:
        """Lines of plain text in blocks, unless something looks at each text."""
        if self.keep.given or self.unique is not False or self.blank:
            return self.texts()
        return self._blocks()

    def _blocks(self) -> Iterator[str | TextBlock]:
        report, counter = self.told, LineCounter()
        for found in self._documents():
            if isinstance(found, TextBlock):
                lines = counter.filled(found)
                report.documents += lines
                report.texts += lines
                yield found
            else:
                yield from _counted(self._parts(found), report)

    def _singly(self) -> Iterator[str]:
        documents = self._lines()
        if self.keep.given and self.keep.code is None:
            documents = _in_language(documents, self.keep, self.told)
        texts = (part for text in documents for part in self._parts(text))
        if self.unique is False:
            return texts
        return _without_repeats(texts, DuplicateFilter() if self.unique is True else self.unique, self.told)

    def _lines(self) -> Iterator[str]:
        """Documents, and the lines of plain text."""
        for found in self._documents():
            if isinstance(found, TextBlock):
                lines = [line for line in found.lines() if self.blank or (line and not line.isspace())]
                for line in lines:
                    self.told.documents += 1
                    yield line
            else:
                yield found

    def _parts(self, text: str) -> Iterable[str]:
        if self.unit == "document":
            return (text,)
        return [line for line in text.split("\n") if line and not line.isspace()]

    def _documents(self) -> Iterator[str | TextBlock]:
        workers = file_workers(self.files, self.options)
        tasks = file_tasks(self.files, self.options, sent=workers > 0)
        with closing(in_order(tasks, lambda task: task, workers)) as results:
            for task, result in results:
                path, in_folder = self.files[task["number"]]
                if "items" not in result:
                    yield from self._file(path, in_folder)
                    continue
                self.told.files += 1
                self.told.documents += result["documents"]
                self.told.left_out.update(Counter(result["left_out"]))
                for item in result["items"]:
                    yield TextBlock(item) if isinstance(item, bytes) else item
                self.tracker.end_of_file(path.stat().st_size)

    def _file(self, path: Path, in_folder: bool) -> Iterator[str | TextBlock]:
        try:
            yield from read_file(path, self.options, self.told, self.tracker)
        except FormatError as error:
            if not in_folder:
                raise
            self.told.damage(error)
        except OSError as error:
            if not in_folder or error.errno is None:
                raise
            found = error.strerror or str(error)
            self.told.damage(FormatError(path, expected="a file that can be read", found=found))


def _in_language(texts: Iterable[str], keep: LanguageFilter, report: ReadReport) -> Iterator[str]:
    for text, kept in keep.batches(texts):
        if kept:
            yield text
        else:
            report.documents -= 1
            report.left_out["language"] += 1


def _without_repeats(texts: Iterable[str], seen: DuplicateFilter, report: ReadReport) -> Iterator[str]:
    came = kept = 0

    def counted() -> Iterator[str]:
        nonlocal came
        for text in texts:
            came += 1
            yield text

    for text in seen.unique(counted()):
        kept += 1
        yield text
    if came > kept:
        report.left_out["duplicate"] += came - kept


def _counted(texts: Iterable[str], report: ReadReport) -> Iterator[str]:
    for text in texts:
        report.texts += 1
        yield text
