"""Readers that stream text out of plain files, tables, Wikipedia dumps and Common Crawl."""

from wordstock.corpus.dedup import DuplicateFilter
from wordstock.corpus.detect import Kind, detect_kind
from wordstock.corpus.folder import corpus_mark
from wordstock.corpus.reading import read_blocks, read_texts
from wordstock.corpus.report import Damage, ReadReport
from wordstock.corpus.wikitext import plain_text

__all__ = [
    "Damage",
    "DuplicateFilter",
    "Kind",
    "ReadReport",
    "corpus_mark",
    "detect_kind",
    "plain_text",
    "read_blocks",
    "read_texts",
]
