"""What ``wordstock train`` was asked for, checked before anything is read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from wordstock._files import atomic_write
from wordstock._paths import user_path
from wordstock.cli.train_options import EVERY_METHOD, METHODS, OPTIONS, flag
from wordstock.embeddings import Embeddings
from wordstock.errors import InputError
from wordstock.text import Tokenizer
from wordstock.train import GloVeConfig, Word2VecConfig
from wordstock.vocab import PhraseSettings

__all__ = ["Request", "has_state"]

_ITEMS = ("edges", "baskets")  # kinds that are not text
_FREE_TO_CHANGE = ("epochs", "threads", "memory_limit", "workers", "strict")  # the trainers have their say on epochs


@dataclass(frozen=True)
class Request:
    """The options by what takes them.

    Parameters
    ----------
    corpus : files, folders or "-".
    reading : of ``read_texts``; ``kind`` may be "edges" or "baskets".
    walks : of ``GraphWalks.from_edges``.
    counting : of ``build_shards``.
    config : of the method.
    init : earlier vectors, and what they were called.
    """

    corpus: list[str]
    method: str
    config: Word2VecConfig | GloVeConfig
    reading: dict[str, Any]
    walks: dict[str, Any]
    counting: dict[str, Any]
    init: tuple[str, Embeddings] | None

    @classmethod
    def of(cls, corpus: list[str], method: str, given: Mapping[str, Any]) -> Request:
        """Sort the options that were given.

        Raises
        ------
        InputError
            An unknown method, an option that does not apply, or a value out of range; names it.
        """
        if method not in METHODS:
            raise InputError(f"--method {method}: known are {', '.join(METHODS)}")
        groups: dict[str, dict[str, Any]] = {option.group: {} for option in OPTIONS.values()}
        for name, value in given.items():
            groups[OPTIONS[name].group][name] = value
        kind = groups["reading"].get("kind")
        _check_kind(kind, groups)
        if "language_model" in groups["reading"] and "language" not in groups["reading"]:
            raise InputError("--language-model needs --language, the label of the texts to keep, such as en")
        counting, phrases = groups["counting"], groups["phrases"]
        if phrases and not counting.get("phrases"):
            raise InputError(f"{flag(next(iter(phrases)))} needs --phrases 1 or more")
        if counting.get("phrases"):
            counting["phrases"] = _phrase_settings(counting["phrases"], phrases)
        if kind not in _ITEMS:
            counting["tokenizer"] = Tokenizer(**groups["text"])
        init, settings = given.get("init"), groups["config"]
        earlier = None if init is None else (init, _loaded(init))
        if earlier:
            settings.setdefault("dim", earlier[1].dim)
        config = _config(method, settings, counting)
        if earlier and config.dim != earlier[1].dim:
            raise InputError(f"--dim {config.dim}: the vectors of --init {init} have {earlier[1].dim}")
        return cls(corpus, method, config, groups["reading"], groups["walks"], counting, earlier)

    def record(self) -> dict[str, Any]:
        """The options that the result depends on, as plain values."""
        tokenizer, phrases = self.counting.get("tokenizer"), self.counting.get("phrases")
        options = {
            **self.config.to_dict(),
            **self.reading,
            **self.walks,
            **self.counting,
            "tokenizer": tokenizer and tokenizer.to_dict(),
            "phrases": phrases and asdict(phrases),
            "corpus": [str(user_path(path).absolute()) for path in self.corpus],
            "init": None if self.init is None else self.init[0],
        }
        kept = {name: value for name, value in options.items() if name not in _FREE_TO_CHANGE}
        plain: dict[str, Any] = json.loads(json.dumps(kept))
        return plain

    def keep(self, folder: Path) -> None:
        """Write the record beside the training's state."""
        with atomic_write(folder / "options.json") as stream:
            stream.write(json.dumps(self.record(), indent=1).encode())

    def compare(self, folder: Path) -> None:
        """Refuse a folder with the state of a training by other options.

        Raises
        ------
        InputError
            Names every option that differs.
        """
        if not has_state(folder / self.method):
            return
        try:
            before = json.loads((folder / "options.json").read_bytes())
        except (OSError, ValueError):
            return  # the trainer compares what it keeps itself
        now = self.record()
        differing = [
            f"{flag(name)} (was {before.get(name)!r}, now {now.get(name)!r})"
            for name in sorted({*before, *now})
            if before.get(name) != now.get(name)
        ]
        if differing:
            raise InputError(
                f"{folder} holds the state of a training with other options: {', '.join(differing)}; give the same "
                "values to go on with it, or delete the folder to begin anew"
            )


def has_state(folder: Path) -> bool:
    """Whether the folder of a method holds the state of a training that has begun."""
    return any((folder / name).is_file() for name in ("checkpoint.json", "state.bin"))


def _check_kind(kind: str | None, groups: dict[str, dict[str, Any]]) -> None:
    """Refuse options that mean nothing for this kind of corpus."""
    if kind != "edges" and groups["walks"]:
        raise InputError(f"{flag(next(iter(groups['walks'])))} applies to --kind edges only")
    if kind in _ITEMS:
        reading = [name for name in groups["reading"] if name not in ("kind", "encoding", "strict")]
        phrases = [name for name in ("phrases",) if groups["counting"].get(name)]
        if other := [*reading, *groups["text"], *phrases, *groups["phrases"]]:
            raise InputError(f"{flag(other[0])} does not apply to --kind {kind}")


def _phrase_settings(passes: int, given: dict[str, Any]) -> PhraseSettings:
    settings = {name.removeprefix("phrase_"): value for name, value in given.items()}
    try:
        return PhraseSettings(passes=passes, **settings)
    except InputError as error:
        name, rest = str(error).split("=", 1)
        raise InputError(f"{flag('phrases' if name == 'passes' else f'phrase_{name}')} {rest}") from error


def _loaded(init: str) -> Embeddings:
    from wordstock.cli.nearest import load_table

    return load_table(init)


def _config(method: str, settings: dict[str, Any], counting: dict[str, Any]) -> Word2VecConfig | GloVeConfig:
    known = METHODS[method].__dataclass_fields__
    for name in EVERY_METHOD:
        if name in settings:
            counting[name] = settings[name]
    for name in settings:
        if name not in known and name not in EVERY_METHOD:
            others = [other for other, config in METHODS.items() if name in config.__dataclass_fields__]
            raise InputError(f"{flag(name)} does not apply to --method {method}, only to {' and '.join(others)}")
    return METHODS[method](**{name: value for name, value in settings.items() if name in known})
