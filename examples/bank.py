"""One word, four sentences: "bank" in context and in a table; "not bad" and "bad" in a sentiment classifier.

    python examples/bank.py                # prints; draws bank.png
    python examples/bank.py docs/bank.png  # draws there

Needs the extras "encoders" and "plot". The last part trains on SST-2 (Socher et al. 2013), in lines of label, space,
text as Kim (2014) published it, and takes some minutes: it wants ``cls-sentiment-trec/stsa.binary.train`` and ``.test``
in the folder that the environment variable WORDSTOCK_DATA names, and is left out without it.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from matplotlib.figure import Figure
from scipy import stats

import wordstock as ws
from wordstock.encoders.cache import CachedEncoder

SENTENCES = {
    "river 1": "They walked along the bank of the river in the rain.",
    "river 2": "Reeds grow on the muddy bank where the stream bends.",
    "money 1": "She opened a savings account at the bank in town.",
    "money 2": "The bank raised the interest rate on our loan.",
}
PAIRS = [(0, 1), (2, 3), (0, 2), (0, 3), (1, 2), (1, 3)]  # the first two are of one sense
PER_CLASS, SEEDS = 200, range(5)
NEGATION = re.compile(r"\b(?:not|n't|never|no|nothing|hardly|neither|nor|without)\b")
PHRASES = ["a bad movie .", "not a bad movie .", "a good movie .", "not a good movie ."]


def main() -> None:
    picture = Path(sys.argv[1] if len(sys.argv) > 1 else "bank.png")
    glove, minilm = ws.load("glove-6b-50d"), ws.load("all-minilm-l6-v2")
    rows = bank_in_layers(minilm)
    show(rows, bank_in_table(glove))
    draw(rows, picture)
    print(f"\ndrawn in {picture}\n")
    folder = Path(os.environ.get("WORDSTOCK_DATA", ""), "cls-sentiment-trec")
    if "WORDSTOCK_DATA" in os.environ and folder.is_dir():
        negation(glove, minilm, folder)
    else:
        print('"not bad" and "bad": set WORDSTOCK_DATA to a folder that holds cls-sentiment-trec, SST-2')


def bank_in_layers(encoder) -> np.ndarray:
    """Cosine of each pair of sentences' "bank" in each layer, (layers, 6); all layers come from one pass."""
    layers = range(encoder.model.n_layers + 1)
    found = encoder.with_config(layers=layers, combine="concat").encode_words(list(SENTENCES.values()), located=True)
    words = np.array([one.vectors[one.text.index("bank")] for one in found])
    return np.array([pair_cosines(part) for part in np.split(words, len(layers), axis=1)])


def bank_in_table(table) -> np.ndarray:
    """The same with a table, (6,)."""
    sentences = list(SENTENCES.values())
    words = [
        vectors[table.tokenize(text).index("bank")]
        for text, vectors in zip(sentences, table.encode_words(sentences), strict=True)
    ]
    return pair_cosines(np.array(words))


def pair_cosines(vectors) -> np.ndarray:
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.array([unit[a] @ unit[b] for a, b in PAIRS])


def pair_names() -> list[str]:
    names = list(SENTENCES)
    return [f"{names[a]}, {names[b]}" for a, b in PAIRS]


def show(rows, table) -> None:
    for name, sentence in SENTENCES.items():
        print(f"{name}: {sentence}")
    print('\ncosine of "bank" and "bank"')
    print(
        f"{'':16}"
        + "".join(
            f"{name.replace(', ', '/').replace('river ', 'r').replace('money ', 'm'):>8}" for name in pair_names()
        )
    )
    for name, row in [*((f"MiniLM layer {number}", row) for number, row in enumerate(rows)), ("GloVe", table)]:
        print(f"{name:16}" + "".join(f"{value:8.2f}" for value in row))


def draw(rows, path) -> None:
    figure = Figure(figsize=(7, 4), dpi=110, layout="constrained")
    axes = figure.subplots()
    styles = [("C0", "-"), ("C2", "-"), *[("0.6", "--")] * 4]
    labels = ["both by the river", "both about money", "one of each", None, None, None]
    for column, (colour, line), label in zip(rows.T, styles, labels, strict=True):
        axes.plot(column, line, color=colour, marker="o", markersize=4, label=label)
    axes.axhline(1, color="C3", label="GloVe, every pair")
    axes.set(xlabel="layer of all-MiniLM-L6-v2", ylabel='cosine of "bank" and "bank"', ylim=(0, 1.05))
    axes.legend(loc="lower left", frameon=False, fontsize=9)
    figure.savefig(path)


def negation(glove, minilm, folder) -> None:
    """Accuracy over samples of the training part, on all test sentences and on those with a negation."""
    texts, labels = read(folder / "stsa.binary.train")
    test, wanted = read(folder / "stsa.binary.test")
    negated = np.array([NEGATION.search(text) is not None for text in test])
    print(
        f"SST-2: {PER_CLASS} sentences per class, {len(SEEDS)} samples; {len(test):,} test sentences, "
        f"{negated.sum()} with a negation"
    )
    print("mean and 95 % interval (Student's t); below, the mean probability of a positive text\n")
    print(f"{'':28}{'GloVe 50d':>14}{'MiniLM':>14}")
    with TemporaryDirectory() as cache:
        both = []
        for encoder in (glove, CachedEncoder(minilm, Path(cache, "vectors.db"))):
            accuracy, positive = [], []
            for seed in SEEDS:
                chosen = sample(labels, seed)
                model = ws.TextClassifier(encoder, seed=seed).fit([texts[i] for i in chosen], labels[chosen])
                right = model.predict(test) == wanted
                accuracy.append([100 * right.mean(), 100 * right[negated].mean(), 100 * right[~negated].mean()])
                positive.append(model.predict_proba(PHRASES)[:, list(model.classes_).index("1")])
            both.append([interval(column) for column in np.array([*np.transpose(accuracy), *np.transpose(positive)])])
    names = ["accuracy, %", "  with a negation", "  without", *PHRASES]
    for number, name in enumerate(names):
        places = 1 if number < 3 else 2
        cells = [f"{mean:.{places}f} ± {half:.{places}f}" for mean, half in (one[number] for one in both)]
        print(f"{name:28}" + "".join(f"{cell:>14}" for cell in cells))


def read(path) -> tuple[list[str], np.ndarray]:
    rows = [line.split(" ", 1) for line in path.read_text(encoding="latin-1").splitlines()]
    return [text for _, text in rows], np.array([label for label, _ in rows])


def sample(labels, seed) -> np.ndarray:
    random = np.random.default_rng(seed)
    return np.concatenate([random.permutation(np.flatnonzero(labels == one))[:PER_CLASS] for one in np.unique(labels)])


def interval(values) -> tuple[float, float]:
    half = stats.t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values))
    return float(np.mean(values)), float(half)


if __name__ == "__main__":
    main()
