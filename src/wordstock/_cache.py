"""Where wordstock keeps what it can fetch or make again."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

__all__ = ["cache_folder", "expand"]


def cache_folder() -> Path:
    """``WORDSTOCK_CACHE``, or the platform's cache folder for wordstock."""
    own = os.environ.get("WORDSTOCK_CACHE")
    return expand(own) if own else _user_folder()


def expand(path: str | os.PathLike[str]) -> Path:
    """The path with ``~`` replaced by a home folder; where there is no such user it stays, as in a shell."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)


@cache
def _user_folder() -> Path:
    import platformdirs

    return Path(platformdirs.user_cache_dir("wordstock", appauthor=False))
