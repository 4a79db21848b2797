"""Plain text and Markdown, as they stand: offsets are into the file's own characters."""

from __future__ import annotations

import re
from collections.abc import Iterator

from wordstock.corpus.lines import decoded_lines
from wordstock.corpus.source import Source
from wordstock.errors import FormatError
from wordstock.stores.documents.document import Document, Section

__all__ = ["decoded", "read_markdown", "read_text"]

_MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_HEADING = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$")
_FENCE = re.compile(r" {0,3}(```+|~~~+)")


def decoded(source: Source) -> str:
    """The whole file, in UTF-8 unless a byte order mark says UTF-16; other bytes become U+FFFD and are reported."""
    data = b"".join(source.pieces())
    encoding = "utf-8"
    for mark, named in _MARKS:
        if data.startswith(mark):
            encoding = named
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        found = repr(data[error.start : error.start + 8])
        remedy = "save it as UTF-8"
        source.report.damage(
            FormatError(source.path, offset=error.start, expected=encoding.upper(), found=found, remedy=remedy)
        )
        text = data.decode(encoding, errors="replace")
    return text.removeprefix("\ufeff")


def read_text(source: Source, name: str, *, lines: bool = False) -> Iterator[Document]:
    """The file as one document, or each line that is not blank, with its number as key."""
    if not lines:
        yield Document(name, decoded(source))
        return
    for number, line in decoded_lines(source):
        if line.strip():
            yield Document(name, line, key=str(number), line=number)


def read_markdown(source: Source, name: str) -> Iterator[Document]:
    """The file as one document whose sections begin at its headings.

    A section's metadata has ``heading``: the headings above it, outermost first, joined by " > ". A heading that is
    followed by another at once begins the section of that one. Markup stays, so that offsets hold. Marks inside fenced
    code are no headings.
    """
    text = decoded(source)
    yield Document(name, text, sections=tuple(_sections(text)))


def _sections(text: str) -> Iterator[Section]:
    above: list[tuple[int, str]] = []
    start = at = 0
    fence = ""
    bare = True  # nothing but headings in the open section
    for line in text.splitlines(keepends=True):
        mark = _FENCE.match(line)
        if mark and (not fence or (mark[1].startswith(fence) and not line[mark.end() :].strip())):
            fence = "" if fence else mark[1]
            bare = False
        elif fence:
            bare = False
        elif heading := _HEADING.match(line.rstrip("\r\n")):
            if not bare:
                yield Section(start, at, _path(above))
                start, bare = at, True
            level = len(heading[1])
            above = [one for one in above if one[0] < level] + [(level, (heading[2] or "").strip())]
        elif line.strip():
            bare = False
        at += len(line)
    if text[start:].strip():
        yield Section(start, len(text), _path(above))


def _path(above: list[tuple[int, str]]) -> dict[str, str]:
    titles = [title for _, title in above if title]
    return {"heading": " > ".join(titles)} if titles else {}
