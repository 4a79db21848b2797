"""What curves look like, the same in the page and in the picture: a colour and a dash per method, and bands."""

from __future__ import annotations

from collections.abc import Sequence

from wordstock.evaluate.report.analysis import Curve

__all__ = ["Look", "bands", "looks"]

Look = tuple[str, bool]

# Okabe & Ito's palette, told apart by the colour-blind too; what knows nothing beforehand is grey and dashed.
_FAMILIES = {
    "tf-idf": "#666666",
    "from scratch": "#000000",
    "static frozen": "#56B4E9",
    "static tuned": "#0072B2",
    "contextual frozen": "#E69F00",
    "few-shot": "#009E73",
    "fine-tuned": "#D55E00",
}
_MORE = ("#CC79A7", "#8c564b", "#7f3fbf", "#b8a500", "#17807e")


def looks(curves: Sequence[Curve]) -> dict[str, Look]:
    """(colour, whether it is dashed) of each method; a second encoder of a family takes a colour of its own."""
    taken: set[str] = set()
    spare = iter(_MORE * (1 + len(curves) // len(_MORE)))
    out = {}
    for curve in curves:
        colour = _FAMILIES[curve.family]
        if colour in taken:
            colour = next(spare)
        taken.add(colour)
        out[curve.method] = (colour, not curve.pretrained)
    return out


def bands(samples: int) -> bool:
    """Whether intervals are drawn: Student's t makes those of two samples so wide that they would hide the curves."""
    return samples > 2
