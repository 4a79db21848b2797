"""Diseases in abstracts: a tagger from 500 sentences over GloVe, a file of it, and its answers on a sentence of yours.

    python examples/tag_diseases.py
    python examples/tag_diseases.py "Her sister has cystic fibrosis ."

Needs the extra "torch". Learns from the NCBI disease corpus (Dogan et al. 2014) in columns of word and tag: it wants
``bio-ner/NCBI-disease-IOB/train.tsv`` and ``test.tsv`` in the folder that WORDSTOCK_DATA names.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import wordstock as ws
from wordstock.tasks.tagging import read_conll

SENTENCES = 500
TEXT = "Mutations in BRCA1 raise the risk of breast cancer. Wilson's disease is a rare disorder of copper metabolism."


def main() -> None:
    folder = Path(os.environ.get("WORDSTOCK_DATA", ""), "bio-ner", "NCBI-disease-IOB")
    if "WORDSTOCK_DATA" not in os.environ or not folder.is_dir():
        sys.exit("set WORDSTOCK_DATA to a folder that holds bio-ner/NCBI-disease-IOB")
    train, test = read_conll(folder / "train.tsv"), read_conll(folder / "test.tsv")
    glove = ws.load("glove-6b-50d")
    tagger = ws.SequenceTagger(glove, model="crf").fit(train.sentences[:SENTENCES], train.tags[:SENTENCES])
    print(f"{SENTENCES} sentences, {tagger.history_[-1].seconds:.0f} s of training\n")
    print(tagger.evaluate(test.sentences, test.tags), "\n")
    with TemporaryDirectory() as work:
        tagger.save(Path(work) / "diseases.safetensors")
        size = (Path(work) / "diseases.safetensors").stat().st_size
        again = ws.SequenceTagger.load(Path(work) / "diseases.safetensors")  # finds GloVe by its name
    print(f"in a file of {size / 1e6:.1f} MB; read back:")
    text = sys.argv[1] if len(sys.argv) > 1 else TEXT
    for span in again.predict_spans(text):
        print(f"{span.start:4}-{span.stop:<4} {span.label:8} {text[span.start : span.stop]}")


if __name__ == "__main__":
    main()
