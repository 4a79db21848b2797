"""One suite for every encoder: what may stand in for another answers, and refuses, as the other does."""

import copy
import pickle
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from encoder_kinds import KINDS

from wordstock.errors import InputError
from wordstock.protocols import Encoder

TEXTS = [
    "The bank by the river.",
    "the",
    "It was flooded in spring, and the river wasn't in the bank!",
    "naïve café owners, 東京 は 🙂 ok",
    "loan " * 12,
    " the  bank\n",
]
SENTENCES = ["The bank.", ["the", "river", "was", "flooded"], [], ["bank"], "", ["東", "café", "zzz"]]


@pytest.fixture(scope="module", params=KINDS)
def made(request, tmp_path_factory):
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # tiny models only lose by waiting for a second thread
    yield KINDS[request.param](tmp_path_factory.mktemp(request.param))
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def encoder(made):
    return made.encoder


@pytest.fixture(autouse=True)
def blank_texts_may_warn():
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*hold no word of the vocabulary")
        yield


def word_dim(encoder):
    return getattr(encoder, "word_dim", encoder.dim)


def assert_near(found, expected, rounding):
    """The same rows, but for a share of their length."""
    assert found.shape == expected.shape
    assert (np.abs(found - expected) <= rounding * np.linalg.norm(expected, axis=-1, keepdims=True)).all()


def test_it_is_an_encoder(encoder):
    assert isinstance(encoder, Encoder)
    assert isinstance(encoder.dim, int)
    assert encoder.dim > 0
    assert str(encoder.dim) in repr(encoder)


def test_the_fingerprint_is_that_of_weights_and_settings(made):
    own = made.encoder.fingerprint
    assert len(own) == 64
    assert set(own) <= set("0123456789abcdef")
    assert made.again().fingerprint == own
    others = [other.fingerprint for other in made.others.values()]
    assert len({own, *others}) == 1 + len(others), made.others.keys()


def test_the_same_files_and_copies_give_the_same_vectors(made):
    expected, words = made.encoder.encode(TEXTS), made.encoder.encode_words(SENTENCES)
    assert copy.deepcopy(made.encoder) is made.encoder  # immutable: scikit-learn's clone need not copy the vectors
    for name, other in {"opened": made.again(), "pickled": pickle.loads(pickle.dumps(made.encoder))}.items():
        assert other.fingerprint == made.encoder.fingerprint, name
        assert_near(other.encode(TEXTS), expected, made.rounding)
        for found, one in zip(other.encode_words(SENTENCES), words, strict=True):
            assert_near(found, one, made.rounding)


@pytest.mark.parametrize("form", [list, tuple, iter, np.array, lambda texts: (text for text in texts)])
def test_texts_come_in_any_sequence(encoder, form):
    found = encoder.encode(form(TEXTS))
    assert (found.shape, found.dtype) == ((len(TEXTS), encoder.dim), np.float32)
    assert np.isfinite(found).all()
    np.testing.assert_array_equal(found, encoder.encode(TEXTS))


def test_a_single_text_gives_a_single_vector(made):
    found = made.encoder.encode(TEXTS[0])
    assert (found.shape, found.dtype) == ((made.encoder.dim,), np.float32)
    assert_near(found, made.encoder.encode(TEXTS)[0], made.rounding)


def test_no_text_and_a_text_of_nothing(encoder):
    assert encoder.encode([]).shape == (0, encoder.dim)
    assert encoder.encode([]).dtype == np.float32
    for empty in ("", " ", "\n\t"):
        assert np.isfinite(encoder.encode([empty, "the"])).all()
        assert encoder.encode(empty).shape == (encoder.dim,)


def test_a_vector_does_not_depend_on_its_batch(made):
    together = made.encoder.encode(TEXTS)
    for order in (range(len(TEXTS)), range(len(TEXTS))[::-1], [2, 2, 0]):
        assert_near(made.encoder.encode([TEXTS[at] for at in order]), together[list(order)], made.rounding)
    assert_near(np.stack([made.encoder.encode(text) for text in TEXTS]), together, made.rounding)
    words = made.encoder.encode_words(SENTENCES)
    for sentence, expected in zip(SENTENCES, words, strict=True):
        assert_near(made.encoder.encode_words([sentence])[0], expected, made.rounding)


