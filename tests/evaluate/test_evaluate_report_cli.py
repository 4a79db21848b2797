"""``wordstock report`` as a user runs it."""

import csv
import json
import subprocess
import sys

import pytest
from report_samples import table, texts

pytest.importorskip("torch")
pytest.importorskip("plotly")


def wordstock(*arguments, folder):
    script = "from wordstock.cli.main import main; main()"
    return subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)], cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("cli")
    table().save(made / "topics.safetensors")
    for name, seed, count in (("train.csv", 1, 60), ("test.csv", 2, 60)):
        with (made / name).open("w", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(["text", "label"])
            writer.writerows(zip(*texts(count, seed), strict=True))
    return made


def test_a_report_of_a_csv_file_and_its_continuation(folder):
    arguments = (
        "report", "train.csv", "--test", "test.csv", "-m", "topics.safetensors", "-o", "out/r.html", "--seeds", "2",
        "--budget", "6", "--budget", "60", "--method", "tf-idf", "--method", "static frozen",
    )  # fmt: skip
    ran = wordstock(*arguments, folder=folder)
    assert ran.returncode == 0, ran.stderr
    assert "With 60 labels, use" in ran.stderr
    told = json.loads((folder / "out" / "r.json").read_text())
    assert told["facts"]["data"] == "train.csv"
    assert {one["method"] for one in told["points"]} == {"TF-IDF", "topics frozen"}
    for suffix in (".html", ".png"):
        assert (folder / "out" / "r").with_suffix(suffix).stat().st_size > 1000
    kept = (folder / "out" / "r.points.jsonl").read_bytes()
    again = wordstock(*arguments, folder=folder)
    assert again.returncode == 0, again.stderr
    assert (folder / "out" / "r.points.jsonl").read_bytes() == kept


WITHOUT_TORCH = """
import sys
class Finder:
    def __init__(self, finder): self.finder = finder
    def __getattr__(self, name): return getattr(self.finder, name)
    def find_spec(self, name, *given): return None if name == "torch" else self.finder.find_spec(name, *given)
sys.meta_path = [Finder(one) for one in sys.meta_path]
from wordstock.cli.main import main
main()
"""


def test_what_needs_torch_is_refused_before_anything_is_measured(folder):
    arguments = ["report", "train.csv", "-m", "topics.safetensors", "-o", "torchless.html", "--quick", "--budget", "6"]
    command = [sys.executable, "-c", WITHOUT_TORCH, *arguments]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert "(from scratch) needs torch, which is not installed; run: pip install 'wordstock[torch]'" in ran.stderr
    assert not (folder / "torchless.points.jsonl").exists()
    command += ["--method", "tf-idf", "--method", "static frozen"]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


def test_tagged_sentences_in_a_file_that_is_named_as_a_table(folder):
    lines = ("rice\tB-FOOD", "of\tO", "")
    (folder / "tags.tsv").write_text("\n".join(lines * 20))
    arguments = ("report", "tags.tsv", "-m", "topics.safetensors", "-o", "tags.html", "--quick", "--budget", "4",
                 "--method", "static frozen")  # fmt: skip
    ran = wordstock(*arguments, "--tagging", folder=folder)
    assert ran.returncode == 0, ran.stderr
    told = json.loads((folder / "tags.json").read_text())
    assert (told["facts"]["task"], told["facts"]["unit"]) == ("tagging", "sentences")
    assert "--tagging" in told["facts"]["command"]


def test_fresh_forgets_old_points_only_once_the_data_are_found_good(folder):
    points = folder / "again.points.jsonl"
    points.write_text("an old point\n")
    arguments = ("-m", "topics.safetensors", "-o", "again.html", "--fresh", "--quick", "--budget", "6",
                 "--method", "tf-idf")  # fmt: skip
    assert wordstock("report", "absent.csv", *arguments, folder=folder).returncode == 1
    assert points.read_text() == "an old point\n"
    ran = wordstock("report", "train.csv", *arguments, folder=folder)
    assert ran.returncode == 0, ran.stderr
    assert "an old point" not in points.read_text()
    assert len(points.read_text().splitlines()) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("train.csv", "-o", "r.pdf"), "--output r.pdf: a report is a page; give a name that ends in .html"),
        (("train.csv", "--label-column", "topic"), "has no column 'topic'; its columns are 'text', 'label'"),
        (("absent.csv",), "no such file"),
        (("train.csv", "--budget", "500"), "--budget: 500 is more than the 48 training texts"),
        (("train.csv", "--method", "magic"), "--method: 'magic' is not known"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(folder, arguments, message):
    ran = wordstock("report", *arguments, "-m", "topics.safetensors", folder=folder)
    assert ran.returncode == 1
    assert message in " ".join(ran.stderr.split())
    assert "Traceback" not in ran.stderr
