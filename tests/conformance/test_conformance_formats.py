"""One suite for every format: what was written comes back, damage is one clear error, a write is whole or nothing."""

import json
import os
import random
import shutil
import subprocess
import sys
import warnings
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from file_kinds import KEYS, KINDS, OURS, VECTORS, table

import wordstock as ws
from wordstock.embeddings import Embeddings
from wordstock.errors import FormatError, InputError, StorageError, WordstockError
from wordstock.formats import Format, convert, detect, format_of_name, read, write

FORMATS = get_args(Format)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("written")
    for kind in KINDS:
        kind.write(table(), folder / kind.name)
    return folder


@pytest.fixture(params=KINDS, ids=str)
def kind(request):
    return request.param


@pytest.fixture(params=OURS, ids=str)
def ours(request):
    return request.param


@pytest.fixture(params=["one block", "small blocks"])
def blocks(request):
    """Files are read whole, or in blocks of a few hundred bytes, each split between threads."""
    if request.param == "small blocks":
        request.getfixturevalue("small_blocks")


def parts(path):
    """The files of a kind that hold vectors or keys."""
    return [path] if path.is_file() else [path / "model.safetensors", path / "tokenizer.json"]


def copied(path, folder, name):
    target = folder / name
    return Path(shutil.copytree(path, target) if path.is_dir() else shutil.copy(path, target))


def loss(found):
    """Of each value, how far off it is, as a share of the largest in its row."""
    return np.abs(found - VECTORS[: len(found)]) / np.abs(VECTORS[: len(found)]).max(axis=1, keepdims=True)


def read_or_refused(path, **options):
    """The table, or None where the file was refused as every damaged file should be."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # rows and keys that a reader may drop
            return read(path, **options)
    except FormatError as error:
        assert str(path) in str(error)  # noqa: PT017
        assert "\n" not in str(error)  # noqa: PT017
        return None


def used(emb):
    """Whatever was read can be used, or says what is wrong with it."""
    try:
        keys = list(emb.keys)
        assert len(keys) == len(emb)
        found = all(emb.vocabulary.find(key) == number for number, key in enumerate(keys))
        assert found or not emb.verify()  # nobody reads a mapped file through before its digest is asked for
        emb.vectors(["the", "w3", "nowhere"], missing="zero")
        emb.nearest(np.ones(emb.dim, np.float32), 2)
    except WordstockError as error:
        assert "\n" not in str(error)  # noqa: PT017


def test_what_was_written_comes_back(kind, written, blocks):
    found = read(written / kind.name)
    keys = list(found.keys)
    assert keys[: len(KEYS)] == KEYS
    assert keys[len(KEYS) :] == (["[UNK]"] if kind.format == "model2vec" else [])
    assert (found.vectors(KEYS).shape, found.vectors(KEYS).dtype) == (VECTORS.shape, np.float32)
    if kind.loss:
        assert loss(found.vectors(KEYS)).max() <= kind.loss * 1.001
    else:
        np.testing.assert_array_equal(found.vectors(KEYS).view(np.uint32), VECTORS.view(np.uint32))


def test_the_content_tells_the_format_and_not_the_name(kind, written, tmp_path):
    assert detect(written / kind.name) == kind.format
    for name in ("misleading.bin", "nothing", "odd name .safetensors"):
        path = copied(written / kind.name, tmp_path, name)
        assert detect(path) == kind.format
        assert list(read(path).keys)[: len(KEYS)] == KEYS


def test_the_name_tells_what_to_write(ours):
    if ours.folder:
        with pytest.raises(InputError, match=r"\.safetensors \(native\)"):
            format_of_name(ours.name)
    else:
        assert format_of_name(ours.name) == ("glove" if "glove" in ours.name else ours.format)


def test_one_door_opens_them_all(kind, written):
    opened = ws.load(written / kind.name)
    pieces = opened if isinstance(opened, Embeddings) else opened.table
    assert list(pieces.keys)[: len(KEYS)] == KEYS


def test_each_becomes_each(kind, ours, written, tmp_path):
    source = written / kind.name
    convert(source, tmp_path / ours.name, format="model2vec" if ours.folder else None)
    found = read(tmp_path / ours.name)
    assert list(found.keys)[: len(KEYS)] == KEYS
    if not ours.folder:  # which holds vectors times the words' weights
        assert loss(found.vectors(KEYS)).max() <= kind.loss * 1.001


def whole_but_newline(emb):
    return list(emb.keys) == KEYS and np.array_equal(emb.vectors(KEYS), VECTORS)


def test_a_file_cut_short_is_refused(kind, written, tmp_path, blocks):
    draw = random.Random(kind.name)
    for whole in parts(written / kind.name):
        size = whole.stat().st_size
        for stop in {*range(9), *draw.sample(range(size), 30), size // 2, size - 2, size - 1}:
            path = copied(written / kind.name, tmp_path, "cut")
            place = path if path.is_file() else path / whole.name
            place.write_bytes(whole.read_bytes()[:stop])
            found = read_or_refused(path)
            if found is not None and not whole_but_newline(found):
                assert not kind.sized, f"cut to {stop} of {size} bytes and yet read"
                assert list(found.keys) == KEYS[: len(found)]
                assert "glove" in kind.name or len(found) == len(KEYS)
                if len(found) > 1:  # the last line may end in the middle of a number and still look like one
                    np.testing.assert_array_equal(found.vectors(KEYS[: len(found) - 1]), VECTORS[: len(found) - 1])
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def test_bytes_that_are_wrong_are_refused_or_harmless(kind, written, tmp_path, blocks):
    draw = random.Random(kind.name)
    for whole in parts(written / kind.name):
        content = whole.read_bytes()
        for number in range(60):
            broken = bytearray(content)
            for _ in range(draw.randint(1, 4)):
                broken[draw.randrange(min(len(broken), 400) if number % 2 else len(broken))] = draw.randrange(256)
            path = copied(written / kind.name, tmp_path, "broken")
            (path if path.is_file() else path / whole.name).write_bytes(broken)
            if (found := read_or_refused(path)) is not None:
                used(found)
            shutil.rmtree(path) if path.is_dir() else path.unlink()


@pytest.mark.parametrize("format", FORMATS)
def test_a_file_of_another_format_is_refused_or_read_as_that(kind, format, written):
    if format == kind.format:
        return
    found = read_or_refused(written / kind.name, format=format)
    if found is not None:
        assert {format, kind.format} == {"glove", "word2vec-text"}  # text with a header is either
        assert list(found.keys) == KEYS


@pytest.mark.parametrize("format", FORMATS)
def test_no_file_and_nothing_in_it(format, tmp_path):
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "none", format=format)
    (tmp_path / "empty.gz").touch()
    os.mkfifo(tmp_path / "pipe")  # which nobody writes to, and nobody may wait for
    for path in (tmp_path / "empty.gz", tmp_path / "pipe", tmp_path):
        with pytest.raises(FormatError) as caught:
            read(path, format=format)
        assert str(path) in str(caught.value)


def test_nothing_can_be_detected_in_nothing(tmp_path):
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "none")
    (tmp_path / "empty").touch()
    with pytest.raises(FormatError, match="found an empty file"):
        read(tmp_path / "empty")
    with pytest.raises(FormatError, match="a folder"):
        read(tmp_path)


FULL = """
import json, resource, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from file_kinds import OURS, table
big = table([f"word{number}" for number in range(20_000)])
said = {}
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, -1))  # the kernel refuses more, as a full disk does
for kind in OURS:
    try:
        kind.write(big, Path(sys.argv[2], kind.name))
    except Exception as error:
        said[kind.name] = [type(error).__name__, str(error)]
