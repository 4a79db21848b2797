"""One file of every kind that holds a table: how it is written, what it is, and what must come back of it."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from wordstock.embeddings import Embeddings
from wordstock.formats import Format, write, write_glove, write_word2vec_binary

KEYS = ["the", "naïve", "nan", "null", '"', "-", "12", "東京", "x\u0085y", "a_b", *(f"w{i}" for i in range(12))]
VECTORS = np.random.default_rng(3).normal(scale=[[10.0**-i for i in range(5)]], size=(len(KEYS), 5)).astype(np.float32)


@dataclass(frozen=True)
class Kind:
    """A kind of file.

    Parameters
    ----------
    name : that ``write`` gives it.
    write : writes a table.
    format : what it is.
    loss : of each value, share of the largest in its row that writing may cost.
    sized : says how much it holds, so that no file cut short passes for a whole one.
    folder : several files.
    ours : whether wordstock writes such files.
    """

    name: str
    write: Callable[[Embeddings, Path], object]
    format: Format
    loss: float = 0.0
    sized: bool = True
    folder: bool = False
    ours: bool = True

    def __str__(self) -> str:
        return self.name


def table(keys: list[str] = KEYS) -> Embeddings:
    emb = Embeddings.from_arrays(keys, np.resize(VECTORS, (len(keys), 5)))
    return emb.with_config(pooling="mean")  # model2vec writes weighted vectors


def _by_name(name: str, format: Format, **options: Any) -> Kind:
    precision = options.pop("precision", None)
    return Kind(name, partial(write, precision=precision), format, **options)


def _fasttext(emb: Embeddings, path: Path) -> None:
    """A skip-gram model of version 12 without n-grams, as fastText's ``Model::save`` lays it out."""
    settings = struct.pack("<12id", emb.dim, 5, 1, 1, 5, 1, 2, 2, 0, 0, 0, 100, 1e-4)  # negative sampling, skip-gram
    entries = b"".join(key.encode() + struct.pack("<xqb", 1, 0) for key in emb.keys)
    sizes = struct.pack("<3iqq", len(emb), len(emb), 0, len(emb), -1)
    matrix = struct.pack("<?2q", False, len(emb), emb.dim) + emb.vectors(list(emb.keys)).tobytes()
    content = struct.pack("<2i", 793712314, 12) + settings + sizes + entries + matrix + matrix
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


PACKED = ("", ".gz", ".bz2", ".zst")
KINDS = [
    _by_name("float32.safetensors", "native"),
    _by_name("float16.safetensors", "native", precision="float16", loss=2**-11),
    _by_name("int8.safetensors", "native", precision="int8", loss=0.5 / 127),
    *(_by_name(f"text.txt{packed}", "word2vec-text", sized=bool(packed)) for packed in PACKED),
    _by_name("text.vec", "word2vec-text", sized=False),
    *(_by_name(f"binary.bin{packed}", "word2vec-binary") for packed in PACKED),
    Kind("c-tool.bin", partial(write_word2vec_binary, newline=True), "word2vec-binary"),
    *(_by_name(f"glove.glove{packed}", "glove", sized=bool(packed)) for packed in PACKED),
    Kind("headed.glove.txt", partial(write_glove, header=True), "word2vec-text", sized=False),
    Kind("folder", partial(write, format="model2vec"), "model2vec", folder=True),
    *(Kind(f"fasttext.bin{packed}", _fasttext, "fasttext", ours=False) for packed in ("", ".gz")),
]
OURS = [kind for kind in KINDS if kind.ours]
