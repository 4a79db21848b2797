"""``wordstock train``: from files of text to vectors."""

from __future__ import annotations

import inspect
import math
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console

from wordstock._files import storage_errors
from wordstock._paths import user_path
from wordstock._wording import counted
from wordstock.cli.train_corpus import STDIN, count_corpus
from wordstock.cli.train_options import METHODS, parameters
from wordstock.cli.train_progress import Steps
from wordstock.cli.train_request import Request, has_state
from wordstock.embeddings import Embeddings
from wordstock.errors import InputError
from wordstock.evaluate import SimilaritySet, evaluate_similarity, read_similarity

if TYPE_CHECKING:
    from wordstock.vocab import TokenShards

__all__ = ["train"]


def train(corpus: list[str], output: Path, method: str, overwrite: bool, **options: Any) -> None:
    """Learn vectors from text. Stopped or killed, the same command goes on where it was."""
    given = {name: value for name, value in options.items() if value is not None}
    output = user_path(output, "--output")
    request = Request.of(corpus, method, given)
    patience, seconds = given.get("patience"), given.get("checkpoint_seconds")
    if seconds is not None and not seconds >= 0:
        raise InputError(f"--checkpoint-seconds {seconds:g}: needs a number from 0 on")
    if patience is not None and "validate" not in given:
        raise InputError("--patience needs --validate: the file with the word pairs that are scored")
    held_out = read_similarity(given["validate"]) if "validate" in given else None
    checkpoint = user_path(given["checkpoint"], "--checkpoint") if "checkpoint" in given else None
    _check_output(output, overwrite, method)
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    with _workplace(corpus, output, checkpoint) as (folder, lasting):
        request.compare(folder)
        try:
            shards = count_corpus(console, request, folder / "corpus")
        except KeyboardInterrupt:
            console.print("nothing is kept of what was read; the same command begins anew")
            raise
        settings: dict[str, Any] = {"init": None if request.init is None else request.init[1]}
        if lasting:
            request.keep(folder)
            settings["checkpoint"] = folder / method
        if held_out is not None:
            settings["validation"] = _score(console, held_out, shards, settings["init"])
        optional = {"patience": patience, "checkpoint_seconds": seconds}
        settings |= {name: value for name, value in optional.items() if value is not None}
        table = _learn(console, shards, request, settings)
        table.save(output)
    _summary(console, output, table)


def _signature() -> inspect.Signature:
    keyword = inspect.Parameter.KEYWORD_ONLY
    files = "Files or folders: text, JSONL, CSV, Parquet, Wikipedia dumps, WET or WARC; - for stdin."
    own: list[tuple[str, Any, Any]] = [
        ("corpus", list[str], typer.Argument(help=files)),
        ("output", Path, typer.Option(..., "--output", "-o", help="The native file to write.")),
        ("method", str, typer.Option("word2vec", help="How vectors are learned.", metavar="|".join(METHODS),
                                     rich_help_panel="Training")),
        ("overwrite", bool, typer.Option(False, "--overwrite", help="Replace an OUTPUT that is there.")),
    ]  # fmt: skip
    first = [inspect.Parameter(name, keyword, default=what, annotation=kind) for name, kind, what in own]
    return inspect.Signature([*first, *parameters()])


train.__signature__ = _signature()  # type: ignore[attr-defined]


def _check_output(output: Path, overwrite: bool, method: str) -> None:
    """Refuse now what could not be written after hours of training."""
    if output.is_dir():
        raise InputError(f"--output {output} is a folder; give the name of a file")
    if output.suffix != ".safetensors":
        raise InputError(f"--output {output}: vectors are written as a native file; give a name in .safetensors")
    if not output.parent.is_dir():
        raise InputError(f"--output {output}: there is no folder {output.parent}; make it first")
    if output.exists() and not overwrite and not has_state(_beside(output) / method):
        raise InputError(f"--output {output} is there already; give another name, or --overwrite to replace it")
    with storage_errors(output), TemporaryFile(dir=output.parent):
        pass


