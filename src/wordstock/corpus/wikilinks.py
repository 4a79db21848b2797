"""Links of wiki markup: text kept, files, categories and other languages gone, entity tokens on request."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial

__all__ = ["ENTITY", "LinkNames", "entity_token", "replace_links"]

ENTITY = "ENTITY/"  # what the token of a linked article begins with

_FILES = frozenset({"file", "image", "media"})
_CATEGORIES = frozenset({"category"})
_OTHERS = frozenset(
    {"talk", "user", "wikipedia", "wp", "project", "mediawiki", "template", "help", "portal", "book", "draft"}
    | {"special", "module", "timedtext", "mos", "wikiproject"}
    # sister projects, which no dump declares
    | {"wikt", "wiktionary", "commons", "wikisource", "wikiquote", "wikibooks", "wikinews", "wikiversity", "voy"}
    | {"wikivoyage", "wikidata", "wikispecies", "species", "meta"}
)
_LANGUAGE = re.compile(r"(?:[a-z]{2,3}|simple)(?:-[a-z]{2,12})*")
_SIMPLE = re.compile(r"\[\[([^\[\]]*)\]\]")
_TOLERANT = re.compile(r"\[\[((?:[^\[\]]|\[(?!\[)|\](?!\]))*+)\]\]")
_EXTERNAL = re.compile(
    r"\[(?:(?:https?|ftps?|sftp|irc|news|gopher|git|svn)://|//|mailto:)[^\s\[\]<>\"]*[ \t]*([^\[\]\n]*)\]", re.I
)
_DEPTH = 6  # links in captions of files in captions: deeper ones lose their brackets only
_LEFT = re.compile(r"\[\[|\]\]")
_QUALIFIER = re.compile(r"\s*\([^()]*\)$")


@dataclass(frozen=True)
class LinkNames:
    """The namespaces of one wiki, in lower case; the English names always count, too.

    Parameters
    ----------
    files : namespaces of files, images and media.
    categories : namespaces of categories.
    others : namespaces and sister projects whose links keep their text and are no entities.
    """

    files: frozenset[str] = _FILES
    categories: frozenset[str] = _CATEGORIES
    others: frozenset[str] = _OTHERS

    @classmethod
    def from_namespaces(cls, names: dict[int, str]) -> LinkNames:
        """From the namespaces that a dump declares: {6: "Datei", 14: "Kategorie", ...}."""
        lower = {key: name.strip().lower() for key, name in names.items() if name.strip()}
        return cls(
            _FILES | {name for key, name in lower.items() if key in (6, -2)},
            _CATEGORIES | {name for key, name in lower.items() if key == 14},
            _OTHERS | {name for key, name in lower.items() if key not in (6, -2, 14)},
        )


def replace_links(text: str, names: LinkNames, *, entities: bool = False) -> str:
    """``text`` with every link replaced by what a reader sees of it."""
    if "[" not in text and "]]" not in text:
        return text
    shown = partial(_shown, names=names, entities=entities)
    text = _SIMPLE.sub(shown, text)
    if "//" in text or "mailto:" in text:
        text = _EXTERNAL.sub(r"\1", text)
    for _ in range(_DEPTH):
        if "[[" not in text:
            break
        before = text
        text = _TOLERANT.sub(shown, text)
        if text == before:
            break
    return _LEFT.sub("", text) if "[[" in text or "]]" in text else text


def entity_token(title: str) -> str:
    """The token of an article: ``ENTITY/`` and its title, first letter large, spaces as underscores."""
    title = "_".join(title.replace("_", " ").split())
    return ENTITY + title[:1].upper() + title[1:]


def _shown(link: re.Match[str], names: LinkNames, entities: bool) -> str:
    target, bar, label = link[1].partition("|")
    target = target.strip().replace("\n", " ")
    if ":" in target[1:]:
        prefix = target.partition(":")[0].strip().lower().replace("_", " ")
        if prefix in names.files or prefix in names.categories:
            return ""
        if not bar and _LANGUAGE.fullmatch(target.partition(":")[0]):
            return ""
        entities = entities and prefix not in names.others and not _LANGUAGE.fullmatch(prefix)
    if target.startswith(":"):
        target, entities = target[1:], False
    label = label if bar else target.replace("_", " ")
    page = target.partition("#")[0].strip()
    if not label.strip():
        label = _QUALIFIER.sub("", target)
    if entities and page:
        return f"{entity_token(page)} {label}"
    return label
