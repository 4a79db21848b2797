"""The static table: storage, native file, neighbours, analogy, sentence vectors, post-processing."""

from wordstock.embeddings.card import Card
from wordstock.embeddings.combine import merge
from wordstock.embeddings.config import EncodeConfig
from wordstock.embeddings.native import read_native, write_native
from wordstock.embeddings.postprocess import all_but_the_top, fit_common_component
from wordstock.embeddings.search import Neighbor
from wordstock.embeddings.storage import Storage, quantize
from wordstock.embeddings.table import Embeddings

__all__ = [
    "Card",
    "Embeddings",
    "EncodeConfig",
    "Neighbor",
    "Storage",
    "all_but_the_top",
    "fit_common_component",
    "merge",
    "quantize",
    "read_native",
    "write_native",
]
