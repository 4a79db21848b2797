"""``wordstock index``: files and folders of documents, or the words of a table, into a store."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated, Any, cast

import typer
from rich.console import Console
from rich.markup import escape

from wordstock._wording import counted
from wordstock.cli.nearest import DEFAULT_MODEL
from wordstock.cli.search import Collection, StoreName
from wordstock.cli.train_progress import Steps
from wordstock.errors import FingerprintError, InputError

__all__ = ["index"]

_READING, _STORE = "Reading", "A new store"


def index(
    store: StoreName,
    paths: Annotated[
        list[str] | None,
        typer.Argument(help="Files and folders: text, Markdown, HTML, PDF, CSV, TSV, JSON lines, Parquet."),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            "--model", "-m", help=f"A registered name, a path, or hf:org/name. A new store takes {DEFAULT_MODEL}."
        ),
    ] = None,
    collection: Collection = "wordstock",
    words: Annotated[
        bool, typer.Option("--words", help="Store the words of the model's table, one row each, instead of files.")
    ] = False,
    field: Annotated[
        list[str] | None,
        typer.Option(help="Column or key of the text; several are joined. Default: text.", rich_help_panel=_READING),
    ] = None,
    id_field: Annotated[
        str | None, typer.Option(help="Column or key of a row's id. Default: its number.", rich_help_panel=_READING)
    ] = None,
    keep: Annotated[
        list[str] | None,
        typer.Option(
            help="Columns or keys kept as metadata; plain numbers in CSV become numbers. Default: all others.",
            rich_help_panel=_READING,
        ),
    ] = None,
    lines: Annotated[
        bool, typer.Option("--lines", help="Each line of a text file is a document.", rich_help_panel=_READING)
    ] = False,
    kind: Annotated[
        str | None,
        typer.Option(
            help="Of the files, if not told right: text, markdown, html, pdf, csv, jsonl, parquet.",
            rich_help_panel=_READING,
        ),
    ] = None,
    size: Annotated[int, typer.Option(min=1, help="Tokens of a passage at most.", rich_help_panel=_READING)] = 160,
    overlap: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Tokens that a passage shares with the one before it. Default: a fifth.",
            rich_help_panel=_READING,
        ),
    ] = None,
    base: Annotated[
        Path | None,
        typer.Option(help="Name files relative to this folder. Default: whole paths.", rich_help_panel=_READING),
    ] = None,
    reread: Annotated[
        bool, typer.Option("--reread", help="Read files that have not changed, too.", rich_help_panel=_READING)
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Stop at the first damage.", rich_help_panel=_READING)
    ] = False,
    metric: Annotated[str | None, typer.Option(help="cosine, ip or l2.", rich_help_panel=_STORE)] = None,
    precision: Annotated[
        str | None,
        typer.Option(help="float32, float16, bfloat16 or binary, where the store has it.", rich_help_panel=_STORE),
    ] = None,
    index_kind: Annotated[
        str,
        typer.Option(
            "--index", help="auto (by size), flat, hnsw, ivf (IVF_FLAT), ivf_sq8 or autoindex.", rich_help_panel=_STORE
        ),
    ] = "auto",
    expected_rows: Annotated[
        int | None, typer.Option(help="Lets auto choose the right index at once.", rich_help_panel=_STORE)
    ] = None,
) -> None:
    """Bring files into a store, or bring the store up to date with them.

    Only what has changed since the last run is read and encoded; passages of files that are gone from a folder are
    deleted. Killed at any moment, the same command goes on.
    """
    from wordstock.corpus import ReadReport
    from wordstock.corpus.folder import corpus_files
    from wordstock.stores import VectorStore
    from wordstock.stores.documents import ChunkSettings
    from wordstock.stores.opening import store_exists
    from wordstock.stores.secrets import redacted

    if words == bool(paths):
        raise InputError("give files and folders, or --words with --model for the words of a table; one of the two")
    options = _store_options(metric, precision, index_kind, expected_rows)
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    reading, chunks = _reading(kind, field, id_field, keep, lines), ChunkSettings(size, overlap)
    there = store_exists(store, collection)
    if paths:
        corpus_files(paths, ReadReport(), empty=there)  # a name that is wrong makes no store
    if model is None and not there:  # one that is there knows its own
        model = DEFAULT_MODEL
    try:
        made = VectorStore(store, model, collection=collection, **options)
    except FingerprintError as error:
        verb = ["wordstock", "reindex", "--store", redacted(store), "--model", str(model)]
        named = [] if collection == "wordstock" else ["--collection", collection]
        raise FingerprintError(f"{error}: {shlex.join([*verb, *named])}") from None
    with made as opened:
        if words:
            _words(console, opened)
        else:
            flags = {"base": base, "reread": reread, "strict": strict}
            _documents(console, opened, paths or [], reading, chunks, **flags)
        console.print(escape(f"{redacted(store)} holds {counted(opened.count(), 'row')}; index: {opened.index}"))


def _store_options(
    metric: str | None, precision: str | None, index_kind: str, expected_rows: int | None
) -> dict[str, Any]:
    """Options of a new store, checked before there is one; an index also by the name that Milvus gives it."""
    from wordstock.stores.checking import Metric, Precision, choice
    from wordstock.stores.indexing import IndexConfig

    options: dict[str, Any] = {} if expected_rows is None else {"expected_rows": expected_rows}
    for name, value, known in (("metric", metric, Metric), ("precision", precision, Precision)):
        if value is not None:
            choice(name, value.lower(), known)
            options[name] = value.lower()
    kind = index_kind.lower()
    if kind != "auto":
        options["index"] = IndexConfig(cast("Any", "ivf" if kind == "ivf_flat" else kind))
    return options


def _reading(
    kind: str | None, field: list[str] | None, id_field: str | None, keep: list[str] | None, lines: bool
) -> Any:
    from wordstock.stores.documents import ReadOptions

    return ReadOptions(
        kind=cast("Any", kind),  # checked there
        text_fields=tuple(field) if field else ("text",),
        id_field=id_field,
        metadata_fields=tuple(keep) if keep else None,
        lines=lines,
    )


def _words(console: Console, store: Any) -> None:
    from wordstock.embeddings import Embeddings

    table = store.encoder
    if not isinstance(table, Embeddings):
        raise InputError("--words needs a table of words; this model is none")
    with Steps(console, "words") as steps:
        done = store.add(table, progress=lambda count: steps.at(count / len(table), f"{count:,}"))
    console.print(f"words: {done.added:,} added, {done.unchanged:,} unchanged")


def _documents(console: Console, store: Any, paths: list[str], reading: Any, chunks: Any, **flags: Any) -> None:
    from wordstock.stores.documents import sync_files

    count = getattr(store.encoder, "count_tokens", None)
    with Steps(console, "indexing") as steps:
        report = sync_files(
            store,
            paths,
            reading,
            chunks,
            count=count,
            progress=lambda done, total, rows: steps.at(done / total if total else None, f"{rows:,} passages"),
            **flags,
        )
    console.print(escape(str(report)))
    left = ", ".join(f"{number:,} {why}" for why, number in sorted(report.read.left_out.items()))
    if left:
        console.print(f"left out: {escape(left)}")
    if report.read.damaged:
        console.print(
            f"[yellow]warning:[/] left out: {counted(report.read.damaged, 'damaged place')}; --strict stops there"
        )
