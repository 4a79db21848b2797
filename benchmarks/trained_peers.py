"""What a peer trained, kept on disk: quality asks for them again and again, and speed never uses them."""

import hashlib
import json
import warnings
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np
from gensim.models import Word2Vec
from platformdirs import user_cache_path

import wordstock as ws


def kept_vectors(
    peer: str, text: Path, settings: dict[str, object], train: Callable[[], ws.Embeddings]
) -> ws.Embeddings:
    """The vectors of an earlier run with the same peer, text and settings, or those that ``train`` makes now.

    Parameters
    ----------
    peer : the distribution whose version counts, such as "gensim".
    settings : everything that the vectors depend on, the seed included.
    """
    path = _place(peer, text, settings).with_suffix(".safetensors")
    if not path.exists():
        train().save(path)
    return ws.load(path)


def kept_scores(peer: str, text: Path, settings: dict[str, object], score: Callable[[], list[float]]) -> list[float]:
    """The scores of such vectors, where the vectors themselves would take gigabytes."""
    path = _place(peer, text, settings).with_suffix(".json")
    if not path.exists():
        path.write_text(json.dumps(score()))
    return json.loads(path.read_text())


def _place(peer: str, text: Path, settings: dict[str, object]) -> Path:
    state = hashlib.sha256(f"{peer} {version(peer)} {sorted(settings.items())}".encode())
    with text.open("rb") as stream:
        state.update(hashlib.file_digest(stream, "sha256").digest())
    folder = user_cache_path("wordstock") / "benchmarks"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{peer}-{state.hexdigest()[:24]}"


def gensim_word2vec(text: Path, settings: dict[str, object]) -> ws.Embeddings:
    """Vectors of ``gensim.models.Word2Vec`` by its ``corpus_file``; ``settings`` are its parameters."""

    def train() -> ws.Embeddings:
        with warnings.catch_warnings(action="ignore"):
            model = Word2Vec(corpus_file=str(text), **settings)
        return ws.Embeddings.from_arrays(model.wv.index_to_key, np.array(model.wv.vectors))

    return kept_vectors("gensim", text, settings, train)
