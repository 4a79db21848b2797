"""Sentences held out of a tagger's training."""

import numpy as np
import pytest

from wordstock.errors import InputError, LabelError
from wordstock.tasks.tagging.validation import held_out

MANY = ([[f"w{row}"] for row in range(20)], [["B-A" if row % 2 else "O"] for row in range(20)])


def split(data, share, seed=0, scheme="iob2"):
    return held_out(data, share, scheme, repair=False, seed=seed)


@pytest.mark.parametrize("scheme", ["iob2", "plain"])
@pytest.mark.parametrize("seed", range(8))
def test_a_rare_label_stays_in_training(scheme, seed):
    sentences, tags = [*MANY[0], ["x", "y"]], [*MANY[1], ["B-RARE", "B-A"]]
    train, held = split((sentences, tags), 0.9, seed, scheme)
    labels = {tag for one in train[1] for tag in one}
    assert labels >= ({"O", "B-A", "B-RARE"} if scheme == "plain" else {"B-A", "B-RARE"})
    assert sorted(train[0] + held[0]) == sorted(sentences)
    assert ["x", "y"] not in held[0]


@pytest.mark.parametrize("share", [0.2, np.float32(0.2)])
def test_a_share_is_held_out_in_order(share):
    train, held = split(MANY, share)
    assert len(held[0]) == 4
    assert train[0] == [one for one in MANY[0] if one not in held[0]]


@pytest.mark.parametrize(
    ("validation", "message"),
    [
        (([], []), "validation has no sentences"),
        (1.5, "needs a share between 0 and 1"),
        (True, "validation must be a pair"),
        (([["a"]], [["O"]], 3), "validation must be a pair"),
    ],
)
def test_what_cannot_be_validated_on(validation, message):
    with pytest.raises(InputError, match=message):
        split(MANY, validation)


def test_sentences_that_are_all_needed():
    with pytest.raises(InputError, match="each of the 2 sentences has the only example of a label"):
        split(([["a"], ["b"]], [["B-X"], ["B-Y"]]), 0.5)


def test_tags_that_are_not_valid():
    with pytest.raises(LabelError, match="sentence 0, word 0"):
        split(MANY, ([["a"]], [["I-A"]]))
