"""``wordstock train``: from files of text to vectors."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from wordstock.embeddings import Embeddings
from wordstock.errors import InputError

if TYPE_CHECKING:
    from wordstock.vocab import TokenShards

__all__ = ["train"]

_ALGORITHMS = ("skipgram", "cbow", "glove")
_STDIN = "-"


def train(
    corpus: Annotated[
        list[str],
        typer.Argument(help="Files or folders: text, JSONL, CSV, Parquet, Wikipedia dumps, WET or WARC; - for stdin."),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="The native file to write.")],
    algorithm: Annotated[str, typer.Option(help=f"One of {', '.join(_ALGORITHMS)}.")] = "skipgram",
    dim: Annotated[int, typer.Option(min=1, help="Length of the vectors.")] = 100,
    window: Annotated[int | None, typer.Option(min=1, help="Words to either side. Default: 5; 10 for glove.")] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Passes. Default: 5; 15 for glove.")] = None,
    negative: Annotated[int, typer.Option(min=1, help="Noise words to a centre; not for glove.")] = 5,
    subsample: Annotated[
        float, typer.Option(help="Share of the corpus above which words are thinned; 0 = none.")
    ] = 1e-3,
    learning_rate: Annotated[
        float | None, typer.Option(help="At the start. Default: 0.025 skipgram, 0.05 cbow and glove.")
    ] = None,
    min_count: Annotated[int, typer.Option(min=1, help="Leave out rarer words.")] = 5,
    max_size: Annotated[int | None, typer.Option(min=2, help="Keep this many of the most frequent words.")] = None,
    phrases: Annotated[int, typer.Option(min=0, help="Passes that join words into phrases such as new_york.")] = 0,
    init: Annotated[
        str | None, typer.Option(help="Continue from these vectors: a name or a path; not for glove.")
    ] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="Default: all cores.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="With --threads 1, the same seed gives the same bits.")] = 1,
    kind: Annotated[
        str | None,
        typer.Option(help="text, jsonl, csv, parquet, wikipedia, wikiextractor or warc. Default: by content."),
    ] = None,
    field: Annotated[str | None, typer.Option(help="Field of JSONL, column of CSV or Parquet. Default: text.")] = None,
    unique: Annotated[bool, typer.Option("--unique", help="Leave out lines that were seen before.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Stop at the first damaged place of the corpus.")] = False,
    checkpoint: Annotated[
        Path | None,
        typer.Option(help="Folder for what a stopped run leaves. Default: OUTPUT.training, deleted at the end."),
    ] = None,
) -> None:
    """Learn vectors from text. Stopped or killed, the same command goes on where it was."""
    if algorithm not in _ALGORITHMS:
        raise InputError(f"--algorithm {algorithm}: known are {', '.join(_ALGORITHMS)}")
    if algorithm == "glove" and init is not None:
        raise InputError("--init: only skipgram and cbow can continue from earlier vectors")
    if output.suffix != ".safetensors":
        raise InputError(f"--output {output}: vectors are written as a native file; give a name in .safetensors")
    reading = {"kind": kind, "field": field, "unique": unique, "strict": strict}
    counting = {"min_count": min_count, "max_size": max_size, "phrases": phrases}
    settings: dict[str, Any] = {"dim": dim, "seed": seed, "threads": threads}
    optional = {"window": window, "epochs": epochs, "learning_rate": learning_rate}
    settings |= {name: value for name, value in optional.items() if value is not None}
    if algorithm != "glove":
        settings |= {"algorithm": algorithm, "negative": negative, "subsample": subsample}
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    with _workplace(corpus, output, checkpoint) as folder:
        shards = _count(console, corpus, folder, reading, counting)
        console.print(f"{shards.n_tokens:,} tokens, {len(shards.vocabulary):,} words")
        table = _learn(console, shards, algorithm, settings, init, folder)
        table.save(output)
    console.print(f"wrote {output}: {len(table):,} words, dim {table.dim}", markup=False)


@contextmanager
def _workplace(corpus: list[str], output: Path, checkpoint: Path | None) -> Iterator[Path]:
    """Where shards and checkpoints lie: kept for the next run if this one stops, gone once it has succeeded."""
    if _STDIN in corpus and checkpoint is None:  # what came through a pipe cannot be read again
        with TemporaryDirectory(prefix="wordstock-train-") as temporary:
            yield Path(temporary)
        return
    folder = checkpoint or output.with_name(output.name + ".training")
    yield folder
    if checkpoint is None:
        shutil.rmtree(folder, ignore_errors=True)


def _count(
    console: Console, corpus: list[str], folder: Path, reading: dict[str, Any], counting: dict[str, Any]
) -> TokenShards:
    from wordstock.corpus import ReadReport, read_texts
    from wordstock.vocab import build_shards

    report = ReadReport()
    with _bar(console) as bar:
        task = bar.add_task("reading", total=None)
        texts = read_texts(
            corpus,
            **reading,
            report=report,
            progress=lambda done, total: bar.update(task, completed=done, total=total or None),
        )
        shards = build_shards(texts, folder / "corpus", source=_source(corpus, reading), **counting)
    if report.damaged:
        console.print(
            f"[yellow]warning:[/] {report.damaged:,} damaged places were skipped; --strict stops at the first"
        )
    return shards


def _source(corpus: list[str], reading: dict[str, Any]) -> str:
    """What tells this corpus from another: the files with sizes and times; "" for a pipe, which is read every time."""
    if _STDIN in corpus:
        return ""
    files = [
        file
        for path in map(Path, corpus)
        for file in (sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path])
    ]
    marks = [f"{file.absolute()} {file.stat().st_size} {file.stat().st_mtime_ns}" for file in files if file.exists()]
    return "\n".join([*marks, repr(reading)])


def _learn(
    console: Console,
    shards: TokenShards,
    algorithm: str,
    settings: dict[str, Any],
    init: str | None,
    folder: Path,
) -> Embeddings:
    from wordstock.train import train_glove, train_word2vec

    with _bar(console) as bar:
        task = bar.add_task(f"training {algorithm}", total=1.0)
        if algorithm == "glove":
            return train_glove(shards, **settings, checkpoint=folder / "glove", progress=_report(bar, task))
        start = None
        if init is not None:
            from wordstock.hub import load

            start = load(init)
        return train_word2vec(
            shards, **settings, init=start, checkpoint=folder / algorithm, progress=_report(bar, task)
        )


def _report(bar: Progress, task: TaskID) -> Callable[[Any], None]:
    def report(now: Any) -> None:
        text = f"epoch {now.epoch}/{now.epochs}, loss {now.loss:.3f}, {now.words_per_second / 1e6:.2f} M words/s"
        bar.update(task, completed=now.share, description="counting pairs" if now.phase == "count" else text)

    return report


def _bar(console: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f}%"))
    return Progress(*columns, TimeRemainingColumn(), console=console, transient=True)
