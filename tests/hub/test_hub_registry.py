"""The registry: every entry that comes with the library, the user's own file, and names that are not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from wordstock.errors import FormatError, InputError, UnknownModelError
from wordstock.hub import cached, fetch, find, registry, remove
from wordstock.hub.entry import Entry, HubSource, PathSource, UrlSource, WheelSource
from wordstock.hub.registry import parse

BUILT_IN = parse(Path(__import__("wordstock.hub").hub.__file__).with_name("registry.toml"))


@pytest.mark.parametrize("name", list(BUILT_IN.entries))
def test_every_entry_is_complete(name):
    entry = BUILT_IN.entries[name]
    assert entry.kind == ("static" if "potion" in name else "encoder" if "minilm" in name else "table")
    assert entry.language
    assert entry.licence
    assert entry.citation
    assert entry.dim
    assert entry.card.name == name
    assert bool(entry.card.notes and "not verified" in entry.card.notes[-1]) is not entry.verified
    if entry.verified:
        assert isinstance(entry.source, WheelSource)
        assert entry.size
        assert entry.vocabulary or entry.kind == "encoder"
    if isinstance(entry.source, UrlSource):
        assert entry.source.url.startswith("https://")


@pytest.mark.parametrize("pattern", list(BUILT_IN.families))
def test_every_language_of_a_family_gives_an_entry(pattern):
    family = BUILT_IN.families[pattern]
    assert len(set(family.languages)) == len(family.languages) > 100
    for language in family.languages:
        entry = BUILT_IN.get(pattern.replace("{lang}", language))
        assert entry is not None
        assert entry.kind == "table"
        assert entry.language == language
        assert isinstance(entry.source, UrlSource)
        assert f".{language}." in entry.source.url
        assert "{" not in entry.name + entry.source.url
    assert BUILT_IN.get(pattern.replace("{lang}", "klingon")) is None


def test_cache_folders_of_all_names_differ():
    folders = [entry.folder.casefold() for name in BUILT_IN.names() if (entry := BUILT_IN.get(name))]
    assert len(set(folders)) == len(folders)


@pytest.mark.parametrize(
    "names",
    [
        ("hf:a--b/c", "hf:a/b--c", "hf--a--b--c"),
        ("hf:a-/b", "hf:a/b@c", "hf:a/b-@c", "hf:a/b@-c"),
        ("hf:a/b@c/d", "hf:a/b@c--d", "hf:a/b--c@d"),
    ],
)
def test_cache_folders_of_names_that_look_alike_differ(names):
    folders = {Entry(name, PathSource("x")).folder for name in names}
    assert len(folders) == len(names)
    assert not any(set(folder) & set(":/@") for folder in folders)


def test_the_cache_folder_of_a_plain_name_can_be_read():
    assert Entry("hf:org/name@v1", PathSource("x")).folder == "hf--org--name--v1"


def test_unknown_name_gives_near_matches(cache):
    with pytest.raises(UnknownModelError, match=r"near matches: .*glove-6b-50d.*wordstock models"):
        find("GloVe-6B-50")
    with pytest.raises(UnknownModelError, match="near matches: fasttext-wiki-fr"):
        find("fasttext-wiki-fr-")
    with pytest.raises(UnknownModelError) as caught:
        find("qqqqqqqq")
    assert "near" not in str(caught.value)


def test_hub_names():
    entry = find("hf:minishlab/potion-base-8M@abc123")
    assert entry.source == HubSource("minishlab/potion-base-8M", "abc123")
    assert "/" not in entry.folder
    for bad in ("hf:", "hf:name", "hf:a/b/c", "hf:../x", "hf:a/../b"):
        with pytest.raises(UnknownModelError, match="organisation/name"):
            find(bad)


def test_the_users_registry_adds_and_wins(cache, register):
    register("ours", {"type": "path", "path": "/somewhere"}, dim=7)
    register("glove-6b-50d", {"type": "path", "path": "/elsewhere"})
    assert find("ours").dim == 7
    assert str(find("glove-6b-50d").source) == "/elsewhere"
    assert find("glove-6b-100d").dim == 100
    register("ours", {"type": "path", "path": "/somewhere"}, dim=8)
    assert registry().entries["ours"].dim == 8


WHEEL = 'type = "wheel", package = "p", version = "1", sha256 = "' + "a" * 64 + '", folder = "d", '


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[models", "TOML"),
        ("[models.x]\nkind = 'table'", "x: 'source'"),
        ("[models.x]\nsource = {type = 'ftp'}", "source type 'ftp'; known are wheel, url"),
        ("[models.x]\ndimm = 3\nsource = {type = 'path', path = 'p'}", "unknown fields dimm; known are"),
        ("[models.x]\ndim = 0\nsource = {type = 'path', path = 'p'}", "dim 0"),
        ("[models.x]\nkind = 'tabel'\nsource = {type = 'path', path = 'p'}", "known are table, encoder, static"),
        ("[models.'../x']\nsource = {type = 'path', path = 'p'}", "name '../x'"),
        ("[models.x]\nsource = {type = 'url', url = 'file:///etc/passwd'}", "https:// or http://"),
        ("[models.x]\nsource = {type = 'url', url = 'https://h/f', sha256 = 'abc'}", "64 hexadecimal"),
        ("[models.x]\nsource = {type = 'url', url = 'https://h/f', member = '../f'}", "member '../f'"),
        ("[models.x]\nsource = {type = 'url', adress = 'https://h/f'}", "adress"),
        (f"[models.x]\nsource = {{{WHEEL}files = ['../../f']}}", "without '..'"),
        (f"[models.x]\nsource = {{{WHEEL}files = ['/etc/f']}}", "'/etc/f'"),
        (f"[models.x]\nsource = {{{WHEEL}files = []}}", "at least one"),
        ("[families.x]\nlanguages = 'a b'\nsource = {type = 'path', path = 'p'}", "{lang}"),
    ],
)
def test_a_bad_registry_is_named(cache, tmp_path, monkeypatch, text, said):
    path = tmp_path / "bad.toml"
    path.write_text(text)
    monkeypatch.setenv("WORDSTOCK_REGISTRY", str(path))
    with pytest.raises(FormatError) as caught:
        find("x")
    assert said in str(caught.value)
    assert str(path) in str(caught.value)
    assert "WORDSTOCK_REGISTRY" in str(caught.value)


def test_a_missing_registry_is_named(cache, tmp_path, monkeypatch):
    monkeypatch.setenv("WORDSTOCK_REGISTRY", str(tmp_path / "none.toml"))
    with pytest.raises(FormatError, match=r"none\.toml"):
        registry()


@pytest.mark.parametrize("use", [cached, fetch, find, remove])
def test_a_name_is_a_str(cache, use):
    with pytest.raises(InputError, match="name=None: needs a str"):
        use(None)
