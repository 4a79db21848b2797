"""Co-occurrence counting against plain dictionaries, compiled and as plain Python."""

import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wordstock.errors import StorageError
from wordstock.kernels.cooccurrence import count_rows, count_words, merge_rows, place_words
from wordstock.kernels.tiles import count_tiles, place_cells, weigh_cells
from wordstock.train.cooccurrence import Plan, count_cooccurrences, cut_rows
from wordstock.train.tiles import rounds_of, write_tiles
from wordstock.train.workers import Workers

WORDS = 6
SENTENCES = st.lists(st.lists(st.integers(0, WORDS - 1), max_size=12), max_size=8)
FILES = st.lists(SENTENCES, min_size=1, max_size=3)
EXAMPLES = 10 if os.environ.get("NUMBA_DISABLE_JIT") == "1" else 60


def ids_of(sentences):
    return np.array([i for sentence in sentences for i in [*sentence, -1]], np.int32)


def reference(files, window):
    """Both triangles, by the definition."""
    cells = Counter()
    for sentence in (sentence for sentences in files for sentence in sentences):
        for p, word in enumerate(sentence):
            for q in range(max(0, p - window), p):
                cells[word, sentence[q]] += 1 / (p - q)
                cells[sentence[q], word] += 1 / (p - q)
    return cells


def cells_of(run):
    columns, values = run.read(0, len(run.bounds) - 1)
    rows = np.repeat(np.arange(len(run.bounds) - 1), np.diff(run.bounds))
    assert (columns <= rows).all()
    cells = {(int(r), int(c)): float(v) for r, c, v in zip(rows, columns, values, strict=True)}
    assert len(cells) == len(rows)
    return cells


def counted(files, folder, *, window=3, threads=1, plan=None):
    plan = plan or Plan(1 << 16, 1 << 16)
    with Workers(threads) as workers:
        return count_cooccurrences([ids_of(f) for f in files], WORDS, folder, workers, window=window, plan=plan)


@settings(max_examples=EXAMPLES)
@given(FILES, st.integers(1, 15), st.integers(1, 3), st.integers(1, 40), st.integers(1, 30))
def test_counts_are_those_of_the_definition(tmp_path_factory, files, window, threads, chunk, cells):
    """With chunks of a few tokens, so that there are many runs to merge, and with tasks of a few cells."""
    if not any(files):
        return
    folder = tmp_path_factory.mktemp("runs")
    found = cells_of(counted(files, folder, window=window, threads=threads, plan=Plan(chunk, cells)))
    wanted = {pair: x for pair, x in reference(files, window).items() if pair[1] <= pair[0]}
    assert found.keys() == wanted.keys()
    np.testing.assert_allclose([found[pair] for pair in wanted], list(wanted.values()), rtol=1e-5)
    assert len(list(folder.iterdir())) == 2  # earlier runs are gone
    assert cells_of(counted(files, tmp_path_factory.mktemp("whole"), window=window)) == found  # to the last bit


def test_many_runs_are_merged_in_steps(tmp_path):
    files = [[[0, 1, 2, 3, 4, 5] * 30]]
    found = cells_of(counted(files, tmp_path, plan=Plan(2, 8)))
    (tmp_path / "whole").mkdir()
    assert cells_of(counted(files, tmp_path / "whole")) == found


def test_rows_are_cut_where_they_add_up():
    assert list(cut_rows(np.array([1, 2, 3, 9, 1, 1]), 5)) == [(0, 2), (2, 3), (3, 4), (4, 6)]
    assert list(cut_rows(np.array([0.4, 0.7, 0.1]), 1)) == [(0, 1), (1, 3)]


def test_a_plan_stays_within_its_limit():
    for limit in (1 << 20, 1 << 26, 1 << 30):
        plan = Plan.within(limit, 1000, 4)
        assert 8 * plan.chunk_tokens + 12 * 7 * plan.task_cells <= max(limit, 1 << 20)


