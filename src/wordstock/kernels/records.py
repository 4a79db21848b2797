"""Rows of word2vec binary: a key, a space, and the bytes of ``dim`` float32."""

from __future__ import annotations

from wordstock.kernels.compiled import compiled

__all__ = ["copy_records", "scan_records"]

_NEWLINE, _SPACE = 10, 32


@compiled
def scan_records(data, start, stop, width, spans):
    """Find whole rows in start..stop until rows or bytes run out; a LF before a key is skipped.

    Parameters
    ----------
    data : uint8 (n,).
    width : bytes of a vector.
    spans : int64 (rows, 2), written: where each key starts and stops; its vector starts one byte further.

    Returns
    -------
    rows found, and the position after the last.
    """
    p = start
    for row in range(len(spans)):
        first = p
        if p < stop and data[p] == _NEWLINE:
            p += 1
        spans[row, 0] = p
        while p < stop and data[p] != _SPACE:
            p += 1
        spans[row, 1] = p
        p += 1 + width
        if p > stop:
            return row, first
    return len(spans), p


@compiled
def copy_records(data, spans, first, last, rows):
    """Copy the vectors after the keys at ``spans`` to ``rows`` uint8 (n, width), for rows first..last."""
    for row in range(first, last):
        source = data[spans[row, 1] + 1 : spans[row, 1] + 1 + rows.shape[1]]
        target = rows[row]
        for i in range(len(target)):
            target[i] = source[i]
