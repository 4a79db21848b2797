"""Run every benchmark, or those that are named, and put what they print into their sections of RESULTS.md.

``make bench`` runs them all, ``make bench ONLY="nearest encode"`` some; the other sections stay as they were. Each
section says when and on what machine its figures were measured.
"""

import datetime
import importlib
import os
import platform
import re
import sys
from importlib.metadata import version
from pathlib import Path

SPEED = [
    "read_formats",
    "open_native",
    "nearest",
    "analogy",
    "encode",
    "distill",
    "encode_contextual",
    "store_milvus",
    "import_cost",
    "memory",
    "crf",
    "layers",
]
QUALITY = ["retrieval", "similarity", "fewshot", "finetune", "tagging"]
TRAINING = [
    "count_vocab",
    "read_wiki",
    "read_corpus",
    "train_limit",
    "train_word2vec",
    "train_fasttext",
    "train_glove",
    "classify_ngram",
]
ALL = [*SPEED, *QUALITY, *TRAINING]
RESULTS = Path(__file__).parent / "RESULTS.md"
PEERS = ["numpy", "numba", "scikit-learn", "gensim", "model2vec"]
HEADING = """# Results

Each section is what its file in `benchmarks/` printed, by `make bench` or `make bench ONLY="name"`, on the machine and
day it names. Times are medians of runs in turn with the peer on the same cores; the machines are shared: the ratios
hold, the seconds do not. Compiled kernels are in numba's disk cache, as from the second use on.
"""


def main(names: list[str]) -> None:
    """Run the named benchmarks, or all of them; results are written after each, so that a stopped run keeps its own."""
    if unknown := set(names) - set(ALL):
        sys.exit(f"unknown benchmark {', '.join(sorted(unknown))}; there are {', '.join(ALL)}")
    for name in names or ALL:
        module = importlib.import_module(name)
        print(f"{name} …", file=sys.stderr, flush=True)
        claim = (module.__doc__ or "").split("\n")[0]
        section = f"{claim}\n\n{module.run()}\n\n{circumstances()}\n"
        print(section, flush=True)
        keep(name, section)


def keep(name: str, section: str) -> None:
    """Replace one section of the file, in the order of the list above."""
    found = RESULTS.read_text(encoding="utf-8") if RESULTS.exists() else ""
    parts = re.split(r"^## (\S+)\n\n", found, flags=re.MULTILINE)[1:]
    sections = dict(zip(parts[::2], parts[1::2], strict=True)) | {name: section}
    texts = [f"## {known}\n\n{sections[known].strip()}\n" for known in ALL if known in sections]
    RESULTS.write_text("\n".join([HEADING, *texts]), encoding="utf-8")


def circumstances() -> str:
    """When and on what."""
    with Path("/proc/cpuinfo").open() as stream:
        lines = dict(line.split(":", 1) for line in stream if ":" in line)
    cpu = {name.strip(): value.strip() for name, value in lines.items()}
    vectors = "AVX-512" if "avx512f" in cpu.get("flags", "") else "AVX2" if "avx2" in cpu.get("flags", "") else "no AVX"
    model = f"{cpu.get('model name', 'unknown processor')} ({vectors})"
    versions = ", ".join(f"{name} {version(name)}" for name in PEERS)
    return (
        f"*{datetime.date.today():%Y-%m-%d}: {model}, {len(os.sched_getaffinity(0))} cores, {platform.system()}, "
        f"Python {platform.python_version()}, {versions}, wordstock {version('wordstock')}.*"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
