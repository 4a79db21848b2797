"""Every way in which real text files differ from the textbook, and every way in which they are broken."""

import os

import numpy as np
import pytest

from wordstock.errors import FormatError, InputError
from wordstock.formats import read, read_glove, read_word2vec_binary, read_word2vec_text, write


def rows(emb):
    return {key: emb[key].tolist() for key in emb.keys}


ODD_KEYS = ["New York", ". . .", "a b c", "\u00a0", "\u0085", "\u2028", "\u2029x", "nan", "null", '"', "'", "-", "7"]
ODD_KEYS += ["1.5", "", " ", "a ", " a", "\x00", "a\x00b", "a\rb", "\r", "\x0b", "\x0c", "route 66", "a\tb", "inf", "+"]


@pytest.mark.parametrize("key", [*ODD_KEYS, "\ufeffx", "x" * 5000])
def test_odd_keys(file, key):
    path = file(f"2 2\nfirst 1 2\n{key} 3 4\n".encode())
    assert rows(read_word2vec_text(path)) == {"first": [1, 2], key: [3, 4]}
    path = file(f"first 1 2\n{key} 3 4\nlast 5 6\n".encode())
    assert rows(read_glove(path)) == {"first": [1, 2], key: [3, 4], "last": [5, 6]}


@pytest.mark.parametrize(
    "content",
    [
        b"a 1 2\nb 3 4\n",
        b"a 1 2\nb 3 4",
        b"a 1 2 \nb 3 4 \n",
        b"a 1 2\r\nb 3 4\r\n",
        b"a\t1\t2\nb\t3\t4\t\n",
        b"a 1  2\nb 3 \t 4\n",
        b"\xef\xbb\xbfa 1 2\nb 3 4\n",
        b"a 1 2\nb 3 4\n\n \r\n\n",
        b"2 2\na 1 2\nb 3 4\n",
        b"2 2 \r\na 1 2\r\nb 3 4",
        b"2\t2\na +1 2.\nb 3e0 .4e1\n",
        b"\xef\xbb\xbf2 2\na 1 2\nb 3 4\n",
    ],
)
def test_what_is_accepted(file, content, small_blocks):
    path = file(content)
    assert rows(read(path)) == rows(read_glove(path)) == {"a": [1, 2], "b": [3, 4]}


def test_a_first_row_that_looks_like_a_header(file):
    path = file(b"400000 50\n7 8\n9 1\n")
    assert rows(read_glove(path)) == rows(read(path)) == {"400000": [50], "7": [8], "9": [1]}
    ambiguous = file(b"2 1\na 5\nb 6\n")
    assert rows(read_glove(ambiguous)) == {"a": [5], "b": [6]}
    assert rows(read_glove(ambiguous, header=False)) == {"2": [1], "a": [5], "b": [6]}


def test_the_first_key_may_hold_spaces_and_numbers(file):
    path = file(b"route 66 1 2\nb 3 4\n")
    assert rows(read_glove(path)) == {"route 66": [1, 2], "b": [3, 4]}


