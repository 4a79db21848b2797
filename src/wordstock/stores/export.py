"""Rows as JSON lines or Parquet, for other tools."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from wordstock._files import atomic_write
from wordstock._optional import require
from wordstock._paths import user_path
from wordstock.errors import InputError
from wordstock.protocols import Row

__all__ = ["check_ending", "write_rows"]

_GROUP = 4096  # rows of a Parquet row group


def check_ending(path: Path) -> None:
    """Refuse a file of another format.

    Raises
    ------
    InputError
        The path ends neither in .jsonl nor in .parquet.
    """
    if path.suffix not in (".jsonl", ".parquet"):
        raise InputError(f"{path}: rows are written to a file in .jsonl or .parquet")


def write_rows(rows: Iterable[Row], path: Path | str, *, dim: int | None = None) -> int:
    """Write ``id``, ``text``, ``metadata`` and, where ``dim`` is given, ``vector``; returns the number of rows.

    In JSON lines metadata is an object; in Parquet its JSON as a text.

    Raises
    ------
    InputError
        The path ends neither in .jsonl nor in .parquet.
    StorageError
        The file cannot be written.
    """
    path = user_path(path)
    check_ending(path)
    write = _write_lines if path.suffix == ".jsonl" else _write_parquet
    with atomic_write(path) as stream:
        return write(iter(rows), stream, dim)


def _write_lines(rows: Iterator[Row], stream: BinaryIO, dim: int | None) -> int:
    count = 0
    for row in rows:
        values: dict[str, Any] = {"id": row.id, "text": row.text, "metadata": dict(row.metadata)}
        if dim is not None and row.vector is not None:
            values["vector"] = [float(f"{number:.9g}") for number in row.vector]
        stream.write(json.dumps(values, ensure_ascii=False).encode() + b"\n")
        count += 1
    return count


def _write_parquet(rows: Iterator[Row], stream: BinaryIO, dim: int | None) -> int:
    arrow: Any = require("pyarrow", extra="stores", purpose="writing Parquet")
    parquet: Any = require("pyarrow.parquet", extra="stores", purpose="writing Parquet")
    fields = [("id", arrow.string()), ("text", arrow.string()), ("metadata", arrow.string())]
    if dim is not None:
        fields.append(("vector", arrow.list_(arrow.float32(), dim)))
    schema = arrow.schema(fields)
    count = 0
    with parquet.ParquetWriter(stream, schema) as writer:
        while part := list(islice(rows, _GROUP)):
            columns: dict[str, Any] = {
                "id": [row.id for row in part],
                "text": [row.text for row in part],
                "metadata": [json.dumps(dict(row.metadata), ensure_ascii=False) for row in part],
            }
            if dim is not None:
                columns["vector"] = [row.vector for row in part]
            writer.write_table(arrow.table(columns, schema=schema))
            count += len(part)
    return count
