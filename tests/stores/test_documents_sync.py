"""A store kept in step with a folder."""

import json
import os
import shutil
from contextlib import contextmanager, suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import wordstock as ws
from wordstock.errors import FormatError, InputError
from wordstock.stores.documents import ChunkSettings, ReadOptions, sync_files, writing
from wordstock.stores.documents import sync as module

SMALL = ChunkSettings(size=4, overlap=0)
WORDS = [f"w{number}" for number in range(50)]


class Counted:
    """An encoder that remembers what it encoded."""

    def __init__(self, table):
        self._table = table
        self.texts = []

    dim = property(lambda self: self._table.dim)
    fingerprint = property(lambda self: self._table.fingerprint)

    def encode(self, texts):
        self.texts += [texts] if isinstance(texts, str) else list(texts)
        return self._table.encode(texts)

    def encode_words(self, sentences):
        return self._table.encode_words(sentences)


@pytest.fixture
def encoder():
    table = ws.Embeddings.from_arrays(WORDS, np.random.default_rng(1).normal(size=(50, 8)).astype("float32"))
    return Counted(table)


@pytest.fixture
def store(encoder, tmp_path):
    with ws.VectorStore(tmp_path / "store.safetensors", encoder=encoder) as opened:
        yield opened


@pytest.fixture
def notes(tmp_path):
    folder = tmp_path / "notes"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.txt").write_text("w1 w2 w3. w4 w5 w6. w7 w8 w9.")
    (folder / "sub" / "b.md").write_text("# w10\nw11 w12\n")
    return folder


def contents(store):
    return {row.id: row.text for row in store.rows()}


def test_files_are_added_and_left_alone(store, encoder, notes):
    report = sync_files(store, notes, chunks=SMALL, base=notes.parent)
    assert contents(store) == {
        "notes/a.txt#0": "w1 w2 w3.",
        "notes/a.txt#1": "w4 w5 w6.",
        "notes/a.txt#2": "w7 w8 w9.",
        "notes/sub/b.md#0": "# w10\nw11 w12",
    }
    assert str(report) == ("files: 2 added, 0 changed, 0 removed, 0 unchanged; passages: 4 written, 0 deleted")
    encoder.texts.clear()
    again = sync_files(store, notes, chunks=SMALL, base=notes.parent)
    assert (again.unchanged, again.passages, encoder.texts) == (["notes/a.txt", "notes/sub/b.md"], 0, [])
    assert store.search("w11 w12", k=1)[0].metadata["heading"] == "w10"


def test_only_what_changed_is_encoded(store, encoder, notes):
    sync_files(store, notes, chunks=SMALL, base=notes)
    encoder.texts.clear()
    (notes / "a.txt").write_text("w20 w21 w22. w4 w5 w6.")
    report = sync_files(store, notes, chunks=SMALL, base=notes)
    assert encoder.texts == ["w20 w21 w22."]
    assert (report.changed, report.deleted) == (["a.txt"], 1)
    assert {name: text for name, text in contents(store).items() if name.startswith("a")} == {
        "a.txt#0": "w20 w21 w22.",
        "a.txt#1": "w4 w5 w6.",
    }
    assert {row.id: row.metadata["start"] for row in store.rows()}["a.txt#1"] == 13


def test_a_touched_file_is_not_read_again(store, encoder, notes):
    sync_files(store, notes, chunks=SMALL)
    encoder.texts.clear()
    os.utime(notes / "a.txt", (1, 1))
    report = sync_files(store, notes, chunks=SMALL)
    assert (len(report.unchanged), encoder.texts) == (2, [])
    again = sync_files(store, notes, chunks=SMALL, reread=True)
    assert (again.read.documents, again.passages, encoder.texts) == (2, 0, [])
    assert len(sync_files(store, notes, chunks=ChunkSettings(size=6, overlap=0)).changed) == 2


def test_files_that_are_gone_are_deleted(store, notes, tmp_path):
    other = tmp_path / "other.txt"
    other.write_text("w30.")
    sync_files(store, [notes, other], chunks=SMALL, base=tmp_path)
    (notes / "a.txt").unlink()
    other.unlink()
    report = sync_files(store, notes, chunks=SMALL, base=tmp_path)
    assert (report.removed, report.deleted) == (["notes/a.txt"], 3)
    assert set(contents(store)) == {"notes/sub/b.md#0", "other.txt#0"}  # other.txt is in no folder that was given


