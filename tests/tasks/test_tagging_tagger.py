"""SequenceTagger: what it learns, gives back, refuses, and writes to a file."""

from __future__ import annotations

import copy
import json
import pickle
import unicodedata
from dataclasses import replace

import numpy as np
import pytest
import safetensors.numpy
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import cross_val_score
from tagging_samples import build_bert, tagged
from topic_samples import Letters, make_table

import wordstock as ws
from wordstock.encoders import open_encoder
from wordstock.encoders.cache import CachedEncoder
from wordstock.encoders.stack import stack
from wordstock.errors import FingerprintError, FormatError, InputError, LabelError, WordstockError
from wordstock.tasks import SequenceTagger
from wordstock.tasks.tagging.schemes import first_fault
from wordstock.text import Tokenizer

TRAIN, TEST = tagged(80, 1), tagged(60, 2)
QUICK = {"epochs": 6, "batch_size": 8, "hidden": 16, "learning_rate": 0.02}


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Small networks only lose by waiting for a second thread."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    return open_encoder(build_bert(tmp_path_factory.mktemp("bert")))


@pytest.fixture(scope="module")
def small():
    return make_table()


@pytest.fixture(scope="module")
def fitted(small):
    return SequenceTagger(small, **QUICK).fit(*TRAIN)


@pytest.mark.parametrize("model", ["bilstm-crf", "crf"])
@pytest.mark.parametrize("characters", ["hashed", "cnn", "none"])
def test_every_model_learns_the_language(small, model, characters):
    tagger = SequenceTagger(small, model=model, characters=characters, **QUICK).fit(*TRAIN)
    assert tagger.score(*TEST) > 0.9
    assert len(tagger.history_) == 6
    assert tagger.history_[-1].loss < tagger.history_[0].loss / 4


def test_fine_tuning_learns_what_a_random_model_does_not_know(bert, tmp_path):
    settings = {"model": "finetune", "characters": "none", "epochs": 8, "batch_size": 8}
    tagger = SequenceTagger(bert, encoder_learning_rate=5e-3, **settings).fit(*TRAIN)
    assert tagger.score(*TEST) > 0.95
    tagger.save(tmp_path / "t")
    again = SequenceTagger.load(tmp_path / "t")
    assert again.predict(TEST[0]) == tagger.predict(TEST[0])
    assert again.encoder_.fingerprint == bert.fingerprint
    np.testing.assert_array_equal(bert.encode(["the cat"]), open_encoder(bert.path).encode(["the cat"]))
    with pytest.raises(InputError, match="trains a contextual encoder along, not Letters"):
        SequenceTagger(Letters(), **settings).fit(*TRAIN)


@pytest.mark.parametrize(
    "make", [lambda table, bert: bert, lambda table, bert: stack([table, bert]), lambda *_: Letters()]
)
def test_any_encoder_will_do(small, bert, make):
    tagger = SequenceTagger(make(small, bert), **QUICK).fit(*TRAIN)
    assert tagger.score(*TEST) > 0.9


@pytest.mark.parametrize("scheme", ["iob1", "iob2", "bioes"])
def test_answers_come_in_the_scheme_of_the_training_tags_and_are_valid(small, scheme):
    tagger = SequenceTagger(small, **{**QUICK, "epochs": 2}).fit(*tagged(60, 1, scheme))
    assert tagger.tagset_.scheme == scheme
    assert all(first_fault(tags, scheme) is None for tags in tagger.predict(TEST[0]))


def test_plain_labels_are_scored_by_the_word(small):
    tags = [["N" if tag == "O" else "V" for tag in one] for one in TRAIN[1]]
    tagger = SequenceTagger(small, **QUICK).fit(TRAIN[0], tags)
    expected = [["N" if tag == "O" else "V" for tag in one] for one in TEST[1]]
    found = tagger.predict(TEST[0])
    right = sum(a == b for one, other in zip(expected, found, strict=True) for a, b in zip(one, other, strict=True))
    assert tagger.score(TEST[0], expected) == pytest.approx(right / sum(map(len, found)))
    assert tagger.predict_spans("the cat")[1][:3] == (4, 7, "V")
    scores = tagger.evaluate(TEST[0], expected)
    assert scores.types["V"].gold == sum(one.count("V") for one in expected)
    assert scores.accuracy == tagger.score(TEST[0], expected)


