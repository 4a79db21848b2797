"""Claim: with few labels, pre-trained vectors beat the same model from scratch, and TF-IDF except where told below.

``--quick`` takes two seeds instead of five and leaves out 64 examples per class.
"""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
from scipy import stats

import distill
import wordstock as ws
import wordstock.cli
from options import options
from wordstock.encoders.cache import CachedEncoder
from wordstock.tasks import TextClassifier, random_like, read_labelled, tfidf_baseline

MODEL, ENCODER = "glove-6b-50d", "all-minilm-l6-v2"
COLUMNS = (MODEL, f"{MODEL} + words", "MiniLM", "MiniLM distilled", "from scratch", "TF-IDF")
SIZES = (8, 16, 64)
SEEDS = 5
HELD_OUT = 1000  # medical abstracts come as one file: this many of them, always the same, are the test
SETS = """cls-sentiment-trec/TREC.train.all and TREC.test.all, stsa.binary.train and stsa.binary.test (label, text),
cls-banking77/train.csv and test.csv (text, category),
cls-medical-abstracts/medical_tc_test.csv (condition_label, medical_abstract)"""


class Task(NamedTuple):
    """A labelled training pool and a test set."""

    name: str
    train: tuple[list[str], list[str]]
    test: tuple[list[str], list[str]]
    sizes: tuple[int, ...] = SIZES


def run(*, quick: bool = False) -> str:
    """Accuracy of all methods on the same samples, as a markdown table with a verdict."""
    seeds = range(2 if quick else SEEDS)
    with TemporaryDirectory() as work:
        methods = Methods.load(Path(work) / "vectors.db")
        results = {}
        for task in tasks():
            for size in task.sizes:
                if not (quick and size == 64):
                    results[task.name, size] = measured(methods, task, size, seeds)
    return table(results)


class Methods(NamedTuple):
    """The vectors that the classifiers take."""

    glove: ws.Embeddings
    minilm: CachedEncoder
    distilled: ws.Embeddings

    @classmethod
    def load(cls, cache: Path) -> Methods:
        """GloVe, MiniLM, and the table of words alone that the benchmark `distill` makes of it."""
        encoder = ws.load(ENCODER, backend="auto", progress=False)
        glove = ws.load(MODEL)
        words = glove.keys[: distill.VOCABULARY]
        name = f"alone-{distill.VOCABULARY}-{encoder.fingerprint[:16]}"
        return cls(glove, CachedEncoder(encoder, cache), distill.kept(name, lambda: ws.distill(encoder, words)))

    def classifiers(self, seed: int) -> tuple[TextClassifier, ...]:
        """In the order of the table's columns."""
        return (
            TextClassifier(self.glove),
            TextClassifier(self.glove, lexical=True),
            TextClassifier(self.minilm),
            TextClassifier(self.distilled),
            TextClassifier(random_like(self.glove, seed)),
            tfidf_baseline(seed),
        )


class Scores(NamedTuple):
    """Accuracies in % and seconds of training, one list per sample with one number per method."""

    accuracy: list[list[float]]
    seconds: list[list[float]]


def measured(methods: Methods, task: Task, size: int, seeds: Iterable[int]) -> Scores:
    """All methods on the same samples."""
    accuracy, seconds = [], []
    for seed in seeds:
        texts, labels = sample(*task.train, size, seed)
        # A vector is computed once; that its texts come again in other samples must not look like speed.
        methods.minilm.encode(texts)
        methods.minilm.encode(task.test[0])
        pairs = [measure(method, texts, labels, task.test) for method in methods.classifiers(seed)]
        accuracy.append([one for one, _ in pairs])
        seconds.append([spent for _, spent in pairs])
    return Scores(accuracy, seconds)


