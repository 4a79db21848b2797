"""How far probabilities are from what comes true."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from wordstock._settings import check_whole
from wordstock.errors import InputError

__all__ = ["expected_calibration_error"]

_ROUNDING = 1e-6  # of float32, where shares are brought to a sum of 1


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

    Raises
    ------
    InputError
        No bins, shapes that do not fit, or a probability that is not from 0 to 1.
    """
    check_whole("bins", bins, 1)
    probabilities, target = np.asarray(probabilities), np.asarray(target)
    shape = probabilities.shape
    if len(shape) != 2 or not shape[1] or target.shape not in (shape, shape[:1]):
        raise InputError(f"probabilities of shape {shape}, target {target.shape}: needs (n, k), and (n,) or (n, k)")
    if not ((probabilities >= 0) & (probabilities <= 1 + _ROUNDING)).all():
        raise InputError("probabilities: needs numbers from 0 to 1")
    if target.ndim == 1:
        stated, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == target
    else:
        stated, right = probabilities.ravel(), target.ravel()
    if not len(stated):
        return 0.0
    which = np.minimum((stated * bins).astype(np.int64), bins - 1)
    gaps = np.bincount(which, stated, bins) - np.bincount(which, right.astype(np.float64), bins)
    return float(np.abs(gaps).sum() / len(stated))
