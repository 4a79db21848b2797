"""Texts to chunks."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wordstock.errors import InputError
from wordstock.stores.checking import MAX_TEXT
from wordstock.stores.documents import ChunkSettings, Document, Section, chunk_text, passages
from wordstock.text import Tokenizer

TEXTS = st.text(st.sampled_from("aB .!?\n。語é\u2028"), max_size=300)


def covered(text, chunks):
    return {at for start, stop in chunks for at in range(start, stop)}


def test_sentences_are_packed_with_an_overlap():
    text = "One two three. Four five. Six seven eight. Nine."
    chunks = chunk_text(text, ChunkSettings(size=8, overlap=3))
    assert [text[a:b] for a, b in chunks] == ["One two three. Four five.", "Four five. Six seven eight.", "Nine."]


def test_a_long_sentence_is_cut_between_words():
    text = "word " * 25
    chunks = chunk_text(text, ChunkSettings(size=10, overlap=4))
    assert [text[a:b].count("word") for a, b in chunks] == [10, 10, 10, 7]
    assert all(text[a:b] == text[a:b].strip() for a, b in chunks)


def test_text_without_spaces_is_cut_too():
    text = "語" * 500
    chunks = chunk_text(text, ChunkSettings(size=100, overlap=0))
    assert max(b - a for a, b in chunks) <= 100
    assert covered(text, chunks) == set(range(500))


@pytest.mark.parametrize(
    "text", ["x" * 200_000, "語" * 70_000, "a" + " " * 100_000 + "b", ("é" * 9_000 + "y. A ") * 20]
)
@pytest.mark.parametrize("size", [160, 100_000])
def test_chunks_fit_into_the_field_of_a_store(text, size):
    chunks = chunk_text(text, ChunkSettings(size), count=lambda texts: [1] * len(texts))
    assert max(len(text[a:b].encode()) for a, b in chunks) <= MAX_TEXT
    assert sum(b - a for a, b in chunks) < 2 * len(text)  # half of a chunk at most is in the next
    assert all(text[at].isspace() for at in set(range(len(text))) - covered(text, chunks))


@given(TEXTS, st.integers(1, 12), st.integers(0, 6))
@settings(max_examples=200)
def test_nothing_but_space_is_left_out(text, size, overlap):
    chosen = ChunkSettings(size=size, overlap=min(overlap, size // 2))
    chunks = chunk_text(text, chosen)
    left = set(range(len(text))) - covered(text, chunks)
    assert all(text[at].isspace() for at in left)
    assert all(a < b for a, b in chunks)
    assert [a for a, _ in chunks] == sorted({a for a, _ in chunks})
    assert all(len(Tokenizer()(text[a:b])) <= size for a, b in chunks)


@given(TEXTS)
def test_without_overlap_no_character_is_in_two_chunks(text):
    chunks = chunk_text(text, ChunkSettings(size=5, overlap=0))
    assert sum(b - a for a, b in chunks) == len(covered(text, chunks))


def test_tokens_are_counted_by_the_caller():
    text = "aa bb. cc dd. ee ff."
    chunks = chunk_text(text, ChunkSettings(size=6, overlap=0), count=lambda texts: [len(one) for one in texts])
    assert [text[a:b] for a, b in chunks] == ["aa bb.", "cc dd.", "ee ff."]


def test_no_chunk_crosses_a_section():
    document = Document("notes.md", "One. Two. Three.", sections=(Section(0, 4, {"page": 1}), Section(5, 16)))
    assert [(one.id, one.text, one.metadata) for one in passages(document)] == [
        ("notes.md#0", "One.", {"page": 1, "source": "notes.md", "start": 0, "stop": 4}),
        ("notes.md#1", "Two. Three.", {"source": "notes.md", "start": 5, "stop": 16}),
    ]


def test_ids_of_rows():
    text = "One two. Three four."
    cut = ChunkSettings(size=4, overlap=0)
    assert [one.id for one in passages(Document("a.csv", text, key="7"), cut)] == ["a.csv#7", "a.csv#7.1"]
    assert [one.id for one in passages(Document("a.csv", text, key="x", own_id=True), cut)] == ["x", "x#1"]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"size": 0}, "size=0: a chunk holds at least 1 token"),
        ({"size": 10, "overlap": 6}, "overlap=6: from 0 to half the size, 5"),
        ({"overlap": -1}, "overlap=-1"),
    ],
)
def test_settings_that_cannot_be(values, message):
    with pytest.raises(InputError, match=message):
        ChunkSettings(**values)
