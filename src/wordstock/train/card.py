"""The card of a trained table: its method, its settings, and how the training went."""

from __future__ import annotations

from wordstock.embeddings import Card
from wordstock.train.config import Word2VecConfig
from wordstock.train.corpus import Shards, text_record
from wordstock.train.glove_config import GloVeConfig
from wordstock.train.state import TrainState

__all__ = ["training_card"]


def training_card(
    method: str, citation: str, config: Word2VecConfig | GloVeConfig, state: TrainState, shards: Shards, identity: str
) -> Card:
    """What a table tells of its training.

    Parameters
    ----------
    identity : of the corpus, from ``corpus_identity``.
    """
    record = text_record(shards, shards.vocabulary)
    training = {
        "method": method,
        **config.to_dict(),
        "learning_rate": config.first_rate * state.rate_factor,
        "threads": config.n_threads,
        "corpus": {"words": shards.n_tokens, "identity": identity} | record.corpus,
        "loss": [round(loss, 6) for loss in state.losses],
        "words_per_second": round(state.words / max(state.seconds, 1e-9)),
        "seconds": round(state.seconds, 3),
    }
    if state.scores:
        training["validation"] = state.scores
    if state.retries:
        training["divergences"] = state.retries
    return Card(tokenizer=record.tokenizer, training=training, citation=citation)
