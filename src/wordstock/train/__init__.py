"""Training of word vectors from a corpus."""

from wordstock.train.glove import GloVeProgress, train_glove
from wordstock.train.glove_config import GloVeConfig

__all__ = ["GloVeConfig", "GloVeProgress", "train_glove"]