@pytest.mark.parametrize(
    ("content", "line", "offset", "said"),
    [
        (b"2 2\na 1 2\nb 3\n", 3, 10, "expected a key and 2 numbers, found 1 in b'b 3'"),
        (b"2 2\na 1 2\nb 3.5 4 5\n", 3, 12, "expected 2 numbers, found at least 3"),
        (b"2 2\na 1 x\nb 3 4\n", 2, 8, "expected a number, found b'x' in column 2"),
        (b"3 2\na 1 2\n\nb 3 4\nc 5 6\n", 3, 10, "found a blank line"),
        (b"2 1\na 1 2\nb 3 4\n", 2, 4, "expected 1 numbers, found 2 numbers"),
        (b"2 2\na 1 2\nb 3 n", 3, 14, "expected a number, found b'n'"),
        (b"2 2\na 1 nan\nb 3 4\n", 2, 4, "finite numbers in the vector of 'a'"),
        (b"2 2\na 1 2\nb 3 1e39\n", 3, 10, "finite numbers in the vector of 'b'"),
        (b"2 2\na 1 2\nb 3 1e30\n", 3, 10, "squares overflow"),
        (b"2 2\na 1 2\nb\xff\xfe 3 4\n", 3, 11, 'encoding_errors="replace"'),
        (b"2 2\na 1 2\n\xc3 3 4\n", 3, 10, "a key in UTF-8"),
        (b"x 2\na 1 2\n", 1, 0, "a header 'rows dim'"),
        (b"2 0\n", 1, 0, "a dimension from 1"),
        (b"2 99999999999\na 1\n", 1, 0, "a dimension from 1"),
        (b"3 2\naa 1 2\nbbbb 3 4\n", None, 20, "3 rows of 2 numbers, as the header says, found 2 rows"),
        (b"999999999999 300\na 1 2\nb 3 4\n", None, 29, "found 12 bytes; the file is cut short"),
        (b"", None, 0, "an empty file"),
        (b"2 2", None, 3, "found 0 bytes"),
    ],
)
def test_damage_in_word2vec_text(file, content, line, offset, said):
    with pytest.raises(FormatError) as caught:
        read_word2vec_text(file(content))
    assert (caught.value.line, caught.value.offset) == (line, offset)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("content", "line", "said"),
    [
        (b"a 1 2\nb 3 4\nc 5\n", 3, "expected a key and 2 numbers, found 1"),
        (b"", 1, "an empty file"),
        (b"\n\n", 1, "an empty file"),
        (b"hello world\n", 1, "found b'hello world'"),
        (b"a 1 2\nb 3 4\nc 5 6_\n", 3, "expected a number"),
    ],
)
def test_damage_in_glove_text(file, content, line, said):
    with pytest.raises(FormatError) as caught:
        read_glove(file(content))
    assert caught.value.line == line
    assert said in str(caught.value)


def test_errors_far_into_a_file_name_line_and_byte(file, small_blocks):
    good = [f"w{i} {i} {i / 8}\n".encode() for i in range(500)]
    for bad in (b"oops 1\n", b"oops 1 2 x\n", b"oops nan 1\n", b"\xff 1 1\n"):
        lines = [b"501 2\n", *good[:400], bad, *good[400:]]
        with pytest.raises(FormatError) as caught:
            read_word2vec_text(file(b"".join(lines)))
        assert caught.value.line == 402
        start = sum(map(len, lines[:401]))
        assert start <= caught.value.offset <= start + len(bad)


@pytest.mark.parametrize("reader", [read_word2vec_text, read_word2vec_binary])
def test_more_rows_than_promised_warn(file, reader):
    binary = b"1 2\na " + np.float32([1, 2]).tobytes() + b"\nb " + np.float32([3, 4]).tobytes()
    path = file(binary if reader is read_word2vec_binary else b"1 2\na 1 2\nb 3 4\n")
    with pytest.warns(UserWarning, match="more .* the rest was not read"):
        emb = reader(path)
    assert rows(emb) == {"a": [1, 2]}
    assert "the rest was not read" in emb.card.notes[0]


def test_header_without_rows(file):
    emb = read(file(b"0 50\n"))
    assert (len(emb), emb.dim) == (0, 50)
    with pytest.warns(UserWarning, match="the rest was not read"):
        assert len(read_word2vec_text(file(b"0 2\na 1 2\n"))) == 0


def test_repeated_keys_keep_the_first(file, small_blocks):
    lines = "".join(f"k{i % 90} {i} 0\n" for i in range(200))
    with pytest.warns(UserWarning, match="110 repeated keys dropped; the first of each was kept") as caught:
        emb = read_glove(file(lines.encode()))
    assert caught[0].filename == __file__
    assert rows(emb) == {f"k{i}": [i, 0] for i in range(90)}
    assert emb.card.notes == ("110 repeated keys dropped; the first of each was kept",)


def test_non_finite_rows_may_be_dropped(file):
    content = b"a 1 2\nb nan 4\nc 5 6\na inf 1\nd 1e300 2\n"
    with pytest.warns(UserWarning, match="3 rows with NaN or infinity dropped"):
        emb = read(file(content), non_finite="drop")
    assert rows(emb) == {"a": [1, 2], "c": [5, 6]}
    with pytest.raises(FormatError, match='non_finite="drop"'):
        read(file(content))


