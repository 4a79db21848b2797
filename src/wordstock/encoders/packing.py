"""From tokens of texts to batches: cut long texts, sort by length, pack to a token budget, pad."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from wordstock.protocols import IntArray

__all__ = ["Batch", "Windows", "batches", "shared_budget", "cut", "padded"]

_MANY = 8  # batches for each stream, after which it hardly matters that the last ones end apart
_LEAST = 64  # tokens that are worth a thread of their own
_PADDING, _LEAST_PADDING = 32, 8  # a batch ends where this part of the budget is padding: another batch costs less


@dataclass(frozen=True)
class Windows:
    """Parts of texts that fit into the model, in the order of the texts; most texts are one window.

    Parameters
    ----------
    ids : int64, tokens that the windows are taken from.
    text : int64 (windows,), which text each belongs to.
    start, stop : int64 (windows,), its tokens in ``ids``.
    lead : int64 (windows,), so many of its first tokens repeat the prompt.
    truncated : how many texts lost their end.
    """

    ids: IntArray
    text: IntArray
    start: IntArray
    stop: IntArray
    lead: IntArray
    truncated: int = 0

    @property
    def lengths(self) -> IntArray:
        """Tokens of each window."""
        return self.stop - self.start


def cut(ids: IntArray, bounds: IntArray, room: int, *, windows: bool, overlap: float = 0.0, lead: int = 0) -> Windows:
    """Fit texts into ``room`` tokens each, by cutting off their ends or by overlapping windows.

    Parameters
    ----------
    ids, bounds : tokens of all texts, and where each text's start.
    overlap : share of a window that the next one repeats.
    lead : length of the prompt at the start of every text, which each window begins with.
    """
    start, stop = bounds[:-1], bounds[1:]
    long = np.flatnonzero(stop - start > room)
    text = np.arange(len(start))
    none = np.zeros(len(start), np.int64)
    if not len(long):
        return Windows(ids, text, start, stop, none)
    if not windows:
        return Windows(ids, text, start, np.minimum(stop, start + room), none, len(long))
    lead = min(lead, room // 2)
    step = max(1, int((room - lead) * (1 - overlap)))
    parts = [ids]
    rows: list[tuple[int, int, int, int]] = []
    base = len(ids)
    for which in long.tolist():
        begin, end = int(start[which]), int(stop[which])
        rows.append((which, begin, begin + room, 0))
        for at in range(begin + lead + step, end - (room - lead - step), step):
            to = min(at + room - lead, end)
            if lead:  # the prompt does not stand before this part of the text: write both anew
                parts += [ids[begin : begin + lead], ids[at:to]]
                rows.append((which, base, base + lead + to - at, lead))
                base += lead + to - at
            else:
                rows.append((which, at, to, 0))
    short = np.delete(text, long)
    listed = np.array(rows, np.int64)
    whole = np.stack([short, start[short], stop[short], none[short]], axis=1)
    every = np.concatenate([whole, listed])
    every = every[np.argsort(every[:, 0], kind="stable")]
    number, first, last, leads = np.ascontiguousarray(every.T)
    return Windows(np.concatenate(parts), number, first, last, leads)


def shared_budget(windows: Windows, special: int, budget: int, streams: int) -> int:
    """A token budget, smaller where few batches would leave some of the ``streams`` without work at the end.

    Parameters
    ----------
    special : tokens around each window.
    """
    lengths = windows.lengths + special
    total = int(lengths.sum())
    parts = -(-total // budget)
    if streams == 1 or parts > _MANY * streams or total < 2 * _LEAST:
        return budget
    parts = min(-(-parts // streams) * streams, total // _LEAST)
    return min(budget, -(-total // parts) + int(lengths.max()) - 1)  # the last batch must not be one too many


class Batch(NamedTuple):
    """Windows of about one length: their numbers, and int64 (n, length) arrays for the model."""

    windows: IntArray
    ids: IntArray
    mask: IntArray


def batches(windows: Windows, prefix: IntArray, suffix: IntArray, pad: int, budget: int) -> Iterator[Batch]:
    """Windows by falling length, as many at once as ``budget`` tokens hold, little of it padding; at least one.

    Windows without any token, special ones included, are left out.
    """
    lengths = windows.lengths + len(prefix) + len(suffix)
    order = np.argsort(-lengths, kind="stable")
    order = order[lengths[order] > 0]
    at = 0
    while at < len(order):
        longest = int(lengths[order[at]])
        chosen = order[at : at + max(1, budget // longest)]
        spare = np.cumsum(longest - lengths[chosen])
        chosen = chosen[spare <= max(_LEAST_PADDING, budget // _PADDING)]
        at += len(chosen)
        yield padded(windows, chosen, prefix, suffix, pad)


def padded(windows: Windows, chosen: IntArray, prefix: IntArray, suffix: IntArray, pad: int) -> Batch:
    """Some windows as one batch, special tokens around them and padding on the right."""
    lengths = windows.lengths[chosen] + len(prefix) + len(suffix)
    column = np.arange(int(lengths.max(initial=0)))
    ids = np.full((len(chosen), len(column)), pad, np.int64)
    ids[:, : len(prefix)] = prefix
    ends = lengths - len(suffix)
    inside = (column >= len(prefix)) & (column < ends[:, None])
    source = windows.start[chosen][:, None] + column - len(prefix)
    ids[inside] = windows.ids[source[inside]]
    for place, number in enumerate(suffix):
        ids[np.arange(len(chosen)), ends + place] = number
    mask = (column < lengths[:, None]).astype(np.int64)
    return Batch(chosen, ids, mask)
