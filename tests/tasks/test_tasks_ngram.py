"""NgramClassifier against fastText itself, which reads its files and whose files it reads."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import cross_val_score

import wordstock.train.ngram_lines as lines_module
from wordstock.embeddings import Embeddings
from wordstock.errors import FormatError, InputError, LabelError, WordstockError
from wordstock.tasks import NgramClassifier, read_labelled_lines
from wordstock.tasks.labelled_file import read_numbered_lines

SETTINGS = {"dim": 20, "epochs": 10, "learning_rate": 0.5, "threads": 1, "buckets": 3000}
# fastText fills a tenth of its rows per thread and leaves the rest to chance: with ten threads none is.
FILLED = {"dim": 20, "epoch": 10, "lr": 0.5, "thread": 10, "verbose": 0, "bucket": 3000}
ODD = ["", "  ", "unseen words only", "__label__animal", "naïve Straße 中文", "cat </s> loan", "cat\tdog\x0bcow\nloan"]


def spoken(words, labels):
    """Lines of fastText's format, with the labels now at the start and now in the middle or at the end."""
    out = []
    for number, (text, label) in enumerate(zip(words, labels, strict=True)):
        tokens = text.split()
        tokens.insert((0, 3, len(tokens))[number % 3], f"__label__{label}")
        out.append(" ".join(tokens))
    return out


@pytest.fixture(scope="module")
def many(train):
    texts, labels = train
    return [*texts, *(f"{text} naïve Straße" for text in texts)] * 3, labels * 6


