"""The options of ``wordstock train``: one for each field of the settings, with its text, default and type from there.

Every option is None unless it was given, so that one that does not apply can be refused and the defaults stay where
they are defined.
"""

from __future__ import annotations

import inspect
import re
from dataclasses import MISSING, dataclass, fields
from types import NoneType, UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import typer

from wordstock.corpus import read_texts
from wordstock.text import Tokenizer
from wordstock.train import FastTextConfig, GloVeConfig, Word2VecConfig
from wordstock.vocab import PhraseSettings

__all__ = ["EVERY_METHOD", "METHODS", "OPTIONS", "Choice", "flag", "parameters"]

METHODS: dict[str, type[Word2VecConfig] | type[GloVeConfig]] = {
    "word2vec": Word2VecConfig,
    "fasttext": FastTextConfig,
    "glove": GloVeConfig,
}
_NAMES = {"word2vec": "word2vec", "fasttext": "fastText", "glove": "GloVe"}
EVERY_METHOD = ("memory_limit",)  # also limits how the corpus is counted
_RESOURCES = ("threads", "memory_limit", "slice_size")

_READING = {
    "kind": "text, jsonl, csv, parquet, wikipedia (XML dump), wikiextractor or warc (WET too). Default: each file's "
    "own, by content. edges: a graph, two nodes and perhaps a weight in a line; baskets: items in a line.",
    "field": "Field of JSONL, column of CSV or Parquet. Default: text.",
    "unit": "What a sentence is, and the farthest that a window reaches: line (a paragraph) or document.",
    "encoding": "Of plain text; a byte order mark wins.",
    "entities": "Put a token such as ENTITY/Barack_Obama before the text of a link of a Wikipedia dump.",
    "language": "Keep the pages of WARC and WET files that declare this language first: a code such as en. With "
    "--language-model it is that of every line, article or page of any corpus.",
    "unique": "Leave out lines that were seen before, case, digits, punctuation and spaces aside.",
    "workers": "Processes that help to read dumps, JSONL, WARC and many small files; 0 for none. Default: one per core "
    "where that pays.",
    "strict": "Stop at the first damaged place of the corpus.",
}
_TYPES = {"kind": str, "field": str, "unit": str, "encoding": str, "language": str, "workers": int}
_WALKS = {
    "directed": (bool, "no-directed", "Walk along an edge from its first node to its second only."),
    "walk_length": (int, "80", "Nodes in a walk."),
    "walks_per_node": (int, "10", "Walks that begin at each node."),
    "p": (float, "1.0", "node2vec's return parameter: an edge back to the node before counts 1/p."),
    "q": (float, "1.0", "node2vec's in-out parameter: an edge farther from the node before counts 1/q."),
}


@dataclass(frozen=True)
class Choice:
    """One option.

    Parameters
    ----------
    name : as in the settings; ``--name-with-dashes`` on the command line.
    group : what takes it: "reading", "walks", "text", "counting", "phrases", "config" or "run".
    panel : of the help.
    kind : bool, int, float or str.
    known : what a str may be, where only some are.
    default : as shown; "" where the help tells.
    """

    name: str
    group: str
    panel: str
    kind: type
    help: str
    default: str = ""
    known: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """What the help says."""
        return f"{self.help} Default: {self.default}." if self.default else self.help

    def parameter(self) -> inspect.Parameter:
        """For the signature of the command."""
        names = [flag(self.name)]
        if self.kind is bool:
            names = [f"{names[0]}/--no-{names[0][2:]}"]
        option: Any = typer.Option(
            None, *names, help=self.text, show_default=False, rich_help_panel=self.panel,
            metavar="|".join(self.known) or None,
        )  # fmt: skip
        keyword = inspect.Parameter.KEYWORD_ONLY
        return inspect.Parameter(self.name, keyword, default=option, annotation=self.kind | None)


def flag(name: str) -> str:
    """An option as it is typed."""
    return "--" + name.replace("_", "-")


def parameters() -> list[inspect.Parameter]:
    """For the signature of the command, in the order of the help."""
    return [option.parameter() for option in OPTIONS.values()]


def _described(settings: type) -> dict[str, str]:
    """The text of each parameter in the class's docstring, as one line."""
    section = inspect.cleandoc(settings.__doc__ or "").partition("Parameters\n----------\n")[2].split("\n\n")[0]
    found: dict[str, str] = {}
    for names, text in re.findall(r"^(\w[\w, ]*) : (.*(?:\n .*)*)", section, re.MULTILINE):
        line = re.sub(r"None (=|is) ", "default ", " ".join(text.split()))
        line = line.replace("as in ``Word2VecConfig``", "as for word2vec")
        line = re.sub(r"``(\w+)(?:=(\w+))?``", lambda match: _typed(settings, *match.groups()), line).replace("``", "")
        found |= dict.fromkeys(names.split(", "), line[0].upper() + line[1:])
    return found


