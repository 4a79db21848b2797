import json
import warnings

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file

from wordstock.embeddings import Card, read_native
from wordstock.errors import FingerprintError, FormatError, InputError, StorageError
from wordstock.tasks import TextClassifier, artefact


@pytest.fixture
def saved(table, train, tmp_path):
    model = TextClassifier(table, lexical=True, C=5).fit(*train)
    path = tmp_path / "model.safetensors"
    model.save(path)
    return model, path


@pytest.mark.parametrize("lexical", [False, True])
@pytest.mark.parametrize("kind", ["str", "int", "bool", "list", "set", "indicator"])
def test_everything_comes_back(table, train, test, tmp_path, kind, lexical):
    number = {"animal": 0, "money": 1, "weather": 2}
    labels = {
        "str": train[1],
        "int": [number[label] * 10 - 5 for label in train[1]],
        "bool": [label == "money" for label in train[1]],
        "list": [[label] for label in train[1]],
        "set": [{label, "x" if i % 2 else "y"} for i, label in enumerate(train[1])],
        "indicator": np.eye(3)[[number[label] for label in train[1]]],
    }[kind]
    weights = {"money": 2.0} if kind == "str" else None
    model = TextClassifier(table, lexical=lexical, class_weight=weights, cv=3, seed=2).fit(train[0], labels)
    model.save(tmp_path / "m.safetensors")
    back = TextClassifier.load(tmp_path / "m.safetensors", encoder=table)
    np.testing.assert_array_equal(back.predict_proba(test[0]), model.predict_proba(test[0]))
    np.testing.assert_array_equal(back.decision_function(test[0]), model.decision_function(test[0]))
    assert type(back.predict(test[0])) is type(model.predict(test[0]))
    assert repr(list(back.predict(test[0]))) == repr(list(model.predict(test[0])))
    assert back.classes_.dtype == model.classes_.dtype
    assert back.get_params() == model.get_params()
    assert (back.C_, back.cv_losses_) == (model.C_, model.cv_losses_)
    back.save(tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == (tmp_path / "m.safetensors").read_bytes()
    assert back.fit(train[0], labels).C_ == model.C_


def test_any_safetensors_reader_opens_it(saved):
    with safe_open(saved[1], framework="numpy") as opened:
        meta = json.loads(opened.metadata()["classifier"])
        assert opened.get_tensor("coef").shape == saved[0].coef_.shape
    assert meta["classes"] == ["animal", "money", "weather"]
    assert meta["encoder"]["sources"] == ["small"]


def test_other_vectors_are_refused(saved, table, other_table, letters):
    for other in (other_table, letters, table.with_config(pooling="mean")):
        with pytest.raises(FingerprintError) as caught:
            TextClassifier.load(saved[1], encoder=other)
        assert table.fingerprint[:12] in str(caught.value)
        assert other.fingerprint[:12] in str(caught.value)
        assert "pass the encoder it was trained with" in str(caught.value)
        assert len(str(caught.value)) < 400


def test_the_encoder_is_found_again_by_its_path(table, other_table, train, tmp_path):
    home = tmp_path / "table.safetensors"
    table.save(home)
    model = TextClassifier(read_native(home), C=5).fit(*train)
    model.save(tmp_path / "m.safetensors")
    found = TextClassifier.load(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(found.predict_proba(train[0]), model.predict_proba(train[0]))
    other_table.save(home)
    with pytest.raises(FingerprintError):
        TextClassifier.load(tmp_path / "m.safetensors")
    home.unlink()
    with pytest.raises(InputError, match="pass encoder="):
        TextClassifier.load(tmp_path / "m.safetensors")


def test_a_damaged_source_gives_way_to_the_next(table, train, tmp_path, monkeypatch):
    home = tmp_path / "table.safetensors"
    table.with_card(Card(name="registered")).save(home)
    TextClassifier(read_native(home), C=5).fit(*train).save(tmp_path / "m.safetensors")
    home.rename(tmp_path / "elsewhere.safetensors")
    registry = f"[models.registered.source]\ntype = 'path'\npath = '{tmp_path}/elsewhere.safetensors'\n"
    (tmp_path / "registry.toml").write_text(registry)
    monkeypatch.setenv("WORDSTOCK_REGISTRY", str(tmp_path / "registry.toml"))
    monkeypatch.setenv("WORDSTOCK_CACHE", str(tmp_path / "cache"))
    for data in (b"damaged", (tmp_path / "elsewhere.safetensors").read_bytes()[:-20]):
        home.write_bytes(data)
        found = TextClassifier.load(tmp_path / "m.safetensors")
        assert found.encoder_.path.is_relative_to(tmp_path / "cache")
    home.unlink()
    home.mkdir()  # reading a folder is an error too
    assert TextClassifier.load(tmp_path / "m.safetensors").score(*train) > 0.8


def test_a_file_cannot_make_its_reader_fetch_from_the_hub_or_open_what_it_likes(saved, table, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr("wordstock.hub.binding.resolve_encoder", asked.append)
    monkeypatch.chdir(tmp_path)
    table.save(tmp_path / "here.safetensors")
    sources = ["hf:evil/repo", "here.safetensors", "../x", "~/x", "no-such-model", "/dev/zero", "/none.bin", "\0"]
    path = doctored(saved[1], lambda meta: meta["encoder"].update(sources=sources))
    with pytest.raises(InputError, match=r"on the Hugging Face hub is not fetched unasked; pass encoder=") as caught:
        TextClassifier.load(path)
    assert "hf:evil/repo" in str(caught.value)
    assert asked == []
    monkeypatch.undo()
    assert TextClassifier.load(path, encoder=table).encoder_ is table


def test_a_relative_path_is_recorded_as_an_absolute_one(table, train, tmp_path, monkeypatch):
    table.save(tmp_path / "t.safetensors")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("t.safetensors", "~/t.safetensors"):
        TextClassifier(name, C=5).fit(*train).save("m.safetensors")
        (meta,) = (json.loads(safe_open("m.safetensors", "numpy").metadata()["classifier"]),)
        assert meta["encoder"]["sources"][0] == str(tmp_path / "t.safetensors")


def test_encode_settings_are_restored(table, train, tmp_path):
    home = tmp_path / "table.safetensors"
    table.save(home)
    model = TextClassifier(home, C=5)
    changed = read_native(home).with_config(pooling="mean", unit=True)
    model = TextClassifier(changed, C=5).fit(*train)
    model.encoder = str(home)  # as if it had been given by its path
    model.save(tmp_path / "m.safetensors")
    assert TextClassifier.load(tmp_path / "m.safetensors").encoder_.config == changed.config


def test_an_encoder_without_a_name_must_be_passed(letters, train, tmp_path):
    TextClassifier(letters, C=5).fit(*train).save(tmp_path / "m.safetensors")
    with pytest.raises(InputError, match="its name was not recorded; pass encoder="):
        TextClassifier.load(tmp_path / "m.safetensors")
    assert TextClassifier.load(tmp_path / "m.safetensors", encoder=letters).encoder is letters


def test_every_truncation_is_a_format_error(saved, table, tmp_path):
    data = saved[1].read_bytes()
    broken = tmp_path / "broken.safetensors"
    for length in [*range(0, 64), *range(64, len(data), 97), len(data) - 1]:
        broken.write_bytes(data[:length])
        with pytest.raises(FormatError, match=r"broken\.safetensors"):
            TextClassifier.load(broken, encoder=table)


def test_every_flipped_byte_is_a_format_error_or_harmless(saved, table, train, tmp_path):
    model, path = saved
    data = path.read_bytes()
    expected = model.predict_proba(train[0])
    broken = tmp_path / "broken.safetensors"
    harmless = 0
    for position in [*range(0, 600), *range(600, len(data), 31)]:
        for mask in (0x01, 0x80):
            changed = bytearray(data)
            changed[position] ^= mask
            broken.write_bytes(changed)
            try:
                back = TextClassifier.load(broken, encoder=table)
            except FormatError:
                continue
            harmless += 1
            np.testing.assert_array_equal(back.predict_proba(train[0]), expected)
    assert harmless <= 16  # padding after the header


def test_files_of_another_kind(table, tmp_path):
    table.save(tmp_path / "table.safetensors")
    (tmp_path / "text.safetensors").write_text("hello there, this is no tensor")
    for name in ("table.safetensors", "text.safetensors"):
        with pytest.raises(FormatError, match="expected a saved classifier"):
            TextClassifier.load(tmp_path / name, encoder=table)
    with pytest.raises(FormatError, match="found a folder"):
        TextClassifier.load(tmp_path, encoder=table)
    with pytest.raises(FileNotFoundError):
        TextClassifier.load(tmp_path / "none.safetensors", encoder=table)


def doctored(path, change):
    """The same file with other metadata and a checksum that fits it."""
    tensors = load_file(path)
    with safe_open(path, framework="numpy") as opened:
        meta = json.loads(opened.metadata()["classifier"])
    del meta["sha256"]
    change(meta)
    odd = path.with_name("odd.safetensors")
    odd.write_bytes(artefact.FILE.pack(meta, tensors))
    return odd


def test_the_doctor_itself_does_no_harm(saved, table, train):
    back = TextClassifier.load(doctored(saved[1], lambda meta: None), encoder=table)
    np.testing.assert_array_equal(back.predict_proba(train[0]), saved[0].predict_proba(train[0]))


def nested(record, depth):
    settings = {"scale": "none", "tokenizer": {}}
    return {**record, "config": settings, "parts": [nested(record, depth - 1)]} if depth else record


@pytest.mark.parametrize(
    "change",
    [
        lambda meta: meta.update(version="x"),
        lambda meta: meta.update(version=0),
        lambda meta: meta.update(version=True),
        lambda meta: meta.pop("version"),
        lambda meta: meta.update(C=None),
        lambda meta: meta.update(C=-1),
        lambda meta: meta.update(losses=[1]),
        lambda meta: meta.update(classes=["a", "a", "b"]),
        lambda meta: meta.update(classes=[]),
        lambda meta: meta.update(kind="int", classes=[1, 2, 2**70]),
        lambda meta: meta["settings"].update(q=1),
        lambda meta: meta["settings"].pop("cv"),
        lambda meta: meta["settings"].update(cv="x"),
        lambda meta: meta["settings"].update(lexical=False),
        lambda meta: meta["settings"].update(lexical="yes"),
        lambda meta: meta["settings"].update(class_weight="heavy"),
        lambda meta: meta["settings"].update(class_weight=[1]),
        lambda meta: meta["encoder"].update(config={"q": 1}),
        lambda meta: meta["encoder"].update(config=[1]),
        lambda meta: meta["encoder"].update(config={"sif_a": "x"}),
        lambda meta: meta["encoder"].update(config={"tokenizer": {"casing": "upper"}}),
        lambda meta: meta["encoder"].update(q=1),
        lambda meta: meta["encoder"].update(sources=[1]),
        lambda meta: meta["encoder"].update(fingerprint=None),
        lambda meta: meta["encoder"].pop("dim"),
        lambda meta: meta["encoder"].update(parts=[{"q": 1}]),
        lambda meta: meta["encoder"].update(parts=[dict(meta["encoder"])]),
        lambda meta: meta["encoder"].update(parts=3),
        lambda meta: meta.update(encoder=nested(meta["encoder"], 40)),
        lambda meta: meta.update(encoder=[]),
        lambda meta: meta.update(settings="x"),
    ],
)
def test_odd_settings_under_a_valid_checksum_are_a_format_error(saved, table, change):
    path = doctored(saved[1], change)
    for encoder in (table, None):
        with pytest.raises(FormatError, match=r"odd\.safetensors: expected the settings of a classifier"):
            TextClassifier.load(path, encoder=encoder)


def test_a_newer_version_asks_for_an_upgrade(saved, table):
    path = doctored(saved[1], lambda meta: meta.update(version=99))
    with pytest.raises(FormatError, match="version 99; upgrade wordstock"):
        TextClassifier.load(path, encoder=table)


def test_a_failed_save_leaves_the_old_file(saved, tmp_path):
    with pytest.raises(StorageError):
        saved[0].save(tmp_path)
    before = saved[1].read_bytes()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        saved[0].save(saved[1])
    assert saved[1].read_bytes() == before


def test_odd_labels_survive(table, tmp_path):
    labels = ["", "\ud800", "é😀", '"\n']
    model = TextClassifier(table).fit(["cat", "loan", "rain", "the"], labels)
    model.save(tmp_path / "m.safetensors")
    assert TextClassifier.load(tmp_path / "m.safetensors", table).classes_.tolist() == sorted(labels)
