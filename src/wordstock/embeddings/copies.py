"""Tables made of a table: the same vectors under other settings, other vectors under the same keys, fewer keys."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from wordstock._settings import check_type
from wordstock.embeddings.config import EncodeConfig
from wordstock.embeddings.sentence import check_keys
from wordstock.embeddings.storage import Storage
from wordstock.errors import InputError
from wordstock.protocols import FloatArray

if TYPE_CHECKING:
    from wordstock.embeddings.table import Embeddings

__all__ = ["changed_copy", "configured", "subset_of", "with_vectors"]


def changed_copy(table: Embeddings, *known: str, **changes: Any) -> Embeddings:
    """A table of the same parts but for ``changes``; ``known`` names values to take over if they are computed."""
    from wordstock.embeddings.table import Embeddings

    parts: dict[str, Any] = {
        "vocabulary": table.vocabulary,
        "storage": table.storage,
        "card": table.card,
        "config": table.config,
        "common": table.common,
        "subwords": table.subwords,
        "subword_vectors": table.subword_vectors,
        "output": table.output,
        "frequencies": table.given_frequencies,
    }
    computed = {name: table.__dict__[name] for name in known if name in table.__dict__}
    return Embeddings(**(parts | computed | changes))


def configured(table: Embeddings, config: EncodeConfig | None, changes: dict[str, Any]) -> Embeddings:
    """``Embeddings.with_config``."""
    config = table.config if config is None else config
    check_type("config", config, EncodeConfig, "an EncodeConfig, or settings by name")
    try:
        config = replace(config, **changes)
    except TypeError as error:
        known = ", ".join(config.to_dict())
        raise InputError(f"unknown setting in {', '.join(changes)}; known are {known}") from error
    if config.unknown == "subword" and table.subwords is None:
        raise InputError("unknown='subword' needs a table with n-gram vectors, as fastText trains them")
    return changed_copy(table, "norms", "digest", config=config, path=table.path)


def with_vectors(table: Embeddings, storage: Storage, subword_vectors: FloatArray | None) -> Embeddings:
    """``Embeddings.with_storage``."""
    if len(storage) != len(table.storage):
        raise InputError(f"{len(storage)} vectors for {len(table.storage)} rows; give one per row")
    return changed_copy(
        table,
        storage=storage,
        common=None,
        output=None,
        subwords=None if subword_vectors is None else table.subwords,
        subword_vectors=subword_vectors,
    )


def subset_of(table: Embeddings, keys: Iterable[str]) -> Embeddings:
    """``Embeddings.subset``."""
    if isinstance(keys, str):
        raise InputError("subset takes a list of keys; for one key pass a list with it")
    vocabulary, storage = table.vocabulary, table.storage
    fold = table.config.case == "fallback"
    numbers = np.array([vocabulary.require(key, fold=fold) for key in check_keys(keys)], np.int64)
    numbers = numbers[np.sort(np.unique(numbers, return_index=True)[1])]
    rows = numbers if vocabulary.rows is None else vocabulary.rows[numbers]
    return changed_copy(
        table,
        vocabulary=vocabulary.select(numbers),
        storage=Storage(storage.data[rows], None if storage.scales is None else storage.scales[rows]),
        output=None if table.output is None else table.output[rows],
        frequencies=table.frequencies[numbers],
    )