def table(results: dict[tuple[str, int], Scores]) -> str:
    """One row per task and size, and where TF-IDF wins."""
    head = ["task", "examples per class", *COLUMNS]
    lines = ["| " + " | ".join(head) + " |", "|---|---:|" + "---:|" * len(COLUMNS)]
    beaten: list[str] = []
    for (task, size), scores in results.items():
        columns, spent = np.array(scores.accuracy).T, np.median(scores.seconds, axis=0)
        cells = [f"{interval(column)}, {t:.2f} s" for column, t in zip(columns, spent, strict=True)]
        lines.append(f"| {task} | {size} | " + " | ".join(cells) + " |")
        beaten += verdict(f"{task} at {size}", columns)
    lost = "; ".join(beaten) or "nowhere"
    samples = len(next(iter(results.values())).accuracy)
    return "\n".join(lines) + (
        f"\n\nAccuracy in %, mean over {samples} samples with its 95 % interval (Student's t), and the median "
        "seconds of training, choice of the penalty included, MiniLM's own time not: its vectors are computed before. "
        "All methods see the same samples. “+ words” is "
        "`TextClassifier(lexical=True)`: TF-IDF of the training texts beside the vectors. “Distilled” is "
        f"`ws.distill` of MiniLM's vectors of {distill.VOCABULARY:,} words alone. “From scratch” is the same "
        "classifier on random vectors for GloVe's words.\n\n"
        f"Where TF-IDF has the higher mean than GloVe's vectors alone (paired difference): {lost}."
    )


def tasks() -> list[Task]:
    """The four public tasks, and this project's own triage messages."""
    data = os.environ.get("WORDSTOCK_DATA")
    if not data or not (Path(data) / "cls-banking77").is_dir():
        raise SystemExit(f"set WORDSTOCK_DATA to a folder with\n{SETS}")
    root = Path(data)
    lines = root / "cls-sentiment-trec"
    bank = [
        read_labelled(root / "cls-banking77" / f"{part}.csv", label_column="category") for part in ("train", "test")
    ]
    abstracts = read_labelled(
        root / "cls-medical-abstracts" / "medical_tc_test.csv",
        text_column="medical_abstract",
        label_column="condition_label",
    )
    order = np.random.default_rng(0).permutation(len(abstracts.texts))
    triage = Path(wordstock.cli.__file__).parent / "triage"
    return [
        Task("TREC, 6 classes", spaced(lines / "TREC.train.all"), spaced(lines / "TREC.test.all")),
        Task("SST-2", spaced(lines / "stsa.binary.train"), spaced(lines / "stsa.binary.test")),
        Task("banking77", *bank),
        Task("medical abstracts, 5 classes", pick(*abstracts, order[HELD_OUT:]), pick(*abstracts, order[:HELD_OUT])),
        Task("triage, 6 classes", read_labelled(triage / "train.csv"), read_labelled(triage / "test.csv"), (4, 8)),
    ]


def spaced(path: Path) -> tuple[list[str], list[str]]:
    """Lines of label, space, text."""
    rows = [line.split(" ", 1) for line in path.read_text(encoding="latin-1").splitlines()]
    return [row[1] for row in rows], [row[0] for row in rows]


def pick(texts, labels, rows):
    return [texts[row] for row in rows], [labels[row] for row in rows]


def sample(texts, labels, size, seed):
    """``size`` texts per class, or all of a smaller class."""
    random = np.random.default_rng(seed)
    names = np.array(labels)
    rows = [random.permutation(np.flatnonzero(names == name))[:size] for name in np.unique(names)]
    return pick(texts, labels, random.permutation(np.concatenate(rows)))


def measure(method, texts, labels, test):
    """Accuracy on the test set and seconds of training."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*hold no word of the vocabulary")
        start = time.perf_counter()
        method.fit(texts, labels)
        spent = time.perf_counter() - start
        return 100 * method.score(*test), spent


def interval(values) -> str:
    """Mean and half the width of its 95 % interval."""
    return f"{np.mean(values):.1f} ± {half_width(values):.1f}"


def half_width(values) -> float:
    return float(stats.t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values)))


def verdict(name, columns) -> list[str]:
    """Says so where TF-IDF has the higher mean than the vectors alone, and whether it has it with words added, too."""
    plain, words, tfidf = columns[0], columns[1], columns[-1]
    if tfidf.mean() <= plain.mean():
        return []
    ahead = ", also with words" if tfidf.mean() > words.mean() else ""
    return [f"{name} (by {interval(tfidf - plain)}{ahead})"]


def main() -> None:
    print(run(quick=bool(options(__doc__, "quick"))))


if __name__ == "__main__":
    main()