def test_kernels_count_place_and_merge():
    ids = np.array([-1, -1, 0, 1, 0, -1, 2, 1, -1, -1], np.int32)
    counts = np.zeros(3, np.int64)
    count_words(ids, 2, 8, counts)
    assert counts.tolist() == [2, 2, 1]
    starts = np.array([0, 2, 4, 5])
    positions = np.empty(5, np.int32)
    place_words(ids, 2, 8, starts[:-1].copy(), positions)
    assert positions.tolist() == [2, 4, 3, 7, 6]
    sums, columns, values = np.zeros(3), np.empty(9, np.int32), np.empty(9)
    lengths = np.empty(3, np.int64)
    end = count_rows(ids, positions, starts, np.array([1.0, 0.5]), 0, 3, sums, columns, values, lengths)
    assert (columns[:end].tolist(), values[:end].tolist(), lengths.tolist()) == ([0, 0, 1], [1, 2, 1], [1, 1, 1])
    assert not sums.any()
    parts, amounts = np.array([0, 1, 1, 2], np.int32), np.array([1.0, 2, 3, 4])
    end = merge_rows(parts, amounts, np.array([[0, 1, 2], [2, 3, 4]]), sums, columns, values, lengths[:2])
    assert columns[:end].tolist() == [0, 1, 1, 2]
    assert values[:end].tolist() == [1, 3, 2, 4]


def test_tiles_hold_every_cell_once_with_its_target():
    rng = np.random.default_rng(1)
    lengths = rng.integers(0, 6, 30)
    columns = np.concatenate([rng.permutation(r + 1)[:n] for r, n in enumerate(lengths)] + [[]]).astype(np.int32)
    lengths = np.minimum(lengths, np.arange(1, 31))
    rows = np.repeat(np.arange(30), lengths)
    values = rng.uniform(0.1, 30, len(columns))
    targets = np.empty((len(columns), 2), np.float32)
    weigh_cells(values, 10.0, 0.75, targets)
    np.testing.assert_allclose(targets, np.stack([np.log(values), np.minimum(1, (values / 10) ** 0.75)], 1), rtol=1e-5)
    counts = np.zeros(10, np.int64)
    count_tiles(0, lengths, columns, 4, counts)
    assert counts.sum() == len(columns)
    offsets = np.concatenate([[0], np.cumsum(counts)])
    pairs, placed = np.empty((len(columns), 2), np.int32), np.empty_like(targets)
    place_cells(0, lengths, columns, targets, 4, offsets[:-1].copy(), pairs, placed)
    names = [(a, b) for a in range(4) for b in range(a, 4)]
    for tile, name in enumerate(names):
        for i, j in pairs[offsets[tile] : offsets[tile + 1]]:
            assert tuple(sorted((i % 4, j % 4))) == name
    wanted = {(int(r), int(c)): tuple(t) for r, c, t in zip(rows, columns, targets.tolist(), strict=True)}
    assert {(int(i), int(j)): tuple(t) for (i, j), t in zip(pairs, placed.tolist(), strict=True)} == wanted


@pytest.mark.parametrize("groups", [2, 4, 16, 64])
def test_no_two_tiles_of_a_round_share_a_group(groups):
    names = [(a, b) for a in range(groups) for b in range(a, groups)]
    rounds = rounds_of(groups)
    assert sorted(np.concatenate(rounds).tolist()) == list(range(len(names)))
    for tiles in rounds:
        members = [group for tile in tiles for group in set(names[tile])]
        assert len(members) == len(set(members)) == groups


def test_tiles_of_several_threads_are_the_same(tmp_path):
    rng = np.random.default_rng(3)
    files = [[rng.integers(0, WORDS, 50).tolist() for _ in range(20)]]
    found = []
    for threads in (1, 3):
        folder = tmp_path / str(threads)
        folder.mkdir()
        run = counted(files, folder, threads=threads)
        with Workers(threads) as workers:
            tiles = write_tiles(run, folder, 2, {"x_max": 10.0, "alpha": 0.75}, workers)
        found.append((tiles.pairs.tolist(), tiles.targets.tolist(), tiles.offsets.tolist(), tiles.start_cost))
        assert tiles.cells == WORDS * WORDS
    assert found[0] == found[1]


def test_a_folder_that_is_gone_is_a_storage_error(tmp_path):
    with pytest.raises(StorageError, match="cannot write"):
        counted([[[0, 1]]], tmp_path / "gone")


def test_workers_keep_order_and_pass_errors_on():
    with Workers(3) as workers:
        assert list(workers.map(lambda n: n * n, range(20))) == [n * n for n in range(20)]
        with pytest.raises(ZeroDivisionError):
            list(workers.map(lambda n: 1 // (5 - n), range(20)))


def test_kernels_run_as_plain_python(passes_without_compiler):
    passes_without_compiler(__file__, Path(__file__).with_name("test_glove_kernel.py"))
