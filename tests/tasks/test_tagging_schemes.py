"""Tags and spans: schemes, their repair, and scores as conlleval and seqeval count them."""

from __future__ import annotations

import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wordstock.errors import InputError, LabelError
from wordstock.tasks.tagging import convert_tags, detect_scheme, repair_tags, score_spans, spans_of, tags_of
from wordstock.tasks.tagging.schemes import first_fault

SPANNED = ("iob1", "iob2", "bioes")
TAG = st.sampled_from(["O", *(f"{prefix}-{label}" for prefix in "BIES" for label in ("PER", "LOC-X"))])
ANY_TAGS = st.lists(TAG, max_size=12)


@st.composite
def spanned(draw):
    spans, at = [], 0
    for gap, size, label in draw(
        st.lists(st.tuples(st.integers(0, 2), st.integers(1, 3), st.sampled_from(["A", "B-C", ""])), max_size=5)
    ):
        spans.append((at + gap, at + gap + size, label))
        at += gap + size
    return spans, at + draw(st.integers(0, 2))


@given(spanned(), st.sampled_from(SPANNED), st.sampled_from(SPANNED))
def test_spans_survive_every_scheme_and_every_way_between_two(case, source, target):
    spans, length = case
    tags = tags_of(spans, length, source)
    assert first_fault(tags, source) is None
    assert spans_of(tags) == spans
    moved = convert_tags(tags, source, target)
    assert spans_of(moved) == spans
    assert first_fault(moved, target) is None
    assert convert_tags(moved, target, source) == tags


@given(ANY_TAGS, st.sampled_from(SPANNED))
def test_repair_is_valid_keeps_the_spans_and_leaves_valid_tags_alone(tags, scheme):
    mended = repair_tags(tags, scheme)
    assert first_fault(mended, scheme) is None
    assert spans_of(mended) == spans_of(tags)
    if first_fault(tags, scheme) is None:
        assert mended == tags


def test_the_schemes_write_neighbours_as_their_papers_do():
    spans = [(0, 1, "PER"), (1, 3, "PER"), (4, 5, "LOC")]
    assert tags_of(spans, 5, "iob1") == ["I-PER", "B-PER", "I-PER", "O", "I-LOC"]
    assert tags_of(spans, 5, "iob2") == ["B-PER", "B-PER", "I-PER", "O", "B-LOC"]
    assert tags_of(spans, 5, "bioes") == ["S-PER", "B-PER", "E-PER", "O", "S-LOC"]


@pytest.mark.parametrize(
    ("scheme", "tags", "position", "why"),
    [
        ("iob2", "O I-PER", 1, "'I-PER' after 'O': a span starts with B"),
        ("iob2", "I-PER", 0, "at the start of a sentence"),
        ("iob2", "B-PER I-LOC", 1, "'I-LOC' after 'B-PER'"),
        ("iob2", "O S-PER", 1, "no tag of IOB2"),
        ("iob2", "O X", 1, "no tag of IOB2"),
        ("iob1", "O B-PER", 1, "B only parts two spans"),
        ("iob1", "I-LOC B-PER", 1, "B only parts two spans"),
        ("bioes", "B-PER O", 1, "the span before it has no E"),
        ("bioes", "O B-PER", 1, "at the end of a sentence"),
        ("bioes", "S-PER E-PER", 1, "a span starts with B or is S"),
        ("bioes", "B-PER E-LOC", 1, "a span starts with B or is S"),
    ],
)
def test_a_fault_is_found_where_it_is(scheme, tags, position, why):
    fault = first_fault(tags.split(), scheme)
    assert fault is not None
    assert fault.position == position
    assert why in fault.why
    with pytest.raises(LabelError, match=f"tag {position}"):
        convert_tags(tags.split(), scheme, "iob2")


