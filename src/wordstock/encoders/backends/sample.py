"""A few texts as batches: those that backends are compared on, and others that show the ranges of numbers in a model.

What was fitted to the ranges is not compared on the same texts.
"""

from __future__ import annotations

from collections.abc import Sequence

from wordstock.encoders.folder import ModelFolder
from wordstock.encoders.packing import Batch, batches, cut, shared_budget
from wordstock.encoders.subwords import open_tokenizer

__all__ = ["RANGES", "TRIAL", "sample"]

_BUDGET = 512
TRIAL = [
    "The bank raised its rates.",
    "not bad at all",
    "Where can I change my money near the river, and what does it cost?",
    "Naïve café owners in São Paulo pay 3.5 % more for 1,000 kg of coffee than in 1999; Müller & Söhne don't.",
    "東京は日本の首都です。",
    "The patient was given 5 mg of the drug twice a day, and after a week neither fever nor pain were reported.",
] * 2 + [
    "In spring the river rose over its banks, and the old mill, which had stood there since the town was founded, was "
    "carried away with everything in it. " * times
    for times in (2, 5, 9)
]
RANGES = [
    "A red fox ran across the field, and nobody saw where it went after dark.",
    "Prices rose by 4.2 % in March; economists had expected 3.9 %.",
    "How do I reset my password?",
    "The Treaty of Westphalia, signed in 1648, ended thirty years of war in central Europe.",
    "Der Zug nach München fährt um 9:15 Uhr ab.",
    "Protein X binds to the receptor and lowers its activity in mice (p < 0.01).",
    "In 1876 the company moved its head office to a small town on the coast, where rents were low and the "
    "harbour was deep enough for steamers.",
    "She laughed, closed the book and said that nobody would ever believe such a story.",
    "function add(a, b) { return a + b; }",
    "How much is the fee for cash withdrawals abroad?",
    "The enzyme catalyses the hydrolysis of peptide bonds; mutations in its active site abolish activity.",
    "El tren sale a las nueve y media de la mañana.",
    "ok thanks!!",
    "https://example.org/a?b=1",
    "A court may order the defendant to pay damages where the breach was wilful.",
    "Der Vertrag wurde am 3. März 1998 unterzeichnet.",
    "It was, by any measure, the worst film of the year: slow, loud and without a single joke.",
    "Goals: 2 (Silva 34', 78'); attendance 41,203.",
    "Le conseil municipal a voté le budget hier soir.",
    "The patient denied chest pain, nausea or shortness of breath.",
    "price 12.99 EUR, in stock, ships in 24h",
    "Once upon a time there was a king who had three daughters, and each of them wanted to marry a different "
    "prince. The king, who was old and tired, could not decide.",
]


def sample(texts: Sequence[str], model: ModelFolder, streams: int) -> list[Batch]:
    """Texts as a model takes them, shared out among ``streams``; long ones lose their end."""
    tokenizer = open_tokenizer(model)
    tokens = tokenizer.tokenize(texts)
    room = model.max_length - len(tokenizer.prefix) - len(tokenizer.suffix)
    windows = cut(tokens.ids, tokens.bounds, room, windows=False)
    budget = shared_budget(windows, len(tokenizer.prefix) + len(tokenizer.suffix), _BUDGET, streams)
    return list(batches(windows, tokenizer.prefix, tokenizer.suffix, model.pad_id, budget))
