"""How an encoder is tuned on labelled texts: ``FineTune`` and ``Contrastive``, the values of ``finetune=``."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

from wordstock._settings import check_flag, check_known, check_number, check_whole, store_plain
from wordstock.errors import InputError

__all__ = [
    "Contrastive",
    "FineTune",
    "Finetune",
    "Precision",
    "Tuning",
    "finetune_from_dict",
    "resolve_finetune",
]

Precision = Literal["auto", "float32", "bfloat16"]
Loss = Literal["supervised", "cosine"]


@dataclass(frozen=True)
class Tuning:
    """What both ways of tuning share; None takes what suits the encoder or the number of texts.

    Parameters
    ----------
    epochs : passes over the texts.
    batch_size : texts in one step.
    learning_rate : of the encoder's last layer, or of a table's rows, at its highest; AdamW with a linear warm-up and
        a linear decay to 0.
    layer_decay : each layer's rate is that of the layer above times this (Howard & Ruder 2018, ULMFiT); 1 gives all the
        same.
    embeddings : whether a contextual model's token embeddings are trained too. They are half of a small model, and
        most of them do not occur in the texts.
    warmup : share of the steps in which rates rise from 0.
    weight_decay : towards 0 for a contextual model, towards the vectors as they were for a table.
    max_norm : longest gradient; longer ones are scaled down to it.
    precision : of the products in a contextual model: "bfloat16" keeps weights in float32 and multiplies in bfloat16;
        "auto" does so where the processor has instructions for it.
    """

    epochs: int | None = None
    batch_size: int = 32
    learning_rate: float | None = None
    layer_decay: float = 0.9
    embeddings: bool = False
    warmup: float = 0.1
    weight_decay: float = 0.01
    max_norm: float = 1.0
    precision: Precision = "auto"

    def __post_init__(self) -> None:
        store_plain(self)
        check_whole("epochs", self.epochs, 1, optional=True)
        check_whole("batch_size", self.batch_size, 2)
        check_number("learning_rate", self.learning_rate, 0, optional=True)
        check_number("max_norm", self.max_norm, 0)
        check_number("layer_decay", self.layer_decay, 0, 1, most=True)
        check_number("warmup", self.warmup, 0, 1, least=True)
        check_number("weight_decay", self.weight_decay, 0, least=True)
        check_known("precision", self.precision, get_args(Precision))
        check_flag("embeddings", self.embeddings)

    def to_dict(self) -> dict[str, Any]:
        """The settings as plain values, with ``kind`` to tell the two apart."""
        return {"kind": KINDS_OF[type(self)], **asdict(self)}


@dataclass(frozen=True)
class FineTune(Tuning):
    """Encoder and head trained together by cross-entropy.

    Parameters
    ----------
    epochs : None takes so many that there are some 600 steps, from 3 to 20 epochs.
    learning_rate : None takes 1e-4 for a contextual model and 1e-2 for a table's rows.
    gradual : train the head alone in the first epoch and one more layer in each following one (gradual unfreezing of
        ULMFiT); for few texts and many layers.
    held_out : share of the texts kept out of training to stop by; 0 trains on all of them for all epochs.
    patience : epochs without a lower loss on the held-out texts after which training ends; the best weights are kept.
    """

    gradual: bool = False
    held_out: float = 0.0
    patience: int = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        check_flag("gradual", self.gradual)
        check_number("held_out", self.held_out, 0, 1, least=True)
        check_whole("patience", self.patience, 1)


@dataclass(frozen=True)
class Contrastive(Tuning):
    """Texts of one class pulled together and those of others apart, then a head on the vectors (as SetFit does).

    Tunstall et al. 2022, "Efficient few-shot learning without prompts". SetFit encodes two texts per pair; here each
    batch holds several texts of several classes and every pair within it counts, so that work and memory are linear in
    the texts that are drawn and no list of pairs is ever made.

    Parameters
    ----------
    epochs : passes in which each text is drawn about once; None takes so many that there are some 40 steps, from 2
        to 10 epochs.
    learning_rate : None takes for a contextual model 1.5e-3 over the number of steps, from 3e-5 to 1e-4, and for a
        table's rows 1e-2.
    loss : "supervised" is the supervised contrastive loss of Khosla et al. 2020; "cosine" brings the cosine of each
        pair to 1 within a class and 0 between classes, by squared error, as SetFit does.
    temperature : of the supervised loss; lower looks more at the nearest texts of other classes.
    per_class : texts of one class in a batch, at least 2; where a class has fewer, some come twice, which dropout makes
        two views of.
    """

    layer_decay: float = 1.0
    loss: Loss = "supervised"
    temperature: float = 0.1
    per_class: int = 4

    def __post_init__(self) -> None:
        super().__post_init__()
        check_known("loss", self.loss, get_args(Loss))
        check_number("temperature", self.temperature, 0)
        check_whole("per_class", self.per_class, 2)
        if self.batch_size < 2 * self.per_class:
            raise InputError(
                f"batch_size={self.batch_size} holds no two classes of per_class={self.per_class} texts; "
                f"raise it to {2 * self.per_class} or more"
            )


Finetune = Literal["full", "contrastive"] | FineTune | Contrastive | None

KINDS: dict[str, type[FineTune] | type[Contrastive]] = {"full": FineTune, "contrastive": Contrastive}
KINDS_OF: dict[type[Tuning], str] = {kind: name for name, kind in KINDS.items()}


def resolve_finetune(finetune: object) -> FineTune | Contrastive | None:
    """The settings that a value of ``finetune=`` stands for.

    Raises
    ------
    InputError
        Anything else than None, a known name or a config; lists what is known.
    """
    if finetune is None or isinstance(finetune, FineTune | Contrastive):
        return finetune
    if isinstance(finetune, str) and finetune in KINDS:
        return KINDS[finetune]()
    known = ", ".join([*map(repr, KINDS), "None", *(f"{one.__name__}(...)" for one in KINDS.values())])
    raise InputError(f"finetune={finetune!r:.80}: known are {known}")


def finetune_from_dict(values: dict[str, Any] | None) -> FineTune | Contrastive | None:
    """Read back what ``to_dict`` gave.

    Raises
    ------
    InputError
        A setting, or a value of one, that this version does not know.
    """
    if values is None:
        return None
    rest = dict(values)
    name = rest.pop("kind", None)
    kind = KINDS.get(name) if isinstance(name, str) else None
    if kind is None or (unknown := rest.keys() - {one.name for one in fields(kind)}):
        raise InputError(f"finetune of kind {name!r}" + (f" with {', '.join(sorted(unknown))}" if kind else ""))
    return kind(**rest)
