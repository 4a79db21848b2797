"""The PyTorch layer: what it gives is what the table gives; what learns, and what does not."""

import copy
import pickle
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from layer_samples import WORDS, plain, spelling

import wordstock as ws
from wordstock.embeddings import Embeddings
from wordstock.errors import FingerprintError, InputError, UnknownWordError
from wordstock.tasks.torch import EmbeddingLayer

SENTENCES = ["the cat sat on a mat", ["Zürich", "zebra", "dog"], "", "qqq"]


@pytest.fixture(scope="module")
def table():
    return plain()


@pytest.fixture
def opened(table, tmp_path):
    table.save(tmp_path / "t.safetensors")
    return ws.load(str(tmp_path / "t.safetensors"))


@given(st.lists(st.lists(st.sampled_from([*WORDS, "zebra", "Cat", "ZÜRICH", " "]), max_size=6), min_size=1, max_size=4))
@pytest.mark.parametrize("trainable", [False, True, 3])
def test_vectors_are_those_of_the_table(trainable, sentences):
    table = plain()
    layer = table.to_torch(trainable)
    batch = layer.batch(sentences)
    found = layer(batch).detach().numpy()
    for row, mask, length, sentence in zip(
        found, batch.mask, batch.lengths, table.encode_words(sentences), strict=True
    ):
        assert length == len(sentence) == mask.sum()
        np.testing.assert_array_equal(row[:length], sentence)
        assert not row[length:].any()


@given(st.lists(st.sampled_from([*WORDS, "zebra", "MAT", "mat!"])))
def test_ids_are_rows_of_the_table(words):
    table = plain()
    ids = table.to_torch().ids(words)
    assert ids.dtype == np.int64
    known = [word in table for word in table.words(words)]
    assert (ids >= 2).tolist() == known
    assert ids[~np.array(known, bool)].tolist() == [1] * known.count(False)
    np.testing.assert_array_equal(
        table.storage.take(ids[ids >= 2] - 2), table.vectors([w for w in table.words(words) if w in table])
    )


def test_texts_are_tokenised_as_the_table_does(table):
    layer = table.to_torch()
    assert layer.ids("the cat, sat").tolist() == layer.ids(["the", "cat", ",", "sat"]).tolist() == [2, 3, 1, 4]


def test_keys_that_share_a_row():
    table = Embeddings.from_arrays(["a", "b", "c"], [[1.0, 2], [3, 4]], rows=[0, 1, 0])
    layer = table.to_torch(True)
    assert layer.ids(["a", "b", "c"]).tolist() == [2, 3, 2]
    layer(layer.batch([["a", "c"]])).sum().backward()
    assert layer.weight.grad.tolist() == [[2, 2], [0, 0]]


def test_any_shape_of_ids(table):
    layer = table.to_torch()
    assert layer(torch.tensor(3)).shape == (6,)
    assert layer(torch.zeros(2, 3, 4, dtype=torch.uint8)).shape == (2, 3, 4, 6)
    assert layer(torch.empty(0, 5, dtype=torch.long)).shape == (0, 5, 6)
    assert torch.equal(layer(torch.tensor([2, 0], dtype=torch.uint8)), layer(torch.tensor([2, 0])))


# Unknown words ---------------------------------------------------------------------------------------------------


def test_the_mean_stands_for_an_unknown_word(table):
    layer = table.to_torch(unknown="mean")
    expected = table.storage.data.mean(axis=0)
    np.testing.assert_allclose(layer(layer.batch([["zebra"]]))[0, 0], expected, atol=1e-6)
    assert not layer(torch.tensor([0])).any()


