"""GloVe text: rows of text, usually without header."""

from __future__ import annotations

from pathlib import Path

from wordstock._paths import user_path
from wordstock.embeddings import Embeddings
from wordstock.errors import FormatError
from wordstock.formats.builder import MAX_DIM, EncodingErrors, NonFinite, ReadOptions
from wordstock.formats.textrows import read_rows
from wordstock.formats.textshape import (
    guess_dim,
    numbers_at_end,
    parse_header,
    read_header,
    sample_lines,
    skip_mark,
)
from wordstock.formats.textwriter import write_text
from wordstock.formats.window import Progress, Window

__all__ = ["has_header", "read_glove", "write_glove"]


def read_glove(
    path: Path | str,
    *,
    header: bool | None = None,
    encoding_errors: EncodingErrors = "strict",
    non_finite: NonFinite = "raise",
    limit: int | None = None,
    progress: Progress | None = None,
) -> Embeddings:
    """Read GloVe text; plain, gzip, bzip2 or Zstandard.

    Layout: per row ``key SP number … SP number LF``, perhaps after a line ``rows SP dim LF``; see
    ``wordstock.formats.textrows`` for what else is accepted. Without header the dimension is that of most of the first
    32 lines. Without header, too, a file cut at the end of a row, or inside its last number, cannot be told from a
    whole one.

    Parameters
    ----------
    header : whether the first line is a header; None looks: it is one if it is two whole numbers and the next line
        holds as many numbers as the second of them says.
    encoding_errors, non_finite, limit, progress : as in ``wordstock.formats.read``.

    Returns
    -------
    A float32 table in memory.

    Raises
    ------
    FormatError
        Not such a file, or a damaged one.
    FileNotFoundError
        No such file.
    """
    options = ReadOptions(encoding_errors, non_finite, limit, progress)
    with Window(user_path(path), progress=progress) as window:
        skip_mark(window)
        lines = sample_lines(window)
        if header or (header is None and has_header(lines)):
            rows, dim = read_header(window)
            return read_rows(window, dim, rows, options, header_lines=1)
        dim = guess_dim(lines)
        if not 1 <= dim <= MAX_DIM:
            raise FormatError(
                window.path,
                offset=window.offset,
                line=1,
                expected="rows of a key and numbers",
                found=repr(lines[0][:60]) if lines else "an empty file or one endless line",
            )
        return read_rows(window, dim, None, options, header_lines=0)


def has_header(lines: list[bytes]) -> bool:
    """Whether the first of a file's lines is ``rows dim`` and the others agree."""
    shape = parse_header(lines[0]) if lines else None
    if shape is None:
        return False
    return len(lines) == 1 if shape[0] == 0 else len(lines) > 1 and numbers_at_end(lines[1]) >= shape[1] >= 1


def write_glove(table: Embeddings, path: Path | str, *, header: bool = False) -> None:
    """Write GloVe text, compressed where the name ends in .gz, .bz2, .xz or .zst; atomically.

    Numbers are the shortest text that gives the same float32 when read.

    Parameters
    ----------
    header : write the line ``rows dim`` first.

    Raises
    ------
    InputError
        A key that this format cannot hold (a newline, a last word that is a decimal number, or, without header, a
        first key that starts with U+FEFF), keys that would make the dimension ambiguous, or an empty table without
        header.
    StorageError
        The file cannot be written; whatever stood there before is untouched.
    """
    write_text(table, user_path(path), header=header)
