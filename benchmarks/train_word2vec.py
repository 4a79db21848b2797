"""Claim: word2vec from text to vectors at least 7 times (skip-gram) and 3 times (CBOW) as fast as gensim, as good.

Both read the same file of plain words on the same two cores, gensim by its ``corpus_file``; the time of vocabulary and
ids is included. ``--quick`` takes a tenth of the text and one pair, ``--dim 300`` another length.
"""

import bz2
import os
import re
import sys
import warnings
from functools import cache
from pathlib import Path

import numpy as np
from gensim.models import Word2Vec

import wordstock as ws
from evaluation_sets import sets_folder
from pairs import HEAD, paired
from peer import folder
from wordstock.evaluate import evaluate_analogy, evaluate_similarity, read_analogies, read_similarity
from wordstock.train import train_word2vec

THREADS, EPOCHS = 2, 5
SHARED = {"window": 5, "negative": 5, "epochs": EPOCHS, "min_count": 5}
GOALS = {"skipgram": "≥ 7×", "cbow": "≥ 3×"}
SEARCHED = 30_000  # words that analogies look at, as is usual for a vocabulary of this size


def run(*, quick: bool = False, dim: int = 100) -> str:
    """Speed and quality of both algorithms; after the first pair every training has another seed."""
    path, words = text(quick=quick)
    speed, quality = [HEAD], ["| vectors | WS-353 | SimLex-999 | Google analogies |", "|-|-|-|-|"]
    rates = []
    for algorithm, goal in GOALS.items():
        mine, his = [], []

        def ours(algorithm=algorithm, mine=mine) -> None:
            mine.append(train_ours(path, algorithm, dim, seed=len(mine) + 1))

        def theirs(algorithm=algorithm, his=his) -> None:
            his.append(train_gensim(path, algorithm, dim, seed=len(his) + 1))

        train_word2vec(sentences(path, limit=200), dim=dim, algorithm=algorithm, min_count=1, epochs=1)  # compiles
        pair = paired(ours, theirs, pairs=1 if quick else 3, warm=False)
        name = f"{algorithm}, dim {dim}, {THREADS} threads, {EPOCHS} epochs of {words / 1e6:.1f} M words"
        speed.append(pair.row(name, goal))
        millions = [words * EPOCHS / seconds / 1e6 for seconds in (pair.ours, pair.peer)]
        speeds = mine[-1].card.training["words_per_second"] / 1e6
        rates.append(f"{algorithm}: {millions[0]:.2f} against {millions[1]:.2f}, our kernel alone {speeds:.2f}")
        quality.append(scores(f"{algorithm}, wordstock", mine))
        quality.append(scores(f"{algorithm}, gensim", his))
    note = f"Million words per second from text to vectors: {'; '.join(rates)}."
    return "\n".join([*speed, "", note, "", *quality])


def train_ours(path: Path, algorithm: str, dim: int, *, seed: int) -> ws.Embeddings:
    return train_word2vec(sentences(path), algorithm=algorithm, dim=dim, seed=seed, threads=THREADS, **SHARED)


def train_gensim(path: Path, algorithm: str, dim: int, *, seed: int) -> ws.Embeddings:
    with warnings.catch_warnings(action="ignore"):
        model = Word2Vec(
            corpus_file=str(path), sg=algorithm == "skipgram", vector_size=dim, sample=1e-3, seed=seed,
            alpha=0.025 if algorithm == "skipgram" else 0.05, workers=THREADS, **SHARED,
        )  # fmt: skip
    return ws.Embeddings.from_arrays(model.wv.index_to_key, model.wv.vectors)


def scores(name: str, tables: list[ws.Embeddings]) -> str:
    """One line: means over seeds."""
    found = []
    for table in tables:
        line = [
            evaluate_similarity(table, read_similarity(sets_folder() / "wordsim" / f"EN-{part}.txt")).spearman
            for part in ("WS-353-ALL", "SIMLEX-999")
        ]
        line.append(evaluate_analogy(table, analogies(), restrict=SEARCHED).total.accuracy)
        found.append(line)
    return f"| {name} | " + " | ".join(f"{value:.3f}" for value in np.mean(found, axis=0)) + " |"


@cache
def analogies():
    return read_analogies(sets_folder() / "questions-words.txt")


@cache
def text(*, quick: bool) -> tuple[Path, int]:
    """One paragraph of English Wikipedia to a line, lower-case a to z only; and the number of words."""
    source = Path(os.environ.get("WORDSTOCK_DATA", "")) / "enwiki-core-102mb" / "enwiki-core-AA.txt.bz2"
    if not source.is_file():
        raise SystemExit(f"{source} is not there: set WORDSTOCK_DATA to the folder of evaluation data")
    path, words, limit = folder() / "wiki.txt", 0, 10_000_000 if quick else 10**10
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


def sentences(path: Path, limit: int | None = None):
    """The lines as lists of words."""
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines):
            if number == limit:
                return
            yield line.split()


if __name__ == "__main__":
    length = int(sys.argv[sys.argv.index("--dim") + 1]) if "--dim" in sys.argv else 100
    print(run(quick="--quick" in sys.argv, dim=length))
