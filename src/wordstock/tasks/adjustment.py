"""What is learned from held-out texts after training: calibrated probabilities, and a threshold for each label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from wordstock.tasks.calibration import Calibration
from wordstock.tasks.labels import LabelCodec

__all__ = ["Adjustment"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Adjustment:
    """A calibration, and the least probability of each label, float64 (k,); None = none, and 0.5."""

    calibration: Calibration | None = None
    thresholds: Array | None = None

    @property
    def empty(self) -> bool:
        """Whether nothing was learned."""
        return self.calibration is None and self.thresholds is None

    def probabilities(self, raw: Array) -> Array:
        """Calibrated probabilities (n, k)."""
        return raw if self.calibration is None else self.calibration.apply(raw)

    def choose(self, codec: LabelCodec, probabilities: Array) -> npt.NDArray[Any]:
        """As ``codec.choose``, with the thresholds."""
        if self.thresholds is None or not codec.multilabel:
            return codec.choose(probabilities)
        return np.asarray(probabilities >= self.thresholds)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "calibration": None if self.calibration is None else self.calibration.to_dict(),
            "thresholds": None if self.thresholds is None else self.thresholds.tolist(),
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any], classes: int) -> Self:
        """Read back what ``to_dict`` gave; ValueError, KeyError or TypeError for anything else."""
        calibration, thresholds = values["calibration"], values["thresholds"]
        if thresholds is not None:
            thresholds = np.array(thresholds, np.float64)
            if thresholds.shape != (classes,) or not ((thresholds >= 0) & (thresholds <= 1)).all():
                raise ValueError(f"thresholds of shape {thresholds.shape} for {classes} labels")
        return cls(None if calibration is None else Calibration.from_dict(calibration, classes), thresholds)
