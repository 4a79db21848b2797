"""The texts of one file, whatever its kind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from wordstock.corpus.columns import read_csv, read_parquet
from wordstock.corpus.detect import Kind, detect_kind
from wordstock.corpus.jsonl import read_jsonl
from wordstock.corpus.language import LanguageFilter
from wordstock.corpus.lines import text_blocks
from wordstock.corpus.report import ReadReport
from wordstock.corpus.source import Source, Tracker, open_source
from wordstock.corpus.warc import read_warc
from wordstock.corpus.wikidump import read_wikidump
from wordstock.corpus.wikiextractor import read_wikiextractor
from wordstock.errors import InputError
from wordstock.protocols import TextBlock

__all__ = ["FileOptions", "check_fit", "read_file"]

_FIELDS = ("jsonl", "csv", "parquet")


@dataclass(frozen=True)
class FileOptions:
    """What reading one file depends on; see ``reading.read_texts``. All are plain values.

    Parameters
    ----------
    language : a code that pages have to declare; None keeps all.
    """

    kind: Kind | None
    field: str | None
    encoding: str
    entities: bool
    language: str | None
    workers: int | None


def check_fit(kind: Kind, options: FileOptions) -> None:
    """Refuse an option that means nothing for this kind.

    Raises
    ------
    InputError
        Names it.
    """
    if options.entities and kind != "wikipedia":
        raise InputError(f"entities=True with kind {kind!r}: only Wikipedia dumps hold links")
    if options.field is not None and kind not in _FIELDS:
        raise InputError(f"field={options.field!r} with kind {kind!r}: only {', '.join(_FIELDS)} have fields")
    if options.language is not None and kind != "warc":
        raise InputError(
            f"language={options.language!r} with kind {kind!r}: such a file declares none; give a callable, such "
            "as a fastText model's (wordstock train: --language-model)"
        )


def read_file(path: Path, options: FileOptions, report: ReadReport, tracker: Tracker) -> Iterator[str | TextBlock]:
    """The documents of a file, or all lines of plain text in blocks, which are not counted yet.

    Raises
    ------
    FormatError
        A file that is binary or not of its kind; with a strict report, any damage.
    InputError
        An option that does not fit the kind that the file turns out to be.
    """
    with open_source(path, report, tracker) as source:
        if not source.head and not source.cut:
            report.left_out["empty file"] += 1
            return
        kind = options.kind or detect_kind(source.head, path)
        check_fit(kind, options)
        yield from _reader(kind, source, options)


def _reader(kind: Kind, source: Source, options: FileOptions) -> Iterator[str] | Iterator[TextBlock]:
    field = options.field or "text"
    if kind == "text":
        return text_blocks(source, options.encoding)
    if kind == "jsonl":
        return read_jsonl(source, field=field, workers=options.workers)
    if kind == "csv":
        return read_csv(source, field=field)
    if kind == "parquet":
        return read_parquet(source, field=field)
    if kind == "wikipedia":
        return read_wikidump(source, entities=options.entities, workers=options.workers)
    if kind == "wikiextractor":
        return read_wikiextractor(source)
    return read_warc(source, LanguageFilter(options.language), workers=options.workers)