print(json.dumps(said))
"""


@pytest.fixture(scope="module")
def on_a_full_disk(written, tmp_path_factory):
    """What each kind says when a large table is written over a small one and there is no room; and the folder."""
    folder = tmp_path_factory.mktemp("full")
    for kind in OURS:
        if not kind.folder:
            copied(written / kind.name, folder, kind.name)
    here = str(Path(__file__).parent)
    ran = subprocess.run([sys.executable, "-c", FULL, here, str(folder)], capture_output=True, text=True, check=True)
    return json.loads(ran.stdout), folder


def test_a_full_disk_leaves_what_was_there(ours, on_a_full_disk, written):
    said, folder = on_a_full_disk
    error, message = said[ours.name]
    assert error == "StorageError"
    assert f"cannot write {folder / ours.name}: the file would be larger than" in message
    if not ours.folder:
        assert (folder / ours.name).read_bytes() == (written / ours.name).read_bytes()
    assert {path.name for path in folder.iterdir()} == {kind.name for kind in OURS if not kind.folder}


def test_a_place_that_cannot_be_written(ours, tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageError, match="a part of the path is a file"):
        ours.write(table(), tmp_path / "file" / ours.name)
    with pytest.raises(StorageError, match="cannot write /proc/nothing"):
        ours.write(table(), Path("/proc/nothing", ours.name))
    (tmp_path / ours.name).mkdir()
    (tmp_path / ours.name / "inside").touch()
    with pytest.raises((StorageError, InputError), match=r"is a folder: give a file name|exists already"):
        ours.write(table(), tmp_path / ours.name)
    assert {path.name for path in tmp_path.rglob("*")} == {"file", ours.name, "inside"}


def test_writing_over_a_file_that_is_open(ours, tmp_path):
    """A table is often written back to where it was read from; what was mapped stays as it was."""
    path = tmp_path / ours.name
    ours.write(table(), path)
    opened = read(path)
    if ours.folder:
        with pytest.raises(InputError, match="exists already"):
            ours.write(opened, path)
        return
    ours.write(opened.subset(KEYS[:4]), path)
    assert list(read(path).keys) == KEYS[:4]
    assert list(opened.keys) == KEYS
    assert loss(opened.vectors(KEYS)).max() <= ours.loss * 1.001


@pytest.mark.parametrize("packed", [".gz", ".bz2", ".zst"])
def test_a_native_file_is_not_packed(packed, tmp_path):
    with pytest.raises(InputError, match="cannot be compressed"):
        write(table(), tmp_path / f"t.safetensors{packed}")
    assert not list(tmp_path.iterdir())


def test_the_same_table_gives_the_same_bytes(ours, written, tmp_path):
    ours.write(table(), tmp_path / ours.name)
    for first, second in zip(parts(written / ours.name), parts(tmp_path / ours.name), strict=True):
        assert first.read_bytes() == second.read_bytes()
