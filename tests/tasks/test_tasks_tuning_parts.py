"""The parts of tuning: batches of classes, losses, rows of a table as sums."""

import numpy as np
import pytest
from layer_samples import spelling

import wordstock as ws
from wordstock.embeddings.text_rows import text_rows
from wordstock.tasks.tuning.config import Contrastive, FineTune
from wordstock.tasks.tuning.contrastive import class_batches, cosine_loss, supervised_loss
from wordstock.tasks.tuning.loop import length_batches

torch = pytest.importorskip("torch")


@pytest.mark.parametrize("sizes", [[1, 1], [8] * 6, [40, 3, 1], [500, 500], [1] * 50, [7, 900]])
def test_each_batch_has_several_texts_of_several_classes_and_no_text_is_left_out(sizes):
    codes = np.repeat(np.arange(len(sizes)), sizes)
    batches = class_batches(codes, 32, 4, np.random.default_rng(0))
    assert set(np.concatenate(batches)) == set(range(len(codes)))
    for rows in batches:
        names, counts = np.unique(codes[rows], return_counts=True)
        assert len(names) >= 2
        assert counts.min() >= 2
    # Linear: what is drawn is at most the texts, filled up to whole groups of each class, and partners.
    drawn = sum(map(len, batches))
    assert drawn <= 2 * sum(max(size, 32) for size in sizes) + 64


def test_drawing_is_linear_in_the_texts():
    drawn = [
        sum(map(len, class_batches(np.arange(n) % 5, 32, 4, np.random.default_rng(0)))) for n in (1000, 2000, 4000)
    ]
    assert drawn == pytest.approx([1000, 2000, 4000], rel=0.05)


def test_supervised_loss_is_its_formula():
    random = np.random.default_rng(1)
    vectors = random.standard_normal((7, 4))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    labels = np.array([0, 0, 1, 1, 1, 2, 0])
    wanted = []
    for i in range(7):
        positives = [j for j in range(7) if j != i and labels[j] == labels[i]]
        below = sum(np.exp(vectors[i] @ vectors[j] / 0.2) for j in range(7) if j != i)
        if positives:
            wanted.append(-np.mean([np.log(np.exp(vectors[i] @ vectors[j] / 0.2) / below) for j in positives]))
    found = supervised_loss(torch.from_numpy(vectors), torch.from_numpy(labels), 0.2)
    assert float(found) == pytest.approx(np.mean(wanted))


def test_cosine_loss_is_its_formula():
    vectors = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    labels = torch.tensor([0, 0, 1])
    # Within: cosine 0, so (0 - 1)^2. Between: 1 and 0, so the mean of 1 and 0.
    assert float(cosine_loss(vectors, labels)) == pytest.approx((1 + 0.5) / 2)


@pytest.mark.parametrize("settings", [{}, {"pooling": "mean"}, {"unit": True}])
def test_rows_and_shares_sum_to_what_encode_gives(settings):
    random = np.random.default_rng(0)
    keys = [f"w{number}" for number in range(30)]
    table = ws.Embeddings.from_arrays(
        keys, random.standard_normal((20, 5), np.float32), rows=np.arange(30) % 20, counts=np.arange(30, 0, -1)
    ).with_config(**settings)
    texts = [" ".join(random.choice([*keys, "unknown"], size)) for size in (0, 1, 5, 12)] + ["unknown words"]
    found = text_rows(table, texts)
    sums = np.zeros((len(texts), 5))
    for text, (start, stop) in enumerate(zip(found.bounds[:-1], found.bounds[1:], strict=True)):
        sums[text] = found.shares[start:stop] @ table.storage.take(found.rows[start:stop])
    with pytest.warns(UserWarning, match="hold no word"):
        wanted = table.with_config(unit=False).encode(texts)
    np.testing.assert_allclose(sums, wanted, atol=1e-6)


def test_a_tables_tuner_begins_at_what_encode_gives_and_ends_there_too():
    from wordstock.tasks.tuning.table import TableTuner

    random = np.random.default_rng(0)
    keys = [f"w{number}" for number in range(30)]
    common = np.linalg.qr(random.standard_normal((6, 2)))[0].T.astype(np.float32)
    table = (
        ws.Embeddings.from_arrays(keys, random.standard_normal((30, 6), np.float32))
        .with_common(np.ascontiguousarray(common))
        .with_config(unit=True)
    )
    texts = [" ".join(random.choice(keys, 6)) for _ in range(9)]
    others = [" ".join(random.choice([*keys, "unknown"], 6)) for _ in range(9)]
    tuner = TableTuner(table, texts, FineTune())
    rows = np.arange(9)
    for trained in (False, True):
        wanted = tuner.encoder()
        for some in (texts, others):
            given = tuner.vectors(tuner.read(some), rows).detach().numpy()
            np.testing.assert_allclose(given, wanted.encode(some), atol=1e-5)
            vectors, mask = tuner.words(tuner.read_words(some), rows)
            for row, words in enumerate(wanted.encode_words(some)):
                np.testing.assert_allclose(vectors[row][mask[row]].detach().numpy(), words, atol=1e-5)
        assert np.allclose(wanted.encode(texts), table.encode(texts), atol=1e-6) != trained
        with torch.no_grad():
            tuner.module.change += torch.randn(tuner.module.change.shape)


def test_spelled_words_count_in_the_mean_that_is_tuned():
    from wordstock.tasks.tuning.table import TableTuner

    table = spelling()[0].with_config(unknown="subword", pooling="mean")
    texts = ["cat catss dog", "river", "doggy dog dog"]
    tuner = TableTuner(table, texts, Contrastive())
    with torch.no_grad():
        tuner.module.change += 1
        given = tuner.vectors(tuner.read(texts), np.arange(3)).numpy()
    np.testing.assert_allclose(given, tuner.encoder().encode(texts), atol=1e-5)
    np.testing.assert_allclose(given - table.encode(texts), np.repeat([[2 / 3], [1], [2 / 3]], 5, axis=1), atol=1e-5)


def test_batches_hold_texts_of_about_one_length_each_once():
    lengths = np.random.default_rng(0).integers(1, 100, 1000)
    batches = length_batches(lengths, 32, np.random.default_rng(1))
    assert sorted(np.concatenate(batches)) == list(range(1000))
    spread = [np.ptp(lengths[rows]) for rows in batches]
    assert np.mean(spread) < 20
