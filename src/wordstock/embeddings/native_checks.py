"""What a native file must hold: tensors of the right kind, shapes that agree, bounds that nobody checks again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from wordstock.errors import FormatError, InputError
from wordstock.vocab import Subwords

__all__ = ["check_tensors", "with_stored"]

_REMEDY = "the file is damaged; save or fetch it again"
_REQUIRED = ("vectors", "norms", "keys", "offsets", "slots")
_KINDS = {
    "norms": ("f4", 1),
    "keys": ("u1", 1),
    "offsets": ("i8", 1),
    "slots": ("i4", 1),
    "rows": ("i4", 1),
    "counts": ("i8", 1),
    "scales": ("f4", 1),
    "common": ("f4", 2),
    "subword": ("f4", 2),
    "output": ("f4", 2),
    "frequencies": ("f4", 1),
}


def with_stored(path: Path, subwords: Subwords, stored: npt.NDArray[Any]) -> Subwords:
    """The settings with the buckets that the file holds; FormatError where they are none."""
    expected = f"'subword_buckets' as ascending int32 below {subwords.buckets}"
    if stored.dtype != np.int32 or stored.ndim != 1:
        raise FormatError(path, expected=expected, found=f"{stored.dtype} {list(stored.shape)}", remedy=_REMEDY)
    try:
        return replace(subwords, stored=stored)
    except InputError as error:
        raise FormatError(path, expected=expected, found="another order or range", remedy=_REMEDY) from error


def check_tensors(path: Path, arrays: dict[str, npt.NDArray[Any]], subwords: Subwords | None) -> None:
    """Shapes that must agree, and the bounds that no later code checks again.

    Raises
    ------
    FormatError
        Says what was expected and what was found.
    """

    def need(holds: bool, expected: str, found: object) -> None:
        if not holds:
            raise FormatError(path, expected=expected, found=str(found), remedy=_REMEDY)

    missing = [name for name in _REQUIRED if name not in arrays]
    need(not missing, f"the tensors {', '.join(_REQUIRED)}", f"no {', '.join(missing)}")
    for name, (kind, dimensions) in _KINDS.items():
        if (array := arrays.get(name)) is not None:
            expected = f"{name!r} as {np.dtype(kind)} with {dimensions} dimensions"
            holds = array.dtype == np.dtype(kind) and array.ndim == dimensions
            need(holds, expected, f"{array.dtype} {list(array.shape)}")
    vectors, offsets, slots, rows = arrays["vectors"], arrays["offsets"], arrays["slots"], arrays.get("rows")
    precise = vectors.dtype.name in ("float32", "float16", "int8") and vectors.ndim == 2
    need(precise, "'vectors' as a matrix of float32, float16 or int8", f"{vectors.dtype} {list(vectors.shape)}")
    need((vectors.dtype == np.int8) == ("scales" in arrays), "'scales' with int8 vectors and only there", vectors.dtype)
    size = len(offsets) - 1
    spans = size >= 0 and offsets[0] == 0 and offsets[-1] == len(arrays["keys"])
    need(bool(spans), f"key offsets from 0 to {len(arrays['keys'])}", f"{len(offsets)} offsets of another range")
    indexable = len(slots) > size and len(slots) & (len(slots) - 1) == 0
    need(indexable, f"an index size that is a power of two above {size}", len(slots))
    per_row, per_key = ("norms", "scales", "output"), ("rows", "counts", "frequencies")
    lengths = dict.fromkeys(per_row, len(vectors)) | dict.fromkeys(per_key, size)
    for name, length in lengths.items():
        if name in arrays:
            need(len(arrays[name]) == length, f"{length} entries in {name!r}", len(arrays[name]))
    if rows is None:
        need(size == len(vectors), f"{size} vectors, one per key", len(vectors))
    elif size:
        low, high = int(rows.min()), int(rows.max())
        need(0 <= low <= high < len(vectors), f"rows from 0 to {len(vectors) - 1}", f"{low} to {high}")
    for name in {"common", "subword", "output"} & arrays.keys():
        columns = arrays[name].shape[1]
        need(columns == vectors.shape[1], f"{vectors.shape[1]} columns in {name!r}", columns)
    grams = len(arrays["subword"]) if "subword" in arrays else None
    wanted = subwords.n_rows if subwords is not None else None
    need(grams == wanted, f"{wanted} subword vectors", grams)
