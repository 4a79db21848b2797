"""Sentence splitting by punctuation."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wordstock.errors import InputError
from wordstock.text import sentence_spans, split_sentences, stream_sentences


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("  \n ", []),
        ("no stop", ["no stop"]),
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ('He said "No!" Then he left... So?', ['He said "No!"', "Then he left...", "So?"]),
        ("It costs 3.50 at example.com today.", ["It costs 3.50 at example.com today."]),
        ("J. R. R. Tolkien (b. 1892) wrote, e.g. hobbits.", ["J. R. R. Tolkien (b. 1892) wrote, e.g. hobbits."]),
        ("1. First point. 2. Second", ["1. First point.", "2. Second"]),
        ("approx. ten. Next", ["approx. ten.", "Next"]),
        ("你好。再见！“走吧？”他说。", ["你好。", "再见！", "“走吧？”", "他说。"]),
        ("यह एक है। वह दो है।", ["यह एक है।", "वह दो है।"]),
        ("هل هذا؟ نعم۔", ["هل هذا؟", "نعم۔"]),
        ("A heading\n\nThe text\nruns on", ["A heading", "The text\nruns on"]),
        ("¿Qué? ¡Sí! Élan.", ["¿Qué?", "¡Sí!", "Élan."]),
    ],
)
def test_sentences(text, expected):
    assert split_sentences(text) == expected


@given(st.text(st.sampled_from("aA1 .!?\"')。।\n…é")))
def test_nothing_but_space_is_lost(text):
    pieces = split_sentences(text)
    assert "".join("".join(pieces).split()) == "".join(text.split())
    assert all(piece and piece == piece.strip() for piece in pieces)
    assert pieces == [text[start:stop] for start, stop in sentence_spans(text)]


def test_streams():
    assert list(stream_sentences(["A be. C do.", "", "E"])) == ["A be.", "C do.", "E"]
    with pytest.raises(InputError, match="must be a str, not int"):
        list(stream_sentences([3]))


def test_long_texts_take_linear_time():
    assert len(split_sentences("A. " * 100_000)) == 1
    assert len(split_sentences("Word one. " * 100_000)) == 100_000
    assert len(split_sentences(" " * 100_000 + "\n" * 100_000 + "." * 100_000)) == 1
