"""Settings checked one way everywhere: what is refused, in which words, and NumPy's numbers stored as Python's."""

from __future__ import annotations

import math
from dataclasses import fields
from types import UnionType
from typing import Any

import numpy as np

from wordstock.errors import InputError

__all__ = ["check_flag", "check_known", "check_number", "check_type", "check_whole", "plain", "store_plain"]


def plain(value: Any) -> Any:
    """A NumPy number, bool or str as Python's own; anything else as it is."""
    return value.item() if isinstance(value, np.generic) else value


def store_plain(settings: Any) -> None:
    """Put Python's own values in place of NumPy's in a dataclass, frozen or not, and in its tuples."""
    for field in fields(settings):
        value = getattr(settings, field.name)
        if isinstance(value, np.generic):
            object.__setattr__(settings, field.name, plain(value))
        elif type(value) is tuple and any(isinstance(one, np.generic) for one in value):
            object.__setattr__(settings, field.name, tuple(map(plain, value)))


def check_whole(
    name: str, value: object, least: int | None, *, below: int | None = None, optional: bool = False
) -> None:
    """Refuse what is no whole number of at least ``least``, where that is not None.

    Parameters
    ----------
    below : the first number that is too large.
    optional : take None too.

    Raises
    ------
    InputError
        Names the setting, its value and what it must be.
    """
    number = plain(value)
    if optional and number is None:
        return
    whole = isinstance(number, int) and not isinstance(number, bool)
    if not whole or (least is not None and number < least) or (below is not None and number >= below):
        limit = "" if least is None else f" of at least {least}"
        limit += f" and below {below}" if below is not None and whole and number >= below else ""
        raise InputError(f"{name}={number!r}: needs a whole number{limit}{', or None' if optional else ''}")


def check_number(
    name: str,
    value: object,
    low: float,
    high: float | None = None,
    *,
    least: bool = False,
    most: bool = False,
    optional: bool = False,
) -> None:
    """Refuse what is no number between two, or one of them where ``least`` or ``most`` says so.

    Raises
    ------
    InputError
        Names the setting, its value and what it must be.
    """
    given = plain(value)
    if optional and given is None:
        return
    number = given if isinstance(given, int | float) and not isinstance(given, bool) else math.nan
    fits = (number >= low if least else number > low) and number < math.inf
    if not fits or (high is not None and not (number <= high if most else number < high)):
        said = f"from {low:g} on" if least else f"above {low:g}"
        if least and most:
            said = f"from {low:g} to {high:g}"
        elif high is not None:
            said += f", {'at most' if most else 'below'} {high:g}"
        raise InputError(f"{name}={given!r}: needs a number {said}{', or None' if optional else ''}")


def check_known(name: str, value: object, known: tuple[str, ...]) -> None:
    """Refuse a value that is not known; InputError lists those that are."""
    if value not in known:
        raise InputError(f"{name}={value!r}: known are {', '.join(map(repr, known))}")


def check_flag(name: str, value: object) -> None:
    """Refuse what is neither True nor False; InputError."""
    if not isinstance(plain(value), bool):
        raise InputError(f"{name}={value!r}: needs True or False")


def check_type(name: str, value: object, kind: type | UnionType, needed: str) -> None:
    """Refuse what is of another kind; InputError says what is ``needed``, such as "a list of texts"."""
    if not isinstance(value, kind):
        raise InputError(f"{name}={value!r:.80}: needs {needed}")
