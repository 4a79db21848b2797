"""The peer's own objects and files, made from the same vectors that wordstock uses."""

from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
from gensim.models import KeyedVectors

import wordstock as ws

MODEL = "glove-6b-50d"


@cache
def glove() -> ws.Embeddings:
    """GloVe 6B, 400,000 × 50."""
    return ws.load(MODEL)


@cache
def gensim_glove() -> KeyedVectors:
    """The same vectors in gensim."""
    emb = glove()
    peer = KeyedVectors(emb.dim)
    peer.add_vectors(list(emb.keys), np.array(emb.storage.data))
    return peer


@cache
def folder() -> Path:
    """A folder for files, removed when the run ends."""
    import atexit
    import shutil

    path = Path(mkdtemp(prefix="wordstock-bench-"))
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path
