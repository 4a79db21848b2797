"""One column of a Parquet or CSV file, read in batches."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from wordstock._compression import compression_of_name
from wordstock._files import storage_errors
from wordstock.corpus.source import Source
from wordstock.errors import FormatError

__all__ = ["read_csv", "read_parquet"]

_ROWS = 4096  # rows of a batch


def read_parquet(source: Source, *, field: str = "text") -> Iterator[str]:
    """The texts in the column ``field``; null and "" are counted as "empty".

    Raises
    ------
    FormatError
        No such column, with the columns there are; a damaged file where the reading is strict.
    """
    with _file(source) as path:
        import polars as pl

        yield from _rows(source, field, lambda: pl.scan_parquet(path))


def read_csv(source: Source, *, field: str = "text") -> Iterator[str]:
    """The texts in the column ``field`` of a file with a header line; tabs separate in ``.tsv`` files.

    Compressed files and standard input are written to a temporary file first.

    Raises
    ------
    FormatError
        No such column, with the columns there are; a row that cannot be parsed where the reading is strict.
    """
    bare, _ = compression_of_name(source.path)
    header = source.head.partition(b"\n")[0]
    separator = "\t" if bare.suffix.lower() == ".tsv" or (b"\t" in header and b"," not in header) else ","
    with _file(source) as path:
        import polars as pl

        yield from _rows(
            source,
            field,
            lambda: pl.scan_csv(path, separator=separator, infer_schema=False, encoding="utf8-lossy"),
        )


def _rows(source: Source, field: str, scan: Any) -> Iterator[str]:
    import polars as pl

    report = source.report
    rows = 0
    try:
        frame = scan()
        columns = frame.collect_schema()
        if field not in columns:
            names = ", ".join(map(repr, list(columns)[:20]))
            remedy = "name the column: field="
            raise FormatError(source.path, expected=f"a column {field!r}", found=f"the columns {names}", remedy=remedy)
        if columns[field] not in (pl.String, pl.Categorical, pl.Null):
            raise FormatError(source.path, expected=f"texts in {field!r}", found=f"values of type {columns[field]}")
        total = int(frame.select(pl.len()).collect().item()) if source.path.suffix == ".parquet" else 0
        for batch in frame.select(pl.col(field).cast(pl.String)).collect_batches(chunk_size=_ROWS):
            texts = [text for text in batch[field].to_list() if text]
            rows += batch.height
            report.documents += len(texts)
            report.left_out.update({"empty": batch.height - len(texts)} if len(texts) < batch.height else {})
            yield from texts
            if total:
                source.tell(source.size * rows // total)
    except pl.exceptions.NoDataError:
        return
    except (pl.exceptions.PolarsError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        found = f"damage after {rows:,} rows ({str(error).splitlines()[0][:200]})"
        report.damage(FormatError(source.path, expected="a whole table", found=found))


@contextmanager
def _file(source: Source) -> Iterator[Path]:
    """The file itself, or an uncompressed copy that lives as long as it is read."""
    if source.seekable and source.compression is None:
        yield source.path
        return
    with tempfile.TemporaryDirectory(prefix="wordstock-") as folder:
        copy = Path(folder) / "table"
        with storage_errors(copy), copy.open("wb") as stream:
            for piece in source.pieces():
                stream.write(piece)
        yield copy
