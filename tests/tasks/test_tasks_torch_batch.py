"""Sentences to batches, by hand and by a DataLoader with workers."""

import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from layer_samples import WORDS, plain, spelling
from torch.utils.data import DataLoader

from wordstock.errors import InputError
from wordstock.tasks.torch import Batcher, WordBatch, pad_vectors


def test_a_batch_is_padded_at_the_end():
    layer = plain().to_torch()
    batch = layer.batch(["the cat", "mat", "", ["zebra"] * 3])
    assert batch.ids.tolist() == [[2, 3, 0], [7, 0, 0], [0, 0, 0], [1, 1, 1]]
    assert batch.lengths.tolist() == [2, 1, 0, 3]
    assert batch.mask.tolist() == [[i < n for i in range(3)] for n in (2, 1, 0, 3)]
    assert layer.batch([""]).ids.tolist() == [[0]]


def test_prepared_sentences_give_the_same_batch():
    layer = spelling()[0].to_torch()
    sentences = ["cat catt zzz catt", ["doggy"], "", "river"]
    for one, other in zip(layer.batch(sentences), layer.batch(layer.prepare(sentences)), strict=True):
        assert torch.equal(one, other)


def test_long_sentences_are_cut():
    table, _ = spelling()
    layer = table.to_torch(max_words=2)
    batch = layer.batch([["catt", "cat", "doggy", "dog"], ["rivver"]])
    assert batch.lengths.tolist() == [2, 1]
    whole = table.to_torch()
    expected = whole(whole.batch([["catt", "cat"], ["rivver"]]))
    torch.testing.assert_close(layer(batch), expected)


def test_targets():
    collate = plain().to_torch().collate
    batch, labels, weights = collate([("the cat", 1, 0.5), (["dog"], 0, 2.0)])
    assert isinstance(batch, WordBatch)
    assert (labels.tolist(), weights.tolist()) == ([1, 0], [0.5, 2.0])
    _, tags = collate([(["the", "cat"], [1, 2]), (["dog"], np.array([3]))])
    assert tags.tolist() == [[1, 2], [3, -100]]
    _, tags = Batcher(collate.word_ids, max_words=1)([(["the", "cat"], [1, 2])])
    assert tags.tolist() == [[1]]
    with pytest.raises(InputError, match="3 labels for the 2 words of the sentence at position 0"):
        collate([(["the", "cat"], [1, 2, 3])])


@pytest.mark.parametrize("sentences", ["the cat", []])
def test_what_is_no_batch(sentences):
    with pytest.raises(InputError, match=r"list of sentences|at least one"):
        plain().to_torch().batch(sentences)
    with pytest.raises(InputError, match="word at position 1 must be a str"):
        plain().to_torch().batch([["the", 3]])


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_loader_with_workers(method):
    """In a process of its own: libraries that other tests have loaded here do not bear a fork of their threads."""
    code = f"import {__name__} as here; here.load_with_workers({method!r})"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr


def load_with_workers(method):
    layer = spelling()[0].to_torch()
    data = [(["cat", "catt"], 0), (["dog"], 1), (["doggy", "river", "zzz"], 2)] * 3
    here = DataLoader(data, batch_size=4, collate_fn=layer.collate)
    there = DataLoader(data, batch_size=4, collate_fn=layer.collate, num_workers=1, multiprocessing_context=method)
    for (batch, labels), (other, others) in zip(here, there, strict=True):
        assert torch.equal(layer(batch), layer(other))
        assert torch.equal(labels, others)


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ([("good film", "a")], r"the targets \['a'\] must be numbers"),
        ([("good film", None)], "must be numbers"),
        ([("good film", 1), ("bad film", [0, 1])], "must be numbers"),
        ([("good film", ["a", "b"])], r"position 0 of its batch, \['a', 'b'\], must be numbers"),
        ([("good film", [0.5, 1])], "position 0 of its batch must be whole numbers"),
        ([("good film", 1), ("bad film",)], "tuples of different lengths"),
    ],
)
def test_targets_that_are_no_numbers(items, message):
    with pytest.raises(InputError, match=message):
        plain().to_torch().collate(items)


def test_contextual_vectors_are_padded():
    sentences = [np.ones((2, 3), np.float32), np.empty((0, 3), np.float32)]
    vectors, mask = pad_vectors(sentences)
    assert vectors.shape == (2, 2, 3)
    assert mask.tolist() == [[True, True], [False, False]]
    assert vectors.sum() == 6
    for kind in (iter, pd.Series, lambda given: dict(enumerate(given)).values()):
        assert torch.equal(pad_vectors(kind(sentences))[0], vectors)
    assert torch.equal(pad_vectors(plain().encode_words([WORDS]))[0][0], torch.from_numpy(plain().vectors(WORDS)))
    with pytest.raises(InputError, match="no sentences"):
        pad_vectors([])
    for wrong in (None, ["the cat"], [[[1.0]]]):
        with pytest.raises(InputError, match=r"^sentences.*: needs a"):
            pad_vectors(wrong)
    with pytest.raises(InputError, match="one dim"):
        pad_vectors([np.ones((2, 3)), np.ones((2, 4))])