def _typed(settings: Any, name: str, value: str | None) -> str:
    """A field as it is typed on the command line; any other word as it is."""
    shown = flag(name) if name in settings.__dataclass_fields__ else name
    return shown if value is None else f"{shown} {value}"


def _type_of(annotation: Any) -> tuple[type, tuple[str, ...]]:
    """The type on the command line, and the known values."""
    if get_origin(annotation) is Literal:
        return str, get_args(annotation)
    if isinstance(annotation, UnionType):
        (annotation,) = (part for part in get_args(annotation) if part is not NoneType)
    return annotation, ()


def _of_class(settings: type, group: str, panel: str, prefix: str = "") -> list[Choice]:
    """An option for each field of a dataclass of settings."""
    hints, texts, found = get_type_hints(settings), _described(settings), []
    for field in fields(settings):
        kind, known = _type_of(hints[field.name])
        default = _shown(prefix + field.name, field.default)
        found.append(Choice(prefix + field.name, group, panel, kind, texts.get(field.name, ""), default, known))
    return found


def _shown(name: str, default: Any) -> str:
    if default is None or default is MISSING:
        return ""
    if isinstance(default, bool):
        return (name if default else f"no-{name}").replace("_", "-")
    return f"{default:g}" if isinstance(default, float) else str(default)


def _configs() -> list[Choice]:
    """An option for each field that one of the methods has."""
    by_name: dict[str, dict[str, Choice]] = {}
    for method, config in METHODS.items():
        for option in _of_class(config, "config", "Training"):
            by_name.setdefault(option.name, {})[method] = option
    return [_joined(name, found) for name, found in by_name.items()]


def _joined(name: str, found: dict[str, Choice]) -> Choice:
    """One option of several methods; where text or default differ, each method's."""
    first = next(iter(found.values()))
    defaults = _listed({method: option.default for method, option in found.items()}, "; ")
    texts = {method: option.help for method, option in found.items() if option.help}
    if texts.get("fasttext", "").startswith("As for word2vec"):
        del texts["fasttext"]
    text = _listed(texts, " ")
    panel, method = "Resources" if name in _RESOURCES else "Training", next(iter(found))
    if panel == "Training" and len(found) == 1 and method != "word2vec":
        panel = _NAMES[method]
    elif len(found) < len(METHODS) and name not in EVERY_METHOD:
        text += f" Not for {', '.join(_NAMES[method] for method in METHODS if method not in found)}."
    return Choice(name, "config", panel, first.kind, text, defaults, first.known)


def _listed(values: dict[str, str], separator: str) -> str:
    """The value of the first method, and those of others that differ, by name."""
    first, *others = values.items()
    parts = [first[1], *(f"{_NAMES[name]}: {value}" for name, value in others if value != first[1])]
    return separator.join(part for part in parts if part)


def _reading() -> list[Choice]:
    given = inspect.signature(read_texts).parameters
    choices = [
        Choice(name, "reading", "Corpus", _TYPES.get(name, bool), text, _shown(name, given[name].default))
        for name, text in _READING.items()
    ]
    model = (
        "A fastText classifier that tells the --language, such as lid.176.ftz; kept is what it finds at 0.5 or more."
    )
    return [*choices, Choice("language_model", "reading", "Corpus", str, model)]


_TEXT = [option for option in _of_class(Tokenizer, "text", "Text") if option.name != "split"]
_COUNTING = [
    Choice("min_count", "counting", "Vocabulary", int, "Leave out words that occur less often.", "5"),
    Choice("max_size", "counting", "Vocabulary", int, "Keep this many words, the most frequent ones. Default: all."),
    Choice("phrases", "counting", "Vocabulary", int, "Passes that join words into phrases such as new_york.", "0"),
]
_PHRASES = [option for option in _of_class(PhraseSettings, "phrases", "Vocabulary", "phrase_")][1:]
_RUN = [
    Choice("init", "run", "Training", str, "Continue from these vectors: a name or a path. --dim is then theirs."),
    Choice(
        "validate", "run", "Training", str,
        "A word-similarity file, such as WordSim-353: its Spearman correlation is told after each epoch, and the "
        "vectors of the best epoch are written.",
    ),
    Choice("patience", "run", "Training", int, "Epochs without a better --validate score before training ends.", "1"),
    Choice(
        "checkpoint", "run", "Resources", str,
        "Folder for what a stopped run leaves. Default: OUTPUT.training, deleted at the end.",
    ),
    Choice("checkpoint_seconds", "run", "Resources", float, "Time between two checkpoints, in seconds.", "60"),
]  # fmt: skip
_GRAPH = [
    Choice(name, "walks", "Graphs (--kind edges)", kind, text, default)
    for name, (kind, default, text) in _WALKS.items()
]

OPTIONS: dict[str, Choice] = {
    option.name: option for option in (*_reading(), *_GRAPH, *_TEXT, *_COUNTING, *_PHRASES, *_configs(), *_RUN)
}
