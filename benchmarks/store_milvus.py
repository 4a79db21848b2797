"""Claim: a VectorStore adds at most 15 % to inserting with pymilvus itself and 20 % to searching, in constant memory.

The server is the one of the ``milvus`` wheel, in a network namespace of its own, on the same cores. Every part can run
alone, ``python store_milvus.py PLACE PART``; with WORDSTOCK_BENCH_PARTS it is kept in the file of that name, and a run
of the whole measures only the parts that are not there.
"""

import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
import warnings
from pathlib import Path

import numpy as np

from pairs import HEAD, paired, summary
from peer import glove
from wordstock import Embeddings
from wordstock.stores import IndexConfig, MemoryStore, VectorStore, open_store

ROWS, LARGE = 20_000, 400_000
BATCH = 1000
QUERIES = 200
MEMORY = (10_000, 40_000, 160_000)
INDEXES = {
    "FLAT": IndexConfig("flat"),
    "HNSW, ef 64": IndexConfig("hnsw", ef=64),
    "HNSW, ef 128": IndexConfig("hnsw", ef=128),
    "HNSW, ef 256": IndexConfig("hnsw", ef=256),
    "IVF_FLAT, nprobe 1/16": IndexConfig("ivf"),
    "IVF_SQ8, nprobe 1/16": IndexConfig("ivf_sq8"),
    "AUTOINDEX": IndexConfig("autoindex"),
}


def rows(count):
    """Words of GloVe with their vectors, and vectors to ask for: other words, a little moved."""
    emb = glove()
    keys = list(emb.keys[:count])
    vectors = emb.vectors(keys)
    random = np.random.default_rng(0)
    chosen = random.choice(count, QUERIES, replace=False)
    queries = vectors[chosen] + 0.3 * random.normal(size=(QUERIES, vectors.shape[1])).astype(np.float32)
    return emb, keys, vectors, queries


class Raw:
    """The same with pymilvus alone: the same fields, the same batches, the same index."""

    def __init__(self, location, dim):
        from pymilvus import DataType, MilvusClient

        self.client = MilvusClient(location, token=os.environ.get("WORDSTOCK_MILVUS_TOKEN", ""))
        self.name = f"raw_{uuid.uuid4().hex[:8]}"
        schema = MilvusClient.create_schema(auto_id=False)
        schema.add_field("id", DataType.VARCHAR, is_primary=True, max_length=512)
        schema.add_field("text", DataType.VARCHAR, max_length=65535)
        schema.add_field("metadata", DataType.JSON)
        schema.add_field("digest", DataType.VARCHAR, max_length=64)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=dim)
        index = MilvusClient.prepare_index_params()
        index.add_index("vector", index_type="FLAT", metric_type="COSINE")
        self.client.create_collection(self.name, schema=schema, index_params=index, consistency_level="Session")

    def add(self, keys, vectors, texts=None):
        """In batches, as the store does."""
        texts = keys if texts is None else texts
        for start in range(0, len(keys), BATCH):
            part = slice(start, start + BATCH)
            data = [
                {"id": key, "text": text, "metadata": {"n": 1}, "digest": "0" * 48, "vector": vector}
                for key, text, vector in zip(keys[part], texts[part], vectors[part], strict=True)
            ]
            self.client.upsert(self.name, data)

    def search(self, query, collection):
        """The ten nearest with their fields."""
        fields = ["text", "metadata"]
        return self.client.search(collection, [query], limit=10, anns_field="vector", output_fields=fields)

    def close(self):
        """Drop it."""
        self.client.drop_collection(self.name)
        self.client.close()