@pytest.fixture
def lines(tmp_path, many):
    path = tmp_path / "train.txt"
    path.write_text("\n".join(spoken(*many)) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def fasttext():
    return pytest.importorskip("fasttext")


@pytest.mark.parametrize("loss", ["softmax", "ova", "hs", "ns"])
@pytest.mark.parametrize("ngrams", [{}, {"word_ngrams": 3}, {"min_n": 2, "max_n": 3, "min_count": 40}])
def test_fasttext_reads_what_was_trained_here(tmp_path, fasttext, many, test, loss, ngrams):
    model = NgramClassifier(loss=loss, **ngrams, **SETTINGS).fit(*many)
    model.write_fasttext(tmp_path / "m.bin")
    theirs = fasttext.load_model(str(tmp_path / "m.bin"))
    texts = test[0] + [text.replace("\n", " ") for text in ODD if text.strip()]
    ours = model.top_k(texts, 3)
    for text, mine in zip(texts, ours, strict=True):
        labels, shares = theirs.predict(text, k=3)
        found = dict(zip((label.removeprefix("__label__") for label in labels), shares, strict=True))
        assert found[mine[0].label] == shares[0], text  # its table of sigmoids makes small ones equal
        if loss in ("softmax", "hs"):  # the others' shares are brought to a sum of 1 here
            assert mine[0].probability == pytest.approx(shares[0], abs=1e-3 if loss == "hs" else 5e-5)
        assert np.allclose(model.encode([text])[0], theirs.get_sentence_vector(text), atol=1e-5)
    assert model.score(*test) > 0.55


@pytest.mark.parametrize("settings", [{}, {"wordNgrams": 2, "loss": "hs"}, {"wordNgrams": 2, "minn": 2, "maxn": 4}])
def test_reads_what_fasttext_trained(tmp_path, fasttext, lines, test, settings):
    theirs = fasttext.train_supervised(str(lines), **FILLED, **settings)
    theirs.save_model(str(tmp_path / "m.bin"))
    model = NgramClassifier.load(tmp_path / "m.bin")
    assert set(model.classes_) == {"animal", "money", "weather"}
    labels, shares = theirs.predict(test[0], k=1)
    assert model.predict(test[0]).tolist() == [found[0].removeprefix("__label__") for found in labels]
    best = [found[0].probability for found in model.top_k(test[0], 1)]
    assert np.allclose(best, [share[0] for share in shares], atol=1e-3)
    model.save(tmp_path / "m.safetensors")
    again = NgramClassifier.load(tmp_path / "m.safetensors")
    assert np.array_equal(again.predict_proba(test[0]), model.predict_proba(test[0]))


def test_reads_a_quantised_model_and_keeps_its_answers(tmp_path, fasttext, lines, test):
    theirs = fasttext.train_supervised(str(lines), wordNgrams=2, **FILLED)
    theirs.quantize(input=str(lines), cutoff=300, retrain=False)
    theirs.save_model(str(tmp_path / "m.ftz"))
    model = NgramClassifier.load(tmp_path / "m.ftz")
    labels, _ = theirs.predict(test[0], k=1)
    assert model.predict(test[0]).tolist() == [found[0].removeprefix("__label__") for found in labels]
    model.save(tmp_path / "m.safetensors")
    again = NgramClassifier.load(tmp_path / "m.safetensors")
    assert np.allclose(again.predict_proba(test[0]), model.predict_proba(test[0]), atol=1e-5)
    with pytest.raises(InputError, match="pruned"):
        model.write_fasttext(tmp_path / "m.bin")


def test_learns_as_well_as_fasttext(fasttext, lines, test):
    theirs = fasttext.train_supervised(str(lines), wordNgrams=2, **FILLED)
    labels, _ = theirs.predict(test[0])
    share = np.mean([found[0].removeprefix("__label__") == right for found, right in zip(labels, test[1], strict=True)])
    ours = NgramClassifier(word_ngrams=2, **SETTINGS).fit_file(lines)
    assert ours.score(*test) >= share - 0.1
    assert ours.losses_[-1] < 0.3 < ours.losses_[0]


def test_one_thread_gives_the_same_bits_and_a_file_what_a_list_gives(lines, many, test):
    model = NgramClassifier(word_ngrams=2, **SETTINGS).fit(*many)
    again = NgramClassifier(word_ngrams=2, **SETTINGS).fit(*many)
    assert np.array_equal(model.predict_proba(test[0]), again.predict_proba(test[0]))
    from_file = NgramClassifier(word_ngrams=2, **SETTINGS).fit_file(lines)
    assert np.array_equal(model.predict_proba(test[0]), from_file.predict_proba(test[0]))
    other = NgramClassifier(word_ngrams=2, **SETTINGS | {"seed": 5}).fit(*many)
    assert not np.array_equal(model.predict_proba(test[0]), other.predict_proba(test[0]))
    together = NgramClassifier(word_ngrams=2, **SETTINGS | {"threads": 3}).fit(*many)
    assert together.score(*test) > 0.55


def test_a_large_text_goes_through_temporary_files(lines, test, monkeypatch):
    in_memory = NgramClassifier(word_ngrams=2, shuffle=False, **SETTINGS).fit_file(lines)
    monkeypatch.setattr(lines_module, "_HELD", 100)
    on_disk = NgramClassifier(word_ngrams=2, shuffle=False, **SETTINGS).fit_file(lines)
    assert np.array_equal(in_memory.predict_proba(test[0]), on_disk.predict_proba(test[0]))
    assert NgramClassifier(**SETTINGS).fit_file(lines).score(*test) > 0.55


def test_blocks_do_not_matter(lines, test, monkeypatch):
    whole = NgramClassifier(word_ngrams=2, min_n=2, max_n=3, **SETTINGS).fit_file(lines)
    monkeypatch.setattr("wordstock.tasks.labelled_file._PIECE", 97)
    pieces = NgramClassifier(word_ngrams=2, min_n=2, max_n=3, **SETTINGS).fit_file(lines)
    assert np.array_equal(whole.predict_proba(test[0]), pieces.predict_proba(test[0]))


def test_lines_as_fasttext_takes_them(tmp_path):
    path = tmp_path / "lines.txt.gz"
    text = (
        "\ufeff__label__a cat dog\n\n"
        "no label here\n"
        "loan __label__b price </s> __label__a what follows the end is left out\n"
        "\t__label__a\tcat\x0b\x0c\r\n"
        "__label__b coin"  # no newline at the end
    )
    path.write_bytes(gzip.compress(text.encode()))
    with pytest.warns(UserWarning, match=r"^1 line without a label left out") as told:
        model = NgramClassifier(**SETTINGS).fit_file(path)
    assert told[0].filename == __file__
    assert model.classes_.tolist() == ["a", "b"]
    assert model.predict(["cat", "coin"]).tolist() == ["a", "b"]
    counts = model.model_.counts
    words = model.model_.dictionary
    held = [words.blob[a:b].tobytes().decode() for a, b in zip(words.offsets, words.offsets[1:], strict=False)]
    found = dict(zip(held, counts.tolist(), strict=True))
    assert found["</s>"] == 6
    assert found["cat"] == 2
    assert found["__label__a"] == found["__label__b"] == 2
    assert "what" not in held
    with pytest.warns(UserWarning, match=r"lines\.txt\.gz: 1 line without a label left out"):
        assert read_labelled_lines(path).labels == ["a", "b", "a", "b"]
    with pytest.warns(UserWarning, match="1 line without"):
        assert list(read_numbered_lines(path).lines) == [1, 4, 5, 6]


def test_several_labels_per_text(tmp_path, fasttext, test):
    texts = ["cat dog", "loan price", "cat loan", "dog price", "rain"] * 20
    labels = [["animal"], ["money"], ["animal", "money"], ["animal", "money"], []] * 20
    model = NgramClassifier(loss="ova", **SETTINGS | {"epochs": 30}).fit(texts, labels)
    assert model.predict(["cat loan", "dog dog", "rain"]) == [["animal", "money"], ["animal"], []]
    matrix = np.array([["animal" in one, "money" in one] for one in labels], int)
    same = NgramClassifier(loss="ova", **SETTINGS | {"epochs": 30}).fit(texts, matrix)
    assert same.predict(["cat loan", "rain"]).tolist() == [[1, 1], [0, 0]]
    path = tmp_path / "several.txt"
    path.write_text(
        "".join(f"{' '.join('__label__' + x for x in one)} {t}\n" for t, one in zip(texts, labels, strict=True))
    )
    with pytest.warns(UserWarning, match="^20 lines without a label left out"):
        from_file = NgramClassifier(loss="ova", **SETTINGS | {"epochs": 30}).fit_file(path)
    assert from_file.predict(["cat loan"]) == [["animal", "money"]]
    model.write_fasttext(tmp_path / "m.bin")
    theirs = fasttext.load_model(str(tmp_path / "m.bin"))
    found, shares = theirs.predict("cat rain", k=2)
    ours = dict(model.top_k(["cat rain"], 2)[0])
    for label, share in zip(found, shares, strict=True):  # fastText looks sigmoids up in a table of 512
        assert ours[label.removeprefix("__label__")] == pytest.approx(share, abs=0.01)


def test_numbers_as_labels_and_labels_with_spaces(tmp_path, fasttext, train):
    texts, labels = train
    numbers = [{"animal": 3, "money": 11, "weather": 7}[label] for label in labels]
    model = NgramClassifier(**SETTINGS).fit(texts, numbers)
    assert model.classes_.tolist() == [3, 7, 11]
    assert model.predict(["cat dog hen"]).tolist() == [3]
    model.save(tmp_path / "m.safetensors")
    assert NgramClassifier.load(tmp_path / "m.safetensors").predict(["cat dog hen"]).tolist() == [3]
    spaced = NgramClassifier(**SETTINGS).fit(texts, [f"the {label}" for label in labels])
    spaced.write_fasttext(tmp_path / "m.bin")
    assert fasttext.load_model(str(tmp_path / "m.bin")).predict("cat dog hen")[0] == ("__label__the_animal",)
    alike = NgramClassifier(**SETTINGS).fit(["cat", "dog"] * 5, ["a b", "a_b"] * 5)
    with pytest.raises(InputError, match="rename it"):
        alike.write_fasttext(tmp_path / "m.bin")


def test_starts_from_word_vectors(table, train, test):
    model = NgramClassifier(init=table, epochs=5, learning_rate=0.1, threads=1).fit(*train)
    assert model.model_.dim == table.dim
    plain = NgramClassifier(dim=table.dim, epochs=5, learning_rate=0.1, threads=1).fit(*train)
    assert model.score(*test) > plain.score(*test)
    unseen = [word for word in table.keys if not any(word in text.split() for text in train[0])]
    kept = NgramClassifier(init=Embeddings.from_arrays(["zebra"], np.ones((1, 12), np.float32)), threads=1).fit(*train)
    end = kept.encode([""])[0]
    assert np.allclose(kept.encode(["zebra"])[0], (1 + end) / 2, atol=1e-6)
    assert len(unseen) == 0 or model.encode([unseen[0]]).any()
    with pytest.raises(InputError, match="dim=50, but the vectors to start from have 12"):
        NgramClassifier(init=table, dim=50).fit(*train)
    with pytest.raises(InputError, match="init must be"):
        NgramClassifier(init=3).fit(*train)


@pytest.mark.parametrize("loss", ["softmax", "hs"])
def test_goes_on_from_a_classifier(tmp_path, fasttext, lines, many, test, loss):
    theirs = fasttext.train_supervised(str(lines), wordNgrams=2, loss=loss, **FILLED)
    theirs.save_model(str(tmp_path / "m.bin"))
    model = NgramClassifier.load(tmp_path / "m.bin").set_params(warm_start=True, epochs=1, learning_rate=1e-6)
    before = model.predict_proba(test[0])
    model.fit(*many)
    assert np.allclose(model.predict_proba(test[0]), before, atol=0.01)
    if loss == "hs":
        with pytest.raises(InputError, match="tree of labels cannot grow"):
            model.fit(["moon star", "cat"], ["sky", "animal"])
        return
    model.set_params(epochs=30, learning_rate=0.5).fit(["moon star", "cat dog"] * 9, ["sky", "animal"] * 9)
    assert model.classes_.tolist() == ["animal", "money", "sky", "weather"]
    assert model.predict(["moon star", "cat hen"]).tolist() == ["sky", "animal"]
    with pytest.raises(InputError, match="word_ngrams=3"):
        model.set_params(word_ngrams=3).fit(*many)


def test_is_an_estimator(train, test, tmp_path):
    model = NgramClassifier(**SETTINGS | {"epochs": 25})
    assert cross_val_score(model, train[0] * 3, train[1] * 3, cv=3).mean() > 0.8
    assert clone(model).get_params() == model.get_params()
    seen = []
    model.fit(*train, progress=seen.append)
    assert seen[-1].share == 1
    assert model.predict(np.array(test[0])).tolist() == model.predict(test[0]).tolist()
    assert model.predict([]).tolist() == []
    assert np.array_equal(model.decision_function(test[0]).argmax(axis=1), model.predict_proba(test[0]).argmax(axis=1))
    assert np.allclose(model.predict_proba(ODD).sum(axis=1), 1)


def test_bad_settings_and_bad_input_say_what_to_do(tmp_path, train):
    for settings, said in [
        ({"loss": "hinge"}, "known are 'softmax', 'ova', 'hs', 'ns'"),
        ({"epochs": 0}, "epochs=0"),
        ({"learning_rate": -1.0}, "learning_rate"),
        ({"max_n": 3}, "min_n"),
        ({"min_n": 5}, "min_n=5 and max_n=0: needs 1 <= min_n <= max_n, or both 0"),
        ({"threads": 0}, "threads=0"),
        ({"warm_start": "no"}, "warm_start='no': needs True or False"),
        ({"min_count": 10_000}, "lower min_count"),
    ]:
        with pytest.raises(InputError, match=said):
            NgramClassifier(**settings).fit(*train)
    with pytest.raises(InputError, match="2 texts but 3 labels"):
        NgramClassifier().fit(["a", "b"], ["x", "y", "x"])
    with pytest.raises(WordstockError, match="lower learning_rate"):
        NgramClassifier(dim=10, learning_rate=1e30, threads=1).fit(*train)
    path = tmp_path / "x.txt"
    for content, error, said in [
        ("", FormatError, "empty file"),
        ("no label\n", LabelError, "no line has a label"),
        ("__label__a cat\n__label__a dog\n", LabelError, "the only label is 'a'"),
    ]:
        path.write_text(content)
        with pytest.raises(error, match=said):
            NgramClassifier().fit_file(path)
    with pytest.raises(FileNotFoundError):
        NgramClassifier().fit_file(tmp_path / "none.txt")


def test_damaged_files_are_refused(tmp_path, train, table):
    model = NgramClassifier(**SETTINGS).fit(*train)
    path = tmp_path / "m.safetensors"
    model.save(path)
    whole = path.read_bytes()
    for at in (len(whole) - 3, len(whole) // 2, whole.index(b'"n_words') + 4):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises(FormatError):
            NgramClassifier.load(path)
    path.write_bytes(whole[:-10])
    with pytest.raises(FormatError):
        NgramClassifier.load(path)
    table.save(tmp_path / "table.safetensors")
    with pytest.raises(FormatError, match="a saved classifier over n-grams"):
        NgramClassifier.load(tmp_path / "table.safetensors")
    header = json.loads(whole[8 : 8 + int.from_bytes(whole[:8], "little")])
    assert json.loads(header["__metadata__"]["ngram_classifier"])["classes"] == ["animal", "money", "weather"]


def test_ordinary_python_gives_the_same(passes_without_compiler):
    passes_without_compiler(f"{Path(__file__)}::test_lines_as_fasttext_takes_them")
