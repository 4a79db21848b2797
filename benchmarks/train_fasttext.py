"""Claim: fastText with subwords ≥ 4 × fastText C++ and ≥ 2.5 × gensim, from text to vectors, no worse; memory.

All read the same file of plain words on the same two cores for equally many epochs, with fastText's default settings
(n-grams of 3 to 6 characters in 2 million buckets, subsampling 1e-4); the time of vocabulary, ids and matrices is
included. ``--speed`` (first 10 MB of the text), ``--memory`` and ``--quality`` (10 MB, three seeds; ten minutes,
nearly all of it the peers', whose scores are kept between runs) choose parts, ``--quick`` takes 10 MB, one pair and one
seed.
"""

import sys
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path

import fasttext
import numpy as np
from gensim.models import FastText

import wordstock as ws
from cores import HEAD, paired_on_cores
from evaluation_sets import sets_folder
from options import options
from pairs import clock
from trained_peers import kept_scores
from training_memory import peak_memory
from training_text import SEARCHED, SETS, analogies, interval, sentences, text
from wordstock.corpus import read_texts
from wordstock.evaluate import evaluate_analogy, evaluate_similarity, read_similarity
from wordstock.train import train_fasttext
from wordstock.vocab import Subwords

THREADS = 2
BUCKETS = 2_000_000
PEERS = {"fastText C++": "≥ 4×", "gensim": "≥ 2.5×"}
ONE_WORKER = "gensim, one worker"  # whose learning rate falls as ours does; with two it falls half as far in an epoch
DISTRIBUTIONS = {"fastText C++": "fasttext-numpy2", "gensim": "gensim", ONE_WORKER: "gensim"}
ALGORITHMS = ("skipgram", "cbow")
PARTS = ("speed", "memory", "quality")


def run(*, quick: bool = False, parts: tuple[str, ...] = PARTS) -> str:
    """The parts that are asked for, as tables."""
    made = {"speed": speed, "memory": memory, "quality": quality}
    return "\n\n".join(made[part](quick=quick) for part in parts)


def speed(*, quick: bool) -> str:
    """Pairs on one text, both algorithms against both peers."""
    path, words = text(10)
    lines = [HEAD]
    for algorithm in ALGORITHMS:
        train_fasttext(sentences(path, limit=200), algorithm=algorithm, min_count=1, epochs=1)  # compiles
        for peer, goal in PEERS.items():
            ours = partial(clock, partial(train_ours, path, algorithm, 1))
            theirs = partial(clock, partial(FIT[peer], path, algorithm, 1))
            name = f"{algorithm}, dim 100, {THREADS} threads, 1 epoch of {words / 1e6:.1f} M words; peer {peer}"
            pairs = 1 if quick else 3
            lines.append(paired_on_cores(ours, theirs, pairs=pairs, at_most=2 * pairs).row(name, goal))
            print(lines[-1], file=sys.stderr, flush=True)
    return "\n".join(lines)


def memory(*, quick: bool) -> str:
    """Of ``wordstock train``; see ``training_memory``."""
    lines = ["| text | words | n-grams | matrices | peak | beyond 1.3 × matrices |", "|-|-|-|-|-|-|"]
    for megabytes in (10,) if quick else (10, 100):
        found = peak_memory("fasttext", text(megabytes)[0], 100)
        lines.append(f"| {megabytes} MB, dim 100 | {found.words:,.0f} | {found.ngrams:,.0f} | {found.cells()}")
    return "\n".join(lines)


