"""Time two things in turn in one process, so that a drifting machine slows both alike."""

import gc
import statistics
import time
from collections.abc import Callable
from typing import NamedTuple


class Pair(NamedTuple):
    """Median seconds of ours and of the peer, and the median, lowest and highest ratio peer / ours of the pairs."""

    ours: float
    peer: float
    ratio: float
    lowest: float
    highest: float

    def row(self, claim: str, goal: str) -> str:
        """One line of a results table."""
        ratio = f"**{self.ratio:.1f}×** ({self.lowest:.1f}–{self.highest:.1f})"
        return f"| {claim} | {seconds(self.ours)} | {seconds(self.peer)} | {ratio} | {goal} |"


HEAD = "| what | wordstock | peer | ratio (range over pairs) | goal |\n|-|-|-|-|-|"


def paired(ours: Callable[[], object], peer: Callable[[], object], *, pairs: int = 5, warm: bool = True) -> Pair:
    """Run ``ours`` and ``peer`` alternately; one unrecorded run of each first, unless ``warm`` is False."""
    if warm:
        ours()
        peer()
    times = [(clock(ours), clock(peer)) for _ in range(pairs)]
    return summary(times)


def summary(times: list[tuple[float, float]]) -> Pair:
    """Medians and ratios of (ours, peer) seconds."""
    ratios = [b / a for a, b in times]
    return Pair(
        statistics.median(a for a, _ in times),
        statistics.median(b for _, b in times),
        statistics.median(ratios),
        min(ratios),
        max(ratios),
    )


def clock(work: Callable[[], object]) -> float:
    """Seconds of one call; what it returned is freed outside the clock."""
    gc.collect()
    start = time.perf_counter()
    kept = work()
    end = time.perf_counter()
    del kept
    return end - start


def seconds(value: float) -> str:
    """Seconds in the unit a person would use."""
    if value < 1e-3:
        return f"{value * 1e6:.0f} µs"
    return f"{value * 1e3:.2f} ms" if value < 1 else f"{value:.2f} s"
