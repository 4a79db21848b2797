"""How good a table's words are: similarity to human judgements, and analogies, on the published sets' own layouts."""

from wordstock.evaluate.analogy import AnalogyResult, SectionScore, evaluate_analogy
from wordstock.evaluate.read_analogies import AnalogyLayout, read_analogies
from wordstock.evaluate.read_set import Layout, read_set
from wordstock.evaluate.read_similarity import SimilarityLayout, read_similarity
from wordstock.evaluate.sets import AnalogySection, AnalogySet, Question, SimilaritySet
from wordstock.evaluate.similarity import SimilarityResult, evaluate_similarity

__all__ = [
    "AnalogyLayout",
    "AnalogyResult",
    "AnalogySection",
    "AnalogySet",
    "Layout",
    "Question",
    "SectionScore",
    "SimilarityLayout",
    "SimilarityResult",
    "SimilaritySet",
    "evaluate_analogy",
    "evaluate_similarity",
    "read_analogies",
    "read_set",
    "read_similarity",
]