def test_a_folder_that_became_empty_loses_its_passages(store, notes, tmp_path):
    sync_files(store, notes, chunks=SMALL)
    shutil.rmtree(notes / "sub")
    (notes / "a.txt").unlink()
    report = sync_files(store, notes, chunks=SMALL)
    assert (len(report.removed), report.deleted, contents(store)) == (2, 4, {})
    with pytest.raises(InputError, match="notes: a folder without files to read"):  # as a mistyped one has
        sync_files(store, notes, chunks=SMALL)


def test_a_folder_of_links(store, notes, tmp_path):
    links = tmp_path / "links"
    links.mkdir()
    (links / "a.txt").symlink_to(notes / "a.txt")
    assert sync_files(store, links, chunks=SMALL).added == [str(notes / "a.txt")]


def test_a_file_alone_deletes_nothing(store, notes):
    sync_files(store, notes, chunks=SMALL)
    sync_files(store, notes / "a.txt", chunks=SMALL)
    assert len(contents(store)) == 4


def test_an_emptied_file_loses_its_passages(store, notes):
    sync_files(store, notes, chunks=SMALL, base=notes)
    (notes / "a.txt").write_text("")
    assert sync_files(store, notes, chunks=SMALL, base=notes).changed == ["a.txt"]
    assert set(contents(store)) == {"sub/b.md#0"}
    assert sync_files(store, notes, chunks=SMALL, base=notes).changed == []


def test_rows_with_ids_of_their_own(store, encoder, notes, tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"id": "x", "text": "w1", "n": 1}\n{"id": "y", "text": "w2", "n": 2}\n')
    options = ReadOptions(id_field="id")
    sync_files(store, path, options)
    path.write_text('{"id": "z", "text": "w3", "n": 3}\n{"id": "y", "text": "w2", "n": 9}\n')
    encoder.texts.clear()
    sync_files(store, path, options)
    assert contents(store) == {"z": "w3", "y": "w2"}
    assert encoder.texts == ["w3"]
    assert {row.id: row.metadata["n"] for row in store.rows()} == {"z": 3, "y": 9}


def test_an_id_in_two_files(store, notes, tmp_path):
    folder = tmp_path / "two"
    one, two = folder / "one.jsonl", folder / "two.jsonl"
    folder.mkdir()
    one.write_text('{"id": "k", "text": "w1"}\n')
    two.write_text('{"id": "k", "text": "w2"}\n{"id": "m", "text": "w3"}\n')
    for run in range(3):
        report = sync_files(store, folder, ReadOptions(id_field="id"))
        assert contents(store) == {"k": "w1", "m": "w3"}
        (damage,) = report.read.damages
        assert damage.problem.startswith(f"{two}: expected ids that no other file has, found 'k', which {one} has too")
        assert report.read.left_out == {"row whose id another file has": 1}
        assert (len(report.added), len(report.unchanged), report.passages) == ((0, 2, 0) if run else (2, 0, 2))
    with pytest.raises(FormatError, match="expected ids that no other file has"):
        sync_files(store, folder, ReadOptions(id_field="id"), strict=True)
    one.write_text('{"id": "n", "text": "w1"}\n')
    report = sync_files(store, folder, ReadOptions(id_field="id"))
    assert (contents(store), report.read.damaged) == ({"n": "w1", "k": "w2", "m": "w3"}, 0)
    assert len(sync_files(store, folder, ReadOptions(id_field="id")).unchanged) == 2


def test_a_table_that_was_renamed_keeps_its_vectors(store, encoder, tmp_path):
    folder = tmp_path / "tables"
    folder.mkdir()
    (folder / "old.jsonl").write_text('{"id": "k", "text": "w1"}\n{"id": "m", "text": "w3"}\n')
    sync_files(store, folder, ReadOptions(id_field="id"))
    (folder / "old.jsonl").rename(folder / "new.jsonl")
    encoder.texts.clear()
    report = sync_files(store, folder, ReadOptions(id_field="id"))
    assert (len(report.added), len(report.removed), report.deleted, encoder.texts) == (1, 1, 0, [])
    assert {row.metadata["source"] for row in store.rows()} == {str(folder / "new.jsonl")}


