"""Claim: the classifier over n-grams within 0.5 points of fastText's own, ≥ 2 × its training and prediction speed.

Both train on the same lines (lower case, punctuation parted from words, shuffled anew for each seed) with the same
settings and two threads, from the file to the model, then label the same list of texts, of which there are 20,000 or
more because the test set is repeated. fastText's ``predict`` knows no threads; ours is also timed with one. Each run is
a process of its own: fastText leaves most rows of its input matrix to what the memory holds (it fills a tenth for each
thread), which in a process that trained before are the rows of the model before. ``--quick`` takes one seed and leaves
the large set out.

The large set asks where a line comes from: 60,000 lines of Wikipedia and 60,000 of biomedical text, the first 400
characters of each, 6 million tokens.
"""

import bz2
import csv
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy import stats

from options import options
from peer import folder

THREADS = 2
SEEDS = 5
LARGE_SEEDS = 3
LARGE = 60_000  # lines of each kind
HELD_OUT = 10_000  # lines of the large set, and 1,000 medical abstracts
PREDICTED = 20_000  # texts at least
TRIES = 3  # of a training that fastText ends with "Encountered NaN"
SMALL = {"epochs": 25, "learning_rate": 0.5, "word_ngrams": 2}
METHODS = ("wordstock", "fastText C++")

Rows = list[tuple[str, str]]  # label, text


class Run(NamedTuple):
    """Seconds of training, of prediction, of prediction with one thread, and the share of right labels in %."""

    train: float
    predict: float
    predict_one: float
    accuracy: float


def run(*, quick: bool = False) -> str:
    """Accuracy with intervals, and ratios of seconds."""
    head = [
        "set, settings", *(f"accuracy {name}" for name in METHODS), "difference", "training s", "ratio",
        "µs a text", "ratio", "ratio, one thread",
    ]  # fmt: skip
    lines = ["| " + " | ".join(head) + " |", "|-" * len(head) + "|"]
    for name, (train, test), settings in cases(quick=quick):
        seeds = 1 if quick else LARGE_SEEDS if len(train) > LARGE else SEEDS
        texts = len(test) * repeats(len(test))
        lines.append(row(name, texts, [pair(name, train, test, settings, seed) for seed in range(seeds)]))
        print(lines[-1], file=sys.stderr, flush=True)
    return "\n".join(lines) + (
        f"\n\nAccuracy in %, mean over {SEEDS} seeds ({LARGE_SEEDS} for the large set) with its 95 % interval "
        "(Student's t); the difference is of pairs. Seconds and microseconds are medians, ours / fastText's; ratios "
        "are medians of pairs with their range, goal ≥ 2."
    )


def cases(*, quick: bool) -> Iterator[tuple[str, tuple[Rows, Rows], dict[str, float]]]:
    """Name, training and test rows, settings."""
    for name, make in SETS.items():
        yield name, make(), SMALL
    if not quick:
        for word_ngrams in (1, 2):
            what = f"source of a line, word n-grams up to {word_ngrams}"
            yield what, large(), {"epochs": 5, "learning_rate": 0.1, "word_ngrams": word_ngrams}


def pair(name: str, train: Rows, test: Rows, settings: dict[str, float], seed: int) -> tuple[Run, Run]:
    """One run of each, in turn."""
    order = np.random.default_rng(seed).permutation(len(train))
    paths = folder() / "train.txt", folder() / "test.txt"
    write(paths[0], [train[i] for i in order])
    write(paths[1], test)
    return tuple(child(method, *paths, settings, seed) for method in METHODS)


def child(method: str, train: Path, test: Path, settings: dict[str, float], seed: int) -> Run:
    command = [sys.executable, __file__, "child", method, str(train), str(test), json.dumps(settings), str(seed)]
    for _ in range(TRIES):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return Run(*json.loads(done.stdout.splitlines()[-1]))
        print(f"{method}: {done.stderr.splitlines()[-1]}", file=sys.stderr)
    raise SystemExit(f"{method} failed {TRIES} times on {train}")


def in_child(method: str, train: str, test: str, settings: str, seed: str) -> None:
    """Train, predict, and print a ``Run`` as JSON."""
    rows = [line.split(" ", 1) for line in Path(test).read_text(encoding="utf-8").splitlines()]
    right = [label for label, _ in rows]
    texts = [text for _, text in rows] * repeats(len(rows))
    measure = ours if method == "wordstock" else theirs
    train_seconds, predict_seconds, one, found = measure(train, texts, json.loads(settings), int(seed))
    share = 100 * np.mean([a == b for a, b in zip(found[: len(rows)], right, strict=True)])
    print(json.dumps(Run(train_seconds, predict_seconds, one, float(share))))


def ours(train: str, texts: list[str], settings: dict[str, float], seed: int) -> tuple[float, float, float, list[str]]:
    from wordstock.tasks import NgramClassifier

    NgramClassifier(epochs=1, word_ngrams=2, threads=THREADS).fit(["a b", "c"], ["x", "y"]).predict(["a"])  # kernels
    start = time.perf_counter()
    model = NgramClassifier(**settings, threads=THREADS, seed=seed).fit_file(train)
    trained = time.perf_counter() - start
    seconds = []
    for threads in (str(THREADS), "1"):
        os.environ["WORDSTOCK_THREADS"] = threads
        model.predict(texts[:200])
        start = time.perf_counter()
        found = model.predict(texts)
        seconds.append(time.perf_counter() - start)
    return trained, *seconds, [f"__label__{label}" for label in found]


