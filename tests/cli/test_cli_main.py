"""The command line as a user meets it: real processes, their output, their exit status."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

import wordstock as ws

COMMAND = [sys.executable, "-c", "from wordstock.cli.main import main; main()"]


def run(*arguments, **environment):
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"COLUMNS": "100", "NO_COLOR": "1"} | environment,
        timeout=300,
    )


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "t.safetensors"
    ws.Embeddings.from_arrays(
        ["king", "queen", "man", "woman", "[b]x"], [[2, 1], [2, -1], [1, 1], [1, -1], [0, 1]]
    ).save(path)
    return path


def test_help_names_every_verb():
    out = run("--help").stdout
    for verb in (
        "demo",
        "nearest",
        "analogy",
        "convert",
        "classify",
        "evaluate",
        "index",
        "search",
        "reindex",
        "export",
    ):
        assert f" {verb} " in out
    assert run("--version").stdout == f"wordstock {ws.__version__}\n"


def test_nearest_and_analogy(table):
    ran = run("nearest", "king", "[b]x", "-m", table, "-k", 1)
    assert ran.returncode == 0
    lines = ran.stdout.splitlines()
    assert lines[0] == "nearest to king"
    assert "│ man  │ 0.9487 │" in lines
    assert "nearest to [b]x" in lines
    out = run("analogy", "man", "king", "woman", "-m", table, "-k", 1).stdout
    assert out.startswith("man is to king as woman is to\n")
    assert "queen" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nearest", "kingg"], "error: 'kingg' is not in the vocabulary; near matches: king"),
        (
            ["analogy", "man", "king", "woman", "--method", "cosine"],
            "error: --method cosine: known are 3cosadd, 3cosmul",
        ),
    ],
)
def test_a_mistake_is_one_line_and_status_1(table, arguments, message):
    ran = run(*arguments, "-m", table)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.strip() == message


def test_a_mistake_in_what_is_converted_is_one_line_too(tmp_path):
    (tmp_path / "v.txt").write_text("a 1 2\nb 3 4\nc 5\n")
    ran = run("convert", tmp_path / "v.txt", tmp_path / "v.bin")
    assert (ran.returncode, ran.stdout) == (1, "")
    assert re.fullmatch(r"error: .*v\.txt, line 3, byte 12: expected a key and 2 numbers, found .*\n", ran.stderr)


def test_a_full_disk_behind_stdout_is_one_line(table):
    with Path("/dev/full").open("w") as full:
        ran = subprocess.run(
            [*COMMAND, "nearest", "king", "-m", str(table)], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert (ran.returncode, ran.stderr) == (1, "error: no space left on device\n")


def test_a_model_that_is_not_there():
    ran = run("nearest", "king", "-m", "no/such.file")
    assert ran.returncode == 1
    assert ran.stderr.startswith("error: no such file or folder: 'no/such.file'")
    assert ran.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["nearest", "king", "-m", "[/foo]"],
        ["info", "[/foo]"],
        ["models", "--remove", "[/foo]"],
        ["models", "[/foo]"],
        ["convert", "[/a]", "b.txt"],
        ["evaluate", "[/foo]", "[/bar]"],
        ["classify", "predict", "[/foo]", "[/bar].csv"],
    ],
)
def test_brackets_in_arguments_are_no_markup(arguments, tmp_path):
    ran = run(*arguments, WORDSTOCK_CACHE=str(tmp_path))
    assert ran.returncode in (1, 2)
    assert "Traceback" not in ran.stderr
    assert "[/" in ran.stderr


def test_brackets_in_file_names_are_no_markup(table, tmp_path):
    odd = tmp_path / "[x[" / "y]"
    odd.mkdir(parents=True)
    table = table.rename(odd / "t.safetensors")
    ran = run("convert", table, odd / "t.txt")
    assert (ran.returncode, ran.stderr.strip()) == (0, "")
    assert f"wrote {odd / 't.txt'}" in ran.stdout
    assert "nearest to king" in run("nearest", "king", "-m", table).stdout


def test_a_file_name_that_is_not_utf_8_is_shown_escaped(table, tmp_path):
    pairs = tmp_path / os.fsdecode(b"caf\xe9.txt")
    pairs.write_text("king\tqueen\t5\nman\twoman\t4\n")
    ran = run("evaluate", table, pairs)
    assert ran.returncode == 0, ran.stderr
    assert "caf\\udce9: similarity" in ran.stdout


def test_a_reader_that_leaves_early_is_no_error(table):
    ran = subprocess.run(
        f"{sys.executable} -c 'from wordstock.cli.main import main; main()' nearest king -m {table} | true",
        shell=True,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert "Traceback" not in ran.stderr


def test_ctrl_c_is_one_line_and_status_130(glove, tmp_path):
    process = subprocess.Popen(
        [*COMMAND, "demo", "-o", str(tmp_path / "map.png")], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout.readline().startswith("glove-6b-50d: 400,000 words")
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert err.strip() == "stopped"
    assert not list(tmp_path.iterdir())


def test_demo_without_matplotlib_skips_the_picture(glove, tmp_path):
    block = "import sys; sys.modules['matplotlib'] = None\n"
    picture = tmp_path / "map.png"
    ran = subprocess.run(
        [sys.executable, "-c", block + COMMAND[2], "demo", "-o", picture, "--seeds", "1", "--per-class", "2"],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"COLUMNS": "100", "NO_COLOR": "1"},
        timeout=300,
    )
    assert ran.returncode == 0, ran.stderr
    last = ran.stdout.splitlines()[-1]
    assert last.startswith("no picture: drawing a word map needs matplotlib")
    assert last.endswith("pip install 'wordstock[plot]'")
    assert not picture.exists()


def test_demo_runs_on_the_real_vectors(glove, tmp_path):
    ran = run("demo", "-o", tmp_path / "map.png", "--seeds", 2)
    assert ran.returncode == 0, ran.stderr
    assert "│ man is to king as woman is to " in ran.stdout
    first = next(line for line in ran.stdout.splitlines() if line.startswith("│ man is to king"))
    assert first.split("│")[2].split()[0] == "queen,"
    accuracy = {
        line.split("│")[1].strip(): float(line.split("│")[2].strip().rstrip("%"))
        for line in ran.stdout.splitlines()
        if line.count("│") == 4 and line.split("│")[2].strip().endswith("%")
    }
    pretrained, scratch, lexical = accuracy.values()
    assert pretrained > scratch + 20
    assert pretrained > lexical + 10
    with Image.open(tmp_path / "map.png") as picture:
        assert picture.size == (1100, 770)


def test_convert_takes_a_named_model(glove, tmp_path):
    ran = run("convert", "glove-6b-50d", tmp_path / "first.txt", "--limit", 2)
    assert ran.returncode == 0, ran.stderr
    assert (tmp_path / "first.txt").read_text(encoding="utf-8").startswith("2 50\nthe 0.418 0.24968 -0.41242 ")
    assert "rows after the first 2 were not read" in ran.stdout


def test_the_picture_of_the_demo_is_a_png(tmp_path):
    ran = run("demo", "-o", tmp_path / "map.pdf")
    assert ran.returncode == 1
    assert "the picture is a PNG; give a name that ends in .png" in ran.stderr
