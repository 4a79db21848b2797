"""Convert a file of vectors into another format and say what the new file does not hold."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from wordstock.embeddings import Embeddings
from wordstock.embeddings.storage import Precision
from wordstock.errors import InputError
from wordstock.formats.builder import EncodingErrors, NonFinite
from wordstock.formats.detect import Format
from wordstock.formats.dispatch import format_of_name, read, write
from wordstock.formats.model2vec_writer import model2vec_losses
from wordstock.formats.window import Progress

__all__ = ["convert", "losses"]

_ROUGHER = {"float32": 0, "float16": 1, "int8": 2}


def convert(
    source: Path | str,
    target: Path | str,
    *,
    format: Format | None = None,
    precision: Precision | None = None,
    limit: int | None = None,
    encoding_errors: EncodingErrors = "strict",
    non_finite: NonFinite = "raise",
    progress: Progress | None = None,
) -> list[str]:
    """Read ``source`` in whatever format it has and write ``target``.

    Parameters
    ----------
    format : of the target; None tells by its name.
    precision : of a native target; None keeps the source's.
    limit, encoding_errors, non_finite, progress : as in ``read``.

    Returns
    -------
    What the target does not hold of the source, one sentence each; empty if nothing is lost.

    Raises
    ------
    FormatError
        The source is unknown or damaged.
    InputError
        The target's format cannot hold these keys, or source and target are one file.
    StorageError
        The target cannot be written.
    """
    source, target = Path(source), Path(target)
    known = format_of_name(target) if format is None else format
    if target.exists() and source.exists() and target.samefile(source):
        raise InputError(f"{source} and {target} are one file; write to another name")
    table = read(source, limit=limit, encoding_errors=encoding_errors, non_finite=non_finite, progress=progress)
    write(table, target, format=known, precision=precision)
    report = list(table.card.notes)
    if limit is not None:
        report.append(f"rows after the first {limit:,} were not read")
    return report + losses(table, known, precision)


def losses(table: Embeddings, format: Format, precision: Precision | None = None) -> list[str]:
    """What a file of this format would not hold of this table, one sentence each."""
    stored = table.storage.precision
    if format == "native":
        wanted = precision or stored
        if _ROUGHER.get(wanted, 0) > _ROUGHER[stored]:
            return [f"{stored} numbers are rounded to {wanted}"]
        return []
    return model2vec_losses(table) if format == "model2vec" else _plain_losses(table)


def _plain_losses(table: Embeddings) -> list[str]:
    """What a file of keys and float32 vectors does not hold."""
    stored = table.storage.precision
    lost = []
    if table.vocabulary.counts is not None:
        lost.append("the counts of the keys are dropped; their order stays")
    if table.vocabulary.rows is not None:
        shared = len(table) - len(np.unique(table.vocabulary.rows))
        unused = len(table.storage) - (len(table) - shared)
        if shared:
            lost.append(f"{shared:,} keys that share a vector with another get a copy of their own")
        if unused:
            lost.append(f"{unused:,} vectors without a key are dropped")
    if stored != "float32":
        lost.append(f"{stored} vectors are written as float32, which takes more room")
    if card := sorted(table.card.to_dict().keys() - {"name"}):
        lost.append(f"the card is dropped ({', '.join(card)})")
    if table.common is not None:
        lost.append("the common components that encode removes are dropped")
    if table.subwords is not None:
        lost.append("the n-gram vectors are dropped: unknown words get no vector any more")
    if table.output is not None:
        lost.append("the output vectors are dropped: training cannot continue")
    return lost
