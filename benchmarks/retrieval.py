"""Claim: hybrid search beats the better of its parts, or is as good where one part is far worse, on three sets."""

import json
import os
import re
import tempfile
from pathlib import Path

import numpy as np

import wordstock as ws
from options import options
from wordstock.stores.fusion import WEIGHTS

DEPTH = 100
PARTS = ("glove-6b-50d", "all-minilm-l6-v2")
FUSIONS = {"as by default": WEIGHTS, "reciprocal ranks": "rrf"}


def cranfield():
    """Documents by id, queries, and gains per query: grades run from 4, a complete answer, to 1."""
    folder = Path(os.environ["WORDSTOCK_DATA"]) / "retr-cranfield"
    documents = {}
    for record in re.split(r"^\.I ", (folder / "cran.all.1400").read_text(), flags=re.MULTILINE)[1:]:
        number = record.split("\n", 1)[0].strip()
        title = re.search(r"^\.T\n(.*?)^\.A", record, re.MULTILINE | re.DOTALL)
        body = re.search(r"^\.W\n(.*)", record, re.MULTILINE | re.DOTALL)
        text = " ".join((title.group(1) + " " + body.group(1)).split())
        documents[number] = text or "empty"
    queries = [
        " ".join(record.split(".W", 1)[1].split())
        for record in re.split(r"^\.I ", (folder / "cran.qry").read_text(), flags=re.MULTILINE)[1:]
    ]
    gains = [{} for _ in queries]
    for line in (folder / "QRelsCorrectedforTRECeval").read_text().splitlines():
        query, _, document, grade = line.split()
        if int(grade) > 0:
            gains[int(query) - 1][document] = int(grade)
    return documents, queries, gains


def pubmedqa():
    """Questions, each answered by one abstract of medicine."""
    found = json.loads((Path(os.environ["WORDSTOCK_DATA"]) / "bio-pubmedqa" / "ori_pqal.json").read_text())
    documents = {name: " ".join(one["CONTEXTS"]) for name, one in found.items()}
    return documents, [one["QUESTION"] for one in found.values()], [{name: 1} for name in found]


def sentence_pairs():
    """Sentences of the sets for similarity, each with one that says the same (score 4 of 5 or more) among others."""
    documents, queries, gains = {}, [], []
    for part in ("dev", "test"):
        path = Path(os.environ["WORDSTOCK_DATA"]) / "sts-open" / f"sts-open-{part}.tsv"
        for line in path.read_text().splitlines():
            score, first, second = line.split("\t")[4:7]
            name = str(len(documents))
            documents[name] = second
            if float(score) >= 4 and first != second:
                queries.append(first)
                gains.append({name: 1})
    return documents, queries, gains


SETS = {"Cranfield": cranfield, "PubMedQA": pubmedqa, "sentence pairs": sentence_pairs}


def ndcg(found, gains, k=10):
    """Normalised discounted cumulative gain at k, one query (Järvelin & Kekäläinen 2002)."""
    discounts = 1 / np.log2(np.arange(2, k + 2))
    got = np.array([gains.get(name, 0) for name in found[:k]], float)
    best = np.sort(np.array(list(gains.values()), float))[::-1][:k]
    return float((got * discounts[: len(got)]).sum() / (best * discounts[: len(best)]).sum())


def recall(found, gains, k=DEPTH):
    """Share of the relevant documents among the first k."""
    return len(set(found[:k]) & set(gains)) / len(gains)


def interval(values):
    """Mean and half the width of its 95 % interval by bootstrap over queries."""
    random = np.random.default_rng(0)
    means = np.mean(random.choice(values, (2000, len(values))), axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return f"{np.mean(values):.3f} ± {(high - low) / 2:.3f}"


def run() -> str:
    """Every set."""
    return "\n\n".join(ranked(name, *read()) for name, read in SETS.items())


def ranked(title, documents, queries, gains):
    """Every part and every way of fusing, over one store each in Milvus Lite."""
    rows, single, lines = [], {}, []

    def score(name, found):
        names = [[hit.id for hit in hits] for hits in found]
        values = [ndcg(one, gain) for one, gain in zip(names, gains, strict=True) if gain]
        recalls = [recall(one, gain) for one, gain in zip(names, gains, strict=True) if gain]
        rows.append(f"| {name} | {interval(values)} | {interval(recalls)} |")
        return np.array([np.mean(values), np.mean(recalls)])

    with tempfile.TemporaryDirectory() as folder:
        for part in PARTS:
            with ws.VectorStore(Path(folder) / f"{part}.db", part) as store:
                store.add(documents.values(), documents)
                if "BM25" not in single:
                    single["BM25"] = score("BM25", store.search(queries, DEPTH, mode="keyword"))
                single[part] = score(part, store.search(queries, DEPTH))
                better = np.maximum(single[part], single["BM25"])
                for name, fusion in FUSIONS.items():
                    found = store.search(queries, DEPTH, mode="hybrid", fusion=fusion)
                    gained = score(f"{part} and BM25, {name}", found) - better
                    lines.append(f"{part}, {name}: {gained[0]:+.3f} nDCG, {gained[1]:+.3f} recall.")
    head = f"{title}: {len(documents):,} documents, {len(queries):,} queries.\n\n"
    table = f"| ranking | nDCG@10 | recall@{DEPTH} |\n|-|-|-|\n" + "\n".join(rows)
    return f"{head}{table}\n\nAgainst the better part: {' '.join(lines)}"


if __name__ == "__main__":
    options(__doc__)
    print(run())