def overhead(location, place):
    """Insert and search, ours and pymilvus' own in turn."""
    emb, keys, vectors, queries = rows(ROWS)
    metadata = [{"n": 1}] * ROWS

    def ours():
        store = VectorStore(location, emb, collection=f"ours_{uuid.uuid4().hex[:8]}", index="flat")
        began = time.perf_counter()
        store.add(keys, keys, metadata, vectors=vectors, batch_size=BATCH)
        return store, time.perf_counter() - began

    def peer():
        raw = Raw(location, vectors.shape[1])
        began = time.perf_counter()
        raw.add(keys, vectors)
        if place == "Milvus Lite":
            raw.client.flush(raw.name)  # as the store does when it is done
        return raw, time.perf_counter() - began

    times = []
    for _ in range(6):
        (store, mine), (raw, other) = ours(), peer()
        times.append((mine, other))
        last = len(times) == 6
        if not last:
            raw.close()  # first: an embedded server stops with the store's last client
            store.store.drop()
            store.close()
    table = [summary(times[1:]).row(f"{place}: insert {ROWS:,} rows", "≥ 0.87×")]
    time.sleep(5)  # a server goes on working after an insert
    turns = iter(range(10**9))
    search = paired(  # in the same collection: two of them differ more, by what the server still does with each
        lambda: store.search(queries[next(turns) % QUERIES]),
        lambda: raw.search(queries[next(turns) % QUERIES], store.store.collection),
        pairs=200,
    )
    raw.close()
    store.close()
    return [*table, search.row(f"{place}: one search, 10 rows with text and metadata", "≥ 0.83×")]


def indexes(location, place, count, kinds):
    """Recall against exact search, and latency of single searches."""
    _, keys, vectors, queries = rows(count)
    exact = MemoryStore(vectors.shape[1])
    exact.add(keys, vectors)
    truth = [{hit.id for hit in hits} for hits in exact.search(queries, 10, fields=False)]
    store = open_store(location, f"index_{uuid.uuid4().hex[:8]}", dim=vectors.shape[1], index="flat")
    began = time.perf_counter()
    for start in range(0, count, 5000):
        part = slice(start, start + 5000)
        store.add(keys[part], vectors[part])
    store.flush()
    rate = count / (time.perf_counter() - began)
    store._connection.call("flush", store.collection)  # what is still growing on a server has an index of another kind
    table = []
    built = ("flat", 16)
    for name in kinds:
        config = INDEXES[name]
        seconds = 0.0
        if (config.kind, config.m) != built:
            began = time.perf_counter()
            store.set_index(config)
            seconds = time.perf_counter() - began
            built = (config.kind, config.m)
        store._card = store._card.with_index(config.for_rows(count))
        for query in queries[:5]:
            store.search(query[None], 10, fields=False)
        found, times = [], []
        for query in queries:
            began = time.perf_counter()
            found.append({hit.id for hit in store.search(query[None], 10, fields=False)[0]})
            times.append(time.perf_counter() - began)
        recall = np.mean([len(one & other) / 10 for one, other in zip(found, truth, strict=True)])
        middle, late = statistics.median(times), np.percentile(times, 95)
        table.append(
            f"| {place} | {count:,} | {name} | {recall:.3f} | {middle * 1e3:.1f} ms | {late * 1e3:.1f} ms | "
            f"{seconds:.0f} s |"
        )
    store.drop()
    print(f"{place}, {count:,} rows: stored at {rate:,.0f} rows/s", file=sys.stderr)
    return table


def peak():
    """Peak resident KiB of this process, of this program alone: ru_maxrss begins with what its parent had."""
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(lines["VmHWM"].split()[0])


def memory(location, count, who):
    """Peak resident KiB of a process that indexes so many texts, and before it does."""
    random = np.random.default_rng(0)
    words = [f"word{i}" for i in range(2000)]
    emb = Embeddings.from_arrays(words, random.normal(size=(2000, 50)).astype(np.float32))
    before = peak()
    texts = (" ".join(random.choice(words, 12)) for _ in range(count))
    if who == "pymilvus":
        raw = Raw(location, 50)
        for start in range(0, count, BATCH):
            part = list(itertools.islice(texts, BATCH))
            ids = [str(start + i) for i in range(len(part))]
            raw.add(ids, random.normal(size=(len(part), 50)).astype(np.float32), part)
        raw.client.flush(raw.name)
    else:
        collection = f"memory_{uuid.uuid4().hex[:8]}"
        with VectorStore(location, emb, collection=collection, index="flat") as store:
            store.add(texts, (str(i) for i in range(count)))
    return before, peak()


