"""The word tokeniser for space-separated scripts, and the settings that a table's card records of it."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any, Literal

from wordstock.errors import InputError

__all__ = ["Tokenizer"]

# Contractions are split as the Penn Treebank does (do n't, he 's), which is how GloVe's corpora were tokenised.
_CONTRACTIONS = r"[nN]'[tT]\b|'(?:s|re|ve|ll|d|m|S|RE|VE|LL|D|M)\b|"
_WORDS = r"LETTER+(?:_LETTER+)*|[^\w\s]|_"
_PLAIN = r"(?:LETTER|_)+|[^\w\s]"


@dataclass(frozen=True)
class Tokenizer:
    """Splits text into words and single punctuation marks.

    Parameters
    ----------
    casing : "lower" folds to lower case first; "keep" leaves it.
    contractions : "english" splits ``don't`` into ``do n't`` and ``he's`` into ``he 's``; "none" splits at the mark.
    """

    casing: Literal["lower", "keep"] = "lower"
    contractions: Literal["english", "none"] = "english"

    def __post_init__(self) -> None:
        if self.casing not in ("lower", "keep"):
            raise InputError(f"casing={self.casing!r}: known are 'lower', 'keep'")
        if self.contractions not in ("english", "none"):
            raise InputError(f"contractions={self.contractions!r}: known are 'english', 'none'")

    def __call__(self, text: str) -> list[str]:
        """Tokens of ``text``, after Unicode NFC and casing."""
        if not text.isascii():
            text = unicodedata.normalize("NFC", text).replace("’", "'")
        if self.casing == "lower":
            text = text.lower()
        contractions = self.contractions == "english" and "'" in text
        if contractions:
            text = text.replace("n't", " n't").replace("N'T", " N'T")
        return _pattern(self.contractions, contractions, text.isascii()).findall(text)

    def to_dict(self) -> dict[str, Any]:
        """The settings as plain values, for a card."""
        return asdict(self)


@cache
def _pattern(style: str, contractions: bool, ascii_only: bool) -> re.Pattern[str]:
    """Compiled once per kind; beyond ASCII a word also holds combining marks, such as Indic vowel signs.

    The alternatives for contractions are left out where no apostrophe is: a token then costs a third less.
    """
    if ascii_only:
        letter = "[0-9A-Za-z]"
    else:
        marks = "".join(chr(c) for c in range(0x300, 0xFFFF) if unicodedata.category(chr(c)) in ("Mn", "Mc"))
        letter = rf"(?:[^\W_]|[{marks}])"
    source = _PLAIN if style == "none" else (_CONTRACTIONS if contractions else "") + _WORDS
    return re.compile(source.replace("LETTER", letter))
