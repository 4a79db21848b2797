"""A vocabulary from keys that a file gave, where some may repeat."""

from __future__ import annotations

import numpy as np

from wordstock.errors import InputError
from wordstock.protocols import IntArray
from wordstock.vocab.key_block import ByteArray
from wordstock.vocab.vocabulary import Vocabulary

__all__ = ["distinct_vocabulary"]

_LIMIT = 2**30  # keys; see vocab.vocabulary


def distinct_vocabulary(blob: ByteArray, offsets: IntArray) -> tuple[Vocabulary, IntArray | None]:
    """The vocabulary of the distinct keys, the first of each kept, and the numbers of the keys that were kept.

    Parameters
    ----------
    blob : uint8 (n_bytes,), the keys' UTF-8 bytes one after the other.
    offsets : int64 (n + 1,), where each key starts in ``blob``.

    Returns
    -------
    The vocabulary, and int64 numbers of the kept keys in ascending order; None if all were kept.

    Raises
    ------
    InputError
        More keys than one table holds.
    """
    from wordstock.kernels.keyindex import CRC_TABLE, index_keys

    size = len(offsets) - 1
    if size > _LIMIT:
        raise InputError(f"{size:,} keys are more than one table holds ({_LIMIT:,}); split the table")
    slots = np.full(1 << max(4, (2 * size - 1).bit_length()), -1, np.int32)
    repeated = np.zeros(size, np.bool_)
    if not index_keys(blob, offsets, CRC_TABLE, slots, np.empty(size, np.uint32), repeated):
        return Vocabulary(blob, offsets, slots=slots), None
    kept = np.flatnonzero(~repeated)
    return Vocabulary(blob, offsets, slots=slots).select(kept), kept