def test_a_file_that_is_gone_elsewhere_keeps_what_is_not_taken(store, tmp_path):
    old, new = tmp_path / "old.jsonl", tmp_path / "new.jsonl"
    old.write_text('{"id": "k", "text": "w1"}\n{"id": "m", "text": "w3"}\n')
    new.write_text('{"id": "k", "text": "w2"}\n')
    sync_files(store, old, ReadOptions(id_field="id"))
    old.unlink()
    report = sync_files(store, new, ReadOptions(id_field="id"))
    assert (contents(store), report.removed) == ({"k": "w2", "m": "w3"}, [])
    assert {row.id for row in store.rows(where={"version": {"exists": True}})} == {"k", "m"}


TWICE = [("k", "w1"), ("m", "w2"), ("m", "w3"), ("k", "w4")]


def test_of_an_id_twice_in_a_file_the_last_counts(store, tmp_path, monkeypatch):
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(f'{{"id": "{id}", "text": "{text}"}}\n' for id, text in TWICE))
    for batch in (1, 4096):
        monkeypatch.setattr(module, "BATCH", batch)
        sync_files(store, path, ReadOptions(id_field="id"), reread=True)
        assert contents(store) == {"k": "w4", "m": "w3"}


@pytest.mark.parametrize("stop", range(1, 6))
def test_a_run_that_was_stopped_is_continued(store, encoder, notes, monkeypatch, stop):
    monkeypatch.setattr(module, "BATCH", 2)
    calls = 0
    whole = store.add

    class Store:
        rows, delete, get, count = store.rows, store.delete, store.get, store.count

        @staticmethod
        def add(*args, **kwargs):
            nonlocal calls
            calls += 1
            if calls == stop:
                raise StoppedError
            return whole(*args, **kwargs)

    try:
        sync_files(Store, notes, chunks=SMALL, base=notes)
    except StoppedError:
        pass
    else:
        assert calls < stop
    before = list(encoder.texts)
    sync_files(store, notes, chunks=SMALL, base=notes)
    assert len(contents(store)) == 4
    assert len(encoder.texts) == len(set(encoder.texts)) == 4
    assert encoder.texts[: len(before)] == before
    (notes / "a.txt").unlink()
    assert sync_files(store, notes, chunks=SMALL, base=notes).deleted == 3


def test_only_a_file_that_lost_passages_is_walked_over(store, notes):
    class Watched:
        add, get, delete, count = store.add, store.get, store.delete, store.count
        walks = 0

        @classmethod
        def rows(cls, *, where=None):
            cls.walks += "source" in where
            return store.rows(where=where)

    sync_files(Watched, notes, chunks=SMALL, base=notes)
    (notes / "a.txt").write_text("w1 w2 w4. x4 x5 x6. w7 w8 w9. w10 w11 w12.")
    with pytest.warns(UserWarning, match="hold no word"):
        report = sync_files(Watched, notes, chunks=SMALL, base=notes)
    assert (Watched.walks, report.deleted, len(contents(store))) == (0, 0, 4)
    (notes / "a.txt").write_text("w1 w2 w4.")
    assert sync_files(Watched, notes, chunks=SMALL, base=notes).deleted == 2
    assert Watched.walks == 1


TEXTS = st.fixed_dictionaries(dict.fromkeys("abcdef", st.sampled_from(["w1", "w2", "w3", "x1"])))
ROWS = st.builds(lambda ids, texts: [(id, texts[id]) for id in ids], st.lists(st.sampled_from("abcdef")), TEXTS)
STOPS = st.lists(st.integers(1, 12), min_size=4, max_size=4)
ONCE = ROWS.map(lambda rows: list(dict(rows).items()))


def states_of(rows):
    return st.lists(st.dictionaries(st.sampled_from(["one", "two", "three"]), rows, min_size=1), min_size=1, max_size=4)


def write_rows(folder, state, number, prefix):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, rows in state.items():
        lines = (json.dumps({"id": f"{name}-{id}" if prefix else id, "text": text}) + "\n" for id, text in rows)
        (folder / f"{name}.jsonl").write_text("".join(lines))
        os.utime(folder / f"{name}.jsonl", (number, number))


