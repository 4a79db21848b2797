"""The registry of named models: the one that comes with the library, and the user's own.

``WORDSTOCK_REGISTRY`` may name a TOML file of the same layout as ``registry.toml`` beside this module; its entries are
added, and win over those of the same name.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

from wordstock._paths import user_path
from wordstock._settings import check_type
from wordstock.errors import FormatError, InputError, UnknownModelError
from wordstock.hub.entry import Entry, HubSource, PathSource, Source, UrlSource, WheelSource

__all__ = ["Family", "Registry", "find", "near_names", "parse", "registry"]

_SOURCES: dict[str, type[Source]] = {
    "wheel": WheelSource,
    "url": UrlSource,
    "huggingface": HubSource,
    "path": PathSource,
}
_SLOT = "{lang}"
_CLOSE = 0.6  # difflib's ratio from which a name counts as a near match


@dataclass(frozen=True)
class Family:
    """Models that differ by language only: ``pattern`` holds ``{lang}``, and so does the source."""

    pattern: str
    languages: tuple[str, ...]
    values: dict[str, Any]

    def entry(self, language: str) -> Entry:
        """The model of one language."""
        source = {key: _fill(value, language) for key, value in self.values["source"].items()}
        return _entry(_fill(self.pattern, language), {**self.values, "language": language, "source": source})

    def match(self, name: str) -> str | None:
        """The language code that gives ``name``, or None."""
        start, end = self.pattern.split(_SLOT)
        code = name[len(start) : len(name) - len(end)]
        fits = name.startswith(start) and name.endswith(end) and code in self.languages
        return code if fits else None


@dataclass(frozen=True)
class Registry:
    """Named models, and families of them."""

    entries: dict[str, Entry]
    families: dict[str, Family]

    def get(self, name: str) -> Entry | None:
        """The entry of this name, or None."""
        if name in self.entries:
            return self.entries[name]
        for family in self.families.values():
            if (language := family.match(name)) is not None:
                return family.entry(language)
        return None

    def names(self) -> Iterator[str]:
        """Every name, those of families included."""
        yield from self.entries
        for family in self.families.values():
            yield from (_fill(family.pattern, language) for language in family.languages)


def registry() -> Registry:
    """The registry of the library with the user's own entries on top.

    Raises
    ------
    FormatError
        The file that ``WORDSTOCK_REGISTRY`` names cannot be used.
    """
    name = os.environ.get("WORDSTOCK_REGISTRY", "")
    own = user_path(name, "WORDSTOCK_REGISTRY") if name else None
    return _merged(own, own.stat().st_mtime_ns if own is not None and own.exists() else 0)


@lru_cache(maxsize=4)
def _merged(own: Path | None, _changed: int) -> Registry:
    built_in = parse(Path(__file__).with_name("registry.toml"))
    if own is None:
        return built_in
    added = parse(own)
    return Registry(built_in.entries | added.entries, built_in.families | added.families)


def parse(path: Path) -> Registry:
    """Read and check one registry file.

    Raises
    ------
    FormatError
        Not there, not TOML, or an entry that cannot be used; names the entry.
    """
    import tomllib

    remedy = "mend the file, or unset WORDSTOCK_REGISTRY"
    try:
        with path.open("rb") as stream:
            data = tomllib.load(stream)
    except (OSError, ValueError) as error:
        raise FormatError(path, expected="a registry in TOML", found=str(error), remedy=remedy) from error
    name = "the file"
    try:
        entries, families = {}, {}
        for name, values in data.get("models", {}).items():
            entries[name] = _entry(name, values)
        for name, values in data.get("families", {}).items():
            families[name] = _family(name, values)
    except (InputError, TypeError, KeyError, ValueError, AttributeError) as error:
        raise FormatError(path, expected="a usable entry", found=f"{name}: {error}", remedy=remedy) from error
    return Registry(entries, families)


def _entry(name: str, values: dict[str, Any]) -> Entry:
    values = dict(values)
    source = dict(values.pop("source"))
    kind = source.pop("type", None)
    if kind not in _SOURCES:
        raise InputError(f"source type {kind!r}; known are {', '.join(_SOURCES)}")
    known = {f.name for f in fields(Entry)} - {"name", "source"}
    if unknown := sorted(values.keys() - known):
        raise InputError(f"unknown fields {', '.join(unknown)}; known are {', '.join(sorted(known))}")
    if "files" in source:
        source["files"] = tuple(source["files"])
    values["notes"] = tuple(values.get("notes", ()))
    return Entry(name, _SOURCES[kind](**source), **values)


def _family(pattern: str, values: dict[str, Any]) -> Family:
    values = dict(values)
    languages = tuple(values.pop("languages").split())
    if pattern.count(_SLOT) != 1 or not languages:
        raise InputError(f"a family needs {_SLOT} in its name once, and languages")
    family = Family(pattern, languages, values)
    family.entry(languages[0])  # says now what is wrong with it
    return family


def _fill(value: Any, language: str) -> Any:
    return value.replace(_SLOT, language) if isinstance(value, str) else value


def find(name: str) -> Entry:
    """The entry of a registered name or of ``hf:org/name``, perhaps with ``@revision``.

    Raises
    ------
    UnknownModelError
        No such name; gives near matches.
    InputError
        Something that is not a str.
    """
    check_type("name", name, str, "a str")
    if name.startswith("hf:"):
        repo, _, revision = name.removeprefix("hf:").partition("@")
        try:
            return Entry(name, HubSource(repo, revision))
        except InputError as error:
            message = f"{name!r} is not a model on the Hugging Face hub: write hf:organisation/name ({error})"
            raise UnknownModelError(message) from error
    entry = registry().get(name)
    if entry is None:
        near = near_names(name)
        hint = f"near matches: {', '.join(near)}; " if near else ""
        raise UnknownModelError(f"no model is called {name!r}; {hint}`wordstock models` lists them")
    return entry


def near_names(name: str, limit: int = 5) -> list[str]:
    """Registered names that look like ``name``, best first."""
    import difflib

    folded = {known.casefold(): known for known in registry().names()}
    found = difflib.get_close_matches(name.casefold().replace("_", "-"), folded, limit, _CLOSE)
    return [folded[match] for match in found]
