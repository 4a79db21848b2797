"""How far probabilities are from what comes true."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["expected_calibration_error"]


def expected_calibration_error(
    probabilities: npt.NDArray[np.float64], target: npt.NDArray[Any], *, bins: int = 15
) -> float:
    """Mean distance between the stated probability and the share that is right, over bins of equal width.

    For one label per text it is that of the likeliest class (Guo et al. 2017, "On calibration of modern neural
    networks"); for several, that of each label of each text.

    Parameters
    ----------
    probabilities : float64 (n, k).
    target : int64 (n,), class codes; or bool (n, k).

    Returns
    -------
    From 0 to 1; 0 is perfect.
    """
    if target.ndim == 1:
        stated, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == target
    else:
        stated, right = probabilities.ravel(), target.ravel()
    if not len(stated):
        return 0.0
    which = np.minimum((stated * bins).astype(np.int64), bins - 1)
    gaps = np.bincount(which, stated, bins) - np.bincount(which, right.astype(np.float64), bins)
    return float(np.abs(gaps).sum() / len(stated))
