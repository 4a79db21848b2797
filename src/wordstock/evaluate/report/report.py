"""TransferReport: points, what they say, and the files that show it."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Self

from wordstock._files import atomic_write
from wordstock._paths import user_path
from wordstock._threads import thread_count
from wordstock._version import __version__
from wordstock.errors import InputError
from wordstock.evaluate.report.analysis import Analysis, analyse
from wordstock.evaluate.report.data import ReportData
from wordstock.evaluate.report.methods import Method, left_out
from wordstock.evaluate.report.plan import ReportConfig
from wordstock.evaluate.report.points import Point, Skipped
from wordstock.evaluate.report.words import findings, recommendation

__all__ = ["TransferReport"]

_LIBRARIES = ("numpy", "scikit-learn", "torch", "transformers")


@dataclass(frozen=True)
class TransferReport:
    """A finished report.

    Parameters
    ----------
    points : everything that was measured.
    analysis : curves, labels to equal score, verdicts, crossovers.
    findings : sentences; ``recommendation`` is what to use.
    facts : the data, the settings, the command, versions and the machine, as plain values.
    methods : name and meaning of each method.
    skipped : points that cannot be had, and why.
    """

    points: tuple[Point, ...]
    analysis: Analysis
    findings: tuple[str, ...]
    recommendation: str
    facts: dict[str, Any]
    methods: dict[str, str]
    skipped: tuple[Skipped, ...] = ()

    @classmethod
    def of(
        cls,
        data: ReportData,
        methods: Sequence[Method],
        points: Sequence[Point],
        *,
        skipped: Sequence[Skipped] = (),
        config: ReportConfig,
        encoders: Sequence[tuple[str, str]],
        command: str,
        seconds: float,
    ) -> Self:
        """Make a report of its points."""
        analysis = analyse(methods, points)
        unit = "labels" if data.task == "classification" else "sentences"
        facts = {
            "data": data.name,
            "task": data.task,
            "unit": unit,
            "metric": _metric(data),
            "training texts": len(data.texts),
            "test texts": len(data.test_texts),
            "test texts left out": data.left_out,
            "classes": data.classes or None,
            "seeds": len({one.seed for one in points}),
            "settings": config.to_dict(),
            "left out": left_out(methods, data.task, config),
            "encoders": dict(encoders),
            "command": command,
            "seconds": round(seconds, 1),
            "training seconds": round(sum(one.seconds for one in points), 1),
            "training CPU seconds": round(sum(one.cpu or 0.0 for one in points), 1),
            "made": datetime.now(UTC).isoformat(timespec="seconds"),
            "versions": {"wordstock": __version__, "python": platform.python_version(), **_versions()},
            "machine": f"{platform.machine()}, {os.cpu_count()} cores, {thread_count()} used",
        }
        used = {one.method for one in points}
        return cls(
            tuple(points),
            analysis,
            tuple(findings(analysis, data, unit, skipped)),
            recommendation(analysis, data, unit),
            facts,
            {one.name: one.told for one in methods if one.name in used},
            tuple(skipped),
        )

    def __str__(self) -> str:
        return "\n".join([*self.findings, self.recommendation])

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values for JSON."""
        return {
            "facts": self.facts,
            "methods": self.methods,
            "findings": list(self.findings),
            "recommendation": self.recommendation,
            **self.analysis.to_dict(),
            "points": [asdict(one) for one in self.points],
            "skipped": [asdict(one) for one in self.skipped],
        }

    def save(self, path: Path | str) -> list[Path]:
        """Write one self-contained HTML page, and beside it the same as .json and the curves as .png.

        Returns
        -------
        The files.

        Raises
        ------
        InputError
            A path that does not end in .html.
        MissingExtraError
            plotly or matplotlib, of the extra "report", is not installed.
        StorageError
            A file cannot be written.
        """
        from wordstock.evaluate.report.page import page
        from wordstock.evaluate.report.picture import picture

        path = user_path(path)
        if path.suffix.lower() not in (".html", ".htm"):
            raise InputError(f"{path}: a report is saved as .html; .json and .png are written beside it")
        made = {
            path: page(self).encode("utf-8"),
            path.with_suffix(".json"): json.dumps(self.to_dict(), indent=1, ensure_ascii=False).encode("utf-8"),
            path.with_suffix(".png"): picture(self),
        }
        for place, content in made.items():
            with atomic_write(place) as stream:
                stream.write(content)
        return list(made)


def _metric(data: ReportData) -> str:
    if data.task == "tagging":
        return "F1 of spans"
    return "micro-F1" if data.multilabel else "accuracy"


def _versions() -> dict[str, str]:
    found = {}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
