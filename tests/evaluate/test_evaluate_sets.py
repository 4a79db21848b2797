"""Readers of evaluation sets: every layout, and every way to be malformed."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wordstock.errors import FormatError, InputError
from wordstock.evaluate import (
    AnalogySection,
    AnalogySet,
    Question,
    SimilaritySet,
    read_analogies,
    read_set,
    read_similarity,
)

PAIRS = (("tiger", "cat"), ("Arafat", "peace"), ("book", "paper"))
SCORES = (7.35, 6.73, 7.46)
QUESTIONS = {
    "capital": [Question("Athens", "Greece", "Oslo", ("Norway",)), Question("Oslo", "Norway", "Athens", ("Greece",))],
    "plural": [Question("cat", "cats", "dog", ("dogs",))],
}


def write(folder, text, name="set.txt"):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize(
    "text",
    [
        "tiger\tcat\t7.35\nArafat\tpeace\t6.73\nbook\tpaper\t7.46\n",
        "tiger\tcat\t7.35\r\nArafat\tpeace\t6.73\r\nbook\tpaper\t7.46",
        "\ufefftiger\tcat\t7.35\nArafat\tpeace\t6.73\n\nbook\tpaper\t7.46\n",
        "tiger cat 7.35\nArafat peace 6.73\nbook  paper 7.46\n",
        "tiger,cat,7.35\nArafat,peace,6.73\nbook,paper,7.46\n",
        '"tiger", "cat", 7.35\n"Arafat",peace,6.73\nbook,paper,7.46\n',
        "# comment\ntiger\tcat\t7.35\n# another\nArafat\tpeace\t6.73\nbook\tpaper\t7.46\n",
        "Word 1,Word 2,Human (mean)\ntiger,cat,7.35\nArafat,peace,6.73\nbook,paper,7.46\n",
        ",word1,word2,similarity\n0,tiger,cat,7.35\n1,Arafat,peace,6.73\n2,book,paper,7.46\n",
        "1\ttiger\tcat\t7.35\n2\tArafat\tpeace\t6.73\n3\tbook\tpaper\t7.46\n",
        "word1\tword2\tPOS\tSimLex999\tconc\ntiger\tcat\tN\t7.35\t4\nArafat\tpeace\tN\t6.73\t3\nbook\tpaper\tN\t7.46\t2\n",
        "tiger\tcat\tN\t7.35\tCOHYPONYM\nArafat\tpeace\tN\t6.73\tNONE\nbook\tpaper\tN\t7.46\tNONE\n",
    ],
)
@pytest.mark.parametrize("read", [read_similarity, read_set])
def test_similarity_layouts_read_alike(tmp_path, read, text):
    assert read(write(tmp_path, text)) == SimilaritySet("set", PAIRS, SCORES)


def test_similarity_of_words_with_commas_blanks_and_digits(tmp_path):
    assert read_set(write(tmp_path, "New York\tLos Angeles\t3\n")).pairs == (("New York", "Los Angeles"),)
    assert read_set(write(tmp_path, '"one, two",three,4e-1\n')) == SimilaritySet(
        "set", (("one, two", "three"),), (0.4,)
    )
    numbers = read_set(write(tmp_path, "1984 2001 3.5\n1985 2002 -.5\n"), name="years")
    assert numbers == SimilaritySet("years", (("1984", "2001"), ("1985", "2002")), (3.5, -0.5))
    assert read_similarity(write(tmp_path, "a,b c 1\n"), layout="space").pairs == (("a,b", "c"),)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "two words and a score in every line, found no line"),
        ("# only a comment\n", "found no line"),
        ("tiger\tcat\n", "line 1: expected two words and a score"),
        ("cat dog\ntiger cat 7\n", "line 1: expected two words and a score"),
        ("word1,word2,score\n", "line 1: expected two words and a score"),
        ("man woman 8,3\nking queen 3\n", "line 1: expected two words and a score"),  # no header: a score to repair
        ("man woman nan\nking queen 3\n", "line 1: expected two words and a score"),
        ("tiger\tcat\t7\n\nbook\tpaper\n", "line 3: expected at least 3 cells separated by tab, found 'book"),
        ("tiger\tcat\t7\nbook\tpaper\thigh\n", "line 2: expected a number in column 3"),
        ("tiger\tcat\t7\nbook\tpaper\tnan\n", "line 2: expected a number in column 3"),
        ("tiger\tcat\t7\nbook\tpaper\t1_0\n", "line 2: expected a number in column 3"),
        ("tiger\tcat\t7\nbook\tpaper\t1e999\n", "line 2: expected a number in column 3"),
        ("tiger\tcat\t7\nbook\t \t1\n", "line 2: expected two words"),
        ('a,b,1\nc,d,2\n"c,d,3\n', "line 3: expected comma-separated values"),
        (b"tiger\tcat\t7\nb\xfck\tpaper\t1\n", "byte 13: expected UTF-8 text, found byte 0xfc; save the file as UTF-8"),
        ("tiger\tcat\t7\n".encode("utf-16"), "expected UTF-8 text"),
    ],
)
def test_malformed_similarity(tmp_path, text, message):
    path = write(tmp_path, text)
    with pytest.raises(FormatError, match=r"set\.txt") as caught:
        read_similarity(path)
    assert message in str(caught.value)


def google(sections):
    lines = []
    for name, questions in sections.items():
        lines += [f": {name}", *(" ".join([*question[:3], question.answers[0]]) for question in questions)]
    return "\n".join(lines) + "\n"


def wanted(sections, name="set"):
    return AnalogySet(name, tuple(AnalogySection(key, tuple(value)) for key, value in sections.items()))


def test_google_layout(tmp_path):
    text = google(QUESTIONS)
    for variant in (text, text.replace("\n", "\r\n"), "\ufeff" + text, text.replace(" ", "  "), "# x\n\n" + text):
        path = write(tmp_path, variant)
        assert read_set(path) == read_analogies(path) == read_analogies(path, layout="google") == wanted(QUESTIONS)
    years = read_set(write(tmp_path, ": years\n1 2 3 4\n"))
    assert years.sections[0].questions == (Question("1", "2", "3", ("4",)),)
    assert len(wanted(QUESTIONS)) == 3


def test_csv_layout(tmp_path):
    lines = [",type,word1,word2,word3,target"]
    lines += [
        f"{i},{kind},{','.join(question[:3])},{question.answers[0]}"
        for kind, questions in QUESTIONS.items()
        for i, question in enumerate(questions)
    ]
    assert read_set(write(tmp_path, "\n".join(lines))) == wanted(QUESTIONS)
    bare = write(tmp_path, "word1,word2,word3,target\na,b,c,d\n")
    assert read_set(bare) == wanted({"": [Question("a", "b", "c", ("d",))]})


def test_msr_layout(tmp_path):
    write(tmp_path, "good better rough\nbetter good rougher\ngood best rough\n", "words.questions")
    write(tmp_path, "JJ_JJR rougher\nJJR_JJ rough\nJJ_JJS roughest\n", "words.answers")
    found = read_set(tmp_path / "words.questions")
    assert found == read_set(tmp_path / "words.questions", layout="msr")
    assert found.sections[0] == AnalogySection("JJ_JJR", (Question("good", "better", "rough", ("rougher",)),))
    assert [section.name for section in found.sections] == ["JJ_JJR", "JJR_JJ", "JJ_JJS"]
    assert read_set(tmp_path).sections == found.sections


def test_bats_layout(tmp_path):
    (tmp_path / "1_Inflection").mkdir()
    write(tmp_path / "1_Inflection", "album\talbums\napple\tapples\nday\tdays\n", "I01 [noun - plural].txt")
    (tmp_path / "3_Encyclopedia").mkdir()
    write(tmp_path / "3_Encyclopedia", "andorra\tcatalan\nchile\tspanish/castilian/\n", "E02 [country - language].txt")
    found = read_set(tmp_path, name="bats")
    assert [section.name for section in found.sections] == [
        "1_Inflection/I01 [noun - plural]",
        "3_Encyclopedia/E02 [country - language]",
    ]
    assert list(map(len, found.sections)) == [6, 2]
    assert found.sections[0].questions[0] == Question("album", "albums", "apple", ("apples",))
    assert found.sections[1].questions == (
        Question("andorra", "catalan", "chile", ("spanish", "castilian")),
        Question("chile", "spanish", "andorra", ("catalan",)),
    )
    single = read_set(tmp_path / "3_Encyclopedia" / "E02 [country - language].txt")
    assert single.sections[0].questions == found.sections[1].questions


@pytest.mark.parametrize(
    ("text", "layout", "message"),
    [
        ("a b c d\n: late\na b c d\n", None, "line 1: expected a section line, found 'a b c d'; start the file with"),
        (": s\na b c d\n\na b c\n", None, "line 4: expected four words, or a section line"),
        (": s\na b c d e\n", None, "line 2: expected four words"),
        (": empty\n", None, "expected at least one question, found none"),
        ("", "google", "expected at least one question, found none"),
        ("", "csv", "expected a header with word1, word2, word3, target"),
        ("word1,word2,word3\na,b,c\n", "csv", "line 1: expected a header with word1, word2, word3, target, found no"),
        ("type,word1,word2,word3,target\nx,a,b,c,d\nx,a,b,c\n", None, "line 3: expected 5 cells"),
        ("type,word1,word2,word3,target\nx,a,b,,d\n", None, "line 2: expected 5 cells with four words"),
        ("cat\tcats\ndog\n", None, "line 2: expected a word and its answers"),
        ("cat\tcats\ndog\t/\n", None, "line 2: expected a word and its answers"),
        ("cat\tcats\n", None, "expected at least one question, found none"),
        ("cat\tcats\n" * 1001, None, "expected at most 1,000 pairs in a relation"),
        ("a b c\n", "msr", "expected the answers in set.answers beside it, found no such file"),
        ("a b c d e f\n", None, "expected analogy questions, found lines of another kind"),
    ],
)
def test_malformed_analogies(tmp_path, text, layout, message):
    path = write(tmp_path, text)
    with pytest.raises(FormatError) as caught:
        read_analogies(path, layout=layout)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("questions", "answers", "message"),
    [
        ("a b c\n", "R d\nR e\n", "expected 1 answers, one per question, found 2"),
        ("a b c\na b\n", "R d\nR e\n", "w.questions, line 2: expected three words"),
        ("a b c\na b c\n", "R d\ne\n", "w.answers, line 2: expected a relation and a word"),
    ],
)
def test_malformed_msr(tmp_path, questions, answers, message):
    write(tmp_path, questions, "w.questions")
    write(tmp_path, answers, "w.answers")
    with pytest.raises(FormatError) as caught:
        read_set(tmp_path)
    assert message in str(caught.value)


def test_wrong_places_and_layouts(tmp_path):
    with pytest.raises(FormatError, match="txt files, one per relation, found none"):
        read_set(tmp_path)
    with pytest.raises(FormatError, match="expected one"):
        read_analogies(tmp_path, layout="msr")
    with pytest.raises(InputError, match="is a folder; give a file"):
        read_similarity(tmp_path)
    with pytest.raises(FileNotFoundError):
        read_set(tmp_path / "absent.txt")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FormatError, match="found a pipe or device; write it to a file first"):
        read_set(tmp_path / "pipe")
    path = write(tmp_path, "neither of them\n")
    with pytest.raises(FormatError, match="found neither in its first two lines; name the layout"):
        read_set(path)
    for read in (read_set, read_similarity, read_analogies):
        with pytest.raises(InputError, match="layout='bat': known are"):
            read(path, layout="bat")
    with pytest.raises(FormatError, match="line 1: expected"):
        read_set(path, layout="tab")
    with pytest.raises(FormatError, match="line 1: expected a section line"):
        read_set(path, layout="google")


def test_sets_are_checked():
    with pytest.raises(InputError, match="1 scores for 2 pairs"):
        SimilaritySet("x", (("a", "b"), ("c", "d")), (1.0,))
    with pytest.raises(InputError, match="holds no pair"):
        SimilaritySet("x", (), ())
    with pytest.raises(InputError, match=r"the score of \('a', 'b'\) is nan"):
        SimilaritySet("x", (("a", "b"),), (float("nan"),))
    with pytest.raises(InputError, match="holds no question"):
        AnalogySet("x", (AnalogySection("s", ()),))
    with pytest.raises(InputError, match="has no answer"):
        AnalogySet("x", (AnalogySection("s", (Question("a", "b", "c", ()),)),))


WORDS = st.text("abcäßÀ한'-9", min_size=1, max_size=6)


@given(
    st.lists(st.tuples(WORDS, WORDS, st.floats(-1e6, 1e6)), min_size=1, max_size=8),
    st.sampled_from(["\t", " ", ","]),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
)
def test_written_similarity_sets_read_back(tmp_path_factory, entries, separator, end, header):
    lines = [separator.join(["first", "second", "score"])] if header else []
    lines += [separator.join([a, b, f"{score:.9f}"]) for a, b, score in entries]
    path = write(tmp_path_factory.getbasetemp(), end.join(lines), "similarity.txt")
    found = read_set(path)
    assert found.pairs == tuple((a, b) for a, b, _ in entries)
    assert found.scores == tuple(float(f"{score:.9f}") for *_, score in entries)


@given(st.dictionaries(WORDS, st.lists(st.tuples(WORDS, WORDS, WORDS, WORDS), max_size=4), min_size=1, max_size=4))
def test_written_analogies_read_back(tmp_path_factory, entries):
    sections = {key: [Question(a, b, c, (d,)) for a, b, c, d in lines] for key, lines in entries.items()}
    path = write(tmp_path_factory.getbasetemp(), google(sections), "analogies.txt")
    if any(sections.values()):
        assert read_set(path) == wanted(sections, "analogies")
    else:
        with pytest.raises(FormatError):
            read_set(path)


NOISE = st.lists(
    st.text(st.sampled_from('ab1.,\t :"#-é\x00\x0b\x85\ufeff\r'), max_size=14)
    | st.sampled_from(["a\tb\t1", "a,b,1", ": s", "a b c d", "word1,word2,word3,target", ",word1,word2,score"]),
    max_size=5,
).map("\n".join)


@given(NOISE.map(str.encode) | st.binary(max_size=40), st.sampled_from([None, "tab", "comma", "google", "csv", "bats"]))
def test_any_content_is_read_or_refused(tmp_path_factory, content, layout):
    path = write(tmp_path_factory.getbasetemp(), content, "noise.txt")
    try:
        found = read_set(path, layout=layout)
    except (FormatError, InputError):
        return
    assert len(found) > 0
