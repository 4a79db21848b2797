"""Claim: Spearman's rho on every word-similarity set equals gensim's to six decimals."""

import warnings

from evaluation_sets import sets_folder
from options import options
from peer import gensim_glove, glove
from wordstock.evaluate import evaluate_similarity, read_similarity

GENSIM_WORDS = 300_000


def run() -> str:
    """One line per set; both correlations are compared with gensim's, unknown words dropped and given 0."""
    emb, peer = glove(), gensim_glove()
    rows = [
        "| set | pairs | covered | Spearman (95 % interval) | unknown as 0 | gensim |",
        "|-|-|-|-|-|-|",
    ]
    for path in sorted((sets_folder() / "wordsim").glob("*.txt")):
        result = evaluate_similarity(emb, read_similarity(path))
        found = []
        for dummy in (False, True):
            with warnings.catch_warnings(action="ignore"):
                pearson, spearman, _ = peer.evaluate_word_pairs(str(path), restrict_vocab=len(emb), dummy4unknown=dummy)
            found += [spearman[0], pearson[0]]
        mine = [result.spearman, result.pearson, result.spearman_all, result.pearson_all]
        for ours, theirs in zip(mine, found, strict=True):
            assert abs(ours - theirs) < 1e-6, (path.name, mine, found)
        low, high = result.interval
        rho = f"{result.spearman:.4f} ({low:.3f} to {high:.3f}) | {result.spearman_all:.4f} | {found[0]:.4f}"
        rows.append(f"| {result.name} | {result.pairs:,} | {result.covered:,} | {rho} |")
    return "\n".join(rows) + f"\n\n{_as_gensim_reports()}"


def _as_gensim_reports() -> str:
    """The two figures that gensim prints by default, when it looks at the first 300,000 words only."""
    first, peer = glove().subset(glove().keys[:GENSIM_WORDS]), gensim_glove()
    parts = []
    for name in ("EN-WS-353-ALL", "EN-SIMLEX-999"):
        path = sets_folder() / "wordsim" / f"{name}.txt"
        ours = evaluate_similarity(first, read_similarity(path)).spearman
        theirs = peer.evaluate_word_pairs(str(path))[1][0]
        parts.append(f"{name} {ours:.3f} (gensim {theirs:.3f})")
    return f"With the first {GENSIM_WORDS:,} words only, as gensim does unless told otherwise: {', '.join(parts)}."


if __name__ == "__main__":
    options(__doc__)
    print(run())