@contextmanager
def after_stopped_runs(tmp_path_factory, states, stops, batch, *, prefix):
    """The store that was kept in step with files in one state after the other, each run stopped but the last.

    Whenever a run is stopped, each file of which the store has a row has a mark too.
    """
    table = ws.Embeddings.from_arrays(WORDS, np.eye(50, 8, dtype="float32") + 1)
    folder = tmp_path_factory.mktemp("files")
    here, options = folder / "now", ReadOptions(id_field="id")

    def sync(into):
        return sync_files(into, here, options, base=folder)

    with pytest.MonkeyPatch.context() as patch, ws.VectorStore(folder / "s.safetensors", encoder=table) as store:
        patch.setattr(module, "BATCH", batch)
        patch.setattr(writing, "BATCH", batch)
        for number, (state, stop) in enumerate(zip(states, stops, strict=False)):
            write_rows(here, state, number, prefix)
            with suppress(StoppedError):
                sync(stopping(store, stop))
            rows = list(store.rows())
            marked = {row.metadata["source"] for row in rows if "version" in row.metadata}
            assert marked == {row.metadata["source"] for row in rows}
        sync(store)
        yield store, sync, table, folder


@pytest.mark.filterwarnings("ignore:.*hold no word")
@given(states=states_of(ROWS), stops=STOPS, batch=st.integers(1, 5))
def test_whatever_happened_before_the_store_has_what_the_files_have(tmp_path_factory, states, stops, batch):
    with after_stopped_runs(tmp_path_factory, states, stops, batch, prefix=True) as (store, sync, table, folder):
        with ws.VectorStore(folder / "fresh.safetensors", encoder=table) as fresh:
            sync(fresh)
            assert contents(store) == contents(fresh)
        again = sync(store)
        assert (again.passages, again.deleted, again.changed) == (0, 0, [])


@pytest.mark.filterwarnings("ignore:.*hold no word")
@given(states=states_of(ONCE), stops=STOPS, batch=st.integers(1, 5))
def test_files_that_share_ids_come_to_rest(tmp_path_factory, states, stops, batch):
    with after_stopped_runs(tmp_path_factory, states, stops, batch, prefix=False) as (store, sync, _, _):
        last = {name: dict(rows) for name, rows in states[-1].items()}
        for row in store.rows():
            name = row.metadata["source"].removeprefix("now/").removesuffix(".jsonl")
            assert last[name][row.id] == row.text
        known = {id for rows in last.values() for id, text in rows.items() if text != "x1"}
        alone = {id for id in known if sum(id in rows for rows in last.values()) == 1}
        assert alone <= {row.id for row in store.rows()} <= known
        before = contents(store)
        again = sync(store)
        assert (again.passages, again.deleted, again.changed, contents(store)) == (0, 0, [], before)


class StoppedError(Exception):
    pass


def stopping(store, stop):
    """The store until it is asked to add or delete for the ``stop``-th time."""
    left = iter(range(stop - 1))

    def unless_stopped(method):
        def work(*args, **kwargs):
            if next(left, None) is None:
                raise StoppedError
            return method(*args, **kwargs)

        return work

    class Store:
        rows, get, count = store.rows, store.get, store.count
        add, delete = unless_stopped(store.add), unless_stopped(store.delete)

    return Store


def test_passages_without_a_known_word(store, notes):
    (notes / "a.txt").write_text("x1 x2 x3. w4 w5 w6. x7 x8 x9.")
    with pytest.warns(UserWarning, match="hold no word that the encoder knows"):
        report = sync_files(store, notes, chunks=SMALL, base=notes)
    assert (report.left_out, set(contents(store))) == (2, {"a.txt#1", "sub/b.md#0"})
    assert len(sync_files(store, notes, chunks=SMALL, base=notes).unchanged) == 2
    (notes / "a.txt").write_text("w1 w2 w3. w4 w5 w7.")
    assert sync_files(store, notes, chunks=SMALL, base=notes).changed == ["a.txt"]
    assert contents(store)["a.txt#1"] == "w4 w5 w7."
    assert len(sync_files(store, notes, chunks=SMALL, base=notes).unchanged) == 2


