"""Column files of the CoNLL shared tasks: a word and its tag on each line, a blank line after each sentence.

Columns are parted by tabs, or by spaces as in CoNLL-2002 and 2003; no other white space parts them. A line that begins
with ``-DOCSTART-`` is a border of documents, whatever follows. A line that begins with ``#`` is a comment where it has
another number of columns than the first line that does not: the word ``#`` stays a word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from wordstock._files import atomic_write
from wordstock._paths import user_path
from wordstock._settings import check_whole
from wordstock.errors import FormatError, InputError
from wordstock.tasks.tagging.schemes import Scheme, check_scheme, detect_scheme, first_fault, repair_tags, spelled
from wordstock.tasks.tagging.sentences import as_sentences, as_tags

__all__ = [
    "TaggedSentences",
    "check_tags_of_file",
    "column_lines",
    "field_of",
    "numbered_lines",
    "read_conll",
    "write_conll",
]

_DOCUMENT = "-DOCSTART-"
_BLANKS = " \t"  # a no-break space is a part of a word
_GAPS = re.compile(f"[{_BLANKS}]+")


class TaggedSentences(NamedTuple):
    """Words, tags and where they stand in the file.

    Parameters
    ----------
    sentences : words of each sentence.
    tags : of each word; None where they were not asked for.
    lines : the number of each word's line, from 1.
    scheme : of the tags.
    """

    sentences: list[list[str]]
    tags: list[list[str]] | None
    lines: list[list[int]]
    scheme: Scheme


def read_conll(
    path: Path | str,
    *,
    word_column: int = 0,
    tag_column: int | None = -1,
    scheme: Scheme | None = None,
    repair: bool = False,
    encoding: str = "utf-8-sig",
) -> TaggedSentences:
    """Read a column file and check its tags.

    Parameters
    ----------
    word_column, tag_column : counted from 0, or from the end as -1; ``tag_column=None`` reads words only.
    scheme : the tags' scheme; None finds it out.
    repair : mend inconsistent sequences as ``conlleval`` reads them instead of refusing them.
    encoding : of the file; the CoNLL-2002 files are "latin-1".

    Raises
    ------
    FileNotFoundError
        No such file.
    FormatError
        An inconsistent sequence of tags, a line with another number of columns, an empty word or tag, a carriage return
        within a line, bytes in another encoding, or no sentence at all: with the line's number.
    InputError
        A column that is no number or that the file does not have, an unknown scheme.
    """
    path = user_path(path)
    check_whole("word_column", word_column, None)
    check_whole("tag_column", tag_column, None, optional=True)
    sentences: list[list[str]] = []
    tags: list[list[str]] = []
    lines: list[list[int]] = []
    fresh = True
    for line, fields in _rows(path, encoding):
        if fields is None:
            fresh = True
            continue
        if fresh:
            sentences.append([])
            tags.append([])
            lines.append([])
            fresh = False
        sentences[-1].append(field_of(path, line, fields, word_column, "word"))
        if tag_column is not None:
            tags[-1].append(field_of(path, line, fields, tag_column, "tag"))
        lines[-1].append(line)
    if not sentences:
        raise FormatError(path, expected="a word and a tag on each line", found="no sentence")
    if tag_column is None:
        return TaggedSentences(sentences, None, lines, "plain")
    checked, found = check_tags_of_file(path, tags, lines, scheme, repair)
    return TaggedSentences(sentences, checked, lines, found)


def write_conll(
    path: Path | str, sentences: Sequence[Sequence[str]], tags: Sequence[Sequence[str]], *, separator: str = "\t"
) -> None:
    """Write words and tags in two columns, atomically.

    Raises
    ------
    InputError
        A separator other than a tab or a space; a word or tag that holds it or a line break, or begins or ends with a
        space; the word ``-DOCSTART-``, which would be read as a border of documents; other numbers of tags.
    StorageError
        The file cannot be written.
    """
    if separator not in ("\t", " "):
        raise InputError(f"separator={separator!r}: known are a tab and a space")
    words = as_sentences(sentences)
    blocks = []
    for number, (sentence, given) in enumerate(zip(words, as_tags(tags, words), strict=True)):
        for one in (*sentence, *given):
            if separator in one or one.splitlines() != [one]:
                raise InputError(f"sentence {number}: {one!r:.60} holds {separator!r} or a line break; replace it")
            if one != one.strip(" \t"):
                raise InputError(f"sentence {number}: {one!r:.60} begins or ends with a space; strip it")
        if border := next(filter(_is_border, sentence), ""):
            raise InputError(f"sentence {number}: {border!r:.60} would become a border of documents; replace it")
        blocks.append("".join(f"{word}{separator}{tag}\n" for word, tag in zip(sentence, given, strict=True)))
    with atomic_write(path) as stream:
        stream.write("\n".join(blocks).encode())


def check_tags_of_file(
    path: Path, tags: list[list[str]], lines: list[list[int]], scheme: Scheme | None, repair: bool
) -> tuple[list[list[str]], Scheme]:
    """The tags, valid in their scheme, and the scheme.

    Raises
    ------
    FormatError
        The first inconsistent sequence, with its line.
    InputError
        An unknown scheme.
    """
    if scheme is not None:
        check_scheme(scheme)
    found = scheme or detect_scheme(tags)
    if repair:
        return [repair_tags(one, found) for one in tags], found
    tags = [spelled(one, found) for one in tags]
    for one, numbers in zip(tags, lines, strict=True):
        if fault := first_fault(one, found):
            raise FormatError(
                path,
                line=numbers[fault.position],
                expected=f"tags that are valid {found.upper()}",
                found=fault.why,
                remedy="correct the tag, or read with repair=True",
            )
    return tags, found


def numbered_lines(path: Path, encoding: str) -> Iterator[tuple[int, str]]:
    """Each line with its number, without its line break.

    Raises
    ------
    FormatError
        Bytes in another encoding.
    InputError
        An encoding that Python does not know.
    """
    data = path.read_bytes()
    try:
        content = data.decode(encoding)
    except LookupError as error:
        raise InputError(f"encoding={encoding!r} is not known; give one such as 'utf-8' or 'latin-1'") from error
    except UnicodeDecodeError as error:
        raise FormatError(
            path,
            line=data.count(b"\n", 0, error.start) + 1,
            offset=error.start,
            expected="UTF-8" if encoding.startswith("utf-8") else encoding,
            found=f"the byte 0x{data[error.start]:02x}",
            remedy="give the file's encoding, such as encoding='latin-1', or save it as UTF-8",
        ) from error
    for number, line in enumerate(content.split("\n"), 1):
        yield number, line.removesuffix("\r")


def column_lines(path: Path, encoding: str) -> Iterator[tuple[int, str]]:
    """The lines of a file of columns, as ``numbered_lines``; FormatError too for a carriage return within a line."""
    for number, line in numbered_lines(path, encoding):
        if "\r" in line:
            raise FormatError(
                path,
                line=number,
                expected="lines that end with a line feed",
                found="a carriage return within one",
                remedy="save the file with the line ends of Unix or Windows",
            )
        yield number, line


def _rows(path: Path, encoding: str) -> Iterator[tuple[int, list[str] | None]]:
    """Fields of each line; None for a blank one or a border of documents."""
    listed = list(column_lines(path, encoding))
    first = next((line for _, line in listed if line.strip() and line[0] != "#" and not _is_border(line)), "")
    separator = "\t" if "\t" in first else None
    width = len(_fields(first.rstrip(_BLANKS), separator))
    for number, line in listed:
        if not line.strip() or _is_border(line):
            yield number, None
            continue
        fields = _fields(line, separator)
        if separator and len(fields) > width and not any(fields[width:]):
            fields = fields[:width]  # tabs at the end of a line
        if len(fields) == width:
            yield number, fields
        elif not line.startswith("#"):
            raise FormatError(
                path,
                line=number,
                expected=f"{width} columns, parted by {'tabs' if separator else 'spaces'}",
                found=f"{len(fields)} in {line!r:.60}",
            )


def _is_border(line: str) -> bool:
    return line.startswith(_DOCUMENT) and line[len(_DOCUMENT) :][:1] in ("", " ", "\t")


def _fields(line: str, separator: str | None) -> list[str]:
    return line.split(separator) if separator else _GAPS.split(line.strip(_BLANKS))


def field_of(path: Path, line: int, fields: list[str], column: int, what: str) -> str:
    """A word or a tag.

    Raises
    ------
    FormatError
        It is empty.
    InputError
        There is no such column.
    """
    try:
        value = fields[column].strip(_BLANKS)
    except IndexError:
        raise InputError(f"{path}, line {line}: no column {column}; there are {len(fields)}, counted from 0") from None
    if not value.strip():
        raise FormatError(path, line=line, expected=f"a {what} in column {column}", found="nothing")
    return value
