"""From the files a source delivered to what the cache keeps: a table's native file, the files of other models."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from wordstock.embeddings import Embeddings, EncodeConfig, read_native
from wordstock.errors import DownloadError, FormatError, InputError
from wordstock.hub.cache import TABLE
from wordstock.hub.entry import Entry, Kind, WheelSource
from wordstock.hub.kinds import is_encoder, is_static_model, looks_native
from wordstock.hub.progress import Report
from wordstock.hub.sources import Receipt

__all__ = ["build"]


def build(entry: Entry, receipt: Receipt, raw: Path, built: Path, report: Report) -> Kind:
    """Fill ``built`` from the delivered files and say what they are.

    Raises
    ------
    DownloadError
        What was delivered is not what the registry says.
    """
    kind = entry.kind or ("encoder" if is_encoder(raw) else "static" if is_static_model(raw) else "table")
    if kind == "encoder":
        raw.rename(built)
        return kind
    try:
        table = _read(entry, raw, report)
        _check(entry, table)
    except (FormatError, InputError, ValueError) as error:
        raise DownloadError(f"what {entry.source} delivered for {entry.name} cannot be used: {error}") from error
    if kind == "static":
        raw.rename(built)
        return kind
    built.mkdir()
    _with_settings(entry, receipt, table).save(built / TABLE)
    return kind


def _read(entry: Entry, raw: Path, report: Report) -> Embeddings:
    from wordstock import formats

    files = sorted(path for path in raw.rglob("*") if path.is_file())
    if isinstance(entry.source, WheelSource) and entry.source.key_column:
        return _read_arrays(raw, entry.source.key_column)
    native = [path for path in files if path.suffix == ".safetensors" and looks_native(path)]
    if len(native) == 1:
        return read_native(native[0])
    if is_static_model(raw):
        return formats.read_model2vec(raw)
    if len(files) != 1:
        shown = ", ".join(str(path.relative_to(raw)) for path in files[:8])
        raise InputError(f"expected one file of vectors, found {len(files)}: {shown}")
    return formats.read(files[0], progress=report)


def _read_arrays(raw: Path, column: str) -> Embeddings:
    import polars
    from polars.exceptions import PolarsError

    matrix_path, keys_path = (next(raw.glob(pattern), None) for pattern in ("*.npy", "*.parquet"))
    if matrix_path is None or keys_path is None:
        raise InputError("expected a .npy matrix and a .parquet list of keys")
    mapped = np.load(matrix_path, allow_pickle=False, mmap_mode="r")
    vectors = np.ascontiguousarray(mapped, np.float32)
    vectors.flags.writeable = False  # spares a copy
    try:
        keys = polars.read_parquet(keys_path, columns=[column])[column].to_list()
    except PolarsError as error:
        raise FormatError(keys_path, expected=f"Parquet with a column {column!r}", found=str(error)) from error
    return Embeddings.from_arrays(keys, vectors)


def _check(entry: Entry, table: Embeddings) -> None:
    if entry.dim is not None and table.dim != entry.dim:
        raise InputError(f"expected {entry.dim} dimensions, found {table.dim}")
    if entry.verified and entry.vocabulary is not None and len(table) != entry.vocabulary:
        raise InputError(f"expected {entry.vocabulary:,} keys, found {len(table):,}")


def _with_settings(entry: Entry, receipt: Receipt, table: Embeddings) -> Embeddings:
    card, found = entry.card, table.card
    card = replace(
        card,
        licence=card.licence or found.licence or receipt.detail.get("licence", ""),
        language=card.language or found.language or receipt.detail.get("language", ""),
        casing=card.casing or found.casing,
        tokenizer=found.tokenizer,
        training=card.training or found.training,
        citation=card.citation or found.citation,
        notes=(*card.notes, *found.notes),
    )
    config: EncodeConfig = table.config
    if entry.casing is not None:
        config = replace(config, tokenizer=replace(config.tokenizer, casing=entry.casing))
    return table.with_card(card).with_config(config)
