"""Wiki markup to plain text, without a parser for all of MediaWiki: linear passes, each for one construct.

The order is MediaWiki's own: comments, extension tags (``<ref>``, ``<nowiki>``, ``<math>``), templates, tables, then
links and the rest. Every pass takes time linear in the text, whatever is unbalanced in it. Templates are not expanded:
their text is gone, except for the few that only format their argument.
"""

from __future__ import annotations

import html
import re

from wordstock.corpus.wikibraces import drop_tables, drop_templates
from wordstock.corpus.wikilinks import LinkNames, replace_links
from wordstock.corpus.wikitags import drop_tags, put_back, set_aside

__all__ = ["plain_text"]

_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_SWITCH = re.compile(r"__[A-ZА-ЯÄÖÜ]{3,}__")
_QUOTES = re.compile(r"'{2,}")
_HEADING = re.compile(r"^(={1,6})[ \t]*(.*?)[ \t]*\1[ \t]*$")
_MARKER = re.compile(r"^[*#:;]+[ \t]*")
_RULE = re.compile(r"^-{4,}")
_SPACES = re.compile(r"  +")
_BLANKS = str.maketrans({"\t": " ", "\u00a0": " "})
_EMPTY_PARENS = re.compile(r"\((?:[\s,;:]|&nbsp;)*\)")
_OPEN_PARENS = re.compile(r"\((?:[\s,;]|&nbsp;)+")
_BEFORE_MARK = [(f" {mark}{end}", f"{mark}{end}") for mark in ",.;" for end in " \n"]
_VARIANT = re.compile(r"-\{(?:([A-Z;\- ]*)\|)?([^{}]*)\}-")
_RULE_OF_VARIANT = re.compile(r"\s*(?:[a-z]{2,3}(?:-[a-z]+)*)\s*:([^;]*)")
_BRACES = re.compile(r"\{\{+|\}\}+")


def plain_text(markup: str, names: LinkNames | None = None, *, entities: bool = False) -> str:
    """The readable text of one page, a line per paragraph, list item or heading; no empty lines.

    Parameters
    ----------
    markup : wiki markup, XML entities already resolved.
    names : the namespaces of the wiki; English ones where None.
    entities : put ``ENTITY/Title_of_page`` before the text of every link to an article.

    Returns
    -------
    text : link texts, headings of sections that hold text, list items and prose. Left out are templates, tables,
        references, files, categories, links to other languages, comments, formulas and formatting. Never raises.
    """
    text = _CONTROL.sub("", markup)
    if "<!--" in text:
        text = _COMMENT.sub("", text)
    text, literals = set_aside(text)
    text = drop_templates(text)
    text = drop_tables(text)
    if "-{" in text:
        text = _VARIANT.sub(_variant, text)
    text = replace_links(text, names or LinkNames(), entities=entities)
    text = drop_tags(text)
    if "''" in text:
        text = _QUOTES.sub(_apostrophes, text)
    if "__" in text:
        text = _SWITCH.sub("", text)
    if "{{" in text or "}}" in text:
        text = _BRACES.sub("", text)
    if "(" in text:
        text = _OPEN_PARENS.sub("(", _EMPTY_PARENS.sub("", text))
    text = _lines(text)
    if "&" in text:
        text = html.unescape(text)
    text = _SPACES.sub(" ", text.translate(_BLANKS) if "\t" in text or "\u00a0" in text else text)
    for gap, closed in _BEFORE_MARK:  # left by what stood there, a reference most often
        text = text.replace(gap, closed)
    return put_back(text, literals)


def _apostrophes(match: re.Match[str]) -> str:
    """What a run of apostrophes leaves: 2, 3 and 5 are italics and bold, of the others one or more are written."""
    size = len(match[0])
    return "" if size in (2, 3, 5) else "'" * (1 if size == 4 else size - 5)


def _variant(match: re.Match[str]) -> str:
    """What ``-{zh-hans:...;zh-hant:...}-`` leaves: the first variant; nothing of rules for titles and terms."""
    if match[1] is not None and set(match[1]) & set("HT-"):
        return ""
    rule = _RULE_OF_VARIANT.match(match[2])
    return rule[1].strip() if rule else match[2]


def _lines(text: str) -> str:
    """Lines without list markers and rules; a heading only where text follows before the next one of its level."""
    kept: list[str] = []
    waiting: list[tuple[int, str]] = []  # headings with no text under them yet
    for line in text.split("\n"):
        line = line.strip()
        if not line:
            continue
        if line[0] == "=" and (heading := _HEADING.match(line)):
            level = len(heading[1])
            while waiting and waiting[-1][0] >= level:
                waiting.pop()
            if heading[2]:
                waiting.append((level, heading[2]))
            continue
        if line[0] in "*#:;":
            line = _MARKER.sub("", line)
        elif line[0] == "-":
            line = _RULE.sub("", line).lstrip()
        if line:
            if waiting:
                kept += [title for _, title in waiting]
                waiting.clear()
            kept.append(line)
    return "\n".join(kept)
