"""Call forms, bad input, long texts, streams, identity, and the classifier over an encoder."""

import shutil
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

import wordstock as ws
from tiny_models import TEXTS
from wordstock.encoders import ContextConfig
from wordstock.encoders.packing import cut
from wordstock.errors import FingerprintError, InputError, ModelError

SHORT = TEXTS[:5]


def test_tokens_and_their_number(encoder):
    assert encoder.encode_tokens([""])[0].vectors.shape == (0, 32)
    assert encoder.count_tokens([*SHORT, ""]) == [len(one.text) for one in encoder.encode_tokens([*SHORT, ""])]


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (["ok", None], "text at position 1 must be a str, not NoneType"),
        (None, "expected a str or a sequence of str"),
        (["ok", "so\ud83d"], r"text at position 1 holds a lone surrogate, U\+D83D, as character 2"),
    ],
)
def test_bad_texts(encoder, texts, said):
    with pytest.raises(InputError, match=said):
        encoder.encode_tokens(texts)


def test_the_position_of_a_bad_text_counts_over_blocks(encoder, monkeypatch):
    monkeypatch.setattr("wordstock.encoders.encoder._TEXTS", 2)
    with pytest.raises(InputError, match="position 3 holds a lone surrogate"):
        encoder.encode(["a", "b", "c", "\udc00"])
    for bad in (None, "\udc00"):
        blocks = encoder.encode_stream(["a", "b", "c", bad], block=2)
        assert next(blocks).shape == (2, 32)
        with pytest.raises(InputError, match="text at position 3"):
            next(blocks)


def test_bad_spans_and_streams(encoder):
    for call in (encoder.encode_tokens, encoder.count_tokens, lambda text: encoder.encode_spans(text, [])):
        with pytest.raises(InputError, match="pass a list with it"):
            call("one text")
    with pytest.raises(InputError, match="2 texts but 1 lists"):
        encoder.encode_spans(["a", "b"], [[]])
    for span in ((0, 2), (1, 1), (-1, 1)):
        with pytest.raises(InputError, match="of the text at position 1: needs 0 <= start < stop <= 1"):
            encoder.encode_spans(["a", "b"], [[], [span]])
    for span in (None, (0,), (0, 1, 1), (0.5, 1), ("0", "1")):
        with pytest.raises(InputError, match="of the text at position 1: needs a pair of whole numbers"):
            encoder.encode_spans(["a", "b"], [[], [span]])
    for spans, said in ((None, "spans=None: needs a list of pairs"), ([None, []], "position 0: needs pairs")):
        with pytest.raises(InputError, match=said):
            encoder.encode_spans(["a", "b"], spans)
    for stream in ("text", 3):
        with pytest.raises(InputError, match="takes an iterable of texts"):
            encoder.encode_stream(stream)
    with pytest.raises(InputError, match="block=0"):
        encoder.encode_stream([], block=0)
    with pytest.raises(InputError, match=r"no prompt is called \['query'\]"):
        encoder.encode(["a"], prompt=["query"])


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"pooling": "median"}, "pooling='median': known are 'mean', 'cls'"),
        ({"pooling": ()}, "pooling=.*needs one value or several"),
        ({"layers": 4}, r"layer 4: this model has 0 \(its embedding layer\) to 3"),
        ({"layers": [0, -5]}, "layer -5"),
        ({"layers": ["x"]}, "needs whole numbers"),
        ({"layers": [1, 2], "layer_weights": [1]}, "1 layer_weights for 2 layers"),
        ({"layer_weights": [0]}, "sum other than 0"),
        ({"combine": "sum"}, "combine='sum': known are 'mean', 'concat'"),
        ({"long": "cut"}, "long='cut'"),
        ({"overlap": 0.9}, "overlap=0.9"),
        ({"truncate_dim": 33}, "truncate_dim=33: this model's vectors have 32 numbers"),
        ({"truncate_dim": 0}, "truncate_dim=0"),
        ({"max_length": 65}, "max_length=65: this model takes 4 to 64 tokens"),
        ({"max_length": 3}, "max_length=3"),
        ({"prompt": "query"}, "no prompt is called 'query' .there is none."),
        ({"prompts": {"a": 1}}, "prompts="),
        ({"precision": "half"}, "precision='half': known are 'float32'"),
        ({"prompt": ["query"]}, "no prompt is called"),
        ({"layer_weights": [float("inf")]}, "sum other than 0"),
        ({"layer_weights": [True]}, "sum other than 0"),
        ({"overlap": True}, "overlap=True"),
        ({"unit": "no"}, "unit='no': needs True or False"),
        ({"tokenizer": "words"}, "tokenizer='words': needs a wordstock.text.Tokenizer"),
        ({"config": 5}, "config=5: needs a ContextConfig, or settings by name"),
        ({"layer": 1}, "unknown setting in layer; known are pooling"),
    ],
)
def test_bad_settings(encoder, settings, said):
    with pytest.raises(InputError, match=said):
        encoder.with_config(**settings)


