"""Claim: ``import wordstock`` takes at most 1.5 times as long as ``import numpy``."""

import statistics
import subprocess
import sys

from options import options

TIMED = "import time; start = time.perf_counter(); import {}; print(time.perf_counter() - start)"


def run() -> str:
    """A fresh process for each import, in turn, 15 of each."""
    times = [(timed("wordstock"), timed("numpy")) for _ in range(15)]
    ours, numpy = (statistics.median(column) * 1e3 for column in zip(*times, strict=True))
    ratio = statistics.median(a / b for a, b in times)
    return (
        "| what | wordstock | numpy | ratio wordstock / numpy | goal |\n|-|-|-|-|-|\n"
        f"| import | {ours:.0f} ms | {numpy:.0f} ms | **{ratio:.2f}×** | ≤ 1.5× |"
    )


def timed(module: str) -> float:
    """Seconds that a fresh process needs to import ``module``."""
    ran = subprocess.run([sys.executable, "-c", TIMED.format(module)], capture_output=True, text=True, check=True)
    return float(ran.stdout)


if __name__ == "__main__":
    options(__doc__)
    print(run())