def test_equal_seeds_give_equal_taggers_and_the_callers_random_numbers_are_left_alone(small):
    torch.manual_seed(11)
    expected = torch.rand(3)
    torch.manual_seed(11)
    one = SequenceTagger(small, seed=5, **QUICK).fit(*TRAIN)
    torch.testing.assert_close(torch.rand(3), expected)
    torch.manual_seed(11)
    copy.deepcopy(one)
    torch.testing.assert_close(torch.rand(3), expected)
    two = SequenceTagger(small, seed=5, **QUICK).fit(*TRAIN)
    other = SequenceTagger(small, seed=6, **QUICK).fit(*TRAIN)
    for name, value in one.network_.state_dict().items():
        assert torch.equal(value, two.network_.state_dict()[name])
    assert not torch.equal(one.network_.head.scores[1].weight, other.network_.head.scores[1].weight)


def test_marginals_are_probabilities_that_agree_with_the_answers(fitted):
    shares = fitted.predict_marginals(TEST[0])
    numbers = fitted.tagset_.encode(fitted.predict(TEST[0]))
    agreed = []
    for one, tags in zip(shares, numbers, strict=True):
        assert one.shape == (len(tags), len(fitted.marginal_names))
        np.testing.assert_allclose(one.sum(1), 1, atol=1e-5)
        agreed.append((one.argmax(1) == tags).mean())
    assert np.mean(agreed) > 0.98


class Counting(Letters):
    """Counts the sentences that it is asked for."""

    def __init__(self):
        self.asked = 0

    def encode_words(self, sentences):
        self.asked += len(sentences)
        return super().encode_words(sentences)


def test_vectors_are_computed_once_over_epochs_seeds_and_parts(small):
    encoder = Counting()
    distinct = {tuple(one) for one in (*TRAIN[0], *TEST[0])}
    for seed in range(2):
        tagger = SequenceTagger(encoder, seed=seed, **{**QUICK, "epochs": 2})
        tagger.fit(*TRAIN, validation=TEST)
        tagger.fit(TRAIN[0][:20], TRAIN[1][:20])
    assert encoder.asked == len(distinct)
    encoder.fingerprint = "e" * 64
    tagger.predict(TEST[0])
    assert encoder.asked > len(distinct)


def test_validation_takes_the_best_epoch_and_stops_early(small):
    told = []
    tagger = SequenceTagger(small, **{**QUICK, "epochs": 30}, patience=2)
    tagger.fit(*TRAIN, validation=TEST, progress=told.append)
    assert told == tagger.history_
    scores = [one.score for one in told]
    assert len(told) < 30
    assert scores.index(max(scores)) == len(scores) - 3
    assert tagger.score(*TEST) == pytest.approx(max(scores))
    share = SequenceTagger(small, **QUICK).fit(*TRAIN, validation=0.25)
    assert all(0 <= one.score <= 1 for one in share.history_)


# Raw text -------------------------------------------------------------------------------------------------------


def test_spans_of_raw_text_stand_where_they_say(fitted):
    text = "  The cat is on it.\n\nA loan storm and a goat is the dog! "
    spans = fitted.predict_spans(text)
    assert [(span.label, span.text) for span in spans] == [
        ("BEAST", "cat"), ("DEAL", "loan storm"), ("BEAST", "goat"), ("BEAST", "dog")
    ]  # fmt: skip
    assert all(text[span.start : span.stop] == span.text for span in spans)
    assert fitted.predict_spans([text, "", "the"]) == [spans, [], []]
    words = fitted.split(text).sentences
    assert words[0] == ["The", "cat", "is", "on", "it", "."]
    assert fitted.predict(text) == [tag for one in fitted.predict(words) for tag in one]
    assert fitted.predict([text, ""]) == [fitted.predict(text), []]
    assert fitted.predict([]) == []


@pytest.mark.parametrize(
    "text", ["Café cat café naïve dog", "각 cat", "a\u0301\u0323 goat", "cat’s don’t dog 東京 hen"]
)
def test_offsets_count_in_the_text_as_it_is(fitted, text):
    found = []
    for form in ("NFC", "NFD"):
        given = unicodedata.normalize(form, text)
        spans = fitted.predict_spans(given)
        assert {"cat", "goat", "dog", "hen"} & {span.text for span in spans}
        assert all(given[span.start : span.stop] == span.text for span in spans)
        found.append([unicodedata.normalize("NFC", span.text) for span in spans])
    assert found[0] == found[1]


