"""Web pages and PDF files, by libraries that know them (extra "documents")."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from typing import Any

from wordstock._optional import require
from wordstock.corpus.source import Source
from wordstock.errors import FormatError
from wordstock.stores.documents.document import Document, Section

__all__ = ["read_html", "read_pdf"]

_PAGE_BREAK = "\n\n"


def read_html(source: Source, name: str) -> Iterator[Document]:
    """The main text of a page, without navigation; its title is metadata. Offsets are into that text.

    Raises
    ------
    MissingExtraError
        Resiliparse is not installed.
    """
    purpose = "reading HTML"
    html = require("resiliparse.parse.html", extra="documents", purpose=purpose)
    encoding = require("resiliparse.parse.encoding", extra="documents", purpose=purpose)
    extract = require("resiliparse.extract.html2text", extra="documents", purpose=purpose)
    data = b"".join(source.pieces())
    try:
        page = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        named = encoding.detect_encoding(data, from_html_meta=True) or "cp1252"
        page = encoding.bytes_to_str(data, named, errors="replace")
    tree = html.HTMLTree.parse(page)
    text = extract.extract_plain_text(
        tree, main_content=True, preserve_formatting=True, list_bullets=False, alt_texts=False
    )
    title = " ".join((tree.title or "").split())
    yield Document(name, text, metadata={"title": title} if title else {})


def read_pdf(source: Source, name: str) -> Iterator[Document]:
    """The text of a PDF, a section per page; ``page`` counts from 1. Offsets are into the text of all pages.

    A page that cannot be read is reported; pages of pictures alone have no text.

    Raises
    ------
    FormatError
        Not a PDF, a damaged one, or one that needs a password.
    MissingExtraError
        pypdf is not installed.
    """
    pypdf = require("pypdf", extra="documents", purpose="reading PDF")
    errors = (pypdf.errors.PyPdfError, ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError)
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # what matters of it is reported here, with the file's name
    try:
        reader = pypdf.PdfReader(io.BytesIO(b"".join(source.pieces())))
        if reader.is_encrypted and not reader.decrypt(""):
            raise FormatError(
                source.path,
                expected="a PDF that opens without a password",
                found="an encrypted one",
                remedy="decrypt it: qpdf --decrypt",
            )
        count = len(reader.pages)
        title = " ".join(str((reader.metadata or {}).get("/Title") or "").split())
    except errors as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError(
            source.path, expected="a PDF", found=f"damage ({error})", remedy="fetch or export it again"
        ) from error
    parts: list[str] = []
    sections: list[Section] = []
    at = 0
    for number in range(count):
        text = _page(reader, number, errors, source)
        if text.strip():
            sections.append(Section(at, at + len(text), {"page": number + 1}))
            parts += [text, _PAGE_BREAK]
            at += len(text) + len(_PAGE_BREAK)
        else:
            source.report.left_out["page without text"] += 1
    yield Document(name, "".join(parts), metadata={"title": title} if title else {}, sections=tuple(sections))


def _page(reader: Any, number: int, errors: tuple[type[Exception], ...], source: Source) -> str:
    try:
        text: str = reader.pages[number].extract_text()
    except errors as error:
        source.report.damage(FormatError(source.path, expected=f"text on page {number + 1}", found=f"damage ({error})"))
        return ""
    return text.encode("utf-8", "replace").decode()  # fonts without a map can give lone surrogates
