"""The model families that are read, told by ``model_type`` in ``config.json``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wordstock.errors import ModelError

__all__ = ["ARCHITECTURES", "Architecture", "architecture_of"]


@dataclass(frozen=True)
class Architecture:
    """What differs between families outside of their layers.

    Parameters
    ----------
    shifted : position embeddings start after the padding token's number, so that many fewer tokens fit.
    pooler : the model class has a pooling layer of its own that is left out here.
    layers, hidden, positions : names of these numbers in ``config.json``.
    """

    shifted: bool = False
    pooler: bool = False
    layers: str = "num_hidden_layers"
    hidden: str = "hidden_size"
    positions: str = "max_position_embeddings"


ARCHITECTURES: dict[str, Architecture] = {
    "bert": Architecture(pooler=True),
    "distilbert": Architecture(layers="n_layers", hidden="dim"),
    "modernbert": Architecture(),
    "mpnet": Architecture(shifted=True, pooler=True),
    "roberta": Architecture(shifted=True, pooler=True),
    "xlm-roberta": Architecture(shifted=True, pooler=True),
}


def architecture_of(config: Mapping[str, Any], where: object) -> Architecture:
    """The family that a ``config.json`` names.

    Raises
    ------
    ModelError
        Another family; lists those that are read.
    """
    kind = config.get("model_type")
    found = ARCHITECTURES.get(kind) if isinstance(kind, str) else None
    if found is None:
        raise ModelError(
            f"{where} holds a model of type {kind!r}, which wordstock does not run; "
            f"supported are {', '.join(ARCHITECTURES)}, also as sentence-transformers folders"
        )
    return found
