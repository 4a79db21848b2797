"""Read an evaluation set of either kind, told by its content."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, get_args

from wordstock._paths import user_path
from wordstock.errors import FormatError, InputError
from wordstock.evaluate.lines import read_lines
from wordstock.evaluate.read_analogies import AnalogyLayout, find_analogy_layout, read_analogies
from wordstock.evaluate.read_similarity import SimilarityLayout, find_separator, read_similarity
from wordstock.evaluate.sets import AnalogySet, SimilaritySet

__all__ = ["Layout", "read_set"]

Layout = Literal[SimilarityLayout, AnalogyLayout]


def read_set(path: Path | str, *, layout: Layout | None = None, name: str | None = None) -> SimilaritySet | AnalogySet:
    """Read a similarity or an analogy set.

    Parameters
    ----------
    layout : "tab", "comma" or "space" for similarity; "google", "msr", "csv" or "bats" for analogies; None tells by
        the content.
    name : of the set; None takes the file's.

    Raises
    ------
    FormatError
        The content fits no layout, or breaks the one it fits; names the line.
    InputError
        An unknown layout.
    """
    if layout is not None:
        if layout not in get_args(Layout):
            raise InputError(f"layout={layout!r}: known are {', '.join(get_args(Layout))}")
        if layout == "tab" or layout == "comma" or layout == "space":  # mypy narrows only this
            return read_similarity(path, layout=layout, name=name)
        return read_analogies(path, layout=layout, name=name)
    path = user_path(path)
    analogy_layout = find_analogy_layout(path)
    lines = [] if path.is_dir() or analogy_layout == "csv" else read_lines(path)
    if lines and not lines[0].text.startswith(":") and find_separator(lines, path) is not None:
        return read_similarity(path, name=name)
    if analogy_layout is None:
        raise FormatError(
            path,
            expected="a similarity set (two words and a score per line) or analogy questions",
            found="neither in its first two lines",
            remedy=f"name the layout if it is one of {', '.join(get_args(Layout))}",
        )
    return read_analogies(path, layout=analogy_layout, name=name)
