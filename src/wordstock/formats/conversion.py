"""Convert a file of vectors into another format and say what the new file does not hold."""

from __future__ import annotations

from pathlib import Path

from wordstock._paths import user_path
from wordstock.embeddings.storage import Precision
from wordstock.errors import InputError
from wordstock.formats.builder import EncodingErrors, NonFinite
from wordstock.formats.detect import Format
from wordstock.formats.dispatch import check_target, read, write
from wordstock.formats.losses import losses
from wordstock.formats.window import Progress

__all__ = ["convert"]


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
        The target's format cannot hold these keys, or the target is the source or a file of it.
    StorageError
        The target cannot be written.
    """
    source, target = user_path(source, "source"), user_path(target, "target")
    known = check_target(target, format, precision)
    if target.exists() and source.exists() and target.samefile(source):
        raise InputError(f"{source} and {target} are one file; write to another name")
    if target.exists() and target.resolve().is_relative_to(source.resolve()):
        raise InputError(f"{target} is a part of {source}; write to another name")
    table = read(source, limit=limit, encoding_errors=encoding_errors, non_finite=non_finite, progress=progress)
    write(table, target, format=known, precision=precision)
    report = list(table.card.notes)
    if limit is not None:
        report.append(f"rows after the first {limit:,} were not read")
    return report + losses(table, known, precision)
