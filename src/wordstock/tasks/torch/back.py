"""From a layer back to a table."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from wordstock.embeddings import Embeddings, Storage
from wordstock.embeddings.storage import BLOCK_ROWS
from wordstock.protocols import FloatArray

if TYPE_CHECKING:
    from wordstock.tasks.torch.layer import EmbeddingLayer

__all__ = ["trained_table"]

_NOTE = "its vectors were trained further as a PyTorch layer"


def trained_table(layer: EmbeddingLayer) -> Embeddings:
    """``EmbeddingLayer.to_embeddings``."""
    table = layer.table
    if layer.trainable is False and not layer.replaced:
        return table
    vectors = np.empty((len(table.storage), table.dim), np.float32)
    with torch.no_grad():
        for start in range(0, len(vectors), BLOCK_ROWS):
            rows = torch.arange(start, min(start + BLOCK_ROWS, len(vectors)), device=layer.weight.device)
            vectors[start : start + len(rows)] = _array(layer.rows(rows))
    grams = table.subword_vectors if layer.grams is None else _array(layer.grams)
    trained = table.with_storage(Storage(vectors), subword_vectors=grams)
    trained.check_finite()
    return trained.with_card(replace(table.card, notes=(*table.card.notes, _NOTE)))


def _array(tensor: Tensor) -> FloatArray:
    return np.array(tensor.detach().float().cpu().numpy())
