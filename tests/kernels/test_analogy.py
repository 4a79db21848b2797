"""The analogy scan against plain NumPy, compiled and as plain Python."""

import numpy as np
import pytest

from wordstock.kernels.analogy import scan_analogies


def best(scores, k):
    """The k best columns of each line, equal scores in column order."""
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(scores, order, 1), order


@pytest.mark.parametrize("multiply", [False, True])
@pytest.mark.parametrize("n", [3, 64, 300])
@pytest.mark.parametrize("k", [1, 3])
def test_scan_finds_the_best_in_order(n, k, multiply):
    rng = np.random.default_rng(n * 10 + k)
    low = 0 if multiply else -9
    pair_lines = rng.integers(low, 9, (2, n)).astype(np.float32)  # many equal scores
    word_lines = rng.integers(low, 9, (4, n)).astype(np.float32)
    questions = np.array([[0, 1, 2], [0, 1, 3], [2, 3, 0], [2, 3, 1], [0, 1, 0]])
    pair_of = np.array([0, 0, 1, 1, 0])
    first, second = pair_lines[pair_of], word_lines[questions[:, 2]]
    wanted_scores, wanted = best(first * second if multiply else first + second, k)
    nothing = np.zeros(5, np.int64), np.empty(0, np.int64)
    for cut in (n, n // 2):
        scores, rows = np.full((5, k), -np.inf, np.float32), np.full((5, k), -1, np.int64)
        for part, start in ((slice(0, cut), 100), (slice(cut, n), 100 + cut)):
            scan_analogies(
                pair_lines[:, part].copy(), word_lines[:, part].copy(), pair_of, questions, *nothing, start, multiply,
                scores, rows,
            )  # fmt: skip
        np.testing.assert_array_equal(scores, wanted_scores)
        np.testing.assert_array_equal(rows, wanted + 100)


def test_rows_of_the_question_are_skipped():
    word_lines = np.zeros((3, 200), np.float32)
    word_lines[2, [7, 8, 9, 150, 199]] = 5, 4, 3, 2, 1
    pair_lines = np.zeros((1, 200), np.float32)
    bounds, skipped = np.array([0, 2, 2, 3]), np.array([7, 8, 150])
    scores, rows = np.full((1, 3), -np.inf, np.float32), np.full((1, 3), -1, np.int64)
    questions, pair_of = np.array([[0, 1, 2]]), np.zeros(1, np.int64)
    scan_analogies(pair_lines, word_lines, pair_of, questions, bounds, skipped, 0, False, scores, rows)
    assert rows.tolist() == [[9, 199, 0]]
    assert scores.tolist() == [[3, 1, 0]]


def test_the_kernel_runs_as_plain_python(passes_without_compiler):
    passes_without_compiler(__file__)
