"""Analogies against gensim's ``evaluate_word_analogies``."""

import json

import numpy as np
import pytest
from gensim.models import KeyedVectors

from wordstock import Embeddings
from wordstock.embeddings import quantize
from wordstock.errors import InputError
from wordstock.evaluate import AnalogySection, AnalogySet, Question, evaluate_analogy

COUNTRIES = ["Greece", "Norway", "France", "Chad", "Iraq", "Cuba", "Peru", "Mali"]
CAPITALS = ["Athens", "Oslo", "Paris", "N'Djamena", "Baghdad", "Havana", "Lima", "Bamako"]


def table(noise=0.6, seed=0):
    """Capitals near country + offset, each key in several cases, among other words."""
    rng = np.random.default_rng(seed)
    keys, vectors = [], []
    offset = rng.standard_normal(8)
    for country, capital in zip(COUNTRIES, CAPITALS, strict=True):
        base = rng.standard_normal(8)
        for form in (str, str.lower, str.upper):
            keys += [form(country), form(capital)]
            vectors += [base + noise * rng.standard_normal(8) for _ in range(2)]
            vectors[-1] += offset
    keys += [f"w{i}" for i in range(400)]
    vectors += list(rng.standard_normal((400, 8)))
    order = rng.permutation(len(keys))
    keys, matrix = [keys[i] for i in order], np.array(vectors, np.float32)[order]
    peer = KeyedVectors(8)
    peer.add_vectors(keys, matrix)
    return Embeddings.from_arrays(keys, matrix), peer


def capitals(extra=()):
    pairs = list(zip(COUNTRIES, CAPITALS, strict=True))
    asked = [Question(a, b, c, (d,)) for a, b in pairs for c, d in pairs if a != c]
    back = [Question(b, a, d, (c,)) for a, b in pairs for c, d in pairs if a != c]
    return AnalogySet("capitals", (AnalogySection("forth", (*asked, *extra)), AnalogySection("back", tuple(back))))