def test_damaged_files_keep_their_passages(store, notes):
    sync_files(store, notes, chunks=SMALL, base=notes)
    (notes / "a.txt").write_bytes(b"\0\1\2")
    report = sync_files(store, notes, chunks=SMALL, base=notes)
    assert report.read.damaged == 1
    assert len(contents(store)) == 4
    with pytest.raises(FormatError, match="binary file"):
        sync_files(store, notes, strict=True)
    with pytest.raises(FormatError, match="binary file"):
        sync_files(store, notes / "a.txt")


BAD_ROWS = {
    "metadata": {"text": "w1", "m": "x" * 70_000},
    "64 bits": {"text": "w1", "m": {"n": [2**63]}},
    "has 600 bytes": {"id": "x" * 600, "text": "w1"},
    "zero byte": {"id": "x\0", "text": "w1"},
    "surrogate": {"id": "s", "text": "w1 \ud800"},
    "cannot be written as JSON": {"text": "w1", "m": "\ud800"},
    "half a character (a surrogate)": {"id": "\udfff", "text": "w1"},
    "nested more than": {"text": "w1", "m": json.loads("[" * 400 + "]" * 400)},
    "line 2: expected": {"text": "w1", "m": "DEEP"},
}


@pytest.mark.parametrize("message", BAD_ROWS)
def test_a_row_that_no_store_holds_is_reported(store, tmp_path, message):
    path = tmp_path / "rows.jsonl"
    rows = [{"id": "a", "text": "w1"}, {"id": "bad", "m": 1} | BAD_ROWS[message], {"id": "c", "text": "w3"}]
    lines = "".join(json.dumps({"m": 0} | row) + "\n" for row in rows)
    path.write_text(lines.replace('"DEEP"', "[" * 2000 + "]" * 2000))
    options = ReadOptions(id_field="id")
    report = sync_files(store, path, options)
    assert (contents(store), report.passages, report.read.damaged) == ({"a": "w1", "c": "w3"}, 2, 1)
    assert f"{path}, line 2: expected" in report.read.damages[0].problem
    assert message in report.read.damages[0].problem
    assert sync_files(store, path, options).unchanged == [str(path)]
    with pytest.raises(FormatError, match="line 2: expected"):
        sync_files(store, path, options, reread=True, strict=True)


@pytest.mark.parametrize("name", ["x" * 200, b"\xff".decode("utf-8", "surrogateescape")])
def test_a_path_that_no_row_can_be_named_by(store, tmp_path, name):
    deep = tmp_path / "all" / name / name / name
    deep.mkdir(parents=True)
    (deep / "lines.txt").write_text("w1\nw2\n")
    (tmp_path / "all" / "z.txt").write_text("w3")
    report = sync_files(store, tmp_path / "all", ReadOptions(lines=True), base=tmp_path)
    assert (contents(store), report.read.damaged) == ({"all/z.txt#1": "w3"}, 1)
    assert report.read.damages[0].problem.encode()  # can be written anywhere
    with pytest.raises(FormatError, match="expected a path that rows can be named by"):
        sync_files(store, deep / "lines.txt")


def test_a_word_that_no_store_holds_is_cut(store, tmp_path):
    (tmp_path / "long.txt").write_text("w1 w2. " + "x" * 200_000 + " w3. w4.")
    with pytest.warns(UserWarning, match="hold no word"):
        report = sync_files(store, tmp_path / "long.txt")
    assert report.read.damaged == 0
    assert {"w1", "w2", "w3", "w4"} <= set(" ".join(contents(store).values()).replace(".", "").split())


def test_what_cannot_be_kept(store, notes, tmp_path):
    with pytest.raises(InputError, match="standard input has no name"):
        sync_files(store, "-")
    with pytest.raises(InputError, match="is not in the folder"):
        sync_files(store, notes, base=notes / "sub")
    with pytest.raises(FileNotFoundError):
        sync_files(store, tmp_path / "missing")


def test_progress_ends_with_all_bytes(store, notes):
    told = []
    sync_files(store, notes, chunks=SMALL, progress=lambda *numbers: told.append(numbers))
    total = sum(path.stat().st_size for path in notes.rglob("*.*"))
    assert told[-1] == (total, total, 4)
    assert [done for done, _, _ in told] == sorted(done for done, _, _ in told)
