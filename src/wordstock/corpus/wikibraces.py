"""Templates ``{{...}}`` and tables ``{|...|}`` of wiki markup, nested as deep as they may be."""

from __future__ import annotations

import re

__all__ = ["drop_tables", "drop_templates"]

_RUN = re.compile(r"\{\{+|\}\}+")
_TABLE = re.compile(r"\{\||\|\}")
_BAR = re.compile(r"\|(?![^\[\]]*\]\])")  # not one inside a link
_ROW = re.compile(r"^[ \t]*(?:\{\||\|).*\n?|^!.*(?:!!|\|).*\n?", re.MULTILINE)

# Templates that only format what they hold. Those whose whole body is the argument at this position keep it.
_KEPT = {
    "lang": 2, "nowrap": 1, "nobr": 1, "nobreak": 1, "small": 1, "big": 1, "smaller": 1, "larger": 1, "em": 1,
    "strong": 1, "sic": 1, "not a typo": 1, "abbr": 1, "as written": 1, "smallcaps": 1, "sc": 1, "transl": 2,
    "transliteration": 2, "quote": 1, "blockquote": 1, "cquote": 1,
}  # fmt: skip


def drop_templates(text: str) -> str:
    """``text`` without templates and parameters.

    Braces pair as runs, so that ``{{{name}}}`` is one parameter. Braces without a partner are removed alone: what they
    were to enclose is kept, since where it ends is unknown.
    """
    if "{{" not in text:
        return text
    stack: list[list[int]] = []  # [where it opens, braces left, index in parts at that point]
    parts: list[str] = []
    cut = 0  # text before this is in parts
    for run in _RUN.finditer(text):
        start, size = run.start(), run.end() - run.start()
        parts.append(text[cut:start])
        cut = run.end()
        if text[start] == "{":
            stack.append([start, size, len(parts)])
            continue
        while size >= 2 and stack:
            top = stack[-1]
            taken = min(top[1], size, 3)
            size -= taken
            top[1] -= taken
            if top[1] < 2:
                stack.pop()
                body = "" if taken == 3 else _argument("".join(parts[top[2] :]))
                del parts[top[2] :]
                parts.append("{" * top[1] + body)
            else:
                del parts[top[2] :]
        if size == 1:
            parts.append("}")
    parts.append(text[cut:])
    return "".join(parts)


def _argument(body: str) -> str:
    """What a template leaves: its text if it only formats one, else nothing."""
    name, bar, rest = body.partition("|")
    if not bar or len(body) > 2000:
        return ""
    key = name.strip().lower().replace("_", " ")
    if key.startswith("lang-"):
        position = 1
    elif (position := _KEPT.get(key, 0)) == 0:
        return ""
    plain = [field for field in _BAR.split(rest) if "=" not in field or "<" in field]
    return plain[position - 1] if len(plain) >= position else ""


def drop_tables(text: str) -> str:
    """``text`` without tables; where one is not closed its rows are removed line by line and what follows is kept."""
    if "{|" not in text:
        return text
    kept: list[str] = []
    opens: list[int] = []
    cut = 0
    for mark in _TABLE.finditer(text):
        before = text[text.rfind("\n", 0, mark.start()) + 1 : mark.start()].strip(" \t:*#")
        if before:
            continue  # only at the start of a line
        if mark[0] == "{|":
            opens.append(mark.start())
        elif opens:
            start = opens.pop()
            if not opens:
                kept.append(text[cut:start])
                cut = mark.end()
    rest = text[cut:]
    if opens:
        at = max(0, opens[0] - cut)
        rest = rest[:at] + _ROW.sub("", rest[at:])
    return "".join(kept) + rest
