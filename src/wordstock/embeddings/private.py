"""A table's file mapped once more, so that a framework may hold and even write the vectors without a copy of them.

The pages are those of the file, shared with every process that has it open, until something writes to one: that page
alone becomes memory of this process (``MAP_PRIVATE``). The file never changes.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from wordstock.embeddings.tensor_file import open_tensors
from wordstock.errors import FormatError

if TYPE_CHECKING:
    from wordstock.embeddings.table import Embeddings

__all__ = ["private_arrays"]


def private_arrays(table: Embeddings) -> dict[str, npt.NDArray[Any]]:
    """``vectors`` and, where the table has n-grams, ``subword``: writable, and not the table's own.

    Copy-on-write pages where the table was opened from a native file; copies where it was made in memory, or where the
    file has been replaced since.
    """
    if table.path is not None:
        try:
            file = open_tensors(table.path, private=True)
            if json.loads(file.metadata["wordstock"])["digest"] == table.digest:
                return {name: file.tensor(name) for name in ("vectors", "subword") if name in file.header}
        except (OSError, FormatError, KeyError, ValueError):
            pass  # gone or replaced; the table still has the old one open
    found = {"vectors": table.storage.data, "subword": table.subword_vectors}
    return {name: np.array(array, order="C") for name, array in found.items() if array is not None}
