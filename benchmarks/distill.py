"""Claim: a table distilled from MiniLM encodes at least 200 times as fast and keeps most of its quality."""

import os
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr

import wordstock as ws
from encode import sentences
from options import options
from pairs import paired
from wordstock.corpus import read_texts
from wordstock.errors import InputError
from wordstock.hub.cache import cache_folder
from wordstock.protocols import Encoder
from wordstock.text import split_sentences

MODEL, WORDS = "all-minilm-l6-v2", "glove-6b-50d"
VOCABULARY = 30_000  # the first words of GloVe
EVERY, MOST = 70, 10_000  # of the sentences of the Wikipedia sample
PEER_TEXTS = 200  # the peer is slow enough to be timed on these alone


def run() -> str:
    """Sentences per second beside sentence-transformers, then Spearman's correlation on STS pairs."""
    from sentence_transformers import SentenceTransformer

    encoder = ws.load(MODEL, progress=False)
    glove = ws.load(WORDS)
    words = glove.keys[:VOCABULARY]
    alone = kept(f"alone-{VOCABULARY}-{encoder.fingerprint[:16]}", lambda: ws.distill(encoder, words))
    in_context = kept(
        f"context-{VOCABULARY}-{EVERY}-{MOST}-{encoder.fingerprint[:16]}",
        lambda: ws.distill(encoder, words, corpus=list(wikipedia())),
    )
    peer = SentenceTransformer(str(encoder.path), device="cpu")
    texts = sentences()
    few = texts[:: len(texts) // PEER_TEXTS][:PEER_TEXTS]
    share = len(texts) / len(few)
    times = [
        (name, paired(lambda table=table: table.encode(texts), lambda: peer.encode(few), pairs=3))
        for name, table in (("words alone", alone), ("words in context", in_context))
    ]
    speed = [
        f"| {name} | {len(texts) / pair.ours:,.0f} | {len(few) / pair.peer:,.0f} | "
        f"**{pair.ratio * share:,.0f}×** ({pair.lowest * share:,.0f}–{pair.highest * share:,.0f}) | ≥ 200× |"
        for name, pair in times
    ]
    rows = {
        "MiniLM in sentence-transformers": peer,
        "MiniLM": encoder,
        **lower_precisions(),
        "distilled, words in context": in_context,
        "distilled, words alone": alone,
        f"GloVe, the same {VOCABULARY:,} words": glove.subset(words),
        "GloVe, all 400,000 words": glove,
    }
    quality = [
        f"| {name} | {length(found)} | {score(found, 'dev'):.4f} | {score(found, 'test'):.4f} |"
        for name, found in rows.items()
    ]
    return "\n".join(
        [
            "| distilled table | sentences/s | sentence-transformers | ratio (range over pairs) | goal |\n|-|-|-|-|-|",
            *speed,
            "",
            "| Spearman's correlation, STS | dim | dev | test |\n|-|-|-|-|",
            *quality,
            "",
            f"Sentences of news, {np.mean([len(text.split()) for text in texts]):.0f} words on average; ratios are "
            "medians of 3 pairs. STS: image captions and SNLI sentences of STS Benchmark (375 pairs each); settings "
            f"of `distill` were chosen on its train and dev parts. “In context” averages over up to 20 occurrences in "
            f"{MOST:,} sentences of Wikipedia.",
        ]
    )


def lower_precisions() -> dict[str, Encoder]:
    """MiniLM in what this processor has of bfloat16 and eight bits."""
    found = {}
    for backend, precision in (("openvino", "bfloat16"), ("openvino", "int8"), ("onnx", "int8")):
        try:
            found[f"MiniLM, {backend} {precision}"] = ws.load(MODEL, backend=backend, precision=precision)
        except InputError as error:
            print(error, file=sys.stderr)
    return found


def length(encoder) -> int:
    """Numbers of a vector."""
    return len(encoder.encode("a"))


def kept(name: str, make) -> ws.Embeddings:
    """A table that stays in the cache between runs, since making it takes minutes."""
    path = cache_folder() / "benchmarks" / f"distilled-{name}.safetensors"
    if not path.exists():
        make().save(path)
    return ws.load(path)


def wikipedia() -> Iterator[str]:
    """Sentences spread over the sample."""
    texts = read_texts(data("enwiki-core-102mb"), workers=0)
    found = (sentence for text in texts for sentence in split_sentences(text) if 30 < len(sentence) < 400)
    return islice(found, 0, EVERY * MOST, EVERY)


def data(name: str) -> Path:
    """A folder of the published sets."""
    root = os.environ.get("WORDSTOCK_DATA")
    path = Path(root or "") / name
    if not root or not path.is_dir():
        raise SystemExit(
            f"set WORDSTOCK_DATA to a folder that holds {name}/ (enwiki-core-102mb: Wikipedia as WikiExtractor writes "
            "it; sts-open: sts-open-dev.tsv and sts-open-test.tsv with score and sentences in columns 5 to 7)"
        )
    return path


def score(encoder: Encoder, part: str) -> float:
    """Spearman's correlation of cosines with the scores that people gave."""
    lines = (data("sts-open") / f"sts-open-{part}.tsv").read_text(encoding="utf-8").splitlines()
    columns = [line.split("\t") for line in lines]
    first, second = (encoder.encode([row[place] for row in columns]) for place in (5, 6))
    norms = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    cosines = np.sum(first * second, axis=1) / np.maximum(norms, 1e-12)
    return float(spearmanr(cosines, [float(row[4]) for row in columns])[0])


if __name__ == "__main__":
    options(__doc__)
    print(run())
