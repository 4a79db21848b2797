"""``wordstock classify train | predict | evaluate``: texts and labels in, a small classifier file out."""

from __future__ import annotations

import csv
import io
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from wordstock._files import atomic_write
from wordstock.cli.nearest import DEFAULT_MODEL
from wordstock.errors import InputError

if TYPE_CHECKING:
    from wordstock.tasks import TextClassifier, TrainProgress

__all__ = ["classify_app"]

classify_app = typer.Typer(help="Train a text classifier, use it, measure it.", no_args_is_help=True)

Data = Annotated[Path, typer.Argument(help="A .csv, .tsv or .jsonl file in UTF-8.")]
Saved = Annotated[Path, typer.Argument(help="A classifier written by `classify train`.")]
TextColumn = Annotated[str, typer.Option(help="Column or key of the text.")]
LabelColumn = Annotated[str, typer.Option(help="Column or key of the label.")]
Separator = Annotated[str | None, typer.Option(help="Several labels per text: what stands between them, such as '|'.")]
Override = Annotated[
    str | None, typer.Option("--model", "-m", help="The vectors it was trained with, where they have moved.")
]
_CONFUSIONS = 5  # most frequent mistakes shown


@classify_app.command()
def train(
    data: Data,
    output: Annotated[Path, typer.Option("--output", "-o", help="Where to write the classifier (.safetensors).")],
    model: Annotated[
        str, typer.Option("--model", "-m", help="A registered name or a path to vectors.")
    ] = DEFAULT_MODEL,
    text_column: TextColumn = "text",
    label_column: LabelColumn = "label",
    label_separator: Separator = None,
    head: Annotated[
        str, typer.Option(help="logistic, linear, mlp, bilstm, cnn or transformer; all but the first need torch.")
    ] = "logistic",
    finetune: Annotated[
        str | None,
        typer.Option(help="Tune the encoder too: contrastive (few labels) or full (many); needs torch."),
    ] = None,
    encoder_output: Annotated[
        Path | None, typer.Option(help="Write the tuned encoder by itself, too: a new folder, or a file for a table.")
    ] = None,
    lexical: Annotated[
        bool, typer.Option("--lexical", help="Learn from the texts' own words too; often better.")
    ] = False,
    c: Annotated[
        float | None, typer.Option("-C", help="Inverse penalty; chosen by cross-validation if left out.")
    ] = None,
    balanced: Annotated[bool, typer.Option("--balanced", help="Give every class the same weight.")] = False,
    cv: Annotated[int, typer.Option(help="Folds of the cross-validation.")] = 5,
    seed: Annotated[int, typer.Option(help="Seed of the folds.")] = 0,
) -> None:
    """Learn from labelled texts and write a classifier."""
    from wordstock.tasks import TextClassifier, read_labelled

    read = read_labelled(data, text_column=text_column, label_column=label_column, label_separator=label_separator)
    classifier = TextClassifier(
        model,
        head=cast(Any, head),
        finetune=cast(Any, finetune),
        lexical=lexical,
        C=c,
        class_weight="balanced" if balanced else None,
        cv=cv,
        seed=seed,
    )
    if encoder_output is not None and finetune is None:
        raise InputError("--encoder-output writes a tuned encoder; give --finetune contrastive or full")
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    with console.status(f"learning from {len(read.texts):,} texts") as status:
        classifier.fit(read.texts, read.labels, progress=lambda told: status.update(_told(told)))
    classifier.save(output)
    console.print(
        f"learned {len(classifier.classes_)} classes from {len(read.texts):,} texts with {model}", markup=False
    )
    losses = classifier.cv_losses_
    if classifier.C_ is None:
        console.print(f"head {head}, trained with torch", markup=False)
    elif losses:
        console.print(f"C = {classifier.C_:g}, cross-validated log-loss {losses[classifier.C_]:.3f}")
    else:
        why = "as given" if c is not None else "fixed: too few examples per class to choose it"
        console.print(f"C = {classifier.C_:g}, {why}")
    console.print(f"wrote {output}", markup=False)
    if encoder_output is not None:
        classifier.save_encoder(encoder_output)
        console.print(f"wrote the tuned encoder to {encoder_output}", markup=False)


