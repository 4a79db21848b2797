"""``wordstock search``: what a store holds that is near a query."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from wordstock.errors import InputError
from wordstock.protocols import Filter, Hit

__all__ = ["Collection", "StoreName", "Where", "check_exists", "conditions", "search"]

StoreName = Annotated[
    str,
    typer.Option(
        "--store",
        "-s",
        help="A path ending in .db (Milvus Lite) or .safetensors, or the address of a Milvus server or Zilliz Cloud. "
        "Its token comes from WORDSTOCK_MILVUS_TOKEN or the file named in WORDSTOCK_MILVUS_TOKEN_FILE.",
    ),
]
Collection = Annotated[str, typer.Option(help="Which store of a server that holds several.")]
Where = Annotated[
    list[str] | None,
    typer.Option(help='A condition on metadata, such as "year >= 2020"; several must all hold.'),
]
_PLACE = ("source", "start", "stop", "version")  # what ``wordstock index`` writes
_LONGEST = 400  # characters of a text that are shown


def search(
    queries: Annotated[list[str], typer.Argument(help="One query or several, each in quotes.")],
    store: StoreName,
    collection: Collection = "wordstock",
    k: Annotated[int, typer.Option("-k", min=1, help="Rows per query.")] = 5,
    where: Where = None,
    mode: Annotated[str, typer.Option(help="vector (by meaning), keyword (BM25) or hybrid (both).")] = "vector",
    fusion: Annotated[
        str, typer.Option(help="Of hybrid: the weights of vectors and keywords, or rrf for reciprocal ranks.")
    ] = "0.8,0.2",
    rerank: Annotated[
        str | None, typer.Option(help="A cross-encoder's folder or hf:org/name, to score the best again.")
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", "-m", help="The store's encoder, where it cannot be found by its record.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a row, for other programs.")] = False,
) -> None:
    """Show the rows of a store that are nearest to a query."""
    from wordstock.stores import VectorStore

    if mode not in ("vector", "keyword", "hybrid"):
        raise InputError(f"--mode {mode}: known are vector, keyword, hybrid")
    chosen = conditions(where)
    check_exists(store, collection)
    options: dict[str, Any] = {"mode": mode, "fusion": _fusion(fusion), "rerank": rerank}
    with VectorStore(store, model, collection=collection) as opened:
        found = opened.search(queries, k, where=chosen, **options)
    for query, hits in zip(queries, found, strict=True):
        _print_json(query, hits) if as_json else _print_table(query, hits)


def conditions(where: Sequence[str] | None) -> Filter | None:
    """The filter that all of these conditions make.

    Raises
    ------
    InputError
        One that cannot be read.
    """
    from wordstock.stores.filters import parse_text

    return {"and": [parse_text(one) for one in where]} if where else None


def check_exists(store: str, collection: str) -> None:
    """Refuse a store that is not there, and make none.

    Raises
    ------
    InputError
        With the verb that makes it.
    """
    from wordstock.stores.opening import store_exists
    from wordstock.stores.secrets import redacted

    if not store_exists(store, collection):
        named = "" if collection == "wordstock" else f", collection {collection}"
        raise InputError(f"there is no store at {redacted(store)}{named}; `wordstock index` makes one")


def _fusion(given: str) -> Any:
    if given == "rrf":
        return given
    try:
        first, second = map(float, given.split(","))
    except ValueError:
        first = second = math.nan
    if not (first >= 0 and second >= 0 and 0 < first + second < math.inf):
        raise InputError(f"--fusion {given}: rrf, or two weights such as 0.8,0.2")
    return first, second


def _print_json(query: str, hits: Sequence[Hit]) -> None:
    for hit in hits:
        values = {"query": query, "id": hit.id, "score": hit.score, "text": hit.text, "metadata": dict(hit.metadata)}
        sys.stdout.write(json.dumps(values, ensure_ascii=False) + "\n")


def _print_table(query: str, hits: Sequence[Hit]) -> None:
    console = Console()
    console.print(f"[italic]{escape(query)}[/]", highlight=False)
    if not hits:
        console.print("nothing found")
        return
    table = Table(show_lines=True)
    table.add_column("score", justify="right")
    table.add_column("text", ratio=1)
    table.add_column("from", overflow="fold")
    for hit in hits:
        text = " ".join(hit.text.split())
        shown = text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
        table.add_row(f"{hit.score:.4f}", escape(shown or hit.id), escape(_about(hit)))
    console.print(table)


def _about(hit: Hit) -> str:
    """Where a row comes from: its file and place first, without what only the index itself reads."""
    shown = {name: value for name, value in hit.metadata.items() if name not in _PLACE}
    told = ", ".join(f"{name} {value}" for name, value in shown.items())
    if (source := hit.metadata.get("source")) is not None:
        place = f"{_near(str(source))}:{hit.metadata.get('start', 0)}-{hit.metadata.get('stop', '')}"
        told = f"{place}, {told}" if told else place
    return told if len(told) <= 200 else told[:199] + "…"


def _near(source: str) -> str:
    """A file in this folder without the way to it."""
    path = Path(source)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else source
