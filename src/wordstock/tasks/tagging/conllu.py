"""CoNLL-U, the format of Universal Dependencies: ten columns parted by tabs, comments, a blank line after a sentence.

Words that stand for several (``1-2``) and words that are not there (``1.1``) are left out, as they carry no tags.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from wordstock._files import atomic_write
from wordstock._paths import user_path
from wordstock._settings import check_type
from wordstock.errors import FormatError, InputError
from wordstock.tasks.tagging.conll import TaggedSentences, check_tags_of_file, column_lines, field_of
from wordstock.tasks.tagging.schemes import Scheme
from wordstock.tasks.tagging.sentences import as_sentences, as_tags

__all__ = ["read_conllu", "write_conllu"]

_COLUMNS = ("id", "form", "lemma", "upos", "xpos", "feats", "head", "deprel", "deps", "misc")
_EMPTY = "_"


def read_conllu(
    path: Path | str, *, column: str | None = "upos", scheme: Scheme | None = None, repair: bool = False
) -> TaggedSentences:
    """Read words and one column of tags.

    Parameters
    ----------
    column : "upos", "xpos", "deprel", ..., or "misc:KEY" for the value of ``KEY=value`` in the last column, "O" where
        it is missing; None reads words only.
    scheme, repair : as for ``read_conll``.

    Raises
    ------
    FileNotFoundError
        No such file.
    FormatError
        A line without ten columns or with another id than the next one, an empty word or tag, a carriage return within
        a line, an inconsistent sequence of tags, bytes that are not UTF-8, or no sentence at all: with the line's
        number.
    InputError
        An unknown column.
    """
    path = user_path(path)
    name, key = _column(column)
    sentences: list[list[str]] = []
    tags: list[list[str]] = []
    lines: list[list[int]] = []
    fresh = True
    for line, content in column_lines(path, "utf-8-sig"):
        if not content.strip() or content.startswith("#"):
            fresh = fresh or not content.strip()
            continue
        fields = content.split("\t")
        if len(fields) != len(_COLUMNS):
            raise FormatError(path, line=line, expected="ten columns, parted by tabs", found=str(len(fields)))
        if "-" in fields[0] or "." in fields[0]:
            continue
        if fresh:
            sentences.append([])
            tags.append([])
            lines.append([])
            fresh = False
        if fields[0] != str(len(sentences[-1]) + 1):
            raise FormatError(path, line=line, expected=f"the id {len(sentences[-1]) + 1}", found=f"{fields[0]!r:.30}")
        sentences[-1].append(field_of(path, line, fields, 1, "word"))
        if key:
            tags[-1].append(_misc(fields[-1], key))
        elif column is not None:
            tags[-1].append(field_of(path, line, fields, _COLUMNS.index(name), "tag"))
        lines[-1].append(line)
    if not sentences:
        raise FormatError(path, expected="ten columns, parted by tabs", found="no sentence")
    if column is None:
        return TaggedSentences(sentences, None, lines, "plain")
    checked, found = check_tags_of_file(path, tags, lines, scheme, repair)
    return TaggedSentences(sentences, checked, lines, found)


def write_conllu(
    path: Path | str, sentences: Sequence[Sequence[str]], tags: Sequence[Sequence[str]], *, column: str = "upos"
) -> None:
    """Write words and one column of tags, the other columns empty, atomically.

    Raises
    ------
    InputError
        An unknown column, a word or tag with a tab or line break, with "misc:KEY" a tag with ``|``, other numbers of
        tags than of words.
    StorageError
        The file cannot be written.
    """
    name, key = _column(column)
    words = as_sentences(sentences)
    blocks = []
    for number, (sentence, given) in enumerate(zip(words, as_tags(tags, words), strict=True)):
        rows = [f"# sent_id = {number + 1}", f"# text = {' '.join(sentence)}"]
        for at, (word, tag) in enumerate(zip(sentence, given, strict=True)):
            if any("\t" in one or one.splitlines() != [one] for one in (word, tag)):
                raise InputError(f"sentence {number}: {word!r:.60} {tag!r:.60} holds a tab or a line break; replace it")
            if key and "|" in tag:
                raise InputError(f"sentence {number}: the tag {tag!r:.60} holds '|', which ends a value; replace it")
            fields = [str(at + 1), word, *[_EMPTY] * (len(_COLUMNS) - 2)]
            fields[_COLUMNS.index(name)] = f"{key}={tag}" if key else tag
            rows.append("\t".join(fields))
        blocks.append("\n".join(rows) + "\n\n")
    with atomic_write(path) as stream:
        stream.write("".join(blocks).encode())


def _column(column: str | None) -> tuple[str, str]:
    """The column's name, and the key within it."""
    check_type("column", column, str | None, "the name of a column, or None")
    name, _, key = (column or "upos").partition(":")
    if name not in _COLUMNS[2:] or (key and name != "misc") or (name == "misc" and not key) or {*key} & {*"|="}:
        raise InputError(f"column={column!r}: known are {', '.join(_COLUMNS[2:-1])}, misc:KEY")
    return name, key


def _misc(field: str, key: str) -> str:
    values = dict(part.split("=", 1) for part in field.split("|") if "=" in part)
    return values.get(key, "O")
