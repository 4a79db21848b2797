"""The native file: any safetensors reader opens it, damage is told, writes are whole or not at all."""

import json
import os
import pickle
import signal
import subprocess
import sys
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import wordstock as ws
from wordstock.embeddings import Embeddings, Storage, fit_common_component, read_native
from wordstock.errors import FormatError, InputError, StorageError, WordstockError
from wordstock.vocab import Subwords, Vocabulary


@pytest.fixture
def table():
    rng = np.random.default_rng(2)
    card = ws.Card(name="small", licence="CC0-1.0", language="en", notes=("made by a test",))
    keys = ["the", "of", "naïve", "New York", '"', "nan", "", "日本"]
    return ws.Embeddings.from_arrays(keys, rng.normal(size=(8, 5)), counts=range(80, 0, -10), card=card)


@pytest.mark.parametrize("precision", ["float32", "float16", "int8"])
def test_round_trip(table, tmp_path, precision):
    path = tmp_path / "t.safetensors"
    table.save(path, precision=precision)
    opened = ws.load(path)
    assert list(opened.keys) == list(table.keys)
    assert opened.card == table.card
    assert opened.config == table.config
    assert opened.storage.precision == precision
    np.testing.assert_array_equal(opened.vocabulary.counts, table.vocabulary.counts)
    np.testing.assert_allclose(opened.vectors(table.keys[:]), table.vectors(table.keys[:]), atol=0.02)
    assert opened.verify()
    assert (opened.fingerprint == table.fingerprint) == (precision == "float32")
    opened.save(tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == path.read_bytes()
    opened.save(path)  # onto itself, while it is mapped
    assert ws.load(path).fingerprint == opened.fingerprint


def test_everything_a_table_may_hold_survives(tmp_path):
    from wordstock.embeddings import Embeddings, Storage
    from wordstock.vocab import Subwords, Vocabulary

    rng = np.random.default_rng(0)
    full = Embeddings(
        Vocabulary.from_keys(["a", "b", "c"], rows=np.array([1, 0, 1], np.int32)),
        Storage(rng.normal(size=(2, 4)).astype(np.float32)),
        subwords=Subwords(2, 3, 6),
        subword_vectors=rng.normal(size=(6, 4)).astype(np.float32),
        output=rng.normal(size=(2, 4)).astype(np.float32),
    )
    full = fit_common_component(full, ["a b", "c", "b c"])
    full.save(tmp_path / "t.safetensors")
    opened = ws.load(tmp_path / "t.safetensors")
    for name in ("common", "subword_vectors", "output"):
        np.testing.assert_array_equal(getattr(opened, name), getattr(full, name))
    assert opened.subwords == full.subwords
    assert opened.fingerprint == full.fingerprint
    assert opened.verify()
    np.testing.assert_array_equal(opened.encode("a c"), full.encode("a c"))
    np.testing.assert_array_equal(opened.vectors(["zz"], "subword"), full.vectors(["zz"], "subword"))
    full.save(tmp_path / "small.safetensors", precision="int8")
    small = ws.load(tmp_path / "small.safetensors")
    for name in ("common", "subword_vectors", "output"):
        np.testing.assert_array_equal(getattr(small, name), getattr(full, name))
    np.testing.assert_allclose(small.encode("a c"), full.encode("a c"), atol=0.02)


def test_any_safetensors_reader_opens_it(table, tmp_path):
    path = tmp_path / "t.safetensors"
    table.save(path)
    tensors = load_file(path)
    np.testing.assert_array_equal(tensors["vectors"], table.storage.data)
    blob, offsets = tensors["keys"].tobytes(), tensors["offsets"]
    assert [blob[a:b].decode() for a, b in pairwise(offsets)] == list(table.keys)
    header = json.loads(path.read_bytes()[8 : 8 + int.from_bytes(path.read_bytes()[:8], "little")])
    starts = {entry["data_offsets"][0] % 64 for name, entry in header.items() if not name.startswith(("pad", "__"))}
    assert starts == {0}
    assert (8 + int.from_bytes(path.read_bytes()[:8], "little")) % 64 == 0


def test_an_empty_table(tmp_path):
    empty = ws.Embeddings.from_arrays([], np.empty((0, 3)))
    empty.save(tmp_path / "t.safetensors")
    opened = ws.load(tmp_path / "t.safetensors")
    assert (len(opened), opened.dim) == (0, 3)
    assert opened.nearest(np.ones(3)) == []
    np.testing.assert_array_equal(opened.vectors(["x"], "zero"), [[0, 0, 0]])


def test_a_changed_byte_is_found_by_verify(table, tmp_path):
    path = tmp_path / "t.safetensors"
    table.save(path)
    data = bytearray(path.read_bytes())
    data[8 + int.from_bytes(data[:8], "little")] ^= 1
    path.write_bytes(data)
    assert not ws.load(path).verify()


def rewritten(path, change):
    """The file with another header, padded to the length of the old one."""
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    text = change(header)
    encoded = (json.dumps(header) if text is None else text).encode()
    path.write_bytes(len(encoded).to_bytes(8, "little") + encoded + data[8 + length :])


@pytest.mark.parametrize(
    "change",
    [
        lambda h: h["vectors"].update(shape=[float("inf"), 2]),
        lambda h: h["vectors"].update(data_offsets=[0, float("inf")]),
        lambda h: h["vectors"].update(shape=[1] * 71),
        lambda h: h["norms"].update(shape=[0, 2**63]),
        lambda h: h["norms"].update(shape=[0, 2**62, 2**62]),
        lambda h: h["vectors"].update(shape=[-8, -5]),
        lambda h: h["vectors"].update(shape=[True, 40]),
        lambda h: h["__metadata__"].update(wordstock="[" * 100_000),
        lambda h: h["__metadata__"].update(wordstock='{"version": Infinity, "card": {}, "encode": {}, "digest": ""}'),
        lambda h: h.update(keys=3),
        lambda h: h.pop("norms") and None,
        lambda h: "[" * 100_000,
        lambda h: json.dumps(h) + " " * 3,  # legal, but every tensor then lies between two numbers
    ],
)
def test_a_crafted_header_is_one_clear_error(table, tmp_path, change):
    path = tmp_path / "t.safetensors"
    table.save(path)
    rewritten(path, change)
    with pytest.raises(FormatError, match=r"t\.safetensors"):
        read_native(path)


def test_damaged_key_bytes_are_a_format_error(table, tmp_path):
    path = tmp_path / "t.safetensors"
    table.save(path)
    data = path.read_bytes()
    path.write_bytes(data.replace(b"theof", b"\xff\xffeof"))
    opened = read_native(path)
    for use in (lambda: opened.nearest("of"), lambda: list(opened.keys), lambda: opened.keys[0]):
        with pytest.raises(FormatError, match="expected key 0 as UTF-8"):
            use()


@pytest.mark.parametrize("place", [-5, 0, 10**12])
def test_damaged_places_of_keys_are_a_format_error(table, tmp_path, place):
    path = tmp_path / "t.safetensors"
    table.save(path)
    data = bytearray(path.read_bytes())
    length = int.from_bytes(data[:8], "little")
    second = 8 + length + json.loads(data[8 : 8 + length])["offsets"]["data_offsets"][0] + 16
    data[second : second + 8] = place.to_bytes(8, "little", signed=True)
    path.write_bytes(data)
    opened = read_native(path)
    for use in (
        lambda: list(opened.keys),
        lambda: opened.keys[:3],
        lambda: opened.subset([opened.keys[0]]),
        lambda: opened.with_config(phrases="_").encode("new york"),
    ):
        with pytest.raises(FormatError, match=r"expected key [12] as UTF-8, found bytes"):
            use()


def test_a_relative_path_is_pickled_as_an_absolute_one(table, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    table.save("t.safetensors")
    wire = pickle.dumps(ws.load("t.safetensors").with_card(ws.Card(name="other")))
    monkeypatch.chdir("/")
    assert pickle.loads(wire).card.name == "other"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "found a file of 0 bytes"),
        (b"\xff" * 8 + b"{}", "expected a header length of at most 2"),
        ((2).to_bytes(8, "little") + b"[]", "expected a JSON object as header"),
        ((9).to_bytes(8, "little") + b'{"a": 1} ', "expected the metadata of a wordstock table"),
    ],
)
def test_other_files_are_refused(tmp_path, content, message):
    path = tmp_path / "x.safetensors"
    path.write_bytes(content)
    with pytest.raises(FormatError, match=message):
        read_native(path)