def write(folder, dataset):
    path = folder / "questions.txt"
    lines = []
    for section in dataset.sections:
        lines += [f": {section.name}", *(" ".join([*q[:3], q.answers[0]]) for q in section.questions)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(path)


def counts(section):
    return section.correct, section.answered - section.correct


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("fold", [True, False])
@pytest.mark.parametrize("restrict", [None, 400])
def test_equal_to_gensim(tmp_path, fold, restrict, seed):
    emb, peer = table(seed=seed)
    extra = (
        Question("GREECE", "athens", "Norway", ("OSLO",)),
        Question("w1", "w2", "w3", ("w4",)),
        Question("unknown", "Athens", "Norway", ("Oslo",)),
        Question("Greece", "Athens", "Norway", ("absent",)),
    )
    dataset = capitals(extra)
    result = evaluate_analogy(emb, dataset, restrict=restrict, case="fold" if fold else "exact")
    path = write(tmp_path, dataset)
    score, sections = peer.evaluate_word_analogies(path, restrict_vocab=restrict or len(emb), case_insensitive=fold)
    for ours, theirs in zip((*result.sections, result.total), sections, strict=True):
        assert counts(ours) == (len(theirs["correct"]), len(theirs["incorrect"]))
    assert result.total.accuracy == pytest.approx(score)
    assert 0 < result.total.correct < result.total.answered
    dummy, _ = peer.evaluate_word_analogies(
        path, restrict_vocab=restrict or len(emb), case_insensitive=fold, dummy4unknown=True
    )
    assert result.total.accuracy_all == pytest.approx(dummy)
    assert result.total.skipped == result.total.questions - result.total.answered >= 2
    assert {"absent", "unknown"} <= set(result.oov_words)


@pytest.mark.filterwarnings("ignore:Call to deprecated `init_sims`:DeprecationWarning")
def test_3cosmul_equals_gensim():
    emb, peer = table(noise=0.3)
    result = evaluate_analogy(emb, capitals(), method="3cosmul", case="exact")
    for section, score in zip(capitals().sections, result.sections, strict=True):
        right = sum(
            peer.most_similar_cosmul(positive=[b, c], negative=[a], topn=1)[0][0] in answers
            for a, b, c, answers in section.questions
        )
        assert score.correct == right
    assert result.method == "3cosmul"
    assert 0 < result.total.correct < result.total.answered


def test_every_variant_of_a_question_word_is_passed_over():
    """Gensim looks at five candidates only; more variants than that may stand before the answer."""
    forms = ["oslo", "Oslo", "OSLO", "oSlo", "osLo", "oslO", "OsLo", "OSlo"]
    vectors = np.array([[1, 0], [0.9, 0.2], *[[0.8, 0.6]] * len(forms), [0.5, 0.9]], np.float32)
    emb = Embeddings.from_arrays(["a", "b", *forms, "d"], vectors)
    dataset = AnalogySet("x", (AnalogySection("s", (Question("a", "b", "oslo", ("d",)),)),))
    assert evaluate_analogy(emb, dataset).total.correct == 1
    assert evaluate_analogy(emb, dataset, case="exact").total.correct == 0


def test_any_of_several_answers_is_right():
    emb, _ = table(noise=0.1)
    first = capitals().sections[0].questions
    several = tuple(question._replace(answers=("absent", "w5", *question.answers)) for question in first)
    none_right = tuple(question._replace(answers=("absent", "w5")) for question in first)
    unknown = tuple(question._replace(answers=("absent", "gone")) for question in first)
    dataset = AnalogySet(
        "x",
        (
            AnalogySection("one", first),
            AnalogySection("several", several),
            AnalogySection("wrong", none_right),
            AnalogySection("unknown", unknown),
            AnalogySection("empty", ()),
        ),
    )
    one, more, wrong, skipped, empty = evaluate_analogy(emb, dataset).sections
    assert one.correct == more.correct > 0.8 * one.questions
    assert (wrong.answered, wrong.correct, wrong.accuracy) == (len(first), 0, 0)
    assert (skipped.answered, skipped.accuracy, skipped.accuracy_all) == (0, None, 0)
    assert (empty.accuracy, empty.accuracy_all) == (None, None)


@pytest.mark.parametrize("precision", ["float16", "int8"])
def test_other_precisions(precision):
    emb, _ = table()
    exact, found = (
        evaluate_analogy(e, capitals(), restrict=r).total
        for e, r in ((emb, 300), (emb.with_storage(quantize(emb.storage, precision)), 300))
    )
    assert found.answered == exact.answered
    assert abs(found.correct - exact.correct) <= 5


@pytest.mark.parametrize("restrict", [None, 8])
def test_keys_that_share_a_row(restrict):
    """The first key of a row stands for it, and no key of a question word's row is an answer."""
    vectors = np.array([[1, 0, 0], [1, 1, 0], [0, 0, 1], [0.1, 1, 1], [0, 0.3, 1], [0, -1, 0]], np.float32)
    keys = ["a", "b", "c", "c2", "d", "d2", "other", "last"]
    emb = Embeddings.from_arrays(keys, vectors, rows=[5, 1, 2, 2, 3, 3, 4, 0])
    questions = (Question("last", "b", "c", ("d",)), Question("last", "b", "c2", ("d2",)))
    dataset = AnalogySet("x", (AnalogySection("s", questions),))
    assert evaluate_analogy(emb, dataset, restrict=restrict).total.correct == 1
    assert evaluate_analogy(emb, dataset, restrict=7).total.answered == 0


def test_nothing_known_and_tiny_tables():
    emb = Embeddings.from_arrays(["a", "b", "c"], np.eye(3))
    lost = AnalogySet("x", (AnalogySection("s", (Question("q", "r", "s", ("t",)),)),))
    total = evaluate_analogy(emb, lost).total
    assert (total.answered, total.accuracy, total.accuracy_all) == (0, None, 0)
    own = AnalogySet("x", (AnalogySection("s", (Question("a", "b", "c", ("b",)),)),))
    total = evaluate_analogy(emb, own).total
    assert (total.answered, total.correct) == (1, 0)  # no key is left to answer with


def test_json_and_refusals():
    emb, _ = table()
    plain = json.loads(json.dumps(evaluate_analogy(emb, capitals()).to_dict(), allow_nan=False))
    assert plain["kind"] == "analogy"
    assert [section["name"] for section in plain["sections"]] == ["forth", "back"]
    assert plain["total"]["accuracy"] == plain["total"]["correct"] / plain["total"]["answered"]
    with pytest.raises(InputError, match="method='add': known are '3cosadd', '3cosmul'"):
        evaluate_analogy(emb, capitals(), method="add")
    for wrong in (0, 1.5, "3"):
        with pytest.raises(InputError, match=f"restrict={wrong!r}: needs a whole number"):
            evaluate_analogy(emb, capitals(), restrict=wrong)
    with pytest.raises(InputError, match="case='x'"):
        evaluate_analogy(emb, capitals(), case="x")
