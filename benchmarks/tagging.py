"""Claim: span-F1 of at least 82 on NCBI-disease and 38 on WNUT-17, and what pre-trained vectors add over random ones.

Each point is a process of its own on one core, and is kept in a folder (``TAGGING_WORK``, else one in the folder for
temporary files), so that a stopped run goes on where it was. ``python tagging.py point N`` measures one; with
``TAGGING_KEPT=1`` nothing is measured, and the table holds what is there from two seeds on.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy import stats

import wordstock as ws
from options import options
from wordstock.tasks import SequenceTagger, random_like
from wordstock.tasks.tagging import read_conll

SEEDS = (0, 1, 2)
MORE_SEEDS = (*SEEDS, 3, 4, 5, 6)  # where three leave the interval on both sides of the goal
GOALS = {"ncbi": 82, "wnut": 38}
NAMES = {"ncbi": "NCBI-disease", "wnut": "WNUT-17"}
FILES = {
    "ncbi": [f"bio-ner/NCBI-disease-IOB/{part}.tsv" for part in ("train", "devel", "test")],
    "wnut": [f"ner-wnut17/{part}" for part in ("wnut17train.conll", "emerging.dev.conll", "emerging.test.annotated")],
}
VECTORS = {
    "ncbi": "glove-6b-50d + fastText of bio-text, 100d",
    "wnut": "glove-6b-50d + all-minilm-l6-v2, last layer, frozen",
}
ENCODER = "all-minilm-l6-v2"


class Point(NamedTuple):
    """One training: which set, which model and vectors, how many sentences (0 = all), which seed."""

    data: str
    model: str
    vectors: str
    size: int
    seed: int


def points() -> list[Point]:
    """All of them, the goals' own first."""
    kinds = [
        ("ncbi", "bilstm-crf", "pre-trained", 0),
        ("wnut", "bilstm-crf", "pre-trained", 0),
        ("ncbi", "bilstm-crf", "pre-trained", 100),
        ("ncbi", "bilstm-crf", "random", 100),
        ("ncbi", "bilstm-crf", "pre-trained", 500),
        ("ncbi", "bilstm-crf", "random", 500),
        ("ncbi", "bilstm-crf", "random", 0),
        ("wnut", "bilstm-crf", "pre-trained", 100),
        ("wnut", "bilstm-crf", "random", 100),
        ("wnut", "bilstm-crf", "pre-trained", 500),
        ("wnut", "bilstm-crf", "random", 500),
        ("wnut", "bilstm-crf", "random", 0),
        ("ncbi", "crf", "pre-trained", 0),
        ("wnut", "crf", "pre-trained", 0),
        ("ncbi", "finetune", "encoder", 100),
        ("ncbi", "finetune", "encoder", 500),
    ]
    seeds = {kinds[1]: MORE_SEEDS}
    return [Point(*kind, seed) for kind in kinds for seed in seeds.get(kind, SEEDS)]


