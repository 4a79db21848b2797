"""The model as a torch module: the encoder's vectors with gradients, parameters by layer, and back to a folder."""

import numpy as np
import pytest
import torch
from test_encoders_sentences import saved, st  # noqa: F401

import wordstock as ws
from tiny_models import CORPUS, TEXTS
from wordstock.encoders import open_encoder
from wordstock.errors import InputError

SHORT = [*TEXTS[:5], "she went to the bank"]


def vectors_of(trainable, texts):
    out = np.empty((len(texts), trainable.dim), np.float32)
    with torch.no_grad():
        for batch in trainable.batches(trainable.tokenize(texts), budget=64):
            out[batch.rows] = trainable.texts(batch)
    return out


def words_of(trainable, sentences, rows=None):
    tokens = trainable.tokenize_words(sentences)
    with torch.no_grad():
        return trainable.words(trainable.batch(tokens, range(len(sentences)) if rows is None else rows)).numpy()


@pytest.mark.parametrize("pooling", ["mean", "cls", "max", "mean_sqrt", "weighted_mean", ("last", "mean")])
def test_the_vectors_of_texts_are_those_of_the_encoder(bert, pooling):
    encoder = open_encoder(bert, pooling=pooling, unit=True, truncate_dim=20)
    np.testing.assert_allclose(vectors_of(encoder.trainable(), SHORT), encoder.encode(SHORT), atol=1e-5)


@pytest.mark.parametrize("subwords", ["mean", "first", "last"])
def test_every_family_gives_the_words_of_the_encoder(family, subwords):
    encoder = open_encoder(family, subwords=subwords, layers=(0, 2), layer_weights=(1, 3))
    sentences = [*SHORT, [], ["unbelievable", "", "🙂"]]
    expected = np.concatenate(encoder.encode_words(sentences))
    np.testing.assert_allclose(words_of(encoder.trainable(), sentences), expected, atol=1e-5)
    backwards = np.concatenate(encoder.encode_words(sentences[::-1]))
    found = words_of(encoder.trainable(), sentences, range(len(sentences))[::-1])
    np.testing.assert_allclose(found, backwards, atol=1e-5)


def test_words_after_the_longest_text_get_zeros(bert):
    found = words_of(open_encoder(bert, max_length=10).trainable(), [["river"] * 40])
    assert found.shape == (40, 32)
    assert found[0].any()
    assert not found[-1].any()


def test_parameters_by_layer_are_all_of_them_once(family):
    trainable = open_encoder(family).trainable()
    groups = trainable.parameter_groups()
    assert len(groups) == 5  # embeddings, three layers, what comes after
    assert all(groups[:4])
    listed = [id(one) for group in groups for one in group]
    assert sorted(listed) == sorted(id(one) for one in trainable.module.parameters())
    assert any(one.shape[0] == trainable.module.transformer.config.vocab_size for one in groups[0])


def test_training_moves_the_vectors_and_a_folder_keeps_them(st, bert, tmp_path):  # noqa: F811
    modules = st[1]
    steps = [modules.Pooling(32), modules.Dense(32, 12), modules.LayerNorm(12), modules.Normalize()]
    saved(st, bert, tmp_path / "base", *steps, prompts={"query": "the query: "})
    encoder = open_encoder(tmp_path / "base", prompt="query")
    before = encoder.encode(SHORT)
    trainable = encoder.trainable()
    trainable.module.train()
    groups = [{"params": group, "lr": 1e-3 * 2**number} for number, group in enumerate(trainable.parameter_groups())]
    optimiser = torch.optim.AdamW(groups)
    tokens = trainable.tokenize(CORPUS[:6])
    losses = []
    for _ in range(12):
        vectors = trainable.texts(trainable.batch(tokens, range(6)))
        loss = (vectors @ vectors.T).mean()  # drives all six apart
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] - 0.1
    assert all(one.grad is not None and one.grad.any() for one in trainable.module.head.parameters())
    trainable.module.eval()
    after = trainable.save(tmp_path / "tuned")
    np.testing.assert_allclose(after.encode(SHORT), vectors_of(trainable, SHORT), atol=1e-5)
    assert np.abs(after.encode(SHORT) - before).max() > 0.01
    assert after.fingerprint != encoder.fingerprint
    np.testing.assert_array_equal(ws.load(tmp_path / "tuned", prompt="query").encode(SHORT), after.encode(SHORT))
    np.testing.assert_array_equal(encoder.encode(SHORT), before)
    assert {path.name for path in tmp_path.iterdir()} == {"base", "tuned"}
    with pytest.raises(InputError, match="is there already"):
        trainable.save(tmp_path / "tuned")


def test_what_is_refused(bert):
    trainable = open_encoder(bert).trainable()
    with pytest.raises(InputError, match="text at position 1 must be a str"):
        trainable.tokenize(["a", None])
    with pytest.raises(InputError, match="position 1 holds a lone surrogate"):
        trainable.tokenize(["a", "\ud800"])
    with pytest.raises(InputError, match="make it of what tokenize_words gave"):
        trainable.words(trainable.batch(trainable.tokenize(["a"]), [0]))
