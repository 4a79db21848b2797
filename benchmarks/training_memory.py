"""Memory of its own, mapped files left out, that ``wordstock train`` takes from text to vectors."""

import re
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import wordstock as ws
from peer import folder

_COMMAND = [sys.executable, "-c", "from wordstock.cli.main import main; main()", "train"]


class Peak(NamedTuple):
    """Keys and n-grams of the result, MiB of its matrices, and the peak in MiB above that of a text of a few words."""

    words: int
    ngrams: int
    matrices: float
    peak: float

    def cells(self) -> str:
        """The end of a table's row: matrices, peak, and what is beyond 1.3 times the matrices."""
        beyond = max(self.peak - 1.3 * self.matrices, 0)
        return f"{self.matrices:.0f} MiB | {self.peak:.0f} MiB | {beyond:.0f} MiB |"


def peak_memory(method: str, text: Path, dim: int) -> Peak:
    """One epoch on two threads in a process of its own."""
    few = folder() / "few.txt"
    few.write_text("a few words to train on, a few words\n" * 99)
    _run(method, few, dim)  # compiles
    least, peak = _run(method, few, dim), _run(method, text, dim)
    table = ws.load(folder() / "out.safetensors")
    matrices = [one for one in (table.storage.data, table.subword_vectors, table.output) if one is not None]
    ngrams = 0 if table.subword_vectors is None else len(table.subword_vectors)
    return Peak(len(table), ngrams, sum(one.nbytes for one in matrices) / 2**20, peak - least)


def _run(method: str, text: Path, dim: int) -> float:
    """Peak of RssAnon, MiB, looked at 200 times a second."""
    out = folder() / "out.safetensors"
    options = ["--method", method, "--dim", str(dim), "--epochs", "1", "--threads", "2", "--overwrite"]
    process = subprocess.Popen([*_COMMAND, str(text), "-o", str(out), *options], stderr=subprocess.DEVNULL)
    peak = 0
    while process.poll() is None:
        with suppress(OSError, TypeError):  # it may have ended since, and then has no such line
            status = Path(f"/proc/{process.pid}/status").read_text()
            peak = max(peak, int(re.search(r"RssAnon:\s+(\d+)", status)[1]))
        time.sleep(0.005)
    if process.returncode:
        raise SystemExit(f"wordstock train ended with {process.returncode}")
    return peak / 1024
