"""``wordstock reindex``: a store's texts encoded anew with another model."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from wordstock._wording import counted
from wordstock.cli.search import Collection, StoreName, check_exists
from wordstock.cli.train_progress import Steps

__all__ = ["reindex"]


def reindex(
    store: StoreName,
    model: Annotated[str, typer.Option("--model", "-m", help="The new encoder: a name, a path, or hf:org/name.")],
    collection: Collection = "wordstock",
) -> None:
    """Encode every text of a store with another model, which then takes the place of the one before in one step.

    Searches go on meanwhile. Killed halfway, the same command goes on in Milvus; with a file it begins again.
    """
    from wordstock.stores import VectorStore
    from wordstock.stores.secrets import redacted

    check_exists(store, collection)
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    with VectorStore(store, collection=collection) as opened:
        total = opened.count()
        with Steps(console, "encoding") as steps:
            done = opened.reindex(model, progress=lambda rows: steps.at(rows / max(total, 1), f"{rows:,} rows"))
        told = f"rows: {done.added:,} encoded, {done.unchanged:,} encoded before, {done.left_out:,} left out"
        console.print(
            escape(f"{told}\n{redacted(store)} holds {counted(opened.count(), 'row')}; index: {opened.index}")
        )
