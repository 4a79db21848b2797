"""Labelled texts from CSV, TSV and JSON lines; whatever is wrong with a row is reported with its line number.

Read by the standard library's ``csv`` and ``json`` rather than into a data frame: they know the line of every record,
and a short row stays short where a data frame would fill it up.
"""

from __future__ import annotations

import csv
import io
import json
from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from wordstock._paths import user_path
from wordstock.errors import FormatError, InputError, LabelError

__all__ = ["LabelledTexts", "NumberedTexts", "read_labelled", "read_numbered"]

_DELIMITERS = {".csv": ",", ".tsv": "\t", ".tab": "\t"}
_JSONL = (".jsonl", ".ndjson")
_FIELD_LIMIT = 1 << 30  # characters of one field; the csv module's own 131,072 is less than a long document


class LabelledTexts(NamedTuple):
    """Texts, and a label or a list of labels for each; ``labels`` is None where no label column was asked for."""

    texts: list[str]
    labels: list[Any] | None


class NumberedTexts(NamedTuple):
    """``LabelledTexts`` with the number of the line that each text begins in, from 1."""

    texts: list[str]
    labels: list[Any] | None
    lines: Sequence[int]


def read_labelled(
    path: Path | str,
    *,
    text_column: str = "text",
    label_column: str | None = "label",
    label_separator: str | None = None,
) -> LabelledTexts:
    """Read a .csv, .tsv or .jsonl file in UTF-8, with or without a byte order mark.

    Parameters
    ----------
    text_column, label_column : header names, or keys of each JSON object; ``label_column=None`` reads texts only. A
        .csv whose header has them only when split at ";" or tab is read so.
    label_separator : for several labels per text: splits the label field ("a|b" at "|"); an empty field is no label.
        In JSON lines a list of labels needs no separator.

    Returns
    -------
    LabelledTexts; labels are str from CSV and TSV, and as written from JSON lines.

    Raises
    ------
    FileNotFoundError
        No such file.
    InputError
        An unknown suffix, a column that is not there (lists those that are), a text that is not a str.
    LabelError
        An empty or missing label.
    FormatError
        An empty file, bytes that are not UTF-8, a ragged row, an open quote, a line that is not JSON.
    """
    return LabelledTexts(*read_numbered(path, text_column, label_column, label_separator)[:2])


def read_numbered(
    path: Path | str, text_column: str, label_column: str | None, label_separator: str | None
) -> NumberedTexts:
    """``read_labelled``, with the lines."""
    path = user_path(path)
    suffix = path.suffix.lower()
    if suffix not in _DELIMITERS and suffix not in _JSONL:
        raise InputError(f"{path}: cannot tell the format from {suffix!r}; known are .csv, .tsv, .tab, .jsonl, .ndjson")
    if label_separator == "":
        raise InputError("label_separator is empty; give the text between two labels, such as '|'")
    content = _decode(path)
    wanted = [text_column] if label_column is None else [text_column, label_column]
    if suffix in _JSONL:
        records = _json_records(path, content, wanted)
    else:
        records = _rows(path, content, wanted, _DELIMITERS[suffix])
    texts: list[str] = []
    labels: list[Any] = []
    lines = array("q")
    for line, (text, *rest) in records:
        if not isinstance(text, str):
            raise InputError(f"{path}, line {line}: {text_column!r} must be a str, not {type(text).__name__}")
        texts.append(text)
        lines.append(line)
        if label_column is not None:
            labels.append(_label(path, line, rest[0], label_separator))
    if not texts:
        raise FormatError(path, expected="at least one record", found="none")
    return NumberedTexts(texts, labels if label_column is not None else None, lines)


def _decode(path: Path) -> str:
    data = path.read_bytes()
    try:
        content = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FormatError(
            path,
            line=data.count(b"\n", 0, error.start) + 1,
            offset=error.start,
            expected="UTF-8",
            found=f"the byte 0x{data[error.start]:02x}",
            remedy="save the file as UTF-8",
        ) from error
    if not content.strip():
        raise FormatError(path, expected="a header or a record", found="an empty file")
    return content


def _rows(path: Path, content: str, wanted: list[str], delimiter: str) -> Iterator[tuple[int, list[Any]]]:
    before = csv.field_size_limit(_FIELD_LIMIT)
    try:
        if delimiter == ",":
            delimiter = _delimiter(content, wanted)
        reader = csv.reader(io.StringIO(content, newline=""), delimiter=delimiter, strict=True)
        header: list[str] | None = None
        columns: list[int] = []
        line = 1
        try:
            for row in reader:
                if header is None and row:
                    header = row
                    columns = _columns(path, header, wanted)
                elif row and header is not None:
                    if len(row) != len(header):
                        raise FormatError(
                            path,
                            line=line,
                            expected=f"{len(header)} fields, as in the header",
                            found=str(len(row)),
                            remedy='put fields that hold the delimiter or a line break in "quotes"',
                        )
                    yield line, [row[column] for column in columns]
                line = reader.line_num + 1
        except csv.Error as error:
            raise FormatError(
                path,
                line=line,
                expected="fields with closed quotes",
                found=str(error),
                remedy='write a quote inside a quoted field twice: ""',
            ) from error
    finally:
        csv.field_size_limit(before)


def _delimiter(content: str, wanted: list[str]) -> str:
    first = content.lstrip("\r\n").splitlines()[0]
    for delimiter in ",;\t":
        if set(wanted) <= set(next(csv.reader([first], delimiter=delimiter), [])):
            return delimiter
    return ","


def _columns(path: Path, header: list[str], wanted: list[str]) -> list[int]:
    for name in wanted:
        if name not in header:
            raise InputError(f"{path} has no column {name!r}; its columns are {', '.join(map(repr, header))}")
        if header.count(name) > 1:
            raise InputError(f"{path} has {header.count(name)} columns {name!r}; rename all but one")
    return [header.index(name) for name in wanted]


def _json_records(path: Path, content: str, wanted: list[str]) -> Iterator[tuple[int, list[Any]]]:
    for line, written in enumerate(content.split("\n"), 1):
        if not written.strip():
            continue
        try:
            record = json.loads(written)
        except (ValueError, RecursionError) as error:
            raise FormatError(path, line=line, expected="a JSON object", found=f"{written!r:.60} ({error})") from error
        if not isinstance(record, dict):
            raise FormatError(path, line=line, expected="a JSON object", found=f"a {type(record).__name__}")
        for name in wanted:
            if name not in record:
                keys = ", ".join(map(repr, record)) or "none"
                raise InputError(f"{path}, line {line}: no key {name!r}; its keys are {keys}")
        yield line, [record[name] for name in wanted]


def _label(path: Path, line: int, label: Any, separator: str | None) -> Any:
    if isinstance(label, list):
        return [_label(path, line, one, None) for one in label]
    if separator is not None and isinstance(label, str):
        return [part.strip() for part in label.split(separator) if part.strip()]
    if label is None or label == "" or not isinstance(label, str | int):
        what = "empty" if label in (None, "") else f"a {type(label).__name__}"
        raise LabelError(f"{path}, line {line}: the label is {what}; write one, or drop the row")
    return label
