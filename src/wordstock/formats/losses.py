"""What a file of each format does not hold of a table."""

from __future__ import annotations

import numpy as np

from wordstock.embeddings import Embeddings
from wordstock.embeddings.storage import Precision
from wordstock.formats.detect import Format
from wordstock.text.scripts import ENTITY

__all__ = ["losses"]

_ROUGHER = {"float32": 0, "float16": 1, "int8": 2}


def losses(table: Embeddings, format: Format, precision: Precision | None = None) -> list[str]:
    """What a file of this format would not hold of this table, one sentence each."""
    stored = table.storage.precision
    if format == "native":
        wanted = precision or stored
        if _ROUGHER.get(wanted, 0) > _ROUGHER[stored]:
            return [f"{stored} numbers are rounded to {wanted}"]
        return []
    lost = _of_model2vec(table) if format == "model2vec" else _of_keys_and_vectors(table)
    if stored != "float32":
        lost.append(f"{stored} vectors are written as float32, which takes more room")
    if card := sorted(table.card.to_dict().keys() - {"name"}):
        lost.append(f"the card is dropped ({', '.join(card)})")
    if table.subwords is not None:
        lost.append("the n-gram vectors are dropped: unknown words get no vector any more")
    if table.output is not None:
        lost.append("the output vectors are dropped: training cannot continue")
    return lost


def _of_keys_and_vectors(table: Embeddings) -> list[str]:
    vocabulary, lost = table.vocabulary, []
    if vocabulary.counts is not None:
        lost.append("the counts of the keys are dropped; their order stays")
    if vocabulary.rows is not None:
        shared = len(table) - len(np.unique(vocabulary.rows))
        unused = len(table.storage) - (len(table) - shared)
        if shared:
            lost.append(f"{shared:,} keys that share a vector with another get a copy of their own")
        if unused:
            lost.append(f"{unused:,} vectors without a key are dropped")
    if table.common is not None:
        lost.append("the common components that encode removes are dropped")
    return lost


def _of_model2vec(table: Embeddings) -> list[str]:
    lost = []
    if table.vocabulary.counts is not None:
        lost.append("the counts of the keys are dropped; the weights made of them are in the vectors")
    elif table.config.pooling == "sif":
        lost.append("the weights of the words are in the vectors and cannot be told from them any more")
    if table.common is not None:
        lost.append("the directions that encode removes are removed from the vectors")
    if any(key.startswith(ENTITY) for key in table.keys):
        lost.append(f"the tokens of entities ({ENTITY}…) are split where text is encoded")
    return lost
