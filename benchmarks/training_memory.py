"""Memory of its own, mapped files left out, that training takes from text to vectors, by command and from Python."""

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
_PYTHON = """
import sys
import wordstock as ws
method, dim, text, out = sys.argv[1:]
train = {"word2vec": ws.train_word2vec, "fasttext": ws.train_fasttext, "glove": ws.train_glove}[method]
train(text, dim=int(dim), epochs=1, threads=2).save(out)
"""


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


def peak_memory(method: str, text: Path, dim: int, *options: str, command: bool = True) -> Peak:
    """One epoch on two threads in a process of its own: ``wordstock train``, or a few lines of Python.

    ``options`` are more of those of the command.
    """
    few = folder() / "few.txt"
    few.write_text("a few words to train on, a few words\n" * 99)
    _run(method, few, dim, options, command)  # compiles
    least, peak = (_run(method, each, dim, options, command) for each in (few, text))
    table = ws.load(folder() / "out.safetensors")
    matrices = [one for one in (table.storage.data, table.subword_vectors, table.output) if one is not None]
    ngrams = 0 if table.subword_vectors is None else len(table.subword_vectors)
    return Peak(len(table), ngrams, sum(one.nbytes for one in matrices) / 2**20, peak - least)


def _run(method: str, text: Path, dim: int, more: tuple[str, ...], command: bool) -> float:
    """Peak of RssAnon, MiB, looked at 200 times a second."""
    out = folder() / "out.safetensors"
    options = ["--method", method, "--dim", str(dim), "--epochs", "1", "--threads", "2", "--overwrite", *more]
    line = [*_COMMAND, str(text), "-o", str(out), *options]
    if not command:
        line = [sys.executable, "-c", _PYTHON, method, str(dim), str(text), str(out)]
    process = subprocess.Popen(line, stderr=subprocess.DEVNULL)
    peak = 0
    while process.poll() is None:
        with suppress(OSError, TypeError):  # it may have ended since, and then has no such line
            status = Path(f"/proc/{process.pid}/status").read_text()
            peak = max(peak, int(re.search(r"RssAnon:\s+(\d+)", status)[1]))
        time.sleep(0.005)
    if process.returncode:
        raise SystemExit(f"training ended with {process.returncode}")
    return peak / 1024
