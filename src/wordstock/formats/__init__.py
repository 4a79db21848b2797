"""Files of vectors: one reader and one writer per format, and doors that choose between them.

Formats: the native file, word2vec text and binary, GloVe text, fastText models (read only); all but the native one also
as .gz, .bz2, .xz and .zst; folders in the layout of model2vec. ``read_fasttext_classifier`` reads models that tell
labels, such as languages.
"""

from wordstock.formats.builder import EncodingErrors, NonFinite
from wordstock.formats.conversion import convert
from wordstock.formats.detect import Format, detect
from wordstock.formats.dispatch import format_of_name, read, write
from wordstock.formats.fasttext_classifier import FastTextClassifier, read_fasttext_classifier
from wordstock.formats.fasttext_table import read_fasttext
from wordstock.formats.glove import read_glove, write_glove
from wordstock.formats.losses import losses
from wordstock.formats.model2vec import read_model2vec
from wordstock.formats.model2vec_writer import write_model2vec
from wordstock.formats.window import Progress
from wordstock.formats.word2vec import read_word2vec_text, write_word2vec_text
from wordstock.formats.word2vec_binary import read_word2vec_binary, write_word2vec_binary

__all__ = [
    "EncodingErrors",
    "FastTextClassifier",
    "Format",
    "NonFinite",
    "Progress",
    "convert",
    "detect",
    "format_of_name",
    "losses",
    "read",
    "read_fasttext",
    "read_fasttext_classifier",
    "read_glove",
    "read_model2vec",
    "read_word2vec_binary",
    "read_word2vec_text",
    "write",
    "write_glove",
    "write_model2vec",
    "write_word2vec_binary",
    "write_word2vec_text",
]
