"""Claim: GloVe from text to vectors at least 3 times as fast as the authors' C tools, at equal loss.

Both read the same file of plain words on the same two cores. The C tools are not packaged: give the folder of their
programs (vocab_count, cooccur, shuffle, glove) in WORDSTOCK_GLOVE_BIN, or have them on PATH. ``--quick`` trains 2
epochs instead of 5, on the first 20 MB of the text; ``--memory`` takes memory alone.
"""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import wordstock as ws
from evaluation_sets import sets_folder
from options import options
from pairs import HEAD, Pair, clock
from peer import folder
from training_memory import peak_memory
from training_text import SEARCHED, SETS, analogies, sentences, text
from wordstock.corpus import read_texts
from wordstock.evaluate import evaluate_analogy, evaluate_similarity, read_similarity
from wordstock.train import train_glove

DIM, WINDOW, X_MAX, MIN_COUNT, THREADS = 100, 10, 10, 5, 2


def run(*, quick: bool = False) -> str:
    """Time both, phase by phase, and score what they learned."""
    epochs = 2 if quick else 5
    path, words = text(20 if quick else 100)
    train_glove(sentences(path, limit=200), dim=DIM, min_count=1, epochs=1, threads=THREADS)  # compiles
    ours, table = ours_by_phase(path, epochs)
    lines = [
        f"{words:,} tokens, {len(table):,} words, dim {DIM}, window {WINDOW}, x_max {X_MAX}, {epochs} epochs, "
        f"{THREADS} threads; mean cost of each: {', '.join(f'{cost:.4f}' for cost in table.card.training['loss'])}.",
        "",
    ]
    binaries, vectors = programs(), None
    if binaries:
        theirs, costs, vectors = theirs_by_phase(binaries, path, epochs)
        lines += [HEAD]
        for name, mine, his in (
            ("vocabulary, co-occurrences, shuffled", ours["count"], sum(theirs.values()) - theirs["glove"]),
            (f"training, {epochs} epochs", ours["train"], theirs["glove"]),
            ("text to vectors", sum(ours.values()), sum(theirs.values())),
        ):
            ratio = his / mine
            lines.append(Pair(mine, his, ratio, ratio, ratio).row(name, "≥ 3×"))
        phases = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in theirs.items())
        lines += ["", f"C tools: {phases}; mean costs {costs}.", ""]
    else:
        lines.append(f"Vocabulary and co-occurrences {ours['count']:.1f} s, training {ours['train']:.1f} s.")
        lines += ["WORDSTOCK_GLOVE_BIN is not set and they are not on PATH, so the C tools were not run.", ""]
    lines += [f"| vectors of | {' | '.join([*SETS, 'Google analogies'])} |", "|-" * (len(SETS) + 2) + "|"]
    lines.append(scores("wordstock", table))
    if vectors:
        lines.append(scores("C tools", ws.load(str(vectors))))
    return "\n".join([*lines, "", memory(quick=quick)])


def memory(*, quick: bool) -> str:
    """Of ``wordstock train``; see ``training_memory``. Vectors of words and contexts have as many sums of squares."""
    lines = ["| text, memory limit of counting | words | vectors and sums | peak | beyond 1.3 × them |", "|-|-|-|-|-|"]
    for megabytes, limit in ((20, 32),) if quick else ((20, 32), (100, 32), (100, 1024)):
        found = peak_memory("glove", text(megabytes)[0], DIM, "--memory-limit", str(limit << 20))
        found = found._replace(matrices=2 * found.matrices)
        lines.append(f"| {megabytes} MB, {limit} MiB | {found.words:,.0f} | {found.cells()}")
    return "\n".join(lines)


def programs() -> dict[str, str]:
    """The C tools by name; empty where one of them is missing."""
    path = os.environ.get("WORDSTOCK_GLOVE_BIN") or None
    found = {name: shutil.which(name, path=path) for name in ("vocab_count", "cooccur", "shuffle", "glove")}
    return {name: file for name, file in found.items() if file} if all(found.values()) else {}


def ours_by_phase(path: Path, epochs: int) -> tuple[dict[str, float], ws.Embeddings]:
    """Seconds of counting (words, then pairs, sorted into tiles) and of training, and the table."""
    start = time.perf_counter()
    table = train_glove(
        read_texts(path), dim=DIM, window=WINDOW, x_max=X_MAX, min_count=MIN_COUNT, epochs=epochs, threads=THREADS
    )
    training = table.card.training["seconds"]
    return {"count": time.perf_counter() - start - training, "train": training}, table


def theirs_by_phase(binaries: dict[str, str], path: Path, epochs: int) -> tuple[dict[str, float], str, Path]:
    """Seconds of each program, the costs that it prints, and its file of vectors."""
    here = folder()
    vocab, counts, shuffled, vectors = (here / name for name in ("vocab.txt", "counts.bin", "shuffled.bin", "vectors"))
    common = f"-save-file {vectors} -vocab-file {vocab} -binary 0 -verbose 2 -seed 1"
    times = {
        "vocab_count": clock(step(f"{binaries['vocab_count']} -min-count {MIN_COUNT} -verbose 0", path, vocab)),
        "cooccur": clock(
            step(f"{binaries['cooccur']} -vocab-file {vocab} -window-size {WINDOW} -memory 4 -verbose 0", path, counts)
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
        evaluate_similarity(table, read_similarity(sets_folder() / "wordsim" / f"EN-{part}.txt")).spearman
        for part in SETS.values()
    ]
    found.append(evaluate_analogy(table, analogies(), restrict=SEARCHED).total.accuracy)
    return f"| {name} | " + " | ".join(f"{value:.3f}" for value in found) + " |"


if __name__ == "__main__":
    given = options(__doc__, "quick", "memory")
    quick = "quick" in given
    print(memory(quick=quick) if "memory" in given else run(quick=quick))
