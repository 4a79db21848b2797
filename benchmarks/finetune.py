"""Claim: an encoder tuned with the labels beats its frozen vectors: fully with thousands, contrastively with 8 a class.

``--quick`` takes one sample and leaves out tuning on whole training sets. ``--keep FILE`` puts each figure there as it
is measured and takes from it what is there; ``--most SECONDS`` stops before a figure is begun later than that.
"""

import argparse
import json
import math
import os
import sys
import time
from functools import cache
from pathlib import Path

import numpy as np

import wordstock as ws
from fewshot import half_width, interval, measure, sample, tasks
from wordstock.tasks import TextClassifier

MODEL = "all-minilm-l6-v2"
TABLE = "glove-6b-50d"
PER_CLASS = 8
SEEDS = 3
FULL = ("SST-2", "TREC, 6 classes")
FEW = {"TREC, 6 classes": 5, "SST-2": 30, "banking77": 5}  # samples; with two classes, 16 texts say little
KEPT = os.environ.get("WORDSTOCK_BENCH_KEEP")  # as --keep, for run.py


def run(*, quick: bool = False, keep: str | None = KEPT, most: float = float("inf")) -> str:
    """Accuracy and seconds of training, as two markdown tables."""
    figures = Figures(keep, time.monotonic() + most)
    few = few_shot(figures, quick=quick)
    return few if quick else few + "\n\n" + full(figures)


class Figures:
    """(accuracy, seconds) by name, measured once."""

    def __init__(self, path, until):
        self.path, self.until = None if path is None else Path(path), until
        lines = self.path.read_text().splitlines() if self.path and self.path.exists() else []
        self.known = dict(map(json.loads, lines))

    def get(self, name, work, *given):
        """The figures of this name: those that are known, or else what ``work(*given)`` gives."""
        if name not in self.known:
            if time.monotonic() > self.until:
                sys.exit("stopped in time; run it again to go on")
            self.known[name] = work(*given)
            print(name, self.known[name], file=sys.stderr, flush=True)
            if self.path:
                with self.path.open("a") as stream:
                    stream.write(json.dumps([name, self.known[name]]) + "\n")
        return self.known[name]


@cache
def known_tasks():
    return {task.name: task for task in tasks()}


@cache
def loaded(name):
    return ws.load(name)


def few_shot(figures, *, quick=False) -> str:
    """Frozen against contrastive, on the same samples of 8 per class."""
    lines = [f"| {PER_CLASS} per class | samples | frozen | contrastive | difference |", "|---|---:|---:|---:|---:|"]
    for name, wanted in FEW.items():
        seeds = 1 if quick else wanted
        frozen = [figures.get(f"frozen {name} {seed}", few, name, seed, None) for seed in range(seeds)]
        tuned = [figures.get(f"few {name} {seed}", few, name, seed, "contrastive") for seed in range(seeds)]
        lines.append(f"| {name} | {seeds} | {cell(frozen)} | {cell(tuned)} | {difference(tuned, frozen)} |")
    return "\n".join(lines) + (
        f"\n\nAccuracy in %, mean over the samples with its 95 % interval (Student's t), and median seconds of "
        f"training, encoding included. {MODEL} with all settings left alone; both columns see the same samples, and "
        "the difference is paired."
    )


def few(name, seed, finetune):
    task = known_tasks()[name]
    texts, labels = sample(*task.train, PER_CLASS, seed)
    return measure(TextClassifier(loaded(MODEL), finetune=finetune, seed=seed), texts, labels, task.test)


def full(figures) -> str:
    """All training texts: vectors as they are and tuned, of a table and of a contextual encoder."""
    names = [f"{TABLE} frozen", f"{TABLE} tuned", f"{MODEL} frozen", f"{MODEL} tuned", "its vectors, logistic"]
    lines = ["| all labels | " + " | ".join(names) + " |", "|---|" + "---:|" * len(names)]
    for name in FULL:
        both = [figures.get(f"full {name} {model}", whole, name, model) for model in (TABLE, MODEL)]
        rows = [figures.get(f"rows {name} {seed}", rows_tuned, name, seed) for seed in range(SEEDS)]
        tuned = [figures.get(f"layers {name} {seed}", layers_tuned, name, seed) for seed in range(SEEDS)]
        layers, again = [one[0] for one in tuned], [one[1] for one in tuned]
        cells = [cell(one) for one in ([both[0]], rows, [both[1]], layers, again)]
        lines.append(f"| {name}, {len(known_tasks()[name].train[0]):,} texts | " + " | ".join(cells) + " |")
    return "\n".join(lines) + (
        f"\n\nAs above, over {SEEDS} seeds; frozen vectors have no seed. “Tuned” is `TextClassifier(..., "
        'finetune="full")` with all other settings left alone, but for the contextual encoder `head="linear"`; the '
        "last column is logistic regression on the same tuned encoder, which the default head puts there, and its "
        "seconds are those of that head alone."
    )


def whole(name, model):
    task = known_tasks()[name]
    return measure(TextClassifier(loaded(model)), *task.train, task.test)


def rows_tuned(name, seed):
    task = known_tasks()[name]
    return measure(TextClassifier(loaded(TABLE), finetune="full", seed=seed), *task.train, task.test)


def layers_tuned(name, seed):
    task = known_tasks()[name]
    classifier = TextClassifier(loaded(MODEL), head="linear", finetune="full", seed=seed)
    tuned = measure(classifier, *task.train, task.test)
    return tuned, measure(TextClassifier(classifier.encoder_), *task.train, task.test)


def cell(measured) -> str:
    scores, seconds = np.array(measured).T
    shown = interval(scores) if len(scores) > 1 else f"{scores[0]:.1f}"
    return f"{shown}, {np.median(seconds):.1f} s"


def difference(ours, theirs) -> str:
    gained = np.array(ours)[:, 0] - np.array(theirs)[:, 0]
    return f"{gained.mean():+.1f}" + (f" ± {half_width(gained):.1f}" if len(gained) > 1 else "")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--keep", default=KEPT)
    parser.add_argument("--most", type=float, default=math.inf)
    print(run(**vars(parser.parse_args())))


if __name__ == "__main__":
    main()
