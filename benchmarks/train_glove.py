"""Claim: GloVe from token ids to vectors at least 3 times as fast as the authors' C tools, at equal loss.

The C tools are not packaged: give the folder of their programs (vocab_count, cooccur, shuffle, glove) in
WORDSTOCK_GLOVE_BIN, or have them on PATH. ``--quick`` trains 2 epochs instead of 5, on the
first 3 million words.
"""

import bz2
import os
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import numpy as np

import wordstock as ws
from evaluation_sets import sets_folder
from pairs import HEAD, Pair, clock
from peer import folder
from wordstock.evaluate import evaluate_analogy, evaluate_similarity, read_analogies, read_similarity
from wordstock.train import train_glove
from wordstock.vocab import Vocabulary

DIM, WINDOW, X_MAX, MIN_COUNT, THREADS = 100, 10, 10, 5, 2
_QUICK_WORDS = 3_000_000


def run(*, quick: bool = False) -> str:
    """Time both, phase by phase, and score what they learned."""
    epochs = 2 if quick else 5
    tokens, text = corpus(_QUICK_WORDS if quick else None)
    train_glove(first(tokens), dim=DIM, epochs=1, threads=THREADS)  # loads the compiled kernels
    ours, table = ours_by_phase(tokens, epochs)
    lines = [
        f"{tokens.n_tokens:,} tokens, {len(tokens.vocabulary):,} words, dim {DIM}, window {WINDOW}, x_max {X_MAX}, "
        f"{epochs} epochs, {THREADS} threads; mean cost of each: "
        + ", ".join(f"{cost:.4f}" for cost in table.card.training["loss"])
        + ".",
        "",
    ]
    binaries = programs()
    if binaries:
        theirs, costs, vectors = theirs_by_phase(binaries, text, epochs)
        lines += [HEAD]
        for name, mine, his, goal in (
            ("co-occurrences, shuffled", ours["count"], theirs["cooccur"] + theirs["shuffle"], "≥ 3×"),
            (f"training, {epochs} epochs", ours["train"], theirs["glove"], "≥ 2×"),
            ("both", sum(ours.values()), sum(theirs.values()) - theirs["vocab_count"], "≥ 3×"),
        ):
            ratio = his / mine
            lines.append(Pair(mine, his, ratio, ratio, ratio).row(name, goal))
        lines += ["", f"C tools: vocabulary {theirs['vocab_count']:.1f} s (not in the sum); mean costs {costs}.", ""]
    else:
        vectors = None
        lines.append(f"Co-occurrences {ours['count']:.1f} s, training {ours['train']:.1f} s.")
        lines += ["WORDSTOCK_GLOVE_BIN is not set and they are not on PATH, so the C tools were not run.", ""]
    lines += [
        "| vectors of | WS-353 | SimLex-999 | MEN | Google analogies |",
        "|-|-|-|-|-|",
        scores("wordstock", table),
    ]
    if vectors:
        lines.append(scores("C tools", ws.load(str(vectors))))
    return "\n".join(lines)


def programs() -> dict[str, str]:
    """The C tools by name; empty where one of them is missing."""
    path = os.environ.get("WORDSTOCK_GLOVE_BIN") or None
    found = {name: shutil.which(name, path=path) for name in ("vocab_count", "cooccur", "shuffle", "glove")}
    return {name: file for name, file in found.items() if file} if all(found.values()) else {}


def ours_by_phase(tokens: SimpleNamespace, epochs: int) -> tuple[dict[str, float], ws.Embeddings]:
    """Seconds of counting (with sorting into tiles) and of training, and the table."""
    start = time.perf_counter()
    table = train_glove(tokens, dim=DIM, window=WINDOW, x_max=X_MAX, epochs=epochs, threads=THREADS)
    training = table.card.training["seconds"]
    return {"count": time.perf_counter() - start - training, "train": training}, table


