"""Claim: skip-gram ≥ 7 × gensim and ≥ 12 × fastText C++, CBOW ≥ 3 × gensim, from text to vectors, no worse; memory.

All read the same file of plain words on the same two cores for equally many epochs, gensim by its ``corpus_file``,
fastText without subwords; the time of vocabulary and ids is included. ``--speed`` and ``--cores`` (first 20 MB of the
text), ``--memory`` and ``--quality`` (the whole text, three seeds; half an hour, less where gensim's vectors are kept
from an earlier run) choose parts, ``--quick`` takes 3 MB and one of everything.
"""

import subprocess
import sys
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path

from gensim.models import Word2Vec

import wordstock as ws
from cores import HEAD, paired_on_cores
from evaluation_sets import sets_folder
from options import options
from pairs import clock
from trained_peers import gensim_word2vec
from training_memory import peak_memory
from training_text import SEARCHED, SETS, analogies, interval, text
from wordstock.corpus import read_texts
from wordstock.evaluate import evaluate_analogy, evaluate_similarity, read_similarity
from wordstock.train import train_word2vec

THREADS, EPOCHS = 2, 5
SHARED = {"window": 5, "negative": 5, "min_count": 5}
RATES = {"skipgram": 0.025, "cbow": 0.05}
GOALS = {"skipgram": "≥ 7×", "cbow": "≥ 3×"}
PARTS = ("speed", "cores", "memory", "quality")


def run(*, quick: bool = False, parts: tuple[str, ...] = PARTS) -> str:
    """The parts that are asked for, as tables."""
    made = {"speed": speed, "cores": cores, "memory": memory, "quality": quality}
    return "\n\n".join(made[part](quick=quick) for part in parts)


def speed(*, quick: bool) -> str:
    """Pairs on one text: each peer, and 300 dimensions."""
    path, words = text(3 if quick else 20)
    pairs, epochs = (1, 1) if quick else (3, 2)
    told = f"{THREADS} threads, {epochs} epochs of {words / 1e6:.1f} M words"
    lines = [HEAD]

    def row(claim: str, goal: str, ours: Callable[[], float], theirs: Callable[[], float]) -> str:
        made = paired_on_cores(ours, theirs, pairs=pairs, at_most=2 * pairs).row(claim, goal)
        print(made, file=sys.stderr, flush=True)
        return made

    for dim in (100, 300):
        for algorithm, goal in GOALS.items():
            compile_kernels(algorithm, dim)
            ours = partial(clock, partial(train_ours, path, algorithm, dim, epochs))
            theirs = partial(clock, partial(train_gensim, path, algorithm, dim, epochs))
            lines.append(row(f"{algorithm}, dim {dim}, {told}; peer gensim", goal, ours, theirs))
    ours = partial(clock, partial(train_ours, path, "skipgram", 100, epochs))
    theirs = partial(fasttext_seconds, path, 100, epochs)
    lines.append(row(f"skipgram, dim 100, {told}; peer fastText C++ without subwords", "≥ 12×", ours, theirs))
    return "\n".join(lines)


def cores(*, quick: bool) -> str:
    """Two threads against one: many short trainings, of which those with two whole cores around them count."""
    path, words = text(3 if quick else 20)
    lines = [HEAD.replace("wordstock | peer", "two threads | one thread")]
    for algorithm in GOALS:
        for dim in (100, 300):
            compile_kernels(algorithm, dim)
            two, one = (
                lambda n=n, a=algorithm, d=dim: training_seconds(train_ours(path, a, d, 1, threads=n)) for n in (2, 1)
            )
            told = paired_on_cores(two, one, pairs=1 if quick else 5, at_most=1 if quick else 30)
            lines.append(
                told.row(f"{algorithm}, dim {dim}, training alone, 1 epoch of {words / 1e6:.1f} M words", "≥ 1.8×")
            )
            print(lines[-1], file=sys.stderr, flush=True)
    return "\n".join(lines)


def training_seconds(table: ws.Embeddings) -> float:
    """Seconds of the epochs, without vocabulary and ids."""
    return float(table.card.training["seconds"])


