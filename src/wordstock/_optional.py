"""The one way to import an optional library: names the extra and the pip command when it is missing."""

from __future__ import annotations

import importlib
from types import ModuleType

from wordstock.errors import MissingExtraError

__all__ = ["require"]


def require(module: str, *, extra: str, purpose: str) -> ModuleType:
    """Import ``module``, or say which extra brings it.

    Raises
    ------
    MissingExtraError
        The library is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] != module.split(".")[0]:
            raise
        raise MissingExtraError(
            f"{purpose} needs {module.split('.')[0]}, which is not installed; run: pip install 'wordstock[{extra}]'"
        ) from error
