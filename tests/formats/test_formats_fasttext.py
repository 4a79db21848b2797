"""fastText word vectors and classifiers as fastText itself reads them, and every damage refused."""

import functools
import gzip
import os
import random
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import wordstock as ws
from wordstock.corpus import ReadReport, read_texts
from wordstock.errors import FormatError, InputError
from wordstock.formats import detect, read, read_fasttext, read_fasttext_classifier, write

fasttext = pytest.importorskip("fasttext")

WORDS = {
    "en": ["the", "house", "of", "my", "father", "and", "a", "garden", "with", "old", "trees", "near", "water"],
    "de": ["das", "Haus", "meines", "Vaters", "und", "ein", "schöner", "Garten", "über", "großen", "Bäumen"],
    "ja": ["これ", "は", "日本語", "の", "文章", "です", "東京", "に", "住む", "人", "たち"],
    "ru": ["это", "дом", "моего", "отца", "и", "старый", "сад", "у", "большой", "воды"],
}
ODD = ["", "   ", "</s>", "a </s> b c", "__label__en x", "x\ty\0z", "zzz", "𝔘𝔫𝔦 ÀÉ" * 40, "tail\n"[:4], "w" * 9000]
CLASSIFIERS = {
    "softmax": {"loss": "softmax", "minn": 2, "maxn": 4, "bucket": 5000},
    "hs": {"loss": "hs", "minn": 0, "maxn": 0, "bucket": 0},
    "ova": {"loss": "ova", "minn": 1, "maxn": 3, "bucket": 3000, "wordNgrams": 3},
    "ns": {"loss": "ns", "minn": 0, "maxn": 0, "bucket": 2000, "wordNgrams": 2},
}

_LEFT_OUT = 1e-5  # labels that fastText finds less probable
# Each of ten threads fills a tenth of fastText's matrix; what none fills is whatever was in memory, NaN now and then.
WHOLE = {"thread": 10, "dim": 10, "verbose": 0}


def lines(count, seed=0):
    draw = random.Random(seed)
    return [
        (code, " ".join(draw.choices(WORDS[code], k=draw.randint(2, 9)))) for code in draw.choices([*WORDS], k=count)
    ]


@functools.cache
def folder():
    return Path(tempfile.mkdtemp(prefix="wordstock-test-"))


@functools.cache
def corpus():
    path = folder() / "labelled.txt"
    # rare labels too: a deep tree, and enough rows to quantise
    rows = [f"__label__{code} {text}" for code, text in lines(400)] + [
        f"__label__rare{i} only{i} {i}" for i in range(300)
    ]
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return str(path)


@functools.cache
def classifier(name, packed):
    options = CLASSIFIERS[name]
    theirs = fasttext.train_supervised(corpus(), epoch=4, lr=0.5, minCount=1, **WHOLE, **options)
    if packed:
        theirs.quantize(qnorm=packed != "plain", cutoff=400 if packed == "cut" else 0, dsub=4, qout=packed == "cut")
    path = folder() / f"{name}-{packed}.ftz"
    theirs.save_model(str(path))
    return path, fasttext.load_model(str(path))


@functools.cache
def vectors(model, maxn, loss):
    text = folder() / "text.txt"
    text.write_text("\n".join(text for _, text in lines(500)) + "\n", encoding="utf-8")
    theirs = fasttext.train_unsupervised(
        str(text), model, epoch=1, minCount=1, maxn=maxn, minn=min(2, maxn), bucket=800, loss=loss, **WHOLE
    )
    path = folder() / f"{model}-{maxn}-{loss}.bin"
    theirs.save_model(str(path))
    return path, theirs


def same(ours, theirs, texts, k, *, steps=False):
    """Labels of equal probability come in nobody's order: each must have the probability that fastText gives it."""
    off = []
    for text, found in zip(texts, ours.predict(texts, k), strict=True):
        labels, probabilities = theirs.predict(text, -1)
        all_of_theirs = dict(zip(labels, probabilities, strict=True))
        given = np.array([one.probability for one in found])
        expected = probabilities[:k]
        both = min(len(given), len(expected))
        for rest in (given[both:], expected[both:]):
            assert (rest < _LEFT_OUT * 1.001).all()  # whether one at the edge is left out, rounding decides
        off.append(given[:both] - expected[:both])
        off.append(given - [all_of_theirs.get(f"__label__{one.label}", _LEFT_OUT) for one in found])
    off = np.abs(np.concatenate(off))
    # fastText rounds sigmoids to steps of 1/32: now and then the last bit of a sum decides which one
    assert off.max() < (0.008 if steps else 2e-6)
    assert (off >= 2e-6).mean() < 0.02


