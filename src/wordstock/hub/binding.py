"""Which encoder an artefact was made with: how to record it, find it again and refuse any other."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from wordstock._paths import user_path
from wordstock.embeddings import Embeddings, EncodeConfig
from wordstock.encoders import ContextConfig, ContextualEncoder
from wordstock.encoders.cache import CachedEncoder
from wordstock.encoders.stack import Stack
from wordstock.errors import FingerprintError, InputError, WordstockError
from wordstock.protocols import Encoder
from wordstock.text import Tokenizer

__all__ = ["EncoderRecord", "read_config", "resolve_encoder"]

_SHOWN = 12  # characters of a fingerprint in a message
_HUB = "hf:"
_DEEPEST = 8  # stacks within stacks that a record may tell of


def resolve_encoder(encoder: Any) -> Encoder:
    """The encoder itself, or the model that a name or path stands for.

    Raises
    ------
    InputError
        Neither a name nor an object with ``encode``.
    ModelError
        A name that cannot be had.
    """
    if isinstance(encoder, str | Path):
        from wordstock.hub import load

        loaded: Encoder = load(str(encoder))
        return loaded
    if not callable(getattr(encoder, "encode", None)) or isinstance(encoder, type):
        raise InputError(
            f"encoder must be a model's name, a path, or an object with encode(texts), not {encoder!r:.80}"
        )
    found: Encoder = encoder
    return found


@dataclass(frozen=True)
class EncoderRecord:
    """What an artefact keeps of its encoder.

    Parameters
    ----------
    sources : names and absolute paths under which it may be found again, best first.
    fingerprint, dim : of the encoder at training time.
    config : the settings of a table, a contextual encoder or a stack, so that one loaded by name can be set alike; None
        for other encoders.
    parts : of a stack, what each of its encoders is.
    """

    sources: tuple[str, ...]
    fingerprint: str
    dim: int
    config: dict[str, Any] | None = None
    parts: tuple[EncoderRecord, ...] = ()

    @classmethod
    def of(cls, encoder: Encoder, asked: Any) -> EncoderRecord:
        """Describe ``encoder``; ``asked`` is what the user passed, perhaps a name or a path."""
        if isinstance(encoder, CachedEncoder):  # a cache changes no vector, and its file is no model
            encoder = encoder.encoder
        sources: list[str] = []
        if isinstance(asked, str | Path):
            sources.append(_absolute(str(asked)))
        path = getattr(encoder, "path", None)
        if path is not None:
            sources.append(str(Path(path).resolve()))
        name = getattr(getattr(encoder, "card", None), "name", "")
        if name:
            sources.append(str(name))
        config: dict[str, Any] | None = None
        parts: tuple[EncoderRecord, ...] = ()
        if isinstance(encoder, Embeddings | ContextualEncoder):
            config = encoder.config.to_dict()
        elif isinstance(encoder, Stack):
            config = {"scale": encoder.scale, "tokenizer": encoder.tokenizer.to_dict()}
            parts = tuple(cls.of(one, None) for one in encoder.encoders)
        return cls(tuple(dict.fromkeys(sources)), encoder.fingerprint, encoder.dim, config, parts)

    @classmethod
    def from_dict(cls, values: dict[str, Any], *, _deep: int = 0) -> EncoderRecord:
        """Read back what ``dataclasses.asdict`` gave, perhaps by way of JSON.

        Raises
        ------
        ValueError, TypeError, LookupError, InputError
            Something else.
        """
        if _deep > _DEEPEST:
            raise ValueError("stacks within stacks without end")
        listed = values.get("parts", ())
        parts = tuple(cls.from_dict(dict(one), _deep=_deep + 1) for one in listed)
        record = cls(**(values | {"sources": tuple(values["sources"]), "parts": parts}))
        strings = all(isinstance(one, str) for one in (record.fingerprint, *record.sources))
        if not strings or type(record.dim) is not int:
            raise ValueError(f"encoder {values!r:.80}")
        if parts:
            _stack_settings(record.config)
        elif record.config is not None:
            read_config(record.config)
        return record

    def check(
        self, encoder: Encoder, where: Path | str, *, made: str = "trained", again: str = "train it again"
    ) -> None:
        """Refuse an encoder that is not the recorded one; ``made`` and ``again`` word what was done with it.

        Raises
        ------
        FingerprintError
            With both fingerprints, shortened.
        """
        if encoder.fingerprint != self.fingerprint:
            raise FingerprintError(
                f"{where} was {made} with vectors {self.fingerprint[:_SHOWN]} (dim {self.dim}{self._named()}), the "
                f"encoder given is {encoder.fingerprint[:_SHOWN]} (dim {encoder.dim}); pass the encoder it was {made} "
                f"with, encode settings included, or {again} with this one"
            )

    def find(self, where: Path | str, *, made: str = "trained", again: str = "train it again") -> Encoder:
        """Load the recorded encoder from the first source that still gives it.

        The record may be a stranger's: it can name a registered model or a file or folder on this machine, and nothing
        else is opened or fetched for it.

        Raises
        ------
        InputError
            No source was recorded, or none can be had any more.
        FingerprintError
            A source now gives another model.
        """
        other: Encoder | None = None
        last: Exception | None = None
        if self.parts:
            scale, tokenizer = _stack_settings(self.config)
            found = Stack([one.find(where) for one in self.parts], scale=scale, tokenizer=tokenizer)
            self.check(found, where, made=made, again=again)
            return found
        for source in filter(_trusted, self.sources):
            try:
                encoder = self._alike(resolve_encoder(source))
            except (WordstockError, OSError) as error:  # the next source may still have it
                last = error
                continue
            if encoder.fingerprint == self.fingerprint:
                return encoder
            other = encoder
        if other is not None:
            self.check(other, where, made=made, again=again)
        raise InputError(
            f"{where} needs the encoder {self.fingerprint[:_SHOWN]} (dim {self.dim}), but {self._why(last)}; "
            "pass encoder="
        ) from last

    def _why(self, last: Exception | None) -> str:
        if not self.sources:
            return "its name was not recorded"
        said = f"none of {', '.join(self.sources)} can be loaded"
        if last is not None:
            said += f" ({last!s:.200})"
        if any(source.startswith(_HUB) for source in self.sources):
            said += "; what a file names on the Hugging Face hub is not fetched unasked"
        return said

    def _alike(self, encoder: Encoder) -> Encoder:
        if self.config is None or not isinstance(encoder, Embeddings | ContextualEncoder):
            return encoder
        config = read_config(self.config)
        if encoder.config == config:
            return encoder
        if isinstance(encoder, Embeddings):
            return encoder.with_config(config) if isinstance(config, EncodeConfig) else encoder
        return encoder.with_config(config) if isinstance(config, ContextConfig) else encoder

    def _named(self) -> str:
        return f", {self.sources[0]}" if self.sources else ""


def read_config(values: dict[str, Any]) -> EncodeConfig | ContextConfig:
    """The settings of a table, or of a contextual encoder, which alone has layers.

    Raises
    ------
    InputError
        A setting that is not known.
    """
    return ContextConfig.from_dict(values) if "layers" in values else EncodeConfig.from_dict(values)


def _stack_settings(config: dict[str, Any] | None) -> tuple[Literal["none", "unit"], Tokenizer]:
    if config is None or config["scale"] not in ("none", "unit"):
        raise ValueError(f"settings of a stack {config!r:.80}")
    return config["scale"], Tokenizer.from_dict(config["tokenizer"])


def _absolute(name: str) -> str:
    """A path as one that holds from any folder, a registered name or a repository as it is."""
    from wordstock.hub.registry import registry

    path = user_path(name)
    here = path.is_file() or (path.is_dir() and registry().get(name) is None)
    return str(path.resolve()) if here and not name.startswith(_HUB) else name


def _trusted(source: str) -> bool:
    from wordstock.hub.registry import registry

    path = Path(source)
    return path.is_file() or path.is_dir() if path.is_absolute() else registry().get(source) is not None
