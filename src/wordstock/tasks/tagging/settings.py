"""The parameters of a tagger, checked; they stand in its file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, Self, get_args

from wordstock._settings import check_flag, check_known, check_number, check_whole, store_plain
from wordstock.errors import InputError
from wordstock.tasks.tagging.characters import Characters
from wordstock.tasks.tagging.plan import TrainingPlan, batch_size_for, epochs_for
from wordstock.tasks.tagging.schemes import Scheme
from wordstock.text import Tokenizer

__all__ = ["Model", "NetworkShape", "TaggerSettings"]

Model = Literal["bilstm-crf", "crf", "finetune"]

_LAYER_DECAY = 0.9
_RATES = {"bilstm-crf": 2e-3, "crf": 5e-3, "finetune": 2e-3}
_EPOCHS = {"bilstm-crf": (8, 30), "crf": (8, 30), "finetune": (5, 20)}  # for many and for few sentences


@dataclass(frozen=True)
class TaggerSettings:
    """As the parameters of ``SequenceTagger``.

    Raises
    ------
    InputError
        A value that is not known or out of range.
    """

    model: Model = "bilstm-crf"
    characters: Characters = "hashed"
    hidden: int = 128
    dropout: float = 0.4
    epochs: int | None = None
    batch_size: int | None = None
    learning_rate: float | None = None
    encoder_learning_rate: float = 2e-4
    patience: int = 5
    scheme: Scheme | None = None
    repair: bool = False
    tokenizer: Tokenizer | None = None
    device: str | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        store_plain(self)
        check_known("model", self.model, get_args(Model))
        check_known("characters", self.characters, get_args(Characters))
        if self.scheme is not None:
            check_known("scheme", self.scheme, get_args(Scheme))
        for name in ("hidden", "patience"):
            check_whole(name, getattr(self, name), 1)
        for name in ("epochs", "batch_size"):
            check_whole(name, getattr(self, name), 1, optional=True)
        check_number("learning_rate", self.learning_rate, 0, optional=True)
        check_number("encoder_learning_rate", self.encoder_learning_rate, 0)
        check_number("dropout", self.dropout, 0, 1, least=True)
        check_whole("seed", self.seed, 0, below=1 << 63)
        check_flag("repair", self.repair)
        self._check_objects()

    def _check_objects(self) -> None:
        if self.tokenizer is not None and not isinstance(self.tokenizer, Tokenizer):
            raise InputError(f"tokenizer must be a wordstock.text.Tokenizer, not {type(self.tokenizer).__name__}")
        if self.device not in (None, "cpu") and str(self.device).split(":")[0] != "cuda":
            raise InputError(f"device={self.device!r}: known are 'cpu', 'cuda'")

    def plan(self, sentences: int) -> TrainingPlan:
        """How to learn from so many sentences."""
        size = self.batch_size or batch_size_for(sentences)
        return TrainingPlan(
            epochs=self.epochs or epochs_for(sentences, size, *_EPOCHS[self.model]),
            batch_size=size,
            learning_rate=self.learning_rate or _RATES[self.model],
            encoder_learning_rate=self.encoder_learning_rate,
            layer_decay=_LAYER_DECAY,
            patience=self.patience,
            seed=self.seed,
        )

    def params(self) -> dict[str, Any]:
        """The parameters by name."""
        return {one.name: getattr(self, one.name) for one in fields(self)}

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; the device belongs to a machine and is left out."""
        values = asdict(self) | {"tokenizer": None if self.tokenizer is None else self.tokenizer.to_dict()}
        del values["device"]
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read back what ``to_dict`` gave.

        Raises
        ------
        InputError
            A setting, or a value of one, that this version does not know.
        """
        if unknown := values.keys() - {one.name for one in fields(cls)}:
            raise InputError(f"tagger settings {', '.join(sorted(unknown))} are not known; upgrade wordstock")
        split = values.get("tokenizer")
        return cls(**{**values, "tokenizer": None if split is None else Tokenizer.from_dict(split)})


@dataclass(frozen=True)
class NetworkShape:
    """What a network is made of.

    Parameters
    ----------
    model : "bilstm-crf", "crf" or "finetune".
    word_dim : of the word vectors.
    tags : number of tags.
    hidden : of the LSTM, for each direction.
    characters : the kind of character features.
    letters : size of the alphabet, for "cnn".
    dropout : share of the inputs and of the hidden states.
    """

    model: Model
    word_dim: int
    tags: int
    hidden: int
    characters: Characters
    letters: int
    dropout: float
