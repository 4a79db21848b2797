"""word2vec text: a header line, then one row of text per key."""

from __future__ import annotations

from pathlib import Path

from wordstock._paths import user_path
from wordstock.embeddings import Embeddings
from wordstock.formats.builder import EncodingErrors, NonFinite, ReadOptions
from wordstock.formats.textrows import read_rows
from wordstock.formats.textshape import read_header, skip_mark
from wordstock.formats.textwriter import write_text
from wordstock.formats.window import Progress, Window

__all__ = ["read_word2vec_text", "write_word2vec_text"]


def read_word2vec_text(
    path: Path | str,
    *,
    encoding_errors: EncodingErrors = "strict",
    non_finite: NonFinite = "raise",
    limit: int | None = None,
    progress: Progress | None = None,
) -> Embeddings:
    """Read word2vec text, which fastText's ``.vec`` is too; plain, gzip, bzip2 or Zstandard.

    Layout: ``rows SP dim LF``, then per row ``key SP number … SP number LF``; see ``wordstock.formats.textrows`` for
    what else is accepted. Numbers are rounded as ``numpy.float32(float(text))``.

    Parameters
    ----------
    encoding_errors, non_finite, limit, progress : as in ``wordstock.formats.read``.

    Returns
    -------
    A float32 table in memory.

    Raises
    ------
    FormatError
        Not such a file, a damaged one, or fewer rows than the header promises. Rows beyond those are not read, with
        a warning.
    FileNotFoundError
        No such file.
    """
    options = ReadOptions(encoding_errors, non_finite, limit, progress)
    with Window(user_path(path), progress=progress) as window:
        skip_mark(window)
        rows, dim = read_header(window)
        return read_rows(window, dim, rows, options, header_lines=1)


def write_word2vec_text(table: Embeddings, path: Path | str) -> None:
    """Write word2vec text, compressed where the name ends in .gz, .bz2, .xz or .zst; atomically.

    Numbers are the shortest text that gives the same float32 when read.

    Raises
    ------
    InputError
        A key that this format cannot hold: one with a newline, or one whose last word is a decimal number.
    StorageError
        The file cannot be written; whatever stood there before is untouched.
    """
    write_text(table, user_path(path), header=True)