def test_an_unknown_word_is_refused_where_asked(table):
    layer = table.to_torch(unknown="raise")
    with pytest.raises(UnknownWordError, match="'catt' is not in the vocabulary; near matches: cat"):
        layer.batch(["the catt"])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"unknown": "skip"}, "unknown='skip': known are 'auto', 'zero'"),
        ({"unknown": "subword"}, "needs a table with n-gram vectors"),
        ({"dtype": "int8"}, "dtype='int8': known are 'float32'"),
        ({"dtype": torch.int64}, "known are 'float32'"),
        ({"dtype": ["float32"]}, "known are 'float32'"),
        ({"sparse": "no"}, "sparse='no': needs True or False"),
        ({"persistent": "no"}, "persistent='no': needs True or False"),
        ({"subwords": "some"}, "subwords='some': known are"),
        ({"subwords": "all", "trainable": True}, "needs trainable=True or a number of steps, a table with n-grams"),
        ({"trainable": -3}, "trainable=-3: needs True, False"),
        ({"trainable": 0}, "trainable=0: needs True, False"),
        ({"trainable": "yes"}, "trainable='yes'"),
        ({"freeze": True}, "no setting freeze; it has unknown, dtype"),
        ({"max_words": 0}, "max_words=0"),
        ({"persistent": False, "trainable": 5}, "would lose vectors that learn"),
    ],
)
def test_settings_that_cannot_be(table, options, said):
    with pytest.raises(InputError, match=said):
        table.to_torch(**options)


def test_a_table_without_vectors():
    with pytest.raises(InputError, match="holds no vectors"):
        Embeddings.from_arrays([], np.empty((0, 3), np.float32)).to_torch()


@pytest.mark.parametrize(
    ("ids", "said"),
    [
        ([2, 15], "the id 15 is out of range: this layer has ids 0 to 14"),
        ([-1], "the id -1 is out of range"),
        ([0.5], "whole numbers, such as int64, not torch.float32"),
        ([True], "whole numbers"),
    ],
)
def test_ids_that_no_word_has(table, ids, said):
    with pytest.raises(InputError, match=said):
        table.to_torch()(torch.tensor(ids))


@pytest.mark.parametrize("ids", [[[1, 2]], np.array([[1, 2]]), 3])
def test_ids_that_are_no_tensor(table, ids):
    with pytest.raises(InputError, match=r"a layer takes a WordBatch or a tensor of ids, not \w+; make one with"):
        table.to_torch()(ids)


def test_ids_of_a_larger_vocabulary(table):
    larger = plain(keys=[*WORDS, "extra"])
    with pytest.raises(InputError, match="make ids with the layer of the same table"):
        table.to_torch()(torch.from_numpy(larger.to_torch().ids("extra")))


# Precision -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("precision", ["float32", "float16", "int8"])
@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16", "float64"])
@pytest.mark.parametrize("trainable", [False, True])
def test_precisions_and_dtypes(table, precision, dtype, trainable):
    table = table.with_precision(precision)
    layer = table.to_torch(trainable, dtype=dtype)
    found = layer(layer.batch([WORDS]))
    assert str(found.dtype) == f"torch.{dtype}"
    expected = torch.from_numpy(table.vectors(WORDS)).to(found.dtype)
    torch.testing.assert_close(found[0].detach(), expected, rtol=2e-2 if dtype == "bfloat16" else 2e-3, atol=1e-6)
    assert layer.weight.dtype == (getattr(torch, dtype) if trainable else getattr(torch, precision))


def test_the_dtype_follows_the_module(table):
    layer = table.with_precision("int8").to_torch()
    assert layer.to(torch.bfloat16)(torch.tensor([3])).dtype == torch.bfloat16


@pytest.mark.parametrize("trainable", [False, True])
def test_autocast(table, trainable):
    model = torch.nn.Sequential(table.to_torch(trainable), torch.nn.Linear(6, 2))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        scores = model(torch.tensor([[2, 3, 1, 0]]))
    assert scores.dtype == torch.bfloat16
    scores.sum().backward()
    assert model[1].weight.grad is not None
    assert (model[0].weight.grad is not None) == trainable


# What learns -----------------------------------------------------------------------------------------------------


def test_what_is_frozen_is_no_parameter(table):
    layer = table.to_torch()
    assert not list(layer.parameters())
    assert not layer(torch.tensor([2])).requires_grad


@pytest.mark.parametrize("sparse", [False, True])
def test_gradients_reach_the_rows_in_use(table, sparse):
    layer = table.to_torch(True, sparse=sparse)
    layer(torch.tensor([[4, 4, 1, 0]])).sum().backward()
    gradient = layer.weight.grad
    assert gradient.is_sparse == sparse
    gradient = gradient.to_dense().clone()
    assert gradient[2].tolist() == [2] * 6
    gradient[2] = 0
    assert not gradient.any()
    assert layer.unknown.grad.to_dense().tolist() == [[1] * 6]
    optimiser = torch.optim.SparseAdam(layer.parameters()) if sparse else torch.optim.Adam(layer.parameters())
    optimiser.step()
    assert not np.allclose(layer.to_embeddings()["sat"], table["sat"])
    np.testing.assert_array_equal(layer.to_embeddings()["mat"], table["mat"])


