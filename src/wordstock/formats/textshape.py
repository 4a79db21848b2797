"""The first lines of a text file: byte order mark, header, and the dimension that the rows have."""

from __future__ import annotations

from collections import Counter

from wordstock.errors import FormatError
from wordstock.formats.builder import MAX_DIM
from wordstock.formats.window import Window

__all__ = [
    "SAMPLE",
    "dim_is_clear",
    "guess_dim",
    "number",
    "numbers_at_end",
    "parse_header",
    "read_header",
    "sample_lines",
    "skip_mark",
]

SAMPLE = 32  # lines looked at to tell the dimension
_LONGEST_HEADER = 200
_MARK = b"\xef\xbb\xbf"


def skip_mark(window: Window) -> None:
    """Skip a byte order mark at the start of the file."""
    if window.offset == 0 and window.buffer.startswith(_MARK, window.start, window.stop):
        window.skip(len(_MARK))


def parse_header(line: bytes) -> tuple[int, int] | None:
    """(rows, dim) of a line ``rows dim``; None if it is something else."""
    fields = line.split()
    if len(line) > _LONGEST_HEADER or len(fields) != 2 or not all(field.isdigit() for field in fields):
        return None
    return int(fields[0]), int(fields[1])


def read_header(window: Window) -> tuple[int, int]:
    """Rows and dimension from the first line, which is used up.

    Raises
    ------
    FormatError
        The first line is not a header, or promises what the file cannot hold.
    """
    if window.at_end and window.stop == window.start:
        raise FormatError(window.path, offset=0, expected="a header 'rows dim'", found="an empty file")
    line = window.line()
    if line is None and window.at_end:
        line = bytes(window.buffer[window.start : window.stop])
    header = None if line is None else parse_header(line)
    if line is None or header is None:
        shown = bytes(window.buffer[window.start : min(window.stop, window.start + 40)] if line is None else line[:40])
        raise FormatError(
            window.path,
            offset=window.offset,
            line=1,
            expected="a header 'rows dim'",
            found=repr(shown),
            remedy="read a file without header as GloVe text: read_glove",
        )
    if not 1 <= header[1] <= MAX_DIM:
        raise FormatError(
            window.path,
            offset=window.offset,
            line=1,
            expected=f"a dimension from 1 to {MAX_DIM:,}",
            found=str(header[1]),
        )
    window.skip(min(len(line) + 1, window.stop - window.start))
    return header


def sample_lines(window: Window) -> list[bytes]:
    """The first whole lines of the window, blank ones left out; the last line of the file needs no newline."""
    lines: list[bytes] = []
    start = window.start
    while len(lines) < SAMPLE and start < window.stop:
        end = window.buffer.find(b"\n", start, window.stop)
        if end < 0 and not window.at_end:
            break
        end = window.stop if end < 0 else end
        lines.append(bytes(window.buffer[start:end]))
        start = end + 1
    return [line for line in lines if line.strip(b" \t\r\n")]


def number(text: bytes) -> float:
    """The number that a column holds; ValueError for anything else.

    Python's ``float``, but for what no other tool reads as a number: ``1_0``, and blanks such as a form feed.
    """
    if b"_" in text or text.strip() != text:
        raise ValueError(f"{text!r:.60} is not a number")
    return float(text)


def numbers_at_end(line: bytes) -> int:
    """How many of a row's last columns are numbers; its first column never counts."""
    fields = line.rstrip(b" \t\r").replace(b"\t", b" ").split(b" ")
    count = 0
    for position in range(len(fields) - 1, 0, -1):
        if not fields[position]:
            if position == 1 or not count:
                break
            continue
        try:
            number(fields[position])
        except ValueError:
            break
        count += 1
    return count


def guess_dim(lines: list[bytes]) -> int:
    """The dimension that most of these rows have, the smaller one in a tie; 0 if they are not rows.

    A key that ends in numbers makes its row look longer, never shorter.
    """
    counts = Counter(numbers_at_end(line) for line in lines)
    return min(counts, key=lambda dim: (-counts[dim], dim), default=0)


def dim_is_clear(keys: list[str], dim: int, *, header: bool) -> bool:
    """Whether a reader finds this dimension in a file that starts with these keys."""
    lines = [key.encode() + b" 0.0" * dim for key in keys]
    return min(map(numbers_at_end, lines)) == dim if header else guess_dim(lines) == dim
