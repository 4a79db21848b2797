"""One of every kind of encoder: how to make it, how to have it again, and others that must not pass for it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import model2vec
import numpy as np
import tokenizers
from safetensors.numpy import load_file, save_file

import tiny_models
import wordstock as ws
from wordstock.encoders import open_encoder
from wordstock.encoders.cache import CachedEncoder
from wordstock.formats import write_model2vec
from wordstock.protocols import Encoder
from wordstock.text import Tokenizer
from wordstock.vocab import Subwords, Vocabulary

KEYS = ["the", "bank", "river", "was", "flooded", "in", "spring", "loan", ".", "café", "東", "n't"]
ROUNDING = 1e-5  # of a vector's length: what batch-mates may change in a model that runs on padded batches


@dataclass(frozen=True)
class Made:
    """An encoder and its relatives.

    Parameters
    ----------
    encoder : the one that is asked.
    again : gives it anew, from the files it was opened from.
    others : by what is different, encoders with other weights or settings.
    rounding : share of its length by which a text's vector may depend on the texts beside it.
    """

    encoder: Encoder
    again: Callable[[], Encoder]
    others: dict[str, Encoder] = field(default_factory=dict)
    rounding: float = 0.0


def table(seed: int = 0, **changes: Any) -> ws.Embeddings:
    vectors = np.random.default_rng(seed).normal(size=(len(KEYS), 6)).astype(np.float32)
    counts = np.arange(len(KEYS), 0, -1) ** 2
    return ws.Embeddings.from_arrays(KEYS, vectors, **({"counts": counts} | changes))


def with_ngrams(seed: int = 0) -> ws.Embeddings:
    plain = table(seed)
    grams = np.random.default_rng(seed + 1).normal(size=(50, plain.dim)).astype(np.float32)
    return ws.Embeddings(
        Vocabulary.from_keys(KEYS), plain.storage, subwords=Subwords(3, 5, 50), subword_vectors=grams
    ).with_config(unknown="subword")


def settings_of(emb: ws.Embeddings) -> dict[str, Encoder]:
    changes: dict[str, dict[str, Any]] = {
        "pooling": {"pooling": "mean"},
        "sif_a": {"sif_a": 0.1},
        "unit": {"unit": True},
        "case": {"case": "fallback"},
        "tokenizer": {"tokenizer": Tokenizer(digits="zero")},
        "phrases": {"phrases": "_"},
    }
    return {name: emb.with_config(**change) for name, change in changes.items()}


def saved(emb: ws.Embeddings, folder: Path, **others: Encoder) -> Made:
    """A table in a native file."""
    path = folder / "table.safetensors"
    emb.save(path)
    return Made(ws.load(path), lambda: ws.load(path), settings_of(emb) | others)


def float32(folder: Path) -> Made:
    emb, common = table(), np.eye(6, dtype=np.float32)[:1]
    reordered = ws.Embeddings.from_arrays(KEYS[::-1], emb.vectors(KEYS))
    return saved(
        emb, folder, weights=table(9), keys=reordered, counts=table(counts=None), common=emb.with_common(common)
    )


def float16(folder: Path) -> Made:
    return saved(table().with_precision("float16"), folder, float32=table(), int8=table().with_precision("int8"))


def int8(folder: Path) -> Made:
    return saved(table().with_precision("int8"), folder, float32=table(), float16=table().with_precision("float16"))


def in_memory(folder: Path) -> Made:
    return Made(table(), table, settings_of(table()))


def shared_rows(folder: Path) -> Made:
    rows = np.arange(len(KEYS)) // 2
    half = np.random.default_rng(3).normal(size=(rows[-1] + 1, 6))
    emb = ws.Embeddings.from_arrays(KEYS, half, rows=rows)
    return saved(emb, folder, rows=ws.Embeddings.from_arrays(KEYS, half, rows=rows[::-1]))


def subwords(folder: Path) -> Made:
    emb = with_ngrams()
    other = ws.Embeddings(emb.vocabulary, emb.storage, subwords=Subwords(3, 6, 50), subword_vectors=emb.subword_vectors)
    return saved(emb, folder, lengths=other, weights=with_ngrams(5), skip=emb.with_config(unknown="skip"))


def fasttext_file(folder: Path) -> Made:
    import fasttext

    (folder / "text.txt").write_text("\n".join(tiny_models.CORPUS * 5) + "\n", encoding="utf-8")
    # Each of ten threads fills a tenth of fastText's matrix: with fewer, the rest would be whatever was in memory.
    sizes = {"dim": 10, "bucket": 800, "minCount": 1, "epoch": 1, "thread": 10}
    model = fasttext.train_unsupervised(str(folder / "text.txt"), verbose=0, **sizes)
    model.save_model(str(folder / "model.bin"))
    emb = ws.load(folder / "model.bin")
    return Made(emb, lambda: ws.load(folder / "model.bin"), {"subword": emb.with_config(unknown="subword")})


def distilled(folder: Path) -> Made:
    source = open_encoder(tiny_models.build("bert", folder / "bert"))
    return saved(ws.distill(source, KEYS, dim=4), folder, dim=ws.distill(source, KEYS, dim=5))


def static_model(folder: Path) -> Made:
    """A folder that model2vec itself has written, of pieces of words."""
    pieces = ["[PAD]", "[UNK]", *KEYS, "b", "##an", "##k", "##s", "##ing"]
    tokenizer = tokenizers.Tokenizer(
        tokenizers.models.WordPiece({piece: number for number, piece in enumerate(pieces)}, unk_token="[UNK]")
    )
    tokenizer.normalizer = tokenizers.normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    vectors = np.random.default_rng(2).normal(size=(len(pieces), 6)).astype(np.float32)
    model2vec.StaticModel(-vectors, tokenizer, normalize=False, max_length=40).save_pretrained(folder / "weights")
    for name, changes in {"model": {}, "unit": {"normalize": True}, "cut": {"max_length": 2}}.items():
        options = {"normalize": False, "max_length": 40} | changes
        model2vec.StaticModel(vectors, tokenizer, **options).save_pretrained(folder / name)
    others = {name: ws.load(folder / name) for name in ("unit", "cut", "weights")}
    return Made(ws.load(folder / "model"), lambda: ws.load(folder / "model"), others)


def written_model2vec(folder: Path) -> Made:
    """A folder that wordstock has written, of whole words."""
    write_model2vec(table(), folder / "model")
    write_model2vec(table(9), folder / "other")
    return Made(ws.load(folder / "model"), lambda: ws.load(folder / "model"), {"weights": ws.load(folder / "other")})


def contextual(folder: Path) -> Made:
    path = tiny_models.build("bert", folder / "bert")
    encoder = open_encoder(path)
    changes: dict[str, dict[str, Any]] = {
        "pooling": {"pooling": "cls"},
        "layers": {"layers": [1, 3]},
        "combine": {"layers": [1, 3], "combine": "concat"},
        "layer_weights": {"layers": [1, 3], "layer_weights": [1, 2]},
        "prompts": {"prompts": {"q": "q: "}},
        "prompt": {"prompts": {"q": "q: "}, "prompt": "q"},
        "truncate_dim": {"truncate_dim": 8},
        "unit": {"unit": True},
        "max_length": {"max_length": 32},
        "long": {"long": "window"},
        "subwords": {"subwords": "first"},
        "precision": {"precision": "bfloat16"},
    }
    others = {name: encoder.with_config(**change) for name, change in changes.items()}
    others["weights"] = open_encoder(_changed(path, folder / "changed"))
    return Made(encoder, lambda: open_encoder(path, batch_tokens=64, threads=1), others, ROUNDING)


def _changed(path: Path, folder: Path) -> Path:
    """A copy of a model's folder with one number changed."""
    shutil.copytree(path, folder)
    weights = load_file(folder / "model.safetensors")
    next(iter(weights.values())).flat[0] += 1
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    return folder