def test_padding_never_learns(table):
    layer = table.to_torch(True)
    optimiser = torch.optim.AdamW(layer.parameters(), lr=1.0)
    layer(torch.tensor([0, 0, 3])).sum().backward()
    optimiser.step()
    assert not layer(torch.tensor([0])).any()


def test_vectors_begin_to_learn_after_so_many_steps(table):
    layer = table.to_torch(3)
    optimiser = torch.optim.SGD(layer.parameters(), lr=0.1)
    head = torch.nn.Linear(6, 1)
    changed = []
    for _ in range(5):
        layer.eval()
        head(layer(torch.tensor([2, 3])))  # evaluation does not count
        layer.train()
        before = layer.weight.detach().clone()
        optimiser.zero_grad()
        head(layer(torch.tensor([2, 3]))).sum().backward()
        optimiser.step()
        changed.append(not torch.equal(before, layer.weight))
    assert changed == [False, False, False, True, True]


def test_steps_may_be_told(table):
    layer = table.to_torch(2)
    for _ in range(2):
        layer.step()
        for _ in range(4):
            layer(torch.tensor([2]))
        learns = layer.learns
    assert learns
    assert layer.steps == 2


def test_freezing_by_hand(table):
    layer = table.to_torch(True)
    layer(torch.tensor([2])).sum().backward()
    layer.freeze()
    assert not layer.learns
    assert layer.weight.grad is None
    layer.unfreeze()
    assert layer.learns
    with pytest.raises(InputError, match="made with trainable=False"):
        table.to_torch().unfreeze()


def test_the_table_and_its_file_never_change(opened, table):
    layer = opened.to_torch(True)
    with torch.no_grad():
        layer.weight.fill_(7)
    frozen = opened.to_torch()
    frozen.weight.fill_(8)  # by mistake: pages of this process's own
    assert opened.verify()
    assert ws.load(str(opened.path)).verify()
    memory = table.to_torch(True)
    with torch.no_grad():
        memory.weight.fill_(7)
    assert table.verify()


def test_a_file_that_has_been_replaced(opened):
    expected = opened.vectors(WORDS)
    plain(seed=5).save(opened.path)
    for trainable in (False, True):
        layer = opened.to_torch(trainable)
        np.testing.assert_array_equal(layer(torch.from_numpy(layer.ids(WORDS))).detach(), expected)


# Back to a table -------------------------------------------------------------------------------------------------


def test_back_to_a_table(table, tmp_path):
    layer = table.to_torch(True)
    assert table.to_torch().to_embeddings() is table
    with torch.no_grad():
        layer.weight[0] += 1
    trained = layer.to_embeddings()
    np.testing.assert_allclose(trained["the"], table["the"] + 1, atol=1e-6)
    np.testing.assert_array_equal(trained["cat"], table["cat"])
    assert list(trained.keys) == list(table.keys)
    assert "PyTorch" in trained.card.notes[-1]
    trained.save(tmp_path / "trained.safetensors")
    assert ws.load(str(tmp_path / "trained.safetensors")).verify()
    with torch.no_grad():
        layer.weight[0] += float("nan")
    assert not np.isnan(trained["the"]).any()
    with pytest.raises(InputError, match="the vector of 'the' holds NaN"):
        layer.to_embeddings()


# Copies and files ------------------------------------------------------------------------------------------------


def build(table, trainable=False, **options):
    torch.manual_seed(0)
    return torch.nn.Sequential(table.to_torch(trainable, **options), torch.nn.Linear(6, 2))


def through_file(state, path):
    torch.save(state, path)
    return torch.load(path, weights_only=True)


