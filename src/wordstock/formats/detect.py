"""Tell a file's format by its content, never by its name."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Literal

from wordstock._paths import user_path
from wordstock.embeddings.tensor_file import is_safetensors
from wordstock.errors import FormatError
from wordstock.formats.glove import has_header
from wordstock.formats.model2vec import FILES, is_model2vec
from wordstock.formats.textshape import guess_dim, numbers_at_end, parse_header, sample_lines, skip_mark
from wordstock.formats.window import BLOCK, Window

__all__ = ["Format", "detect"]

Format = Literal["native", "word2vec-text", "word2vec-binary", "glove", "fasttext", "model2vec"]

_FASTTEXT = b"\xba\x16\x4f\x2f"  # of versions 11 and 12; older models start with their settings
_SETTINGS = struct.Struct("<12i")
_HEAD = 1 << 20  # bytes looked at; a whole block where a line is longer
_LATER = "wordstock does not read it yet: convert it to word2vec text with the tool that wrote it"
_UNPACK = "unpack it and give the file of vectors inside"
_PICKLE = "pickles are never loaded, since they can run any code: export word2vec text from the program that wrote it"
_PAGE = "the download gave a web page instead of the file: fetch it again from the right address"

# (offset, bytes, what it is, what to do)
_SIGNATURES = (
    (0, b"FiFu\0\0\0\0", "a finalfusion file", _LATER),
    (0, b"\x93NUMPY", "a NumPy array (.npy)", "it holds no keys: use Embeddings.from_arrays(keys, numpy.load(path))"),
    (0, b"SQLite format 3\0", "an SQLite file, such as magnitude writes", _LATER),
    (0, b"PAR1", "a Parquet file", "use Embeddings.from_arrays with its columns"),
    (0, b"\x89HDF\r\n", "an HDF5 file", _LATER),
    (0, b"PK\x03\x04", "a zip archive", _UNPACK),
    (0, b"PK\x05\x06", "an empty zip archive", _UNPACK),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive", _UNPACK),
    (257, b"ustar", "a tar archive", _UNPACK),
    (0, b"\xff\xfe", "UTF-16 text", "convert it to UTF-8"),
    (0, b"\xfe\xff", "UTF-16 text", "convert it to UTF-8"),
    *((0, bytes([0x80, version]), "a pickle", _PICKLE) for version in range(2, 6)),
)
# Openings of text, lower case, looked at only where the text is not a table.
_OPENINGS = (
    (b"<!doctype", "a web page", _PAGE),
    (b"<html", "a web page", _PAGE),
    (b"<?xml", "XML", _PAGE),
    (b"version https://git-lfs", "a Git LFS pointer", "fetch the file it points to: git lfs pull"),
    (b"{", "JSON", "use Embeddings.from_arrays with its content"),
    (b"(dp", "a pickle", _PICKLE),
    (b"ccopy_reg", "a pickle", _PICKLE),
)


def detect(path: Path | str) -> Format:
    """Name the format of a file, compressed or not.

    A file that starts with ``rows dim`` is word2vec text or binary, as the row after it tells; other rows of a key and
    numbers are GloVe text. ``read_glove`` reads GloVe text with header too, which is word2vec text byte by byte.

    Raises
    ------
    FormatError
        An unknown format, one that is known but not read, a folder other than model2vec's, an empty file; says what was
        seen.
    FileNotFoundError
        No such file.
    """
    path = user_path(path)
    if path.is_dir():
        if is_model2vec(path):
            return "model2vec"
        raise _no_model2vec(path)
    with Window(path, block=_HEAD) as window:
        if not window.at_end and window.line() is None:
            with Window(path, block=BLOCK) as wider:
                return _classify(wider)
        return _classify(window)


def _no_model2vec(folder: Path) -> FormatError:
    weights, tokens = (folder / name for name in FILES)
    there = [path for path in (weights, tokens) if path.is_file()]
    if not there:
        remedy = "give a file inside it"
        return FormatError(folder, expected="a file of vectors", found="a folder", remedy=remedy)
    if len(there) == 2:
        remedy = "if it is a contextual encoder, open the folder with wordstock.load; else fetch it again"
        return FormatError(weights, expected="a tensor 'embeddings'", found="none, or a damaged file", remedy=remedy)
    absent = (tokens if there[0] == weights else weights).name
    expected = f"{absent} beside {there[0].name}, as model2vec writes them"
    return FormatError(folder, expected=expected, found="no such file", remedy="fetch the whole folder again")


def _classify(window: Window) -> Format:
    head = bytes(window.buffer[window.start : min(window.stop, window.start + 512)])
    if not head:
        raise FormatError(window.path, offset=0, expected="a file of vectors", found="an empty file")
    if is_safetensors(head):
        if window.compression is not None:
            raise FormatError(
                window.path,
                expected="a native file as it is, since it is mapped into memory",
                found=f"one compressed with {window.compression}",
                remedy="decompress it first",
            )
        return "native"
    for offset, magic, name, remedy in _SIGNATURES:
        if head[offset : offset + len(magic)] == magic:
            raise FormatError(window.path, offset=offset, expected="a file of vectors", found=name, remedy=remedy)
    if head.startswith(_FASTTEXT) or _old_fasttext(head):
        return "fasttext"
    skip_mark(window)
    lines = sample_lines(window)
    if lines and (shape := parse_header(lines[0])) is not None:
        return _with_header(lines, shape)
    if guess_dim(lines) > 0:
        return "glove"
    lowered = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    for opening, name, remedy in _OPENINGS:
        if lowered.startswith(opening):
            raise FormatError(window.path, offset=0, expected="a file of vectors", found=name, remedy=remedy)
    raise FormatError(
        window.path,
        offset=0,
        expected="a file of vectors (native, word2vec text or binary, GloVe text, fastText)",
        found=f"a file that starts with {head[:40]!r}",
        remedy="`wordstock.formats.read` takes the name of a format that is known",
    )


def _old_fasttext(head: bytes) -> bool:
    """Whether these bytes are the settings that a fastText model without magic number starts with."""
    if len(head) < _SETTINGS.size:
        return False
    dim, window, epoch, _, _, _, loss, model, bucket, *_ = (int(x) for x in _SETTINGS.unpack_from(head))
    plausible = 1 <= dim <= 10_000 and 1 <= window <= 1000 and 1 <= epoch <= 10_000 and bucket >= 0
    return plausible and 1 <= loss <= 3 and 1 <= model <= 3


def _with_header(lines: list[bytes], shape: tuple[int, int]) -> Format:
    """Format of a file whose first line is two whole numbers."""
    if len(lines) == 1 or has_header(lines):
        return "word2vec-text"
    counts = [numbers_at_end(line) for line in lines]
    if shape[1] > 1 and max(counts) == min(counts) == 1:
        return "glove"  # one number per row, the first key being a number too
    return "word2vec-text" if counts[1] else "word2vec-binary"  # damaged text is the text reader's to explain
