"""Text to sentences and tokens: one definition for training and for encoding."""

from wordstock.text.segment import register_splitter
from wordstock.text.sentences import split_sentences, stream_sentences
from wordstock.text.tokenizer import Tokenizer

__all__ = ["Tokenizer", "register_splitter", "split_sentences", "stream_sentences"]
