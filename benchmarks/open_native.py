"""Claim: a native file gives its first vector at least 20 times as fast as gensim's own memory-mapped load, < 10 ms."""

import subprocess
import sys

from options import options
from pairs import HEAD, summary
from peer import folder, gensim_glove, glove

OURS = """
import sys, time
{first}
start = time.perf_counter()
{second}
vector = load(sys.argv[1])["the"]
print(time.perf_counter() - start)
"""
PEER = """
import sys, time
from gensim.models import KeyedVectors
start = time.perf_counter()
vector = KeyedVectors.load(sys.argv[1], mmap="r")["the"]
print(time.perf_counter() - start)
"""


def run() -> str:
    """A fresh process each time: what is timed starts after ``import`` and ends with the first vector in hand."""
    ours, peer = folder() / "glove.safetensors", folder() / "glove.kv"
    glove().save(ours)
    gensim_glove().save(str(peer))
    rows = []
    for name, goal, first, second in (
        ("open a native file and look up one word", "≥ 20×, < 10 ms", "from wordstock import load", ""),
        ("the same, and what the first use of `load` imports", "", "import wordstock", "from wordstock import load"),
    ):
        code = OURS.format(first=first, second=second)
        rows.append(summary([(timed(code, ours), timed(PEER, peer)) for _ in range(9)]).row(name, goal))
    return "\n".join([HEAD, *rows])


def timed(code: str, path: object) -> float:
    """Seconds that a fresh process printed."""
    ran = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    return float(ran.stdout)


if __name__ == "__main__":
    options(__doc__)
    print(run())
