"""The output of WikiExtractor: articles between ``<doc id=... url=... title=...>`` and ``</doc>``, a line each."""

from __future__ import annotations

import re
from collections.abc import Iterator

from wordstock.corpus.lines import decoded_lines
from wordstock.corpus.source import Source
from wordstock.errors import FormatError

__all__ = ["read_wikiextractor"]

_OPEN = re.compile(r"<doc\s+id=[^>]*>\s*$")
_CLOSE = "</doc>"


def read_wikiextractor(source: Source) -> Iterator[str]:
    """The text of every article, one line per paragraph, its title first.

    Raises
    ------
    FormatError
        An article that is not closed where the reading is strict.
    """
    report = source.report
    lines: list[str] = []
    opened = 0  # the line of the open article; 0 between articles
    for number, line in decoded_lines(source):
        if line.startswith("<doc ") and _OPEN.match(line):
            if opened:
                report.damage(_unclosed(source, opened, f"another <doc> in line {number}"))
                yield from _article(source, lines)
            lines, opened = [], number
        elif line.startswith(_CLOSE):
            yield from _article(source, lines)
            lines, opened = [], 0
        elif line and not line.isspace():
            if not opened:
                report.damage(FormatError(source.path, line=number, expected="<doc id=...>", found=repr(line[:40])))
                opened = number
            lines.append(line)
    if opened:
        yield from _article(source, lines)
        if not source.cut:
            report.damage(_unclosed(source, opened, "the end of the file"))


def _article(source: Source, lines: list[str]) -> Iterator[str]:
    if lines:
        source.report.documents += 1
        yield "\n".join(lines)
    else:
        source.report.left_out["empty"] += 1


def _unclosed(source: Source, line: int, found: str) -> FormatError:
    return FormatError(source.path, line=line, expected="</doc> after this line", found=found)