def test_a_safetensors_file_of_another_kind_is_refused(tmp_path):
    save_file({"weight": np.zeros((2, 2), np.float32)}, tmp_path / "x.safetensors")
    with pytest.raises(FormatError, match=r"x\.safetensors, byte 8: expected the metadata of a wordstock table"):
        read_native(tmp_path / "x.safetensors")


def test_a_newer_version_is_refused(table, tmp_path):
    path = tmp_path / "t.safetensors"
    table.save(path)
    path.write_bytes(path.read_bytes().replace(rb"{\"version\": 1", rb"{\"version\": 9", 1))
    with pytest.raises(FormatError, match="version 9; upgrade wordstock"):
        read_native(path)


MEMORY = """
import sys, wordstock.embeddings as e
table = e.read_native(sys.argv[1])
table["w7"], table["w199000"], "nothing" in table
resident = mapped = 0
current = False
for line in open("/proc/self/smaps"):
    if "-" in line.split(" ")[0]:
        current = sys.argv[1] in line
    elif current and line.startswith("Size:"):
        mapped += int(line.split()[1])
    elif current and line.startswith("Rss:"):
        resident += int(line.split()[1])
print(mapped, resident)
"""


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="needs Linux's /proc to see resident pages")
def test_an_open_table_holds_only_the_pages_it_touched(tmp_path):
    path = tmp_path / "big.safetensors"
    ws.Embeddings.from_arrays((f"w{i}" for i in range(200_000)), np.ones((200_000, 50), np.float32)).save(path)
    ran = subprocess.run([sys.executable, "-c", MEMORY, str(path)], capture_output=True, text=True, check=True)
    mapped, resident = map(int, ran.stdout.split())
    assert mapped > 40_000  # KiB: the whole file is mapped
    assert resident < mapped / 10  # a dozen touches; the kernel maps the neighbouring pages of each


