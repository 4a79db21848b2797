"""Learning vectors from a corpus."""

from wordstock.train.config import Word2VecConfig
from wordstock.train.fasttext import train_fasttext
from wordstock.train.fasttext_config import FastTextConfig
from wordstock.train.glove import train_glove
from wordstock.train.glove_config import GloVeConfig
from wordstock.train.state import Progress
from wordstock.train.word2vec import train_word2vec

__all__ = [
    "FastTextConfig",
    "GloVeConfig",
    "Progress",
    "Word2VecConfig",
    "train_fasttext",
    "train_glove",
    "train_word2vec",
]
