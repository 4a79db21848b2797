"""Words in scripts without spaces: optional segmenters, and splitters that a user brings along.

A segmenter gets a run of characters of the scripts it knows and gives its words. The libraries are imported on first
use; ``pip install 'wordstock[segment]'`` brings them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from functools import cache

from wordstock._optional import require
from wordstock.errors import InputError

__all__ = ["SEGMENTERS", "register_splitter", "segmenter", "splitter"]

Splitter = Callable[[str], Iterable[str]]

# The scripts that each library's words are taken for; others are split into characters.
SEGMENTERS: dict[str, tuple[str, ...]] = {
    "jieba": ("han",),
    "fugashi": ("han", "kana"),
    "pythainlp": ("thai",),
}

_splitters: dict[str, Splitter] = {}


def register_splitter(name: str, function: Splitter) -> None:
    """Make ``Tokenizer(split=name)`` call ``function`` on normalised text.

    A card records the name only: before a table that was trained with a splitter of yours encodes text, the same
    name must be registered again.

    Parameters
    ----------
    name : recorded in cards; anything but "words".
    function : str -> iterable of str; empty tokens are dropped.

    Raises
    ------
    InputError
        An empty or reserved name, or a function that cannot be called.
    """
    if not name or name == "words":
        raise InputError(f"splitter name {name!r}: give another name; 'words' is the built-in one")
    if not callable(function):
        raise InputError(f"splitter {name!r} must be callable, not {type(function).__name__}")
    _splitters[name] = function


def splitter(name: str) -> Splitter:
    """The function registered under ``name``.

    Raises
    ------
    InputError
        No such name.
    """
    if name not in _splitters:
        known = ", ".join(repr(each) for each in ["words", *sorted(_splitters)])
        raise InputError(
            f"split={name!r}: known are {known}; register yours first: "
            f"wordstock.text.register_splitter({name!r}, function)"
        )
    return _splitters[name]


@cache
def segmenter(name: str) -> Splitter:
    """The function of a library in ``SEGMENTERS`` that turns a run of characters into words.

    Raises
    ------
    MissingExtraError
        The library is not installed.
    """
    purpose = f"segmenting text with unspaced={name!r}"
    if name == "jieba":
        jieba = require("jieba", extra="segment", purpose=purpose)
        logging.getLogger("jieba").setLevel(logging.WARNING)  # it would tell on stderr how long its dictionary took
        cut: Splitter = jieba.cut
        return cut
    if name == "fugashi":
        tagger = require("fugashi", extra="segment", purpose=purpose).Tagger("-Owakati")
        return lambda run: str(tagger.parse(run)).split()
    tokenize = require("pythainlp.tokenize", extra="segment", purpose=purpose).word_tokenize
    return lambda run: tokenize(run, engine="newmm", keep_whitespace=False)
