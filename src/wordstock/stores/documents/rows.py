"""Rows of CSV, TSV, JSON lines and Parquet as documents: some fields are the text, one the id, others metadata."""

from __future__ import annotations

import csv
import datetime
import json
import math
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wordstock._files import storage_errors
from wordstock.corpus.lines import decoded_lines
from wordstock.corpus.source import Source
from wordstock.errors import FormatError, InputError
from wordstock.stores.documents.document import OWN_FIELDS, Document

__all__ = ["FieldChoice", "read_csv_rows", "read_json_rows", "read_parquet_rows"]

_FIELD_LIMIT = 1 << 30  # characters of one CSV field; the csv module's own 131,072 is less than a long document
_ROWS = 1024
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")  # of JSON, but for exponents: 12e4 is rather a code
_INT64 = range(-(2**63), 2**63)


@dataclass(frozen=True)
class FieldChoice:
    """Which fields of a row are what.

    Raises
    ------
    InputError
        No text field, or a name that the index itself writes among the metadata.
    """

    text: tuple[str, ...]
    id: str | None
    metadata: tuple[str, ...] | None

    def __post_init__(self) -> None:
        if not self.text:
            raise InputError("no text field: name at least one column or key whose text is to be found")
        for name in self.metadata or ():
            _check_own(name)

    @property
    def wanted(self) -> list[str]:
        """Every field that must be there."""
        return [*self.text, *([] if self.id is None else [self.id]), *(self.metadata or ())]

    def document(self, row: Mapping[str, Any], number: int, name: str, path: Path) -> Document:
        """The document of one row that has all fields.

        Raises
        ------
        FormatError
            A text that is no str or holds a lone surrogate, an id that is empty or neither str nor int.
        InputError
            A column of metadata that has the name of a field of the index.
        """
        texts = [row[one] for one in self.text]
        for field, text in zip(self.text, texts, strict=True):
            if not isinstance(text, str | None):
                found = f"a value of type {type(text).__name__}"
                raise FormatError(path, line=number, expected=f"a text in {field!r}", found=found)
            if text and not _is_whole(text):
                found = "half a character (a lone surrogate)"
                raise FormatError(path, line=number, expected=f"a text in {field!r}", found=found)
        key = str(number)
        if self.id is not None:
            given = row[self.id]
            if isinstance(given, bool) or not isinstance(given, str | int) or given == "":
                raise FormatError(path, line=number, expected=f"an id in {self.id!r}", found=repr(given))
            key = str(given)
        kept = self.metadata
        if kept is None:
            kept = tuple(one for one in row if one not in self.text and one != self.id)
        for one in kept:
            _check_own(one)
        metadata = {one: value for one in kept if (value := _plain(row[one])) is not None}
        text = "\n\n".join(text for text in texts if text)
        return Document(name, text, key=key, own_id=self.id is not None, line=number, metadata=metadata)


def read_json_rows(source: Source, name: str, fields: FieldChoice) -> Iterator[Document]:
    """A document per line, each a JSON object; lines that are not, or lack a field, are reported.

    Raises
    ------
    FormatError
        The first object lacks a field, with those it has.
    """
    first = True
    for number, line in decoded_lines(source):
        if not line or line.isspace():
            continue
        try:
            row = json.loads(line)
            if not isinstance(row, dict):
                raise ValueError(f"a {type(row).__name__}")
        except (ValueError, RecursionError) as error:
            source.report.damage(
                FormatError(source.path, line=number, expected="a JSON object", found=f"{error}: {line[:40]!r}")
            )
            continue
        missing = [one for one in fields.wanted if one not in row]
        if missing and first:
            raise _without(source.path, missing[0], list(row))
        if missing and any(one in missing for one in (*fields.text, fields.id)):
            source.report.damage(
                FormatError(source.path, line=number, expected=f"the key {missing[0]!r}", found=f"{line[:40]!r}")
            )
            continue
        first = False
        yield from _reported(fields, {**dict.fromkeys(missing), **row}, number, name, source)


