"""``wordstock encode``: a file of texts to a file of vectors, in constant memory."""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Callable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, get_args

import numpy as np
import typer
from rich.console import Console

from wordstock._files import atomic_write
from wordstock._wording import counted
from wordstock.cli.nearest import DEFAULT_MODEL
from wordstock.cli.outputs import check_output
from wordstock.cli.train_progress import Steps
from wordstock.corpus import ReadReport, read_texts
from wordstock.corpus.detect import Kind
from wordstock.corpus.lines import UNDECODABLE
from wordstock.errors import InputError
from wordstock.protocols import Encoder, FloatArray

if TYPE_CHECKING:
    from wordstock.encoders.cache import CachedEncoder

__all__ = ["encode"]

_BLOCK = 4096  # texts held at once
_KINDS: dict[str, Kind] = {name: name for name in get_args(Kind)}
_SUFFIXES = (".npy", ".jsonl")
_ENCODER = "Contextual encoders"


def encode(
    texts: Annotated[
        str, typer.Argument(help="A file with one text per line, or JSONL, CSV, Parquet with a field; - for stdin.")
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Where to write: .npy, float32 (n, dim), or .jsonl with the texts.")
    ],
    model: Annotated[
        str, typer.Option("--model", "-m", help="A registered name, a path, or hf:org/name.")
    ] = DEFAULT_MODEL,
    field: Annotated[
        str | None, typer.Option(help="Field of JSON lines, column of CSV or Parquet. Default: text.")
    ] = None,
    kind: Annotated[
        str | None, typer.Option(help=f"Of the file, if it is not told right: {', '.join(_KINDS)}.")
    ] = None,
    encoding: Annotated[str, typer.Option(help="Of plain text; a byte order mark wins.")] = "utf-8",
    strict: Annotated[bool, typer.Option("--strict", help="Stop at the first damage in the file.")] = False,
    cache: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Keep vectors there, and take those that are there already.")
    ] = None,
    backend: Annotated[
        str | None, typer.Option(help="torch, onnx, openvino or auto.", rich_help_panel=_ENCODER)
    ] = None,
    precision: Annotated[str | None, typer.Option(help="float32, bfloat16 or int8.", rich_help_panel=_ENCODER)] = None,
    pooling: Annotated[
        str | None,
        typer.Option(
            help="mean, cls, max, mean_sqrt, weighted_mean, last; several: cls,mean.", rich_help_panel=_ENCODER
        ),
    ] = None,
    layers: Annotated[
        str | None, typer.Option(help="Such as -1, or -4,-3,-2,-1; 0 is the first.", rich_help_panel=_ENCODER)
    ] = None,
    combine: Annotated[
        str | None, typer.Option(help="Of several layers: mean or concat.", rich_help_panel=_ENCODER)
    ] = None,
    prompt: Annotated[
        str | None,
        typer.Option(help="Name of the model's prompt to put first, such as query.", rich_help_panel=_ENCODER),
    ] = None,
    long: Annotated[
        str | None, typer.Option(help="Texts that are too long: truncate or window.", rich_help_panel=_ENCODER)
    ] = None,
    truncate_dim: Annotated[
        int | None, typer.Option(help="Keep the first so many numbers of a vector.", rich_help_panel=_ENCODER)
    ] = None,
) -> None:
    """Write one vector per text."""
    _check_output(output, texts)
    if kind is not None and kind not in _KINDS:
        raise InputError(f"--kind {kind}: known are {', '.join(_KINDS)}")
    settings = {
        "backend": backend,
        "precision": precision,
        "pooling": None if pooling is None else tuple(pooling.split(",")),
        "layers": None if layers is None else _numbers(layers),
        "combine": combine,
        "prompt": prompt,
        "long": long,
        "truncate_dim": truncate_dim,
    }
    options: dict[str, Any] = {"field": field, "encoding": encoding, "strict": strict}
    reading = _Reading(texts, kind=None if kind is None else _KINDS[kind], **options)
    encoder = _open(model, {name: value for name, value in settings.items() if value is not None}, cache)
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    began = time.perf_counter()
    with Steps(console, "encoding") as steps, atomic_write(output) as stream:

        def told(done: int, rate: float) -> None:
            steps.at(reading.share(done), f"{counted(done, 'text')}, {rate:,.0f} texts/s")

        writer = _Rows(stream, encoder.dim) if output.suffix == ".npy" else _Lines(stream)
        for part, vectors in _vectors(encoder, reading, told):
            writer.write(part, vectors)
        writer.finish()
    _summary(console, output, encoder, reading.report, time.perf_counter() - began)


def _check_output(output: Path, texts: str) -> None:
    if output.suffix not in _SUFFIXES:
        raise InputError(f"--output {output}: vectors are written to a file in {' or '.join(_SUFFIXES)}")
    check_output(output, None if texts == "-" else texts)


def _numbers(given: str) -> tuple[int, ...]:
    try:
        return tuple(int(one) for one in given.split(","))
    except ValueError:
        raise InputError(f"--layers {given}: needs whole numbers, with commas between them, such as -2,-1") from None


def _open(model: str, settings: dict[str, Any], cache: Path | None) -> Encoder:
    from wordstock.hub import load

    encoder: Encoder = load(model, **settings)
    if cache is None:
        return encoder
    from wordstock.encoders.cache import CachedEncoder

    return CachedEncoder(encoder, cache)


