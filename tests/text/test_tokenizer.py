"""One tokeniser for training and encoding."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wordstock.errors import InputError
from wordstock.text import Tokenizer


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" \n\t ", []),
        ("I don't think he's well-known.", ["i", "do", "n't", "think", "he", "'s", "well", "-", "known", "."]),
        ("It’s O'Brien’s", ["it", "'s", "o", "'", "brien", "'s"]),
        ("new_york 3.5%", ["new_york", "3", ".", "5", "%"]),
        ("नमस्ते दुनिया", ["नमस्ते", "दुनिया"]),
        ("Cafe\u0301 ŽIŽEK", ["café", "žižek"]),
        ("a\x00b", ["a", "\x00", "b"]),
    ],
)
def test_tokens(text, expected):
    assert Tokenizer()(text) == expected


def test_casing_and_contractions_can_be_kept():
    assert Tokenizer(casing="keep", contractions="none")("Don't STOP") == ["Don", "'", "t", "STOP"]


@given(st.text())
def test_nothing_but_space_is_lost(text):
    tokens = Tokenizer(casing="keep")(text)
    assert all(tokens)
    assert not any(token.isspace() for token in tokens)
    if text.isascii():
        assert "".join(tokens) == "".join(text.split())


@given(st.text(st.characters(max_codepoint=127)))
def test_ascii_text_gives_the_same_tokens_beside_other_scripts(text):
    assert Tokenizer()(text + " é") == [*Tokenizer()(text), "é"]


def test_unknown_settings_are_refused():
    with pytest.raises(InputError, match="known are 'lower', 'keep'"):
        Tokenizer(casing="upper")
    with pytest.raises(InputError, match="known are 'english', 'none'"):
        Tokenizer(contractions="german")
