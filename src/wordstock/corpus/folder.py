"""The files that a path stands for."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from wordstock._paths import user_path
from wordstock.corpus.report import ReadReport
from wordstock.corpus.source import STDIN
from wordstock.errors import InputError

__all__ = ["corpus_files", "corpus_mark", "no_files"]


def corpus_files(
    paths: str | Path | Sequence[str | Path], report: ReadReport, *, empty: bool = False
) -> list[tuple[Path, bool]]:
    """(file, whether it was found in a folder) in the order given, folders recursively and sorted; "-" is standard
    input.

    In folders, hidden files, marks such as ``_SUCCESS`` and the index files of multistream dumps are counted as left
    out. Links are followed, each folder once.

    Raises
    ------
    FileNotFoundError
        No such file or folder.
    InputError
        No path, or a folder without files.
    """
    found: list[tuple[Path, bool]] = []
    given = list(paths) if isinstance(paths, Iterable) and not isinstance(paths, str | bytes) else [paths]
    if not given:
        raise InputError("no path given")
    for one in given:
        path = user_path(one)
        if str(one) == "-":
            found.append((STDIN, False))
        elif path.is_dir():
            inside = _walk(path, report)
            if not inside and not empty:
                raise no_files(path)
            found += [(file, True) for file in inside]
        else:
            path.stat()  # FileNotFoundError names it
            found.append((path, False))
    return found


def no_files(folder: Path | str) -> InputError:
    """The error of a folder that nothing can be read from."""
    return InputError(f"{folder}: a folder without files to read")


def corpus_mark(paths: str | Path | Sequence[str | Path]) -> str:
    """Path, size and time of each file: what tells this corpus from another; "" where it cannot be read twice.

    Raises
    ------
    FileNotFoundError, InputError
        As ``corpus_files``.
    """
    marks = []
    for file, _ in corpus_files(paths, ReadReport()):
        if file == STDIN or not file.is_file():
            return ""
        status = file.stat()
        marks.append(f"{file.absolute()} {status.st_size} {status.st_mtime_ns}")
    return "\n".join(marks)


def _walk(folder: Path, report: ReadReport) -> list[Path]:
    files: list[Path] = []
    seen = {folder.resolve()}
    for here, folders, names in os.walk(folder, followlinks=True):
        for name in sorted(folders):
            real = (Path(here) / name).resolve()
            if name.startswith(".") or real in seen:
                folders.remove(name)
                report.left_out["hidden or repeated folder"] += 1
            seen.add(real)
        folders.sort()
        for name in sorted(names):
            if name.startswith((".", "_")):
                report.left_out["hidden file"] += 1
            elif "multistream-index" in name:
                report.left_out["index file"] += 1
            else:
                files.append(Path(here) / name)
    return files
