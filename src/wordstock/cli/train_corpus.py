"""The corpus of ``wordstock train``: files, graphs or baskets to token ids, and what was left out."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from wordstock._wording import counted
from wordstock.cli.train_progress import Steps
from wordstock.cli.train_request import Request
from wordstock.corpus import ReadReport, corpus_mark, read_blocks, read_texts
from wordstock.errors import InputError
from wordstock.formats import read_fasttext_classifier

if TYPE_CHECKING:
    from wordstock.vocab import IdSource, TokenShards
    from wordstock.vocab.batches import Sentences

__all__ = ["STDIN", "count_corpus"]

STDIN = "-"
_SHOWN = 5  # damages told one by one


def count_corpus(console: Console, request: Request, folder: Path) -> TokenShards:
    """The shards of the corpus, from an earlier run where it is unchanged.

    Raises
    ------
    FileNotFoundError, InputError, FormatError, StorageError
        As ``read_texts`` and ``build_shards``.
    """
    from wordstock.vocab import build_shards

    report, seen = ReadReport(), 0
    logger = logging.getLogger("wordstock.corpus.report")
    quiet = not logger.isEnabledFor(logging.INFO)
    with Steps(console, "reading") as steps:

        def read(done: int, total: int) -> None:
            share = done / total if total else None
            words = f", {seen:,} words" if seen else ""
            steps.at(share, f"{done / 1e6:,.1f} MB{words}", mark=len(report.damages) > 0)

        def counted(words: int) -> None:
            nonlocal seen
            seen = words

        logger.disabled = quiet  # up to 1,000 places would each be a line: the first few are told below
        try:
            texts = _texts(request, report, read)
            shards = build_shards(texts, folder, source=_source(request), progress=counted, **request.counting)
        except InputError:  # perhaps no word is left because of these
            _tell_what_is_missing(console, report)
            raise
        finally:
            logger.disabled = False
    _tell(console, report, shards)
    return shards


def _texts(request: Request, report: ReadReport, progress: Any) -> Sentences | IdSource:
    options = dict(request.reading)
    kind = options.pop("kind", None)
    if model := options.pop("language_model", None):
        options["language"] = read_fasttext_classifier(model).keeps(options["language"])
    if kind not in ("edges", "baskets"):
        return read_blocks(request.corpus, kind=kind, **options, report=report, progress=progress)
    lines = read_texts(request.corpus, kind="text", **options, report=report, progress=progress)
    if kind == "baskets":
        return (line.split() for line in lines)
    return _walks(request, lines)


def _walks(request: Request, lines: Iterable[str]) -> IdSource:
    from wordstock.vocab import GraphWalks

    last = ""

    def edges() -> Iterator[Any]:
        nonlocal last
        for last in lines:
            parts = last.split()
            if not parts[0].startswith("#"):
                yield tuple(parts)

    settings = {"length" if name == "walk_length" else name: value for name, value in request.walks.items()}
    try:
        return GraphWalks.from_edges(edges(), seed=request.config.seed, **settings)
    except InputError as error:
        if not str(error).startswith("edge "):
            raise
        raise InputError(f"{', '.join(request.corpus)}: {error}; in the line {last!r:.80}") from error


def _source(request: Request) -> str:
    """What tells this corpus from another: the files with sizes and times; "" for a pipe, which is read every time."""
    marks = corpus_mark(request.corpus)
    walks = (request.walks, request.config.seed) if request.reading.get("kind") == "edges" else None
    return "\n".join([marks, repr(request.reading), repr(walks)]) if marks else ""


def _tell(console: Console, report: ReadReport, shards: TokenShards) -> None:
    words = f"{counted(shards.n_tokens, 'token')}, {counted(len(shards.vocabulary), 'word')}"
    if not report.texts:
        console.print(f"{words}, counted by an earlier run", markup=False)
        return
    console.print(f"{words} from {counted(report.texts, 'text')} in {counted(report.files, 'file')}", markup=False)
    _tell_what_is_missing(console, report)


def _tell_what_is_missing(console: Console, report: ReadReport) -> None:
    if report.left_out:
        parts = (f"{count:,} {why}" for why, count in sorted(report.left_out.items()))
        console.print(f"left out: {', '.join(parts)}", markup=False)
    for damage in report.damages[:_SHOWN]:
        console.print(f"damaged: {damage.problem}", markup=False)
    if report.damaged:
        more = f", the first {_SHOWN} are named" if report.damaged > _SHOWN else ""
        places = counted(report.damaged, "damaged place")
        console.print(f"[yellow]warning:[/] left out: {places}{more}; --strict stops at the first")
