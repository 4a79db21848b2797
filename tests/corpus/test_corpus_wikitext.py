"""Wiki markup to text: each construct, balance, and what another parser says."""

import mwparserfromhell
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wordstock.corpus import plain_text
from wordstock.corpus.wikilinks import LinkNames

CASES = {
    "a [[b]]s and [[c d|e]]": "a bs and e",
    "x{{a|{{b|{{{c|}}}}}|d}}y": "xy",
    "one\n{| class=x\n|-\n| cell\n{|\n| inner\n|}\n|}\ntwo": "one\ntwo",
    'said<ref name="a">no [[x]]</ref> so<ref name=a /> then': "said so then",
    "[[File:A.jpg|thumb|left|A [[link|text]] and [http://x.org more] in ''it'']]seen": "seen",
    "[[Datei:A.jpg|mini|Bild [[von]] dort]] [[Bild]]": "Bild",
    "a<!-- gone [[x]] -->b": "ab",
    "<nowiki>[[not]] {{a}} ''link''</nowiki> ''it''": "[[not]] {{a}} ''link'' it",
    "E is <math>mc^2 < 3</math> here": "E is here",
    "text\n[[Category:Things]]\n[[fr:Chose]]\n[[:Category:Shown]]": "text\nCategory:Shown",
    "caf&eacute; &amp; t&nbsp;x &lt;b": "café & t x <b",
    "'''bold''' ''it'' '''''both''''' l'''idée'''": "bold it both lidée",
    "== Empty ==\n== Full ==\n* item\n# two\n: three\n----\n=== Sub ===\n": "Full\nitem\ntwo\nthree",
    "born ({{IPA|x}}) in [https://x.org the house] [http://y.org]": "born in the house",
    "see {{lang|la|vita brevis}} {{nowrap|1 [[km|k]]}}": "see vita brevis 1 k",
    "__NOTOC__a<br/>b<small>c</small>": "a\nbc",
    "{{unclosed | kept [[x|y]]": "unclosed | kept y",
    "closed}} kept ]] so": "closed kept so",
    "x <ref>never closed": "x never closed",
    "[[Foo (bar)|]] [[Foo_bar]]": "Foo Foo bar",
    "<gallery>\nA.jpg|x\n</gallery>y": "y",
    "a < b and c > d": "a < b and c > d",
}


@pytest.mark.parametrize("markup", CASES)
def test_a_construct(markup):
    names = LinkNames.from_namespaces({6: "Datei", 14: "Kategorie"})
    assert plain_text(markup, names) == CASES[markup]


def test_entities():
    text = "[[barack obama|Obama]]s [[:Category:X|c]] [[Help:Y|h]] [[Paris#History|P]] [[File:x.png|[[B]]]]"
    assert plain_text(text, entities=True) == "ENTITY/Barack_obama Obamas c h ENTITY/Paris P"


pieces = st.sampled_from(
    ["a b", "\n", "|", "=", "'", "''", "[[x]]", "[[x|y]]", "[", "]", "<br>", "&amp;", "* ", "==", "{", "<!--c-->"]
)
balanced = st.recursive(
    st.lists(pieces, max_size=4).map("".join),
    lambda inner: st.tuples(
        st.sampled_from(["{{t|%s}}", "<ref>%s</ref>", "\n{|\n%s\n|}\n", "[[File:a|%s]]", "%s%s"]), inner, inner
    ).map(lambda t: t[0].replace("%s%s", t[1] + t[2]).replace("%s", t[1])),
    max_leaves=12,
)


@given(balanced)
def test_balanced_markup_leaves_no_braces_or_references(markup):
    text = plain_text(markup)
    assert "{{" not in text
    assert "<ref" not in text


@given(
    st.lists(pieces | st.sampled_from(["{{", "}}", "[[", "]]", "{|", "|}", "<ref>", "</ref>", "<nowiki>"])).map("".join)
)
def test_anything_gives_text(markup):
    text = plain_text(markup)
    assert "<ref" not in text or "<nowiki>" in markup
    assert "\n\n" not in text


@given(st.text())
def test_any_string_gives_text(markup):
    plain_text(markup)


@pytest.mark.parametrize("hostile", ["[[", "{{", "<ref>", "{|\n", "<!--", "[[a|", "<nowiki>", "''", "(", "<table>"])
def test_time_is_linear(hostile):
    plain_text(hostile * 50_000)


def test_agrees_with_another_parser_where_both_should():
    markup = "The '''cat''' (''Felis catus'') is a [[species|kind]] of [[mammal]]s.\n\n== Life ==\n* It [[purr]]s.\n"
    other = mwparserfromhell.parse(markup).strip_code()
    assert plain_text(markup).split() == other.split()


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("a -{zh-hans:简体; zh-hant:簡體}- b", "a 简体 b"),
        ("a -{R|上海}- -{台灣}- b", "a 上海 台灣 b"),
        ("-{T|zh:題}--{H|zh-cn:甲;zh-tw:乙}-a -{[[x|上海]]}- b", "a 上海 b"),
        ("x-{unclosed and y-{ z}-", "x-{unclosed and y z"),
    ],
)
def test_variants_of_a_language(markup, text):
    assert plain_text(markup) == text


def test_links_to_sister_projects_are_no_entities():
    assert plain_text("a [[wikt:dog|dog]] and [[Commons:Cats|cats]] in [[Rome]]", entities=True) == (
        "a dog and cats in ENTITY/Rome Rome"
    )