@pytest.mark.parametrize(
    ("expected", "sequences"),
    [
        ("iob2", ["O B-A I-A", "B-A B-A"]),
        ("iob1", ["O I-A I-A", "I-A B-A I-A", "I-B"]),
        ("bioes", ["O S-A", "B-A E-A"]),
        ("plain", ["DET NOUN", "VERB O"]),
        ("iob2", ["O O", "O"]),
        ("iob2", ["B I O", "B"]),
        ("plain", ["B VB NN", "I"]),
    ],
)
def test_schemes_are_found_out(expected, sequences):
    assert detect_scheme([one.split() for one in sequences]) == expected


@pytest.mark.parametrize("tags", ["U-A O U-B", "B-A I-A L-A O U-B", "B-A L-A"])
def test_biluo_is_bioes(tags):
    given = tags.split()
    assert detect_scheme([given]) == "bioes"
    written = [tag.replace("U-", "S-").replace("L-", "E-") for tag in given]
    assert convert_tags(given, "bioes", "iob2") == convert_tags(written, "bioes", "iob2")
    assert repair_tags(given, "bioes") == written
    scores = score_spans([given], [written])
    assert scores.f1 == scores.accuracy == 1


def test_what_is_not_quite_biluo():
    assert detect_scheme([["U", "L"]]) == "plain"
    assert first_fault(["L-A", "O"], "bioes").position == 0
    assert "'U-A' is no tag of IOB2" in first_fault(["U-A"], "iob2").why


def test_what_is_no_span_is_refused():
    with pytest.raises(InputError, match="overlaps"):
        tags_of([(0, 2, "A"), (1, 3, "A")], 3)
    with pytest.raises(InputError, match="does not fit a sentence of 3 words"):
        tags_of([(1, 4, "A")], 3)
    with pytest.raises(InputError, match="known are 'iob1'"):
        tags_of([], 3, "bilou")
    with pytest.raises(InputError, match="plain labels are no spans"):
        convert_tags(["NOUN"], "plain", "iob2")


def seqeval_counts(gold, found):
    from seqeval.metrics.sequence_labeling import get_entities, precision_recall_fscore_support

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of 0 / 0, which is 0 here too
        micro = precision_recall_fscore_support(gold, found, average="micro")
        each = precision_recall_fscore_support(gold, found, average=None)
    names = sorted({kind for one in (gold, found) for kind, _, _ in get_entities(one)})
    return micro, dict(zip(names, zip(*each, strict=True), strict=False))


@given(st.lists(st.lists(st.tuples(TAG, TAG), min_size=1, max_size=12), min_size=1, max_size=4))
def test_scores_are_those_of_seqeval_for_inconsistent_tags_too(cases):
    gold = [[tag for tag, _ in one] for one in cases]
    found = [[tag for _, tag in one] for one in cases]
    micro, each = seqeval_counts(gold, found)
    ours = score_spans(gold, found)
    assert (ours.precision, ours.recall, ours.f1) == pytest.approx(micro[:3])
    assert set(ours.types) == set(each)
    for name, (precision, recall, f1, support) in each.items():
        one = ours.types[name]
        assert (one.precision, one.recall, one.f1, one.gold) == pytest.approx((precision, recall, f1, support))


def test_the_report_is_laid_out_as_conllevals():
    gold = [["B-PER", "I-PER", "O", "B-LOC"], ["O", "B-LOC"]]
    found = [["B-PER", "I-PER", "O", "B-PER"], ["B-LOC", "B-LOC"]]
    assert str(score_spans(gold, found)) == (
        "processed 6 tokens with 3 phrases; found: 4 phrases; correct: 2.\n"
        "accuracy:  66.67%; precision:  50.00%; recall:  66.67%; FB1:  57.14\n"
        "              LOC: precision:  50.00%; recall:  50.00%; FB1:  50.00  2\n"
        "              PER: precision:  50.00%; recall: 100.00%; FB1:  66.67  2"
    )
    with pytest.raises(InputError, match="sentence 1: 2 tags to compare with 1"):
        score_spans(gold, [found[0], ["O"]])
    with pytest.raises(InputError, match="2 sentences of tags to compare with 1"):
        score_spans(gold, found[:1])