def test_numpy_numbers_are_settings(encoder):
    plain = {"layers": (1, -1), "layer_weights": (0.25, 0.75), "truncate_dim": 8, "max_length": 10, "overlap": 0.25}
    given = {name: np.array(value)[()] for name, value in plain.items()}
    changed = encoder.with_config(**given, unit=np.True_)
    assert changed.config == encoder.with_config(**plain, unit=True).config
    assert changed.fingerprint == encoder.with_config(**plain, unit=True).fingerprint
    assert encoder.with_config(layers=np.int64(2)).config.layers == (2,)
    assert [len(part) for part in encoder.encode_stream(["a", "b", "c"], block=np.int64(2))] == [2, 1]


@pytest.fixture(scope="module")
def words(encoder):
    """Words of one token each, so that a text may be cut between any two tokens."""
    some = ("the", "bank", "river", "to", "was", "by")
    known = [word for word in some if len(encoder.encode_tokens([word])[0].text) == 1]
    assert len(known) > 2
    return [str(word) for word in np.random.default_rng(0).choice(known, 150)]


def test_long_texts_are_cut_or_read_in_windows(encoder, words):
    long = " ".join(words)
    with pytest.warns(UserWarning, match=r"2 of 3 texts are longer than 64 tokens and lost their end"):
        cut_off = encoder.encode([long, "short", long + " more"])
    np.testing.assert_allclose(cut_off[0], encoder.encode(" ".join(words[:62])), atol=1e-5)
    np.testing.assert_allclose(cut_off[0], cut_off[2], atol=1e-5)
    whole = encoder.with_config(long="window").encode([long, "short", long + " more"])
    np.testing.assert_allclose(whole[1], cut_off[1], atol=1e-5)
    assert np.linalg.norm(whole[0] - whole[2]) > 1e-4
    parts = [words[start : start + 62] for start in (0, 46, 92)]  # a quarter of 62 is repeated
    assert parts[-1][-1] is words[-1]
    by_hand = np.average(encoder.encode([" ".join(part) for part in parts]), axis=0, weights=list(map(len, parts)))
    np.testing.assert_allclose(whole[0], by_hand, atol=1e-5)


def test_each_word_of_a_long_text_comes_from_the_window_with_more_context(encoder, words):
    found = encoder.encode_words([words])[0]
    assert len(found) == 150
    first, second, third = (encoder.encode_words([words[start : start + 62]])[0] for start in (0, 46, 92))
    by_hand = np.concatenate([first[:54], second[8:54], third[8:]])  # overlaps, 46 to 62 and 92 to 108, are halved
    np.testing.assert_allclose(found, by_hand, atol=1e-5)


def test_prompts_stand_before_every_window(encoder, words):
    size = len(encoder.encode_tokens(["the bank: "])[0].text)
    room = size + 10
    settings = {"prompts": {"q": "the bank: "}, "prompt": "q", "long": "window", "overlap": 0}
    prompted = encoder.with_config(**settings, max_length=room + 2)
    parts = prompted.encode([" ".join(words[:10]), " ".join(words[10:17])])
    by_hand = np.average(parts, axis=0, weights=[room, 7])
    np.testing.assert_allclose(prompted.encode(" ".join(words[:17])), by_hand, atol=1e-5)