@pytest.mark.parametrize("precision", ["float32", "float16", "int8"])
@pytest.mark.parametrize(("trainable", "persistent"), [(False, None), (False, True), (True, None), (4, None)])
def test_state_there_and_back(opened, trainable, persistent, precision, tmp_path):
    table = opened.with_precision(precision)
    model = build(table, trainable, persistent=persistent, unknown="mean")
    ids = torch.tensor([[2, 1, 0, 5]])
    state = through_file(model.state_dict(), tmp_path / "s.pt")
    assert ("0.weight" in state) == (persistent is not False and bool(trainable or persistent))
    twin = build(table, trainable, persistent=persistent, unknown="mean")
    with torch.no_grad():
        twin[1].weight.zero_()
    twin.load_state_dict(state)
    torch.testing.assert_close(model(ids), twin(ids))


def test_trained_vectors_go_into_any_layer_of_the_same_words(opened, table):
    model = build(opened, True)
    with torch.no_grad():
        model[0].weight += 1
    ids = torch.tensor([[2, 1, 0, 5]])
    for source, persistent in (
        (opened, None),
        (table, None),
        (table, True),
        (plain(seed=3).with_precision("int8"), None),
    ):
        frozen = build(source, persistent=persistent)
        frozen.load_state_dict(model.state_dict())
        assert torch.equal(frozen(ids), model(ids))
        np.testing.assert_allclose(frozen[0].to_embeddings()["cat"], table["cat"] + 1, atol=1e-6)
        assert torch.equal(pickle.loads(pickle.dumps(frozen))(ids), model(ids))
        assert torch.equal(copy.deepcopy(frozen)(ids), model(ids))
    assert table.verify()


@pytest.mark.parametrize("persistent", [None, True])
def test_a_state_without_learned_vectors_goes_into_a_layer_that_learns(table, persistent):
    table = table.with_precision("int8")
    state = build(table, persistent=persistent).state_dict()
    model = build(table, True)
    with torch.no_grad():
        model[0].weight.zero_()
    model.load_state_dict(state)
    np.testing.assert_allclose(model[0].to_embeddings()["cat"], table["cat"], atol=1e-6)


def test_a_state_of_another_table_is_refused(table):
    other = plain(seed=1)
    with pytest.raises(FingerprintError, match="the vectors differ"):
        build(table).load_state_dict(build(other).state_dict())
    with pytest.raises(FingerprintError, match="the keys and settings differ"):
        build(table, True).load_state_dict(build(plain(keys=WORDS[::-1]), True).state_dict())
    build(table, True).load_state_dict(build(other, True).state_dict())  # the same words: their vectors come along
    state = build(table, True).state_dict()
    del state["0.identity"]
    with pytest.raises(RuntimeError, match=r'Missing key\(s\) in state_dict: "0.identity"'):
        build(table, True).load_state_dict(state)


def test_frozen_vectors_are_not_replaced_by_others_of_another_shape(table):
    layer = table.to_torch()
    before = layer(layer.batch(SENTENCES)).clone()
    with pytest.raises(InputError, match=r"weight has the shape \(3, 6\), in this layer \(13, 6\)"):
        layer.load_state_dict({"weight": torch.zeros(3, 6)}, strict=False)
    assert torch.equal(layer(layer.batch(SENTENCES)), before)


def test_counted_steps_go_on(table):
    layer = table.to_torch(3)
    for _ in range(2):
        layer(torch.tensor([2]))
    twin = table.to_torch(3)
    twin.load_state_dict(layer.state_dict())
    assert not twin.learns
    twin(torch.tensor([2]))
    assert twin.learns
    again = table.to_torch(3)
    again.load_state_dict(twin.state_dict())
    assert again.learns


def test_told_steps_go_on_after_loading(table):
    def train(layer, steps):
        for _ in range(steps):
            layer(layer.batch(SENTENCES))
            layer.step()

    layer = table.to_torch(5)
    train(layer, 3)
    again = table.to_torch(5)
    again.load_state_dict(layer.state_dict())
    train(again, 1)
    assert (again.steps, again.learns) == (4, False)
    train(again, 2)
    assert (again.steps, again.learns) == (6, True)
    third = table.to_torch(5)
    third.load_state_dict(again.state_dict())
    train(third, 1)
    assert (third.steps, third.learns) == (7, True)


