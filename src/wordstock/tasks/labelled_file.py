"""Files of labelled lines in fastText's format: ``__label__NAME`` tokens anywhere in a line, text around them."""

from __future__ import annotations

import re
import warnings
from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from wordstock._compression import decompressed, sniff_compression
from wordstock._paths import user_path
from wordstock._wording import counted
from wordstock.errors import FormatError
from wordstock.tasks.data import LabelledTexts, NumberedTexts

__all__ = [
    "is_labelled_file",
    "labelled_blocks",
    "read_labelled_lines",
    "read_numbered_lines",
    "text_blocks",
    "without_labels",
]

_PIECE = 1 << 23  # bytes read at once
_TEXTS = 1 << 14  # texts to a block
_SNIFFED = 1 << 16  # bytes looked at to tell the format
_LABEL = b"__label__"
_END = "</s>"  # which ends a line for fastText, wherever it stands
_WORDS = re.compile(r"[^ \n\t\v\f\r\0]+")
_BOM = b"\xef\xbb\xbf"

Bytes = npt.NDArray[np.uint8]


def labelled_blocks(path: Path | str) -> Iterator[Bytes]:
    """The lines of a file, plain or compressed, in blocks of uint8 that end with a newline.

    Raises
    ------
    FormatError
        An empty file, or damaged compression.
    FileNotFoundError
        No such file.
    """
    path = user_path(path)
    rest = b""
    empty = True
    for number, piece in enumerate(_pieces(path)):
        if number == 0:
            piece = piece.removeprefix(_BOM)
        end = piece.rfind(b"\n") + 1
        if end:
            yield _frozen(rest + piece[:end])
            rest, empty = piece[end:], False
        else:
            rest += piece
    if rest:
        yield _frozen(rest + b"\n")
    elif empty:
        raise FormatError(path, expected="labelled lines", found="an empty file")


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        compression = sniff_compression(stream.read(6))
        stream.seek(0)
        if compression is not None:
            yield from decompressed(stream, compression, path)
            return
        while piece := stream.read(_PIECE):
            yield piece


def text_blocks(texts: Sequence[str]) -> Iterator[Bytes]:
    """Texts as blocks of lines; a newline within a text becomes a space."""
    for start in range(0, len(texts), _TEXTS):
        part = texts[start : start + _TEXTS]
        joined = "\n".join(part)
        if joined.count("\n") != len(part) - 1:
            joined = "\n".join(text.replace("\n", " ") for text in part)
        yield _frozen(f"{joined}\n".encode(errors="replace"))


def _frozen(data: bytes) -> Bytes:
    return np.frombuffer(data, np.uint8)


def is_labelled_file(path: Path | str) -> bool:
    """Whether the first line with anything in it has a token that starts with ``__label__``."""
    for piece in _pieces(user_path(path)):
        lines = [line for line in piece[:_SNIFFED].removeprefix(_BOM).splitlines() if line.strip()]
        return bool(lines) and any(token.startswith(_LABEL) for token in lines[0].split())
    return False


def read_labelled_lines(path: Path | str) -> LabelledTexts:
    """Texts and labels of such a file, held in memory.

    Lines without a label are left out, as fastText does; a warning says how many, but for empty ones.

    Returns
    -------
    LabelledTexts; ``labels`` are str where each line has one, else lists of str.

    Raises
    ------
    FormatError
        No line with a label, or damaged compression.
    FileNotFoundError
        No such file.
    """
    return LabelledTexts(*read_numbered_lines(path)[:2])


def read_numbered_lines(path: Path | str) -> NumberedTexts:
    """``read_labelled_lines``, with the numbers of the lines."""
    texts: list[str] = []
    labels: list[list[str]] = []
    lines = array("q")
    number = left_out = 0
    for block in labelled_blocks(path):
        for line in block.tobytes().decode(errors="replace").removesuffix("\n").split("\n"):
            number += 1
            tokens = _WORDS.findall(line)
            tokens = tokens[: tokens.index(_END)] if _END in tokens else tokens
            found = [token.removeprefix("__label__") for token in tokens if token.startswith("__label__")]
            if found:
                texts.append(" ".join(token for token in tokens if not token.startswith("__label__")))
                labels.append(found)
                lines.append(number)
            elif tokens:
                left_out += 1
    if not texts:
        remedy = "labels are tokens that start with __label__; tables are .csv, .tsv, .tab, .jsonl or .ndjson"
        raise FormatError(path, expected="lines with labels", found="none", remedy=remedy)
    if left_out:
        warnings.warn(f"{path}: {counted(left_out, 'line')} without a label left out", stacklevel=3)
    single = all(len(found) == 1 for found in labels)
    return NumberedTexts(texts, [found[0] for found in labels] if single else labels, lines)


def without_labels(line: str) -> str:
    """The line without the tokens that start with ``__label__``; as it is where there are none."""
    if "__label__" not in line:
        return line
    return " ".join(token for token in _WORDS.findall(line) if not token.startswith("__label__"))
