"""Hidden states, pooling and words against transformers and against computation by hand."""

import numpy as np
import pytest
import torch
import transformers

from tiny_models import TEXTS
from wordstock.encoders import open_encoder

POOLINGS = ("mean", "cls", "max", "mean_sqrt", "weighted_mean", "last")


@pytest.fixture(scope="module")
def theirs(family):
    """Transformers' own tokens, offsets and hidden states of each text by itself."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(family)
    model = transformers.AutoModel.from_pretrained(family).eval()
    found = []
    for text in TEXTS:
        given = tokenizer(text, return_tensors="pt", truncation=True, max_length=64, return_offsets_mapping=True)
        with torch.inference_mode():
            ran = model(input_ids=given["input_ids"], attention_mask=given["attention_mask"], output_hidden_states=True)
        found.append((given["input_ids"][0].tolist(), [layer[0].numpy() for layer in ran.hidden_states], tokenizer))
    return found


@pytest.fixture(scope="module")
def ours(family):
    return open_encoder(family)


def test_every_layer_of_every_token(ours, theirs):
    for layer in range(-1, 4):
        found = ours.with_config(layers=layer).encode_tokens(TEXTS[:5])
        for pieces, (ids, states, tokenizer) in zip(found, theirs, strict=False):
            assert pieces.text == tokenizer.convert_ids_to_tokens(ids)[1:-1]
            np.testing.assert_allclose(pieces.vectors, states[layer][1:-1], atol=1e-4)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_pooling_by_hand(ours, theirs, pooling):
    by_hand = {
        "mean": lambda x: x.mean(0),
        "cls": lambda x: x[0],
        "max": lambda x: x.max(0),
        "mean_sqrt": lambda x: x.sum(0) / np.sqrt(len(x)),
        "weighted_mean": lambda x: np.average(x, axis=0, weights=np.arange(1, len(x) + 1)),
        "last": lambda x: x[-1],
    }[pooling]
    with pytest.warns(UserWarning, match=r"1 of 6 texts are longer than 64 tokens"):
        found = ours.with_config(pooling=pooling).encode(TEXTS)
    np.testing.assert_allclose(found, [by_hand(states[-1]) for _, states, _ in theirs], atol=1e-4)


def test_several_layers_and_poolings(ours, theirs):
    texts, states = TEXTS[:2], [states for _, states, _ in theirs[:2]]
    mixed = ours.with_config(layers=[1, 3], layer_weights=[1, 3], pooling="cls").encode(texts)
    np.testing.assert_allclose(mixed, [0.25 * s[1][0] + 0.75 * s[3][0] for s in states], atol=1e-4)
    side = ours.with_config(layers=[-1, 0], combine="concat", pooling=("mean", "max"))
    assert (side.dim, side.word_dim) == (128, 64)
    wanted = [np.concatenate([np.hstack([s[-1], s[0]]).mean(0), np.hstack([s[-1], s[0]]).max(0)]) for s in states]
    np.testing.assert_allclose(side.encode(texts), wanted, atol=1e-4)
    assert side.encode_words(texts)[0].shape == (6, 64)


def test_offsets_name_the_characters_of_each_token(ours):
    text = "She went  to unbanked 東京 don't naïve"
    pieces = ours.encode_tokens([text])[0]
    covered = set()
    for (start, stop), token in zip(pieces.offsets.tolist(), pieces.text, strict=True):
        part = text[start:stop]
        assert part == part.strip()
        assert part or token in "▁Ġ"
        covered |= set(range(start, stop))
        if part.isascii() and not token.startswith(("[", "<")):
            assert token.lstrip("▁Ġ").removeprefix("##").lower() == part.lower()
    assert covered == {at for at, letter in enumerate(text) if not letter.isspace()}


@pytest.mark.parametrize("how", ["mean", "first", "last"])
def test_words_by_hand(ours, how):
    words = ["She", "unbanked", "don't", "東京", "river", "café", ".", ""]
    text = " ".join(words)
    tokens = ours.encode_tokens([text])[0]
    spans, at = [], 0
    for word in words:
        spans.append((at, at + len(word)))
        at += len(word) + 1
    rows = [
        [row for row, (a, b) in enumerate(tokens.offsets.tolist()) if a < stop and b > start and b > a]
        for start, stop in spans
    ]
    assert max(map(len, rows)) > 1
    chosen = {"mean": rows, "first": [r[:1] for r in rows], "last": [r[-1:] for r in rows]}[how]
    wanted = [tokens.vectors[r].mean(0) if r else np.zeros(32) for r in chosen]
    encoder = ours.with_config(subwords=how)
    np.testing.assert_allclose(encoder.encode_words([words])[0], wanted, atol=1e-5)
    np.testing.assert_allclose(encoder.encode_spans([text], [spans[:-1]])[0], wanted[:-1], atol=1e-5)


def test_own_words_of_a_text(ours):
    pieces = ours.encode_words(["Don't go,  naïve café!", "", "東京です"], located=True)
    assert [one.text for one in pieces] == [
        ["Do", "n't", "go", ",", "naïve", "café", "!"],
        [],
        ["東", "京", "で", "す"],
    ]
    assert pieces[0].offsets.tolist()[:3] == [[0, 2], [2, 5], [6, 8]]
    spans = ours.encode_spans(["Don't go,  naïve café!"], [[(2, 5), (11, 16)]])[0]
    np.testing.assert_allclose(pieces[0].vectors[[1, 4]], spans, atol=1e-5)


def test_a_text_does_not_depend_on_its_batch_mates(ours):
    texts = [text for text in TEXTS if len(text) < 100]
    texts += [f"the river number {number} " + "bank " * (number % 9) for number in range(16)]
    together = ours.encode(texts)
    for budget in (1, 300):
        apart = open_encoder(ours.path, batch_tokens=budget).encode(texts)
        lengths = np.linalg.norm(together, axis=1)
        assert (np.linalg.norm(apart - together, axis=1) < 1e-5 * lengths).all()


def test_bfloat16_stays_close(ours):
    half = ours.with_config(precision="bfloat16")
    assert half.fingerprint != ours.fingerprint
    a, b = half.encode(TEXTS[:5]), ours.encode(TEXTS[:5])
    cosines = (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
    assert cosines.min() > 0.99
    assert not np.array_equal(a, b)
