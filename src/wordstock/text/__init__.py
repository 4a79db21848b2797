"""Text to sentences and tokens: one definition for training and for encoding."""

from wordstock.text.segment import register_splitter
from wordstock.text.sentences import sentence_spans, split_sentences, stream_sentences
from wordstock.text.tokenizer import Tokenizer

__all__ = ["Tokenizer", "register_splitter", "sentence_spans", "split_sentences", "stream_sentences"]
