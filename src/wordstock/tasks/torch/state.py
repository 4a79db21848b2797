"""What a layer adds to its ``state_dict``: which table its vectors are of, and how far it has counted.

``identity`` uint8 (32,): with vectors in the state, SHA-256 of the keys that they belong to; without them, the table's
digest, which is of its vectors too. ``steps`` int64 (), for ``trainable=n``. Both are tensors, so that a state can be
written as safetensors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy.typing as npt
import torch

from wordstock.embeddings.digest import digest_of
from wordstock.errors import FingerprintError, InputError
from wordstock.tasks.word_ids import unknown_vector

if TYPE_CHECKING:
    from wordstock.tasks.torch.layer import EmbeddingLayer

__all__ = ["load_layer", "save_layer"]

_VECTORS = ("weight", "scales", "unknown", "grams")


def save_layer(layer: EmbeddingLayer, destination: Any, prefix: str) -> None:
    """Add ``identity`` and ``steps``."""
    digest = _keys_digest(layer) if layer.persistent else layer.table.digest
    destination[f"{prefix}identity"] = torch.frombuffer(bytearray.fromhex(digest), dtype=torch.uint8)
    if layer.counts:
        destination[f"{prefix}steps"] = torch.tensor(layer.steps)


def load_layer(layer: EmbeddingLayer, state: Any, prefix: str) -> bool:
    """Take ``identity`` and ``steps`` out of a state, and see that its vectors go where they belong.

    A layer that keeps its vectors out of its state takes those of a state that has them; a trainable one takes the
    table's where the state has none.

    Returns
    -------
    Whether the state has an identity.

    Raises
    ------
    FingerprintError
        The state is of another table, or of one with the same keys whose rows mean something else.
    InputError
        Vectors of another shape for a layer that does not learn; PyTorch says so of one that does.
    """
    identity = state.pop(f"{prefix}identity", None)
    steps = state.pop(f"{prefix}steps", None)
    brings = f"{prefix}weight" in state
    if identity is not None:
        own = _keys_digest(layer) if brings else layer.table.digest
        if bytes(identity.tolist()).hex() != own:
            what = "the keys and settings" if brings else "the vectors"
            raise FingerprintError(
                f"this state was saved by a layer of another table: {what} differ from those of {layer.table!r}; "
                "make the layer of the table that it was saved with"
            )
        if not brings and layer.trainable:
            _bring(layer, state, prefix)
    if brings and not layer.trainable:
        _take(layer, state, prefix)
    elif layer.trainable and (scales := state.pop(f"{prefix}scales", None)) is not None:
        state[f"{prefix}weight"] = state[f"{prefix}weight"].float() * scales[:, None]
    if layer.counts:
        layer.set_steps(0 if steps is None else int(steps))
    return identity is not None


def _keys_digest(layer: EmbeddingLayer) -> str:
    vocabulary = layer.table.vocabulary
    subwords = layer.table.subwords
    arrays: dict[str, npt.NDArray[Any] | None] = {
        "keys": vocabulary.blob,
        "offsets": vocabulary.offsets,
        "rows": vocabulary.rows,
        "buckets": None if subwords is None else subwords.stored,
    }
    return digest_of(arrays, f"{subwords!r} {layer.subwords}")


def _bring(layer: EmbeddingLayer, state: Any, prefix: str) -> None:
    """Put the table's vectors into a state that was saved without them."""
    rows = layer.fresh_rows()
    state[f"{prefix}weight"] = rows.vectors
    state[f"{prefix}unknown"] = torch.from_numpy(unknown_vector(layer.table, layer.word_ids.unknown)[None])
    if rows.grams is not None:
        state[f"{prefix}grams"] = rows.grams


def _take(layer: EmbeddingLayer, state: Any, prefix: str) -> None:
    """Take vectors of a state in place of the table's, which are not to be written to."""
    dtype, device = layer.unknown.dtype, layer.unknown.device
    for name in _VECTORS:
        given = state.get(f"{prefix}{name}")
        own = getattr(layer, name)
        if given is not None and own is not None and given.shape != own.shape:
            raise InputError(
                f"{prefix}{name} has the shape {tuple(given.shape)}, in this layer {tuple(own.shape)}; load the "
                "state of a layer of the same table"
            )
        mine = None if given is None else given.to(device, copy=True)
        setattr(layer, name, mine.to(dtype) if mine is not None and name == "unknown" else mine)
        if not layer.persistent:
            state.pop(f"{prefix}{name}", None)
    layer.replaced = True
