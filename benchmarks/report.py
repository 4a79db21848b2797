"""Claim: a quick report takes under two minutes, most of it training; pre-training wins less with more labels.

Each report is made in a process of its own, which begins as the command does, with nothing kept from an earlier one.
The quick ones (``--quick`` makes these alone) are timed, the others show the curves further and with three samples;
points of theirs are kept in ``WORDSTOCK_BENCH_KEEP``, a folder, so that a stopped run goes on.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import fewshot
import wordstock as ws
from options import options
from wordstock.tasks.tagging import read_conll

ENCODERS = ["glove-6b-50d", "all-minilm-l6-v2"]
TAGGING = "NCBI-disease"
QUICK = ("TREC, 6 classes", "SST-2", "banking77", "medical abstracts, 5 classes", TAGGING)
BUDGETS = (16, 64, 256, 1024)
FULLER = ("TREC, 6 classes",)
KEPT = os.environ.get("WORDSTOCK_BENCH_KEEP")


def run(*, quick: bool = False) -> str:
    """Tables of the quick reports and of the fuller ones."""
    parts = [timed()] if quick else [timed(), curves()]
    return "\n\n".join(parts)


def timed() -> str:
    """Wall seconds of quick reports, and how much of it was training."""
    lines = [
        "| quick report of | training, test texts | wall | of it training | fewest labels: with, without pre-training "
        "| most labels: with, without | goal |\n|-|-|-:|-:|-|-|-|"
    ]
    for name in QUICK:
        made, seconds = child(name, "quick")
        facts = made["facts"]
        sizes = f"{facts['training texts']:,}, {facts['test texts']:,}"
        share = facts["training seconds"] / seconds
        first, last = (verdict(made, place) for place in (0, -1))
        lines.append(f"| {name} | {sizes} | {seconds:.0f} s | {share:.0%} | {first} | {last} | < 120 s |")
        print(lines[-1], file=sys.stderr, flush=True)
    return "\n".join(lines) + (
        f"\n\nEncoders {' and '.join(ENCODERS)}, every method. Wall seconds are of the whole process with imports. "
        "“With” is the best method that uses pre-trained vectors, “without” the best of TF-IDF and the same network "
        "from random vectors, in % accuracy (span F1 for tagging); below them the mean of the paired differences "
        "and half of its 95 % interval, over two samples."
    )


def curves() -> str:
    """The best with and without pre-training, from 16 labels to 1,024."""
    lines = ["| data | labels | best with pre-training | best without | difference |\n|-|-:|-|-|-:|"]
    told = []
    for name in FULLER:
        made, _ = child(name, "full")
        for one in made["verdicts"]:
            ours, theirs = (score(made, one[key], one["budget"]) for key in ("method", "other"))
            cells = [name, f"{one['budget']:,}", f"{one['method']}, {ours}", f"{one['other']}, {theirs}", gain(one)]
            lines.append(f"| {' | '.join(cells)} |")
        told += [f"{name}:\n", *(f"- {finding}" for finding in [*made["findings"], made["recommendation"]]), ""]
    return "\n".join(lines) + "\n\nThree samples each. What the reports say:\n\n" + "\n".join(told)


def verdict(made: dict, place: int) -> str:
    """The scores and the paired difference at one number of labels."""
    one = made["verdicts"][place]
    ours, theirs = (score(made, one[key], one["budget"]) for key in ("method", "other"))
    return f"{one['budget']}: {ours}, {theirs}<br>{gain(one)}"


def gain(verdict: dict) -> str:
    """The paired difference in points, with half of its interval from two samples on."""
    return f"{100 * verdict['gain']:+.1f}" + ("" if verdict["half"] is None else f" ± {100 * verdict['half']:.1f}")


def score(made: dict, method: str, budget: int) -> str:
    """The mean score of a method in %."""
    curve = next(curve for curve in made["curves"] if curve["method"] == method)
    return f"{100 * next(stop['score'] for stop in curve['stops'] if stop['budget'] == budget):.1f}"


def child(name: str, kind: str) -> tuple[dict, float]:
    """A report as plain values, and the seconds of the process that made it."""
    begun = time.monotonic()
    made = subprocess.run(
        [sys.executable, __file__, "one", name, kind], stdout=subprocess.PIPE, text=True, check=True
    ).stdout
    return json.loads(made.splitlines()[-1]), time.monotonic() - begun


def one(name: str, kind: str) -> None:
    """Make one report and print it as JSON."""
    with tempfile.TemporaryDirectory() as folder:
        keep = Path(KEPT or folder) / f"report-{kind}-{name.split(',')[0]}.jsonl"
        settings = {"quick": True, "fresh": True} if kind == "quick" else {"budgets": BUDGETS}
        train, test = data(name)
        report = ws.transfer_report(train, test, encoders=ENCODERS, keep=keep, name=name, **settings)
        report.save(Path(folder) / "report.html")
        print(json.dumps(report.to_dict()))


def data(name: str) -> tuple:
    """Training and test texts with their labels."""
    if name == TAGGING:
        root = Path(os.environ["WORDSTOCK_DATA"]) / "bio-ner/NCBI-disease-IOB"
        train, test = read_conll(root / "train.tsv"), read_conll(root / "test.tsv")
        return (train.sentences, train.tags), (test.sentences, test.tags)
    task = next(task for task in fewshot.tasks() if task.name == name)
    return task.train, task.test


def main() -> None:
    if sys.argv[1:2] == ["one"]:
        one(*sys.argv[2:4])
    else:
        print(run(quick=bool(options(__doc__, "quick"))))


if __name__ == "__main__":
    main()