def test_the_tokeniser_of_raw_text_is_kept_in_the_file(small, tmp_path):
    tagger = SequenceTagger(small, tokenizer=Tokenizer(casing="lower", contractions="none"), **QUICK).fit(*TRAIN)
    tagger.save(tmp_path / "t")
    again = SequenceTagger.load(tmp_path / "t", small)
    assert again.tokenizer == tagger.tokenizer
    assert again.split("The CAT").sentences == [["the", "cat"]]
    assert again.predict_spans("The CAT") == tagger.predict_spans("The CAT")


# Bad input ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sentences", "tags", "error", "said"),
    [
        ([], [], InputError, "no sentences to learn from"),
        ([["a"]], [["O"], ["O"]], InputError, "1 sentences but 2 lists of tags"),
        ([["a"], ["b", "c"]], [["O"], ["O"]], InputError, "sentence 1 has 2 words but 1 tags; it starts 'b c'"),
        ([["a"], []], [["O"], []], InputError, "sentence 1 has no words; leave it out"),
        ([["a", " "]], [["O", "O"]], InputError, "word 1 of sentence 0 is empty"),
        ([["a", 3]], [["O", "O"]], InputError, "word 1 of sentence 0 must be a str, not int"),
        (["a b"], [["O", "O"]], InputError, "sentence 0 is one str, not a list of words"),
        ("a b", [["O", "O"]], InputError, "not a single str"),
        ([["a", "b"]], [["O", None]], LabelError, "tag 1 of sentence 0"),
        ([["a"], ["b", "c"]], [["B-X"], ["O", "I-X"]], LabelError, r"sentence 1, word 1 \('c'\): 'I-X' after 'O'"),
        ([["a"], ["b"]], [["O"], ["O"]], LabelError, "every word has the tag 'O'"),
        ([["a"], ["b"]], [["N"], ["N"]], LabelError, "every word has the tag 'N'"),
    ],
)
def test_what_cannot_be_learned_from_is_refused(small, sentences, tags, error, said):
    with pytest.raises(error, match=said):
        SequenceTagger(small, scheme="iob2" if "I-X" in str(tags) else None, **QUICK).fit(sentences, tags)


@pytest.mark.parametrize(
    "text", ["cafe\u0301 '\u0301 x", "e\u0301\n\u0301 x", 'a\u0301 "\u0323\u0301b', '!1a\u0f73\u0307" b']
)
def test_marks_that_compose_with_nothing_have_places_of_their_own(fitted, text):
    split = fitted.split(text)
    places = [place for one in split.offsets for place in one]
    words = [word for one in split.sentences for word in one]
    assert all(start < stop for start, stop in places)
    assert [unicodedata.normalize("NFC", text[start:stop]) for start, stop in places] == words


def test_repair_learns_from_inconsistent_tags(small):
    broken = [[tag.replace("B-", "I-") for tag in one] for one in TRAIN[1]]
    tagger = SequenceTagger(small, scheme="iob2", repair=True, **QUICK).fit(TRAIN[0], broken)
    assert tagger.score(*TEST) > 0.8


def test_labels_that_training_did_not_have_are_named(small, fitted):
    unseen = [["B-CAR", *one[1:]] if number == 2 else one for number, one in enumerate(TEST[1])]
    with pytest.raises(
        LabelError, match=r"unknown label 'CAR' at word 0 of sentence 2 of the test tags.*'BEAST', 'DEAL'"
    ):
        fitted.score(TEST[0], unseen)
    with pytest.raises(LabelError, match="sentence 2 of the validation tags"):
        SequenceTagger(small, **QUICK).fit(*TRAIN, validation=(TEST[0], unseen))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"model": "hmm"}, "known are 'bilstm-crf', 'crf', 'finetune'"),
        ({"characters": "rnn"}, "known are 'hashed', 'cnn', 'none'"),
        ({"scheme": "bilou"}, "known are 'iob1'"),
        ({"epochs": 0}, "epochs=0: needs a whole number of at least 1, or None"),
        ({"hidden": True}, "hidden=True"),
        ({"repair": "no"}, "repair='no': needs True or False"),
        ({"learning_rate": -1}, "learning_rate=-1: needs a number above 0"),
        ({"dropout": 1.0}, "dropout=1.0"),
        ({"seed": -1}, "seed=-1"),
        ({"device": "tpu"}, "device='tpu'"),
        ({"tokenizer": str.split}, "tokenizer must be a wordstock.text.Tokenizer"),
    ],
)
def test_settings_out_of_range_are_refused(small, changes, said):
    with pytest.raises(InputError, match=said):
        SequenceTagger(small, **{**QUICK, **changes}).fit(*TRAIN)


