"""The vocabulary: which words there are, how often each was seen, and what it is made of."""

from wordstock.vocab.subwords import Subwords
from wordstock.vocab.vocabulary import KeyView, Vocabulary

__all__ = ["KeyView", "Subwords", "Vocabulary"]
