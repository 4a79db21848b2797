"""Formats are told by content; what is not a table is named, with a remedy."""

import gzip
import io
import json
import os
import pickle
import zipfile

import numpy as np
import pytest

from wordstock.errors import FormatError
from wordstock.formats import detect, read, write

BINARY = b"2 3\na " + np.float32([1, 2, 3]).tobytes() + b"b " + np.float32([-1, 0.1, 9]).tobytes()


@pytest.mark.parametrize(
    ("content", "format"),
    [
        (b"a 1 2\nb 3 4\n", "glove"),
        (b"a 1\n", "glove"),
        (b"<html> 0.5 1.5\n</s> 1 2\n", "glove"),
        (b"version 1 2\n{ 1 2\n", "glove"),
        (b"FiFu 0.5 1.5\nPAR 1 2\n", "glove"),
        (b"12 50\n13 7\n", "glove"),
        (b"2 2\na 1 2\nb 3 4\n", "word2vec-text"),
        (b"\xef\xbb\xbf2 2\na 1 2\nb 3 4\n", "word2vec-text"),
        (b"2 3\na 1 2 \n", "word2vec-text"),
        (b"0 50\n", "word2vec-text"),
        (b"5 50\n", "word2vec-text"),
        (BINARY, "word2vec-binary"),
        (BINARY[:12], "word2vec-binary"),
        (BINARY.replace(b"b ", b"\nb ") + b"\n", "word2vec-binary"),
    ],
)
def test_by_content(file, content, format):
    assert detect(file(content, "misleading.safetensors")) == format
    assert detect(file(gzip.compress(content), "misleading.bin")) == format


def test_a_wide_row_is_longer_than_the_first_look(file):
    path = file(b"w" + b" 0.12345678" * 200_000 + b"\n")
    assert detect(path) == "glove"
    assert read(path).dim == 200_000


def test_native(table, tmp_path, file):
    write(table, tmp_path / "n.safetensors")
    assert detect(tmp_path / "n.safetensors") == "native"
    with pytest.raises(FormatError, match="decompress it first"):
        detect(file(gzip.compress((tmp_path / "n.safetensors").read_bytes())))
    assert len(read(tmp_path / "n.safetensors", limit=4)) == 4


def npy():
    out = io.BytesIO()
    np.save(out, np.zeros((2, 2)))
    return out.getvalue()


def archive():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("glove.txt", "a 1 2\n")
    return out.getvalue()


class Trap:
    def __reduce__(self):
        return os.abort, ()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "an empty file"),
        (b"<!DOCTYPE html>\n<html><body>404</body></html>\n", "a web page"),
        (b"\n  <html>\n", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "git lfs pull"),
        (json.dumps({"a": [1, 2]}).encode(), "JSON"),
        *((pickle.dumps(Trap(), protocol), "a pickle; pickles are never loaded") for protocol in (2, 3, 4, 5)),
        (npy(), "NumPy array"),
        (archive(), "a zip archive; unpack it"),
        (b"FiFu" + b"\0" * 40, "a finalfusion file"),
        (b"SQLite format 3\0" + b"\0" * 99, "SQLite"),
        ("a 1 2\n".encode("utf-16"), "UTF-16"),
        (b"\0" * 257 + b"ustar", "tar"),
        (b"king,0.1,0.2\nqueen,0.3,0.4\n", "starts with b'king,0.1"),
        (b"just some words\nof plain text\n", "a file of vectors"),
        (b"\n\n\n", "a file of vectors"),
        (os.urandom(0) + bytes(range(128, 256)) * 10, "a file of vectors"),
    ],
)
def test_what_is_not_a_table_is_named(file, content, said):
    for reader in (detect, read):
        with pytest.raises(FormatError, match=said):
            reader(file(content))


def test_folders_and_devices(tmp_path):
    with pytest.raises(FormatError, match="a folder; give a file inside it"):
        read(tmp_path)
    with pytest.raises(FormatError, match="a pipe or device"):
        read("/dev/null")
    with pytest.raises(FileNotFoundError):
        detect(tmp_path / "none")
