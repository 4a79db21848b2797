"""Run every benchmark and write RESULTS.md: ``make bench``; name some to run only those, printed and not written."""

import datetime
import importlib
import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path

SPEED = [
    "read_formats",
    "open_native",
    "nearest",
    "analogy",
    "encode",
    "import_cost",
    "memory",
]
QUALITY = ["similarity", "fewshot"]
TRAINING = ["count_vocab", "read_wiki", "train_word2vec", "train_glove"]
RESULTS = Path(__file__).parent / "RESULTS.md"
PEERS = ["numpy", "numba", "scikit-learn", "gensim", "model2vec"]


def main(names: list[str]) -> None:
    """Run the named benchmarks, or all of them; results are written after each, so that a stopped run keeps its own."""
    parts: list[str] = []
    for name in names or [*SPEED, *QUALITY, *TRAINING]:
        module = importlib.import_module(name)
        print(f"{name} …", file=sys.stderr, flush=True)
        claim = (module.__doc__ or "").split("\n")[0]
        part = f"## {name}\n\n{claim}\n\n{module.run()}\n"
        print(part, flush=True)
        parts.append(part)
        if not names:
            RESULTS.write_text(f"{heading()}\n\n" + "\n".join(parts), encoding="utf-8")


def heading() -> str:
    """What was run, when and on what."""
    with Path("/proc/cpuinfo").open() as stream:
        cpu = next(
            (line.split(":")[1].strip() for line in stream if line.startswith("model name")), "unknown processor"
        )
    versions = ", ".join(f"{name} {version(name)}" for name in PEERS)
    return (
        "# Results\n\n"
        f"`make bench` on {datetime.date.today():%Y-%m-%d}: {cpu}, {len(os.sched_getaffinity(0))} cores, "
        f"{platform.system()}, Python {platform.python_version()}, {versions}, wordstock {version('wordstock')}.\n\n"
        "Times are medians of runs in turn with the peer on the same cores; the machine is shared: the ratios hold, "
        "the seconds do not. Compiled kernels are in numba's disk cache, as from the second use on."
    )


if __name__ == "__main__":
    main(sys.argv[1:])
