"""One door for reading and one for writing: by content, and by name."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

from wordstock._compression import compression_of_name
from wordstock._paths import user_path
from wordstock._settings import check_known
from wordstock.embeddings import Embeddings, read_native, write_native
from wordstock.embeddings.storage import Precision
from wordstock.errors import InputError
from wordstock.formats.builder import EncodingErrors, NonFinite, ReadOptions
from wordstock.formats.detect import Format, detect
from wordstock.formats.fasttext_table import read_fasttext
from wordstock.formats.glove import read_glove, write_glove
from wordstock.formats.model2vec import read_model2vec
from wordstock.formats.model2vec_writer import write_model2vec
from wordstock.formats.window import Progress
from wordstock.formats.word2vec import read_word2vec_text, write_word2vec_text
from wordstock.formats.word2vec_binary import read_word2vec_binary, write_word2vec_binary

__all__ = ["check_target", "format_of_name", "read", "write"]

_READERS = {
    "word2vec-text": read_word2vec_text,
    "word2vec-binary": read_word2vec_binary,
    "glove": read_glove,
    "fasttext": read_fasttext,
}
_SUFFIXES: dict[str, Format] = {
    ".safetensors": "native",
    ".txt": "word2vec-text",
    ".vec": "word2vec-text",
    ".bin": "word2vec-binary",
    ".glove": "glove",
}


def read(
    path: Path | str,
    *,
    format: Format | None = None,
    limit: int | None = None,
    encoding_errors: EncodingErrors = "strict",
    non_finite: NonFinite = "raise",
    progress: Progress | None = None,
) -> Embeddings:
    """Read a file of vectors in any known format, compressed or not.

    Parameters
    ----------
    format : "native", "word2vec-text", "word2vec-binary", "glove", "fasttext" or "model2vec" (a folder); None tells by
        content, never by name.
    limit : read the first rows only; None reads all. Rows that are dropped count.
    encoding_errors : what becomes of a key that is not UTF-8. "strict" raises, "replace" puts U+FFFD for each bad
        sequence, "latin-1" takes each of that key's bytes for a character. Keys that become equal count as repeated.
    non_finite : what becomes of a row with NaN, infinity, or numbers whose squares overflow float32: "raise" or "drop".
    progress : called after each block with the bytes of the file read and the bytes in all.

    Returns
    -------
    A table in memory; a native file is mapped instead, and so are the n-grams of a fastText model. Of repeated keys
    the first is kept. Whatever was dropped or repaired is counted in one warning and in ``card.notes``.

    Raises
    ------
    FormatError
        An unknown or damaged file; says where, what stood there, and what to do.
    InputError
        An option that is not known.
    FileNotFoundError
        No such file.
    MissingExtraError
        A Zstandard file without the library for it.
    """
    options = ReadOptions(encoding_errors, non_finite, limit, progress)
    known: Format = detect(path) if format is None else format
    _check_format(known)
    if known == "native":
        table = read_native(path)
        return table if limit is None or limit >= len(table) else table.subset(table.keys[:limit])
    if known == "model2vec":
        if limit is not None:
            raise InputError(f"limit={limit}: a model2vec folder is read whole; take a subset of the table instead")
        return read_model2vec(path)
    return _READERS[known](
        path,
        encoding_errors=options.encoding_errors,
        non_finite=options.non_finite,
        limit=options.limit,
        progress=options.progress,
    )


def format_of_name(path: Path | str) -> Format:
    """The format that a file of this name is written in, a compression suffix set aside.

    ``.safetensors`` native, ``.txt`` and ``.vec`` word2vec text, ``.bin`` word2vec binary, ``.glove`` and
    ``.glove.txt`` GloVe text.

    Raises
    ------
    InputError
        Another extension; lists the known ones.
    """
    bare, _ = compression_of_name(user_path(path))
    suffixes = [suffix.lower() for suffix in bare.suffixes[-2:]]
    if suffixes == [".glove", ".txt"]:
        return "glove"
    found = _SUFFIXES.get(suffixes[-1]) if suffixes else None
    if found is None:
        known = ", ".join(f"{suffix} ({name})" for suffix, name in _SUFFIXES.items())
        raise InputError(f"{path}: no format known by this extension; name it with format=, or use one of {known}")
    return found


def write(
    table: Embeddings, path: Path | str, *, format: Format | None = None, precision: Precision | None = None
) -> None:
    """Write a table in a format, compressed where the name ends in .gz, .bz2, .xz or .zst; atomically.

    Parameters
    ----------
    format : "native", "word2vec-text", "word2vec-binary", "glove" or "model2vec" (a folder); None tells by name, see
        ``format_of_name``.
    precision : for the native format: "float32", "float16" or "int8"; None keeps the table's own.

    Raises
    ------
    InputError
        An unknown format or extension, keys or settings that the format cannot hold, a compressed native file, or a
        precision for another format.
    StorageError
        The file cannot be written; whatever stood there before is untouched.
    """
    known = check_target(path, format, precision)
    if known == "native":
        write_native(table, path, precision=precision)
    elif known == "word2vec-text":
        write_word2vec_text(table, path)
    elif known == "word2vec-binary":
        write_word2vec_binary(table, path)
    elif known == "model2vec":
        write_model2vec(table, path)
    else:
        write_glove(table, path)


def check_target(path: Path | str, format: Format | None, precision: Precision | None) -> Format:
    """The format of a file to write, once all is well that can be told without the table.

    Raises
    ------
    InputError
        An unknown format, extension or precision, a compressed native file, or a precision for another format.
    """
    known = format_of_name(path) if format is None else format
    _check_format(known)
    if known == "fasttext":
        raise InputError("fastText models are read, not written; the native format holds all that is in one")
    if known != "native" and precision is not None:
        raise InputError(f"precision={precision!r}: {known} always holds float32; only native files have a choice")
    if precision is not None:
        check_known("precision", precision, get_args(Precision))
    if known == "native" and compression_of_name(user_path(path))[1] is not None:
        raise InputError(f"{path}: a native file is mapped as it is and cannot be compressed; drop the extension")
    return known


def _check_format(format: Format) -> None:
    if format not in get_args(Format):
        raise InputError(f"format={format!r}: known are {', '.join(get_args(Format))}")