def test_counting_does_not_compile_anew(table):
    layer = table.to_torch(20)
    compiled = torch.compile(layer, backend="eager")
    batch = layer.batch(SENTENCES)
    with torch._dynamo.config.patch(error_on_recompile=True):
        for _ in range(19):
            compiled(batch)
    assert layer.steps == 19
    assert not layer.learns
    compiled(batch)
    assert layer.learns
    assert compiled(batch).requires_grad


def test_copies(opened, table):
    for source in (opened, table):
        layer = source.to_torch()
        twin = copy.deepcopy(torch.nn.Sequential(layer))[0]
        assert twin.weight.data_ptr() == layer.weight.data_ptr()
        learns = source.to_torch(True)
        assert copy.deepcopy(learns).weight.data_ptr() != learns.weight.data_ptr()


def test_a_pickled_layer_of_a_file_is_small(tmp_path):
    table = plain(dim=64, keys=[str(i) for i in range(3000)])
    table.save(tmp_path / "t.safetensors")
    layer = ws.load(str(tmp_path / "t.safetensors")).to_torch()
    data = pickle.dumps(layer)
    assert len(data) < 10_000
    ids = torch.tensor([5, 1])
    assert torch.equal(pickle.loads(data)(ids), layer(ids))
    assert torch.equal(pickle.loads(pickle.dumps(table.to_torch()))(ids), layer(ids))


def test_safetensors_can_hold_the_state(table, tmp_path):
    from safetensors.torch import load_file, save_file

    model = build(table, 5)
    save_file(model.state_dict(), tmp_path / "m.safetensors")
    build(table, 5).load_state_dict(load_file(tmp_path / "m.safetensors"))


# Memory ----------------------------------------------------------------------------------------------------------

