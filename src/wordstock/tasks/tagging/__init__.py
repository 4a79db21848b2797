"""Sequence tagging: tag schemes, CoNLL files, scoring, and ``SequenceTagger``."""

from wordstock.tasks.tagging.conll import TaggedSentences, read_conll, write_conll
from wordstock.tasks.tagging.conllu import read_conllu, write_conllu
from wordstock.tasks.tagging.plan import Epoch
from wordstock.tasks.tagging.raw import TextSpan
from wordstock.tasks.tagging.schemes import (
    Scheme,
    TagSpan,
    convert_tags,
    detect_scheme,
    repair_tags,
    spans_of,
    tags_of,
)
from wordstock.tasks.tagging.scoring import SpanCounts, SpanScores, score_spans
from wordstock.tasks.tagging.tagger import SequenceTagger

__all__ = [
    "Epoch",
    "Scheme",
    "SequenceTagger",
    "SpanCounts",
    "SpanScores",
    "TagSpan",
    "TaggedSentences",
    "TextSpan",
    "convert_tags",
    "detect_scheme",
    "read_conll",
    "read_conllu",
    "repair_tags",
    "score_spans",
    "spans_of",
    "tags_of",
    "write_conll",
    "write_conllu",
]
