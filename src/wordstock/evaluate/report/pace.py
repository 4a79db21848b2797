"""How long the next point would take, so that a quick report ends in time."""

from __future__ import annotations

import time

__all__ = ["Pace"]


class Pace:
    """Wall seconds of the points so far.

    Parameters
    ----------
    limit : seconds from now on in which everything is to be done; None is no limit.
    """

    def __init__(self, limit: float | None) -> None:
        self.limit, self._began = limit, time.perf_counter()
        self._last: dict[str, tuple[int, float]] = {}

    def fits(self, method: str, budget: int) -> bool:
        """Whether a point may begin: by its last one, in proportion to the labels. The first of a method always may."""
        if self.limit is None or method not in self._last:
            return True
        labels, seconds = self._last[method]
        return time.perf_counter() - self._began + seconds * max(1.0, budget / labels) <= self.limit

    def took(self, method: str, budget: int, seconds: float) -> None:
        """Remember a point that was measured."""
        self._last[method] = budget, seconds
