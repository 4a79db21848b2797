"""``wordstock convert``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, get_args

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from wordstock._paths import user_path
from wordstock.embeddings.storage import Precision
from wordstock.errors import InputError
from wordstock.formats import EncodingErrors, Format, NonFinite
from wordstock.formats import convert as convert_file

__all__ = ["convert"]


def convert(
    source: Annotated[str, typer.Argument(help="A file of vectors, its format told by its content; or a named model.")],
    target: Annotated[Path, typer.Argument(help="The file to write, perhaps ending in .gz, .bz2, .xz or .zst.")],
    format: Annotated[
        str | None, typer.Option(help=f"Of the target: {', '.join(get_args(Format))}. Default: by its extension.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Take the first rows only.")] = None,
    precision: Annotated[
        str | None, typer.Option(help=f"Of a native target: {', '.join(get_args(Precision))}. Default: as it is.")
    ] = None,
    encoding_errors: Annotated[
        str, typer.Option(help=f"Keys that are not UTF-8: {', '.join(get_args(EncodingErrors))}.")
    ] = "strict",
    non_finite: Annotated[
        str, typer.Option(help=f"Rows with NaN or infinity: {', '.join(get_args(NonFinite))}.")
    ] = "raise",
) -> None:
    """Convert vectors to another format and say what is lost."""
    options: dict[str, Any] = {"limit": limit}
    for name, value, known in (
        ("format", format, Format),
        ("precision", precision, Precision),
        ("encoding-errors", encoding_errors, EncodingErrors),
        ("non-finite", non_finite, NonFinite),
    ):
        if value is not None and value not in get_args(known):
            raise InputError(f"--{name} {value}: known are {', '.join(get_args(known))}")
        options[name.replace("-", "_")] = value
    path = _file_of(source)
    columns = (TextColumn("reading"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("reading", total=None)
        report = convert_file(
            path, target, progress=lambda done, total: bar.update(task, completed=done, total=total), **options
        )
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"wrote {target}", markup=False)
    if report:
        console.print("not in the new file:")
        for line in report:
            console.print(f"  - {line}", markup=False)
    else:
        console.print("nothing is lost")


def _file_of(source: str) -> Path:
    """The file itself, or the native file of a named model, fetched if need be."""
    from wordstock.hub import fetch, find, registry
    from wordstock.hub.kinds import is_encoder

    path = user_path(source)
    named = source.startswith("hf:") or registry().get(source) is not None
    if path.exists() or (not named and (path.suffix or path.name != source)):
        return path
    if find(source).kind == "encoder" or is_encoder(found := fetch(source)):
        raise InputError(f"{source} is not a table of words; this verb needs one")
    return found
