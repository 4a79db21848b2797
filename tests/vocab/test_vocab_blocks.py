"""From the bytes of a file to ids: blocks of lines give what plain Python makes of each line."""

import codecs
import unicodedata

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from wordstock.corpus import ReadReport, lines, read_blocks, read_texts
from wordstock.errors import FormatError, InputError
from wordstock.protocols import TextBlock
from wordstock.text import Tokenizer
from wordstock.text.folds import ASK, POINT, character_folds
from wordstock.vocab import Phrases, PhraseSettings, build_shards, count_words
from wordstock.vocab.batches import batches
from wordstock.vocab.checksum import joined
from wordstock.vocab.folding import Workspace

_BYTES = [
    *(b"\n", b"\n", b"\r\n", b"\r", b" ", b"the cat", b"A b c", b"don't", b"word" * 30, b"ENTITY/Ab(9)", b"xENTITY/B"),
    *(b"\x00", b"\x0b", b"\x1c", b"\x1e", b"\x1f", b"\xff", b"\xc3", b"\xe4\xb8", b"\xf0\x9f", b"\xed\xa0\x80"),
]
_TEXTS = [
    *(
        "\u2028",
        "\x85",
        "\xa0",
        "\u3000",
        "\ufeff",
        "\u0301",
        "\u0323\u0301",
        "\u0301\u0323",
        "\u212b",
        "’",
        "٣",
        "中文",
    ),
    *("é", "e\u0301", "ΣΑΣ", "Σ", "İ", "ẞ", "Ⱥ", "Ǆ", "가각", "\u1100\u1161", "ไทย", "क\u093c\u094d"),
    *("\U0001f600", "\U0002f800"),
]
PIECES = st.lists(st.sampled_from([*_BYTES, *(text.encode() for text in _TEXTS)]), max_size=40).map(b"".join)
TOKENIZERS = st.builds(Tokenizer, casing=st.sampled_from(["lower", "keep"]), digits=st.sampled_from(["keep", "zero"]))


def plain_lines(data):
    """The lines of a text file that hold something."""
    data = data.removeprefix(codecs.BOM_UTF8)
    found = (line.decode(errors="replace").removesuffix("\r") for line in data.split(b"\n"))
    return [line for line in found if line and not line.isspace()]


@given(PIECES, TOKENIZERS, st.sampled_from([1, 7, 64, 1 << 19]))
@example(b"caf\xc3\xa9 \xe2\x80\x99s\r\nThe \xce\xa3\n\n \nlast", Tokenizer(), 5)
@example(codecs.BOM_UTF8 + b"\xff first\n" + b"second \xff", Tokenizer(), 4)
def test_a_file_gives_the_ids_of_its_lines(tmp_path_factory, data, tokenizer, size):
    folder = tmp_path_factory.mktemp("blocks")
    path = folder / "text.txt"
    path.write_bytes(data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "_BLOCK", size)
        report = ReadReport()
        assert list(read_texts(path, kind="text", report=report)) == plain_lines(data)
        reports = report, ReadReport()
        sentences = [words for line in plain_lines(data) if (words := tokenizer(line))]
        blocks = read_blocks(path, kind="text", report=reports[1])
        if not sentences:
            with pytest.raises(InputError, match="empty"):
                build_shards(blocks, folder / "shards", min_count=1, tokenizer=tokenizer)
        else:
            shards = build_shards(blocks, folder / "shards", min_count=1, tokenizer=tokenizer)
            assert list(shards.sentences()) == sentences
            again = build_shards(plain_lines(data), folder / "again", min_count=1, tokenizer=tokenizer)
            assert list(shards.vocabulary.keys) == list(again.vocabulary.keys)
            np.testing.assert_array_equal(np.concatenate(shards.arrays), np.concatenate(again.arrays))
    assert reports[0] == reports[1]


def test_without_the_compiler(passes_without_compiler):
    passes_without_compiler(__file__, options=("-k", "ids_of_its_lines", "-W", "ignore:overflow encountered"))


@given(st.text(st.characters(exclude_categories=["Cs"])), st.booleans(), st.booleans())
@example("x" * 70 + "é" + "y" * 70, True, False)
def test_folding_a_block_is_normalising_its_text(text, lower, zero):
    tokenizer = Tokenizer(casing="lower" if lower else "keep", digits="zero" if zero else "keep")
    (batch,) = batches([TextBlock((text + "\n").encode())], tokenizer)
    folded = Workspace(tokenizer).fold(batch)
    found = folded.text[: folded.size].tobytes().decode()
    assert found == tokenizer.normalize(text + "\n").replace("’", "'")


