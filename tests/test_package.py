"""The public names, and what importing them costs."""

import subprocess
import sys

import pytest

import wordstock as ws

HEAVY = {
    "torch", "tensorflow", "keras", "transformers", "onnxruntime", "openvino", "fastapi", "pymilvus", "ray",
    "sklearn", "scipy", "numba", "polars", "pandas", "rich", "typer", "httpx", "huggingface_hub",
    "matplotlib", "safetensors",
}  # fmt: skip


def modules_after(code):
    ran = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(*{{m.split('.')[0] for m in sys.modules}})"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(ran.stdout.split())


def test_public_names_are_settled():
    assert sorted(ws.__all__) == [
        "Card",
        "Embeddings",
        "EncodeConfig",
        "Neighbor",
        "SequenceTagger",
        "TextClassifier",
        "VectorStore",
        "WordstockError",
        "all_but_the_top",
        "distill",
        "load",
        "merge",
        "stack",
        "train_fasttext",
        "train_glove",
        "train_word2vec",
        "transfer_report",
    ]
    for name in ws.__all__:
        assert getattr(ws, name).__doc__
    assert set(ws.__all__) <= set(dir(ws))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        ws.nothing  # noqa: B018


def test_importing_loads_numpy_and_nothing_heavier():
    loaded = modules_after("import wordstock")
    assert "numpy" in loaded
    assert not HEAVY & loaded


def test_opening_a_native_file_loads_nothing_heavy(tmp_path):
    path = tmp_path / "t.safetensors"
    ws.Embeddings.from_arrays(["a"], [[1.0]]).save(path)
    assert not HEAVY & modules_after(f"import wordstock; wordstock.load({str(path)!r})['a']")