def measured_memory(location, place):
    """Each in a process of its own."""
    table = []
    for count in MEMORY:
        told = []
        for who in ("wordstock", "pymilvus"):
            with tempfile.TemporaryDirectory() as folder:
                where = location or str(Path(folder) / "memory.db")
                command = [sys.executable, __file__, "memory", where, str(count), who]
                ran = subprocess.run(command, capture_output=True, text=True, check=True)
            told += [f"{size / 1024:.0f} MiB" for size in json.loads(ran.stdout)]
        table.append(f"| {place} | {count:,} | {told[0]} | {told[1]} | {told[3]} |")
    return table


PARTS = ("overhead", "indexes", "large", "memory")


def part(location, name):
    """One part at one place; a location of None is a fresh Milvus Lite."""
    place = "Milvus Lite" if location is None else "Milvus 2.3.5"
    if name == "memory":
        return measured_memory(location, place)
    with tempfile.TemporaryDirectory() as folder:
        where = location or str(Path(folder) / "store.db")
        if name == "overhead":
            return overhead(where, place)
        if name == "indexes":
            return indexes(where, place, ROWS, list(INDEXES))
        return indexes(where, place, LARGE, list(INDEXES))


def served(name):
    """A part that needs the server, run inside the namespace."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "stores"))
    import serve

    serve.raise_loopback()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        server = serve.start(folder)
        try:
            os.environ["WORDSTOCK_MILVUS_TOKEN"] = serve.TOKEN
            return part(f"http://127.0.0.1:{server.listen_port}", name)
        finally:
            server.stop()


def measured(place, name):
    """The lines of one part, from its own process or from the file that keeps them."""
    kept = os.environ.get("WORDSTOCK_BENCH_PARTS")
    found = json.loads(Path(kept).read_text()) if kept and Path(kept).exists() else {}
    key = f"{place} {name}"
    if key not in found:
        isolated = ["unshare", "-n"] if place == "server" else []
        command = [*isolated, sys.executable, __file__, "run", place, name]
        ran = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        found[key] = json.loads(ran.stdout.splitlines()[-1])
        if kept:
            Path(kept).write_text(json.dumps(found, indent=1))
    return found[key]


def run() -> str:
    """Both places, each part in a process of its own."""
    found = {name: [line for place in ("lite", "server") for line in measured(place, name)] for name in PARTS}
    return "\n".join(
        [
            HEAD,
            *found["overhead"],
            "",
            f"Recall@10 against exact search, {QUERIES} single queries, GloVe in 50 dimensions:",
            "",
            "| where | rows | index | recall@10 | median | 95 % | built in |\n|-|-|-|-|-|-|-|",
            *found["indexes"],
            *found["large"],
            "",
            "Peak memory of the process that indexes texts (Milvus Lite runs inside it):",
            "",
            "| where | texts | before | peak | pymilvus alone |\n|-|-|-|-|-|",
            *found["memory"],
        ]
    )


def main(arguments):
    """Everything, one part, or what one part starts."""
    warnings.simplefilter("ignore")
    if arguments[:1] == ["memory"]:
        print(json.dumps(memory(arguments[1], int(arguments[2]), arguments[3])))
    elif arguments[:1] == ["run"]:
        print(json.dumps(served(arguments[2]) if arguments[1] == "server" else part(None, arguments[2])))
    else:
        print("\n".join(measured(*arguments)) if arguments else run())


if __name__ == "__main__":
    main(sys.argv[1:])
