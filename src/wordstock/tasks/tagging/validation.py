"""The sentences that a tagger is validated on while it learns: given ones, or a share of those to learn from."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from wordstock._settings import plain
from wordstock.errors import InputError
from wordstock.tasks.tagging.schemes import Scheme
from wordstock.tasks.tagging.sentences import as_sentences, as_tags, check_sequences
from wordstock.tasks.tagging.tagset import labels_of

__all__ = ["Tagged", "held_out"]

Tagged = tuple[list[list[str]], list[list[str]]]


def held_out(data: Tagged, validation: Any, scheme: Scheme, *, repair: bool, seed: int) -> tuple[Tagged, Tagged | None]:
    """Sentences and tags to learn from, and those to validate on.

    Of a share, every label stays in a sentence to learn from, so that fewer are held out where there are rare labels.

    Raises
    ------
    InputError
        Neither a pair of sentences and tags with at least one sentence, nor a share between 0 and 1, nor None; a share
        of sentences each of which has the only example of a label.
    LabelError
        Validation tags that are not valid in the scheme.
    """
    validation = plain(validation)
    if validation is None:
        return data, None
    if isinstance(validation, float):
        return _split(data, validation, scheme, seed)
    if not isinstance(validation, tuple | list) or len(validation) != 2:
        raise InputError("validation must be a pair (sentences, tags), a share such as 0.1, or None")
    sentences = as_sentences(validation[0])
    if not sentences:
        raise InputError("validation has no sentences; give some, a share such as 0.1, or None")
    return data, (
        sentences,
        check_sequences(as_tags(validation[1], sentences), scheme, sentences, repair=repair),
    )


def _split(data: Tagged, share: float, scheme: Scheme, seed: int) -> tuple[Tagged, Tagged]:
    size = len(data[0])
    if not 0 < share < 1 or size < 2:
        raise InputError(f"validation={share!r} of {size} sentences: needs a share between 0 and 1")
    labels = [labels_of(one, scheme) for one in data[1]]
    left = Counter(label for one in labels for label in one)
    wanted = min(max(1, round(share * size)), size - 1)
    out: set[int] = set()
    for row in np.random.default_rng(seed).permutation(size).tolist():
        if len(out) < wanted and all(left[label] > 1 for label in labels[row]):
            out.add(row)
            left.subtract(labels[row])
    if not out:
        raise InputError(
            f"validation={share!r}: each of the {size} sentences has the only example of a label, so that none can be "
            "held out; give more sentences, or validation=None"
        )
    return _rows(data, [row for row in range(size) if row not in out]), _rows(data, sorted(out))


def _rows(data: Tagged, rows: list[int]) -> Tagged:
    return [data[0][row] for row in rows], [data[1][row] for row in rows]
