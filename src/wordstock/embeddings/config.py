"""How a table turns text into a vector: tokeniser, pooling, weights, casing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from wordstock._settings import check_flag, check_known, check_number, check_type, store_plain
from wordstock.errors import InputError
from wordstock.text import Tokenizer
from wordstock.text.scripts import ENTITY, has_unspaced

__all__ = ["EncodeConfig"]

_CASE_SAMPLE = 5000  # keys looked at to tell a lower-cased table from a cased one


@dataclass(frozen=True)
class EncodeConfig:
    """Settings of ``Embeddings.encode``; part of the table's fingerprint.

    Parameters
    ----------
    pooling : "sif" weighs each word by a / (a + p(word)) (Arora et al. 2017); "mean" weighs all alike. Both divide by
        the number of words that have a vector.
    sif_a : a of the formula; p is the word's share of the corpus, from counts or, without counts, Zipf by rank.
    unit : scale every sentence vector to length 1.
    case : "exact" takes a token as the tokeniser gives it; "fallback" also tries lower, title and upper case.
    tokenizer : how text becomes words.
    phrases : what stands between the words of a key such as ``new_york``: words of a text whose joined form is a key
        then become that key, the longest first. None joins nothing. See ``vocab.phrase_keys``.
    unknown : "skip" leaves out words that are not in the table; "subword" takes the mean of their n-grams' vectors,
        with the weight of the rarest word, where the table has n-grams.
    """

    pooling: Literal["sif", "mean"] = "sif"
    sif_a: float = 1e-3
    unit: bool = False
    case: Literal["exact", "fallback"] = "exact"
    tokenizer: Tokenizer = field(default_factory=Tokenizer)
    phrases: str | None = None
    unknown: Literal["skip", "subword"] = "skip"

    def __post_init__(self) -> None:
        store_plain(self)
        check_known("pooling", self.pooling, ("sif", "mean"))
        check_known("case", self.case, ("exact", "fallback"))
        check_known("unknown", self.unknown, ("skip", "subword"))
        check_number("sif_a", self.sif_a, 0, 1e6, most=True)
        check_flag("unit", self.unit)
        check_type("tokenizer", self.tokenizer, Tokenizer, "a wordstock.text.Tokenizer")
        if self.phrases is not None and (not isinstance(self.phrases, str) or not self.phrases):
            raise InputError(f"phrases={self.phrases!r}: needs what joins the words of a phrase, such as '_', or None")

    @classmethod
    def for_keys(cls, keys: Sequence[str]) -> EncodeConfig:
        """The default settings for a table with these keys: lower-cased text where the first keys all are.

        Keys of entities do not count. Scripts without spaces are split into characters where one of those keys is
        written in such a script.
        """
        sample = [key for key in keys[:_CASE_SAMPLE] if not key.startswith(ENTITY)]
        lower = all(key == key.lower() for key in sample)
        unspaced = any(map(has_unspaced, sample))
        return cls(
            tokenizer=Tokenizer(casing="lower" if lower else "keep", unspaced="characters" if unspaced else "keep")
        )

    def to_dict(self) -> dict[str, Any]:
        """The settings as plain values; ``phrases`` and ``unknown`` only where set, so that older fingerprints stay."""
        values = {**asdict(self), "tokenizer": self.tokenizer.to_dict()}
        if self.phrases is None:
            del values["phrases"]
        if self.unknown == "skip":
            del values["unknown"]
        return values

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> EncodeConfig:
        """Read back what ``to_dict`` gave."""
        values = dict(values)
        tokenizer = Tokenizer.from_dict(values.pop("tokenizer", {}))
        return cls(tokenizer=tokenizer, **values)