def memory(*, quick: bool) -> str:
    """Of ``wordstock train``; see ``training_memory``."""
    lines = ["| text | words | both matrices | peak | beyond 1.3 × matrices |", "|-|-|-|-|-|"]
    for megabytes, dim in ((3, 100),) if quick else ((3, 100), (20, 100), (20, 300), (100, 100)):
        for command in (True, False):
            found = peak_memory("word2vec", text(megabytes)[0], dim, command=command)
            way = "wordstock train" if command else "from Python"
            lines.append(f"| {megabytes} MB, dim {dim}, {way} | {found.words:,.0f} | {found.cells()}")
    return "\n".join(lines)


def quality(*, quick: bool) -> str:
    """Means over seeds with 95 % intervals (Student's t)."""
    path, _ = text(3 if quick else 100)
    seeds = (1,) if quick else (1, 2, 3)
    lines = [f"| dim 100, {EPOCHS} epochs | {' | '.join([*SETS, 'Google analogies'])} |", "|-" * (len(SETS) + 2) + "|"]
    for algorithm in GOALS:
        settings = gensim_settings(algorithm, 100, EPOCHS)
        tables = {
            "wordstock": [train_ours(path, algorithm, 100, EPOCHS, seed=seed) for seed in seeds],
            "gensim": [gensim_word2vec(path, settings | {"seed": seed}) for seed in seeds],
        }
        for name, made in tables.items():
            found = [scores(table) for table in made]
            cells = [interval([row[i] for row in found], digits=3) for i in range(len(SETS) + 1)]
            lines.append(f"| {algorithm}, {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def scores(table: ws.Embeddings) -> list[float]:
    """Spearman's rho on the similarity sets, and the share of right analogies."""
    found = [
        evaluate_similarity(table, read_similarity(sets_folder() / "wordsim" / f"EN-{part}.txt")).spearman
        for part in SETS.values()
    ]
    return [*found, evaluate_analogy(table, analogies(), restrict=SEARCHED).total.accuracy]


def train_ours(
    path: Path, algorithm: str, dim: int, epochs: int, *, seed: int = 1, threads: int = THREADS
) -> ws.Embeddings:
    return train_word2vec(
        read_texts(path), algorithm=algorithm, dim=dim, epochs=epochs, seed=seed, threads=threads, **SHARED
    )


def train_gensim(path: Path, algorithm: str, dim: int, epochs: int) -> Word2Vec:
    with warnings.catch_warnings(action="ignore"):
        return Word2Vec(corpus_file=str(path), seed=1, **gensim_settings(algorithm, dim, epochs))


def gensim_settings(algorithm: str, dim: int, epochs: int) -> dict[str, object]:
    """What makes gensim do the same."""
    return {
        "sg": int(algorithm == "skipgram"), "vector_size": dim, "sample": 1e-3, "alpha": RATES[algorithm],
        "workers": THREADS, "epochs": epochs, **SHARED,
    }  # fmt: skip


FASTTEXT = """
import fasttext, sys, time
start = time.perf_counter()
fasttext.train_unsupervised(
    sys.argv[1], model="skipgram", dim=int(sys.argv[2]), epoch=int(sys.argv[3]), thread=int(sys.argv[4]), ws=5, neg=5,
    minCount=5, t=1e-3, lr=float(sys.argv[5]), minn=0, maxn=0, bucket=0, verbose=0,
)
print(time.perf_counter() - start)
"""


def fasttext_seconds(path: Path, dim: int, epochs: int) -> float:
    """Seconds of one training without subwords, in a process of its own.

    In a process whose memory was used before, fastText without subwords ends with "Encountered NaN", most times.
    """
    given = [str(each) for each in (path, dim, epochs, THREADS, RATES["skipgram"])]
    for _ in range(9):
        done = subprocess.run([sys.executable, "-c", FASTTEXT, *given], capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return float(done.stdout)
    raise SystemExit(f"fastText ended with an error nine times: {done.stderr.strip()[-200:]}")


def compile_kernels(algorithm: str, dim: int) -> None:
    """A first training from a small file, so that no compiling is on the clock, of reading and counting either."""
    train_ours(text(3)[0], algorithm, dim, 1)


if __name__ == "__main__":
    given = options(__doc__, "quick", *PARTS)
    print(run(quick="quick" in given, parts=tuple(part for part in PARTS if part in given) or PARTS))
