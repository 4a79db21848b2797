"""The text that training is measured on, and how its vectors are scored."""

import bz2
import math
import os
import re
import statistics
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from scipy.stats import t as student

from evaluation_sets import sets_folder
from peer import folder
from wordstock.evaluate import read_analogies

SETS = {"WS-353": "WS-353-ALL", "SimLex-999": "SIMLEX-999", "MEN": "MEN-TR-3k"}
SEARCHED = 30_000  # words that analogies look at, as is usual for a vocabulary of this size


@cache
def text(megabytes: int) -> tuple[Path, int]:
    """One paragraph of English Wikipedia to a line, lower-case a to z only; and the number of words."""
    source = Path(os.environ.get("WORDSTOCK_DATA", "")) / "enwiki-core-102mb" / "enwiki-core-AA.txt.bz2"
    if not source.is_file():
        raise SystemExit(f"{source} is not there: set WORDSTOCK_DATA to the folder of evaluation data")
    path, words = folder() / f"wiki-{megabytes}.txt", 0
    limit = megabytes * 1_000_000 if megabytes < 100 else math.inf
    with bz2.open(source, "rt", encoding="utf-8") as lines, path.open("w", encoding="utf-8") as out:
        read = 0
        for line in lines:
            read += len(line)
            if read > limit:
                break
            found = [] if line.startswith("<") else re.findall("[a-z]+", line.lower())
            if found:
                out.write(" ".join(found) + "\n")
                words += len(found)
    return path, words


def sentences(path: Path, limit: int | None = None) -> Iterator[list[str]]:
    """The lines as lists of words."""
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines):
            if number == limit:
                return
            yield line.split()


@cache
def analogies():
    """Google's analogies."""
    return read_analogies(sets_folder() / "questions-words.txt")


def interval(values: list[float], *, digits: int) -> str:
    """Mean ± half of the 95 % interval of the mean."""
    mean = f"{statistics.mean(values):.{digits}f}"
    if len(values) < 2:
        return mean
    half = student.ppf(0.975, len(values) - 1) * statistics.stdev(values) / math.sqrt(len(values))
    return f"{mean} ± {half:.{digits}f}"
