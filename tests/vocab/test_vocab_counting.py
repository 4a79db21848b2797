"""Counting against a plain Counter, whatever the memory limit and the number of threads."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from wordstock.errors import InputError, StorageError
from wordstock.text import Tokenizer
from wordstock.vocab import count_words
from wordstock.vocab.batches import batches
from wordstock.vocab.folding import Workspace
from wordstock.vocab.key_block import pack
from wordstock.vocab.ranking import rank_words
from wordstock.vocab.wordtable import WordTable

TRICKY = st.lists(
    st.sampled_from(
        ["ENTITY/", "ENTITY/Ab(9)", "entity/",
         "n't", "N'T", "'", "s", "re", "'ve", "ll", "_", "a", "N", "T", "n", "t", "9", " ", "\n", "\x1e",
         "\x1c", "\x1f",
         ".", "’", "é", "e\u0301", "\u0301", "Σ", "İ", "中", "ン", "ไ", "ย\u0e4d", "ก\u0e34", "٣", "၁",
         "abcdefg", "ABCDEFGH", "0123456789abcdef", "{", "@", "[", "`", "/", ":", "\x7f",
         "\U00020000", "\U00010400", "\U000e0100", "\ud800", "\x00", "\x85", "ß", "ǅ"]
    )
).map("".join)  # fmt: skip
TOKENIZERS = st.builds(
    Tokenizer,
    casing=st.sampled_from(["lower", "keep"]),
    contractions=st.sampled_from(["english", "none"]),
    digits=st.sampled_from(["keep", "zero"]),
    unspaced=st.sampled_from(["characters", "keep"]),
)


def counted(sentences, tokenizer=None, min_count=1, max_size=None):
    """What ``count_words`` should give, by a Counter."""
    tokenizer = tokenizer or Tokenizer()
    counts = Counter()
    for sentence in sentences:
        words = tokenizer(sentence) if isinstance(sentence, str) else sentence
        counts.update("".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in word) for word in words if word)
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0].encode()))
    return [item for item in ranked if item[1] >= min_count][:max_size]


def items(vocabulary):
    return list(zip(vocabulary.keys, vocabulary.counts.tolist(), strict=True))


@given(st.one_of(TRICKY, st.text()), TOKENIZERS)
@example("x'sn't 'S_ n't_ _n't N't doN'T a_n't", Tokenizer())
@settings(max_examples=500)
def test_the_compiled_tokeniser_is_the_tokeniser(text, tokenizer):
    table = WordTable(4)
    found = [
        table.word(number)
        for batch in batches([text], tokenizer)
        for number in table.number(batch, Workspace(tokenizer))
        if number >= 0
    ]
    assert found == [token.replace("\ud800", "\ufffd") for token in tokenizer(text)]


@given(
    st.lists(
        st.one_of(
            TRICKY,
            st.lists(st.text(max_size=3)),
            st.lists(st.text(["a", "b", "\x00"], max_size=20)),
            st.lists(st.sampled_from("abc")),
        )
    ),
    TOKENIZERS,
    st.integers(1, 3),
    st.sampled_from([None, 1, 3]),
)
def test_counts_are_those_of_a_counter(sentences, tokenizer, min_count, max_size):
    wanted = counted(sentences, tokenizer, min_count, max_size)
    if wanted:
        found = count_words(sentences, tokenizer=tokenizer, min_count=min_count, max_size=max_size)
        assert items(found) == wanted
    else:
        with pytest.raises(InputError):
            count_words(sentences, tokenizer=tokenizer, min_count=min_count)


def zipf_corpus(n_sentences=400, seed=0):
    rng = np.random.default_rng(seed)
    words = [f"{'word' * (i % 7)}{i}" for i in range(60_000)]
    picks = np.minimum(rng.zipf(1.2, (n_sentences, 500)), len(words)) - 1
    return [" ".join(words[i] for i in line) for line in picks]


@pytest.mark.parametrize("threads", ["1", "3"])
@pytest.mark.parametrize("limit", [1, 4 << 20, 1 << 30])
def test_spilled_counts_are_exact(monkeypatch, tmp_path, threads, limit):
    monkeypatch.setenv("WORDSTOCK_THREADS", threads)
    corpus = zipf_corpus()
    found = count_words(corpus, min_count=2, max_size=9000, memory_limit=limit, scratch=tmp_path)
    assert items(found) == counted(corpus, min_count=2, max_size=9000)
    assert not list(tmp_path.iterdir())


def test_equal_counts_are_in_the_order_of_bytes():
    words = [
        "a" * 16 + "b",
        "a" * 16,
        "a" * 16 + "b\x00",
        "a" * 17,
        "a",
        "a\x00",
        "é",
        "z",
        "中",
        "a" * 8,
        "a" * 8 + "\x00",
    ]
    blob, offsets = pack([word.encode() for word in words])
    ranked = rank_words(blob, offsets, np.arange(len(words)))
    assert [words[i] for i in ranked] == sorted(words, key=str.encode)
    assert [key for key, _ in items(count_words([words]))] == sorted(words, key=str.encode)


def test_a_sentence_of_a_million_words_and_a_very_long_word():
    found = count_words(["a b " * 500_000 + "c" * 3_000_000])
    assert items(found) == [("a", 500_000), ("b", 500_000), ("c" * 3_000_000, 1)]


def test_progress_grows():
    seen = []
    count_words(["a b c " * 200_000] * 3, progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1_800_000


@pytest.mark.parametrize("empty", [[], [""], ["", []], [[""]], ["\n \t"]])
def test_an_empty_corpus_is_refused(empty):
    with pytest.raises(InputError, match="corpus is empty"):
        count_words(empty)


@pytest.mark.parametrize("limit", [1, 1 << 30])
def test_the_largest_count_is_named_when_no_word_is_left(limit):
    with pytest.raises(InputError, match="the most frequent one is 'a' with 3; lower min_count"):
        count_words(["a b c a a"] + [f"w{i}" for i in range(20_000)], min_count=5, memory_limit=limit)


@pytest.mark.parametrize(
    ("sentence", "message"),
    [
        (3, "sentence 1 .* not int: 3"),
        (None, "sentence 1 .* not NoneType"),
        (b"bytes", "sentence 1 .* not bytes"),
        (["a", 3], "sentence 1 .* holds 3, a int"),
        ([["a"]], "sentence 1 .* a list; .*item_sequences"),
    ],
)
def test_sentences_of_another_kind_are_refused(sentence, message):
    with pytest.raises(InputError, match=message):
        count_words(["fine", sentence])


def test_settings_that_cannot_be_meant():
    for setting in ("min_count", "max_size", "memory_limit"):
        with pytest.raises(InputError, match=f"{setting}=0"):
            count_words(["a"], **{setting: 0})


def test_errors_of_the_corpus_come_through():
    def broken():
        yield "a b"
        raise OSError("the tape tore")

    with pytest.raises(OSError, match="tape"):
        count_words(broken())


def test_a_full_disk_is_explained(tmp_path, monkeypatch):
    from wordstock.vocab import runs

    def full(_path):
        raise StorageError(28, "cannot write: the disk is full")

    monkeypatch.setattr(runs, "storage_errors", full)
    with pytest.raises(StorageError, match="disk is full"):
        count_words(zipf_corpus(50), memory_limit=1, scratch=tmp_path)
    assert not list(tmp_path.iterdir())


def test_splitters_and_generators_are_counted():
    tokenizer = Tokenizer.custom(lambda text: text.split("|"), "bars-of-a-test", casing="keep")
    found = count_words(("A b|c" for _ in range(3)), tokenizer=tokenizer)
    assert items(found) == [("A b", 3), ("c", 3)]


PEAK = """
import re, sys, threading, time
from wordstock.vocab import count_words

