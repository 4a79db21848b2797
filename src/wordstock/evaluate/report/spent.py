"""What a piece of work costs: seconds by the clock, and of all processors together."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import Self

__all__ = ["Spent"]


@dataclass(frozen=True)
class Spent:
    """Seconds.

    Parameters
    ----------
    seconds : by the clock.
    cpu : of all threads, and of child processes that have ended.
    """

    seconds: float = 0.0
    cpu: float = 0.0

    @classmethod
    def so_far(cls) -> Self:
        """Of this process; only differences mean something."""
        times = os.times()
        return cls(time.perf_counter(), time.process_time() + times.children_user + times.children_system)

    def __add__(self, other: Spent) -> Spent:
        return Spent(self.seconds + other.seconds, self.cpu + other.cpu)

    def __sub__(self, other: Spent) -> Spent:
        return Spent(self.seconds - other.seconds, self.cpu - other.cpu)

    def __mul__(self, share: float) -> Spent:
        return Spent(share * self.seconds, share * self.cpu)
