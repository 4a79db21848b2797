"""The class report against scikit-learn's, the calibration error by hand, and the picture."""

import numpy as np
import pytest
from sklearn.metrics import classification_report

from wordstock.errors import InputError, LabelError
from wordstock.evaluate import class_report, expected_calibration_error, plot_confusion
from wordstock.tasks.labels import LabelCodec


class Answers:
    """A classifier that gives the answers it was made with."""

    def __init__(self, labels, answers, shares=None):
        self.codec_, _ = LabelCodec.learn(labels)
        self.classes_ = self.codec_.classes
        self.answers, self.shares = answers, shares

    def predict(self, X):
        return self.answers[: len(X)]

    def predict_proba(self, X):
        if self.shares is not None:
            return self.shares
        found = self.codec_.encode(self.predict(X))
        return found.astype(float) if found.ndim == 2 else np.eye(len(self.classes_))[found]


@pytest.fixture
def labelled():
    random = np.random.default_rng(0)
    names = np.array(["a", "b", "c", "d"])
    right = names[random.integers(0, 4, 200)]
    given = np.where(random.random(200) < 0.7, right, names[random.integers(0, 4, 200)])
    return [f"text {i}" for i in range(200)], right.tolist(), given.tolist()


def test_figures_are_those_of_scikit_learn(labelled):
    texts, right, given = labelled
    report = class_report(Answers(right, given), texts, right)
    theirs = classification_report(right, given, output_dict=True)
    assert report.accuracy == pytest.approx(theirs["accuracy"])
    assert report.texts == 200
    for one in report.classes:
        scores = theirs[one.label]
        assert (one.precision, one.recall, one.f1) == pytest.approx(
            (scores["precision"], scores["recall"], scores["f1-score"])
        )
        assert one.texts == scores["support"]
    for name in ("macro", "weighted"):
        assert getattr(report, name).f1 == pytest.approx(theirs[f"{name} avg"]["f1-score"])
    assert report.micro.f1 == pytest.approx(report.accuracy)
    assert sum(one.texts for one in report.confusions) == round(200 * (1 - report.accuracy))
    assert report.confusions[0].texts == max(one.texts for one in report.confusions)
    assert report.calibration_error == pytest.approx(1 - report.accuracy)  # always quite sure
    shown = str(report)
    for part in ("precision", "macro", "micro", "weighted", "200", f"{report.accuracy:.3f}"):
        assert part in shown


def test_several_labels():
    right = [["a"], ["a", "b"], [], ["b"]]
    given = [["a"], ["a"], ["b"], ["b"]]
    report = class_report(Answers(right, given), ["w", "x", "y", "z"], right)
    assert report.accuracy == 0.5
    assert report.matrix is None
    assert report.confusions == []
    by_name = {one.label: one for one in report.classes}
    assert (by_name["a"].precision, by_name["a"].recall) == (1.0, 1.0)
    assert (by_name["b"].precision, by_name["b"].recall) == (0.5, 0.5)
    assert report.micro.f1 == pytest.approx(0.75)
    assert "confusions" not in report.to_dict()
    with pytest.raises(InputError, match="no confusion matrix"):
        plot_confusion(report, "x.png")


def test_absent_classes_do_not_dilute_the_mean(labelled):
    texts, right, given = labelled
    whole = class_report(Answers(right, given), texts, right)
    wider = class_report(Answers([*right, "never"], given), texts, right)
    assert wider.macro.f1 == pytest.approx(whole.macro.f1)
    assert len(wider.classes) == 5


def test_calibration_error_by_hand():
    shares = np.array([[0.95, 0.05], [0.95, 0.05], [0.3, 0.7], [0.4, 0.6]])
    target = np.array([0, 1, 1, 1])
    # One bin holds .95 twice, half of them right; those of .7 and .6, in two bins, are right.
    assert expected_calibration_error(shares, target, bins=10) == pytest.approx((0.9 + 0.3 + 0.4) / 4)
    assert expected_calibration_error(np.array([[1.0], [0.0]]), np.array([[True], [False]])) == 0


@pytest.mark.parametrize(
    ("shares", "target", "bins", "said"),
    [
        ([[0.5, 0.5]], [0], 0, "bins=0"),
        ([[0.5, np.nan]], [0], 15, "from 0 to 1"),
        ([[1.5, -0.5]], [0], 15, "from 0 to 1"),
        ([[0.5, 0.5]], [0, 1], 15, r"shape \(1, 2\), target \(2,\)"),
        ([[0.5, 0.5]], [[True]], 15, r"target \(1, 1\)"),
        ([0.5], [0], 15, r"shape \(1,\)"),
        (np.empty((1, 0)), [0], 15, r"shape \(1, 0\)"),
    ],
)
def test_probabilities_without_a_calibration_error(shares, target, bins, said):
    with pytest.raises(InputError, match=said):
        expected_calibration_error(np.array(shares), np.array(target), bins=bins)


def test_bad_input_is_said(labelled):
    texts, right, given = labelled
    with pytest.raises(InputError, match="200 texts and 199 labels"):
        class_report(Answers(right, given), texts, right[:-1])
    with pytest.raises(LabelError, match="unknown label 'z'"):
        class_report(Answers(right, given), texts[:1], ["z"])


@pytest.mark.parametrize("most", [3, 40])
def test_the_picture(tmp_path, labelled, most):
    pytest.importorskip("matplotlib")
    from matplotlib.image import imread

    texts, right, given = labelled
    report = class_report(Answers(right, given), texts, right)
    plot_confusion(report, tmp_path / "c.png", most=most)
    picture = imread(tmp_path / "c.png")
    assert picture.shape[0] > 300
    assert picture[..., :3].std() > 0.1  # something is drawn
    with pytest.raises(InputError, match="most=1"):
        plot_confusion(report, tmp_path / "c.png", most=1)


def test_dollar_signs_are_no_formulas(tmp_path):
    pytest.importorskip("matplotlib")
    right = ["$a_{$", "price_$5^$", "$", "$\\frac$"]
    report = class_report(Answers(right, right), ["text"] * 4, right)
    plot_confusion(report, tmp_path / "c.png", title="$\\none$ of $it^$")
    assert (tmp_path / "c.png").stat().st_size > 1000