@pytest.mark.parametrize(
    ("policy", "keys"), [("replace", ["caf\ufffd", "é", "\ufffdb"]), ("latin-1", ["café", "é", "\x85b"])]
)
def test_keys_that_are_not_utf8(file, policy, keys, small_blocks):
    content = b"caf\xe9 1 2\n\xc3\xa9 3 4\n\x85b 5 6\n"
    with pytest.warns(UserWarning, match="2 keys with bytes that are not UTF-8"):
        emb = read(file(content), encoding_errors=policy)
    assert list(emb.keys) == keys


def test_keys_that_replacement_makes_equal(file):
    with pytest.warns(UserWarning, match="2 keys with bytes that are not UTF-8 .*; 1 repeated key dropped"):
        emb = read(file(b"\xff 1 2\n\xfe 3 4\n"), encoding_errors="replace")
    assert rows(emb) == {"\ufffd": [1, 2]}


def test_a_character_split_over_two_keys_is_not_utf8(file):
    with pytest.raises(FormatError, match="UTF-8"):
        read(file(b"a\xc3 1 2\n\xa9b 3 4\n"))


@pytest.mark.parametrize("content", [b"9 2\na 1 2\nb 3 4\nbroken\n", b"a 1 2\nb 3 4\nbroken\n"])
def test_limit_reads_the_first_rows_only(file, content):
    assert rows(read_glove(file(content), limit=2)) == {"a": [1, 2], "b": [3, 4]}
    assert len(read_glove(file(b"a 1 2\n"), limit=5)) == 1


def test_an_endless_line_is_refused_without_reading_it_all(file, small_blocks):
    for reader in (read, read_glove, read_word2vec_text, read_word2vec_binary):
        with pytest.raises(FormatError):
            reader(file(b"x" * 5000))
    with pytest.raises(FormatError, match="a line of at most"):
        read_word2vec_text(file(b"1 2\n" + b"x" * 5000))
    with pytest.raises(FormatError, match="a row of at most"):
        read_word2vec_binary(file(b"1 2\n" + b"x" * 5000))


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ({"limit": 0}, "at least 1"),
        ({"limit": 1.5}, "limit=1.5: needs a whole number"),
        ({"limit": "1"}, "limit='1': needs a whole number"),
        ({"encoding_errors": "ignore"}, "known are 'strict', 'replace', 'latin-1'"),
        ({"non_finite": "zero"}, "known are 'raise', 'drop'"),
        ({"format": "w2v"}, "known are native, word2vec-text, word2vec-binary, glove"),
    ],
)
def test_unknown_options_list_the_known(file, option, said):
    with pytest.raises(InputError, match=said):
        read(file(b"a 1 2\n"), **option)


def test_progress_ends_at_the_whole_file(file, small_blocks):
    seen = []
    path = file(b"".join(b"w%d 1 2\n" % i for i in range(300)))
    read(path, progress=lambda done, total: seen.append((done, total)))
    assert len(seen) > 5
    assert seen == sorted(seen)
    assert seen[-1] == (path.stat().st_size, path.stat().st_size)


@pytest.mark.parametrize("odd", [b"1_0", b"1_0.5", b"-1_0e3", b"1\x0c", b"\x0b1"])
def test_what_only_python_takes_for_a_number_is_refused(file, odd):
    path = file(b"2 3\na 1 2 3\nb 1 " + odd + b" 3\n")
    with pytest.raises(FormatError, match=r"line 3, byte 16: expected a number, found .* in column 2"):
        read_word2vec_text(path)
    with pytest.raises(FormatError):
        read_glove(file(b"a 1 2 3\nc 1 2 3\nb 1 " + odd + b" 3\n"))


def test_a_key_that_ends_in_an_underscored_number_is_a_key(file, tmp_path, equal):
    table = read_glove(file(b"a 1 2\nno 1_0.5 3 4\n"))
    assert rows(table) == {"a": [1, 2], "no 1_0.5": [3, 4]}
    write(table, tmp_path / "back.glove")
    assert equal(read(tmp_path / "back.glove"), table)


def test_a_file_name_that_is_not_utf_8(tmp_path):
    path = tmp_path / os.fsdecode(b"caf\xe9.txt")
    path.write_bytes(b"a 1 2\nb 3 4\n")
    table = read(path)
    assert table.card.name == "caf\ufffd"
    table.save(tmp_path / "saved.safetensors")
    assert read(tmp_path / "saved.safetensors").card.name == "caf\ufffd"
