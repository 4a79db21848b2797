"""CoNLL column files and CoNLL-U: what is read, what is written, and the line of what is wrong."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wordstock.errors import FormatError, InputError, LabelError, StorageError
from wordstock.tasks.tagging import read_conll, read_conllu, write_conll, write_conllu

WORDS = st.text(st.characters(blacklist_categories=("Cs", "Cc", "Zs", "Zl", "Zp")), min_size=1, max_size=6)
SENTENCES = st.lists(st.lists(WORDS, min_size=1, max_size=5), min_size=1, max_size=4)


def written(path, text, encoding="utf-8"):
    path.write_bytes(text.encode(encoding))
    return path


def test_conll_2003_with_documents_and_four_columns(tmp_path):
    file = written(
        tmp_path / "a.txt",
        "-DOCSTART- -X- O O\n\nEU NNP I-NP I-ORG\nrejects VBZ I-VP O\n\n\nPeter NNP I-NP I-PER\n. . O O\n",
    )
    read = read_conll(file)
    assert read.sentences == [["EU", "rejects"], ["Peter", "."]]
    assert read.tags == [["I-ORG", "O"], ["I-PER", "O"]]
    assert read.scheme == "iob1"
    assert read.lines == [[3, 4], [7, 8]]
    assert read_conll(file, tag_column=1).scheme == "plain"
    assert read_conll(file, tag_column=None).tags is None


def test_tabs_comments_windows_line_breaks_and_words_with_spaces(tmp_path):
    file = written(
        tmp_path / "a.tsv",
        "\ufeff# id = 1\r\n#\tO\r\nNew York\tB-LOC\r\n\r\n# text = x\r\n#a\tO\t\r\n",
    )
    read = read_conll(file)
    assert read.sentences == [["#", "New York"], ["#a"]]
    assert read.tags == [["O", "B-LOC"], ["O"]]
    assert read.lines == [[2, 3], [6]]


@pytest.mark.parametrize("border", ["-DOCSTART-", "-DOCSTART- O", "-DOCSTART-\tO", "-DOCSTART- -X- -X- O O O"])
@pytest.mark.parametrize("row", ["John\tB-PER", "John NNP B-NP B-PER", "John B-PER"])
def test_a_border_of_documents_may_have_any_number_of_columns(tmp_path, border, row):
    read = read_conll(written(tmp_path / "a.txt", f"{border}\n\n{row}\n\n{border}\n\n{row}\n"))
    assert read.sentences == [["John"], ["John"]]
    assert read.tags == [["B-PER"], ["B-PER"]]
    assert read.lines == [[3], [7]]


def test_a_word_that_begins_like_a_border_is_a_word(tmp_path):
    assert read_conll(written(tmp_path / "a.txt", "-DOCSTART-2\tO\n")).sentences == [["-DOCSTART-2"]]


def test_biluo_is_read_as_bioes(tmp_path):
    file = written(tmp_path / "a.txt", "a U-X\nb O\nc U-Y\n\nd B-X\ne L-X\n")
    read = read_conll(file)
    assert read.scheme == "bioes"
    assert read.tags == [["S-X", "O", "S-Y"], ["B-X", "E-X"]]


@pytest.mark.parametrize("separator", ["\t", " "])
def test_no_break_spaces_stay_in_words(tmp_path, separator):
    words = [["10\u00a0000", "\u00a0a\u00a0", "\u3000b", "c\u2009d"]]
    tags = [["B-X\u00a0Y", "O", "O", "O"]]
    write_conll(tmp_path / "a.txt", words, tags, separator=separator)
    assert read_conll(tmp_path / "a.txt")[:2] == (words, tags)


def test_columns_by_number(tmp_path):
    file = written(tmp_path / "a.iob2", "# sent_id = a\n1\tin\tO\t-\n2\ttampa\tB-LOC\t-\n")
    read = read_conll(file, word_column=1, tag_column=2)
    assert read.sentences == [["in", "tampa"]]
    assert read.tags == [["O", "B-LOC"]]
    with pytest.raises(InputError, match="line 2: no column 7; there are 4"):
        read_conll(file, tag_column=7)


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("a O\nb B-X\n\nc O\nd I-X\n", 5, "'I-X' after 'O': a span starts with B"),
        ("a O\nb B-X\nc\n", 3, "2 columns, parted by spaces"),
        ("a\tO\n\tB-X\n", 2, "a word in column 0"),
        ("a\tO\nb\t \n", 2, "a tag in column -1"),
        ("a O\nb X-Y\nc B-Y\nd B-Z\n", 2, "no tag of IOB2"),
        ("a O\rb B-X\r", 1, "a carriage return within one"),
        ("a O\n\nb B-X\r\r\n", 3, "a carriage return within one"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path, text, line, said):
    file = written(tmp_path / "bad.txt", text)
    with pytest.raises(FormatError, match=f"bad.txt, line {line}: ") as caught:
        read_conll(file)
    assert said in str(caught.value)
    assert caught.value.line == line


def test_repair_mends_what_is_inconsistent(tmp_path):
    file = written(tmp_path / "a.txt", "a O\nb I-X\nc I-X\nd I-Y\n")
    assert read_conll(file, scheme="iob2", repair=True).tags == [["O", "B-X", "I-X", "B-Y"]]
    with pytest.raises(FormatError, match="line 2"):
        read_conll(file, scheme="iob2")
    with pytest.raises(InputError, match="scheme='iob9'"):
        read_conll(file, scheme="iob9")


def test_empty_and_wrongly_encoded_files(tmp_path):
    with pytest.raises(FormatError, match="found no sentence"):
        read_conll(written(tmp_path / "a.txt", "\n\n"))
    file = written(tmp_path / "b.txt", "a O\ncañón O\n", "latin-1")
    with pytest.raises(FormatError, match="line 2, byte 6: expected UTF-8, found the byte 0xf1"):
        read_conll(file)
    assert read_conll(file, encoding="latin-1").sentences == [["a", "cañón"]]
    with pytest.raises(InputError, match="is not known"):
        read_conll(file, encoding="latin-99")
    with pytest.raises(FileNotFoundError):
        read_conll(tmp_path / "none.txt")


@given(SENTENCES)
def test_conll_files_come_back_as_they_went(tmp_path_factory, sentences):
    sentences = [[word.replace("#", "h") for word in one] for one in sentences]
    tags = [["B-X" if at % 2 else "O" for at, _ in enumerate(one)] for one in sentences]
    file = tmp_path_factory.mktemp("conll") / "a.conll"
    for separator in ("\t", " "):
        write_conll(file, sentences, tags, separator=separator)
        assert read_conll(file)[:2] == (sentences, tags)
    write_conllu(file, sentences, tags, column="misc:NER")
    assert read_conllu(file, column="misc:NER")[:2] == (sentences, tags)


def test_writing_refuses_what_could_not_be_read(tmp_path):
    with pytest.raises(InputError, match="holds ' '"):
        write_conll(tmp_path / "a", [["New York"]], [["O"]], separator=" ")
    with pytest.raises(InputError, match="sentence 0 has 1 words but 2 tags"):
        write_conll(tmp_path / "a", [["a"]], [["O", "O"]])
    with pytest.raises(LabelError, match="tag 0 of sentence 0"):
        write_conll(tmp_path / "a", [["a"]], [[None]])
    with pytest.raises(InputError, match="line break"):
        write_conllu(tmp_path / "a", [["a\nb"]], [["X"]])
    with pytest.raises(InputError, match="known are a tab and a space"):
        write_conll(tmp_path / "a", [["a"]], [["O"]], separator=",")
    with pytest.raises(InputError, match="sentence 1: '-DOCSTART-' would become a border of documents"):
        write_conll(tmp_path / "a", [["a"], ["b", "-DOCSTART-"]], [["O"], ["O", "O"]])
    with pytest.raises(InputError, match="line break"):
        write_conll(tmp_path / "a", [["a\n"]], [["O"]])
    with pytest.raises(InputError, match="begins or ends with a space"):
        write_conll(tmp_path / "a", [["a "]], [["O"]])
    with pytest.raises(InputError, match=r"sentence 1: the tag 'B-X\|Y' holds '\|'"):
        write_conllu(tmp_path / "a", [["a"], ["b"]], [["O"], ["B-X|Y"]], column="misc:NER")
    with pytest.raises(InputError, match="known are"):
        write_conllu(tmp_path / "a", [["a"]], [["O"]], column="misc:A=B")
    assert not list(tmp_path.iterdir())
    with pytest.raises(StorageError):
        write_conll(tmp_path, [["a"]], [["O"]])


CONLLU = (
    "# sent_id = 1\n# text = vámonos al mar\n1-2\tvámonos\t_\t_\t_\t_\t_\t_\t_\t_\n"
    "1\tvamos\tir\tVERB\tV\t_\t0\troot\t_\tNER=O|Gloss=go\n2\tnos\tnosotros\tPRON\tP\t_\t1\tobj\t_\t_\n"
    "2.1\tx\t_\t_\t_\t_\t_\t_\t_\t_\n3\tmar\tmar\tNOUN\tN\t_\t1\tobl\t_\tNER=B-LOC\n\n"
)


def test_conllu_leaves_out_ranges_and_empty_words(tmp_path):
    file = written(tmp_path / "a.conllu", CONLLU)
    read = read_conllu(file)
    assert read.sentences == [["vamos", "nos", "mar"]]
    assert read.tags == [["VERB", "PRON", "NOUN"]]
    assert read.lines == [[4, 5, 7]]
    assert read.scheme == "plain"
    assert read_conllu(file, column="deprel").tags == [["root", "obj", "obl"]]
    assert read_conllu(file, column="misc:NER")[1:] == ([["O", "O", "B-LOC"]], [[4, 5, 7]], "iob2")
    assert read_conllu(file, column=None).tags is None


def _emptied(lines, line, column):
    fields = lines[line].split("\t")
    fields[column] = ""
    return [*lines[:line], "\t".join(fields), *lines[line + 1 :]]


def test_conllu_says_which_line_is_wrong(tmp_path):
    with pytest.raises(FormatError, match="line 4: expected ten columns, parted by tabs, found 9"):
        read_conllu(written(tmp_path / "a", CONLLU.replace("\tNER=O|Gloss=go", "")))
    with pytest.raises(FormatError, match="line 7: expected the id 3, found '4'"):
        read_conllu(written(tmp_path / "a", CONLLU.replace("\n3\t", "\n4\t")))
    with pytest.raises(FormatError, match="line 7: expected tags that are valid IOB2"):
        read_conllu(written(tmp_path / "a", CONLLU.replace("B-LOC", "I-LOC")), column="misc:NER", scheme="iob2")
    with pytest.raises(FormatError, match="line 7: expected a word in column 1, found nothing"):
        read_conllu(written(tmp_path / "a", "\n".join(_emptied(CONLLU.split("\n"), 6, 1))))
    with pytest.raises(FormatError, match="line 7: expected a tag in column 3, found nothing"):
        read_conllu(written(tmp_path / "a", "\n".join(_emptied(CONLLU.split("\n"), 6, 3))))
    with pytest.raises(FormatError, match=r"line 1: .*a carriage return within one"):
        read_conllu(written(tmp_path / "a", CONLLU.replace("\n", "\r")))
    with pytest.raises(InputError, match="known are lemma, upos"):
        read_conllu(written(tmp_path / "a", CONLLU), column="pos")


@pytest.mark.skipif("WORDSTOCK_DATA" not in os.environ, reason="WORDSTOCK_DATA names no folder of evaluation data")
def test_public_files_have_as_many_sentences_and_spans_as_their_authors_say():
    from wordstock.tasks.tagging import spans_of

    root = Path(os.environ["WORDSTOCK_DATA"])
    parts = [read_conll(root / "bio-ner" / "NCBI-disease-IOB" / f"{part}.tsv") for part in ("train", "devel", "test")]
    assert [len(part.sentences) for part in parts] == [5424, 923, 940]
    assert sum(len(spans_of(tags)) for part in parts for tags in part.tags) == 6881
    tweets = read_conll(root / "ner-wnut17" / "emerging.test.annotated")
    assert (len(tweets.sentences), len({span.label for tags in tweets.tags for span in spans_of(tags)})) == (1287, 6)
    assert len(read_conllu(root / "ud-pos" / "EWT" / "en_ewt-ud-dev.conllu").sentences) == 2001
    with pytest.raises(FormatError, match="line 55941: expected tags that are valid IOB2, found 'I-ORG' after 'O'"):
        read_conll(root / "ner-uner" / "Danish-DDT" / "da_ddt-ud-train.iob2", word_column=1, tag_column=2)


@pytest.mark.parametrize("column", ["1", True, 1.0])
def test_columns_that_are_no_numbers(tmp_path, column):
    path = tmp_path / "a.conll"
    path.write_text("the\tO\n", encoding="utf-8")
    for name in ("word_column", "tag_column"):
        with pytest.raises(InputError, match=f"{name}={column!r}: needs a whole number"):
            read_conll(path, **{name: column})
    with pytest.raises(InputError, match="column=3: needs the name of a column, or None"):
        read_conllu(path, column=3)
