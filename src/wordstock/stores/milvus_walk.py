"""Every row of a collection once, in pages that a message holds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from wordstock.errors import StoreError
from wordstock.stores.connection import Connection
from wordstock.stores.expressions import quoted

__all__ = ["MESSAGE", "walk"]

MESSAGE = 8 << 20  # bytes that one request carries, about
_PAGE, _MOST_PAGE = 2000, 16_384  # rows that one page holds, and what Milvus gives at most
_SAMPLE = 200  # rows from which the size of a page is told


def walk(
    connection: Connection, collection: str, fields: list[str], *, asked: str, dim: int
) -> Iterator[dict[str, Any]]:
    """These fields of the rows that ``asked`` describes, by their ids.

    Where the server goes away in between, the walk goes on after the last row. ``dim`` is the length of a vector.
    """
    page, last, ended = _page(connection, collection, fields, dim), None, False
    while not ended:
        after = "" if last is None else f"id > {quoted(last)}"
        rest = " and ".join(filter(None, (f"({asked})" if asked else "", after)))
        ended = True
        try:
            for found in _pages(connection, collection, fields, rest, page):
                last = found[-1]["id"]
                yield from found
                if quoted(last) != f'"{last}"':  # pymilvus writes the id into its next filter as it is
                    ended = False
                    break
        except StoreError as error:
            if page <= _PAGE or "larger than max" not in str(error):
                raise
            page, ended = _PAGE, False  # rows further on are larger than those that the page was told from


def _pages(
    connection: Connection, collection: str, fields: list[str], asked: str, page: int
) -> Iterator[list[dict[str, Any]]]:
    def begin() -> Any:
        return connection.client.query_iterator(
            collection, batch_size=page, filter=asked, output_fields=fields, consistency_level="Strong"
        )

    rows = connection.patiently(begin, "to walk over its rows")
    try:
        while found := connection.patiently(rows.next, "the next page of rows"):
            yield found
    finally:
        with suppress(Exception):
            rows.close()


def _page(connection: Connection, collection: str, fields: list[str], dim: int) -> int:
    """Rows of one page: Milvus Lite sorts the whole collection for each, so there they are many."""
    most, vector = _PAGE, 4 * dim if "vector" in fields else 0
    size = max(vector, 1)
    if connection.backend.dialect == "lite3":
        few = connection.call("query", collection, filter="", output_fields=fields[:3], limit=_SAMPLE)
        told = sum(len(row["text"]) + len(str(row["metadata"])) + len(row["id"]) for row in few)
        most, size = _MOST_PAGE, 100 + vector + 2 * told // max(len(few), 1)
    return max(100, min(most, MESSAGE // size))