def test_a_training_that_diverges_says_what_to_lower(small):
    huge = make_table()
    vectors = np.array(huge.vectors(huge.keys))
    tagger = SequenceTagger(
        ws.Embeddings.from_arrays(huge.keys, vectors), **{**QUICK, "learning_rate": 1e30}, characters="none"
    )
    with pytest.raises(WordstockError, match=r"no number any more in epoch 1: .*try learning_rate=3e\+29"):
        tagger.fit(*TRAIN)


def test_bad_vectors_are_refused():
    class Broken(Letters):
        def encode_words(self, sentences):
            return [vectors * np.float32(np.nan) for vectors in super().encode_words(sentences)]

    class Short(Letters):
        def encode_words(self, sentences):
            return [vectors[1:] for vectors in super().encode_words(sentences)]

    with pytest.raises(InputError, match="NaN or infinity"):
        SequenceTagger(Broken(), **QUICK).fit(*TRAIN)
    with pytest.raises(InputError, match="vectors for the"):
        SequenceTagger(Short(), **QUICK).fit(*TRAIN)


def test_before_fit_and_with_other_input(small, fitted):
    for call in ("predict", "predict_spans", "predict_marginals"):
        with pytest.raises(NotFittedError):
            getattr(SequenceTagger(small), call)([["a"]])
    with pytest.raises(InputError, match="sentence 1 has no words"):
        fitted.predict([["a"], []])
    with pytest.raises(InputError, match="a text must be a str, not int"):
        fitted.predict_spans(["the cat", 3])
    with pytest.raises(InputError, match="no sentences to evaluate"):
        fitted.score([], [])
    with pytest.raises(InputError, match="needs a share between 0 and 1"):
        SequenceTagger(small, **QUICK).fit(*TRAIN, validation=1.5)
    with pytest.raises(InputError, match=r"a pair \(sentences, tags\)"):
        SequenceTagger(small, **QUICK).fit(*TRAIN, validation=TEST[0])


# scikit-learn and files -----------------------------------------------------------------------------------------


def test_clone_and_parameters(small, fitted):
    copy = clone(fitted)
    assert copy.get_params() == fitted.get_params()
    assert not hasattr(copy, "network_")
    assert clone(fitted).set_params(hidden=8).hidden == 8
    quick = SequenceTagger(small, model="crf", **{**QUICK, "epochs": 2})
    scores = cross_val_score(quick, *TRAIN, cv=2)
    assert scores.shape == (2,)
    assert (scores > 0.3).all()


def test_a_saved_tagger_answers_alike_and_holds_no_vectors(small, fitted, tmp_path):
    small.save(tmp_path / "vectors.safetensors")
    tagger = SequenceTagger(str(tmp_path / "vectors.safetensors"), **QUICK).fit(*TRAIN)
    tagger.save(tmp_path / "t.safetensors")
    again = SequenceTagger.load(tmp_path / "t.safetensors")
    assert again.predict(TEST[0]) == tagger.predict(TEST[0])
    assert again.history_ == tagger.history_
    assert {**again.get_params(), "encoder": None} == {**tagger.get_params(), "encoder": None}
    again.save(tmp_path / "u.safetensors")
    one, two = ((tmp_path / name).read_bytes() for name in ("t.safetensors", "u.safetensors"))
    assert safetensors.numpy.load(one).keys() == safetensors.numpy.load(two).keys()
    assert not any(
        small.dim in array.shape and len(small) in array.shape for array in safetensors.numpy.load(one).values()
    )


