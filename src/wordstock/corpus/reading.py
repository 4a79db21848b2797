"""One door to every kind of corpus."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from wordstock.corpus.columns import read_csv, read_parquet
from wordstock.corpus.dedup import DuplicateFilter
from wordstock.corpus.detect import Kind, check_kind, detect_kind
from wordstock.corpus.folder import corpus_files
from wordstock.corpus.jsonl import read_jsonl
from wordstock.corpus.language import LanguageFilter
from wordstock.corpus.lines import read_lines
from wordstock.corpus.report import ReadReport
from wordstock.corpus.source import STDIN, Progress, Source, Tracker, open_source
from wordstock.corpus.warc import read_warc
from wordstock.corpus.wikidump import read_wikidump
from wordstock.corpus.wikiextractor import read_wikiextractor
from wordstock.errors import FormatError, InputError

__all__ = ["read_texts"]

_FIELDS = ("jsonl", "csv", "parquet")


@dataclass(frozen=True)
class _Options:
    kind: Kind | None
    field: str | None
    encoding: str
    entities: bool
    keep: LanguageFilter
    workers: int | None
    blank: bool


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
    workers : processes for Wikipedia dumps; None for one per core where that pays, 0 for none.
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
    check_kind(kind)
    if unit not in ("line", "document"):
        raise InputError(f"unit={unit!r}: known are 'line', 'document'")
    try:
        "".encode(encoding)
    except LookupError:
        raise InputError(f"encoding={encoding!r}: Python knows no such encoding") from None
    if workers is not None and workers < 0:
        raise InputError(f"workers={workers}: 0 or more")
    report = ReadReport() if report is None else report
    report.strict = strict
    keep = LanguageFilter(language)
    options = _Options(kind, field, encoding, entities, keep, workers, blank)
    if kind is not None:
        _check_fit(kind, options)
    files = corpus_files(path, report)
    total = sum(file.stat().st_size for file, _ in files if file != STDIN)
    texts = _all_files(files, options, report, Tracker(total, report, progress))
    if unit == "line":
        texts = _split(texts)
    if unique is not False:
        texts = _without_repeats(texts, DuplicateFilter() if unique is True else unique, report)
    return _counted(texts, report)


def _all_files(
    files: list[tuple[Path, bool]], options: _Options, report: ReadReport, tracker: Tracker
) -> Iterator[str]:
    for path, in_folder in files:
        try:
            yield from _one_file(path, options, report, tracker)
        except FormatError as error:
            if not in_folder:
                raise
            report.damage(error)
        except OSError as error:
            if not in_folder or error.errno is None:
                raise
            found = error.strerror or str(error)
            report.damage(FormatError(path, expected="a file that can be read", found=found))


def _one_file(path: Path, options: _Options, report: ReadReport, tracker: Tracker) -> Iterator[str]:
    with open_source(path, report, tracker) as source:
        if not source.head and not source.cut:
            report.left_out["empty file"] += 1
            return
        kind = options.kind or detect_kind(source.head, path)
        _check_fit(kind, options)
        texts = _reader(kind, source, options)
        if kind != "warc" and options.keep.given:
            texts = _in_language(texts, options.keep, report)
        yield from texts


def _reader(kind: Kind, source: Source, options: _Options) -> Iterator[str]:
    field = options.field or "text"
    if kind == "text":
        return read_lines(source, options.encoding, blank=options.blank)
    if kind == "jsonl":
        return read_jsonl(source, field=field)
    if kind == "csv":
        return read_csv(source, field=field)
    if kind == "parquet":
        return read_parquet(source, field=field)
    if kind == "wikipedia":
        return read_wikidump(source, entities=options.entities, workers=options.workers)
    if kind == "wikiextractor":
        return read_wikiextractor(source)
    return read_warc(source, options.keep)


def _check_fit(kind: Kind, options: _Options) -> None:
    """Refuse an option that means nothing for this kind."""
    if options.entities and kind != "wikipedia":
        raise InputError(f"entities=True with kind {kind!r}: only Wikipedia dumps hold links")
    if options.field is not None and kind not in _FIELDS:
        raise InputError(f"field={options.field!r} with kind {kind!r}: only {', '.join(_FIELDS)} have fields")
    if options.keep.code is not None and kind != "warc":
        raise InputError(
            f"language={options.keep.code!r} with kind {kind!r}: such a file declares none; give a callable, such "
            "as a fastText model's (wordstock train: --language-model)"
        )


def _in_language(texts: Iterable[str], keep: LanguageFilter, report: ReadReport) -> Iterator[str]:
    for text, kept in keep.batches(texts):
        if kept:
            yield text
        else:
            report.documents -= 1
            report.left_out["language"] += 1


def _split(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        if "\n" not in text:
            if text and not text.isspace():
                yield text
        else:
            yield from (line for line in text.split("\n") if line and not line.isspace())


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