MEMORY = """
import sys, warnings
warnings.simplefilter("error")
import torch, wordstock as ws
def private():
    return int(next(line for line in open("/proc/self/status") if line.startswith("RssAnon")).split()[1]) / 1024
torch.set_num_threads(1)
small = ws.Embeddings.from_arrays(["a"], [[1.0] * 64]).to_torch(True, sparse=True)
small(torch.tensor([2])).sum().backward()
torch.optim.SGD(small.parameters(), lr=0.1).step()
emb = ws.load(sys.argv[1])
before = private()
layer = emb.to_torch({trainable}, sparse=True)
for start in range(2, layer.num_embeddings, 512):
    layer(torch.arange(start, min(start + 512, layer.num_embeddings)))
if {trainable}:
    layer(torch.arange(2, 100)).sum().backward()
    torch.optim.SGD(layer.parameters(), lr=0.1).step()
print(private() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="RssAnon is Linux's")
@pytest.mark.parametrize("precision", ["float32", "int8"])
@pytest.mark.parametrize("trainable", [False, True])
def test_a_mapped_table_is_not_copied(precision, trainable, tmp_path):
    if trainable and precision == "int8":
        pytest.skip("int8 learns as float32, which is another table")
    rows = 50_000
    vectors = np.ones((rows, 256 if precision == "float32" else 1024), np.float32)
    path = tmp_path / "large.safetensors"
    Embeddings.from_arrays(map(str, range(rows)), vectors).save(path, precision=precision)  # 51 MB of vectors
    code = MEMORY.format(trainable=trainable)
    ran = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True)
    assert float(ran.stdout) < 12  # MiB


# N-grams ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def spells():
    return spelling()


@given(
    st.lists(st.lists(st.sampled_from(["cat", "rivers", "catt", "doggy", "zzz", "x", "Riv"]), max_size=5), min_size=1)
)
def test_unknown_words_are_spelled(sentences):
    table, _ = spelling()
    for options in ({}, {"trainable": True}, {"trainable": True, "subwords": "all"}):
        layer = table.to_torch(**options)
        batch = layer.batch(sentences)
        found = layer(batch).detach().numpy()
        for row, length, expected in zip(found, batch.lengths, table.encode_words(sentences), strict=True):
            np.testing.assert_allclose(row[:length], expected, atol=2e-5)
            assert not row[length:].any()


def test_a_peer_spells_alike(tmp_path):
    fasttext = pytest.importorskip("fasttext")
    text = tmp_path / "text.txt"
    text.write_text("the river flows past the mill and the millers sleep\n" * 100)
    # fastText fills a tenth of its numbers per thread and leaves the rest to chance: ten threads fill all.
    settings = {"dim": 30, "minCount": 1, "epoch": 1, "bucket": 2000, "thread": 10, "verbose": 0}
    model = fasttext.train_unsupervised(str(text), **settings)
    model.save_model(str(tmp_path / "m.bin"))
    table = ws.load(str(tmp_path / "m.bin"))
    words = ["river", "rivers", "miller", "unheardof"]
    for options in ({}, {"trainable": True, "subwords": "all"}):
        layer = table.to_torch(**options)
        expected = [model.get_word_vector(word) for word in words]
        np.testing.assert_allclose(layer(layer.batch([words]))[0].detach(), expected, atol=1e-5)


def test_rows_of_ngrams_learn(spells):
    table, _ = spells
    layer = table.to_torch(True)
    layer(layer.batch([["cat"]])).sum().backward()
    assert layer.grams.grad is None  # a known word has a row of its own
    layer(layer.batch([["catt"]])).sum().backward()
    rows = np.bincount(table.subwords.rows("catt"), minlength=40)
    np.testing.assert_allclose(layer.grams.grad[:, 0], rows / rows.sum(), atol=1e-6)


@pytest.mark.parametrize("sparse", [False, True])
def test_with_all_subwords_a_word_is_the_mean_of_its_rows(spells, sparse):
    table, own = spells
    layer = table.to_torch(True, subwords="all", sparse=sparse)
    np.testing.assert_allclose(layer.weight.detach(), own, atol=1e-4)
    layer(layer.batch([["cat", "dog", "cat"]])).sum().backward()
    grams = {word: table.subwords.rows(word) for word in ("cat", "dog")}
    expected = sum(
        times * np.bincount(grams[word], minlength=40) / (1 + len(grams[word]))
        for word, times in (("cat", 2), ("dog", 1))
    )
    np.testing.assert_allclose(layer.grams.grad.to_dense()[:, 0], expected, atol=1e-6)
    optimiser = torch.optim.SGD(layer.parameters(), lr=0.5)
    optimiser.step()
    trained = layer.to_embeddings()
    words = ["cat", "cats", "rivers", "catt"]
    found = layer(layer.batch([words]))[0].detach()
    np.testing.assert_allclose(trained.vectors(words, missing="subword"), found, atol=1e-5)
    assert not np.allclose(trained["cats"], table["cats"])  # it shares n-grams with "cat"
    state = layer.state_dict()
    twin = table.to_torch(True, subwords="all")
    twin.load_state_dict(state)
    assert torch.equal(twin(twin.batch([words]))[0], found)
    with pytest.raises(FingerprintError):
        table.to_torch(True).load_state_dict(state)  # whose rows are whole words
    assert torch.equal(copy.deepcopy(layer)(layer.batch([words]))[0], found)


def test_a_batch_of_another_table(spells, table):
    batch = spells[0].to_torch().batch([["catt"]])
    with pytest.raises(InputError, match="of two tables"):
        table.to_torch()(batch)


def test_unknown_words_of_a_table_with_ngrams_may_stay_unknown(spells):
    layer = spells[0].to_torch(unknown="zero")
    batch = layer.batch([["catt", "cat"]])
    assert batch.ids.tolist() == [[1, 2]]
    assert layer.grams is None


def test_it_says_what_it_is(table):
    layer = table.to_torch()
    assert isinstance(layer, EmbeddingLayer)
    assert (layer.num_embeddings, layer.embedding_dim) == (15, 6)
    assert "13 keys, dim 6" in repr(layer)


def test_pytorch_is_missing():
    code = (
        "import sys, wordstock as ws\n"
        "class Blocked:\n"
        "    def find_spec(self, name, *others):\n"
        "        if name == 'torch': raise ModuleNotFoundError(name, name=name)\n"
        "sys.meta_path.insert(0, Blocked())\n"
        "try: ws.Embeddings.from_arrays(['a'], [[1.0]]).to_torch()\nexcept ws.WordstockError as error: print(error)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.startswith(
        "a PyTorch layer needs torch, which is not installed; run: pip install 'wordstock[torch]'"
    )