def quality(*, quick: bool) -> str:
    """Means over seeds with 95 % intervals (Student's t); rare words (EN-RW) are built from n-grams where unknown."""
    path, _ = text(10)
    lines = [
        f"| dim 100, 5 epochs | {' | '.join([*SETS, 'EN-RW', 'Google analogies'])} |",
        "|-" * (len(SETS) + 3) + "|",
    ]
    for algorithm in ALGORITHMS:
        for name in TRAIN:
            if name == ONE_WORKER and algorithm == "skipgram":
                continue  # gensim is not ahead there
            found = [scores_of(name, path, algorithm, seed) for seed in ((1,) if quick else (1, 2, 3))]
            cells = [interval([row[i] for row in found], digits=3) for i in range(len(SETS) + 2)]
            lines.append(f"| {algorithm}, {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def scores_of(name: str, path: Path, algorithm: str, seed: int) -> list[float]:
    """Ours are trained now; a peer's are those of an earlier run if there was one."""

    def train() -> list[float]:
        return scores(TRAIN[name](path, algorithm, 5, seed=seed))

    if name not in DISTRIBUTIONS:
        return train()
    settings = {"model": "fasttext", "algorithm": algorithm, "epochs": 5, "seed": seed, "buckets": BUCKETS}
    settings |= {"workers": 1} if name == ONE_WORKER else {}
    return kept_scores(DISTRIBUTIONS[name], path, settings, train)


def scores(table: ws.Embeddings) -> list[float]:
    """Spearman's rho on the similarity sets and on rare words, and the share of right analogies."""
    found = []
    for part in [*SETS.values(), "RW-STANFORD"]:
        pairs = read_similarity(sets_folder() / "wordsim" / f"EN-{part}.txt")
        found.append(evaluate_similarity(table, pairs, subwords=part.startswith("RW"), resamples=0).spearman)
    return [*found, evaluate_analogy(table, analogies(), restrict=SEARCHED).total.accuracy]


def train_ours(path: Path, algorithm: str, epochs: int, *, seed: int = 1) -> ws.Embeddings:
    return train_fasttext(read_texts(path), algorithm=algorithm, epochs=epochs, seed=seed, threads=THREADS)


def fit_cpp(path: Path, algorithm: str, epochs: int) -> object:
    """FastText itself, with its defaults; its Python module takes no seed, but two threads never do the same twice."""
    return fasttext.train_unsupervised(str(path), model=algorithm, epoch=epochs, thread=THREADS, verbose=0)


def train_cpp(path: Path, algorithm: str, epochs: int, *, seed: int = 1) -> ws.Embeddings:
    model = fit_cpp(path, algorithm, epochs)
    words = [word for word in model.words if word != "</s>"]
    vectors = [model.get_word_vector(word) for word in words]
    return with_ngrams(words, vectors, model.get_input_matrix()[-BUCKETS:])


def fit_gensim(path: Path, algorithm: str, epochs: int, *, seed: int = 1, workers: int = THREADS) -> FastText:
    with warnings.catch_warnings(action="ignore"):
        return FastText(
            corpus_file=str(path), sg=algorithm == "skipgram", vector_size=100, window=5, negative=5, min_count=5,
            sample=1e-4, alpha=0.05, ns_exponent=0.5, bucket=BUCKETS, epochs=epochs, workers=workers, seed=seed,
        )  # fmt: skip


def train_gensim(path: Path, algorithm: str, epochs: int, *, seed: int = 1, workers: int = THREADS) -> ws.Embeddings:
    model = fit_gensim(path, algorithm, epochs, seed=seed, workers=workers)
    return with_ngrams(model.wv.index_to_key, model.wv.vectors, model.wv.vectors_ngrams)


def with_ngrams(words: list[str], vectors: object, ngrams: object) -> ws.Embeddings:
    """A table that builds unknown words from n-grams."""
    table = ws.Embeddings.from_arrays(words, np.asarray(vectors, np.float32))
    subwords = Subwords(min_n=3, max_n=6, buckets=BUCKETS)
    return ws.Embeddings(
        table.vocabulary, table.storage, subwords=subwords, subword_vectors=np.ascontiguousarray(ngrams, np.float32)
    )


FIT: dict[str, Callable[..., object]] = {"fastText C++": fit_cpp, "gensim": fit_gensim}
TRAIN: dict[str, Callable[..., ws.Embeddings]] = {
    "wordstock": train_ours,
    "fastText C++": train_cpp,
    "gensim": train_gensim,
    ONE_WORKER: partial(train_gensim, workers=1),
}


if __name__ == "__main__":
    given = options(__doc__, "quick", *PARTS)
    print(run(quick="quick" in given, parts=tuple(part for part in PARTS if part in given) or PARTS))