def test_many_characters_that_need_their_neighbours():
    text = "e\u0301te\u0301 ΣΑΣ " * 3000
    expected = Tokenizer()(text)
    found = count_words([TextBlock(text.encode())])
    assert dict(zip(found.keys, found.counts.tolist(), strict=True)) == {
        word: expected.count(word) for word in set(expected)
    }


def test_single_characters_fold_as_the_tokeniser_folds_them():
    folds = character_folds(lower=True, zero=True)
    tokenizer = Tokenizer(digits="zero")
    for point, entry in enumerate(folds.tolist()):
        if not entry & ASK and not 0xD800 <= point < 0xE000:
            character = chr(point)
            assert chr(entry & POINT) == tokenizer.normalize(character).replace("’", "'")
            assert unicodedata.combining(character) == entry >> 21 & 0xFF


def test_lines_of_any_length_and_many_blocks(tmp_path):
    path = tmp_path / "text.txt"
    long = "a b " * 700_000 + "c" * 1_500_000
    texts = [long, "", "short é", *(f"line {i} " * 50 for i in range(3000)), long]
    path.write_bytes("\n".join(texts).encode())
    report, told = ReadReport(), []
    options = {"report": report, "progress": lambda done, total: told.append((done, total))}
    shards = build_shards(read_blocks(path, **options), tmp_path / "shards", min_count=1, shard_ids=100_000)
    assert list(shards.sentences()) == [Tokenizer()(text) for text in texts if text]
    assert (report.texts, report.documents) == (3003, 3003)
    assert told == sorted(told)
    assert told[-1] == (path.stat().st_size,) * 2


def test_damage_is_told_with_line_and_offset(tmp_path, monkeypatch):
    monkeypatch.setattr(lines, "_BLOCK", 16)
    path = tmp_path / "text.txt"
    path.write_bytes(b"one\ntwo\n" * 20 + b"caf\xe9 au lait\n" + b"three\n" * 20 + b"\xff\n")
    report = ReadReport()
    count_words(read_blocks(path, report=report))
    assert report.left_out["undecodable line, kept"] == 2
    assert "line 41" in report.damages[0].problem
    assert report.damages[0].offset == 163
    with pytest.raises(FormatError, match="line 41"):
        list(read_blocks(path, strict=True))


def test_blocks_sentences_and_words_may_be_mixed():
    corpus = ["a b", TextBlock(b"c d\ne"), ["f g", "h"], TextBlock(b""), TextBlock(memoryview(b"i\n")), "j"]
    found = count_words(corpus, tokenizer=Tokenizer())
    assert sorted(found.keys) == ["a", "b", "c", "d", "e", "f g", "h", "i", "j"]
    with pytest.raises(UnicodeDecodeError):
        TextBlock(b"\xff")


def test_splitters_and_phrases_take_blocks():
    tokenizer = Tokenizer.custom(lambda text: text.split("|"), "bars-of-a-block-test", casing="keep")
    found = count_words([TextBlock("A b|é\r\nA b".encode())], tokenizer=tokenizer)
    assert dict(zip(found.keys, found.counts.tolist(), strict=True)) == {"A b": 2, "é": 1}
    text = b"new york is big\n" * 20 + b"".join(b"new w%d x%d york\n" % (i, i) for i in range(20))
    settings = PhraseSettings(passes=1, threshold=1)
    assert Phrases.learn([TextBlock(text)], settings) == Phrases.learn(text.decode().split("\n"), settings)


@given(st.binary(max_size=300), st.integers(0, 300))
def test_checksums_of_parts(data, cut):
    from zlib import crc32

    assert joined(crc32(data[:cut]), crc32(data[cut:]), len(data[cut:])) == crc32(data)


@given(
    st.lists(st.sampled_from(["a b", "", " ", "\t\r", "\xa0", "\u3000", "\u2028x", "\x85", "“q”", "éa"])), st.booleans()
)
def test_lines_that_hold_something_are_counted(texts, ended):
    data = ("\n".join(texts) + "\n" * ended).encode()
    wanted = sum(bool(line) and not line.isspace() for line in data.decode().split("\n"))
    assert lines.LineCounter().filled(TextBlock(data)) == wanted
