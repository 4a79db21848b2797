"""Tags in wiki markup: those whose content goes, those whose content stays, and literal text."""

from __future__ import annotations

import re

__all__ = ["drop_tags", "put_back", "set_aside"]

_DROPPED = (
    "ref|references|math|chem|ce|gallery|timeline|imagemap|syntaxhighlight|source|score|hiero|graph|mapframe|maplink|"
    "templatestyles|templatedata|indicator|includeonly|table|pre|inputbox|categorytree|charinsert|"
    "style|script|languages|rss|"
    "section"
)
_EXTENSION = re.compile(rf"<(/?)({_DROPPED}|nowiki)(?![\w-])([^<>]*)>", re.IGNORECASE)
_BLOCK = "br|p|div|li|ul|ol|dl|dt|dd|blockquote|center|hr|h1|h2|h3|h4|h5|h6|poem|tr|td|th|caption|thead|tbody"
_INLINE = (
    "small|big|sup|sub|b|i|u|s|em|strong|span|font|code|tt|var|kbd|samp|abbr|cite|q|bdi|bdo|del|ins|dfn|strike|ruby|rb|rt|rp|"
    "mark|time|wbr|data|a|img|noinclude|onlyinclude|nowiki|tvar|translate|ref|references|math|gallery|pre|table|"
    "includeonly|source|syntaxhighlight|section|label|acronym|nobr|link|meta"
)
_OPEN_OR_CLOSE = re.compile(rf"<(/?)(?:({_BLOCK})|(?:{_INLINE}))(?![\w-])[^<>]*>", re.IGNORECASE)
_HIDDEN = re.compile(r"\x00(\d+)\x00")
_EXTENSION_START = re.compile(r"<ref(?=[\s>/])", re.IGNORECASE)


def set_aside(text: str) -> tuple[str, list[str]]:
    """``text`` without dropped tags and their content; every ``<nowiki>`` text as a marker, and the list of these.

    Tags of one name nest. A tag that is never closed goes alone and its content stays. ``text`` holds no NUL.
    """
    if "<" not in text:
        return text, []
    tags = [
        (tag.start(), tag.end(), bool(tag[1]), tag[2].lower(), tag[3].endswith("/"))
        for tag in _EXTENSION.finditer(text)
    ]
    if not tags:
        return text, []
    partner = _partners(tags)
    parts: list[str] = []
    literals: list[str] = []
    cut = 0
    for i, (start, end, closes, name, empty) in enumerate(tags):
        if start < cut:
            continue
        parts.append(text[cut:start])
        cut = end
        if closes or empty or (close := partner[i]) is None:
            continue
        if name == "nowiki":
            parts.append(f"\0{len(literals)}\0")
            literals.append(text[end : tags[close][0]])
        cut = tags[close][1]
    parts.append(text[cut:])
    return "".join(parts), literals


def _partners(tags: list[tuple[int, int, bool, str, bool]]) -> list[int | None]:
    """For each opening tag the index of the tag that closes it; None where there is none.

    Inside ``<nowiki>`` no tag counts. Only tables nest; any other tag is closed by the next
    closing one of its name.
    """
    partner: list[int | None] = [None] * len(tags)
    next_close: dict[str, int] = {}
    tables: list[int] = []
    for i in range(len(tags) - 1, -1, -1):
        _, _, closes, name, empty = tags[i]
        if name == "table":
            if closes:
                tables.append(i)
            elif not empty and tables:
                partner[i] = tables.pop()
        elif closes:
            next_close[name] = i
        elif not empty:
            partner[i] = next_close.get(name)
    return partner


def drop_tags(text: str) -> str:
    """``text`` without HTML tags, their content kept; a tag of a block ends the line."""
    if "<" not in text:
        return text
    text = _OPEN_OR_CLOSE.sub(lambda tag: "\n" if tag[2] else "", text)
    return _EXTENSION_START.sub("", text)


def put_back(text: str, literals: list[str]) -> str:
    """``text`` with its markers replaced by the literal text they stand for, on one line each."""
    if not literals:
        return text
    return _HIDDEN.sub(lambda mark: " ".join(literals[int(mark[1])].split()), text)
