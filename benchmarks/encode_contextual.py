"""Claim: MiniLM encodes several times faster than sentence-transformers does by default, on the same threads.

Three times on short sentences and four on texts of mixed length are the goals for a processor with bfloat16 or
eight-bit matrix instructions. In float32 every library does the same products: what is left to gain is what the peer
loses by padding, by waiting threads and by caches that are too small.
"""

import bz2
import math
import os
import random
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import torch
from sentence_transformers import SentenceTransformer

import wordstock as ws
from options import options
from pairs import paired, seconds
from wordstock._threads import thread_count
from wordstock.encoders.backends.auto import LEAST_COSINE, remembered
from wordstock.encoders.folder import read_folder
from wordstock.errors import InputError
from wordstock.hub import fetch

MODEL = "all-minilm-l6-v2"
SHORT, MIXED = 240, 128
ROWS = [
    ("auto", "float32"),
    ("torch", "float32"),
    ("onnx", "float32"),
    ("openvino", "float32"),
    ("torch", "bfloat16"),
    ("openvino", "bfloat16"),
    ("openvino", "int8"),
    ("onnx", "int8"),
]
HEAD = (
    "| backend | short texts/s | against peer | mixed texts/s | against peer | one text | words | min. cosine | "
    "second load | peak memory |\n|-|-|-|-|-|-|-|-|-|-|"
)
CHILD = """
import sys, time
from pathlib import Path
import numpy, tokenizers, wordstock as ws, wordstock.encoders.opening
if sys.argv[2] == "openvino": import openvino
if sys.argv[2] == "onnx": import onnxruntime
if sys.argv[2] == "torch": import torch, transformers
began = time.perf_counter()
encoder = ws.load(sys.argv[1], backend=sys.argv[2], precision=sys.argv[3])
print(time.perf_counter() - began)
encoder.encode(["a text of " + "many words " * 200] * 64)
status = Path("/proc/self/status").read_text()  # getrusage would count what the parent held before this began
print(int(status.split("VmHWM:")[1].split()[0]) / 1024)
"""


def texts() -> tuple[list[str], list[str]]:
    """Wikipedia sentences of 6 to 14 words, and runs of 8 to 400 words whose lengths spread evenly on a log scale."""
    data = os.environ.get("WORDSTOCK_DATA")
    if not data:
        sys.exit("set WORDSTOCK_DATA to the folder of the evaluation data")
    path = next((Path(data) / "enwiki-core-102mb").glob("*.bz2"))
    with bz2.open(path, "rt", encoding="utf-8") as stream:
        plain = re.sub(r"<[^>]*>", "", stream.read(3_000_000))
    paragraphs = [line for line in plain.split("\n") if len(line.split()) > 5]
    sentences = [one for line in paragraphs for one in re.split(r"(?<=[.!?])\s+", line)]
    chance = random.Random(0)
    short = chance.sample([one for one in sentences if 6 <= len(one.split()) <= 14], SHORT)
    words, mixed = " ".join(paragraphs).split(), []
    for place in range(MIXED):
        length = round(math.exp(math.log(8) + (place + 0.5) / MIXED * math.log(400 / 8)))
        start = chance.randrange(len(words) - length)
        mixed.append(" ".join(words[start : start + length]))
    chance.shuffle(mixed)
    return short, mixed


def run() -> str:
    """One row per backend; the peer runs before and after each of its runs."""
    threads = thread_count()
    torch.set_num_threads(threads)
    folder = fetch(MODEL, progress=False)
    peer = SentenceTransformer(str(folder), device="cpu")
    short, mixed = texts()
    expected = [peer.encode(part, normalize_embeddings=True) for part in (short, mixed)]
    lines = []
    for backend, precision in ROWS:
        try:
            pairs = 3 if backend == "auto" else 2
            lines.append(row(backend, precision, peer, folder, short, mixed, expected, pairs))
        except InputError as error:  # no such instructions
            lines.append(f"| {backend} {precision} | {error} |" + " |" * 8)
    notes = (
        f"Peer: sentence-transformers, its default (torch float32, batches of 32), {threads} threads each; both cut "
        "texts at 256 tokens. Words: sentences per second with a vector for each word, against whole sentences. "
        "Cosine: the lowest of all texts to the peer's. Second load: of a kept copy, without imports. "
        f"{chosen(folder)}"
    )
    return f"{HEAD}\n" + "\n".join(lines) + f"\n\n{notes}"


def row(
    backend: str,
    precision: str,
    peer: SentenceTransformer,
    folder: Path,
    short: list[str],
    mixed: list[str],
    expected: list[np.ndarray],
    pairs: int,
) -> str:
    """Measure one backend."""
    ours = ws.load(folder, backend=backend, precision=precision)
    lowest = 1.0
    cells = []
    for part, theirs in zip((short, mixed), expected, strict=True):
        lowest = min(lowest, float((ours.encode(part) * theirs).sum(axis=1).min()))
        pair = paired(lambda: ours.encode(part), lambda: peer.encode(part), pairs=pairs, warm=False)  # noqa: B023
        cells += [f"{len(part) / pair.ours:,.0f}", f"{pair.ratio:.2f}× ({pair.lowest:.2f}–{pair.highest:.2f})"]
    one = paired(lambda: ours.encode(short[0]), lambda: peer.encode(short[0]), pairs=15)
    part = short[: SHORT // 2]
    words = paired(lambda: ours.encode_words(part), lambda: ours.encode(part), pairs=pairs)
    opening, memory = child(folder, backend, precision)
    cells += [f"{seconds(one.ours)} (peer {seconds(one.peer)})", f"{words.ratio:.2f}×", f"{lowest:.5f}"]
    line = f"| {backend} {precision} | {' | '.join(cells)} | {opening:.2f} s | {memory:,.0f} MB |"
    print(f"{time.strftime('%H:%M:%S')} {line}", file=sys.stderr, flush=True)
    return line


def child(folder: Path, backend: str, precision: str) -> tuple[float, float]:
    """Seconds of a load in a fresh process, and its peak resident memory after 64 long texts, in MiB."""
    command = [sys.executable, "-c", CHILD, str(folder), backend, precision]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return float(told[0]), float(told[1])


def chosen(folder: Path) -> str:
    """What "auto" found here."""
    trials = remembered(read_folder(folder)) or []
    tried = "; ".join(
        f"{one.backend} {one.precision} " + (one.reason or f"{seconds(one.seconds or 0)}, cosine {one.cosine:.5f}")
        for one in trials
    )
    return f"What auto found here, of which the first is its choice (cosine at least {LEAST_COSINE}): {tried}."


if __name__ == "__main__":
    options(__doc__)
    print(run())
