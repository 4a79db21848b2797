"""Kernels against plain NumPy, compiled and as plain Python."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import wordstock
from wordstock.kernels.pool import pool_rows
from wordstock.kernels.topk import scan_by_query, scan_by_row


def empty(n, k):
    return np.full((n, k), -np.inf, np.float32), np.full((n, k), -1, np.int64)


def best(scores, k):
    """The k best columns of each line, equal scores in column order."""
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(scores, order, 1), order


@pytest.mark.parametrize("n", [3, 128, 300])
@pytest.mark.parametrize("k", [1, 5])
def test_scans_find_the_best_in_order(n, k):
    rng = np.random.default_rng(n * 10 + k)
    products = rng.integers(-9, 9, (7, n)).astype(np.float32)  # many equal scores
    scales = rng.integers(1, 4, n).astype(np.float32)
    k = min(k, n)
    wanted_scores, wanted = best(products * scales, k)
    for cut in (n, n // 2):
        scores, rows = empty(7, k)
        scan_by_query(products[:, :cut].copy(), scales[:cut], 100, scores, rows)
        scan_by_query(products[:, cut:].copy(), scales[cut:], 100 + cut, scores, rows)
        np.testing.assert_array_equal(scores, wanted_scores)
        np.testing.assert_array_equal(rows, wanted + 100)
        scores, rows = empty(7, k)
        columns = np.ascontiguousarray(products.T)
        for first, last in ((0, 3), (3, 7)):
            scan_by_row(columns[:cut], scales[:cut], 0, first, last, scores, rows)
            scan_by_row(columns[cut:], scales[cut:], cut, first, last, scores, rows)
        np.testing.assert_array_equal(scores, wanted_scores)
        np.testing.assert_array_equal(rows, wanted)


@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("scaled", [True, False])
def test_pooling_is_a_weighted_mean_over_known_words(weighted, scaled):
    rng = np.random.default_rng(1)
    vectors = rng.integers(-100, 100, (9, 19)).astype(np.int8 if scaled else np.float32)
    scales = rng.uniform(0.5, 1, 9 if scaled else 0).astype(np.float32)
    weights = rng.uniform(0, 1, 9 if weighted else 0).astype(np.float32)
    rows = np.array([0, 3, -1, 8, 8, -1, 2])
    bounds = np.array([0, 3, 3, 6, 7])
    out = np.full((4, 19), np.nan, np.float32)
    pool_rows(vectors, scales, rows, weights, bounds, 0, 4, out)
    full = vectors.astype(np.float64)
    if scaled:
        full *= scales[:, None]
    if weighted:
        full *= weights[:, None]
    wanted = [full[[0, 3]].mean(0), np.zeros(19), full[[8, 8]].mean(0), full[2]]
    np.testing.assert_allclose(out, wanted, rtol=1e-5, atol=1e-5)


def test_kernels_run_as_plain_python(passes_without_compiler):
    passes_without_compiler(__file__)


def test_kernels_compile_where_nothing_can_be_cached(tmp_path):
    """A read-only installation and home: numba finds no folder for its cache."""
    package = tmp_path / "wordstock"
    shutil.copytree(Path(wordstock.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    (package / "kernels" / "__pycache__").write_text("a file where numba wants a folder")
    code = (
        "import wordstock as ws; emb = ws.Embeddings.from_arrays(['a', 'b'], [[1, 0], [0, 1]])\n"
        "print(ws.__file__, emb.nearest('a'))"
    )
    environment = os.environ | {"HOME": "/proc/none", "XDG_CACHE_HOME": "/proc/none", "PYTHONPATH": str(tmp_path)}
    environment.pop("NUMBA_CACHE_DIR", None)
    ran = subprocess.run(
        [sys.executable, "-B", "-c", code], env=environment, capture_output=True, text=True, check=False, timeout=300
    )
    assert ran.stdout.startswith(str(tmp_path)), ran.stderr[-2000:]
    assert "Neighbor(key='b', score=0.0)" in ran.stdout
