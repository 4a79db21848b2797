"""One door to files of documents: plain text, Markdown, HTML, PDF, and the rows of CSV, TSV, JSON lines and Parquet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from wordstock._compression import compression_of_name
from wordstock._paths import user_path
from wordstock.corpus.detect import detect_kind
from wordstock.corpus.report import ReadReport
from wordstock.corpus.source import Progress, Source, Tracker, open_source
from wordstock.errors import FormatError, InputError
from wordstock.stores.documents.document import Document
from wordstock.stores.documents.pages import read_html, read_pdf
from wordstock.stores.documents.plain import read_markdown, read_text
from wordstock.stores.documents.rows import FieldChoice, read_csv_rows, read_json_rows, read_parquet_rows

__all__ = ["DocumentKind", "ReadOptions", "read_documents"]

DocumentKind = Literal["text", "markdown", "html", "pdf", "csv", "jsonl", "parquet"]
_KINDS: tuple[str, ...] = get_args(DocumentKind)
_NAMES: dict[str, DocumentKind] = {
    ".md": "markdown",
    ".markdown": "markdown",
    ".mdown": "markdown",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
    ".csv": "csv",
    ".tsv": "csv",
    ".tab": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
}


@dataclass(frozen=True)
class ReadOptions:
    """How files of documents are read.

    Parameters
    ----------
    kind : of every file; None tells it by content and name.
    text_fields : columns or keys whose texts, joined by a blank line, are a row's text.
    id_field : column or key of a row's id; None numbers rows from 1.
    metadata_fields : columns or keys kept as metadata; None for all the others.
    lines : a line of a plain text file is a document, instead of the file.

    Raises
    ------
    InputError
        An unknown kind, no text field, or a field named twice.
    """

    kind: DocumentKind | None = None
    text_fields: tuple[str, ...] = ("text",)
    id_field: str | None = None
    metadata_fields: tuple[str, ...] | None = None
    lines: bool = False

    def __post_init__(self) -> None:
        if self.kind is not None and self.kind not in _KINDS:
            raise InputError(f"kind={self.kind!r}: known are {', '.join(_KINDS)}")
        FieldChoice(self.text_fields, self.id_field, self.metadata_fields)

    @property
    def fields(self) -> FieldChoice:
        """Which fields of a row are what."""
        return FieldChoice(self.text_fields, self.id_field, self.metadata_fields)


def read_documents(
    path: Path | str,
    options: ReadOptions | None = None,
    *,
    source: str | None = None,
    report: ReadReport | None = None,
    progress: Progress | None = None,
) -> Iterator[Document]:
    """The documents of one file, one at a time: a text, a page or a PDF is one, a table one per row.

    Compressed files (gzip, bzip2, xz, Zstandard) are read as what is in them. A document without text gives none and
    is counted in ``report.left_out``; a damaged row is reported and left out.

    Parameters
    ----------
    source : the name that documents carry; the path where None.
    report : filled while reading.
    progress : called with (bytes read, bytes in all).

    Raises
    ------
    FileNotFoundError
        No such file.
    FormatError
        A binary file, a damaged PDF, an encrypted one, a table without the field (with those it has).
    MissingExtraError
        A library for this kind is not installed.
    """
    path = user_path(path)
    options = ReadOptions() if options is None else options
    report = ReadReport() if report is None else report
    name = str(path) if source is None else source
    with open_source(path, report, Tracker(path.stat().st_size, report, progress)) as opened:
        if not opened.head and not opened.cut:
            report.left_out["empty file"] += 1
            return
        kind = options.kind or _kind(opened, path)
        for document in _reader(kind, options)(opened, name):
            if document.text.strip():
                report.documents += 1
                yield document
            else:
                report.left_out["document without text"] += 1


def _reader(kind: DocumentKind, options: ReadOptions) -> Callable[[Source, str], Iterator[Document]]:
    fields = options.fields
    readers: dict[DocumentKind, Callable[[Source, str], Iterator[Document]]] = {
        "text": lambda source, name: read_text(source, name, lines=options.lines),
        "markdown": read_markdown,
        "html": read_html,
        "pdf": read_pdf,
        "csv": lambda source, name: read_csv_rows(source, name, fields),
        "jsonl": lambda source, name: read_json_rows(source, name, fields),
        "parquet": lambda source, name: read_parquet_rows(source, name, fields),
    }
    return readers[kind]


def _kind(source: Source, path: Path) -> DocumentKind:
    if source.head.startswith(b"%PDF-"):
        return "pdf"
    bare, _ = compression_of_name(path)
    named = _NAMES.get(bare.suffix.lower())
    told = detect_kind(source.head, path)  # refuses binary files
    if named is not None:
        return named
    if told in ("text", "csv", "jsonl", "parquet"):
        start = source.head[:512].lstrip().lower()
        return "html" if start.startswith((b"<!doctype html", b"<html")) else _as_document(told)
    raise FormatError(
        path,
        expected="documents",
        found=f"a {told} file",
        remedy="take its texts with wordstock.corpus.read_texts, and add those",
    )


def _as_document(kind: str) -> DocumentKind:
    known: dict[str, DocumentKind] = {"text": "text", "csv": "csv", "jsonl": "jsonl", "parquet": "parquet"}
    return known[kind]
