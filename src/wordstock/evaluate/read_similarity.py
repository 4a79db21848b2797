"""Word-similarity sets: ``word1 word2 score`` per line, separated by tabs, commas or spaces.

Known publications differ in detail, and all of this is recognised by content: a header line or none; an index column
(``,word1,word2,similarity``); columns between the words and the score, and after it (SimLex-999, SimVerb-3500); lines
that start with ``#``; CRLF; a BOM. The score is the first number after the two words in the first line that has one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal, NamedTuple, get_args

from wordstock.errors import FormatError, InputError
from wordstock.evaluate.lines import Line, csv_cells, is_number, read_lines
from wordstock.evaluate.sets import SimilaritySet

__all__ = ["SimilarityLayout", "find_separator", "read_similarity"]

SimilarityLayout = Literal["tab", "comma", "space"]

_INDEX_NAMES = ("", "#", "id", "index", "no", "unnamed: 0")
_NO_SCORES = ("nan", "inf", "infinity", "na", "n/a", "none", "null")


class _Columns(NamedTuple):
    word: int  # of the first word; the second follows it
    score: int


def read_similarity(
    path: Path | str, *, layout: SimilarityLayout | None = None, name: str | None = None
) -> SimilaritySet:
    """Read a word-similarity set.

    Parameters
    ----------
    layout : how cells are separated, "tab", "comma" or "space"; None tells by the content.
    name : of the set; None takes the file's.

    Raises
    ------
    FormatError
        No pair, a line with too few cells, an empty word, or a score that is not a number; names the line.
    InputError
        An unknown layout.
    """
    if layout is not None and layout not in get_args(SimilarityLayout):
        raise InputError(f"layout={layout!r}: known are {', '.join(get_args(SimilarityLayout))}")
    lines = read_lines(path)
    chosen = layout or find_separator(lines, path)
    if not lines or chosen is None:
        found = repr(lines[0].text[:80]) if lines else "no line"
        number = lines[0].number if lines else None
        raise FormatError(path, expected="two words and a score in every line", found=found, line=number)
    table = [(line, _cells(line, chosen, path)) for line in lines]
    columns, header = _columns([cells for _, cells in table[:2]])
    if columns is None:
        raise _malformed(path, lines[0], "two words and a score")
    pairs, scores = [], []
    for line, cells in table[header:]:
        if len(cells) <= columns.score:
            raise _malformed(path, line, f"at least {columns.score + 1} cells separated by {chosen}")
        first, second = cells[columns.word].strip(), cells[columns.word + 1].strip()
        if not first or not second:
            raise _malformed(path, line, "two words")
        if not is_number(cells[columns.score]):
            raise _malformed(path, line, f"a number in column {columns.score + 1}")
        pairs.append((first, second))
        scores.append(float(cells[columns.score]))
    return SimilaritySet(name or Path(path).stem, tuple(pairs), tuple(scores))


def find_separator(lines: list[Line], path: Path | str) -> SimilarityLayout | None:
    """The separator that makes two words and a score of the second line, or of the first; None if there is none."""
    for line in reversed(lines[:2]):
        for layout in get_args(SimilarityLayout):
            try:
                cells = _cells(line, layout, path)
            except FormatError:
                continue
            if _score_column(cells, 0) is not None:
                found: SimilarityLayout = layout
                return found
    return None


def _cells(line: Line, layout: SimilarityLayout, path: Path | str) -> list[str]:
    if layout == "comma":
        return csv_cells(line, path)
    return line.text.split("\t") if layout == "tab" else line.text.split()


def _columns(head: list[list[str]]) -> tuple[_Columns | None, int]:
    """Where words and score stand, and how many lines the header takes, from the first two lines' cells."""
    named = head[0][0].strip().lower() in _INDEX_NAMES
    if _score_column(head[0], 0) is None and len(head) == 2:
        word = int(named and len(head[0]) > 3)
        score = _score_column(head[1], word)
        header = score is not None and len(head[0]) > score and _is_name(head[0][score])  # else it is malformed
        return (_Columns(word, score) if header and score is not None else None), 1
    word = int(_counts_up(head))
    score = _score_column(head[0], word)
    return (None if score is None else _Columns(word, score)), 0


def _counts_up(head: list[list[str]]) -> bool:
    """Whether the first column numbers the lines: 0 or 1, then one more, before two words that are no numbers."""
    if len(head) < 2 or any(len(cells) < 4 or is_number(cells[2]) for cells in head):
        return False
    first, second = head[0][0].strip(), head[1][0].strip()
    return (first, second) in (("0", "1"), ("1", "2"))


def _is_name(cell: str) -> bool:
    """Whether this is the name of a column rather than a score that cannot be read, such as ``8,3`` or ``nan``."""
    bare = cell.strip().lower().lstrip("+-")
    return any(character.isalpha() for character in bare) and bare not in _NO_SCORES


def _score_column(cells: list[str], word: int) -> int | None:
    return next((i for i in range(word + 2, len(cells)) if is_number(cells[i])), None)


def _malformed(path: Path | str, line: Line, expected: str) -> FormatError:
    return FormatError(path, expected=expected, found=f"{line.text!r:.80}", line=line.number)