class _Reading:
    """The texts of a file, how many of them were taken, and how much of the file they are.

    A line of plain text is one text, an empty one too, so that row i of the result is line i.

    Raises
    ------
    FileNotFoundError, FormatError
        As ``read_texts``.
    InputError
        No text in it.
    """

    def __init__(self, texts: str, **options: Any) -> None:
        self.report = ReadReport()
        self._bytes = (0, 0)
        found = read_texts(texts, unit="document", blank=True, report=self.report, progress=self._read, **options)
        first = next(found, None)
        if first is None:
            left_out = _left_out(self.report)
            raise InputError(f"{texts}: no text to encode" + (f" (left out: {left_out})" if left_out else ""))
        self._texts: Iterator[str] = chain([first], found)

    def _read(self, done: int, total: int) -> None:
        self._bytes = done, total

    def __iter__(self) -> Iterator[str]:
        return self._texts

    def share(self, encoded: int) -> float | None:
        """Of the bytes, those of the texts that are encoded; about, since a block is read before. None for a pipe."""
        done, total = self._bytes
        return done / total * encoded / self.report.texts if total else None


def _vectors(
    encoder: Encoder, texts: _Reading, told: Callable[[int, float], None]
) -> Iterator[tuple[list[str], FloatArray]]:
    """Blocks of texts with their vectors.

    A contextual encoder takes a stream, and then counts itself over all blocks what it warns of.
    """
    if hasattr(encoder, "encode_stream"):
        held: list[str] = []

        def passed() -> Iterator[str]:
            for text in texts:
                held.append(text)
                yield text

        for vectors in encoder.encode_stream(passed(), block=_BLOCK, progress=lambda now: told(now.done, now.rate)):
            yield held[: len(vectors)], vectors
            del held[: len(vectors)]
        return
    done, zero, began = 0, _Zeros(), time.perf_counter()
    while part := list(islice(texts, _BLOCK)):
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".* hold no word of the vocabulary")  # counted over all blocks
            vectors = encoder.encode(part)
        zero.add(vectors, done)
        done += len(part)
        told(done, done / (time.perf_counter() - began))
        yield part, vectors
    zero.warn(done)


class _Zeros:
    """Counts texts without a known word."""

    def __init__(self) -> None:
        self._count, self._first = 0, 0

    def add(self, vectors: FloatArray, before: int) -> None:
        found = np.flatnonzero(~vectors.any(axis=1))
        if len(found) and not self._count:
            self._first = before + int(found[0]) + 1
        self._count += len(found)

    def warn(self, total: int) -> None:
        if self._count:
            warnings.warn(
                f"{self._count:,} of {total:,} texts hold no word of the vocabulary and became zero vectors "
                f"(the first is number {self._first:,})",
                stacklevel=2,
            )


class _Rows:
    """A .npy file of float32 (n, dim), n being known only at the end."""

    def __init__(self, stream: BinaryIO, dim: int) -> None:
        self._stream, self._dim, self._count = stream, dim, 0
        self._header()

    def _header(self) -> None:
        # NumPy leaves room in a header for the first axis to grow: it is as long with any number of rows.
        shape = {"shape": (self._count, self._dim), "fortran_order": False, "descr": "<f4"}
        np.lib.format.write_array_header_1_0(self._stream, shape)

    def write(self, texts: list[str], vectors: FloatArray) -> None:
        self._stream.write(np.ascontiguousarray(vectors, "<f4").data)
        self._count += len(texts)

    def finish(self) -> None:
        self._stream.seek(0)
        self._header()


class _Lines:
    """JSON lines with "text" and "vector", the numbers with the nine digits that give float32 back exactly."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def write(self, texts: list[str], vectors: FloatArray) -> None:
        row = ", ".join(["%.9g"] * vectors.shape[1])
        for text, vector in zip(texts, vectors.tolist(), strict=True):
            self._stream.write(f'{{"text": {_quoted(text)}, "vector": [{row % tuple(vector)}]}}\n'.encode())

    def finish(self) -> None:
        pass


def _quoted(text: str) -> str:
    surrogates = any("\ud800" <= character <= "\udfff" for character in text) if not text.isascii() else False
    return json.dumps(text, ensure_ascii=surrogates)


def _left_out(report: ReadReport) -> str:
    return ", ".join(f"{count:,} {why}" for why, count in sorted(report.left_out.items()) if why != UNDECODABLE)


def _summary(console: Console, output: Path, encoder: Encoder, report: ReadReport, seconds: float) -> None:
    inner: Any = getattr(encoder, "encoder", encoder)
    parts = [
        counted(report.texts, "text"),
        f"dim {encoder.dim}",
        f"{report.texts / seconds:,.0f} texts/s",
        f"{seconds:.1f} s",
    ]
    if hasattr(inner, "backend"):
        parts.append(f"{inner.backend.name} {inner.backend.precision}")
    if inner is not encoder:
        cached: CachedEncoder = encoder  # type: ignore[assignment]  # the only encoder around another here
        parts.append(f"{cached.hits:,} from the cache")
    console.print(f"wrote {output}: {', '.join(parts)}", markup=False)
    if left_out := _left_out(report):
        console.print(f"left out: {left_out}; the vectors are those of the other texts, in order", markup=False)
    if undecodable := report.left_out[UNDECODABLE]:
        console.print(
            f"[yellow]warning:[/] lines that could not be decoded, {undecodable:,} in number, were encoded with U+FFFD "
            "in place of the damaged bytes; --strict stops at the first"
        )
    if damaged := report.damaged - bool(undecodable):  # only the first such line of the file counts there
        console.print(f"[yellow]warning:[/] left out: {counted(damaged, 'damaged place')}; --strict stops at the first")
