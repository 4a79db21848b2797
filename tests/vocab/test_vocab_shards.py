"""Token shards: what they hold, when they are reused, and what is never taken for finished."""

import itertools
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wordstock.errors import FormatError, InputError, StorageError
from wordstock.text import Tokenizer
from wordstock.vocab import PhraseSettings, build_shards, open_shards, shard_build

LINES = ["the cat sat.", "the dog sat on the mat", "", "a b", "the cat and the dog"] * 4


def expected(sentences, tokenizer, min_count):
    """The sentences that shards should hold, by plain Python."""
    words = [tokenizer(each) if isinstance(each, str) else [word for word in each if word] for each in sentences]
    counts = {}
    for word in itertools.chain(*words):
        counts[word] = counts.get(word, 0) + 1
    kept = ([word for word in each if counts[word] >= min_count] for each in words)
    return [each for each in kept if each]


@given(
    st.lists(
        st.lists(st.sampled_from("abcdef"), max_size=8)
        | st.lists(st.sampled_from(["a", "B", "é", "中"])).map(" ".join),
        max_size=60,
    ),
    st.integers(1, 4),
    st.sampled_from([1, 30, 1000]),
)
def test_shards_hold_the_corpus(tmp_path_factory, sentences, min_count, shard_ids):
    folder = tmp_path_factory.mktemp("shards")
    wanted = expected(sentences, Tokenizer(), min_count)
    if not wanted:
        with pytest.raises(InputError):
            build_shards(sentences, folder, min_count=min_count)
        assert not list(folder.glob("[!.]*"))
        return
    shards = build_shards(sentences, folder, min_count=min_count, shard_ids=shard_ids)
    assert list(shards.sentences()) == wanted
    assert shards.n_sentences == len(wanted)
    assert shards.n_tokens == sum(map(len, wanted)) == shards.vocabulary.counts.sum()
    for array in shards.arrays:
        assert array.dtype == np.int32
        assert array[-1] == -1
        assert not array.flags.writeable


def zipf_lines(n):
    rng = np.random.default_rng(3)
    return [" ".join(f"w{i}" for i in np.minimum(rng.zipf(1.3, 400), 40_000)) for _ in range(n)]


@pytest.mark.parametrize("phrases", [0, PhraseSettings(threshold=10, discount=2)])
def test_memory_limit_and_threads_change_nothing(tmp_path, phrases):
    lines = zipf_lines(1200)  # several blocks of text
    options = {"min_count": 2, "max_size": 5000, "phrases": phrases}
    first = build_shards(lines, tmp_path / "a", **options, threads=1)
    second = build_shards(iter(lines), tmp_path / "b", **options, threads=3, memory_limit=1, shard_ids=1000)
    assert list(first.vocabulary.keys) == list(second.vocabulary.keys)
    np.testing.assert_array_equal(first.vocabulary.counts, second.vocabulary.counts)
    np.testing.assert_array_equal(np.concatenate(first.arrays), np.concatenate(second.arrays))
    assert len(second.arrays) > len(first.arrays)
    assert first.settings == second.settings
    assert not (tmp_path / "b" / "runs").exists()


def test_a_sentence_of_a_million_words_is_not_cut(tmp_path):
    shards = build_shards(["a b " * 500_000, "c " * 7], tmp_path, shard_ids=1000)
    assert list(map(len, shards.sentences())) == [1_000_000, 7]
    assert shards.n_sentences == 2


def test_open_gives_what_build_gave(tmp_path):
    built = build_shards(LINES, tmp_path, min_count=2, tokenizer=Tokenizer(digits="zero"), phrases=1)
    found = open_shards(str(tmp_path))
    assert list(found.sentences()) == list(built.sentences())
    assert found.settings == built.settings
    assert found.tokenizer == Tokenizer(digits="zero")
    assert found.phrases == built.phrases
    assert found.vocabulary.find("the") == 0
    assert {"tokenizer", "min_count", "max_size", "phrases"} == found.settings.keys()
    assert build_shards(LINES, tmp_path).phrases is None


def never():
    raise AssertionError("the corpus was read again")
    yield


def test_shards_are_reused_for_the_same_source_and_settings(tmp_path):
    first = build_shards(LINES, tmp_path, min_count=2, source="corpus-1", phrases=2)
    again = build_shards(never(), tmp_path, min_count=2, source="corpus-1", phrases=2)
    assert list(again.sentences()) == list(first.sentences())
    for change in (
        {"source": "corpus-2"},
        {"min_count": 3},
        {"max_size": 3},
        {"phrases": 1},
        {"tokenizer": Tokenizer(casing="keep")},
        {"source": ""},
    ):
        options = {"source": "corpus-1", "min_count": 2, "phrases": 2, **change}
        with pytest.raises(AssertionError, match="read again"):
            build_shards(never(), tmp_path, **options)
        with pytest.raises(FormatError, match="manifest of token shards, found none"):
            open_shards(tmp_path)
        build_shards(LINES, tmp_path, min_count=2, source="corpus-1", phrases=2)
    build_shards(LINES, tmp_path, min_count=2)  # without a source nothing is known to be the same
    with pytest.raises(AssertionError, match="read again"):
        build_shards(never(), tmp_path, min_count=2)


