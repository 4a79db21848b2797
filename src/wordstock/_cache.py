"""Where wordstock keeps what it can fetch or make again."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

from wordstock._paths import user_path

__all__ = ["cache_folder"]


def cache_folder() -> Path:
    """``WORDSTOCK_CACHE``, or the platform's cache folder for wordstock."""
    own = os.environ.get("WORDSTOCK_CACHE")
    return user_path(own, "WORDSTOCK_CACHE") if own else _user_folder()


@cache
def _user_folder() -> Path:
    import platformdirs

    return Path(platformdirs.user_cache_dir("wordstock", appauthor=False))
