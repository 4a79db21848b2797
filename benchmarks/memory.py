"""Claim: an open native table holds only the pages it touched."""

import subprocess
import sys
from pathlib import Path

from options import options
from peer import folder, gensim_glove, glove

RESIDENT = """
import sys
def resident():
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmRSS")).split()[1]) / 1024
{setup}
before = resident()
{work}
print(resident() - before)
"""
OURS = RESIDENT.format(
    setup="import wordstock.embeddings as e",
    work='table = e.read_native(sys.argv[1])\nfor word in ("king", "river", "blood"): table[word]',
)
PEER = RESIDENT.format(
    setup="from gensim.models import KeyedVectors",
    work='table = KeyedVectors.load(sys.argv[1], mmap="r")\nfor word in ("king", "river", "blood"): table[word]',
)


def run() -> str:
    """Resident memory that opening and three lookups add, in a fresh process."""
    ours, peer = folder() / "glove.safetensors", folder() / "glove.kv"
    if not ours.exists():
        glove().save(ours)
    if not peer.exists():
        gensim_glove().save(str(peer))
    return (
        "| what | wordstock | gensim, mmap='r' | file |\n|-|-|-|-|\n"
        f"| memory added by opening and three lookups | **{added(OURS, ours):.1f} MiB** | {added(PEER, peer):.1f} MiB "
        f"| {ours.stat().st_size / 2**20:.0f} MiB |"
    )


def added(code: str, path: Path) -> float:
    """MiB that a fresh process printed."""
    ran = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    return float(ran.stdout)


if __name__ == "__main__":
    options(__doc__)
    print(run())
