"""Input and output that cannot be used: one line that says what, where and what to do."""

import gzip
import os
import subprocess

import pytest
from cli_command import call
from test_cli_main import COMMAND

import wordstock as ws
from wordstock.cli.train_options import METHODS

QUICK = ("--dim", 4, "--epochs", 1, "--min-count", 1)
LINES = ["the cat sat on the mat", "a dog and a cat", "the dog sat"] * 20


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("\n".join(LINES) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def train(tmp_path, monkeypatch, capsys):
    def train(*arguments, out="v.safetensors"):
        return call(monkeypatch, capsys, "train", *arguments, "-o", tmp_path / out)[::2]

    return train


def refused(ran, *messages):
    status, err = ran
    assert status == 1, err
    assert err.count("error:") == 1
    assert "Traceback" not in err
    for message in messages:
        assert message in err


def test_what_left_no_word_is_told_and_nothing_stays(train, tmp_path, text):
    broken = tmp_path / "rows.jsonl"
    broken.write_text("no object\n" * 3, encoding="utf-8")
    refused(train(broken), "line 1: expected a JSON object", "3 damaged places", "the corpus is empty")
    assert not list(tmp_path.glob("*.training"))
    assert train(text, *QUICK)[0] == 0
    refused(train(broken, "--overwrite"), "the corpus is empty")
    refused(train(text, *QUICK), "v.safetensors is there already")


def test_options_may_change_where_no_training_has_begun(train, tmp_path, text):
    refused(train(text, *QUICK, "--learning-rate", 1e20, "--epochs", 3), "training diverged")
    status, err = train(text, *QUICK)
    assert status == 0, err
    assert "counted by an earlier run" in err
    assert not list(tmp_path.glob("*.training"))


@pytest.mark.parametrize("method", METHODS)
def test_empty_corpora_and_rare_words(train, tmp_path, text, method):
    empty = tmp_path / "empty.txt"
    empty.write_bytes(b"")
    refused(train(empty, "--method", method), "the corpus is empty: not one word was found in it")
    rare = "no word occurs 99 times, the most frequent one is 'the' with 60; lower --min-count"
    refused(train(text, "--method", method, "--min-count", 99), rare)
    refused(train(text, "--method", method, "--min-count", 99, "--phrases", 1), "no word occurs 99 times")
    alone = tmp_path / "alone.txt"
    alone.write_text("one\n" * 9, encoding="utf-8")
    refused(train(alone, "--method", method), "1 different word; training needs at least 2")
    assert not (tmp_path / "v.safetensors").exists()


def test_files_that_are_no_text(train, tmp_path, text):
    binary = tmp_path / "b.txt"
    binary.write_bytes(b"\x7fELF" + bytes(100))
    refused(train(binary), f"{binary}, byte 0: expected text, found a program")
    refused(train(tmp_path / "none.txt"), "no such file", "none.txt")
    (tmp_path / "folder").mkdir()
    refused(train(tmp_path / "folder"), "a folder without files to read")


def test_a_folder_of_mixed_kinds_takes_each_by_its_content(train, tmp_path):
    folder = tmp_path / "mixed"
    folder.mkdir()
    (folder / "a.txt").write_text("apple tree\n" * 9, encoding="utf-8")
    (folder / "b.jsonl").write_text('{"text": "banana tree"}\n' * 9, encoding="utf-8")
    (folder / "c.csv").write_text("id,text\n" + "1,cherry tree\n" * 9, encoding="utf-8")
    (folder / "d.gz").write_bytes(gzip.compress(b"date tree\n" * 9))
    (folder / "e.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(20))
    (folder / ".hidden").write_text("secret tree\n", encoding="utf-8")
    status, err = train(folder, *QUICK)
    assert status == 0, err
    assert set(ws.load(tmp_path / "v.safetensors")) == {"tree", "apple", "banana", "cherry", "date"}
    assert "36 texts in 5 files" in err
    assert "left out: 1 hidden file" in err
    assert f"damaged: {folder / 'e.png'}, byte 8: expected text, found a binary file" in err
    refused(train(folder, *QUICK, "--strict", out="w.safetensors"), "e.png")


def test_damage_is_told_with_file_and_offset_and_counted(train, tmp_path):
    folder = tmp_path / "damaged"
    folder.mkdir()
    whole = gzip.compress("\n".join(LINES * 50).encode())
    for number in range(7):
        (folder / f"{number}.gz").write_bytes(whole[:-20])
    status, err = train(folder, *QUICK)
    assert status == 0, err
    told = [line for line in err.splitlines() if line.startswith("damaged:")]
    assert len(told) == 5
    assert f"{folder / '0.gz'}, byte " in told[0]
    assert "left out: 7 damaged places, the first 5 are named; --strict stops at the first" in err


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads and writes everything")
def test_no_permission(train, tmp_path, text):
    text.chmod(0)
    refused(train(text), "permission denied", str(text))
    text.chmod(0o600)
    (tmp_path / "locked").mkdir(0o500)
    refused(train(text, out="locked/v.safetensors"), "permission denied: choose a folder you may write to")


def test_the_output_is_checked_before_anything_is_read(train, tmp_path, text):
    def nothing_was_read():
        return not list(tmp_path.rglob("*.training"))

    refused(train(text, out="v.txt"), "give a name in .safetensors")
    refused(train(text, out="no/v.safetensors"), f"there is no folder {tmp_path / 'no'}; make it first")
    (tmp_path / "f.safetensors").mkdir()
    refused(train(text, out="f.safetensors"), "is a folder; give the name of a file")
    assert nothing_was_read()
    assert train(text, *QUICK)[0] == 0
    before = (tmp_path / "v.safetensors").read_bytes()
    refused(train(text, *QUICK), "is there already; give another name, or --overwrite to replace it")
    assert (tmp_path / "v.safetensors").read_bytes() == before
    assert nothing_was_read()
    assert train(text, *QUICK, "--dim", 3, "--overwrite")[0] == 0
    assert ws.load(tmp_path / "v.safetensors").dim == 3


def test_other_options_than_those_of_the_stopped_run_are_named(train, tmp_path, text):
    keep = ("--checkpoint", tmp_path / "kept")
    assert train(text, *QUICK, *keep)[0] == 0
    ran = train(text, *QUICK, *keep, "--dim", 5, "--window", 2, "--casing", "keep", out="w.safetensors")
    refused(ran, "--dim (was 4, now 5)", "--window (was 5, now 2)", "--tokenizer", "delete the folder to begin anew")
    ran = train(text, *QUICK, *keep, "--epochs", 2, out="w.safetensors")
    refused(ran, "different are epochs (checkpoint 1, now 2)")
    glove = (*QUICK, "--method", "glove", *keep)
    assert train(text, *glove, out="g.safetensors")[0] == 0
    refused(train(text, *glove, "--x-max", 5, out="w.safetensors"), "--x-max (was 10.0, now 5.0)")
    assert train(text, *glove, "--epochs", 2, out="w.safetensors")[0] == 0


def test_a_held_out_set(train, tmp_path, text):
    pairs = tmp_path / "pairs.txt"
    pairs.write_text("cat dog 9\ncat mat 3\nsat the 1\nno where 5\n", encoding="utf-8")
    status, err = train(text, *QUICK, "--epochs", 6, "--validate", pairs, "--patience", 2)
    assert status == 0, err
    scores = ws.load(tmp_path / "v.safetensors").card.training["validation"]
    for epoch, score in enumerate(scores, 1):
        assert f"epoch {epoch}: pairs {score:.4f} (3 of 4 pairs)" in err
    best = scores.index(max(scores))
    assert len(scores) == min(6, best + 3)
    assert f"the vectors of epoch {best + 1} are the best, {max(scores):.4f}" in err
    pairs.write_text("no where 5\nany thing 2\n", encoding="utf-8")
    refused(train(text, *QUICK, "--validate", pairs, out="w.safetensors"), "no word of pairs is in the vocabulary")
    pairs.write_text("cat nothing 5\n", encoding="utf-8")
    refused(train(text, *QUICK, "--validate", pairs, out="w.safetensors"), "0 pairs with both words in the vocabulary")
    refused(train(text, *QUICK, "--validate", tmp_path / "none", out="w.safetensors"), "no such file")
    pairs.write_text("what is this\n", encoding="utf-8")
    refused(train(text, *QUICK, "--validate", pairs, out="w.safetensors"), "expected two words and a score")


def test_init_sets_the_dim_and_must_fit(train, tmp_path, text):
    assert train(text, *QUICK)[0] == 0
    first = tmp_path / "v.safetensors"
    quick = ("--epochs", 1, "--min-count", 1)
    for method in METHODS:
        assert train(text, "--method", method, "--init", first, *quick, out=f"{method}.safetensors")[0] == 0
        assert ws.load(tmp_path / f"{method}.safetensors").dim == 4
    refused(train(text, "--init", first, "--dim", 5, out="w.safetensors"), "--dim 5: the vectors of --init", "have 4")
    refused(train(text, "--init", tmp_path / "none", out="w.safetensors"), "none")


@pytest.mark.parametrize("method", METHODS)
def test_matrices_that_do_not_fit_in_memory(train, text, method):
    ran = train(text, "--method", method, "--dim", 10**11)
    refused(
        ran, "words with --dim 100000000000 need", "of memory in training", "are free; lower dim, raise --min-count"
    )


def test_a_window_may_be_wider_than_a_sentence(train, tmp_path, text):
    for method in METHODS:
        assert train(text, *QUICK, "--method", method, "--window", 500, out=f"{method}.safetensors")[0] == 0


@pytest.mark.parametrize("method", ["word2vec", "glove"])
def test_a_full_disk_leaves_no_half_written_output(tmp_path, method):
    """A limit on the size of files stands for the disk; spilled words are the first to meet it."""
    path = tmp_path / "many.txt"
    path.write_text("\n".join(f"w{i} w{i + 1} w{i + 2}" for i in range(60_000)), encoding="utf-8")
    out = tmp_path / "v.safetensors"
    command = ["train", path, "-o", out, "--method", method, *QUICK, "--memory-limit", 1 << 20]
    limited = ["sh", "-c", 'ulimit -f 512 && exec "$@"', "sh"]  # blocks of 512 bytes
    ran = subprocess.run(
        [*limited, *COMMAND, *map(str, command)], capture_output=True, text=True, check=False, timeout=120
    )
    refused((ran.returncode, ran.stderr), "cannot write", "larger than this system or `ulimit -f` allows")
    left = [file for file in tmp_path.rglob("*") if file.is_file() and file.name != ".lock"]
    assert left == [path]


def test_standard_input(tmp_path):
    out = tmp_path / "v.safetensors"
    command = [*COMMAND, "train", "-", "-o", str(out), *map(str, QUICK)]
    ran = subprocess.run(command, input="\n".join(LINES), capture_output=True, text=True, check=False, timeout=120)
    assert ran.returncode == 0, ran.stderr
    assert "cat" in ws.load(out)
    assert [file.name for file in tmp_path.iterdir()] == ["v.safetensors"]
