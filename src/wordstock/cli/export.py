"""``wordstock export``: the rows of a store as a file for other tools."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from wordstock._wording import counted
from wordstock.cli.search import Collection, StoreName, Where, check_exists, conditions
from wordstock.cli.train_progress import Steps
from wordstock.protocols import Row

__all__ = ["export"]


def export(
    output: Annotated[Path, typer.Argument(help="The file to write, ending in .parquet or .jsonl.")],
    store: StoreName,
    collection: Collection = "wordstock",
    where: Where = None,
    vectors: Annotated[bool, typer.Option("--vectors", help="With the vector of each row.")] = False,
) -> None:
    """Write a store's rows, with id, text and metadata, to a file of Parquet or JSON lines."""
    from wordstock.stores import VectorStore
    from wordstock.stores.export import check_ending, write_rows
    from wordstock.stores.searching import check_fields

    check_ending(output)
    chosen = conditions(where)
    check_exists(store, collection)
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    with VectorStore(store, collection=collection) as opened, Steps(console, "writing") as steps:
        total = opened.count(chosen)
        if chosen is not None and not total:
            check_fields(opened.store, chosen)
        rows = _told(opened.rows(where=chosen, vectors=vectors), total, steps)
        done = write_rows(rows, output, dim=opened.store.dim if vectors else None)
    console.print(f"wrote {output}, {counted(done, 'row')}", markup=False)


def _told(rows: Iterator[Row], total: int, steps: Steps) -> Iterator[Row]:
    for number, row in enumerate(rows, 1):
        yield row
        if number % 1000 == 0 or number == total:
            steps.at(number / max(total, number), f"{number:,} rows")
