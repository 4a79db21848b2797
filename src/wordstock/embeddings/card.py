"""The model card that travels in the header of a native file."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import Any

from wordstock._settings import check_type

__all__ = ["Card"]

_KINDS = {  # those that are not a text
    "casing": (str | None, "a text or null"),
    "tokenizer": (dict, "settings by name"),
    "training": (dict, "settings by name"),
    "notes": (list | tuple, "a list of texts"),
}


@dataclass(frozen=True)
class Card:
    """Where vectors come from and what may be done with them.

    Parameters
    ----------
    name : short name, such as ``glove-6b-50d``.
    licence : SPDX identifier or the publisher's own words.
    source : where the vectors were taken from.
    language : ISO 639 code, or ``mul``.
    casing : "lower" or "keep", how keys were cased in training; None if unknown.
    tokenizer : the tokeniser's settings.
    training : algorithm and settings of training, as far as known.
    citation : the paper to cite.
    notes : anything a reader of the file dropped, repaired or replaced, one sentence each.
    """

    name: str = ""
    licence: str = ""
    source: str = ""
    language: str = ""
    casing: str | None = None
    tokenizer: dict[str, Any] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)
    citation: str = ""
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; empty fields are left out."""
        return {key: value for key, value in asdict(self).items() if value not in ("", None, {}, ())}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Card:
        """Read back what ``to_dict`` gave; unknown fields, from a newer version, are ignored.

        Raises
        ------
        InputError
            Something else in a field; names it.
        """
        known = {f.name for f in fields(cls)}
        kept = {key: value for key, value in values.items() if key in known}
        for name, value in kept.items():
            check_type(f"card {name}", value, *_KINDS.get(name, (str, "a text")))
        if "notes" in kept:
            kept["notes"] = tuple(str(note) for note in kept["notes"])
        return cls(**kept)