def theirs_by_phase(binaries: dict[str, str], text: Path, epochs: int) -> tuple[dict[str, float], str, Path]:
    """Seconds of each program, the costs that it prints, and its file of vectors."""
    here = folder()
    vocab, counts, shuffled, vectors = (here / name for name in ("vocab.txt", "counts.bin", "shuffled.bin", "vectors"))
    common = f"-save-file {vectors} -vocab-file {vocab} -binary 0 -verbose 2 -seed 1"
    times = {
        "vocab_count": clock(step(f"{binaries['vocab_count']} -min-count {MIN_COUNT} -verbose 0", text, vocab)),
        "cooccur": clock(
            step(f"{binaries['cooccur']} -vocab-file {vocab} -window-size {WINDOW} -memory 4 -verbose 0", text, counts)
        ),
        "shuffle": clock(step(f"{binaries['shuffle']} -memory 4 -verbose 0 -seed 1", counts, shuffled)),
        "glove": clock(
            step(
                f"{binaries['glove']} -input-file {shuffled} -iter {epochs} -vector-size {DIM} -x-max {X_MAX} "
                f"-threads {THREADS} {common}",
                None,
                here / "glove.log",
            )
        ),
    }
    costs = re.findall(r"cost: ([\d.]+)", (here / "glove.err").read_text(encoding="utf-8"))
    return times, ", ".join(f"{float(cost):.4f}" for cost in costs), vectors.with_suffix(".txt")


def step(command: str, source: Path | None, target: Path) -> Callable[[], object]:
    """One program from file to file; its messages go to a file beside."""

    def work() -> None:
        with (
            (source or Path(os.devnull)).open("rb") as stdin,
            target.open("wb") as stdout,
            target.with_suffix(".err").open("wb") as stderr,
        ):
            subprocess.run(command.split(), stdin=stdin, stdout=stdout, stderr=stderr, check=True)

    return work


def scores(name: str, table: ws.Embeddings) -> str:
    """One line of the quality table."""
    found = [
        evaluate_similarity(table, read_similarity(sets_folder() / "wordsim" / f"{dataset}.txt")).spearman
        for dataset in ("EN-WS-353-ALL", "EN-SIMLEX-999", "EN-MEN-TR-3k")
    ]
    accuracy = evaluate_analogy(table, read_analogies(sets_folder() / "questions-words.txt")).total.accuracy
    return f"| {name} | " + " | ".join(f"{rho:.3f}" for rho in found) + f" | {100 * accuracy:.1f} % |"


@cache
def corpus(most: int | None) -> tuple[SimpleNamespace, Path]:
    """English Wikipedia as lower-case words of a to z: ids for us, the text for the C tools. Not timed."""
    source = Path(os.environ.get("WORDSTOCK_DATA", "")) / "enwiki-core-102mb" / "enwiki-core-AA.txt.bz2"
    if not source.is_file():
        raise SystemExit("set WORDSTOCK_DATA to a folder that holds enwiki-core-102mb/enwiki-core-AA.txt.bz2")
    word = re.compile(r"[a-z]+")
    counts: Counter[str] = Counter()
    text = folder() / "corpus.txt"
    sentences, seen = [], 0
    with bz2.open(source, "rt", encoding="utf-8") as stream, text.open("w", encoding="utf-8") as out:
        for line in stream:
            words = [] if line.startswith(("<doc", "</doc")) else word.findall(line.lower())
            if most is not None and seen >= most:
                break
            if words:
                counts.update(words)
                seen += len(words)
                sentences.append(words)
                out.write(" ".join(words) + "\n")
    keys = sorted((key for key, count in counts.items() if count >= MIN_COUNT), key=lambda key: (-counts[key], key))
    numbers = {key: number for number, key in enumerate(keys)}
    ids = np.fromiter((i for words in sentences for i in [*(numbers.get(w, -2) for w in words), -1]), np.int32)
    ids = ids[ids != -2]
    vocabulary = Vocabulary.from_keys(keys, counts=np.array([counts[key] for key in keys], np.int64))
    return shards(vocabulary, ids), text


def first(tokens: SimpleNamespace) -> SimpleNamespace:
    """The first sentences."""
    return shards(tokens.vocabulary, tokens.arrays[0][:20_000])


def shards(vocabulary: Vocabulary, ids: np.ndarray) -> SimpleNamespace:
    """Token ids in memory, in the shape of shards on disk."""
    return SimpleNamespace(
        vocabulary=vocabulary, arrays=[ids], n_tokens=int((ids >= 0).sum()), settings={"tokenizer": "[a-z]+"}
    )


if __name__ == "__main__":
    print(run(quick="--quick" in sys.argv))