@pytest.mark.parametrize(
    ("name", "packed"),
    [
        (name, packed)
        for name, options in CLASSIFIERS.items()
        for packed in (None, "plain", "norms", "cut")
        if packed != "cut" or options["bucket"]  # what is cut off are n-grams
    ],
)
def test_labels_as_fasttext_gives_them(name, packed):
    path, theirs = classifier(name, packed)
    ours = read_fasttext_classifier(path)
    assert sorted(f"__label__{label}" for label in ours.labels) == sorted(theirs.get_labels())
    texts = [text for _, text in lines(60, seed=5)] + ODD
    for k in (1, 3, 999):
        same(ours, theirs, texts, k, steps=name in ("ova", "ns"))


def test_codes_too_many_to_decode(monkeypatch):
    path, theirs = classifier("ova", "norms")
    monkeypatch.setattr("wordstock.formats.fasttext_file._DECODED", 0)
    same(read_fasttext_classifier(path), theirs, [text for _, text in lines(60, seed=6)] + ODD, 2, steps=True)


def test_a_text_without_anything_known_has_no_label():
    path, _ = classifier("hs", None)
    model = read_fasttext_classifier(path)
    entries = model._dictionary
    model._dictionary = entries._replace(hashes=entries.hashes ^ 1)  # so that not even the end of a text is known
    assert model.predict(["unknown", ""]) == [[], []]
    assert not model.keeps("en", at_least=0.0)("unknown")


def test_texts_of_one_language(tmp_path):
    model = read_fasttext_classifier(classifier("softmax", None)[0])
    rows = lines(3000, seed=3)
    path = tmp_path / "mixed.txt"
    path.write_text("\n".join(text for _, text in rows), encoding="utf-8")
    report = ReadReport()
    kept = list(read_texts(path, language=model.keeps("de", at_least=0.6), report=report))
    best = model.predict([text for _, text in rows])
    wanted = [text for (_, text), [one] in zip(rows, best, strict=True) if one.label == "de" and one.probability >= 0.6]
    assert kept == wanted
    assert (report.documents, report.left_out) == (len(kept), {"language": 3000 - len(kept)})
    assert len(kept) > 500


def test_wrong_use_of_a_classifier():
    model = read_fasttext_classifier(classifier("softmax", None)[0])
    with pytest.raises(InputError, match=r"'eng' is no label of this model; .*'en'"):
        model.keeps("eng")
    for wrong in (
        lambda: model.keeps(),
        lambda: model.keeps("en", at_least=2),
        lambda: model.keeps("en", at_least="0.5"),
        lambda: model.predict("x"),
        lambda: model.predict(5),
        lambda: model.predict(["x"], 1.5),
        lambda: model.predict(iter(["x", 5])),
        lambda: model.predict([3]),
        lambda: model.predict(["x"], 0),
    ):
        with pytest.raises(InputError):
            wrong()
    with pytest.raises(FormatError, match="read_fasttext_classifier"):
        ws.load(classifier("softmax", None)[0])
    with pytest.raises(FormatError, match=r"wordstock\.load"):
        read_fasttext_classifier(vectors("skipgram", 3, "ns")[0])


@pytest.mark.parametrize(("model", "maxn", "loss"), [("skipgram", 5, "ns"), ("cbow", 1, "ns"), ("cbow", 0, "hs")])
def test_word_vectors_as_fasttext_gives_them(tmp_path, model, maxn, loss):
    path, theirs = vectors(model, maxn, loss)
    assert detect(path) == "fasttext"
    table = ws.load(path)
    words, counts = theirs.get_words(include_freq=True)
    assert (list(table.keys), list(table.vocabulary.counts)) == (words, list(counts))
    np.testing.assert_allclose(table.storage.data, [theirs.get_word_vector(word) for word in words], atol=1e-6)
    unseen = ["Gärten", "東京都", "w" * 5000, "x", ""]
    if maxn:
        found = table.vectors(unseen, missing="subword")
        np.testing.assert_allclose(found, [theirs.get_word_vector(word) for word in unseen], atol=1e-6)
    assert (table.output is None) == (loss == "hs")
    if loss == "ns":
        assert (table.output == theirs.get_output_matrix()).all()
    table.save(tmp_path / "t.safetensors")
    again = ws.load(tmp_path / "t.safetensors")
    if maxn:
        assert (again.vectors(unseen, missing="subword") == found).all()
    first = read(path, limit=3)
    assert list(first.keys) == words[:3]
    assert (first.storage.data == table.storage.data[:3]).all()


