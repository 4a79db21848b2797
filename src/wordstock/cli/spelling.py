"""What the library says, in the words of the command line: ``min_count=0`` there is ``--min-count 0`` here."""

from __future__ import annotations

import re
from typing import Any

from typer.core import TyperCommand

__all__ = ["Verb", "spelt"]

_SETTING = re.compile(
    r"""(?<![\w."'/=-])                        # no part of a path, of a text that is quoted or of an option
    (?: ([a-z]\w*)=(?=\S)(?:(True|False)\b)?  # a value is given
      | (?:^([a-z]\w*)(?=:\ ))                # what the message is about
      | ([a-z]+_[a-z_]+)\b )                  # what can be nothing but a name""",
    re.VERBOSE,
)
_CALL = re.compile(r"\bwith_config\((\w+=(?:'[^']*'|[\w.-]+))\)")

_options: dict[str, Any] = {}  # of the verb that runs, as the library names them; a process runs one


class Verb(TyperCommand):
    """A command whose options ``spelt`` knows once it runs."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        _options.clear()
        for option in self.params:
            _options.update({flag[2:].replace("-", "_"): option for flag in option.opts if flag.startswith("--")})
        return super().invoke(ctx)


def spelt(message: str) -> str:
    """A message with the settings that are options of the running verb as they are typed; the rest as it is."""
    told = _SETTING.sub(_option, _CALL.sub(_bare, message))
    return told.replace(", or None", "")  # that is an option left out


def _bare(call: re.Match[str]) -> str:
    """A setting that is an option without the call that would make it from Python."""
    return call[1] if call[1].partition("=")[0] in _options else call[0]


def _option(setting: re.Match[str]) -> str:
    given, truth, *alone = setting.groups()
    option = _options.get(given or next(filter(None, alone), ""))
    if option is None:
        return setting[0]
    flag: str = next(each for each in option.opts if each.startswith("--"))
    if given is None:
        return flag
    if not option.is_flag:
        return f"{flag} {truth or ''}"
    if truth == "False":
        return option.secondary_opts[0] if option.secondary_opts else setting[0]
    return flag if truth else setting[0]
