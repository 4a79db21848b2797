"""Whether what training allocates fits in memory, asked before it is allocated.

Systems hand out more memory than there is and end the process later, when it is written to; so the sum is done first.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from wordstock.errors import InputError

__all__ = ["available_memory", "check_memory"]

_GROUPS = (("memory.max", "memory.current"), ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"))


def check_memory(needed: int, words: int, dim: int) -> None:
    """Refuse matrices that do not fit.

    Parameters
    ----------
    needed : bytes that are about to be allocated.
    words, dim : what for.

    Raises
    ------
    InputError
        More than ``available_memory``; says both figures.
    """
    free = available_memory()
    if free is not None and needed > free:
        raise InputError(
            f"vectors of {words:,} words with dim={dim} need {_shown(needed)} of memory in training, and "
            f"{_shown(free)} are free; lower dim, raise min_count or set max_size"
        )


def available_memory() -> int | None:
    """Bytes that this process may still use: of the machine, swap included, and of its control group; None = unknown.

    Only Linux tells.
    """
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        kib = {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines)}
        free = [(kib["MemAvailable"] + kib["SwapFree"]) * 1024]
    except (OSError, KeyError, ValueError):
        return None
    root = Path("/sys/fs/cgroup")
    for most, used in _GROUPS:
        with suppress(OSError, ValueError):  # "max", or no such group
            folder = (root / most).parent
            pairs = (line.split() for line in (folder / "memory.stat").read_text(encoding="ascii").splitlines())
            cache = sum(int(value) for name, value in pairs if name in ("active_file", "inactive_file"))
            free.append(int((root / most).read_text()) - int((root / used).read_text()) + cache)
    return max(0, min(free))


def _shown(size: float) -> str:
    for unit in ("bytes", "kB", "MB", "GB", "TB"):
        if size < 1000:
            return f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:,.0f} PB"
