"""Where a verb may write: never over what it reads."""

from __future__ import annotations

from pathlib import Path

from wordstock._paths import user_path
from wordstock.errors import InputError

__all__ = ["check_output"]


def check_output(output: Path, *read: Path | str | None, option: str = "--output") -> None:
    """Refuse, before anything is learned, a folder as an output and a file that is read.

    Parameters
    ----------
    read : paths, or names of models, which are paths where a file is there; None is left out.

    Raises
    ------
    InputError
        Names the option.
    """
    place = user_path(output)
    if place.is_dir():
        raise InputError(f"{option} {output} is a folder; give the name of a file")
    paths = [user_path(one) for one in read if one is not None]
    if place.exists() and any(path.exists() and place.samefile(path) for path in paths):
        raise InputError(f"{option} {output} is the file that is read; give another name")
