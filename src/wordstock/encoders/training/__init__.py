"""A contextual encoder's model as a torch module, for training: ``ContextualEncoder.trainable()`` gives it."""

from wordstock.encoders.training.batching import TokenizedWords, TrainingBatch, WordPlaces
from wordstock.encoders.training.model import TrainableEncoder

__all__ = ["TokenizedWords", "TrainableEncoder", "TrainingBatch", "WordPlaces"]
