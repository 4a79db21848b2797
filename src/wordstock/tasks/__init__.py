"""Estimators over any encoder, the baselines they must beat, and a reader of labelled data."""

from wordstock.tasks.baselines import random_like, tfidf_baseline
from wordstock.tasks.classifier import TextClassifier
from wordstock.tasks.data import LabelledTexts, read_labelled
from wordstock.tasks.head_config import (
    BiLSTMConfig,
    CNNConfig,
    HeadConfig,
    LinearConfig,
    MLPConfig,
    TransformerConfig,
)
from wordstock.tasks.labelled_file import read_labelled_lines
from wordstock.tasks.ngram import NgramClassifier
from wordstock.tasks.tagging import SequenceTagger
from wordstock.tasks.tuning import Contrastive, FineTune, TrainProgress
from wordstock.tasks.tuning.training import HeadTraining

__all__ = [
    "BiLSTMConfig",
    "CNNConfig",
    "Contrastive",
    "FineTune",
    "HeadConfig",
    "HeadTraining",
    "LabelledTexts",
    "LinearConfig",
    "MLPConfig",
    "NgramClassifier",
    "SequenceTagger",
    "TextClassifier",
    "TrainProgress",
    "TransformerConfig",
    "random_like",
    "read_labelled",
    "read_labelled_lines",
    "tfidf_baseline",
]
