"""Labelled texts as the classify verbs take them: tables, JSON lines, and fastText's lines, told by content."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wordstock.errors import FormatError, LabelError

if TYPE_CHECKING:
    from wordstock.tasks.data import NumberedTexts

__all__ = ["naming_lines", "read_data", "read_texts_only"]

_TABLES = {".csv", ".tsv", ".tab", ".jsonl", ".ndjson"}


def read_data(
    path: Path, *, text_column: str = "text", label_column: str = "label", label_separator: str | None = None
) -> NumberedTexts:
    """Texts and labels; errors as those of ``tasks.read_labelled`` and ``tasks.read_labelled_lines``."""
    from wordstock.tasks.data import read_numbered
    from wordstock.tasks.labelled_file import is_labelled_file, read_numbered_lines

    if path.suffix.lower() not in _TABLES or is_labelled_file(path):
        return read_numbered_lines(path)
    return read_numbered(path, text_column, label_column, label_separator)


def read_texts_only(path: Path, *, text_column: str = "text") -> list[str]:
    """Texts of a table or of JSON lines, or else a text per line; labels of fastText's kind are left out."""
    from wordstock.tasks import read_labelled
    from wordstock.tasks.labelled_file import labelled_blocks, without_labels

    if path.suffix.lower() in _TABLES:
        return read_labelled(path, text_column=text_column, label_column=None).texts
    try:
        return [
            without_labels(line)
            for block in labelled_blocks(path)
            for line in block.tobytes().decode().removesuffix("\n").split("\n")
        ]
    except UnicodeDecodeError as error:
        found = f"the byte 0x{error.object[error.start]:02x}"
        raise FormatError(path, expected="UTF-8", found=found, remedy="save the file as UTF-8") from error


@contextmanager
def naming_lines(path: Path, lines: Sequence[Any]) -> Iterator[None]:
    """Say of a label that was not there in training in which line of its file it stands.

    Parameters
    ----------
    lines : the number of each text's line, or those of each sentence's words.
    """
    try:
        yield
    except LabelError as error:
        if not error.at:
            raise
        line: Any = lines
        for number in error.at:
            line = line[number]
        raise LabelError(f"{path}, line {line}: {error}") from None
