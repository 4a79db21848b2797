"""Methods of the table whose work is done in a room above it.

``emb.to_torch()`` belongs to the table for whoever writes it, and to ``tasks`` for whoever builds it: a layer knows the
table, the table knows no framework. So the table holds no more than the dotted name below, which is looked up when the
method is called; nothing of those rooms, and no framework, is imported before.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = ["bridge"]

_HOMES = {"to_torch": "wordstock.tasks.torch", "to_keras": "wordstock.tasks.keras"}


def bridge(name: str) -> Any:
    """The function of that name in the room that is its home.

    Raises
    ------
    MissingExtraError
        The framework is not installed.
    """
    return getattr(import_module(_HOMES[name]), name)