@classify_app.command()
def predict(
    saved: Saved,
    data: Data,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Where to write the CSV; standard output if left out.")
    ] = None,
    proba: Annotated[bool, typer.Option("--proba", help="Add one column of probabilities per class.")] = False,
    model: Override = None,
    text_column: TextColumn = "text",
    label_separator: Annotated[str, typer.Option(help="Written between several labels of one text.")] = "|",
) -> None:
    """Label texts; writes a CSV with the columns text and label."""
    from wordstock.tasks import read_labelled

    texts = read_labelled(data, text_column=text_column, label_column=None).texts
    classifier = _load(saved, model)
    labels = _written(classifier.predict(texts), label_separator)
    columns: list[list[Any]] = [texts, labels]
    header = ["text", "label"]
    if proba:
        header += [f"p_{name}" for name in classifier.classes_.tolist()]
        columns += [[f"{p:.6f}" for p in column] for column in classifier.predict_proba(texts).T]
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(zip(*columns, strict=True))
    if output is None:
        sys.stdout.write(buffer.getvalue())
    else:
        with atomic_write(output) as stream:
            stream.write(buffer.getvalue().encode())


@classify_app.command()
def evaluate(
    saved: Saved,
    data: Data,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")] = False,
    model: Override = None,
    text_column: TextColumn = "text",
    label_column: LabelColumn = "label",
    label_separator: Separator = None,
) -> None:
    """Compare predictions with the labels of a file: accuracy, macro-F1, each class, the commonest mistakes."""
    from wordstock.tasks import read_labelled

    read = read_labelled(data, text_column=text_column, label_column=label_column, label_separator=label_separator)
    measured = _measure(_load(saved, model), read.texts, read.labels)
    if as_json:
        typer.echo(json.dumps(measured, ensure_ascii=False, indent=2))
    else:
        _show(measured)


def _told(told: TrainProgress) -> str:
    left = told.seconds / told.done * (told.total - told.done)
    return (
        f"{told.stage}: epoch {told.epoch} of {told.epochs}, step {told.done} of {told.total}, "
        f"loss {told.loss:.3f}, {left:.0f} s left"
    )


def _load(saved: Path, model: str | None) -> TextClassifier:
    from wordstock.tasks import TextClassifier

    return TextClassifier.load(saved, encoder=model)


def _written(labels: Any, separator: str) -> list[Any]:
    if hasattr(labels, "ndim"):  # an array: one label per text, or a 0/1 matrix
        if labels.ndim == 1:
            return list(labels.tolist())
        labels = [[column for column, yes in enumerate(row) if yes] for row in labels.tolist()]
    return [separator.join(map(str, sorted(group, key=str))) for group in labels]


def _measure(classifier: TextClassifier, texts: list[str], labels: Any) -> dict[str, Any]:
    from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

    target = classifier.codec_.encode(labels)
    if not len(target):
        raise InputError("no texts to evaluate")
    found = classifier.codec_.encode(classifier.predict(texts))
    names = classifier.classes_.tolist()
    each = precision_recall_fscore_support(target, found, labels=range(len(names)), zero_division=0)
    right = found == target if target.ndim == 1 else (found == target).all(axis=1)
    # A class that neither the data nor the predictions hold has no F1; it would only dilute the mean.
    present = [bool(there) for there in (each[3] > 0) | _predicted(found, len(names))]
    measured: dict[str, Any] = {
        "texts": len(texts),
        "accuracy": float(right.mean()),
        "macro_f1": float(each[2][present].mean()) if any(present) else 0.0,
        "classes": {
            str(name): {"precision": float(p), "recall": float(r), "f1": float(f), "texts": int(n)}
            for name, p, r, f, n in zip(names, *each, strict=True)
        },
    }
    if target.ndim == 1:
        matrix = confusion_matrix(target, found, labels=range(len(names)))
        wrong = [
            {"label": str(names[i]), "predicted": str(names[j]), "texts": int(matrix[i, j])}
            for i, j in zip(*matrix.nonzero(), strict=True)
            if i != j
        ]
        measured["confusions"] = sorted(wrong, key=lambda one: -one["texts"])
    return measured


def _predicted(found: Any, size: int) -> Any:
    import numpy as np

    return found.any(axis=0) if found.ndim == 2 else np.bincount(found, minlength=size) > 0


def _show(measured: dict[str, Any]) -> None:
    console = Console(highlight=False)
    console.print(f"texts     {measured['texts']:,}")
    console.print(f"accuracy  {measured['accuracy']:.3f}")
    console.print(f"macro-F1  {measured['macro_f1']:.3f}")
    table = Table("class")
    for column in ("precision", "recall", "F1", "texts"):
        table.add_column(column, justify="right")
    for name, one in measured["classes"].items():
        numbers = (f"{one[key]:.3f}" for key in ("precision", "recall", "f1"))
        table.add_row(escape(name), *numbers, f"{one['texts']:,}")
    console.print(table)
    for one in measured.get("confusions", [])[:_CONFUSIONS]:
        console.print(f"{one['texts']:>4} × {one['label']} taken for {one['predicted']}", markup=False)
