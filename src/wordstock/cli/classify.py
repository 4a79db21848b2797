"""``wordstock classify train | predict | evaluate | …``: texts and labels in, a small classifier file out."""

from __future__ import annotations

import csv
import io
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast, get_args

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from wordstock._files import atomic_write
from wordstock._paths import user_path
from wordstock._wording import counted
from wordstock.cli.classify_ngrams import calibrate, load_classifier, train_ngrams
from wordstock.cli.labelled_data import naming_lines, read_data, read_texts_only
from wordstock.cli.nearest import DEFAULT_MODEL
from wordstock.cli.outputs import check_output
from wordstock.cli.spelling import Verb
from wordstock.errors import InputError

if TYPE_CHECKING:
    from wordstock.evaluate import ClassReport
    from wordstock.tasks import TrainProgress

__all__ = ["classify_app"]

classify_app = typer.Typer(help="Train a text classifier, use it, measure it.", no_args_is_help=True)

Data = Annotated[Path, typer.Argument(help="A .csv, .tsv or .jsonl file in UTF-8, or lines with __label__ tokens.")]
Saved = Annotated[
    Path, typer.Argument(help="A classifier written by `classify train` or `train-ngrams`, or fastText's .bin or .ftz.")
]
TextColumn = Annotated[str, typer.Option(help="Column or key of the text.")]
LabelColumn = Annotated[str, typer.Option(help="Column or key of the label.")]
Separator = Annotated[str | None, typer.Option(help="Several labels per text: what stands between them, such as '|'.")]
Override = Annotated[
    str | None, typer.Option("--model", "-m", help="The vectors it was trained with, where they have moved.")
]
_CONFUSIONS = 5  # most frequent mistakes shown
_TUNINGS = ("contrastive", "full")


@classify_app.command(cls=Verb)
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
    from wordstock.tasks import TextClassifier
    from wordstock.tasks.head_config import HeadName

    check_output(output, data, model)
    if encoder_output is not None:
        place = user_path(encoder_output)
        if place.resolve() == user_path(output).resolve():
            raise InputError(f"--output and --encoder-output are both {output}; give another name")
        if place.is_dir():  # neither a table nor a contextual encoder is written there
            raise InputError(f"--encoder-output {encoder_output} is there already; give another name")
        check_output(encoder_output, data, model, option="--encoder-output")
    for option, value, known in (("head", head, ("logistic", *get_args(HeadName))), ("finetune", finetune, _TUNINGS)):
        if value is not None and value not in known:
            raise InputError(f"--{option} {value}: known are {', '.join(known)}")
    read = read_data(data, text_column=text_column, label_column=label_column, label_separator=label_separator)
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
    with console.status(f"learning from {counted(len(read.texts), 'text')}") as status:
        classifier.fit(read.texts, read.labels, progress=lambda told: status.update(_told(told)))
    classifier.save(output)
    console.print(
        f"learned {counted(len(classifier.classes_), 'class')} from {counted(len(read.texts), 'text')} with {model}",
        markup=False,
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


@classify_app.command(cls=Verb)
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
    """Label texts, of a table or one per line; writes a CSV with the columns text and label."""
    if output is not None:
        check_output(output, data, saved, model)
    texts = read_texts_only(data, text_column=text_column)
    classifier = load_classifier(saved, model)
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


@classify_app.command(cls=Verb)
def evaluate(
    saved: Saved,
    data: Data,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")] = False,
    confusion: Annotated[
        Path | None, typer.Option(help="Draw the confusion matrix as a PNG; needs the extra plot.")
    ] = None,
    model: Override = None,
    text_column: TextColumn = "text",
    label_column: LabelColumn = "label",
    label_separator: Separator = None,
) -> None:
    """Compare predictions with the labels of a file: accuracy, F1, calibration, each class, the commonest mistakes."""
    from wordstock.evaluate import class_report, plot_confusion

    read = read_data(data, text_column=text_column, label_column=label_column, label_separator=label_separator)
    classifier = load_classifier(saved, model)
    with naming_lines(data, read.lines):
        report = class_report(classifier, read.texts, read.labels)
    if as_json:
        typer.echo(json.dumps(report.to_dict(), ensure_ascii=False, indent=2))
    else:
        _show(report, several=classifier.codec_.multilabel)
    if confusion is not None:
        plot_confusion(report, confusion)
        Console(stderr=True, highlight=False, soft_wrap=True).print(f"wrote {confusion}", markup=False)


def _told(told: TrainProgress) -> str:
    left = told.seconds / told.done * (told.total - told.done)
    return (
        f"{told.stage}: epoch {told.epoch} of {told.epochs}, step {told.done} of {told.total}, "
        f"loss {told.loss:.3f}, {left:.0f} s left"
    )


def _written(labels: Any, separator: str) -> list[Any]:
    if hasattr(labels, "ndim"):  # an array: one label per text, or a 0/1 matrix
        if labels.ndim == 1:
            return list(labels.tolist())
        labels = [[column for column, yes in enumerate(row) if yes] for row in labels.tolist()]
    return [separator.join(map(str, sorted(group, key=str))) for group in labels]


def _show(report: ClassReport, *, several: bool) -> None:
    console = Console(highlight=False)
    console.print(f"texts              {report.texts:,}")
    console.print(f"accuracy           {report.accuracy:.3f}")
    console.print(f"macro-F1           {report.macro.f1:.3f}")
    if several:
        console.print(f"micro-F1           {report.micro.f1:.3f}")
    console.print(f"calibration error  {report.calibration_error:.3f}")
    table = Table("class")
    for column in ("precision", "recall", "F1", "texts"):
        table.add_column(column, justify="right")
    for one in report.classes:
        numbers = (f"{share:.3f}" for share in (one.precision, one.recall, one.f1))
        table.add_row(escape(one.label), *numbers, f"{one.texts:,}")
    console.print(table)
    for mistake in report.confusions[:_CONFUSIONS]:
        console.print(
            f"{mistake.texts:>4} × {mistake.label} taken for {mistake.predicted}", markup=False, soft_wrap=True
        )


for verb in (train_ngrams, calibrate):
    classify_app.command(cls=Verb)(verb)