def test_compressed_and_old_files(tmp_path):
    path, _ = vectors("skipgram", 5, "ns")
    data = path.read_bytes()
    packed = tmp_path / "model.bin.gz"
    packed.write_bytes(gzip.compress(data))
    assert (ws.load(packed).storage.data == ws.load(path).storage.data).all()
    with pytest.raises(InputError, match="read, not written"):
        write(ws.load(path), tmp_path / "x.bin", format="fasttext")
    n_words = struct.unpack_from("<i", data, 68)[0]
    shape = struct.pack("<2q", n_words + 800, 10)
    inputs = data.index(b"\0" + shape)
    output = inputs + 1 + 16 + 4 * 10 * (n_words + 800)
    old = tmp_path / "old.bin"  # as in 2016: no magic number, no pruned n-grams, nothing said of quantisation
    old.write_bytes(data[8:84] + data[92:inputs] + data[inputs + 1 : output] + data[output + 1 :])
    assert detect(old) == "fasttext"
    assert (ws.load(old).storage.data == ws.load(path).storage.data).all()
    assert (ws.load(old).output == ws.load(path).output).all()


def test_words_that_are_not_utf8(tmp_path):
    path, _ = vectors("cbow", 0, "hs")
    data = path.read_bytes().replace("großen".encode(), "gro\xdf.n".encode("latin-1") + b".")
    broken = tmp_path / "latin.bin"
    broken.write_bytes(data)
    with pytest.raises(FormatError, match="encoding_errors") as caught:
        ws.load(broken)
    assert caught.value.offset == data.index(b"\xdf")
    with pytest.warns(UserWarning, match="1 key with bytes that are not UTF-8"):
        assert "groß.n." in ws.load(broken, encoding_errors="latin-1")


@functools.cache
def samples():
    return [classifier("ova", "cut")[0].read_bytes(), vectors("skipgram", 5, "ns")[0].read_bytes()]


def opened(data):
    path = folder() / "damaged"
    path.write_bytes(data)
    for reader in (read_fasttext_classifier, read_fasttext):
        try:
            model = reader(path)
        except FormatError as error:
            assert "damaged" in error.path or error.found  # noqa: PT017
            continue
        if reader is read_fasttext_classifier:
            model.predict(["the house", "東京"], 3)
        else:
            model.vectors(["unseen", "東京"], missing="zero" if model.subwords is None else "subword")
        return True
    return False


@settings(max_examples=120, deadline=None)
@given(which=st.integers(0, 1), share=st.floats(0, 1, exclude_max=True))
def test_cut_short_anywhere(which, share):
    data = samples()[which]
    assert not opened(data[: int(len(data) * share)])


@settings(max_examples=200, deadline=None)
@given(
    which=st.integers(0, 1),
    place=st.integers(0, 400),
    from_end=st.booleans(),
    value=st.sampled_from([-(2**31), -1, 0, 1, 2, 255, 65536, 2**31 - 1]) | st.integers(-(2**31), 2**31 - 1),
)
def test_numbers_that_are_wrong_are_never_believed(which, place, from_end, value):
    data = bytearray(samples()[which])
    at = len(data) - 1500 - place if from_end else place
    data[at : at + 4] = struct.pack("<i", value)
    opened(bytes(data))  # a FormatError, or a model that answers


def test_what_is_wrong_is_said():
    data = samples()[1]
    path = folder() / "wrong"
    for at, value, said in (
        (4, 13, "version 11 or 12"),
        (8, 0, "dim being from 1"),
        (40, 2**31 - 1, "a matrix of"),
        (64, 5, "as many entries as words and labels"),
        (88, 0, "4,294,967,295 pruned n-grams"),
    ):
        broken = bytearray(data)
        broken[at : at + 4] = struct.pack("<i", value)
        path.write_bytes(broken)
        with pytest.raises(FormatError, match=said) as caught:
            read_fasttext(path)
        assert caught.value.offset is not None
    path.write_bytes(data + b"x")
    with pytest.raises(FormatError, match="the end of the file, found 1 more bytes"):
        read_fasttext(path)
    path.write_bytes(b"")
    with pytest.raises(FormatError):
        read_fasttext(path)
    path.write_bytes(data[:-4] + b"\xff\xff\xff\x7f")
    with pytest.raises(FormatError, match="a finite number, found nan") as caught:
        read_fasttext(path)
    assert caught.value.offset == len(data) - 4


def test_kernels_as_plain_python():
    path, theirs = classifier("ova", "cut")
    code = (
        "import sys; from wordstock.formats import read_fasttext_classifier as r; "
        "print(r(sys.argv[1]).predict(['das Haus 東京'], 1)[0][0].probability)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        env=os.environ | {"NUMBA_DISABLE_JIT": "1"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) == pytest.approx(theirs.predict("das Haus 東京")[1][0], abs=2e-6)