def two_poolings(folder: Path) -> Made:
    """A contextual encoder whose words have shorter vectors than its texts."""
    path = tiny_models.build("bert", folder / "bert")

    def opened() -> Encoder:
        return open_encoder(path).with_config(pooling=("mean", "cls"))

    return Made(opened(), opened, {"order": open_encoder(path).with_config(pooling=("cls", "mean"))}, ROUNDING)


def stacked(folder: Path) -> Made:
    bert = open_encoder(tiny_models.build("bert", folder / "bert"))
    emb, split = table(), Tokenizer(digits="zero")
    others = {
        "order": ws.stack([bert, emb]),
        "scale": ws.stack([emb, bert], scale="unit"),
        "weights": ws.stack([table(9), bert]),
        "tokenizer": ws.stack([emb, bert], tokenizer=split),
    }
    return Made(ws.stack([emb, bert]), lambda: ws.stack([table(), open_encoder(folder / "bert")]), others, ROUNDING)


def stacked_poolings(folder: Path) -> Made:
    inner = two_poolings(folder)
    return Made(ws.stack([inner.encoder, table()]), lambda: ws.stack([inner.again(), table()]), rounding=ROUNDING)


def cached(folder: Path) -> Made:
    path = folder / "vectors.db"
    return Made(CachedEncoder(table(), path), lambda: CachedEncoder(table(), path), {"weights": table(9)})


def cached_poolings(folder: Path) -> Made:
    inner, path = two_poolings(folder), folder / "vectors.db"
    return Made(CachedEncoder(inner.encoder, path), lambda: CachedEncoder(inner.again(), path), inner.others, ROUNDING)


def of_a_store(folder: Path) -> Made:
    """The encoder that a store finds again by itself."""
    table().with_config(unit=True).save(folder / "table.safetensors")
    with ws.VectorStore(folder / "store.safetensors", encoder=folder / "table.safetensors") as store:
        store.add(["the bank"])

    def opened() -> Encoder:
        with ws.VectorStore(folder / "store.safetensors") as store:
            return store.encoder

    return Made(opened(), opened, {"settings": table()})


KINDS = {
    make.__name__: make
    for make in (
        float32, float16, int8, in_memory, shared_rows, subwords, fasttext_file, distilled, static_model,
        written_model2vec, contextual, two_poolings, stacked, stacked_poolings, cached, cached_poolings, of_a_store,
    )
}  # fmt: skip