def test_what_it_gives_is_the_callers(encoder):
    sentence = ["the", "bank"]
    for ask in (lambda: encoder.encode(["the", "the"]), lambda: encoder.encode_words([sentence, sentence])):
        for _ in range(2):
            first, second = ask()
            kept = first.copy()
            first[:] = 7
            np.testing.assert_array_equal(second, kept)
        np.testing.assert_array_equal(ask()[0], kept)


def test_several_threads_at_once(made):
    expected = made.encoder.encode(TEXTS)
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda _: made.encoder.encode(TEXTS), range(8)):
            assert_near(found, expected, made.rounding)


@pytest.mark.parametrize("wrong", [None, 3.5, b"the", ["the"]], ids=str)
def test_one_bad_text_is_named(encoder, wrong):
    with pytest.raises(InputError, match=f"text at position 1 must be a str, not {type(wrong).__name__}"):
        encoder.encode(["the", wrong, "bank"])


@pytest.mark.parametrize("wrong", [None, 3, b"the", {"the": 1}], ids=str)
def test_what_is_no_sequence_of_texts(encoder, wrong):
    with pytest.raises(InputError, match=f"expected a str or a sequence of str, not {type(wrong).__name__}"):
        encoder.encode(wrong)


@pytest.mark.parametrize("odd", ["so\ud83d", "\udc00", "the \ud800 bank"], ids=ascii)
def test_half_a_character_is_unknown_or_named(encoder, odd):
    """A lone surrogate is no text that UTF-8 can hold: a table lacks it, a model's tokeniser cannot take it."""
    try:
        found = encoder.encode(["the", odd])
    except InputError as error:
        assert "text at position 1 holds a lone surrogate" in str(error)  # noqa: PT017
    else:
        assert np.isfinite(found).all()
    try:
        (words,) = encoder.encode_words([["the", odd]])
    except InputError as error:
        assert "lone surrogate" in str(error)  # noqa: PT017
    else:
        assert words.shape == (2, word_dim(encoder))
        assert np.isfinite(words).all()


def test_every_word_has_a_vector(encoder):
    found = encoder.encode_words(SENTENCES)
    assert [len(rows) for rows in found] == [3, 4, 0, 1, 0, 3]
    assert {(rows.shape[1], rows.dtype.name) for rows in found} == {(word_dim(encoder), "float32")}
    assert all(np.isfinite(rows).all() for rows in found)
    assert encoder.encode_words([]) == []
    for form in (tuple, iter, lambda sentences: (sentence for sentence in sentences)):
        for rows, expected in zip(encoder.encode_words(form(SENTENCES)), found, strict=True):
            np.testing.assert_array_equal(rows, expected)


def test_words_come_in_any_sequence(encoder):
    words = ["the", "river", "the"]
    expected = encoder.encode_words([words])[0]
    for form in (tuple, iter, np.array):
        np.testing.assert_array_equal(encoder.encode_words([form(words)])[0], expected)


@pytest.mark.parametrize(
    ("sentences", "said"),
    [
        ("the bank", "expected a list of sentences, not a str; for one sentence pass a list with it"),
        (None, "expected a list of sentences, not NoneType"),
        (b"bank", "expected a list of sentences, not bytes"),
        (["the", None], "sentence at position 1: expected a str or a sequence of str, not NoneType"),
        ([["the"], ["bank", 3]], "sentence at position 1: word at position 1 must be a str, not int"),
        ([["the"], b"bank"], "sentence at position 1: expected a str or a sequence of str, not bytes"),
    ],
    ids=str,
)
def test_one_bad_word_is_named(encoder, sentences, said):
    with pytest.raises(InputError, match=f"^{said}"):
        encoder.encode_words(sentences)
