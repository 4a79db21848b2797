"""Batches that run at once: every one of them once, errors and progress where the caller is, no stream without work."""

import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiny_models import TEXTS
from wordstock.encoders import open_encoder
from wordstock.encoders.packing import Windows, batches, shared_budget
from wordstock.encoders.side_by_side import run_batches

NONE = np.empty(0, np.int64)


class Doubles:
    """A backend that gives each token's number, doubled, and fails on one."""

    name, precision, device = "doubles", "float32", "cpu"

    def __init__(self, streams, poison=-1):
        self.streams, self.poison, self.beside, self.threads = streams, poison, [], set()
        self.meet = threading.Barrier(streams)

    def hidden_states(self, ids, mask, layers, *, beside=False):
        if beside and threading.get_ident() not in self.threads:
            self.meet.wait(10)  # nobody passes before every stream is at work
        self.beside.append(beside)
        self.threads.add(threading.get_ident())
        if (ids == self.poison).any():
            raise ValueError("poison")
        return [np.where(mask > 0, 2.0 * ids, 0).astype(np.float32)[:, :, None]]


def windows_of(lengths):
    bounds = np.concatenate([[0], np.cumsum(np.array(lengths, np.int64))])
    text = np.arange(len(lengths))
    return Windows(np.arange(1, bounds[-1] + 1), text, bounds[:-1], bounds[1:], np.zeros(len(lengths), np.int64))


def run(backend, windows, budget):
    found, told = {}, []

    def take(batch, states):
        for row, number in enumerate(batch.windows.tolist()):
            assert number not in found
            found[number] = float(states[0][row].sum())

    def done(batch):
        assert threading.current_thread() is threading.main_thread()
        told.extend(batch.windows.tolist())

    run_batches(backend, batches(windows, NONE, NONE, 0, budget), [0], take, done)
    assert sorted(told) == sorted(found)
    return found


@pytest.mark.parametrize("streams", [1, 2, 3])
def test_every_batch_runs_once(streams):
    windows = windows_of([7, 3, 5, 1, 9, 9, 2, 4] * 4)
    backend = Doubles(streams)
    found = run(backend, windows, 20)
    sums = [2.0 * windows.ids[a:b].sum() for a, b in zip(windows.start, windows.stop, strict=True)]
    assert [found[number] for number in range(len(sums))] == sums
    assert len(backend.threads) == streams
    assert set(backend.beside) == {streams > 1}


def test_a_single_batch_takes_all_threads():
    backend = Doubles(2)
    assert run(backend, windows_of([2, 1]), 20) == {0: 6.0, 1: 6.0}
    assert backend.beside == [False]
    assert run(Doubles(2), windows_of([]), 20) == {}


@pytest.mark.parametrize("streams", [1, 2])
def test_an_error_in_any_thread_reaches_the_caller(streams):
    for poison in (1, 60, 120):
        with pytest.raises(ValueError, match="poison"):
            run(Doubles(streams, poison), windows_of([10] * 12), 10)


def test_an_error_of_the_callers_own_progress(encoder):
    def stop(progress):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        open_encoder(encoder.path, threads=2).encode(TEXTS[:5] * 200, progress=stop)
    assert encoder.encode(TEXTS[:5]).shape == (5, 32)


@given(st.lists(st.integers(0, 300), min_size=1, max_size=60), st.integers(1, 6), st.sampled_from([128, 512, 16384]))
@settings(max_examples=60, deadline=None)
def test_few_batches_are_shared_out(lengths, streams, budget):
    windows = windows_of(lengths)
    shared = shared_budget(windows, 0, budget, streams)
    assert 0 < shared <= budget
    made = list(batches(windows, NONE, NONE, 0, shared))
    assert sum(len(batch.windows) for batch in made) == sum(length > 0 for length in lengths)
    assert all(batch.ids.size <= shared or len(batch.windows) == 1 for batch in made)
    assert all((batch.mask == 0).sum() <= max(8, shared // 32) for batch in made)
    if streams == 1:
        assert shared == budget


def test_no_stream_is_left_over():
    windows = windows_of([16] * 40)  # 640 tokens: two batches of 512 would be one and a quarter
    assert [batch.ids.size for batch in batches(windows, NONE, NONE, 0, shared_budget(windows, 0, 512, 2))] == [
        320,
        320,
    ]
    assert shared_budget(windows_of([16, 16]), 0, 512, 2) == 512  # not worth two threads


def test_several_callers_at_once(bert):
    for backend in ("torch", "onnx", "openvino"):
        encoder = open_encoder(bert, backend=backend, threads=2)
        texts = TEXTS[:5] * 60
        expected = encoder.encode(texts)
        found = {}

        def call(number, encoder=encoder, found=found, texts=texts):
            found[number] = encoder.encode(texts)

        threads = [threading.Thread(target=call, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == 4
        for vectors in found.values():
            np.testing.assert_allclose(vectors, expected, atol=1e-5)