def _beside(output: Path) -> Path:
    return output.with_name(output.name + ".training")


@contextmanager
def _workplace(corpus: list[str], output: Path, checkpoint: Path | None) -> Iterator[tuple[Path, bool]]:
    """Where shards and checkpoints lie, and whether the next run can use them.

    The folder is kept if this run stops and left something in it, and gone once it has succeeded.
    """
    if STDIN in corpus and checkpoint is None:  # what came through a pipe cannot be read again
        with TemporaryDirectory(prefix="wordstock-train-") as temporary:
            yield Path(temporary), False
        return
    folder = checkpoint or _beside(output)
    new = not folder.exists()
    try:
        yield folder, True
    except BaseException:
        if new and not any(path.is_file() and path.name != ".lock" for path in folder.rglob("*")):
            shutil.rmtree(folder, ignore_errors=True)
        raise
    if checkpoint is None:
        shutil.rmtree(folder, ignore_errors=True)


def _learn(console: Console, shards: TokenShards, request: Request, settings: dict[str, Any]) -> Embeddings:
    from wordstock import train as room

    trainer: Callable[..., Embeddings] = getattr(room, f"train_{request.method}")
    phase = "start"
    with Steps(console, "training") as steps:

        def report(now: Any) -> None:
            nonlocal phase
            phase = now.phase
            if now.phase == "count":
                steps.at(now.share, "counting pairs of words", left=now.remaining, mark="count")
                return
            loss = "" if math.isnan(now.loss) else f", loss {now.loss:.4f}"
            speed = f"{now.words_per_second / 1e6:.2f} M words/s"
            steps.at(now.share, f"epoch {now.epoch} of {now.epochs}{loss}, {speed}", left=now.remaining, mark=now.epoch)

        try:
            return trainer(shards, config=request.config, progress=report, **settings)
        except KeyboardInterrupt:
            if phase != "train":  # else the trainer says where it goes on
                console.print("the corpus is kept as it was read; the same command goes on from there")
            raise


def _score(
    console: Console, held_out: SimilaritySet, shards: TokenShards, init: Embeddings | None
) -> Callable[[Embeddings], float]:
    """The held-out score of an epoch, told as it comes."""
    found = {word for pair in held_out.pairs for word in pair}
    forms = {form for word in found for form in (word, word.lower(), word.upper(), word.title())}
    if not any(form in shards.vocabulary or (init is not None and form in init) for form in forms):
        raise InputError(f"--validate: no word of {held_out.name} is in the vocabulary of the corpus")

    def score(table: Embeddings) -> float:
        result = evaluate_similarity(table, held_out, resamples=0)
        if result.spearman is None:
            raise InputError(
                f"--validate: {held_out.name} has {counted(result.covered, 'pair')} with both words in the vocabulary; "
                "their correlation is undefined"
            )
        epoch = len(table.card.training["loss"])
        covered = f"{result.covered:,} of {result.pairs:,} pairs"
        console.print(f"epoch {epoch}: {held_out.name} {result.spearman:.4f} ({covered})", markup=False)
        return result.spearman

    return score


def _summary(console: Console, output: Path, table: Embeddings) -> None:
    training = table.card.training
    losses, scores = training["loss"], training.get("validation")
    if scores:
        best = max(range(len(scores)), key=scores.__getitem__)
        console.print(f"the vectors of epoch {best + 1} are the best, {scores[best]:.4f}", markup=False)
    parts = [
        counted(len(table), "word"),
        f"dim {table.dim}",
        counted(len(losses), "epoch"),
        f"mean loss {losses[-1]:.4f}",
        f"{training['words_per_second'] / 1e6:.2f} M words/s",
        f"{training['seconds']:.1f} s of training",
    ]
    console.print(f"wrote {output}: {', '.join(parts)}", markup=False)
