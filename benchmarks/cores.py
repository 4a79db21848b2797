"""Whether the machine gives two whole cores: virtual processors may be two threads of one core, or be shared.

It is measured beside what is timed, by arithmetic that needs no memory, so that pairs are told apart by it, not by
their result. A tenth of a second each: two threads that live for a few milliseconds often stay on the core that began
them, however many there are.
"""

import statistics
import threading
from collections.abc import Callable

import numpy as np

from pairs import Pair, clock, seconds, summary
from wordstock.kernels.compiled import compiled
from wordstock.kernels.scratch import private_arrays

_TURNS = 5_000_000  # a tenth of a second
WHOLE = 1.25  # two threads at most so much slower than one


@compiled(fastmath=True)
def _turn(x: np.ndarray, times: int) -> float:
    for _ in range(times):
        for i in range(len(x)):
            x[i] = x[i] * np.float32(0.999) + np.float32(0.1)
    return x[0]


def sharing() -> float:
    """Time of two threads at once, each with work of its own, over that of one: 1 on two whole cores, 2 on one."""
    numbers = private_arrays(((512,), np.float32), ((512,), np.float32))
    _turn(numbers[0], 1)

    def run(count: int) -> None:
        threads = [threading.Thread(target=_turn, args=(x, _TURNS)) for x in numbers[:count]]
        for each in threads:
            each.start()
        for each in threads:
            each.join()

    return statistics.median(clock(lambda: run(2)) / clock(lambda: run(1)) for _ in range(3))


class Told:
    """Pairs of times, and how much the cores were shared around each."""

    def __init__(self) -> None:
        self.times: list[tuple[float, float]] = []
        self.sharing: list[float] = []

    @property
    def whole(self) -> list[bool]:
        """Which pairs had two whole cores."""
        return [shared <= WHOLE for shared in self.sharing]

    def row(self, claim: str, goal: str) -> str:
        """A line of a results table: the pairs with two whole cores, then all of them."""
        every = summary(self.times)
        chosen = [pair for pair, whole in zip(self.times, self.whole, strict=True) if whole]
        best = summary(chosen) if chosen else every
        whole = f"{ratio(best) if chosen else 'none'}, {len(chosen)} pairs"
        of_all = f"{ratio(every)}, {len(self.times)} pairs"
        shared = f"{statistics.median(self.sharing):.1f}×"
        return f"| {claim} | {seconds(best.ours)} | {seconds(best.peer)} | {whole} | {of_all} | {shared} | {goal} |"


def ratio(pair: Pair) -> str:
    """A ratio with its range."""
    return f"**{pair.ratio:.1f}×** ({pair.lowest:.1f}–{pair.highest:.1f})"


HEAD = (
    "| what | wordstock | peer | ratio of the pairs with two whole cores | of all pairs | "
    "beside them two threads of arithmetic took, of the time of one | goal |\n|-|-|-|-|-|-|-|"
)


def paired_on_cores(ours: Callable[[], float], peer: Callable[[], float], *, pairs: int = 3, at_most: int = 8) -> Told:
    """Times that ``ours`` and ``peer`` return, in turn, until ``pairs`` had two whole cores around each."""
    told = Told()
    before = sharing()
    while sum(told.whole) < pairs and len(told.times) < at_most:
        first = ours()
        between = sharing()
        second = peer()
        after = sharing()
        told.times.append((first, second))
        told.sharing.append(max(before, between, after))
        before = after
    return told
