"""The text and record kernels on bare arrays, against Python's own float and crc32."""

import os
import subprocess
import sys
from zlib import crc32

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from wordstock.kernels.keyindex import CRC_TABLE, index_keys
from wordstock.kernels.parse import BAD_LINE, DONE, LIST_FULL, copy_keys, find_large, parse_rows
from wordstock.kernels.records import copy_records, scan_records


def run(text, rows, dim, capacity=64):
    buffer = bytearray(text + b"\0" * 64)
    data = np.frombuffer(buffer, np.uint8)
    words = np.ndarray((len(buffer) - 7,), "<u8", buffer, strides=(1,))
    vectors, spans = np.zeros((rows, dim), np.float32), np.zeros((rows, 2), np.int64)
    pending = np.zeros((capacity, 4), np.int64)
    with np.errstate(over="ignore"):
        done, position, count, state = parse_rows(data, words, 0, len(text), vectors, spans, pending)
    left = [(r, c, bytes(buffer[a:b])) for r, c, a, b in pending[:count].tolist()]
    keys = [bytes(buffer[a:b]) for a, b in spans[:done].tolist()]
    return keys, vectors[:done], left, int(position), state


def value(text):
    """A single number as the reader sees it, the kernel's or, where it declines, Python's."""
    _, vectors, left, _, state = run(b"k " + text.encode() + b"\n", 1, 1)
    assert state == DONE
    with np.errstate(over="ignore"):
        return np.float32(float(left[0][2])) if left else vectors[0, 0]


def bits(number):
    return np.float32(number).view(np.uint32)


def same(text):
    with np.errstate(over="ignore"):
        wanted = np.float32(float(text))
    found = value(text)
    return bits(found) == bits(wanted) or (np.isnan(found) and np.isnan(wanted))


FLOATS = st.floats(allow_nan=False, allow_infinity=False)
DECIMALS = st.from_regex(r"[+-]?([0-9]{1,25}\.?[0-9]{0,25}|\.[0-9]{1,25})([eE][+-]?[0-9]{1,3})?", fullmatch=True)


@settings(max_examples=400, deadline=None)
@given(DECIMALS)
@example("0.")
@example(".5")
@example("-0.0")
@example("-0")
@example("00000000000000000000000001.5")
@example("0.00000000000000000000000000001")
@example("1.0000000596046447754")  # half way between two float32
@example("1.00000005960464477539062500001")
@example("16777217")
@example("3.4028236e38")
@example("1e-46")
@example("9007199254740993")
@example("0.123456781234567812345678")
@example("1e400")
def test_every_decimal_equals_python(text):
    assert same(text)


@settings(max_examples=300, deadline=None)
@given(FLOATS, st.sampled_from(["{!r}", "{:.6f}", "{:.5g}", "{:.18e}", "{:f}", "{:+.9g}"]))
def test_formatted_doubles_equal_python(number, form):
    assert same(form.format(number))


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_float32_round_trips(pattern):
    number = np.uint32(pattern).view(np.float32)
    if np.isfinite(number):
        assert bits(value(str(number))) == pattern


def test_many_uniform_numbers_equal_python():
    texts = [f"{x:.{i % 10}f}" for i, x in enumerate(np.random.default_rng(1).normal(size=20_000))]
    _, vectors, left, _, _ = run(b"k " + " ".join(texts).encode() + b"\n", 1, len(texts))
    assert not left
    assert (vectors[0] == np.array([float(text) for text in texts], np.float32)).all()


def test_what_is_not_a_plain_decimal_is_left_to_python():
    _, _, left, _, _ = run(b"k nan -inf 1_0 0x1 1e-300 - 1e 1.2.3 .\n", 1, 9)
    assert [text for _, _, text in left] == [b"nan", b"-inf", b"1_0", b"0x1", b"1e-300", b"-", b"1e", b"1.2.3", b"."]


def test_keys_with_separators_are_split_from_the_right():
    keys, vectors, left, _, state = run(b"a b 1 2\nc\t3\t4 \r\n  5  6\n. . . 7 8\n", 4, 2)
    assert (keys, left, state) == ([b"a b", b"c", b" ", b". . ."], [], DONE)
    assert vectors.tolist() == [[1, 2], [3, 4], [5, 6], [7, 8]]


