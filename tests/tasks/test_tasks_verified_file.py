import hashlib
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from safetensors import safe_open

from wordstock.errors import FormatError
from wordstock.tasks.verified_file import VerifiedFile

KIND = VerifiedFile("toy", "toy of ours", version=3, first=("z", "b"))
TENSORS = st.dictionaries(
    st.sampled_from("abyz"), arrays.arrays(np.float32, arrays.array_shapes(min_side=0, max_side=3)), min_size=1
)
SETTINGS = st.dictionaries(st.text(), st.integers() | st.text() | st.lists(st.booleans()))


def both(meta, tensors):
    return meta, tensors


@given(SETTINGS, TENSORS)
def test_what_is_written_comes_back(tmp_path_factory, settings, tensors):
    path = tmp_path_factory.mktemp("toy") / "t"
    KIND.write(path, {"own": settings}, tensors)
    meta, found = KIND.read(path, both)
    assert (meta["own"], meta["version"], found.keys()) == (settings, 3, tensors.keys())
    for name, array in tensors.items():
        np.testing.assert_array_equal(found[name], array)


def test_any_changed_byte_is_noticed(tmp_path):
    path = tmp_path / "t"
    KIND.write(path, {"own": [1, "x"]}, {"a": np.arange(6.0).reshape(2, 3), "z": np.ones(2, np.int64)})
    whole = path.read_bytes()
    assert KIND.read(path, lambda meta, tensors: "built") == "built"
    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 2]) + whole[at + 1 :])
        try:
            meta, tensors = KIND.read(path, both)
        except FormatError:
            continue
        assert whole[at : at + 1].isspace() or chr(whole[at] ^ 2).isspace(), at  # padding of the header
        assert (meta["own"], tensors["a"].tolist()) == ([1, "x"], [[0, 1, 2], [3, 4, 5]])


def test_the_checksum_is_as_documented(tmp_path):
    tensors = {name: np.full(2, ord(name), np.float32) for name in "abyz"}
    KIND.write(tmp_path / "t", {"own": 1}, tensors, version=2)
    with safe_open(tmp_path / "t", "np") as opened:
        meta = json.loads(opened.metadata()["toy"])
    digest = meta.pop("sha256")
    assert list(meta) == ["version", "wordstock", "own"]
    said = json.dumps(meta).encode()
    for name in "zbay":
        said += f"{name} float32 (2,)".encode() + tensors[name].tobytes()
    assert digest == hashlib.sha256(said).hexdigest()
    assert meta["version"] == 2


def test_each_refusal_says_what_is_wrong(tmp_path):
    def refused(kind, match, build=both):
        with pytest.raises(FormatError, match=match):
            kind.read(tmp_path / "t", build)

    KIND.write(tmp_path / "t", {}, {"a": np.ones(1)})
    refused(VerifiedFile("other", "game", 3), "expected a saved game, found something else .*save or fetch the game")
    refused(VerifiedFile("toy", "toy", 2), "expected version 2 or older, found version 3; upgrade wordstock")
    refused(KIND, "expected the settings of a toy of ours, found others", lambda meta, tensors: meta["none"])
    for version in (0, True, "3", None):
        (tmp_path / "t").write_bytes(KIND.pack({"version": version}, {"a": np.ones(1)}))
        refused(KIND, "the settings of a toy of ours")
    (tmp_path / "t").write_bytes(b"text")
    refused(KIND, "expected a saved toy of ours")
    with pytest.raises(FormatError, match="a folder"):
        KIND.read(tmp_path, both)
    with pytest.raises(FileNotFoundError):
        KIND.read(tmp_path / "none", both)


def test_what_json_cannot_say_is_not_written(tmp_path):
    KIND.write(tmp_path / "t", {"own": np.float32(0.5)}, {})
    assert KIND.read(tmp_path / "t", both)[0]["own"] == 0.5
    with pytest.raises(TypeError, match="cannot be written as JSON"):
        KIND.write(tmp_path / "u", {"own": object()}, {})
    assert not (tmp_path / "u").exists()