SAVE = """
import sys, numpy as np, wordstock as ws
big = ws.Embeddings.from_arrays((f"w{i}" for i in range(300_000)), np.ones((300_000, 100), np.float32))
big.norms, big.digest
print("ready", flush=True)
big.save(sys.argv[1])
"""


def test_kill_9_in_the_middle_of_a_save_keeps_the_old_file(table, tmp_path):
    path = tmp_path / "t.safetensors"
    table.save(path)
    before = path.read_bytes()
    writer = subprocess.Popen([sys.executable, "-c", SAVE, str(path)], stdout=subprocess.PIPE)
    assert writer.stdout.readline() == b"ready\n"
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob(".*.part")) and time.monotonic() < deadline:
        time.sleep(0.001)
    os.kill(writer.pid, signal.SIGKILL)
    writer.wait()
    writer.stdout.close()
    assert list(tmp_path.glob(".*.part")), "the writer was not caught in the middle"
    assert path.read_bytes() == before
    table.save(path)
    assert [p.name for p in tmp_path.iterdir()] == ["t.safetensors"]


def test_only_files_are_written_and_links_stay_links(table, tmp_path):
    pipe, folder, link = tmp_path / "pipe", tmp_path / "folder", tmp_path / "link.safetensors"
    os.mkfifo(pipe)
    folder.mkdir()
    with pytest.raises(StorageError, match="pipe: it is a pipe or device: give a file name"):
        table.save(pipe)
    for place in (folder, folder / ".", folder / ".."):
        with pytest.raises(StorageError, match="the path is a folder: give a file name"):
            table.save(place)
    assert pipe.is_fifo()
    link.symlink_to(folder / "t.safetensors")
    for _ in range(2):  # to nowhere, then to a file
        table.save(link)
        assert link.is_symlink()
    assert list(read_native(folder / "t.safetensors").keys) == list(table.keys)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["folder", "link.safetensors", "pipe", "t.safetensors"]


def test_values_a_precision_cannot_hold_write_nothing(tmp_path):
    with pytest.raises(WordstockError, match="more than float16 can store"):
        ws.Embeddings.from_arrays(["a"], [[1e6]]).save(tmp_path / "t.safetensors", precision="float16")
    with pytest.raises(InputError, match="known are float32, float16, int8"):
        ws.Embeddings.from_arrays(["a"], [[1]]).save(tmp_path / "t.safetensors", precision="int4")
    for card in (ws.Card(training={"seed": np.int64(3)}), ws.Card(name="\udcff")):
        with pytest.raises(InputError, match=r"t\.safetensors: its card holds what JSON does not"):
            ws.Embeddings.from_arrays(["a"], [[1]], card=card).save(tmp_path / "t.safetensors")
    assert not list(tmp_path.iterdir())


def described(part, name, value):
    """A change of one value of the metadata."""

    def change(header):
        meta = json.loads(header["__metadata__"]["wordstock"])
        meta[part][name] = value
        header["__metadata__"]["wordstock"] = json.dumps(meta)
        text = json.dumps(header)
        return text + " " * (-(8 + len(text)) % 64)

    return change


@pytest.mark.parametrize(("name", "value"), [("stored", [0, 1]), ("max_n", 10**18)])
def test_settings_of_n_grams_that_a_stranger_wrote(tmp_path, name, value):
    path = tmp_path / "t.safetensors"
    Embeddings(
        Vocabulary.from_keys(["a", "b"]),
        Storage(np.ones((2, 4), np.float32)),
        subwords=Subwords(2, 3, 2),
        subword_vectors=np.ones((2, 4), np.float32),
    ).save(path)

    rewritten(path, described("subwords", name, value))
    if name == "stored":  # its place is a tensor
        assert read_native(path).vectors(["zz"], "subword").any()
    else:
        with pytest.raises(FormatError, match="max_n"):
            read_native(path)


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", 5), ("licence", ["MIT"]), ("casing", 1), ("tokenizer", []), ("training", None), ("notes", "one")],
)
def test_a_card_that_a_stranger_wrote(table, tmp_path, field, value):
    path = tmp_path / "t.safetensors"
    table.save(path)

    rewritten(path, described("card", field, value))
    with pytest.raises(FormatError, match=f"t.safetensors.*card {field}="):
        read_native(path)


@pytest.mark.parametrize(("field", "value"), [("name", 5), ("source", Path("x")), ("training", [1]), ("notes", "one")])
def test_a_card_that_could_not_be_read_again_is_not_written(table, tmp_path, field, value):
    wrong = table.with_card(replace(table.card, **{field: value}))

    with pytest.raises(InputError, match=f"^card {field}="):
        wrong.save(tmp_path / "t.safetensors")
    assert not list(tmp_path.iterdir())
