"""Learning vectors from a corpus."""

from wordstock.train.config import Word2VecConfig
from wordstock.train.state import Progress
from wordstock.train.word2vec import train_word2vec

__all__ = ["Progress", "Word2VecConfig", "train_word2vec"]