def test_old_shards_stay_readable_while_new_ones_replace_them(tmp_path):
    old = build_shards(LINES, tmp_path, min_count=1)
    before = list(old.sentences())
    (tmp_path / "notes.txt").write_text("mine")
    build_shards(["other words"] * 3, tmp_path, min_count=1)
    assert list(old.sentences()) == before
    assert (tmp_path / "notes.txt").read_text() == "mine"


def damage(path, kind):
    data = path.read_bytes()
    if kind == "cut":
        path.write_bytes(data[:-3])
    elif kind == "gone":
        path.unlink()
    elif kind == "flipped":
        path.write_bytes(bytes([data[0] ^ 64]) + data[1:])
    else:
        path.write_bytes(b"nonsense")


@pytest.mark.parametrize("name", ["shard-00000.ids", "vocabulary.bin", "manifest.json"])
@pytest.mark.parametrize("kind", ["cut", "gone", "flipped", "nonsense"])
def test_damaged_files_are_refused_and_built_again(tmp_path, name, kind):
    wanted = list(build_shards(LINES, tmp_path, min_count=1, source="s").sentences())
    damage(tmp_path / name, kind)
    with pytest.raises(FormatError, match="build the shards again"):
        open_shards(tmp_path)
    assert list(build_shards(LINES, tmp_path, min_count=1, source="s").sentences()) == wanted
    assert list(open_shards(tmp_path).sentences()) == wanted


@pytest.mark.parametrize(
    "change", [{"version": 99}, {"format": "x"}, {"shards": [{"file": 3}]}, {"settings": 1}, {"tokens": "many"}]
)
def test_a_manifest_of_another_kind_is_refused(tmp_path, change):
    build_shards(LINES, tmp_path, min_count=1)
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(FormatError):
        open_shards(tmp_path)


def test_no_shards_at_all(tmp_path):
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(FormatError, match="found none; build"):
            open_shards(folder)
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageError):
        build_shards(LINES, tmp_path / "file")


KILLED = """
import itertools, sys
from wordstock.vocab import build_shards
def corpus():
    for i in itertools.count():
        if i == 20_000:
            print("under way", flush=True)
        yield f"the cat number{i % 5000} sat on the mat " * 20
build_shards(corpus(), sys.argv[1], source="s", shard_ids=100_000, memory_limit=1)
"""


def test_a_killed_build_is_not_taken_for_finished(tmp_path):
    build_shards(LINES, tmp_path, min_count=1, source="old")
    with subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "under way\n"
        time.sleep(0.2)
        os.kill(process.pid, signal.SIGKILL)
    assert list(tmp_path.glob("shard-*.ids"))
    with pytest.raises(FormatError, match="was not finished"):
        open_shards(tmp_path)
    found = build_shards(LINES, tmp_path, min_count=1, source="s")
    assert list(found.sentences()) == expected(LINES, Tokenizer(), 1)
    assert sorted(path.name for path in tmp_path.glob("[!.]*")) == [
        "manifest.json",
        "shard-00000.ids",
        "vocabulary.bin",
    ]


@pytest.mark.parametrize("step", ["translate", "write_manifest"])
def test_a_full_disk_leaves_nothing(tmp_path, monkeypatch, step):
    def full(*_args, **_options):
        raise StorageError(28, "the disk is full")

    monkeypatch.setattr(shard_build, step, full)
    with pytest.raises(StorageError, match="disk is full"):
        build_shards(LINES, tmp_path, min_count=1)
    assert not list(tmp_path.glob("[!.]*"))


def test_errors_of_the_corpus_leave_nothing(tmp_path):
    def broken():
        yield from LINES
        raise RuntimeError("torn")

    with pytest.raises(RuntimeError, match="torn"):
        build_shards(broken(), tmp_path)
    with pytest.raises(InputError, match=r"sentence 1 .* must be a str"):
        build_shards(["a", 3], tmp_path)
    with pytest.raises(InputError, match="no word occurs 50 times, the most frequent one is 'the' with 20; lower"):
        build_shards(LINES, tmp_path, min_count=50)
    with pytest.raises(InputError, match="no word occurs 50 times"):
        build_shards(LINES, tmp_path, min_count=50, phrases=1)
    with pytest.raises(InputError, match="corpus is empty"):
        build_shards([], tmp_path, phrases=2)
    assert not list(tmp_path.glob("[!.]*"))


def test_settings_that_cannot_be_meant(tmp_path):
    for setting in (
        {"min_count": 0}, {"min_count": 2.5}, {"max_size": 0}, {"phrases": -1}, {"shard_ids": 0}, {"memory_limit": 0}
    ):  # fmt: skip
        with pytest.raises(InputError, match=f"{next(iter(setting))}="):
            build_shards(LINES, tmp_path, **setting)


def test_settings_may_be_numbers_of_numpy(tmp_path):
    shards = build_shards(LINES, tmp_path, min_count=np.int32(2), max_size=np.int64(3), phrases=np.int8(1), source="s")
    assert len(shards.vocabulary) == 3
    again = build_shards(never(), tmp_path, min_count=2, max_size=3, phrases=1, source="s")
    assert again.settings == shards.settings


def test_lone_surrogates_are_replaced(tmp_path):
    shards = build_shards(["a \ud800 b", ["c\udfff", ""]], tmp_path, min_count=1)
    assert list(shards.sentences()) == [["a", "\ufffd", "b"], ["c\ufffd"]]
