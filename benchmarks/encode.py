"""Claim: sentences are encoded at least as fast as model2vec encodes them with an equally large static table."""

import re
from pathlib import Path

import gensim
import numpy as np
from model2vec import StaticModel
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from options import options
from pairs import HEAD, paired
from peer import glove


def sentences() -> list[str]:
    """Real English sentences: the Lee background corpus that gensim carries, cut at full stops, 20 times over."""
    corpus = Path(gensim.__file__).parent / "test/test_data/lee_background.cor"
    found = re.split(r"(?<=[.!?])\s+", corpus.read_text(encoding="utf-8").replace("\n", " "))
    return [sentence for sentence in found if sentence.strip()] * 20


def run() -> str:
    """The same 400,000 × 50 table in both, plain means, the same word boundaries; vectors compared first."""
    emb = glove().with_config(pooling="mean")
    tokenizer = Tokenizer(models.WordLevel({"[UNK]": len(emb)} | {k: i for i, k in enumerate(emb.keys)}, "[UNK]"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Punctuation("isolated")]
    )
    vectors = np.concatenate([emb.storage.data, np.zeros((1, emb.dim), np.float32)])
    peer = StaticModel(vectors, tokenizer, normalize=False)
    texts = sentences()
    plain = [text for text in texts[:500] if text.isascii() and "'" not in text]
    cosines = np.sum(unit(emb.encode(plain)) * unit(peer.encode(plain)), axis=1)
    assert np.median(cosines) > 0.999, np.median(cosines)
    pair = paired(lambda: emb.encode(texts), lambda: peer.encode(texts, max_length=None))
    words = sum(map(len, map(str.split, texts))) / len(texts)
    row = pair.row(f"encode {len(texts):,} sentences of {words:.0f} words (peer: model2vec)", "≥ 1×")
    rates = f"{len(texts) / pair.ours:,.0f} against {len(texts) / pair.peer:,.0f} sentences/s"
    return f"{HEAD}\n{row}\n\n{rates}"


def unit(vectors: np.ndarray) -> np.ndarray:
    """Rows of length 1."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)


if __name__ == "__main__":
    options(__doc__)
    print(run())