def test_a_key_that_ends_in_a_decimal_is_reported():
    _, _, left, _, _ = run(b"the 0.5 1 2\nroute 66 1 2\n", 2, 2)
    assert left == [(0, -1, b"0.5")]


@pytest.mark.parametrize("line", [b"\n", b"a\n", b"a 1\n", b"a 1 \n", b" 1\n", b"\t\n"])
def test_a_short_line_stops_the_parser(line):
    keys, _, _, position, state = run(b"ok 1 2\n" + line, 2, 2)
    assert (keys, position, state) == ([b"ok"], 7, BAD_LINE)


def test_a_full_list_stops_before_the_line_that_does_not_fit():
    text = b"a nan 1\nb nan nan\nc 1 1\n"
    keys, _, left, position, state = run(text, 3, 2, capacity=2)
    assert (keys, position, state) == ([b"a"], 8, LIST_FULL)
    assert left == [(0, 0, b"nan")]


def test_rows_bound_what_is_parsed():
    keys, _, _, position, state = run(b"a 1\nb 2\nc 3\n", 2, 1)
    assert (keys, position, state) == ([b"a", b"b"], 8, DONE)


def test_copy_keys_and_find_large():
    data = np.frombuffer(b"xxabcyyd", np.uint8)
    blob = np.zeros(4, np.uint8)
    copy_keys(data, np.array([[2, 5], [7, 8]]), np.array([0, 3, 4]), blob)
    assert blob.tobytes() == b"abcd"
    vectors = np.array([[1, 2], [np.nan, 0], [0, -9], [0, np.inf]], np.float32)
    found = [find_large(vectors, start, np.float32(5)) for start in range(4)]
    assert found == [1, 1, 2, 3]
    assert find_large(vectors[:1], 0, np.float32(5)) == -1


def test_records_with_and_without_newline():
    one, two = np.float32([1, 2]).tobytes(), np.float32([3, 4]).tobytes()
    data = np.frombuffer(b"ab " + one + b"\n" + b"c " + two + b"\nd " + one[:5], np.uint8)
    spans = np.zeros((5, 2), np.int64)
    count, position = scan_records(data, 0, len(data), 8, spans)
    assert (count, data[position:].tobytes()) == (2, b"\nd " + one[:5])
    rows = np.zeros((2, 8), np.uint8)
    copy_records(data, spans, 0, 2, rows)
    assert rows.view(np.float32).tolist() == [[1, 2], [3, 4]]


def test_index_hashes_like_zlib_and_finds_repeats():
    keys = [b"a", b"", b"b", b"a", "ä".encode(), b"", b"a"]
    offsets = np.cumsum([0, *map(len, keys)])
    slots, hashes = np.full(16, -1, np.int32), np.zeros(7, np.uint32)
    repeated = np.zeros(7, bool)
    assert index_keys(np.frombuffer(b"".join(keys), np.uint8), offsets, CRC_TABLE, slots, hashes, repeated) == 3
    assert np.flatnonzero(repeated).tolist() == [3, 5, 6]
    assert hashes.tolist() == [crc32(key) for key in keys]
    assert sorted(slots[slots >= 0].tolist()) == [0, 1, 2, 4]


def test_kernels_run_as_plain_python(tmp_path):
    text, binary = tmp_path / "t.txt", tmp_path / "t.bin"
    text.write_bytes(b"3 2\na 1.5 -0.123456789012\nb c 1e-3 12.5\nd 0.25 -7e10\n")
    binary.write_bytes(b"1 2\nx " + np.float32([1, 2]).tobytes())
    code = (
        "import sys, numba\n"
        "from wordstock.formats import read\n"
        "assert numba.config.DISABLE_JIT\n"
        "t, b = read(sys.argv[1]), read(sys.argv[2])\n"
        "assert list(t.keys) == ['a', 'b c', 'd'] and b['x'].tolist() == [1, 2]\n"
        "print(t.storage.data.tobytes().hex())\n"
    )
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1"}
    command = [sys.executable, "-W", "error", "-c", code, str(text), str(binary)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    wanted = np.float32([1.5, -0.123456789012, 1e-3, 12.5, 0.25, -7e10])
    assert done.stdout.strip() == wanted.tobytes().hex()
