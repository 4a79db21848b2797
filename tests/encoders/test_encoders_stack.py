"""Several encoders side by side."""

import numpy as np
import pytest

import wordstock as ws
from wordstock.encoders.stack import stack
from wordstock.errors import InputError
from wordstock.text import Tokenizer


def table(words, dim, seed):
    vectors = np.random.default_rng(seed).normal(size=(len(words), dim)).astype(np.float32)
    return ws.Embeddings.from_arrays(words, vectors)


@pytest.fixture
def pair():
    return table(["the", "bank", "loan"], 4, 0), table(["bank", "river", "the"], 3, 1)


def test_texts_and_words_are_concatenated(pair):
    both = stack(pair)
    assert both.dim == 7
    texts = ["the bank", "river loan"]
    np.testing.assert_array_equal(both.encode(texts), np.hstack([one.encode(texts) for one in pair]))
    np.testing.assert_array_equal(both.encode("the bank"), both.encode(texts)[0])
    words = [["the", "river"], [], ["loan"]]
    parts = [one.encode_words(words) for one in pair]
    for found, first, second in zip(both.encode_words(words), *parts, strict=True):
        np.testing.assert_array_equal(found, np.hstack([first, second]))
    first, second = both.slices
    np.testing.assert_array_equal(both.encode(texts)[:, second], pair[1].encode(texts))
    np.testing.assert_array_equal(both.encode(texts)[:, first], pair[0].encode(texts))


def test_one_tokeniser_splits_for_all(pair):
    both = stack(pair, tokenizer=Tokenizer(casing="lower"))
    found = both.encode_words(["The bank, the river"])
    np.testing.assert_array_equal(found[0], both.encode_words([["the", "bank", ",", "the", "river"]])[0])


def test_unit_scale_weighs_all_alike(pair):
    both = stack(pair, scale="unit")
    vector = both.encode("the bank")
    for part in both.slices:
        assert np.linalg.norm(vector[part]) == pytest.approx(1, abs=1e-6)
    assert not both.encode_words([["loan"]])[0][0][both.slices[1]].any()


def test_stacks_stack(pair):
    nested = stack([stack(pair), pair[0]])
    assert nested.encode("bank").shape == (11,)


def test_a_classifier_takes_a_stack(pair):
    texts = ["the bank loan", "the river", "bank loan", "the river the"]
    model = ws.TextClassifier(stack(pair)).fit(texts, ["m", "w", "m", "w"])
    assert list(model.predict(["the loan", "the river"])) == ["m", "w"]


@pytest.mark.parametrize(
    ("encoders", "message"), [([], "at least 2"), ([1, 2], "item 0"), (None, "at least 2"), ("ab", "item 0")]
)
def test_what_is_no_stack_is_refused(pair, encoders, message):
    with pytest.raises(InputError, match=message):
        stack([pair[0]] if encoders is None else encoders)
    with pytest.raises(InputError, match="scale"):
        stack(pair, scale="half")
    with pytest.raises(InputError, match="tokenizer='words'"):
        stack(pair, tokenizer="words")
    with pytest.raises(InputError, match="encoders=5: needs a list of encoders"):
        stack(5)


def test_a_lower_case_table_finds_words_of_a_cased_sentence(encoder):
    lower = table(["the", "bank"], 4, 0)
    found = stack([lower, encoder]).encode_words([["The", "Bank"], "The Bank"])
    for vectors in found:
        np.testing.assert_array_equal(vectors[:, :4], lower.vectors(["the", "bank"]))