def theirs(
    train: str, texts: list[str], settings: dict[str, float], seed: int
) -> tuple[float, float, float, list[str]]:
    import fasttext

    names = {"epochs": "epoch", "learning_rate": "lr", "word_ngrams": "wordNgrams"}
    given = {names[name]: value for name, value in settings.items()}
    start = time.perf_counter()
    model = fasttext.train_supervised(train, **given, thread=THREADS, verbose=0)
    trained = time.perf_counter() - start
    model.predict(texts[:200])
    start = time.perf_counter()
    found, _ = model.predict(texts)
    predicted = time.perf_counter() - start
    return trained, predicted, predicted, [labels[0] for labels in found]


def repeats(size: int) -> int:
    """How often a test set is labelled in one call."""
    return -(-PREDICTED // size)


def row(name: str, texts: int, runs: list[tuple[Run, Run]]) -> str:
    """One line of the table."""
    mine, peer = (np.array([both[i] for both in runs]) for i in (0, 1))
    cells = [name, interval(mine[:, 3]), interval(peer[:, 3]), interval(mine[:, 3] - peer[:, 3], sign="+")]
    cells.append(f"{np.median(mine[:, 0]):.2f} / {np.median(peer[:, 0]):.2f}")
    cells.append(ratio(peer[:, 0] / mine[:, 0]))
    cells.append(f"{np.median(mine[:, 1]) / texts * 1e6:.1f} / {np.median(peer[:, 1]) / texts * 1e6:.1f}")
    cells += [ratio(peer[:, 1] / mine[:, 1]), ratio(peer[:, 2] / mine[:, 2])]
    return "| " + " | ".join(cells) + " |"


def ratio(values: np.ndarray) -> str:
    return f"**{np.median(values):.1f}×** ({values.min():.1f}–{values.max():.1f})"


def interval(values: np.ndarray, *, sign: str = "") -> str:
    """Mean and half the width of its 95 % interval."""
    if len(values) < 2:
        return f"{values.mean():{sign}.1f}"
    half = stats.t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values))
    return f"{values.mean():{sign}.1f} ± {half:.1f}"


def write(path: Path, rows: Rows) -> None:
    path.write_text("".join(f"__label__{label} {text}\n" for label, text in rows), encoding="utf-8")


def plain(text: str) -> str:
    """Lower case, punctuation parted from words."""
    return " ".join(re.findall(r"\w+|[^\w\s]", text.lower()))


@cache
def data() -> Path:
    root = Path(os.environ.get("WORDSTOCK_DATA", ""))
    if not (root / "cls-banking77").is_dir():
        raise SystemExit("set WORDSTOCK_DATA to the folder of evaluation data")
    return root


def banking77() -> tuple[Rows, Rows]:
    def part(name: str) -> Rows:
        with (data() / "cls-banking77" / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
            return [(one["category"], plain(one["text"])) for one in csv.DictReader(stream)]

    return part("train"), part("test")


def clinc150() -> tuple[Rows, Rows]:
    read = json.loads((data() / "cls-clinc150" / "data_full.json").read_text(encoding="utf-8"))
    return tuple([(label, plain(text)) for text, label in read[part]] for part in ("train", "test"))


def lines_of(train: str, test: str) -> tuple[Rows, Rows]:
    def part(name: str) -> Rows:
        lines = (data() / "cls-sentiment-trec" / name).read_text(encoding="latin-1").splitlines()
        return [(label, plain(text)) for label, text in (line.split(" ", 1) for line in lines)]

    return part(train), part(test)


def abstracts() -> tuple[Rows, Rows]:
    with (data() / "cls-medical-abstracts" / "medical_tc_test.csv").open(encoding="utf-8", newline="") as stream:
        rows = [(one["condition_label"], plain(one["medical_abstract"])) for one in csv.DictReader(stream)]
    order = np.random.default_rng(0).permutation(len(rows))
    return [rows[i] for i in order[1000:]], [rows[i] for i in order[:1000]]


@cache
def large() -> tuple[Rows, Rows]:
    parts: tuple[Rows, Rows] = ([], [])
    for name, path in (
        ("wiki", data() / "enwiki-core-102mb" / "enwiki-core-AA.txt.bz2"),
        ("bio", data() / "bio-text" / "bio-text.txt.bz2"),
    ):
        with bz2.open(path, "rt", encoding="utf-8") as stream:
            long = [line for line in stream if len(line) > 60 and not line.startswith("<")]
        chosen = np.random.default_rng(0).permutation(len(long))[: LARGE + HELD_OUT // 2]
        rows = [(name, plain(long[i])[:400]) for i in chosen]
        parts[0].extend(rows[:LARGE])
        parts[1].extend(rows[LARGE:])
    return parts


SETS = {
    "banking77, 77 classes": banking77,
    "TREC, 6 classes": lambda: lines_of("TREC.train.all", "TREC.test.all"),
    "clinc150, 150 classes": clinc150,
    "medical abstracts, 5 classes": abstracts,
    "SST-2": lambda: lines_of("stsa.binary.train", "stsa.binary.test"),
}


if __name__ == "__main__":
    if sys.argv[1:2] == ["child"]:
        in_child(*sys.argv[2:])
    else:
        print(run(quick=bool(options(__doc__, "quick"))))
