"""Digits, scripts without spaces, splitters, and settings in cards of this version and older ones."""

import sys
import types

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wordstock.embeddings import EncodeConfig
from wordstock.errors import InputError, MissingExtraError
from wordstock.text import Tokenizer, register_splitter
from wordstock.text.scripts import character_classes
from wordstock.text.segment import segmenter


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("我喜欢北京。", ["我", "喜", "欢", "北", "京", "。"]),
        ("日本語のペンは3本", ["日", "本", "語", "の", "ペ", "ン", "は", "3", "本"]),
        ("ที่นี่", ["ที่", "นี่"]),
        ("ລາວ", ["ລ", "າ", "ວ"]),
        ("ខ្មែរ", ["ខ្", "មែ", "រ"]),
        ("မြန်မာ ၁၂", ["မြ", "န်", "မာ", "၁၂"]),
        ("BERT模型v2的", ["bert", "模", "型", "v2", "的"]),
        ("서울은 크다", ["서울은", "크다"]),
        ("𠮷野家", ["𠮷", "野", "家"]),
    ],
)
def test_scripts_without_spaces_become_characters(text, expected):
    assert Tokenizer()(text) == expected


def test_runs_are_kept_where_asked_for():
    assert Tokenizer(unspaced="keep")("北京 很大。abc中文") == ["北京", "很大", "。", "abc中文"]


@given(st.text())
def test_no_character_is_lost_to_a_script(text):
    for tokenizer in (Tokenizer(casing="keep"), Tokenizer(casing="keep", unspaced="keep")):
        normal = tokenizer.normalize(text)
        tokens = tokenizer(text)
        assert "".join(tokens) == "".join(c for c in normal if not c.isspace())


def test_digits():
    tokenizer = Tokenizer(digits="zero")
    assert tokenizer("In 1984, 3.5% x2 ١٢ ²") == ["in", "0000", ",", "0", ".", "0", "%", "x0", "00", "²"]
    assert Tokenizer()("1984") == ["1984"]


def test_a_splitter_gets_normalised_text():
    tokenizer = Tokenizer.custom(lambda text: [*text.split("-"), ""], "dashes", digits="zero")
    assert tokenizer("Cafe\u0301-No 5") == ["café", "no 0"]
    again = Tokenizer.from_dict(tokenizer.to_dict())
    assert again == tokenizer
    assert again("A-B") == ["a", "b"]


@pytest.mark.parametrize("given", [lambda text: None, lambda text: [1, 2], lambda text: [b"a"]])
def test_a_splitter_that_gives_no_words_is_named(given):
    with pytest.raises(InputError, match="the splitter 'no words' must give words as str, not "):
        Tokenizer.custom(given, "no words")("a b")


@pytest.mark.parametrize("text", [None, 5, b"a b", ["a"]])
def test_a_text_is_a_str(text):
    with pytest.raises(InputError, match="a text must be a str, not"):
        Tokenizer()(text)


def test_an_unknown_splitter_is_named_when_it_is_needed():
    tokenizer = Tokenizer.from_dict({"split": "nobody-knows"})
    with pytest.raises(InputError, match=r"split='nobody-knows': known are 'words'.*register_splitter"):
        tokenizer("text")
    for name, function in (("words", str.split), ("", str.split), ("x", 3)):
        with pytest.raises(InputError, match="splitter"):
            register_splitter(name, function)
    with pytest.raises(InputError, match="split=''"):
        Tokenizer(split="")


@pytest.mark.parametrize("setting", ["digits", "unspaced"])
def test_unknown_settings_are_refused(setting):
    with pytest.raises(InputError, match=f"{setting}='nothing': known are"):
        Tokenizer(**{setting: "nothing"})


def test_cards_of_older_versions_mean_what_they_meant():
    old = {"casing": "keep", "contractions": "none"}
    tokenizer = Tokenizer.from_dict(old)
    assert tokenizer == Tokenizer(casing="keep", contractions="none", digits="keep", unspaced="keep", split="words")
    assert tokenizer.to_dict() == old  # and so the table's fingerprint stays
    values = {"pooling": "mean", "sif_a": 1e-3, "unit": True, "case": "exact", "tokenizer": old}
    assert EncodeConfig.from_dict(values).to_dict() == values


@given(
    st.builds(
        Tokenizer,
        casing=st.sampled_from(["lower", "keep"]),
        contractions=st.sampled_from(["english", "none"]),
        digits=st.sampled_from(["keep", "zero"]),
        unspaced=st.sampled_from(["characters", "keep", "jieba", "fugashi", "pythainlp"]),
        split=st.sampled_from(["words", "mine"]),
    )
)
def test_settings_come_back_from_a_card(tokenizer):
    assert Tokenizer.from_dict(tokenizer.to_dict()) == tokenizer


def test_a_card_of_a_later_version_is_refused():
    with pytest.raises(InputError, match="tokenizer settings stemming are not known; upgrade"):
        Tokenizer.from_dict({"stemming": "porter"})


def test_a_table_of_an_unspaced_script_splits_it():
    assert EncodeConfig.for_keys(["the", "of"]).tokenizer.unspaced == "keep"
    assert EncodeConfig.for_keys(["the", "北京"]).tokenizer.unspaced == "characters"


def test_segmenters_get_runs_of_their_scripts_only(monkeypatch):
    asked = []

    def cut(run):
        asked.append(run)
        return [run[:2], " ", run[2:]]

    monkeypatch.setitem(sys.modules, "jieba", types.SimpleNamespace(cut=cut))
    segmenter.cache_clear()
    tokenizer = Tokenizer(unspaced="jieba")
    assert tokenizer("I ❤ 北京大学, 3年 ペン") == ["i", "❤", "北京", "大学", ",", "3", "年", "ペ", "ン"]
    assert asked == ["北京大学", "年"]
    assert tokenizer("it's ok") == ["it", "'s", "ok"]
    segmenter.cache_clear()


def test_a_missing_segmenter_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "fugashi", None)
    segmenter.cache_clear()
    assert Tokenizer(unspaced="fugashi")("plain text") == ["plain", "text"]
    with pytest.raises(MissingExtraError, match=r"wordstock\[segment\]"):
        Tokenizer(unspaced="fugashi")("東京")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("jieba", "我来到北京清华大学", ["我", "来到", "北京", "清华大学"]),
        ("fugashi", "東京でペンを買う", ["東京", "で", "ペン", "を", "買う"]),
        ("pythainlp", "ฉันรักภาษาไทย", ["ฉัน", "รัก", "ภาษาไทย"]),
    ],
)
def test_real_segmenters(name, text, expected):
    pytest.importorskip(name)
    segmenter.cache_clear()
    assert Tokenizer(unspaced=name)(f"x {text}. y") == ["x", *expected, ".", "y"]


def test_classes_of_characters():
    every, plain = character_classes(unspaced=True), character_classes(unspaced=False, ascii_only=True)
    assert (every[:128] == plain).all()
    assert len(every) == sys.maxunicode + 1
