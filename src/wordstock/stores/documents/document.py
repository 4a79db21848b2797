"""What a file of documents gives, and the passages that an index takes of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from wordstock.stores.documents.chunking import ChunkSettings, TokenCounter, chunk_text

__all__ = ["OWN_FIELDS", "Document", "Passage", "Section", "passages"]

OWN_FIELDS = ("source", "start", "stop", "version")
"""Fields of a passage's metadata that the index itself writes."""


class Section(NamedTuple):
    """A part of a document that no passage crosses: characters ``start`` to ``stop``, such as a page."""

    start: int
    stop: int
    metadata: Mapping[str, Any] = {}


@dataclass(frozen=True)
class Document:
    """One text and what is known of it.

    Parameters
    ----------
    source : the file it came from, as passages name it.
    text : the whole of it.
    key : its id within the source, for a row of a table; "" where the file is the document.
    own_id : ``key`` is an id of the user's, which passages then carry as theirs.
    line : of the source, or number of the row in it; 0 where the file is the document.
    metadata : of every passage.
    sections : parts that no passage crosses, in order; none stands for one of all the text.
    """

    source: str
    text: str
    key: str = ""
    own_id: bool = False
    line: int = 0
    metadata: Mapping[str, Any] = field(default_factory=dict)
    sections: tuple[Section, ...] = ()


class Passage(NamedTuple):
    """A chunk of a document: what a store keeps as one row.

    ``metadata`` has the document's and section's, ``source``, and ``start`` and ``stop``: characters of the text.
    """

    id: str
    text: str
    metadata: dict[str, Any]


def passages(
    document: Document, settings: ChunkSettings | None = None, *, count: TokenCounter | None = None
) -> Iterator[Passage]:
    """The passages of a document in order.

    Their ids are ``source#0``, ``source#1``, ...; of a row ``source#key``, then ``source#key.1``, ...; of a row with an
    id of its own that id, then ``id#1``, ...
    """
    sections = document.sections or (Section(0, len(document.text)),)
    number = 0
    for section in sections:
        for start, stop in chunk_text(document.text, settings, spans=[(section.start, section.stop)], count=count):
            where = {"source": document.source, "start": start, "stop": stop}
            yield Passage(
                _id(document, number), document.text[start:stop], {**document.metadata, **section.metadata, **where}
            )
            number += 1


def _id(document: Document, number: int) -> str:
    if document.own_id:
        return f"{document.key}#{number}" if number else document.key
    if document.key:
        return f"{document.source}#{document.key}" + (f".{number}" if number else "")
    return f"{document.source}#{number}"
