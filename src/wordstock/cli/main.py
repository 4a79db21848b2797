"""``wordstock VERB``: every verb in one place, and errors as one line."""

from __future__ import annotations

import io
import logging
import sys
import warnings
from typing import Annotated

import typer
from rich.console import Console
from rich.logging import RichHandler
from rich.markup import escape

import wordstock
from wordstock.cli.classify import classify_app
from wordstock.cli.convert import convert
from wordstock.cli.demo import demo
from wordstock.cli.encode import encode
from wordstock.cli.evaluate import evaluate
from wordstock.cli.export import export
from wordstock.cli.index import index
from wordstock.cli.models import info, models
from wordstock.cli.nearest import analogy, nearest
from wordstock.cli.reindex import reindex
from wordstock.cli.report import report
from wordstock.cli.search import search
from wordstock.cli.spelling import Verb, spelt
from wordstock.cli.tag import tag_app
from wordstock.cli.train import train
from wordstock.errors import StorageError, WordstockError

__all__ = ["app", "main"]

_INTERRUPTED = 130

app = typer.Typer(
    name="wordstock",
    help="Load, query and reuse pre-trained embeddings.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


documents = (index, search, reindex, export)
for verb in (demo, models, info, nearest, analogy, encode, convert, evaluate, report, train, *documents):
    app.command(cls=Verb)(verb)
app.add_typer(classify_app, name="classify")
app.add_typer(tag_app, name="tag")


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"wordstock {wordstock.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Say what is being done, and where.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    handler = RichHandler(console=Console(stderr=True), show_path=False, show_time=False)
    handler.setFormatter(_Told("%(message)s"))
    logging.basicConfig(level=logging.INFO if verbose else logging.WARNING, handlers=[handler])


class _Told(logging.Formatter):
    """What is logged, in the words of the command line."""

    def format(self, record: logging.LogRecord) -> str:
        """The message, as errors say it."""
        return spelt(super().format(record))


def main() -> None:
    """Run the command line; a wordstock error is one line on stderr and exit status 1, Ctrl-C is 130."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # file names may hold bytes that are not UTF-8
    console = Console(stderr=True, highlight=False, soft_wrap=True)

    def show(message: Warning | str, *_: object, **__: object) -> None:
        console.print(f"[yellow]warning:[/] {escape(spelt(str(message)))}")

    warnings.showwarning = show
    try:
        app()
    except WordstockError as error:
        told = error.strerror if isinstance(error, StorageError) else None  # without the number that str puts first
        console.print(f"[bold red]error:[/] {escape(spelt(told or str(error)))}")
        sys.exit(1)
    except MemoryError as error:
        console.print(f"[bold red]error:[/] not enough memory: {escape(str(error) or 'an allocation failed')}")
        sys.exit(1)
    except OSError as error:
        what = "no such file" if isinstance(error, FileNotFoundError) else (error.strerror or str(error)).lower()
        where = f": {escape(str(error.filename))}" if error.filename else ""
        console.print(f"[bold red]error:[/] {what}{where}")
        sys.exit(1)
    except (KeyboardInterrupt, SystemExit) as stop:
        if isinstance(stop, SystemExit) and stop.code != _INTERRUPTED:  # typer turns Ctrl-C into this status
            raise
        console.print("stopped")
        sys.exit(_INTERRUPTED)
