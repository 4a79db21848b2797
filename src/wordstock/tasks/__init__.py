"""Estimators over any encoder, the baselines they must beat, and a reader of labelled data."""

from wordstock.tasks.baselines import random_like, tfidf_baseline
from wordstock.tasks.classifier import TextClassifier
from wordstock.tasks.data import LabelledTexts, read_labelled
from wordstock.tasks.labelled_file import read_labelled_lines
from wordstock.tasks.ngram import NgramClassifier

__all__ = [
    "LabelledTexts",
    "NgramClassifier",
    "TextClassifier",
    "random_like",
    "read_labelled",
    "read_labelled_lines",
    "tfidf_baseline",
]
