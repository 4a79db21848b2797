"""Rows of text, ``key SP number … SP number LF``: what word2vec text and GloVe text share.

A key ends before the last ``dim`` numbers of its line, so it may hold spaces. Only LF ends a line, only space and tab
separate; every other character, U+0085, U+00A0 and U+2028 included, belongs to the key. A CR or separators before the
LF, blank lines at the end of the file and a missing last LF are accepted. A key whose last word is a number with a
point or an exponent is refused: it is a row with too many columns.
"""

from __future__ import annotations

import numpy as np

from wordstock._threads import run_slices
from wordstock.embeddings import Embeddings
from wordstock.errors import FormatError
from wordstock.formats.builder import ReadOptions, TableBuilder
from wordstock.formats.textshape import number, numbers_at_end, sample_lines
from wordstock.formats.window import Window
from wordstock.protocols import FloatArray, IntArray

__all__ = ["read_rows"]

_PENDING = 4096  # numbers left to Python at once
_SMALLEST_SLICE = 1 << 16  # bytes worth a thread


def read_rows(window: Window, dim: int, promised: int | None, options: ReadOptions, *, header_lines: int) -> Embeddings:
    """All rows from the window's position on.

    Parameters
    ----------
    promised : rows that the header promises; None without header.
    header_lines : lines before the first row, so that errors count from the top of the file.

    Raises
    ------
    FormatError
        Fewer rows than promised, a row of another length, text that is not a number; see ``TableBuilder.add``.
    """
    reader = _TextReader(window, TableBuilder(window, dim, 2 * dim + 1, promised, options, header_lines=header_lines))
    left = window.remaining
    wanted = reader.builder.wanted
    if promised is not None and wanted is not None and left is not None and wanted * (2 * dim + 1) > left + 1:
        raise reader.too_few(wanted, f"{left:,} bytes")
    if lines := sample_lines(window):
        shortest = min(map(numbers_at_end, lines))
        if shortest > dim:
            raise reader.error(0, window.start, f"{dim} numbers", f"{shortest} numbers, as in the rows that follow")
    return reader.read(promised)


class _TextReader:
    """One pass over the rows: each block's lines are split between the threads."""

    def __init__(self, window: Window, builder: TableBuilder) -> None:
        self.window, self.builder = window, builder
        self.dim = builder.dim

    def read(self, promised: int | None) -> Embeddings:
        window, builder = self.window, self.builder
        while builder.missing != 0:
            stop = self._whole_lines()
            if stop > window.start:
                self._read_block(stop)
            elif not window.at_end and window.start == 0:
                limit = f"a line of at most {window.capacity:,} bytes"
                raise self.error(0, window.start, limit, "none", "this is not a text file of vectors")
            if window.at_end:
                break
            window.fill()
        if promised is not None and builder.missing:
            raise self.too_few(promised, f"{builder.size:,} rows")
        if promised is not None and builder.options.limit is None and self._more():
            builder.notes.append(f"more rows than the {promised:,} of the header; the rest was not read")
        return builder.finish()

    def _whole_lines(self) -> int:
        """End of the last whole line in the window; the end of the file is made to look like one."""
        window = self.window
        if not window.at_end:
            return window.buffer.rfind(b"\n", window.start, window.stop) + 1 or window.start
        stop = window.stop
        while stop > window.start and window.buffer[stop - 1] in b" \t\r\n":
            stop -= 1
        if stop > window.start:
            window.buffer[stop] = 10
            stop += 1
            window.stop = max(window.stop, stop)
        return stop

    def _more(self) -> bool:
        """Whether anything but blanks follows."""
        window = self.window
        while True:
            if window.buffer[window.start : window.stop].strip(b" \t\r\n"):
                return True
            if window.at_end:
                return False
            window.skip(window.stop - window.start)
            window.fill()

    def _read_block(self, stop: int) -> None:
        window, builder = self.window, self.builder
        base, buffer, data = window.start, window.buffer, window.data

        def count(first: int, last: int) -> tuple[int, int, int]:
            start = base if first == 0 else buffer.find(b"\n", base + first - 1) + 1
            end = stop if base + last == stop else buffer.find(b"\n", base + last - 1) + 1
            return start, end, int(np.count_nonzero(data[start:end] == 10))

        slices = run_slices(count, stop - base, smallest=_SMALLEST_SLICE)
        edges = np.cumsum([0, *(lines for _, _, lines in slices)])
        if builder.missing is not None:
            edges = np.minimum(edges, builder.missing)
        total = int(edges[-1])
        vectors = builder.room(total)
        spans = np.empty((total, 2), np.int64)

        def parse(first: int, last: int) -> int:
            end = base
            for i in range(first, last):
                rows = slice(int(edges[i]), int(edges[i + 1]))
                if rows.stop > rows.start:
                    end = self._parse(slices[i][0], slices[i][1], rows.start, vectors[rows], spans[rows])
            return end

        end = max(run_slices(parse, len(slices)))
        builder.add(spans)
        window.skip(end - base)

    def _parse(self, start: int, stop: int, first_row: int, vectors: FloatArray, spans: IntArray) -> int:
        """Parse one slice of a block; returns the position after its last row."""
        from wordstock.kernels.parse import BAD_LINE, DONE, parse_rows

        data, words = self.window.data, self.window.words
        pending = np.empty((max(_PENDING, self.dim + 1), 4), np.int64)
        done = 0
        with np.errstate(over="ignore"):  # wanted where the kernel runs as plain Python
            while True:
                rows, start, count, state = parse_rows(data, words, start, stop, vectors[done:], spans[done:], pending)
                self._finish_numbers(vectors[done:], pending[:count], first_row + done)
                done += rows
                if state == BAD_LINE:
                    raise self._bad_line(first_row + done, start)
                if state == DONE:
                    return int(start)

    def _finish_numbers(self, vectors: FloatArray, pending: IntArray, first_row: int) -> None:
        for row, column, start, stop in pending.tolist():
            text = bytes(self.window.buffer[start:stop])
            try:
                value = number(text)
            except ValueError:
                if column < 0:
                    continue
                found = f"{text[:40]!r} in column {column + 1}"
                raise self.error(first_row + row, start, "a number", found) from None
            if column < 0:
                found = f"at least {self.dim + 1}, the first being {text[:40]!r}"
                raise self.error(first_row + row, start, f"{self.dim} numbers", found)
            vectors[row, column] = value

    def _bad_line(self, row: int, start: int) -> FormatError:
        end = self.window.buffer.find(b"\n", start)
        line = bytes(self.window.buffer[start:end])
        found = f"{numbers_at_end(line)} in {line[:40]!r}" if line.strip() else "a blank line"
        return self.error(row, start, f"a key and {self.dim} numbers", found)

    def error(self, row: int, position: int, expected: str, found: str, remedy: str = "") -> FormatError:
        """About the row-th row of the block at the window's position."""
        remedy = remedy or "repair the line, or fetch the file again"
        return self.builder.error(position, row, expected=expected, found=found, remedy=remedy)

    def too_few(self, promised: int, found: str) -> FormatError:
        """About a file that ends before the rows that its header promises."""
        return FormatError(
            self.window.path,
            offset=self.window.offset + self.window.stop - self.window.start,
            expected=f"{promised:,} rows of {self.dim} numbers, as the header says",
            found=found,
            remedy="the file is cut short: fetch it again, or pass limit= to read the first rows only",
        )
