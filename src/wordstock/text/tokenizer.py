"""The tokeniser of training and encoding, and the settings that a table's card records of it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any, Literal

from wordstock.errors import InputError
from wordstock.text.scripts import ENTITY, entities, has_unspaced, marks, script_ranges
from wordstock.text.segment import SEGMENTERS, register_splitter, segmenter, splitter

__all__ = ["Tokenizer"]

# Contractions are split as the Penn Treebank does (do n't, he 's), which is how GloVe's corpora were tokenised.
_CONTRACTIONS = r"[nN]'[tT]\b|'(?:s|re|ve|ll|d|m|S|RE|VE|LL|D|M)\b|"
_WORDS = r"LETTER+(?:_LETTER+)*|[^\w\s]|_"
_PLAIN = r"(?:LETTER|_)+|[^\w\s]"
_DIGIT = re.compile(r"\d")
_UNSPACED = ("characters", "keep", *SEGMENTERS)
_KNOWN: dict[str, tuple[str, ...]] = {
    "casing": ("lower", "keep"),
    "contractions": ("english", "none"),
    "digits": ("keep", "zero"),
    "unspaced": _UNSPACED,
}
# What a card that does not name the setting was made with: cards older than the setting lack it.
_OLD = {"digits": "keep", "unspaced": "keep", "split": "words"}


@dataclass(frozen=True)
class Tokenizer:
    """Splits text into words and single punctuation marks.

    What begins with ``ENTITY/``, where no word goes on, is one token up to the next white space, its casing and digits
    left alone: so ``corpus.read_texts(entities=True)`` marks the pages that links lead to.

    Parameters
    ----------
    casing : "lower" folds to lower case first; "keep" leaves it.
    contractions : "english" splits ``don't`` into ``do n't`` and ``he's`` into ``he 's``; "none" splits at the mark.
    digits : "zero" writes every decimal digit of any script as 0, so that ``1984`` and ``2026`` are one word; "keep"
        leaves them.
    unspaced : what becomes of Chinese, Japanese, Thai, Lao, Khmer and Burmese, which are written without spaces.
        "characters" makes a token of each character with its combining marks; "keep" takes a run between other
        characters as one word, which is right for text that was segmented before; "jieba" (Chinese), "fugashi"
        (Japanese) and "pythainlp" (Thai) find words, and characters of the other scripts stay single; they need the
        extra "segment".
    split : "words", or the name of a splitter of yours: see ``Tokenizer.custom``. It then replaces everything but
        Unicode NFC, ``casing`` and ``digits``.

    Raises
    ------
    InputError
        A setting that is not known.
    """

    casing: Literal["lower", "keep"] = "lower"
    contractions: Literal["english", "none"] = "english"
    digits: Literal["keep", "zero"] = "keep"
    unspaced: Literal["characters", "keep", "jieba", "fugashi", "pythainlp"] = "characters"
    split: str = "words"

    def __post_init__(self) -> None:
        for name, known in _KNOWN.items():
            if getattr(self, name) not in known:
                raise InputError(f"{name}={getattr(self, name)!r}: known are {', '.join(map(repr, known))}")
        if not isinstance(self.split, str) or not self.split:
            raise InputError(f"split={self.split!r}: needs 'words' or the name of a registered splitter")

    @classmethod
    def custom(cls, function: Callable[[str], Iterable[str]], name: str, **settings: Any) -> Tokenizer:
        """A tokeniser that calls ``function`` on normalised text; cards record ``name``.

        Raises
        ------
        InputError
            A reserved name, something that cannot be called, or an unknown setting.
        """
        register_splitter(name, function)
        return cls(split=name, **settings)

    def __call__(self, text: str) -> list[str]:
        """Tokens of ``text``, after Unicode NFC, casing and digits.

        Raises
        ------
        InputError
            Something that is not a str, or a splitter that is not registered or gives something else than str.
        MissingExtraError
            A segmenter that is not installed, where the text needs it.
        """
        given: object = text
        if not isinstance(given, str):
            raise InputError(f"a text must be a str, not {type(given).__name__}: {given!r:.80}")
        text = self.normalize(text)
        if self.split != "words":
            return self._split(text)
        if ENTITY not in text:
            return self._words(text)
        pieces = enumerate(entities().split(text))
        return [token for i, piece in pieces for token in ([piece] if i % 2 else self._words(piece))]

    def _split(self, text: str) -> list[str]:
        found: object = splitter(self.split)(text)
        tokens: list[Any] = list(found) if isinstance(found, Iterable) else [found]
        for token in tokens:
            if not isinstance(token, str):
                raise InputError(
                    f"the splitter {self.split!r} must give words as str, not {type(token).__name__}: {token!r:.80}"
                )
        return [token for token in tokens if token]

    def _words(self, text: str) -> list[str]:
        contractions = self.contractions == "english" and "'" in text
        if contractions:
            text = text.replace("n't", " n't").replace("N'T", " N'T")
        ascii_only = text.isascii()
        unspaced = "characters" if ascii_only else self.unspaced
        tokens = _pattern(self.contractions, contractions, ascii_only, unspaced).findall(text)
        if unspaced in SEGMENTERS and has_unspaced(text):
            return _segmented(tokens, unspaced)
        return tokens

    def normalize(self, text: str) -> str:
        """``text`` in Unicode NFC with straight apostrophes, cased and with digits as the settings say."""
        if not text.isascii():
            text = unicodedata.normalize("NFC", text).replace("’", "'")
        if ENTITY not in text:
            return self._folded(text)
        return "".join(piece if i % 2 else self._folded(piece) for i, piece in enumerate(entities().split(text)))

    def _folded(self, text: str) -> str:
        if self.casing == "lower":
            text = text.lower()
        return text if self.digits == "keep" else _DIGIT.sub("0", text)

    def to_dict(self) -> dict[str, Any]:
        """The settings as plain values, for a card.

        Settings that a card of an older version lacks are left out where they say what that version did, so that
        dictionaries and fingerprints of older tables stay as they are.
        """
        return {name: value for name, value in asdict(self).items() if _OLD.get(name) != value}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Tokenizer:
        """Read back what ``to_dict`` gave, in this version or an older one.

        Raises
        ------
        InputError
            A setting, or a value of one, that this version does not know.
        """
        merged = {**_OLD, **values}
        if unknown := merged.keys() - cls.__dataclass_fields__.keys():
            raise InputError(f"tokenizer settings {', '.join(sorted(unknown))} are not known; upgrade wordstock")
        return cls(**merged)


@cache
def _pattern(style: str, contractions: bool, ascii_only: bool, unspaced: str) -> re.Pattern[str]:
    """Compiled once per kind; beyond ASCII a word also holds combining marks, such as Indic vowel signs.

    The alternatives for contractions are left out where no apostrophe is: a token then costs a third less.
    """
    apart = ""
    if ascii_only:
        letter = "[0-9A-Za-z]"
    elif unspaced == "keep":
        letter = rf"(?:[^\W_]|[{marks()}])"
    else:
        # Digits of these scripts lie outside the ranges, and what is no letter in them is punctuation here too.
        letter = rf"(?:[^\W_{script_ranges()}]|[{marks()}])"
        apart = _runs(SEGMENTERS.get(unspaced, ())) + rf"(?=[^\W_])[{script_ranges()}][{marks()}]*|"
    source = _PLAIN if style == "none" else (_CONTRACTIONS if contractions else "") + _WORDS
    return re.compile(apart + source.replace("LETTER", letter))


def _runs(scripts: tuple[str, ...]) -> str:
    if not scripts:
        return ""
    inside = script_ranges(*scripts)
    return rf"(?=[^\W_])[{inside}](?:(?=[^\W_])[{inside}]|[{marks()}])*|"


def _segmented(tokens: list[str], name: str) -> list[str]:
    """Replace each run of the segmenter's scripts by its words."""
    cut = segmenter(name)
    begins = _starts(name)
    found: list[str] = []
    for token in tokens:
        if begins.match(token):
            found += [word for word in cut(token) if word and not word.isspace()]
        else:
            found.append(token)
    return found


@cache
def _starts(name: str) -> re.Pattern[str]:
    return re.compile(f"[{script_ranges(*SEGMENTERS[name])}]")
