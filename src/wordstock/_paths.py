"""Paths as a user gives them."""

from __future__ import annotations

import os
from pathlib import Path

from wordstock.errors import InputError

__all__ = ["user_path"]


def user_path(given: object, name: str = "path") -> Path:
    """The path with a leading ``~`` replaced by a home folder; where there is no such user it stays, as in a shell.

    Parameters
    ----------
    name : of the argument, for the error.

    Raises
    ------
    InputError
        Neither a str nor a path, an empty str, or one with a NUL character, which no file can have in its name.
    """
    text = os.fspath(given) if isinstance(given, str | os.PathLike) else None
    if not isinstance(text, str):
        raise InputError(f"{name}={given!r:.80}: needs a path as a str or pathlib.Path, not {type(given).__name__}")
    if text == "":
        raise InputError(f"{name}='': give the name of a file or folder; . is the current folder")
    if "\0" in text:
        raise InputError(f"{name}={text!r:.80}: holds a NUL character, which no file can have in its name")
    try:
        return Path(text).expanduser()
    except RuntimeError:
        return Path(text)
