"""``wordstock nearest`` and ``wordstock analogy``."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from wordstock.embeddings import Embeddings, Neighbor
from wordstock.errors import InputError

__all__ = ["analogy", "nearest"]

Model = Annotated[str, typer.Option("--model", "-m", help="A registered name or a path to vectors.")]
DEFAULT_MODEL = "glove-6b-50d"


def nearest(
    words: Annotated[list[str], typer.Argument(help="One or more words.")],
    model: Model = DEFAULT_MODEL,
    k: Annotated[int, typer.Option("-k", min=1, help="Neighbours per word.")] = 10,
) -> None:
    """Show the nearest words by cosine."""
    table = load_table(model)
    for word, found in zip(words, table.nearest(words, k), strict=True):
        _show(f"nearest to {word}", found)


def analogy(
    a: Annotated[str, typer.Argument(help="A is to …")],
    b: Annotated[str, typer.Argument(help="… B …")],
    c: Annotated[str, typer.Argument(help="… as C is to what?")],
    model: Model = DEFAULT_MODEL,
    k: Annotated[int, typer.Option("-k", min=1, help="Answers.")] = 5,
    method: Annotated[str, typer.Option(help="3cosadd or 3cosmul.")] = "3cosadd",
) -> None:
    """A is to B as C is to what?"""
    if method not in ("3cosadd", "3cosmul"):
        raise InputError(f"--method {method}: known are 3cosadd, 3cosmul")
    found = load_table(model).analogy(a, b, c, k, method="3cosmul" if method == "3cosmul" else "3cosadd")
    _show(f"{a} is to {b} as {c} is to", found)


def load_table(model: str) -> Embeddings:
    """Load a model that must be a table of words.

    Raises
    ------
    InputError
        The model is something else.
    """
    from wordstock.hub import load

    table = load(model)
    if not isinstance(table, Embeddings):
        raise InputError(f"{model} is not a table of words; this verb needs one")
    return table


def _show(title: str, found: list[Neighbor]) -> None:
    table = Table()
    table.add_column("word")
    table.add_column("score", justify="right")
    for key, score in found:
        table.add_row(escape(key), f"{score:.4f}")
    console = Console()
    console.print(f"[italic]{escape(title)}[/]", highlight=False)
    console.print(table)
