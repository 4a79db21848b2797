"""``wordstock report DATA``: what pre-trained vectors save on one's own labelled data, as a page with curves."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from wordstock._optional import require
from wordstock.cli.tag import read_tagged
from wordstock.cli.train_progress import Steps, duration
from wordstock.errors import InputError

if TYPE_CHECKING:
    from wordstock.evaluate.report import ReportProgress

__all__ = ["report"]

_TABLES = (".csv", ".tsv", ".tab", ".jsonl", ".ndjson")


def report(
    data: Annotated[
        Path,
        typer.Argument(help="Labelled texts (.csv, .tsv, .jsonl), or tagged sentences (.conllu or any column file)."),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The page (.html); .json, .png and the points go beside it.")
    ] = Path("report.html"),
    test: Annotated[
        Path | None, typer.Option("--test", "-t", help="Test data; a fifth of DATA is held out if left out.")
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option("--model", "-m", help="A registered name or a path to a table or an encoder; may be repeated."),
    ] = None,
    quick: Annotated[
        bool,
        typer.Option(
            "--quick",
            help="Three sizes, two samples, little tuning; what takes it beyond 90 s is left out.",
        ),
    ] = False,
    seeds: Annotated[int, typer.Option(help="Samples of each size.")] = 3,
    budgets: Annotated[
        list[int] | None,
        typer.Option("--budget", help="A number of labels to try; may be repeated. Chosen if left out."),
    ] = None,
    families: Annotated[
        list[str] | None,
        typer.Option(
            "--method",
            help="Only these: tf-idf, 'from scratch', 'static frozen', 'static tuned', 'contextual frozen', few-shot, "
            "fine-tuned. May be repeated.",
        ),
    ] = None,
    test_most: Annotated[int, typer.Option(help="Test texts that are used at most.")] = 1000,
    fresh: Annotated[bool, typer.Option("--fresh", help="Measure everything anew.")] = False,
    text_column: Annotated[str, typer.Option(help="Column or key of the text.")] = "text",
    label_column: Annotated[str, typer.Option(help="Column or key of the label.")] = "label",
    label_separator: Annotated[
        str | None, typer.Option(help="Several labels per text: what stands between them.")
    ] = None,
    tagging: Annotated[
        bool,
        typer.Option("--tagging", help="DATA is tagged sentences, also if it ends in .tsv or .csv."),
    ] = False,
    tag_column: Annotated[str, typer.Option(help="Tagging: column of the tag; in .conllu upos, misc:KEY, ...")] = "-1",
) -> None:
    """Compare TF-IDF, training from scratch and pre-trained vectors on growing samples; run again to continue."""
    from wordstock.evaluate.report import transfer_report

    if output.suffix.lower() not in (".html", ".htm"):
        raise InputError(f"--output {output}: a report is a page; give a name that ends in .html")
    for library in ("plotly", "matplotlib"):  # not only once all is measured
        require(library, extra="report", purpose="the page of a report")
    points = output.with_suffix(".points.jsonl")
    train, columns = _read(data, tag_column, tagging), None
    if isinstance(train, Path):
        columns = {"text_column": text_column, "label_column": label_column, "label_separator": label_separator}
    settings: dict[str, Any] = {"quick": quick, "seeds": seeds, "test_most": test_most}
    if budgets:
        settings["budgets"] = tuple(budgets)
    if families:
        settings["families"] = tuple(families)
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    with Steps(console, "measuring") as steps:

        def tell(told: ReportProgress) -> None:
            one = told.point
            line = (
                f"{told.done} of {told.total}: {one.method}, {one.budget:,}, sample {one.seed}: {100 * one.score:.1f} %"
            )
            steps.at(told.done / told.total, line + (" (kept)" if told.reused else ""), mark=told.done)

        made = transfer_report(
            train,
            None if test is None else _read(test, tag_column, tagging),
            encoders=model,
            keep=points,
            fresh=fresh,
            progress=tell,
            columns=columns,
            command=shlex.join(["wordstock", *sys.argv[1:]]),
            name=str(data),
            **settings,
        )
    for line in made.findings:
        console.print(f"- {line}", markup=False)
    console.print(made.recommendation, markup=False)
    written = made.save(output)
    console.print(
        f"wrote {', '.join(map(str, written))} in {duration(made.facts['seconds'])}; points are kept in {points}",
        markup=False,
    )


def _read(path: Path, tag_column: str, tagging: bool) -> Any:
    """The path itself for labelled texts, sentences and tags for tagged ones."""
    if not tagging and path.suffix.lower() in _TABLES:
        return path
    read = read_tagged(path, tag_column)
    return read.sentences, read.tags
