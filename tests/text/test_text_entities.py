"""Tokens of entities: one token with its casing, from the reader to the table."""

import pytest

import wordstock as ws
from wordstock.corpus.wikilinks import entity_token
from wordstock.embeddings import EncodeConfig
from wordstock.text import Tokenizer
from wordstock.text.scripts import ENTITY


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("See ENTITY/Barack_Obama Obama, B.", ["see", "ENTITY/Barack_Obama", "obama", ",", "b", "."]),
        ("(ENTITY/C++_(2011) C)", ["(", "ENTITY/C++_(2011)", "c", ")"]),
        ("It's ENTITY/Can't_Stop_1984 1984", ["it", "'s", "ENTITY/Can't_Stop_1984", "0000"]),
        ("ENTITY/Zürich Zürich\tENTITY/東京 x", ["ENTITY/Zürich", "zürich", "ENTITY/東京", "x"]),
        ("'ENTITY/A ENTITY/ ENTITY/\nB", ["'", "ENTITY/A", "entity", "/", "entity", "/", "b"]),
        ("IDENTITY/Card entity/x", ["identity", "/", "card", "entity", "/", "x"]),
        ("中ENTITY/X é\u0301ENTITY/X", ["中", "entity", "/", "x", "é\u0301entity", "/", "x"]),
    ],
)
def test_entities_are_one_token(text, expected):
    assert Tokenizer(digits="zero")(text) == expected


def test_the_readers_mark_is_the_tokenisers():
    token = entity_token("barack Obama (politician)")
    assert token.startswith(ENTITY)
    for tokenizer in (Tokenizer(), Tokenizer(casing="keep", contractions="none", unspaced="keep")):
        assert tokenizer(f"x {token} y") == ["x", token, "y"]


def test_a_splitter_gets_entities_as_they_are():
    assert Tokenizer.custom(str.split, "blanks-of-a-test")("The ENTITY/New_York Town") == [
        "the",
        "ENTITY/New_York",
        "town",
    ]


def test_entities_get_vectors_and_are_encoded():
    lines = ["We saw ENTITY/New_York New York again", "ENTITY/Paris Paris is a town in ENTITY/France France"] * 10
    table = ws.train_word2vec(lines, dim=4, epochs=1, min_count=1)
    assert {"ENTITY/New_York", "ENTITY/Paris", "ENTITY/France", "new", "paris"} <= set(table.keys)
    assert table.config.tokenizer.casing == "lower"
    plain = table.with_config(pooling="mean")
    assert plain.encode("ENTITY/New_York").tolist() == table["ENTITY/New_York"].tolist()
    assert EncodeConfig.for_keys(["a", "ENTITY/B"]).tokenizer.casing == "lower"