@given(
    lengths=st.lists(st.integers(0, 60), min_size=1, max_size=8),
    room=st.integers(2, 20),
    overlap=st.floats(0, 0.5),
    lead=st.integers(0, 4),
)
def test_windows_cover_every_token(lengths, room, overlap, lead):
    bounds = np.concatenate([[0], np.cumsum(lengths)])
    ids = np.arange(bounds[-1])
    windows = cut(ids, bounds, room, windows=True, overlap=overlap, lead=lead)
    assert (windows.lengths <= room).all()
    assert (np.diff(windows.text) >= 0).all()
    for text, length in enumerate(lengths):
        mine = np.flatnonzero(windows.text == text)
        parts = [windows.ids[windows.start[n] : windows.stop[n]] for n in mine]
        assert set(np.concatenate(parts)) == set(range(bounds[text], bounds[text] + length))
        for number, part in zip(mine[1:], parts[1:], strict=True):
            used = windows.lead[number]
            assert list(part[:used]) == list(range(bounds[text], bounds[text] + used))
    truncated = cut(ids, bounds, room, windows=False)
    assert truncated.truncated == sum(length > room for length in lengths)
    assert truncated.lengths.tolist() == [min(length, room) for length in lengths]


def test_a_text_of_a_million_characters(encoder):
    text = "bank " * 200_000
    with pytest.warns(UserWarning, match="1 of 2 texts"):
        assert np.isfinite(encoder.encode([text, "x" * 1_000_000])).all()
    assert encoder.with_config(long="window").encode(text[:20_000]).shape == (32,)


def test_streams_agree_with_encode_and_hold_no_more_than_a_block(encoder):
    told = []
    texts = [f"the river number {number}" for number in range(50)]
    blocks = list(encoder.encode_stream(iter(texts), block=16, progress=told.append))
    assert [len(block) for block in blocks] == [16, 16, 16, 2]
    np.testing.assert_allclose(np.concatenate(blocks), encoder.encode(texts), atol=1e-5)
    assert [one.done for one in told][-1] == 50
    assert all(one.total is None and one.rate > 0 for one in told)
    with pytest.warns(UserWarning, match="1 of 3 texts are longer"):
        list(encoder.encode_stream(["a", "word " * 99, "b"], block=1))

    def peak(count):
        tracemalloc.start()
        for _ in encoder.encode_stream(("the bank by the river" for _ in range(count)), block=64):
            pass
        held = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return held

    peak(64)
    assert peak(640) < 2 * peak(128)


def test_progress_counts_every_text(encoder):
    told = []
    encoder.with_config(long="window").encode(["", "a b", "word " * 100], progress=told.append)
    assert told[-1].done == told[-1].total == 3
    assert [one.done for one in told] == sorted({one.done for one in told})


def test_settings_are_read_back(encoder):
    config = encoder.with_config(layers=[1, 3], layer_weights=[1, 2], prompts={"q": "q: "}).config
    assert ContextConfig.from_dict(config.to_dict()) == config
    with pytest.raises(InputError, match="depth are not known; upgrade"):
        ContextConfig.from_dict({"depth": 1})


def test_a_classifier_over_an_encoder(minilm_folder, tmp_path):
    texts = ["a dog and a cat", "horses eat grass", "the hen laid an egg"]
    texts += ["a loan from the bank", "pay the tax", "debts"]
    labels = ["animal"] * 3 + ["money"] * 3
    encoder = ws.load(minilm_folder)
    model = ws.TextClassifier(encoder).fit(texts, labels)
    assert model.predict(["my mortgage", "a sheep"]).tolist() == ["money", "animal"]
    model.save(tmp_path / "m.safetensors")
    found = ws.TextClassifier.load(tmp_path / "m.safetensors")  # by the folder that the file names
    np.testing.assert_allclose(found.predict_proba(texts), model.predict_proba(texts), atol=1e-5)
    with pytest.raises(FingerprintError, match="pass the encoder it was trained with"):
        ws.TextClassifier.load(tmp_path / "m.safetensors", encoder=encoder.with_config(pooling="cls"))
    other = ws.TextClassifier(encoder.with_config(pooling="max")).fit(texts, labels)
    other.save(tmp_path / "o.safetensors")
    assert ws.TextClassifier.load(tmp_path / "o.safetensors").encoder_.config.pooling == ("max",)


def test_a_model_that_gives_no_numbers_is_refused(tmp_path, encoder):
    path = shutil.copytree(encoder.model.path, tmp_path / "damaged")
    weights = load_file(path / "model.safetensors")
    weights["embeddings.LayerNorm.bias"][3] = np.nan
    save_file(weights, path / "model.safetensors", metadata={"format": "pt"})
    damaged = ws.load(path)
    for call in (damaged.encode, damaged.encode_tokens):
        with pytest.raises(ModelError, match=r"damaged: the model gives NaN or infinity; .* torch in float32"):
            call(["a text"])