def corpus(n):
    for step in (7919, 104729):  # every word twice, far apart
        for start in range(0, n, 20):
            yield " ".join(f"w{i * step % n}x" for i in range(start, start + 20))
    yield "the the the"

def memory():
    with open("/proc/self/status") as stream:
        return int(re.search(r"RssAnon:\\s+(\\d+) kB", stream.read())[1])

def watch():
    while True:
        top[0] = max(top[0], memory())
        time.sleep(0.002)

count_words(corpus(20), memory_limit=1 << 20)
before = memory()
top = [before]
threading.Thread(target=watch, daemon=True).start()
for n in map(int, sys.argv[2:]):
    found = count_words(corpus(n), min_count=3, memory_limit=int(sys.argv[1]))
    assert list(found.keys) == ["the"]
    print(top[0] - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads memory from /proc")
def test_memory_does_not_grow_with_the_number_of_words():
    """In a fresh process: words that need 60 MiB and more in a table, 8 MiB allowed."""
    command = [sys.executable, "-c", PEAK, str(8 << 20), "250000", "750000"]
    ran = subprocess.run(
        command, env=os.environ | {"WORDSTOCK_THREADS": "2"}, capture_output=True, text=True, check=True
    )
    small, large = map(int, ran.stdout.split())
    assert large < small + (24 << 10)  # kB; one table of all these words would be 62 MiB larger
    assert large < 80 << 10