def read_csv_rows(source: Source, name: str, fields: FieldChoice) -> Iterator[Document]:
    """A document per row of a file with a header line; rows of another length than the header's are reported.

    A comma separates, or a tab or semicolon where only they find the fields in the header. A cell of metadata that is
    a plain number, such as 2020 or -1.5, becomes one; 007, 1e5, +1 and whole numbers of more than 64 bits stay text, as
    text and ids do.

    Raises
    ------
    FormatError
        A missing column, with those there are; a quote that is never closed.
    """
    lines = (line + "\n" for _, line in decoded_lines(source))
    head = next(lines, "")
    separator = _separator(head, fields, source.path)
    before = csv.field_size_limit(_FIELD_LIMIT)
    line = 1
    try:
        header = next(csv.reader([head], delimiter=separator), [])
        for one in fields.wanted:
            if one not in header:
                raise _without(source.path, one, header)
            if header.count(one) > 1:
                raise FormatError(source.path, line=1, expected=f"one column {one!r}", found=str(header.count(one)))
        kept = {*fields.text, fields.id}  # as they are
        reader = csv.reader(lines, delimiter=separator, strict=True)
        line = 2
        for row in reader:
            if row and len(row) != len(header):
                expected = f"{len(header)} fields, as in the header"
                source.report.damage(FormatError(source.path, line=line, expected=expected, found=str(len(row))))
            elif row:
                cells = dict(zip(header, row, strict=True))
                plain = {one: cell if one in kept else _number(cell) for one, cell in cells.items()}
                yield from _reported(fields, plain, line, name, source)
            line = reader.line_num + 2
    except csv.Error as error:
        source.report.damage(
            FormatError(source.path, line=line, expected="fields with closed quotes", found=str(error))
        )
    finally:
        csv.field_size_limit(before)


def read_parquet_rows(source: Source, name: str, fields: FieldChoice) -> Iterator[Document]:
    """A document per row.

    Raises
    ------
    FormatError
        A missing column, with those there are; a damaged file.
    """
    import polars as pl

    with ExitStack() as stack:
        path = source.path
        if source.compression is not None or not source.seekable:
            path = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wordstock-"))) / "table.parquet"
            with storage_errors(path), path.open("wb") as stream:
                for piece in source.pieces():
                    stream.write(piece)
        number = 0
        try:
            frame = pl.scan_parquet(path)
            columns = list(frame.collect_schema())
            for one in fields.wanted:
                if one not in columns:
                    raise _without(source.path, one, columns)
            total = int(frame.select(pl.len()).collect().item())
            kept = columns if fields.metadata is None else [one for one in columns if one in fields.wanted]
            for batch in frame.select(kept).collect_batches(chunk_size=_ROWS):
                for row in batch.iter_rows(named=True):
                    number += 1
                    yield from _reported(fields, row, number, name, source)
                source.tell(source.size * number // max(total, 1))
        except (pl.exceptions.PolarsError, OSError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise
            found = f"damage after {number:,} rows ({str(error).splitlines()[0][:200]})"
            source.report.damage(FormatError(source.path, expected="a whole table", found=found))


def _reported(
    fields: FieldChoice, row: Mapping[str, Any], number: int, name: str, source: Source
) -> Iterator[Document]:
    try:
        document = fields.document(row, number, name, source.path)
    except FormatError as error:
        source.report.damage(error)
    except RecursionError:
        found = "values that are nested too deep"
        source.report.damage(FormatError(source.path, line=number, expected="metadata", found=found))
    else:
        yield document


def _separator(head: str, fields: FieldChoice, path: Path) -> str:
    likely = "\t" if path.suffix.lower() in (".tsv", ".tab") else ","
    for one in dict.fromkeys((likely, ",", ";", "\t")):
        if set(fields.wanted) <= set(next(csv.reader([head], delimiter=one), [])):
            return one
    return likely


def _without(path: Path, field: str, there: list[str]) -> FormatError:
    names = ", ".join(map(repr, there[:20])) or "none"
    return FormatError(path, expected=f"a field {field!r}", found=f"the fields {names}", remedy="name the field")


def _check_own(name: str) -> None:
    if name in OWN_FIELDS:
        raise InputError(
            f"a field {name!r} cannot be metadata, the index itself writes {', '.join(OWN_FIELDS)}; "
            "name the fields to keep, or rename it"
        )


def _is_whole(text: str) -> bool:
    try:
        return text.isascii() or bool(text.encode())
    except UnicodeEncodeError:
        return False


def _number(cell: str) -> str | int | float:
    """A cell as the number that it is, else as it is."""
    if not _NUMBER.fullmatch(cell):
        return cell
    if "." in cell:
        return value if math.isfinite(value := float(cell)) else cell
    return number if len(cell) < 21 and (number := int(cell)) in _INT64 else cell


def _plain(value: Any) -> Any:
    """The value as JSON has it; what JSON has not, such as NaN, is None."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return str(value)
