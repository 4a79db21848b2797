"""Claim: vocabulary and shards are 8 times as fast as gensim's vocabulary scan, phrases 10 times as gensim's.

GloVe's ``vocab_count``, which gives counts only and reads in one thread, is the second peer where the folder of the
programs is in WORDSTOCK_GLOVE_BIN.
"""

import bz2
import itertools
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from gensim.models import Word2Vec
from gensim.models.phrases import Phrases as GensimPhrases
from gensim.models.word2vec import LineSentence

from options import options
from pairs import HEAD, paired
from peer import folder
from wordstock.corpus import read_blocks
from wordstock.vocab import Phrases, PhraseSettings, build_shards, count_words

QUICK = 20_000_000  # characters


def run() -> str:
    """Lower-case a–z text, a paragraph per line, on the same cores; gensim's scan gives counts only, no ids."""
    quick = os.environ.get("WORDSTOCK_BENCH") != "full"
    path = plain_text(QUICK if quick else None)
    tokens = int(count_words(read_blocks(path)).counts.sum())
    with TemporaryDirectory() as shards:
        whole = paired(
            lambda: build_shards(read_blocks(path), shards),
            lambda: Word2Vec(min_count=5).build_vocab(corpus_file=str(path)),
            pairs=5,
        )
        strings = paired(
            lambda: build_shards(lines(path), shards),
            lambda: Word2Vec(min_count=5).build_vocab(corpus_file=str(path)),
            pairs=3,
            warm=False,
        )
        glove = [
            paired(
                lambda: build_shards(read_blocks(path), shards),
                lambda program=program: vocab_count(program, path),
                pairs=5,
            ).row("vocabulary and token shards, peer: GloVe's vocab_count", "≥ 1×")
            for program in programs()
        ]
    counts = paired(
        lambda: count_words(read_blocks(path), min_count=5),
        lambda: Word2Vec(min_count=5).build_vocab(corpus_file=str(path)),
        pairs=3,
        warm=False,
    )
    phrases = paired(
        lambda: Phrases.learn(read_blocks(path), PhraseSettings(passes=1)),
        lambda: GensimPhrases(LineSentence(str(path)), threshold=100.0).export_phrases(),
        pairs=1 if not quick else 2,
        warm=False,
    )
    speed = f"{tokens / whole.ours / 1e6:.1f} M words/s"
    return "\n".join(
        [
            f"{tokens:,} words; vocabulary and shards at {speed}, from a file to ids.\n",
            HEAD,
            whole.row("vocabulary and token shards, peer: build_vocab(corpus_file=) alone", "≥ 8×"),
            *glove,
            strings.row("the same from an iterable of str", ""),
            counts.row("vocabulary alone", ""),
            phrases.row("phrases, one pass", "≥ 10×"),
        ]
    )


def programs() -> list[Path]:
    """GloVe's vocab_count, where there is one."""
    given = os.environ.get("WORDSTOCK_GLOVE_BIN")
    return [Path(given) / "vocab_count"] if given else []


def vocab_count(program: Path, path: Path) -> None:
    """Count as GloVe does."""
    with path.open("rb") as text:
        command = [program, "-min-count", "5", "-verbose", "0"]
        subprocess.run(command, stdin=text, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)


def lines(path: Path) -> Iterator[str]:
    """The paragraphs of the text."""
    with path.open(encoding="utf-8") as stream:
        yield from stream


def plain_text(limit: int | None) -> Path:
    """The Wikipedia sample as lower-case words, its first ``limit`` characters or all."""
    data = os.environ.get("WORDSTOCK_DATA")
    if not data:
        sys.exit("set WORDSTOCK_DATA to the folder of evaluation sets")
    path = folder() / f"plain-{limit}.txt"
    apart = re.compile("[^a-z]+")
    source = Path(data) / "enwiki-core-102mb" / "enwiki-core-AA.txt.bz2"
    with bz2.open(source, "rt", encoding="utf-8") as stream, path.open("w", encoding="utf-8") as out:
        written = 0
        for line in itertools.filterfalse(lambda line: line.startswith(("<doc", "</doc")), stream):
            words = apart.sub(" ", line.lower()).strip()
            if words:
                written += out.write(words + "\n")
            if limit is not None and written > limit:
                break
    return path


if __name__ == "__main__":
    options(__doc__)
    print(run())
