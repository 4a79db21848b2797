"""What the library says, in the words of the command line: ``min_count=0`` there is ``--min-count 0`` here."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from typer.core import TyperCommand

__all__ = ["Verb", "spelt"]

_SETTING = re.compile(
    r"""(?<!\w)b?(?:'[^'\n]*'|"[^"\n]*")       # a text that is quoted stays
    | (?<![\w."'/=-])                         # no part of a path or of an option
    (?: ([a-zC]\w*)=(?=[^\s,;])(?:(True|False)\b)?  # a value is given
      | ([a-z]\w*(?==(?![^\s,;]))            # one that is to be given
        |^[a-z]\w*(?=:\ )                    # what the message is about
        |[a-z]+_[a-z_]+\b)=? )               # what can be nothing but a name""",
    re.VERBOSE,
)
_CALL = re.compile(r"\bwith_config\((\w+=(?:'[^']*'|[\w.-]+))\)")
_ONLY_PYTHON = re.compile(r"; [^;]*\bwith_config\(.*$", re.DOTALL)  # a remedy that no option of this verb gives
_REINDEX = ("call reindex(encoder)", "run `wordstock reindex`")

_options: dict[str, Any] = {}  # of the verb that runs, as the library names them; a process runs one
_typed: list[str] = []  # what was typed for it that looks like a setting, such as a file called "model"


class Verb(TyperCommand):
    """A command whose options ``spelt`` knows once it runs."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        _options.clear()
        options = [option for option in self.params if option.opts[0][0] == "-"]
        for option in options:
            _options.update({flag.lstrip("-").replace("-", "_"): option for flag in option.opts})
        if "model" in _options:
            _options["encoder"] = _options["model"]
        _options.update({str(option.name): option for option in options})  # the library's name where the two differ
        given = {str(one) for value in ctx.params.values() for one in (value if isinstance(value, list) else [value])}
        given |= {str(Path(one).parent) for one in given}  # a folder that is not there is named by itself
        _typed[:] = sorted((one for one in given if _told(one) != one or one in _options), key=len, reverse=True)
        return super().invoke(ctx)


def spelt(message: str) -> str:
    """A message with the settings that are options of the running verb as they are typed; the rest as it is."""
    if not _typed:
        return _told(message)
    own = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, _typed))})(?![\w=])")
    kept = own.findall(message)
    held = iter(kept)
    return re.sub("\0", lambda _: next(held, ""), _told(own.sub("\0", message)))


def _told(message: str) -> str:
    told = _ONLY_PYTHON.sub("", _CALL.sub(_bare, message)).replace(*_REINDEX)
    return _SETTING.sub(_option, told).replace(", or None", "")  # that is an option left out


def _bare(call: re.Match[str]) -> str:
    """A setting that is an option without the call that would make it from Python."""
    return call[1] if call[1].partition("=")[0] in _options else call[0]


def _option(setting: re.Match[str]) -> str:
    given, truth, alone = setting.groups()
    option = _options.get(given or alone)
    if option is None:
        return setting[0]
    flag: str = next((each for each in option.opts if each.startswith("--")), option.opts[0])
    if given is None:
        return flag
    if not option.is_flag:
        return f"{flag} {truth or ''}"
    if truth == "False":
        return option.secondary_opts[0] if option.secondary_opts else setting[0]
    return flag if truth else setting[0]
