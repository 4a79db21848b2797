"""Pages of a MediaWiki XML export, from a piece of it that holds whole ``<page>`` elements.

The parser is expat, fed with one piece at a time. A document type declaration is refused, so that there are no entities
to expand and nothing outside the file is ever read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat

from wordstock.corpus.wikilinks import LinkNames

__all__ = ["Page", "Site", "parse_pages", "parse_site"]

_WANTED = frozenset({"title", "ns", "text", "model"})
_REDIRECTS = ("#redirect", "#weiterleitung", "#redirection", "#redirección", "#перенаправление", "#重定向", "#転送")


@dataclass
class Page:
    """One page, in its last revision."""

    title: str = ""
    namespace: int | None = None
    redirect: bool = False
    model: str = "wikitext"
    text: str = ""

    @property
    def is_redirect(self) -> bool:
        """Marked as redirect, or with a text that begins as one."""
        return self.redirect or self.text[:40].lstrip().lower().startswith(_REDIRECTS)


@dataclass
class Site:
    """What the head of a dump declares: the wiki's namespaces by number."""

    namespaces: dict[int, str] = field(default_factory=dict)

    @property
    def links(self) -> LinkNames:
        """The namespaces as link prefixes."""
        return LinkNames.from_namespaces(self.namespaces)

    def namespace_of(self, title: str) -> int:
        """The namespace of a title, for old exports that do not state it."""
        prefix, colon, _ = title.partition(":")
        if colon:
            for key, name in self.namespaces.items():
                if name == prefix:
                    return key
        return 0


def parse_pages(data: bytes) -> list[Page]:
    """The pages in ``data``, which holds whole page elements and white space.

    Raises
    ------
    ValueError
        It is not well-formed, or it declares a document type.
    """
    pages: list[Page] = []
    page = Page()
    content: list[str] = []
    parser = _parser()

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal page
        if name in _WANTED:
            content.clear()
            parser.CharacterDataHandler = content.append
        elif name == "page":
            page = Page()
        elif name == "redirect":
            page.redirect = True

    def end(name: str) -> None:
        if name in _WANTED:
            parser.CharacterDataHandler = None
            text = "".join(content)
            if name == "ns":
                page.namespace = int(text) if text.strip().lstrip("-").isdigit() else None
            else:
                setattr(page, name, text)
        elif name == "page":
            pages.append(page)

    _parse(parser, start, end, [b"<m>", data, b"</m>"])
    return pages


def parse_site(head: bytes) -> Site:
    """The namespaces in the first bytes of a dump, as far as ``</siteinfo>``; none if it has no such part.

    Raises
    ------
    ValueError
        It is not well-formed, or it declares a document type.
    """
    site = Site()
    key = ""
    content: list[str] = []
    parser = _parser()

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal key
        if name == "namespace":
            content.clear()
            key = attributes.get("key", "")
            parser.CharacterDataHandler = content.append

    def end(name: str) -> None:
        if name == "namespace":
            parser.CharacterDataHandler = None
            if key.lstrip("-").isdigit():
                site.namespaces[int(key)] = "".join(content)

    stop = head.find(b"</siteinfo>")
    stop = head.find(b"<page>") if stop < 0 else stop + len(b"</siteinfo>")
    _parse(parser, start, end, [head[:stop] if stop >= 0 else head], final=False)
    return site


def _parser() -> Any:
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.buffer_size = 1 << 18

    def refuse(*_: object) -> None:
        raise ValueError("a document type declaration, which no dump has and which is refused")

    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    return parser


def _parse(
    parser: Any,
    start: Callable[[str, dict[str, str]], None],
    end: Callable[[str], None],
    pieces: list[bytes],
    *,
    final: bool = True,
) -> None:
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    try:
        for piece in pieces:
            parser.Parse(piece, False)
        if final:
            parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise ValueError(str(error)) from error
