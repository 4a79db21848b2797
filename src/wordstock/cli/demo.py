"""``wordstock demo``: real vectors, their neighbours and analogies, and what they save when labels are few."""

from __future__ import annotations

import time
from importlib.resources import as_file, files
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from wordstock.cli.nearest import DEFAULT_MODEL, load_table
from wordstock.embeddings import Embeddings
from wordstock.errors import InputError, MissingExtraError

__all__ = ["demo"]

NEIGHBOURS = ("physician", "fever", "lawyer", "river")
ANALOGIES = (
    ("man", "king", "woman"),
    ("france", "paris", "italy"),
    ("big", "bigger", "small"),
    ("doctor", "hospital", "teacher"),
)
GROUPS = {
    "body": ("head", "arm", "leg", "knee", "chest", "stomach", "throat", "skin", "eye", "shoulder"),
    "symptoms": ("pain", "fever", "cough", "nausea", "rash", "bleeding", "headache", "dizziness", "swelling"),
    "medicines": ("insulin", "aspirin", "antibiotic", "vaccine", "pill", "ointment", "penicillin", "morphine"),
    "money": ("bill", "payment", "invoice", "fee", "refund", "insurance", "cost", "tax", "debt"),
    "time": ("monday", "tuesday", "friday", "tomorrow", "morning", "afternoon", "week", "month"),
    "countries": ("france", "germany", "italy", "spain", "poland", "sweden", "norway", "portugal"),
    "feelings": ("happy", "sad", "anxious", "lonely", "angry", "afraid", "tired", "hopeless", "calm"),
}


def demo(
    output: Annotated[Path, typer.Option("--output", "-o", help="Where the picture goes.")] = Path(
        "wordstock-demo.png"
    ),
    seeds: Annotated[int, typer.Option(min=1, help="Random draws of training messages.")] = 5,
    per_class: Annotated[int, typer.Option(min=2, max=12, help="Training messages per class.")] = 8,
) -> None:
    """Show the whole path on real pre-trained vectors: neighbours, analogies, few-shot classification, a map."""
    if output.suffix.lower() != ".png":
        raise InputError(f"--output {output}: the picture is a PNG; give a name that ends in .png")
    console = Console()
    start = time.perf_counter()
    emb = load_table(DEFAULT_MODEL)
    console.print(
        f"[bold]{DEFAULT_MODEL}[/]: {len(emb):,} words, {emb.dim} dimensions, "
        f"ready in {time.perf_counter() - start:.2f} s\n"
    )
    _neighbours(console, emb)
    _analogies(console, emb)
    _classification(console, emb, seeds, per_class)
    _picture(console, emb, output)


def _show(console: Console, title: str, table: Table) -> None:
    console.print(f"[italic]{title}[/]", highlight=False)
    console.print(table)


def _neighbours(console: Console, emb: Embeddings) -> None:
    table = Table()
    for word in NEIGHBOURS:
        table.add_column(word)
    found = emb.nearest(list(NEIGHBOURS), 5)
    for line in zip(*found, strict=True):
        table.add_row(*(f"{escape(key)} {score:.2f}" for key, score in line))
    _show(console, "nearest words", table)


def _analogies(console: Console, emb: Embeddings) -> None:
    table = Table("question", "answers")
    for (a, b, c), found in zip(ANALOGIES, emb.analogies(ANALOGIES, 3), strict=True):
        first, *others = (escape(key) for key, _ in found)
        answers = ", ".join([f"[bold]{first}[/]", *others])
        table.add_row(f"{a} is to {b} as {c} is to", answers)
    _show(console, "analogies", table)


def _classification(console: Console, emb: Embeddings, seeds: int, per_class: int) -> None:
    from wordstock.tasks import TextClassifier, random_like, read_labelled, tfidf_baseline

    with as_file(files("wordstock.cli") / "triage") as folder:
        train = read_labelled(folder / "train.csv")
        test = read_labelled(folder / "test.csv")
    labels, expected = np.array(train.labels), np.array(test.labels)
    methods = {
        "pre-trained vectors": lambda seed: TextClassifier(emb, seed=seed),
        "the same from scratch (random vectors)": lambda seed: TextClassifier(random_like(emb, seed), seed=seed),
        "TF-IDF": lambda seed: tfidf_baseline(seed=seed),
    }
    table = Table("model", "accuracy", "lowest – highest")
    for name, make in methods.items():
        scores = []
        for seed in range(seeds):
            chosen = _draw(labels, per_class, seed)
            model = make(seed).fit([train.texts[i] for i in chosen], labels[chosen].tolist())
            scores.append(float(np.mean(np.array(model.predict(test.texts)) == expected)))
        table.add_row(name, f"{np.mean(scores):.1%}", f"{min(scores):.1%} – {max(scores):.1%}")
    _show(
        console,
        f"routing messages to a clinic: {len(np.unique(labels))} classes, {per_class} labelled messages each,\n"
        f"{len(test.texts)} held out; mean of {seeds} draws",
        table,
    )


def _draw(labels: np.ndarray, per_class: int, seed: int) -> list[int]:
    rng = np.random.default_rng(seed)
    chosen = [rng.permutation(np.flatnonzero(labels == label))[:per_class] for label in np.unique(labels)]
    return [int(i) for i in np.concatenate(chosen)]


def _picture(console: Console, emb: Embeddings, output: Path) -> None:
    from wordstock.evaluate.word_map import word_map

    title = f"{DEFAULT_MODEL}: {sum(map(len, GROUPS.values()))} words, 50 dimensions in two"
    try:
        word_map(emb, GROUPS, output, title=title)
    except MissingExtraError as error:
        console.print(f"no picture: {error}", markup=False, soft_wrap=True)
        return
    console.print(f"a map of words: {output.resolve()}", markup=False)