@pytest.mark.parametrize("model", ["crf", "finetune"])
def test_a_pickle_from_a_device_that_is_not_here_opens_on_the_cpu(small, bert, model):
    tagger = SequenceTagger(bert if model == "finetune" else small, model=model, epochs=1).fit(*tagged(8, 1))
    rebuild, given = tagger.network_.__reduce__()
    moved = rebuild(*("cuda:99" if isinstance(one, str) else one for one in given))
    assert moved.device == "cpu"
    assert not moved.training
    for name, value in tagger.network_.state_dict().items():
        assert torch.equal(moved.state_dict()[name], value.cpu())


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
@pytest.mark.parametrize("model", ["crf", "finetune"])
def test_a_tagger_is_copied_and_pickled(small, bert, model, copied, tmp_path):
    tagger = SequenceTagger(bert if model == "finetune" else small, model=model, epochs=1).fit(*tagged(8, 1))
    again = copied(tagger)
    there = tagged(4, 2)[0]
    for one, other in zip(again.predict_marginals(there), tagger.predict_marginals(there), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
    for number, one in enumerate((tagger, again)):
        one.save(tmp_path / f"{number}.safetensors")
    assert (tmp_path / "0.safetensors").read_bytes() == (tmp_path / "1.safetensors").read_bytes()


def test_a_tagger_over_a_stack_finds_its_parts(small, tmp_path):
    small.save(tmp_path / "small.safetensors")
    make_table(seed=9).save(tmp_path / "other.safetensors")
    first, second = (ws.load(tmp_path / f"{name}.safetensors") for name in ("small", "other"))
    cached = CachedEncoder(second, tmp_path / "kept.sqlite")  # its own file is no model
    both = stack([first, stack([cached, second])], scale="unit")
    tagger = SequenceTagger(both, model="crf", epochs=2).fit(*TRAIN)
    tagger.save(tmp_path / "t.safetensors")
    again = SequenceTagger.load(tmp_path / "t.safetensors")
    assert again.encoder_.fingerprint == both.fingerprint
    assert again.predict(TEST[0]) == tagger.predict(TEST[0])
    make_table(seed=8).save(tmp_path / "other.safetensors")
    with pytest.raises(FingerprintError, match="was trained with vectors"):
        SequenceTagger.load(tmp_path / "t.safetensors")
    (tmp_path / "other.safetensors").unlink()
    with pytest.raises(InputError, match=r"other\.safetensors, .* can be loaded; pass encoder="):
        SequenceTagger.load(tmp_path / "t.safetensors")


def test_another_encoder_is_refused(small, fitted, tmp_path):
    fitted.save(tmp_path / "t")
    assert SequenceTagger.load(tmp_path / "t", small).predict(TEST[0]) == fitted.predict(TEST[0])
    with pytest.raises(FingerprintError, match="was trained with vectors"):
        SequenceTagger.load(tmp_path / "t", make_table(seed=9))
    with pytest.raises(InputError, match="pass encoder="):
        SequenceTagger.load(tmp_path / "t")


def test_damaged_and_foreign_files_are_refused(small, fitted, tmp_path):
    from wordstock.tasks import TextClassifier
    from wordstock.tasks.tagging.artefact import TaggerArtefact, read_tagger, write_tagger

    file = tmp_path / "t"
    fitted.save(file)
    data = file.read_bytes()
    for position in (20, len(data) // 2, len(data) - 3):
        file.write_bytes(data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :])
        with pytest.raises(FormatError):
            SequenceTagger.load(file, small)
    file.write_bytes(data[:-10])
    with pytest.raises(FormatError, match="expected a saved tagger"):
        SequenceTagger.load(file, small)
    TextClassifier(small).fit(["cat dog", "bank loan"] * 4, ["a", "b"] * 4).save(file)
    with pytest.raises(FormatError, match="expected a saved tagger"):
        SequenceTagger.load(file, small)
    with pytest.raises(FormatError, match="a folder"):
        SequenceTagger.load(tmp_path, small)
    file.write_bytes(data)
    whole = read_tagger(file)
    write_tagger(file, replace(whole, tensors={name: one for name, one in whole.tensors.items() if name != "crf.end"}))
    with pytest.raises(FormatError, match="the tensors of its network"):
        SequenceTagger.load(file, small)
    write_tagger(file, replace(whole, shape=replace(whole.shape, hidden=3)))
    with pytest.raises(FormatError, match="the settings of a tagger"):
        SequenceTagger.load(file, small)
    assert isinstance(whole, TaggerArtefact)
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])["__metadata__"]
    assert json.loads(header["tagger"])["labels"] == ["BEAST", "DEAL"]
