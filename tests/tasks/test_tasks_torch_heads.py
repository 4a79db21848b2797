"""Heads: shapes, padding that changes nothing, settings, and that they learn."""

from dataclasses import asdict

import pytest
import torch
from torch.nn.functional import cross_entropy

from wordstock.errors import InputError
from wordstock.tasks.torch import BiLSTMConfig, CNNConfig, Head, LinearConfig, build_head, head_config, pool_words

NAMES = ["linear", "mlp", "bilstm", "transformer", "cnn"]


@pytest.fixture(autouse=True)
def one_thread():
    """Tensors this small are no work for two."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def sentences(lengths=(3, 1, 5, 0, 2), dim=8):
    torch.manual_seed(1)
    vectors = torch.randn(len(lengths), max(lengths), dim)
    mask = torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]
    return vectors, mask


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("pooling", ["mean", "max", "mean_max"])
@pytest.mark.parametrize("level", ["text", "word"])
def test_padding_changes_nothing(name, pooling, level):
    torch.manual_seed(0)
    head = build_head(name, 8, 3, level=level, pooling=pooling).eval()
    vectors, mask = sentences()
    scores = head(vectors, mask)
    assert scores.shape == ((5, 3) if level == "text" else (5, 5, 3))
    assert scores.isfinite().all()
    garbage = torch.where(mask[..., None], vectors, torch.nan)
    wider = torch.cat([garbage, torch.full((5, 4, 8), torch.nan)], dim=1)
    again = head(wider, torch.cat([mask, torch.zeros(5, 4, dtype=torch.bool)], dim=1))
    kept = scores if level == "text" else scores * mask[..., None]
    found = again if level == "text" else again[:, :5] * mask[..., None]
    torch.testing.assert_close(found, kept)
    for row, length in enumerate((3, 1, 5)):
        alone = head(vectors[row : row + 1, :length])
        torch.testing.assert_close(alone[0], scores[row] if level == "text" else scores[row, :length])


@pytest.mark.parametrize("name", NAMES)
def test_words_see_their_neighbours_but_for_linear_and_mlp(name):
    torch.manual_seed(0)
    head = build_head(name, 8, 3, level="word").eval()
    vectors, _ = sentences()
    changed = vectors.clone()
    changed[0, 1] += 1
    moved = ~torch.isclose(head(vectors), head(changed)).all(dim=-1)
    assert moved[0, 1]
    assert moved[0, 0] == moved[0, 2] == (name not in ("linear", "mlp"))
    assert not moved[1:].any()


@pytest.mark.parametrize("name", NAMES)
def test_order_matters_to_those_that_read_it(name):
    torch.manual_seed(0)
    head = build_head(name, 8, 3).eval()
    vectors, _ = sentences()
    same = torch.allclose(head(vectors), head(vectors.flip(1)), atol=1e-5)
    assert same == (name in ("linear", "mlp"))


@pytest.mark.parametrize("name", ["linear", "mlp"])
@pytest.mark.parametrize("pooling", ["mean", "max", "mean_max"])
def test_one_vector_per_text(name, pooling):
    head = build_head(name, 8, 3, pooling=pooling).eval()
    vectors = torch.randn(4, 8)
    torch.testing.assert_close(head(vectors), head(vectors[:, None]))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("level", ["text", "word"])
def test_every_head_learns(name, level):
    torch.manual_seed(0)
    vectors, mask = torch.randn(40, 4, 8), torch.ones(40, 4, dtype=torch.bool)
    mask[::3, 2:] = False
    texts = (pool_words(vectors, mask)[:, 0] > 0).long()
    labels = texts if level == "text" else torch.where(mask, (vectors[..., 0] > 0).long(), -100)
    head = build_head(name, 8, 2, level=level, dropout=0.0)
    optimiser = torch.optim.Adam(head.parameters(), lr=0.01 if name == "transformer" else 0.03)
    for _ in range(80):
        optimiser.zero_grad()
        scores = head(vectors, mask)
        loss = cross_entropy(scores.flatten(0, -2), labels.flatten())
        loss.backward()
        optimiser.step()
    right = (head.eval()(vectors, mask).argmax(-1) == labels)[labels >= 0]
    assert right.float().mean() > 0.9


@pytest.mark.parametrize("name", NAMES)
def test_heads_under_autocast_and_in_a_state(name):
    head = build_head(name, 8, 3).eval()
    vectors, mask = sentences()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert head(vectors, mask).isfinite().all()
    twin = build_head(name, 8, 3).eval()
    twin.load_state_dict(head.state_dict())
    assert torch.equal(twin(vectors, mask), head(vectors, mask))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("level", ["text", "word"])
@pytest.mark.parametrize("shape", [(0, 5), (2, 0), (0, 0)])
def test_batches_without_a_text_or_a_word(name, level, shape):
    head = build_head(name, 8, 3, level=level)
    scores = head(torch.zeros(*shape, 8), torch.zeros(shape, dtype=torch.bool))
    assert scores.shape == ((shape[0], 3) if level == "text" else (*shape, 3))
    scores.sum().backward()


@pytest.mark.parametrize("name", NAMES)
def test_vectors_of_another_dtype(name):
    head = build_head(name, 8, 3)
    vectors, mask = sentences()
    with pytest.raises(InputError, match=r"of torch.float16 for a head of torch.float32; .* head.to\(torch.float16\)"):
        head(vectors.half(), mask)
    with torch.autocast("cpu", torch.bfloat16):
        assert head(vectors.bfloat16(), mask).shape == (5, 3)


def test_pooling_by_hand():
    vectors = torch.tensor([[[1.0, -4], [3, -2], [9, 9]], [[5, 5], [5, 5], [5, 5]]])
    mask = torch.tensor([[True, True, False], [False, False, False]])
    assert pool_words(vectors, mask, "mean_max").tolist() == [[2, -3, 3, -2], [0, 0, 0, 0]]
    assert pool_words(vectors, None, "max").tolist() == [[9, 9], [5, 5]]


def test_settings():
    head = build_head(BiLSTMConfig(hidden=7, layers=2), 8, 3)
    assert (head.width, head.features(*sentences()).shape[-1]) == (14, 14)
    assert head_config("cnn", filters=9) == CNNConfig(filters=9)
    assert asdict(LinearConfig()) == {"pooling": "mean", "dropout": 0.0}
    assert "BiLSTMConfig(pooling=" in repr(head)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: build_head("lstm", 8, 3), "head='lstm': known are 'linear', 'mlp', 'bilstm'"),
        (lambda: build_head("linear", 8, 3, hidden=3), "LinearConfig has no setting hidden; it has dropout, pooling"),
        (lambda: build_head("linear", 8, 3, pooling="last"), "pooling='last': known are"),
        (lambda: build_head("linear", 8, 3, level="char"), "level='char': known are 'text', 'word'"),
        (lambda: build_head("mlp", 8, 3, hidden=(0,)), r"hidden=\(0,\): needs a whole number"),
        (lambda: build_head("mlp", 8, 3, dropout=1), "dropout=1: needs"),
        (lambda: build_head("transformer", 8, 3, width=6), "multiple of attention_heads=4"),
        (lambda: build_head("mlp", 8, 0), "n_out=0"),
        (lambda: head_config(3), "a name or settings"),
        (lambda: Head(LinearConfig(), 8, 3)(torch.ones(2, 3, 9)), "have 9 components; this head was built for 8"),
        (lambda: build_head("linear", 8, 3)(torch.ones(2, 9)), "have 9 components; this head was built for 8"),
        (lambda: build_head("linear", 8, 3)(torch.tensor(1.0)), "have no components"),
        (lambda: build_head("linear", 8, 3)([[1.0] * 8]), "takes a tensor of vectors, not list"),
        (lambda: build_head("bilstm", 8, 3)(torch.ones(2, 8)), r"takes \(texts, words, 8\)"),
        (lambda: build_head("cnn", 8, 3)(torch.ones(2, 3, 8), torch.ones(2, 4)), r"a mask of shape \(2, 4\)"),
    ],
)
def test_what_cannot_be(make, said):
    with pytest.raises(InputError, match=said):
        make()
