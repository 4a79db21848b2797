"""Random draws of word2vec: noise words, window widths, and which occurrences of frequent words are kept."""

from __future__ import annotations

import numpy as np

from wordstock.kernels.compiled import compiled

__all__ = ["below", "draw_noise", "keep_words", "next_random"]

_LEFT, _RIGHT, _LEFT_AGAIN = np.uint64(13), np.uint64(7), np.uint64(17)
_HALF, _LOW = np.uint64(32), np.uint64(0xFFFFFFFF)
_TOP_24, _UNIT = np.uint64(40), np.float32(2**-24)


@compiled(inline="always")
def next_random(state):
    """The next 64 random bits of ``state`` uint64 (1,), which must not be 0 (xorshift64, Marsaglia 2003)."""
    bits = state[0]
    bits ^= bits << _LEFT
    bits ^= bits >> _RIGHT
    bits ^= bits << _LEFT_AGAIN
    state[0] = bits
    return bits


@compiled(inline="always")
def below(bits, size):
    """0 <= integer < size, from the upper half of random bits; size below 2**31."""
    return np.int64(((bits >> _HALF) * np.uint64(size)) >> _HALF)


@compiled(inline="always")
def draw_noise(noise, bits):
    """A word by Walker's alias method; ``noise`` uint64 (words,): threshold * 2**32 + alias."""
    slot = below(bits, len(noise))
    entry = noise[slot]
    return slot if (bits & _LOW) < (entry >> _HALF) else np.int64(entry & _LOW)


@compiled
def keep_words(ids, start, stop, keep, window, state, kept):
    """Thin out frequent words in ``ids[start:stop]``, with the neighbours that windows reach beyond it.

    ``ids`` int32, -1 ends a sentence; ``keep`` float32 (words,), probability of staying; ``kept`` int32
    (stop - start + 2 * window + 3,) is filled with the words that stay, in order; -1 between sentences, at both ends.

    Returns
    -------
    (first, last) : the part of ``kept`` that comes from the slice itself; up to ``window`` words of the same sentence
        stand before and after, so a slice may cut a sentence without changing any window.
    """
    first = window + 1
    at = first
    place = start - 1
    while at > 1 and place >= 0 and ids[place] >= 0:
        at = _keep(ids[place], keep, state, kept, at - 1, at - 1, at)
        place -= 1
    kept[at - 1] = -1
    last = first
    for place in range(start, stop):
        word = ids[place]
        if word < 0:
            kept[last] = -1
            last += 1
        else:
            last = _keep(word, keep, state, kept, last, last + 1, last)
    at = last
    place = stop
    while at < last + window and place < len(ids) and ids[place] >= 0:
        at = _keep(ids[place], keep, state, kept, at, at + 1, at)
        place += 1
    kept[at] = -1
    return first, last


@compiled(inline="always")
def _keep(word, keep, state, kept, at, taken, left):
    """Write the word; the next position is ``taken`` if it stays, else ``left``: no branch to predict."""
    kept[at] = word
    uniform = np.float32(next_random(state) >> _TOP_24) * _UNIT
    return taken if uniform < keep[word] else left
