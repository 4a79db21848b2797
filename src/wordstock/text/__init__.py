"""Text to tokens: one definition for training and for encoding."""

from wordstock.text.tokenizer import Tokenizer

__all__ = ["Tokenizer"]
