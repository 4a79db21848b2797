"""``wordstock evaluate``: how good a table's words are on published sets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, get_args

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from wordstock.cli.nearest import load_table
from wordstock.embeddings.search import AnalogyMethod
from wordstock.errors import InputError
from wordstock.evaluate import (
    AnalogyResult,
    Layout,
    SimilarityResult,
    SimilaritySet,
    evaluate_analogy,
    evaluate_similarity,
    read_set,
)

__all__ = ["evaluate"]

_LAYOUTS: dict[str, Layout] = {name: name for name in get_args(Layout)}
_METHODS: dict[str, AnalogyMethod] = {name: name for name in get_args(AnalogyMethod)}


def evaluate(
    model: Annotated[str, typer.Argument(help="A registered name or a path to vectors.")],
    sets: Annotated[list[Path], typer.Argument(metavar="SET...", help="Files of word pairs or analogy questions.")],
    method: Annotated[str, typer.Option(help="How analogies are answered: 3cosadd or 3cosmul.")] = "3cosadd",
    layout: Annotated[
        str | None, typer.Option(help=f"Layout of the sets, if it is not told right: {', '.join(_LAYOUTS)}.")
    ] = None,
    exact_case: Annotated[bool, typer.Option("--exact-case", help="Keep upper and lower case apart.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Measure a table on word-similarity and analogy sets."""
    if method not in _METHODS:
        raise InputError(f"--method {method}: known are {', '.join(_METHODS)}")
    if layout is not None and layout not in _LAYOUTS:
        raise InputError(f"--layout {layout}: known are {', '.join(_LAYOUTS)}")
    datasets = [read_set(path, layout=None if layout is None else _LAYOUTS[layout]) for path in sets]
    embeddings = load_table(model)
    results: list[SimilarityResult | AnalogyResult] = []
    for dataset in datasets:
        if isinstance(dataset, SimilaritySet):
            results.append(evaluate_similarity(embeddings, dataset, case="exact" if exact_case else "fold"))
        else:
            results.append(
                evaluate_analogy(embeddings, dataset, method=_METHODS[method], case="exact" if exact_case else "fold")
            )
        if not as_json:
            _show(results[-1])
    if as_json:
        typer.echo(json.dumps([result.to_dict() for result in results], ensure_ascii=False, indent=2))


def _show(result: SimilarityResult | AnalogyResult) -> None:
    Console().print(_similarity(result) if isinstance(result, SimilarityResult) else _analogy(result))


def _similarity(result: SimilarityResult) -> Table:
    table = _table(
        f"{result.name}: similarity, {result.covered:,} of {result.pairs:,} pairs covered",
        "",
        "covered pairs",
        "95 % interval",
        "all pairs, unknown as 0",
    )
    interval = "" if result.interval is None else f"{result.interval[0]:.3f} to {result.interval[1]:.3f}"
    table.add_row("Spearman", _number(result.spearman), interval, _number(result.spearman_all))
    table.add_row("Pearson", _number(result.pearson), "", _number(result.pearson_all))
    return table


def _analogy(result: AnalogyResult) -> Table:
    title = f"{result.name}: analogies by {result.method}"
    table = _table(title, "section", "questions", "answered", "correct", "accuracy", "of all")
    for section in (*result.sections, result.total):
        if section is result.total:
            table.add_section()
        counts = (f"{count:,}" for count in (section.questions, section.answered, section.correct))
        table.add_row(escape(section.name), *counts, _percent(section.accuracy), _percent(section.accuracy_all))
    return table


def _table(title: str, first: str, *columns: str) -> Table:
    table = Table(title=escape(title), title_justify="left")
    table.add_column(first)
    for column in columns:
        table.add_column(column, justify="right")
    return table


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.4f}"


def _percent(value: float | None) -> str:
    return "undefined" if value is None else f"{100 * value:.2f} %"
