"""Folders that are damaged, incomplete, pickled or of another family; and missing libraries."""

import json
import os
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch
import transformers

import wordstock as ws
from tiny_models import TEXTS, build
from wordstock.encoders import open_encoder
from wordstock.errors import FormatError, InputError, MissingExtraError, ModelError, UnknownModelError

SHORT = TEXTS[:4]


@pytest.fixture
def folder(bert, tmp_path):
    """A copy to damage."""
    return shutil.copytree(bert, tmp_path / "model")


def change(path, **values):
    settings = json.loads(path.read_text())
    path.write_text(json.dumps(settings | values))


def test_an_unknown_architecture(folder):
    change(folder / "config.json", model_type="llama")
    said = "type 'llama', which wordstock does not run; supported are bert, distilbert, modernbert, mpnet"
    with pytest.raises(ModelError, match=said):
        open_encoder(folder)
    with pytest.raises(ModelError, match="'llama'"):
        ws.load(folder)


def test_pickled_weights_only_when_asked_for(folder, bert):
    state = transformers.AutoModel.from_pretrained(folder).state_dict()
    (folder / "model.safetensors").unlink()
    torch.save(state, folder / "pytorch_model.bin")
    with pytest.raises(FormatError, match=r"only pickled ones.*convert them to safetensors, or pass allow_pickle=True"):
        open_encoder(folder)
    np.testing.assert_array_equal(
        open_encoder(folder, allow_pickle=True).encode(SHORT), open_encoder(bert).encode(SHORT)
    )


def test_a_pickle_that_would_run_code(folder):
    class Trap:
        def __reduce__(self):
            return os.system, (f"touch {folder}/was-run",)

    (folder / "model.safetensors").unlink()
    torch.save({"x": Trap()}, folder / "pytorch_model.bin")
    with pytest.raises(FormatError, match="weights of a bert model"):
        open_encoder(folder, allow_pickle=True)
    assert not (folder / "was-run").exists()


@pytest.mark.parametrize("content", [b"", b"junk", b"\x80\x02."])
def test_damaged_pickles(folder, content):
    from wordstock.encoders.backends.torch import read_pickled

    (folder / "model.safetensors").unlink()
    path = folder / "pytorch_model.bin"
    path.write_bytes(content)
    with pytest.raises(FormatError, match="weights of a bert model"):
        open_encoder(folder, allow_pickle=True)
    with pytest.raises(FormatError, match="pickled tensors by name"):
        read_pickled(path)


def test_sharded_weights(folder, bert):
    model = transformers.AutoModel.from_pretrained(folder)
    (folder / "model.safetensors").unlink()
    model.save_pretrained(folder, max_shard_size="30KB")
    assert len(list(folder.glob("model-*.safetensors"))) > 1
    np.testing.assert_array_equal(open_encoder(folder).encode(SHORT), open_encoder(bert).encode(SHORT))
    change(folder / "model.safetensors.index.json", weight_map={"x": "../elsewhere.safetensors"})
    with pytest.raises(FormatError, match="names of files beside it"):
        open_encoder(folder)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda f: (f / "model.safetensors").unlink(), r"expected model.safetensors, found no weights"),
        (lambda f: (f / "config.json").unlink(), r"config.json: expected a JSON object, found no such file"),
        (lambda f: (f / "config.json").write_text("[1"), r"config.json: expected a JSON object"),
        (lambda f: change(f / "config.json", hidden_size="x"), "a positive whole number as hidden_size"),
        (
            lambda f: change(f / "config.json", intermediate_size=50),
            r"of shape \(50,\), as config.json says, found \(48",
        ),
        (lambda f: change(f / "config.json", num_attention_heads=0), "that fit its config.json, found ZeroDivision"),
        (lambda f: change(f / "config.json", layer_norm_eps="x"), "that fit its config.json, found .*layer_norm_eps"),
        (lambda f: change(f / "config.json", pad_token_id=999), "that fit its config.json, found AssertionError"),
        (lambda f: change(f / "config.json", vocab_size=9), r"of shape \(9, 32\), as config.json says"),
        (lambda f: change(f / "tokenizer_config.json", model_max_length=2), "takes at least 4 tokens.*found 2"),
        (lambda f: change(f / "config.json", num_hidden_layers=4), "none for .* of them, such as encoder.layer.3"),
        (lambda f: (f / "tokenizer.json").unlink(), r"expected tokenizer.json, found none of vocab.txt"),
        (lambda f: (f / "tokenizer.json").write_text("{}"), r"tokenizer.json: expected a tokeniser"),
        (lambda f: os.truncate(f / "model.safetensors", 5000), "weights of a bert model"),
    ],
)
def test_damage(folder, damage, said):
    damage(folder)
    with pytest.raises(FormatError, match=said):
        open_encoder(folder)


