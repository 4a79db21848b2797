"""Reports on labels that are rare: samples that lack some, hold-outs, matrices, and samples nothing is learned from."""

import numpy as np
import pytest
from report_samples import TOPICS, table, texts

import wordstock as ws
from wordstock.errors import InputError, LabelError
from wordstock.evaluate.report import ReportConfig
from wordstock.evaluate.report.data import gather
from wordstock.evaluate.report.sampling import covering, held_out
from wordstock.evaluate.report.scoring import scores

pytest.importorskip("torch")

FROZEN = ("tf-idf", "static frozen")
TYPES = ("corporation", "creative-work", "group", "location", "person", "product")


def tagged(count, rare):
    """Sentences of which one in ``rare`` has a span, of six types in turn."""
    sentences, tags = [], []
    for number in range(count):
        kind = TYPES[number // rare % len(TYPES)]
        there = number % rare == 0
        sentences.append(["the", "bread" if there else "of", "and"])
        tags.append(["O", f"B-{kind}" if there else "O", "O"])
    return sentences, tags


class Answers:
    """An estimator that gives what it was told."""

    def __init__(self, found):
        self.found = found

    def predict(self, _):
        return self.found


def test_types_of_spans_that_a_sample_lacks_count_as_missed():
    report = ws.transfer_report(
        tagged(120, 2), tagged(24, 2), encoders=[table()], budgets=(4, 8), seeds=2, families=("static frozen",)
    )
    assert len(report.points) == 4
    assert not report.skipped
    assert all(0 <= one.score < 0.5 for one in report.points)  # "bread" has six types in turn
    data = gather(tagged(60, 1), tagged(12, 1), ReportConfig())
    one_type = [[tag.replace("group", "person") for tag in tags] for tags in data.test_labels]
    assert scores(Answers(data.test_labels), data)[0] == 1
    assert scores(Answers(one_type), data)[0] == pytest.approx(10 / 12)


def test_each_sample_of_tags_has_a_span():
    data = gather(tagged(200, 50), tagged(8, 2), ReportConfig())
    for seed in range(5):
        small, large = data.sample(3, seed), data.sample(50, seed)
        assert any(data.marks[row] for row in small)
        np.testing.assert_array_equal(small, large[:3])
        assert len(set(large.tolist())) == 50
    plain = gather(([["a", "b"]] * 9 + [["c"]], [["X", "X"]] * 9 + [["Y"]]), ([["a"]], [["X"]]), ReportConfig())
    assert plain.scheme == "plain"
    assert all({"X", "Y"} == set().union(*(plain.marks[row] for row in plain.sample(2, seed))) for seed in range(5))


def test_the_scheme_is_that_of_all_tags():
    sentences = [["a", "b"]] * 10
    data = gather((sentences, [["I-X", "O"]] * 9 + [["I-X", "B-X"]]), (sentences, [["I-X", "O"]] * 10), ReportConfig())
    assert data.scheme == "iob1"
    with pytest.raises(LabelError, match=r"train: sentence 9, word 1 \('b'\): .*; correct the tags"):
        gather((sentences, [["B-X", "O"]] * 9 + [["O", "I-X"]]), None, ReportConfig())
    with pytest.raises(InputError, match="train: sentence 5 has 2 words but 1 tags"):
        gather((sentences, [["B-X", "O"]] * 5 + [["O"]] * 5), None, ReportConfig(task="tagging"))
    with pytest.raises(LabelError, match="every word has the tag 'O'"):
        gather((sentences, [["O", "O"]] * 10), None, ReportConfig())


def test_several_labels_of_which_one_is_rare():
    many = [f"{word} of the" for word in TOPICS["food"]] * 11
    sets = [["a"]] * 60 + [["a", "b"]] * 6
    report = ws.transfer_report((many, sets), encoders=[table()], quick=True, families=FROZEN)
    assert len(report.points) == 2 * 2 * 3
    assert not report.skipped
    data = gather((many, sets), None, ReportConfig())
    for seed in range(8):
        assert {tuple(data.labels[row]) for row in data.sample(2, seed)} == {("a",), ("a", "b")}
    sparse = gather((many, [[]] * 64 + [["x"], ["y"]]), (many[:1], [["x"]]), ReportConfig())
    assert {one for row in sparse.sample(2, 0) for one in sparse.labels[row]} == {"x", "y"}


def test_several_labels_that_a_sample_lacks_count_as_missed():
    data = gather((["a"] * 6, [["x"], ["y"], ["x", "y"]] * 2), (["a"] * 2, [["x", "y"], ["x"]]), ReportConfig())
    micro, macro = scores(Answers([["x"], ["x"]]), data)
    assert micro == pytest.approx(4 / 5)
    assert macro == pytest.approx(1 / 2)
    assert scores(Answers([["x", "y"], ["x"]]), data) == (1, 1)


@pytest.mark.parametrize("seed", range(5))
def test_what_is_held_out_leaves_each_label_to_learn_from(seed):
    random = np.random.default_rng(seed)
    sets = [[str(random.choice(list("abc")))] for _ in range(40)]
    sets[int(random.integers(40))] = ["rare", "rarer"]
    data = gather(([f"t{number}" for number in range(40)], sets), None, ReportConfig())
    assert frozenset().union(*data.marks) == {"a", "b", "c", "rare", "rarer"}
    assert 4 <= len(data.test_texts) <= 8
    sentences, tags = tagged(40, 1)
    tags[int(random.integers(40))] = ["O", "B-rare", "O"]
    assert "rare" in frozenset().union(*gather((sentences, tags), None, ReportConfig()).marks)


def test_two_kinds_of_rows_are_left_where_one_label_is_everywhere():
    for at in range(10):
        marks = [frozenset("a")] * at + [frozenset()] + [frozenset("a")] * (9 - at)
        assert at not in held_out(marks, 0.8, by_class=False)
        assert covering(range(10), marks) == [0 if at else 1]
    with pytest.raises(InputError, match="no text has labels that others have too"):
        held_out([frozenset("a"), frozenset("b")], 0.5, by_class=False)


def test_a_matrix_of_labels_is_taken_as_a_classifier_takes_it():
    listed, labels = texts(60, 1)
    matrix = np.array([[label == topic for topic in sorted(TOPICS)] for label in labels], int)
    report = ws.transfer_report((np.array(listed), matrix), encoders=[table()], quick=True, families=FROZEN)
    assert report.facts["metric"] == "micro-F1"
    assert report.facts["classes"] == 3
    assert max(one.score for one in report.points) > 0.6
    with pytest.raises(LabelError, match="2 label columns; in training there were 3"):
        gather((listed, matrix), (listed, matrix[:, :2]), ReportConfig())
    with pytest.raises(LabelError, match="must hold only 0 and 1"):
        gather((listed, 2 * matrix), None, ReportConfig())
    sets = gather((tuple(listed), [{label} for label in labels]), (listed, [{labels[0]}] * 60), ReportConfig())
    assert sets.labels == [[label] for label in labels]


@pytest.mark.parametrize("missing", [None, float("nan")])
def test_a_missing_text_is_named_by_its_place_among_all(missing):
    listed, labels = texts(60, 1)
    broken = [*listed[:59], missing]
    with pytest.raises(InputError, match="train: text at position 59 must be a str"):
        ws.transfer_report((broken, labels), encoders=[table()])
    with pytest.raises(InputError, match="test: text at position 59 must be a str"):
        ws.transfer_report((listed, labels), (broken, labels), encoders=[table()])


def test_a_sample_that_a_method_cannot_learn_from_is_skipped_and_told(tmp_path):
    listed, labels = texts(60, 1)
    blank = [*["? !"] * 57, "bread soup", "train plane", "euro price"]
    told = []
    report = ws.transfer_report(
        (blank, labels), (listed, labels), encoders=[table()], budgets=(3, 60), seeds=3, families=FROZEN,
        progress=told.append,
    )  # fmt: skip
    assert len(report.points) + len(report.skipped) == told[-1].total == 12
    assert {one.method for one in report.skipped} == {"TF-IDF"}
    assert {one.budget for one in report.skipped} == {3}
    line = next(one for one in report.findings if one.startswith("Skipped"))
    assert line.startswith("Skipped with 3 labels, sample ")
    assert "TF-IDF; none of the 3 texts holds a word" in line
    assert line in report.save(tmp_path / "r.html")[0].read_text()
    assert report.to_dict()["skipped"][0]["why"] in line
    with pytest.raises(InputError, match="no method can learn from any sample; TF-IDF says: none of the"):
        ws.transfer_report((["?"] * 60, labels), encoders=[table()], families=("tf-idf",), quick=True)
