"""How much memory a piece of work needs at its peak."""

from __future__ import annotations

from pathlib import Path

__all__ = ["PeakMemory"]

_RESET = Path("/proc/self/clear_refs")
_STATUS = Path("/proc/self/status")


class PeakMemory:
    """The process's largest resident memory since this was made, where Linux tells."""

    def __init__(self) -> None:
        self._before = _kilobytes("VmRSS")
        try:
            _RESET.write_bytes(b"5")  # the peak becomes what is resident now
            self._works = self._before is not None
        except OSError:
            self._works = False

    def read(self) -> tuple[float | None, float | None]:
        """The peak in MiB, and by how much it is above what was resident at first; None where it is not known."""
        peak = _kilobytes("VmHWM") if self._works else None
        if peak is None or self._before is None:
            return None, None
        return round(peak / 1024, 1), round(max(0, peak - self._before) / 1024, 1)


def _kilobytes(name: str) -> int | None:
    try:
        lines = _STATUS.read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    return None
