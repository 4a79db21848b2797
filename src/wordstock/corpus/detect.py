"""What kind of corpus a file is: told by its content first, by its name where content cannot tell."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Literal, get_args

from wordstock._compression import compression_of_name
from wordstock.errors import FormatError, InputError

__all__ = ["KINDS", "Kind", "check_kind", "detect_kind"]

Kind = Literal["text", "jsonl", "csv", "parquet", "wikipedia", "wikiextractor", "warc"]
KINDS: tuple[str, ...] = get_args(Kind)

_NAMES: dict[str, Kind] = {".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".tsv": "csv"}
_BINARY = (
    (b"PK\x03\x04", "a zip archive", "unpack it and give the files inside"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it and give the files inside"),
    (b"%PDF-", "a PDF document", "extract its text first"),
    (b"\x7fELF", "a program", ""),
    (b"\x93NUMPY", "a NumPy array", ""),
    (b"SQLite format 3\0", "an SQLite file", "export the column of texts as CSV"),
    (b"ARROW1", "an Arrow file", "write it as Parquet"),
    (b"\x04\x22\x4d\x18", "lz4 data", "decompress it: lz4 -d"),
)
_MARKS = (
    (b"\xff\xfe\0\0", "UTF-32"),
    (b"\0\0\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)
_DOC = re.compile(rb"\s*<doc\s+id=")
_DUMP = re.compile(rb"\s*(?:<\?xml[^>]*\?>\s*)?<mediawiki[\s>]")


def check_kind(kind: str | None) -> None:
    """Refuse a kind that is not known.

    Raises
    ------
    InputError
        Lists the known ones.
    """
    if kind is not None and kind not in KINDS:
        raise InputError(f"kind={kind!r}: known are {', '.join(KINDS)}")


def detect_kind(head: bytes, path: Path) -> Kind:
    """The kind of a file from the first bytes of its uncompressed content and its name.

    Raises
    ------
    FormatError
        A binary file, or one that needs another step first; says what was seen.
    """
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith(b"WARC/"):
        return "warc"
    for magic, name, remedy in _BINARY:
        if head.startswith(magic):
            raise FormatError(path, offset=0, expected="text", found=name, remedy=remedy)
    if head[257:262] == b"ustar":
        raise FormatError(
            path, offset=0, expected="text", found="a tar archive", remedy="unpack it and give the folder"
        )
    start = head.removeprefix(b"\xef\xbb\xbf")
    if _DUMP.match(start):
        return "wikipedia"
    if _DOC.match(start):
        return "wikiextractor"
    if encoding := next((name for mark, name in _MARKS if head.startswith(mark)), None):
        start = head[:4096].decode(encoding, "replace").removeprefix("\ufeff").encode()
        kind: Kind = "wikipedia" if _DUMP.match(start) else _kind_of_text(start, path)
        if kind in ("wikipedia", "csv"):
            remedy = f"convert it: iconv -f {encoding} -t UTF-8"
            raise FormatError(path, offset=0, expected="a file in UTF-8", found=encoding, remedy=remedy)
        return kind
    if (at := head.find(b"\0")) >= 0:
        raise FormatError(
            path, offset=at, expected="text", found="a binary file (a null byte)", remedy="name its kind if you know it"
        )
    return _kind_of_text(start, path)


def _kind_of_text(start: bytes, path: Path) -> Kind:
    """The kind of a text file, by its name or its first line."""
    bare, _ = compression_of_name(path)
    named = _NAMES.get(bare.suffix.lower())
    if named is not None:
        return named
    if bare.suffix.lower() == ".json" and start.lstrip().startswith(b"["):
        remedy = "write one object per line: jq -c '.[]'"
        raise FormatError(path, offset=0, expected="one JSON object per line", found="a JSON array", remedy=remedy)
    return "jsonl" if _is_object(start) else "text"


def _is_object(head: bytes) -> bool:
    """Whether the first line is a JSON object."""
    line, newline, _ = head.lstrip().partition(b"\n")
    if not line.startswith(b"{"):
        return False
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return not newline and line.startswith(b'{"')  # a first line longer than the head
