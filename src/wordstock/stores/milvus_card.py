"""What a collection keeps of its settings, so that opening it needs nothing but its name."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from wordstock._version import __version__
from wordstock.errors import InputError, StoreError
from wordstock.stores.checking import Metric, Precision
from wordstock.stores.indexing import IndexConfig

__all__ = ["MilvusCard"]

VERSION = 1


@dataclass(frozen=True)
class MilvusCard:
    """Settings of a collection.

    Parameters
    ----------
    keywords : it has a BM25 field.
    auto : its index is chosen by its size.
    details : of whoever made it.
    """

    KEY: ClassVar[str] = "wordstock"  # of the property

    dim: int
    metric: Metric
    precision: Precision
    keywords: bool
    index: IndexConfig
    auto: bool
    details: dict[str, Any]

    @property
    def suffix(self) -> str:
        """Short and the same for the same settings."""
        return hashlib.blake2b(self.to_json().encode(), digest_size=6).hexdigest()

    def with_index(self, index: IndexConfig) -> MilvusCard:
        """The same with another index."""
        return replace(self, index=index)

    def for_model(self, dim: int, details: dict[str, Any]) -> MilvusCard:
        """The same for vectors of another model."""
        return replace(self, dim=dim, details=details)

    def to_json(self) -> str:
        """As it is written."""
        values = {
            "version": VERSION,
            "by": __version__,
            "dim": self.dim,
            "metric": self.metric,
            "precision": self.precision,
            "keywords": self.keywords,
            "index": self.index.to_dict(),
            "auto": self.auto,
            "details": self.details,
        }
        return json.dumps(values, sort_keys=True)

    @classmethod
    def read(cls, described: Mapping[str, Any]) -> MilvusCard | None:
        """Of a collection as Milvus describes it; None where wordstock did not make it.

        Raises
        ------
        StoreError
            Made by a newer version.
        """
        for written in ((described.get("properties") or {}).get(cls.KEY), described.get("description")):
            try:
                values = json.loads(written or "")
                if values["version"] > VERSION:
                    raise StoreError(
                        f"collection {described['collection_name']!r} was made by wordstock {values['by']}; upgrade "
                        "wordstock to open it"
                    )
                return cls(
                    int(values["dim"]),
                    values["metric"],
                    values["precision"],
                    bool(values["keywords"]),
                    IndexConfig(**values["index"]),
                    bool(values["auto"]),
                    dict(values["details"]),
                )
            except (ValueError, TypeError, KeyError):
                continue
        return None

    def check(self, asked: Mapping[str, Any], where: str) -> None:
        """Refuse settings other than these; None asks for nothing.

        Raises
        ------
        InputError
            With both values.
        """
        for name, value in asked.items():
            there = getattr(self, name)
            if name == "keywords" and value:
                continue  # where Milvus has no BM25, it is made beside it
            if value is not None and value != there:
                raise InputError(f"{where} has {name} {there}, not {value}; leave it out, or give another collection=")