def test_weights_of_layers_that_are_left_out_are_told(folder):
    change(folder / "config.json", num_hidden_layers=2, return_dict=False)
    with pytest.warns(UserWarning, match="16 weights such as encoder.layer.2.* have no place in a bert model"):
        ours = open_encoder(folder)
    assert ours.encode(SHORT).shape == (len(SHORT), 32)


def test_a_tokenizer_of_another_model(folder):
    described = json.loads((folder / "tokenizer.json").read_text())
    described["model"]["vocab"]["river"] = 5000
    (folder / "tokenizer.json").write_text(json.dumps(described))
    ours = open_encoder(folder)
    with pytest.raises(FormatError, match=r"vocab_size of config[.]json, found 5,000 for 'river'"):
        ours.encode(["the river"])


def test_an_older_tokenizer_is_converted(folder, bert):
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    words = sorted(tokenizer["model"]["vocab"], key=tokenizer["model"]["vocab"].get)
    (folder / "vocab.txt").write_text("\n".join(words) + "\n")
    (folder / "tokenizer.json").unlink()
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "BertTokenizer"}))
    np.testing.assert_array_equal(open_encoder(folder).encode(SHORT), open_encoder(bert).encode(SHORT))


def test_truncation_and_padding_of_the_tokenizer_file_are_ignored(folder, bert):
    padding = {"strategy": {"Fixed": 40}, "direction": "Left", "pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]"}
    truncation = {"max_length": 5, "strategy": "LongestFirst", "stride": 0}
    change(folder / "tokenizer.json", padding=padding, truncation=truncation)
    np.testing.assert_array_equal(open_encoder(folder).encode(SHORT), open_encoder(bert).encode(SHORT))


def test_no_folder_and_unknown_options(bert, tmp_path):
    with pytest.raises(UnknownModelError, match="no such folder"):
        open_encoder(tmp_path / "none")
    with pytest.raises(InputError, match="no option depth; known are backend, threads"):
        open_encoder(bert, depth=2)
    with pytest.raises(InputError, match="backend='tf': known are 'torch'"):
        open_encoder(bert, backend="tf")
    with pytest.raises(InputError, match="the torch backend has 'float32', 'bfloat16'"):
        open_encoder(bert, precision="int8")
    with pytest.raises(InputError, match="device='tpu': torch sees"):
        open_encoder(bert, device="tpu")
    for options in (
        {"batch_tokens": 0},
        {"batch_tokens": True},
        {"threads": 0},
        {"threads": "2"},
        {"allow_pickle": "no"},
        {"device": 0},
        {"backend": ["torch"]},
    ):
        ((name, value),) = options.items()
        with pytest.raises(InputError, match=re.escape(f"{name}={value!r}: ")):
            open_encoder(bert, **options)
    assert open_encoder(bert, threads=np.int64(1), batch_tokens=np.int64(64)).batch_tokens == 64


@pytest.mark.parametrize("library", ["torch", "transformers", "tokenizers"])
def test_a_missing_library(bert, library, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, library, None)  # importing it then fails as if it were not there
    said = rf"needs {library}, which is not installed; run: pip install 'wordstock\[encoders\]'"
    with pytest.raises(MissingExtraError, match=said):
        ws.load(bert)
    monkeypatch.setenv("WORDSTOCK_CACHE", str(tmp_path / "cache"))
    with pytest.raises(MissingExtraError, match=said):
        ws.load("all-minilm-l6-v2")
    assert not (tmp_path / "cache").exists()  # found out before anything is fetched


def test_importing_the_room_loads_no_library():
    heavy = "{'torch', 'transformers', 'tokenizers', 'numba'}"
    script = f"import wordstock.encoders, sys; print(*{heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_threads_of_a_call(bert, encoder):
    before = torch.get_num_threads()
    one = open_encoder(bert, threads=2)
    np.testing.assert_allclose(one.encode(SHORT), encoder.encode(SHORT), atol=1e-5)
    assert torch.get_num_threads() == before


def test_families_load_through_the_one_door(tmp_path, monkeypatch):
    monkeypatch.setenv("WORDSTOCK_CACHE", str(tmp_path / "cache"))
    folder = build("distilbert", tmp_path / "distil")
    found = ws.load(folder, pooling="cls", precision="bfloat16")
    assert (found.config.pooling, found.config.precision, found.card.name) == (("cls",), "bfloat16", "distil")
    with pytest.raises(InputError, match="limit: only for a file of vectors"):
        ws.load(folder, limit=2)
    ws.Embeddings.from_arrays(["a"], [[1.0]]).save(tmp_path / "t.safetensors")
    with pytest.raises(InputError, match="pooling: only for contextual encoders"):
        ws.load(tmp_path / "t.safetensors", pooling="cls")
