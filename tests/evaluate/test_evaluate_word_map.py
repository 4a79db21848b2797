"""The map of words: neighbours in the table are neighbours in the plane, and the picture is a picture."""

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

import wordstock as ws
from wordstock.errors import InputError, UnknownWordError
from wordstock.evaluate.word_map import plane_coordinates, word_map


@pytest.fixture(scope="module")
def emb():
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(3, 30)) * 3
    vectors = np.concatenate([centre + rng.normal(size=(8, 30)) * 0.5 for centre in centres])
    return ws.Embeddings.from_arrays([f"{group}{i}" for group in "abc" for i in range(8)], vectors)


def test_groups_stay_together(emb):
    places = plane_coordinates(emb, list(emb.keys))
    distances = np.linalg.norm(places[:, None] - places[None], axis=2) + np.eye(24) * 1e9
    nearest = distances.argmin(axis=1)
    assert (nearest // 8 == np.arange(24) // 8).all()


def test_the_picture_shows_every_group(emb, tmp_path):
    path = tmp_path / "map.png"
    word_map(emb, {group: [f"{group}{i}" for i in range(8)] for group in "abc"}, path, title="three groups")
    with Image.open(path) as picture:
        assert picture.size == (1100, 770)
        colours = {colour for _, colour in picture.convert("RGB").getcolors(2**24)}
    assert {(31, 119, 180), (255, 127, 14), (44, 160, 44)} <= colours


def test_what_cannot_be_drawn(emb, tmp_path):
    with pytest.raises(UnknownWordError, match="'z9' is not in the vocabulary"):
        word_map(emb, {"z": ["a1", "a2", "a3", "z9"]}, tmp_path / "map.png")
    with pytest.raises(InputError, match="at least 4 words, not 2"):
        word_map(emb, {"a": ["a1", "a2"]}, tmp_path / "map.png")
    assert not list(tmp_path.iterdir())


def test_without_matplotlib_the_extra_is_named():
    code = (
        "import sys; sys.modules['matplotlib'] = None\n"
        "from wordstock.evaluate.word_map import word_map\nimport wordstock as ws\n"
        "try:\n    word_map(ws.Embeddings.from_arrays(['a'], [[1.0]]), {'x': ['a']}, 'x.png')\n"
        "except ws.WordstockError as error: print(type(error).__name__, error)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.startswith("MissingExtraError drawing a word map needs matplotlib")
    assert "pip install 'wordstock[plot]'" in ran.stdout
