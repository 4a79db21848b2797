"""What a report says of costs: processor time, ties, and encoding that is done once."""

import json
from dataclasses import asdict, replace

import pytest
from report_samples import table, texts

import wordstock as ws
from wordstock.evaluate.report import Point, ReportConfig
from wordstock.evaluate.report.analysis import analyse
from wordstock.evaluate.report.data import gather
from wordstock.evaluate.report.methods import Method
from wordstock.evaluate.report.points import PointStore
from wordstock.evaluate.report.spent import Spent
from wordstock.evaluate.report.words import findings, recommendation

pytest.importorskip("torch")

FAMILIES = {"base": "from scratch", "words": "tf-idf", "ours": "static frozen"}


def said(**curves):
    """Findings and recommendation of made-up methods: name -> {budget: (score, cpu seconds)}, of two samples."""
    methods = [Method(name, family, "", None, "") for name, family in FAMILIES.items() if name in curves]
    points = [
        Point(name, budget, seed, score, score, 2 * cpu, None, None, cpu)
        for name, stops in curves.items()
        for budget, (score, cpu) in stops.items()
        for seed in (0, 1)
    ]
    data = gather(texts(40, 1), texts(10, 2), ReportConfig())
    found = analyse(methods, points)
    return findings(found, data, "labels"), recommendation(found, data, "labels")


def test_the_processor_time_that_pre_training_saves_is_said():
    lines, _ = said(base={100: (0.5, 10.0), 800: (0.9, 41.0)}, ours={100: (0.91, 3.0), 800: (0.95, 9.0)})
    wanted = "ours with 100 labels reaches the score that the same network from random vectors has with 800 (90.0 %) "
    assert wanted + "in 3 s of CPU, encoding included, instead of 41 s." in lines


def test_processor_time_that_it_costs_is_said_too():
    lines, _ = said(words={100: (0.5, 0.05), 800: (0.9, 0.2)}, ours={100: (0.6, 3.0), 800: (0.7, 9.0)})
    wanted = (
        "ours with 100 labels reaches the score that words has with 100 (50.0 %) in 3 s of CPU, encoding included, "
    )
    assert wanted + "which itself takes 0.05 s: no pre-trained method saves CPU time there." in lines
    assert not any("CPU" in line for line in said(words={100: (0.9, 1.0)}, ours={100: (0.8, 1.0)})[0])


def test_a_tie_is_called_one_and_the_cheaper_method_is_enough():
    _, line = said(words={100: (0.9, 0.1), 800: (1.0, 0.5)}, ours={100: (0.9, 0.1), 800: (1.0, 3.0)})
    assert "use words: 100.0 %" in line
    assert "It ties with ours (6 s); the cheaper one is enough." in line
    assert "Pre-training neither gains nor costs accuracy here." in line
    assert "does not pay" not in line


def test_where_nothing_is_learned_nothing_is_recommended():
    lines, line = said(words={16: (0.0, 0.1), 64: (0.0, 0.5)}, ours={16: (0.0, 0.1), 64: (0.0, 3.0)})
    assert line == "With 64 labels no method gets anything right: there is too little to learn from."
    assert not any("CPU" in one for one in lines)


def test_what_samples_cannot_tell_is_no_verdict():
    methods = [Method(name, FAMILIES[name], "", None, "") for name in ("words", "ours")]
    points = [
        Point(name, 100, seed, score, score, 1.0, None, None)
        for name, scored in {"words": (0.8, 0.9, 0.85), "ours": (0.9, 0.8, 0.84)}.items()
        for seed, score in enumerate(scored)
    ]
    data = gather(texts(40, 1), texts(10, 2), ReportConfig())
    assert "Whether pre-training (ours) is as good these samples cannot tell." in recommendation(
        analyse(methods, points), data, "labels"
    )
    found = analyse(methods, points[:3] + points[4:5])  # two samples of ours were skipped
    assert found.verdicts[0].gain == pytest.approx(-0.1)
    assert not analyse(methods, points[:1] + points[4:5]).verdicts


def test_points_of_before_processor_time_was_measured_are_still_read(tmp_path):
    point = Point("m", 3, 0, 0.5, 0.5, 0.1, None, None)
    record = asdict(point)
    del record["cpu"]
    path = tmp_path / "points.jsonl"
    path.write_text(json.dumps({"key": "old", **record}) + "\n")
    store = PointStore(path)
    assert store.get("old") == point
    store.add("new", replace(point, cpu=0.25))
    assert PointStore(path).get("new").cpu == 0.25
    PointStore(path, fresh=True)
    assert not path.exists()


def test_threads_count_in_processor_time():
    began = Spent.so_far()
    total = sum(number * number for number in range(300_000))
    spent = Spent.so_far() - began
    assert total
    assert 0 < spent.cpu < 10
    assert spent * 2 + Spent(1, 1) == Spent(2 * spent.seconds + 1, 2 * spent.cpu + 1)


def test_names_with_dollars_are_drawn_as_they_are(tmp_path):
    dear = table().with_card(ws.Card(name=r"a$\frac$b"))
    report = ws.transfer_report(
        texts(60, 1), texts(30, 2), encoders=[dear], budgets=(6, 24), seeds=1, families=("tf-idf", "static frozen")
    )
    assert report.save(tmp_path / "r.html")[2].stat().st_size > 1000


@pytest.mark.parametrize("task", ["classification", "tagging"])
def test_frozen_contextual_vectors_are_computed_once_for_all_points(task, tmp_path, monkeypatch):
    pytest.importorskip("transformers")
    from tiny_models import build
    from wordstock.encoders import ContextualEncoder

    encoder = ws.load(build("bert", tmp_path / "tiny"))
    seen = []

    def counted(name):
        inner = getattr(ContextualEncoder, name)

        def encode(self, items):
            seen.extend(map(str, items))
            return inner(self, items)

        monkeypatch.setattr(ContextualEncoder, name, encode)

    counted("encode" if task == "classification" else "encode_words")
    listed, labels = texts(40, 1)
    if task == "tagging":
        listed = [text.split() for text in listed]
        labels = [["B-X", *["O"] * 5] for _ in listed]
    report = ws.transfer_report(
        (listed, labels), encoders=[encoder], budgets=(8, 16), seeds=2, families=("contextual frozen",),
        quick=True,
    )  # fmt: skip
    assert len(report.points) == 4
    assert len(seen) == len(set(seen)) <= 40
    assert all(one.cpu > 0 for one in report.points)
