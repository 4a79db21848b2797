"""The lines of an evaluation set's file, and their cells."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import NamedTuple

from wordstock._files import open_regular
from wordstock._paths import user_path
from wordstock.errors import FormatError, InputError

__all__ = ["Line", "csv_cells", "is_number", "read_lines"]

_END = re.compile(r"\r\n|\n|\r")  # not str.splitlines, which also cuts at characters that a word may hold
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,2})?")


class Line(NamedTuple):
    """A line that holds something, and its number in the file, counted from 1."""

    number: int
    text: str


def read_lines(path: Path | str) -> list[Line]:
    """Lines of a UTF-8 file without blank lines and ``#`` comments; any line ending, with or without a BOM.

    Raises
    ------
    FormatError
        Bytes that are not UTF-8, or a pipe, which could not be read twice.
    InputError
        The path is a folder.
    FileNotFoundError
        There is no such file.
    """
    path = user_path(path)
    if path.is_dir():
        raise InputError(f"{path} is a folder; give a file")
    try:
        with open_regular(path) as stream:
            text = stream.readall().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FormatError(
            path,
            expected="UTF-8 text",
            found=f"byte 0x{error.object[error.start]:02x}",
            offset=error.start,
            remedy="save the file as UTF-8",
        ) from error
    numbered = enumerate(_END.split(text), 1)
    return [Line(number, line) for number, line in numbered if line.strip() and not line.startswith("#")]


def csv_cells(line: Line, path: Path | str) -> list[str]:
    """Cells of one line of comma-separated values, quotes removed.

    Raises
    ------
    FormatError
        A quote that is never closed, or text after a closing quote.
    """
    try:
        return next(csv.reader([line.text], strict=True, skipinitialspace=True), [])
    except csv.Error as error:
        raise FormatError(
            path, expected="comma-separated values", found=f"{line.text!r:.80} ({error})", line=line.number
        ) from error


def is_number(cell: str) -> bool:
    """Whether a cell holds a plain decimal number of a size that a float can hold."""
    return len(cell) < 200 and _NUMBER.fullmatch(cell.strip()) is not None
