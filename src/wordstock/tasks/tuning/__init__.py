"""Tuning encoders on labelled texts, and training heads on them.

``open_tuner`` makes an encoder's weights trainable, ``contrastive`` and ``training`` train them, ``tuned_encoder`` puts
what was learnt back onto the encoder that it belongs to. A kind of encoder that can be tuned is a file here with a
tuner: ``read``, ``vectors``, ``read_words``, ``words``, ``groups``, ``tensors``, ``encoder`` and ``module``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy.typing as npt

from wordstock.embeddings import Embeddings
from wordstock.encoders import ContextualEncoder
from wordstock.encoders.cache import CachedEncoder
from wordstock.errors import InputError
from wordstock.protocols import Encoder
from wordstock.tasks.tuning.config import Contrastive, FineTune, resolve_finetune
from wordstock.tasks.tuning.progress import TrainProgress

__all__ = [
    "Contrastive",
    "FineTune",
    "TrainProgress",
    "open_tuner",
    "resolve_finetune",
    "save_tuned_encoder",
    "tuned_encoder",
]

Tensors = dict[str, npt.NDArray[Any]]


def open_tuner(encoder: Encoder, texts: Sequence[str], config: FineTune | Contrastive) -> Any:
    """The weights of an encoder, ready to be trained on some texts.

    Raises
    ------
    InputError
        A kind of encoder that cannot be tuned, or a table that has no word of the texts.
    MissingExtraError
        The extra "encoders", for a contextual model.
    """
    base = _inner(encoder)
    if isinstance(base, Embeddings):
        from wordstock.tasks.tuning.table import TableTuner

        return TableTuner(base, texts, config)
    from wordstock.tasks.tuning.contextual import ContextualTuner

    return ContextualTuner(base, config)


def tuned_encoder(encoder: Encoder, tensors: Tensors) -> Encoder:
    """An encoder with what a tuner's ``tensors`` gave.

    Raises
    ------
    ValueError
        Tensors that do not fit it.
    InputError, MissingExtraError
        As ``open_tuner``.
    """
    base = _inner(encoder)
    if isinstance(base, Embeddings):
        from wordstock.tasks.tuning.table import tuned_table

        return tuned_table(base, tensors)
    from wordstock.tasks.tuning.contextual import tuned_contextual

    return tuned_contextual(base, tensors)


def save_tuned_encoder(encoder: Encoder, tensors: Tensors, path: Path | str) -> None:
    """Write a tuned encoder as what ``wordstock.load`` opens: a folder, or for a table a native file.

    Raises
    ------
    InputError
        For a contextual model, a folder that is there already.
    StorageError
        It cannot be written.
    """
    base = _inner(encoder)
    if isinstance(base, Embeddings):
        from wordstock.tasks.tuning.table import tuned_table

        tuned_table(base, tensors).save(path)
    else:
        from wordstock.tasks.tuning.contextual import save_tuned

        save_tuned(base, tensors, path)


def _inner(encoder: Encoder) -> Embeddings | ContextualEncoder:
    base = encoder.encoder if isinstance(encoder, CachedEncoder) else encoder
    if isinstance(base, Embeddings | ContextualEncoder):
        return base
    raise InputError(
        f"a {type(base).__name__} cannot be tuned; finetune= takes a table of words (Embeddings) or a contextual model "
        "(ContextualEncoder)"
    )