def run() -> str:
    work = folder()
    for number, point in enumerate(points()):
        if not place(work, point).exists() and not os.environ.get("TAGGING_KEPT"):
            print(f"  {point}", file=sys.stderr, flush=True)
            environment = os.environ | {"OMP_NUM_THREADS": "1", "WORDSTOCK_THREADS": "1"}
            subprocess.run([sys.executable, __file__, "point", str(number)], check=True, env=environment)
    found: dict[Point, list[dict]] = {}
    for point in points():
        if (file := place(work, point)).exists():
            found.setdefault(point._replace(seed=0), []).append(json.loads(file.read_text(encoding="utf-8")))
    found = {point: each for point, each in found.items() if len(each) > 1}
    lines = ["| set | model | word vectors | sentences | seeds | test F1 | precision | recall | training, CPU s |"]
    lines.append("|---|---|---|---:|---:|---:|---:|---:|---:|")
    for point, each in found.items():
        goal = GOALS[point.data] if (point.model, point.vectors, point.size) == ("bilstm-crf", "pre-trained", 0) else ""
        cells = [
            NAMES[point.data],
            point.model,
            {"pre-trained": VECTORS[point.data], "encoder": ENCODER}.get(point.vectors, "random, of the same size"),
            f"{each[0]['sentences']:,}",
            f"{len(each)}",
            interval([one["f1"] for one in each]) + (f" (goal {goal})" if goal else ""),
            f"{np.mean([one['precision'] for one in each]):.1f}",
            f"{np.mean([one['recall'] for one in each]):.1f}",
            f"{np.median([one['cpu'] for one in each]):.0f}",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    added = "; ".join(f"{NAMES[data]} {gains(found, data)}" for data in FILES)
    return "\n".join(lines) + (
        f"\n\nSpan F1 in % as conlleval counts it, mean over the seeds with its 95 % interval (Student's t). "
        "The seed draws the sentences, the first weights, the order and the dropout. Hashed affixes, default "
        "settings. With all sentences the validation part chooses the epoch; with 100 and 500 nothing but these is "
        "used. Random vectors have the words and the scale of the pre-trained ones; for WNUT-17, GloVe's words alone. "
        "The fastText vectors were trained by `train_fasttext` (5 epochs, min_count 3) on bio-text, which holds text "
        "of the train and validation parts of NCBI-disease, without tags, and none of the test part. CPU seconds are "
        "of one core, encoding included where the vectors are not in the cache yet.\n\n"
        f"Pre-trained over random vectors, points of F1 with the same seed, mean and range: {added}."
    )


def gains(found: dict[Point, list[dict]], data: str) -> str:
    """What pre-trained vectors add over random ones, for each number of sentences."""
    told = []
    for size in (100, 500, 0):
        known, blank = (
            {one["seed"]: one["f1"] for one in found.get(Point(data, "bilstm-crf", kind, size, 0), [])}
            for kind in ("pre-trained", "random")
        )
        if len(gained := [known[seed] - blank[seed] for seed in SEEDS if seed in known and seed in blank]) > 1:
            told.append(f"{np.mean(gained):.1f} ({min(gained):.1f} to {max(gained):.1f}) at {size or 'all'}")
    return ", ".join(told)


def measure(point: Point) -> dict:
    """Train, and score on the test part."""
    root = Path(os.environ["WORDSTOCK_DATA"])
    train, validation, test = (read_conll(root / name) for name in FILES[point.data])
    sentences, tags = train.sentences, train.tags
    held = (validation.sentences, validation.tags)
    if point.size:
        rows = np.random.default_rng(point.seed).permutation(len(sentences))[: point.size]
        sentences, tags, held = [sentences[row] for row in rows], [tags[row] for row in rows], None
    encoder = vectors(point)
    begun = time.process_time()
    tagger = SequenceTagger(encoder, model=point.model, seed=point.seed).fit(sentences, tags, validation=held)
    spent = time.process_time() - begun
    scores = tagger.evaluate(test.sentences, test.tags)
    shares = {name: 100 * getattr(scores, name) for name in ("f1", "precision", "recall")}
    return {**point._asdict(), **shares, "cpu": spent, "sentences": len(sentences), "epochs": len(tagger.history_)}


def vectors(point: Point):
    """What the point's words look like."""
    from wordstock.encoders.cache import CachedEncoder

    if point.vectors == "encoder":
        return ws.load(ENCODER)
    glove = ws.load("glove-6b-50d")
    if point.data == "wnut":
        if point.vectors == "random":
            return random_like(glove, point.seed)
        minilm = CachedEncoder(ws.load(ENCODER), folder() / "minilm.sqlite")
        return ws.stack([glove, minilm])
    tables = [glove, domain_vectors()]
    return ws.stack([random_like(one, point.seed) for one in tables] if point.vectors == "random" else tables)


def domain_vectors():
    """FastText vectors of the biomedical text, trained once."""
    file = folder() / "bio-fasttext-100d.safetensors"
    if not file.exists():
        import bz2

        source = Path(os.environ["WORDSTOCK_DATA"]) / "bio-text" / "bio-text.txt.bz2"
        with bz2.open(source, "rt", encoding="utf-8") as stream:
            lines = [line for line in map(str.strip, stream) if line]
        ws.train_fasttext(lines, dim=100, epochs=5, min_count=3, threads=1).save(file)
    return ws.load(str(file))


def folder() -> Path:
    if not os.environ.get("WORDSTOCK_DATA"):
        raise SystemExit("set WORDSTOCK_DATA to a folder with bio-ner, bio-text and ner-wnut17")
    work = Path(os.environ.get("TAGGING_WORK") or Path(tempfile.gettempdir()) / "wordstock-bench-tagging")
    work.mkdir(parents=True, exist_ok=True)
    return work


def place(work: Path, point: Point) -> Path:
    return work / ("-".join(map(str, point)).replace(" ", "_") + ".json")


def interval(values) -> str:
    """Mean and half the width of its 95 % interval."""
    half = stats.t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values))
    return f"{np.mean(values):.1f} ± {half:.1f}"


def main() -> None:
    if sys.argv[1:2] == ["point"]:
        point = points()[int(sys.argv[2])]
        file = place(folder(), point)
        if not file.exists():
            told = json.dumps(measure(point))
            file.write_text(told + "\n", encoding="utf-8")
            print(told, file=sys.stderr)
    else:
        options(__doc__)
        print(run())


if __name__ == "__main__":
    main()
