"""Sentence vectors against sentence-transformers, on its own saved folders."""

import json
import warnings

import numpy as np
import pytest

from tiny_models import TEXTS, build
from wordstock.encoders import open_encoder
from wordstock.errors import FormatError, InputError

SHORT = TEXTS[:5]


@pytest.fixture(scope="module")
def st():
    """sentence_transformers, whose import warns of the libraries below it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import sentence_transformers
        from sentence_transformers import models
    return sentence_transformers, models


def saved(st, folder, target, *steps, **options):
    """A sentence-transformers folder made of a transformer and these steps, and its own model."""
    library, modules = st
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        transformer = modules.Transformer(str(folder))
        theirs = library.SentenceTransformer(modules=[transformer, *steps], device="cpu", **options)
        theirs.save(str(target))
    return theirs


def test_minilm(st, minilm_folder):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = st[0].SentenceTransformer(str(minilm_folder), device="cpu")
    ours = open_encoder(minilm_folder)
    assert (ours.dim, ours.max_length, ours.config.unit) == (384, 256, True)
    with pytest.warns(UserWarning, match="1 of 7 texts are longer than 256 tokens"):
        found = ours.encode([*TEXTS, "word " * 400])
    np.testing.assert_allclose(found, theirs.encode([*TEXTS, "word " * 400]), atol=1e-4)
    money, loan, shore = ours.encode(["a bank account", "money in a savings account", "the shore of a river"])
    assert money @ loan > money @ shore + 0.2


@pytest.mark.parametrize("mode", ["cls", "max", "mean_sqrt_len_tokens", "weightedmean", "lasttoken", ("mean", "cls")])
def test_pooling_modes(st, bert, tmp_path, mode):
    theirs = saved(st, bert, tmp_path, st[1].Pooling(32, pooling_mode=mode), st[1].Normalize())
    ours = open_encoder(tmp_path)
    assert ours.dim == (64 if isinstance(mode, tuple) else 32)
    np.testing.assert_allclose(ours.encode(SHORT), theirs.encode(SHORT), atol=1e-4)


def test_older_pooling_switches(st, bert, tmp_path):
    theirs = saved(st, bert, tmp_path, st[1].Pooling(32, pooling_mode=("cls", "max")))
    switches = {"word_embedding_dimension": 32, "pooling_mode_cls_token": True, "pooling_mode_max_tokens": True}
    (tmp_path / "1_Pooling" / "config.json").write_text(json.dumps(switches))
    np.testing.assert_allclose(open_encoder(tmp_path).encode(SHORT), theirs.encode(SHORT), atol=1e-4)


def test_dense_layers_and_layer_norm(st, bert, tmp_path):
    from torch import nn

    modules = st[1]
    steps = [
        modules.Pooling(32),
        modules.Dense(32, 32, activation_function=nn.ReLU(), use_residual=True),
        modules.LayerNorm(32),
        modules.Dense(32, 12, bias=False),
        modules.Dropout(),
    ]
    theirs = saved(st, bert, tmp_path, *steps).eval()
    ours = open_encoder(tmp_path)
    assert (ours.dim, ours.word_dim) == (12, 32)
    np.testing.assert_allclose(ours.encode(SHORT), theirs.encode(SHORT), atol=1e-4)


def test_weighted_layers(st, bert, tmp_path):
    import torch

    modules = st[1]
    weights = torch.nn.Parameter(torch.tensor([1.0, 2.0, 5.0]))
    layer_mix = modules.WeightedLayerPooling(32, num_hidden_layers=3, layer_start=1, layer_weights=weights)
    saved(st, bert, tmp_path, layer_mix, modules.Pooling(32))
    ours = open_encoder(tmp_path)
    assert ours.config.layers == (1, 2, 3)
    by_hand = open_encoder(bert, layers=[1, 2, 3], layer_weights=[0.125, 0.25, 0.625])
    np.testing.assert_allclose(ours.encode(SHORT), by_hand.encode(SHORT), atol=1e-5)


@pytest.mark.parametrize("kind", ["roberta", "xlm-roberta", "modernbert"])
def test_prompts(st, tmp_path, kind):
    prompts = {"query": "the query: ", "passage": "a passage "}
    base = build(kind, tmp_path / "base")
    theirs = saved(st, base, tmp_path / "st", st[1].Pooling(32), prompts=prompts, default_prompt_name="passage")
    ours = open_encoder(tmp_path / "st")
    assert ours.config.prompt == "passage"
    np.testing.assert_allclose(ours.encode(SHORT), theirs.encode(SHORT), atol=1e-4)
    asked = ours.encode(SHORT, prompt="query")
    np.testing.assert_allclose(asked, theirs.encode(SHORT, prompt_name="query"), atol=1e-4)
    np.testing.assert_allclose(asked, ours.with_config(prompt="query").encode(SHORT), atol=1e-6)
    np.testing.assert_allclose(ours.encode(SHORT, prompt=""), open_encoder(base).encode(SHORT), atol=1e-6)


def test_prompts_of_families_that_do_not_state_them(bert):
    from wordstock.embeddings import Card

    plain = open_encoder(bert)
    for source in ("hf:intfloat/e5-base-v2", "hf:intfloat/multilingual-e5-small@main"):
        found = open_encoder(bert, card=Card(source=source))
        assert found.config.prompts == {"query": "query: ", "passage": "passage: "}
        np.testing.assert_allclose(found.encode(SHORT), plain.encode(SHORT), atol=1e-6)  # none unless asked for
        by_hand = plain.encode([f"query: {text}" for text in SHORT])
        np.testing.assert_allclose(found.encode(SHORT, prompt="query"), by_hand, atol=1e-6)
    assert open_encoder(bert, card=Card(source="hf:intfloat/e5-base"), prompts={"q": "q "}).config.prompts == {
        "q": "q "
    }
    assert open_encoder(bert, card=Card(source="hf:me/e5-base")).config.prompts == {}
    assert "searching relevant passages" in plain.with_config(prompts="bge-en").config.prompt_text("query")
    with pytest.raises(InputError, match="prompts='gte': known families are 'e5', 'bge-en', 'bge-zh'"):
        open_encoder(bert, prompts="gte")


def test_shorter_vectors(st, bert, tmp_path):
    theirs = saved(st, bert, tmp_path, st[1].Pooling(32), truncate_dim=8)
    ours = open_encoder(tmp_path, truncate_dim=8, unit=True)
    assert ours.dim == ours.word_dim == 8
    np.testing.assert_allclose(ours.encode(SHORT), theirs.encode(SHORT, normalize_embeddings=True), atol=1e-4)


def test_a_length_limit_and_lower_case(st, tmp_path):
    base = build("roberta", tmp_path / "base")
    library, modules = st
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        transformer = modules.Transformer(str(base), max_seq_length=12, do_lower_case=True)
        theirs = library.SentenceTransformer(modules=[transformer, modules.Pooling(32)], device="cpu")
        theirs.save(str(tmp_path / "st"))
        limits = {"max_seq_length": 12, "do_lower_case": True}
        (tmp_path / "st" / "sentence_bert_config.json").write_text(json.dumps(limits))
    ours = open_encoder(tmp_path / "st")
    assert ours.max_length == 12
    with pytest.warns(UserWarning, match="longer than 12 tokens"):
        np.testing.assert_allclose(ours.encode(["THE Bank", *TEXTS]), theirs.encode(["THE Bank", *TEXTS]), atol=1e-4)


def test_an_older_folder_with_the_transformer_inside(bert, tmp_path):
    import shutil

    shutil.copytree(bert, tmp_path / "0_Transformer")
    (tmp_path / "1_Pooling").mkdir()
    (tmp_path / "1_Pooling" / "config.json").write_text(json.dumps({"pooling_mode_cls_token": True}))
    steps = [("models.Transformer", "0_Transformer"), ("models.Pooling", "1_Pooling")]
    listing = [{"idx": n, "type": f"sentence_transformers.{t}", "path": p} for n, (t, p) in enumerate(steps)]
    (tmp_path / "modules.json").write_text(json.dumps(listing))
    expected = open_encoder(bert, pooling="cls").encode(SHORT)
    np.testing.assert_array_equal(open_encoder(tmp_path).encode(SHORT), expected)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda steps: steps.append({"type": "x.CNN", "path": "9_CNN"}), "steps among Transformer.*found CNN"),
        (lambda steps: steps.append({"type": "x.Dense", "path": "../out"}), "paths below the folder"),
        (lambda steps: steps.append({"type": "x.Dense", "path": "9_Dense"}), "config.json.*no such file"),
        (lambda steps: steps.clear(), "a Transformer as the first step"),
        (lambda steps: steps.append("x"), "a list of steps"),
    ],
)
def test_steps_that_cannot_be_read(bert, tmp_path, change, said):
    import shutil

    shutil.copytree(bert, tmp_path, dirs_exist_ok=True)
    steps = [{"type": "sentence_transformers.models.Transformer", "path": ""}]
    change(steps)
    (tmp_path / "modules.json").write_text(json.dumps(steps))
    with pytest.raises(FormatError, match=said):
        open_encoder(tmp_path)


@pytest.mark.parametrize(
    ("file", "values", "said"),
    [
        ("2_Pooling/config.json", {"pooling_mode": None}, "a pooling mode or a list of them, found None"),
        ("2_Pooling/config.json", {"pooling_mode": []}, "a pooling mode or a list of them"),
        ("config_sentence_transformers.json", {"prompts": ["query: "]}, "prompts by name"),
        ("1_WeightedLayerPooling/config.json", {"layer_start": "x"}, "a layer as layer_start, found 'x'"),
        (
            "1_WeightedLayerPooling/config.json",
            {"layer_start": 2},
            "WeightedLayerPooling that fits, found 3 layer_weights for 2",
        ),
    ],
)
def test_damaged_settings_of_steps(st, bert, tmp_path, file, values, said):
    import torch

    modules = st[1]
    weights = torch.nn.Parameter(torch.ones(3))
    layer_mix = modules.WeightedLayerPooling(32, num_hidden_layers=3, layer_start=1, layer_weights=weights)
    saved(st, bert, tmp_path, layer_mix, modules.Pooling(32))
    (tmp_path / file).write_text(json.dumps(values))
    with pytest.raises(FormatError, match=said):
        open_encoder(tmp_path)


def test_a_dense_step_that_does_not_fit(st, bert, tmp_path):
    from safetensors.numpy import load_file, save_file

    modules = st[1]
    saved(st, bert, tmp_path, modules.Pooling(32), modules.Dense(32, 12))
    ours = open_encoder(tmp_path)
    for settings in ({"pooling": ("cls", "mean")}, {"layers": (1, 2), "combine": "concat"}):
        with pytest.raises(InputError, match="pooling gives 64 numbers but this model's Dense step takes 32"):
            ours.with_config(**settings)
    path = tmp_path / "2_Dense" / "model.safetensors"
    save_file(load_file(path) | {"linear.bias": np.zeros(5, np.float32)}, path)
    with pytest.raises(FormatError, match=r"a Dense step, found a weight of shape \(12, 32\), bias \(5,\)"):
        open_encoder(tmp_path)
