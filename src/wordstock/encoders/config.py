"""How a contextual model's hidden states become vectors: layers, pooling, prompt, length, precision."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, get_args

from wordstock._settings import check_flag, check_known, check_number, check_type, check_whole, plain, store_plain
from wordstock.encoders.known_prompts import known_prompts
from wordstock.errors import InputError
from wordstock.text import Tokenizer

__all__ = ["ContextConfig", "Pooling", "Precision"]

Pooling = Literal["mean", "cls", "max", "mean_sqrt", "weighted_mean", "last"]
Precision = Literal["float32", "bfloat16", "int8"]
_CHOICES: dict[str, tuple[str, ...]] = {
    "combine": ("mean", "concat"),
    "long": ("truncate", "window"),
    "subwords": ("mean", "first", "last"),
    "precision": get_args(Precision),
}


@dataclass(frozen=True)
class ContextConfig:
    """Settings of ``ContextualEncoder``; all of them are part of its fingerprint.

    Parameters
    ----------
    pooling : how a text's tokens, special tokens included, become one vector; several are concatenated. "mean", "max",
        "cls" (the first token), "last" (the last one), "mean_sqrt" (the sum over the root of the number of tokens),
        "weighted_mean" (token i weighs i, from 1).
    layers : which hidden states are taken: 0 is the output of the embedding layer, -1 that of the last layer. An int
        or several.
    combine : of several layers, "mean" takes the mean, weighted if ``layer_weights`` are given (the scalar mix of
        Peters et al. 2018, without its softmax), "concat" puts them side by side.
    layer_weights : one number per layer, brought to sum 1; None weighs all alike.
    prompts : texts by name that a model wants before a text, such as ``{"query": "query: "}``, or the name of a family
        that is known for its prompts: "e5", "bge-en", "bge-zh".
    prompt : the name of the one that ``encode`` puts there unless told otherwise, "" for none.
    truncate_dim : keep the first so many numbers of a vector, for models trained for that (Matryoshka
        representation learning, Kusupati et al. 2022); None keeps all.
    unit : scale every text's vector to length 1, after truncation.
    max_length : most tokens the model is given at once, special tokens included; None takes all it can have.
    long : a text of more tokens is cut off ("truncate", with one warning that counts such texts) or read in
        overlapping windows ("window") whose vectors are averaged, weighted by their tokens. Vectors of words, tokens
        and spans always come from windows, so that none is lost.
    overlap : share of a window that the next one repeats, 0 to 0.5.
    subwords : a word's or span's vector is the "mean" of its pieces', or that of the "first" or "last" piece.
    precision : that the vectors are good for: "float32", "bfloat16" or "int8", as far as the backend has them. With
        "float32" the backend "auto" may compute in less where the vectors keep a cosine of 0.999.
    tokenizer : splits text into words for ``encode_words``.

    Raises
    ------
    InputError
        A value that is not known or out of range.
    """

    pooling: tuple[Pooling, ...] = ("mean",)
    layers: tuple[int, ...] = (-1,)
    combine: Literal["mean", "concat"] = "mean"
    layer_weights: tuple[float, ...] | None = None
    prompts: dict[str, str] = field(default_factory=dict)
    prompt: str = ""
    truncate_dim: int | None = None
    unit: bool = False
    max_length: int | None = None
    long: Literal["truncate", "window"] = "truncate"
    overlap: float = 0.25
    subwords: Literal["mean", "first", "last"] = "mean"
    precision: Precision = "float32"
    tokenizer: Tokenizer = field(default_factory=lambda: Tokenizer(casing="keep"))

    def __post_init__(self) -> None:
        store_plain(self)
        self._set_sequences()
        for name, known in _CHOICES.items():
            check_known(name, getattr(self, name), known)
        for name in ("truncate_dim", "max_length"):
            check_whole(name, getattr(self, name), 1, optional=True)
        check_number("overlap", self.overlap, 0, 0.5, least=True, most=True)
        check_flag("unit", self.unit)
        check_type("tokenizer", self.tokenizer, Tokenizer, "a wordstock.text.Tokenizer")
        self._check_prompts()

    def _set_sequences(self) -> None:
        pooling: object = self.pooling
        layers: object = self.layers
        object.__setattr__(self, "pooling", (pooling,) if isinstance(pooling, str) else _listed("pooling", pooling))
        object.__setattr__(self, "layers", (layers,) if isinstance(layers, int) else _listed("layers", layers))
        if unknown := [one for one in self.pooling if one not in get_args(Pooling)]:
            known = ", ".join(map(repr, get_args(Pooling)))
            raise InputError(f"pooling={unknown[0]!r}: known are {known}")
        if not all(isinstance(layer, int) and not isinstance(layer, bool) for layer in self.layers):
            raise InputError(f"layers={self.layers!r}: needs whole numbers; 0 is the embedding layer, -1 the last one")
        if self.layer_weights is None:
            return
        weights = _listed("layer_weights", self.layer_weights)
        if len(weights) != len(self.layers) or self.combine != "mean":
            raise InputError(
                f"{len(weights)} layer_weights for {len(self.layers)} layers; give one for each, with combine='mean'"
            )
        numbers = [one for one in weights if isinstance(one, int | float) and not isinstance(one, bool)]
        if len(numbers) < len(weights) or not 0 < abs(sum(weights)) < math.inf:
            raise InputError(f"layer_weights={weights!r}: needs numbers with a sum other than 0")
        object.__setattr__(self, "layer_weights", tuple(float(weight) for weight in weights))

    def _check_prompts(self) -> None:
        prompts: object = self.prompts
        if isinstance(prompts, str):
            prompts = known_prompts(prompts)
        texts = [one for pair in prompts.items() for one in pair] if isinstance(prompts, Mapping) else [prompts]
        if not isinstance(prompts, Mapping) or not all(isinstance(one, str) for one in texts):
            raise InputError(f"prompts={prompts!r:.80}: needs a dict of texts by name")
        object.__setattr__(self, "prompts", dict(prompts))
        self.prompt_text(self.prompt)

    def prompt_text(self, name: str) -> str:
        """The text of a prompt; "" for the name "".

        Raises
        ------
        InputError
            No prompt of that name.
        """
        if name == "":
            return ""
        given: object = name
        if not isinstance(given, str) or name not in self.prompts:
            known = ", ".join(map(repr, self.prompts)) or "none"
            raise InputError(
                f"no prompt is called {name!r} (there is {known}); add it with with_config(prompts={{...}}), "
                "or prompts='e5' and the like for those of a family"
            )
        return self.prompts[name]

    def to_dict(self) -> dict[str, Any]:
        """The settings as plain values for JSON."""
        values = {**asdict(self), "tokenizer": self.tokenizer.to_dict()}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ContextConfig:
        """Read back what ``to_dict`` gave.

        Raises
        ------
        InputError
            A setting, or a value of one, that this version does not know.
        """
        if unknown := values.keys() - {one.name for one in fields(cls)}:
            raise InputError(f"encoder settings {', '.join(sorted(unknown))} are not known; upgrade wordstock")
        return cls(**{**values, "tokenizer": Tokenizer.from_dict(values.get("tokenizer", {}))})


def _listed(name: str, value: object) -> tuple[Any, ...]:
    if not isinstance(value, Iterable) or not (listed := tuple(map(plain, value))):
        raise InputError(f"{name}={value!r}: needs one value or several")
    return listed
