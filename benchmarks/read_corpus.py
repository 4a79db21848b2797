"""Figures: JSON lines, web pages and many packed files, read by two worker processes and by none.

All files are written here from the Wikipedia sample, eight times over, so that they are as large as those for which
processes are started unasked: JSON lines of a paragraph each, a WARC file of web pages that hold them, and a folder of
small gzip files. ``--quick`` writes an eighth.
"""

import gzip
import html
import json
from collections import deque
from collections.abc import Callable
from pathlib import Path

from count_vocab import plain_text
from options import options
from pairs import paired
from peer import folder
from wordstock.corpus import read_blocks, read_texts

CHARACTERS, TIMES = 40_000_000, 8
HEAD = "| what | two workers | none | ratio (range over pairs) | goal |\n|-|-|-|-|-|"


def run(*, quick: bool = False) -> str:
    """Texts are taken and dropped, as training takes them: plain text in blocks."""
    paragraphs = plain_text(CHARACTERS).read_text(encoding="utf-8").splitlines() * (1 if quick else TIMES)
    rows = []
    for name, write in (
        ("JSON lines", json_lines),
        ("JSON lines in one gzip file", packed_json_lines),
        ("web pages of a WARC file", web_pages),
        ("folder of gzip files of JSON lines", small_files),
    ):
        path = write(paragraphs)
        assert sum(map(len, read_texts(path, workers=2))) == sum(map(len, read_texts(path, workers=0)))
        two, none = (lambda n=n, path=path: deque(read_blocks(path, workers=n), 0) for n in (2, 0))
        rows.append(paired(two, none, pairs=3, warm=False).row(name, "> 1×"))
    size = sum(map(len, paragraphs)) / 1e6
    return "\n".join([f"{len(paragraphs):,} paragraphs, {size:.0f} MB of text.\n", HEAD, *rows])


def as_json(paragraphs: list[str]) -> bytes:
    return "".join(json.dumps({"id": i, "text": text}) + "\n" for i, text in enumerate(paragraphs)).encode()


def json_lines(paragraphs: list[str]) -> Path:
    return written("lines.jsonl", lambda: as_json(paragraphs))


def packed_json_lines(paragraphs: list[str]) -> Path:
    return written("lines.jsonl.gz", lambda: gzip.compress(as_json(paragraphs), 6))


def small_files(paragraphs: list[str]) -> Path:
    """A thousand paragraphs to a file."""
    place = folder() / "small"
    place.mkdir()
    for i in range(0, len(paragraphs), 1000):
        (place / f"{i:08}.jsonl.gz").write_bytes(gzip.compress(as_json(paragraphs[i : i + 1000]), 6))
    return place


def web_pages(paragraphs: list[str]) -> Path:
    """Twenty paragraphs to a page, between a menu and a footer."""
    return written("pages.warc", lambda: b"".join(page(paragraphs[i : i + 20]) for i in range(0, len(paragraphs), 20)))


def page(paragraphs: list[str]) -> bytes:
    menu = "".join(f"<li><a href='/{i}'>entry {i}</a></li>" for i in range(30))
    main = "".join(f"<p>{html.escape(text)}</p>" for text in paragraphs)
    body = f"<html lang='en'><body><nav><ul>{menu}</ul></nav><main>{main}</main><footer>end</footer></body></html>"
    block = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" + body.encode()
    kind = "WARC-Type: response\r\nContent-Type: application/http; msgtype=response"
    return f"WARC/1.0\r\n{kind}\r\nContent-Length: {len(block)}\r\n\r\n".encode() + block + b"\r\n\r\n"


def written(name: str, data: Callable[[], bytes]) -> Path:
    path = folder() / name
    path.write_bytes(data())
    return path


if __name__ == "__main__":
    print(run(quick=bool(options(__doc__, "quick"))))
