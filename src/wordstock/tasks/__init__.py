"""Estimators over any encoder, the baselines they must beat, and a reader of labelled data."""

from wordstock.tasks.baselines import random_like, tfidf_baseline
from wordstock.tasks.classifier import TextClassifier
from wordstock.tasks.data import LabelledTexts, read_labelled

__all__ = ["LabelledTexts", "TextClassifier", "random_like", "read_labelled", "tfidf_baseline"]
