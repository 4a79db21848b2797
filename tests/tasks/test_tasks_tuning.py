"""Heads and tuned encoders of TextClassifier: what they learn, that they come back, and what they refuse."""

import copy
import pickle
import subprocess
import sys
import warnings

import numpy as np
import pytest
from sklearn.base import clone

import wordstock as ws
from wordstock.errors import FingerprintError, FormatError, InputError, WordstockError
from wordstock.tasks import BiLSTMConfig, Contrastive, FineTune, HeadTraining, LinearConfig, TextClassifier
from wordstock.tasks.head_config import head_config
from wordstock.tasks.scaling import Scaling
from wordstock.tasks.tuning.loop import rate_share
from wordstock.tasks.tuning.training import Target, joint

torch = pytest.importorskip("torch")

HEADS = ("logistic", "linear", "mlp", "bilstm", "cnn", "transformer")
WORDS = {
    "card": ["card", "bank", "arrived", "post", "plastic"],
    "rate": ["rate", "exchange", "euro", "currency", "dollar"],
    "refund": ["refund", "return", "cancel", "payback", "complain"],
}


def sentences(count, seed):
    """Texts of three words of a class and three of no class."""
    random = np.random.default_rng(seed)
    labels = sorted(WORDS) * count
    filler = ["the", "my", "is", "please", "now", "a"]
    texts = [
        " ".join(random.permutation([*random.choice(WORDS[label], 2), *random.choice(filler, 3)])) for label in labels
    ]
    return texts, labels


@pytest.fixture(scope="module")
def table():
    """Vectors that say nothing of the classes: only tuning can find them."""
    keys = ["the", "my", "is", "please", "now", "a", "other", *(word for words in WORDS.values() for word in words)]
    return ws.Embeddings.from_arrays(keys, np.random.default_rng(0).standard_normal((len(keys), 12), np.float32))


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    """A BERT of two small layers with random weights and a tokeniser of whole words."""
    transformers = pytest.importorskip("transformers")
    tokenizers = pytest.importorskip("tokenizers")
    folder = tmp_path_factory.mktemp("tiny")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *(word for one in WORDS.values() for word in one)]
    words += ["the", "my", "is", "please", "now", "a"]
    made = tokenizers.Tokenizer(
        tokenizers.models.WordLevel({word: number for number, word in enumerate(words)}, unk_token="[UNK]")
    )
    made.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    made.post_processor = tokenizers.processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    made.save(str(folder / "tokenizer.json"))
    config = transformers.BertConfig(
        vocab_size=len(words),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=48,
        max_position_embeddings=32,
    )
    torch.manual_seed(0)
    model = transformers.BertModel(config, add_pooling_layer=False)
    transformers.utils.logging.disable_progress_bar()
    model.save_pretrained(folder)
    return ws.load(folder)


@pytest.fixture(scope="module")
def data():
    return sentences(30, 1), sentences(20, 2)


def quick(finetune, kind):
    if finetune == "full":
        return FineTune(epochs=8, learning_rate=0.05 if kind == "table" else 3e-3, embeddings=True)
    return None if finetune is None else Contrastive(epochs=6, learning_rate=0.05 if kind == "table" else 3e-3)


class Elsewhere:
    """Texts of three words whose vectors are on a device that every machine has, and that mixes with no other."""

    device = "meta"

    def vectors(self, read, rows):
        return torch.ones(len(rows), 12, device=self.device, requires_grad=True)

    def words(self, read, rows):
        mask = torch.ones(len(rows), 3, dtype=torch.bool, device=self.device)
        return torch.ones(len(rows), 3, 12, device=self.device, requires_grad=True), mask


@pytest.mark.parametrize("head", ["linear", "mlp", "cnn", "transformer"])
@pytest.mark.parametrize("multilabel", [False, True])
def test_a_head_is_trained_where_its_encoder_is(head, multilabel):
    codes = np.arange(30) % 3
    target = Target(np.eye(3, dtype=bool)[codes], np.ones((30, 3)), 3) if multilabel else Target(codes, np.ones(30), 3)
    module, loss = joint(Elsewhere(), None, head_config(head), Scaling(np.zeros(12), 1.0), target)
    found = loss(np.arange(8))
    found.backward()
    assert found.device.type == "meta"
    assert {one.grad.device.type for one in module.parameters()} == {"meta"}


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("finetune", [None, "full", "contrastive"])
@pytest.mark.parametrize("kind", ["table", "encoder"])
def test_every_head_with_every_way_of_tuning_learns_and_comes_back(
    kind, finetune, head, data, table, encoder, tmp_path
):
    base = table if kind == "table" else encoder
    (texts, labels), (asked, answers) = data
    training = HeadTraining(epochs=30, learning_rate=5e-3)
    classifier = TextClassifier(base, head=head, finetune=quick(finetune, kind), head_training=training, seed=3)
    classifier.fit(texts, labels)
    # Random vectors of 6 words of which 2 matter: what is frozen does better than chance, what is tuned well.
    assert classifier.score(asked, answers) > (0.9 if finetune and kind == "table" else 0.55)
    assert classifier.predict_proba(asked).sum(axis=1) == pytest.approx(1)

    path = tmp_path / "c.safetensors"
    classifier.save(path)
    again = TextClassifier.load(path, encoder=base)
    np.testing.assert_allclose(again.predict_proba(asked), classifier.predict_proba(asked), atol=2e-6)
    assert again.get_params(deep=False) == classifier.get_params(deep=False)
    assert again.encoder_.fingerprint == classifier.encoder_.fingerprint
    assert (classifier.encoder_.fingerprint == base.fingerprint) == (finetune is None)


@pytest.mark.parametrize("kind", ["table", "encoder"])
def test_a_tuned_encoder_is_saved_as_what_load_opens(kind, data, table, encoder, tmp_path, capfd):
    base = table if kind == "table" else encoder
    (texts, labels), (asked, _) = data
    before = base.encode(asked)
    classifier = TextClassifier(base, finetune=quick("full", kind)).fit(texts, labels)
    place = tmp_path / ("tuned.safetensors" if kind == "table" else "tuned")
    capfd.readouterr()
    classifier.save_encoder(place)
    assert capfd.readouterr() == ("", "")
    opened = ws.load(place)
    np.testing.assert_allclose(opened.encode(asked), classifier.encoder_.encode(asked), atol=1e-5)
    for a, b in zip(opened.encode_words(asked), classifier.encoder_.encode_words(asked), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)
    assert np.abs(opened.encode(asked) - before).max() > 1e-3
    np.testing.assert_array_equal(base.encode(asked), before)  # the one it was made of is as it was


def test_equal_seeds_give_equal_classifiers_and_others_others(data, encoder):
    (texts, labels), (asked, _) = data
    made = [
        TextClassifier(encoder, head="bilstm", finetune=FineTune(epochs=2), seed=seed).fit(texts, labels)
        for seed in (5, 5, 6)
    ]
    first, same, other = (one.predict_proba(asked) for one in made)
    np.testing.assert_array_equal(first, same)
    assert np.abs(first - other).max() > 1e-4


def test_training_leaves_torchs_random_numbers_and_threads_alone(data, table):
    torch.manual_seed(11)
    state, threads = torch.random.get_rng_state(), torch.get_num_threads()
    TextClassifier(table, head="mlp", head_training=HeadTraining(epochs=2)).fit(*data[0])
    assert torch.equal(torch.random.get_rng_state(), state)
    assert torch.get_num_threads() == threads


def test_several_labels_per_text(data, table):
    texts, labels = data[0]
    groups = [{label} if number % 2 else {label, "odd"} for number, label in enumerate(labels)]
    for head, finetune in (("linear", None), ("cnn", FineTune(epochs=10)), ("logistic", Contrastive(epochs=2))):
        classifier = TextClassifier(table, head=head, finetune=finetune).fit(texts, groups)
        found = classifier.predict(texts)
        assert all(isinstance(one, set) for one in found)
        proba = classifier.predict_proba(texts)
        assert proba.shape == (len(texts), 4)
        assert ((proba >= 0) & (proba <= 1)).all()


def test_two_classes_have_one_column_of_log_odds(data, table):
    texts = [text for text, label in zip(*data[0], strict=True) if label != "rate"]
    labels = [label for label in data[0][1] if label != "rate"]
    classifier = TextClassifier(table, head="mlp", head_training=HeadTraining(epochs=20)).fit(texts, labels)
    odds, proba = classifier.decision_function(texts), classifier.predict_proba(texts)
    assert odds.shape == (len(texts),)
    np.testing.assert_allclose(odds, np.log(proba[:, 1] / proba[:, 0]), rtol=1e-6, atol=1e-6)


def test_one_example_per_class_is_enough_to_train(table, encoder):
    texts, labels = ["card arrived", "exchange rate", "refund please"], ["a", "b", "c"]
    for base in (table, encoder):
        for settings in ({"finetune": Contrastive(epochs=2)}, {"finetune": FineTune(epochs=2)}, {"head": "mlp"}):
            classifier = TextClassifier(base, **settings).fit(texts, labels)
            assert set(classifier.predict(texts)) <= {"a", "b", "c"}


def test_texts_without_known_words_are_answered(data, table, encoder):
    for base in (table, encoder):
        for head in ("linear", "bilstm", "cnn", "transformer"):
            classifier = TextClassifier(base, head=head, finetune=FineTune(epochs=1)).fit(*data[0])
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", ".*hold no word of the vocabulary")
                assert np.isfinite(classifier.predict_proba(["", "qqq", "card"])).all()


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
@pytest.mark.parametrize("kind", ["table", "contextual"])
@pytest.mark.parametrize("finetune", [FineTune(epochs=1), Contrastive(epochs=1)])
def test_a_tuned_classifier_is_copied_and_pickled(table, encoder, finetune, kind, copied):
    texts, labels = sentences(6, 1)
    model = TextClassifier(encoder if kind == "contextual" else table, finetune=finetune, C=1).fit(texts, labels)
    again = copied(model)
    np.testing.assert_allclose(again.predict_proba(texts), model.predict_proba(texts), atol=1e-6)
    assert again.encoder_.fingerprint == model.encoder_.fingerprint
    assert clone(again).get_params()["finetune"] == finetune


def test_a_tuned_encoder_by_itself_says_how_it_is_kept(encoder):
    model = TextClassifier(encoder, finetune=FineTune(epochs=1), C=1).fit(*sentences(6, 1))
    with pytest.raises(InputError, match=r"write it with its save\(\)"):
        pickle.dumps(model.encoder_)


def test_clone_keeps_settings_and_encoder(table):
    made = TextClassifier(table, head=BiLSTMConfig(hidden=8), finetune=FineTune(gradual=True), seed=4)
    copy = clone(made)
    assert copy.get_params(deep=False) == made.get_params(deep=False)
    assert copy.encoder is table


def test_progress_names_stage_epoch_and_loss(data, encoder):
    told = []
    TextClassifier(encoder, finetune=Contrastive(epochs=2), head="linear", head_training=HeadTraining(epochs=3)).fit(
        *data[0], progress=told.append
    )
    assert [one.stage for one in told] == ["contrastive"] * told[0].total + ["head"] * told[-1].total
    assert told[-1].done == told[-1].total
    assert (told[-1].epoch, told[-1].epochs) == (3, 3)
    assert all(np.isfinite(one.loss) for one in told)


@pytest.mark.parametrize("kind", [FineTune, Contrastive])
def test_a_single_step_changes_the_encoder(kind, table):
    texts, labels = sentences(6, 1)
    seen = []
    tuned = TextClassifier(table, finetune=kind(epochs=1)).fit(texts, labels, progress=seen.append)
    assert len(seen) == 1
    assert np.abs(tuned.tuned_["change"]).max() == pytest.approx(0.01, rel=0.01)  # the rate at its highest


def test_a_single_step_trains_a_head(table):
    texts, labels = sentences(6, 1)
    head = TextClassifier(table, head="linear", head_training=HeadTraining(epochs=1)).fit(texts, labels)
    assert np.abs(head.decision_function(texts)).max() > 1e-3


@pytest.mark.parametrize(
    ("steps", "warmup"), [(1, 0.1), (1, 0.0), (1, 0.9), (2, 0.1), (10, 0.1), (10, 0.99), (100, 0.1)]
)
def test_every_step_has_a_rate_and_one_the_highest(steps, warmup):
    shares = [rate_share(step, steps, warmup) for step in range(steps)]
    assert min(shares) > 0
    assert max(shares) == 1
    top = shares.index(1)
    assert shares == sorted(shares[: top + 1]) + sorted(shares[top + 1 :], reverse=True)


def test_gradual_unfreezing_trains_the_top_first(encoder, data):
    from wordstock.tasks.tuning.contextual import ContextualTuner

    groups = ContextualTuner(encoder, FineTune(gradual=True, layer_decay=0.5, learning_rate=1e-3)).groups()
    assert [one.first_epoch for one in groups] == [1, 2]
    assert [one.rate for one in groups] == [1e-3, 5e-4]
    tensors = []
    for epochs in (1, 2, 3):
        classifier = TextClassifier(encoder, finetune=FineTune(gradual=True, epochs=epochs, learning_rate=1e-3))
        tensors.append({name.split(".layer.")[1][0] for name in classifier.fit(*data[0]).tuned_})
    assert tensors == [set(), {"1"}, {"0", "1"}]


def test_early_stopping_keeps_the_best_weights(data, table):
    rounds = []
    TextClassifier(
        table,
        head=LinearConfig(),
        head_training=HeadTraining(epochs=60, held_out=0.3, patience=2, learning_rate=0.5),
    ).fit(*data[0], progress=lambda told: rounds.append(told.epoch))
    assert max(rounds) < 60


def test_a_loss_that_is_no_number_says_what_to_lower(data, table, encoder):
    with pytest.raises(WordstockError, match=r"head: the loss is (nan|inf) at step \d+ of epoch \d+; lower learning_r"):
        TextClassifier(table, head="mlp", head_training=HeadTraining(learning_rate=1e38, epochs=50)).fit(*data[0])
    with pytest.raises(WordstockError, match=r"fine-tuning: the loss is .* lower learning_rate \(now 1e\+38\)"):
        TextClassifier(encoder, finetune=FineTune(learning_rate=1e38, epochs=9)).fit(*data[0])
    with pytest.raises(WordstockError, match=r"contrastive: the loss is .*raise temperature"):
        TextClassifier(encoder, finetune=Contrastive(learning_rate=1e38, epochs=9)).fit(*data[0])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"head": "lstm"}, r"head='lstm': known are 'logistic', 'linear', 'mlp', 'bilstm', 'transformer', 'cnn'"),
        ({"head": 3}, "head must be a name or settings"),
        ({"finetune": "half"}, r"finetune='half': known are 'full', 'contrastive', None"),
        ({"finetune": {"epochs": 2}}, "finetune="),
        ({"head": "mlp", "lexical": True}, "lexical=True goes with head='logistic', not with 'mlp'"),
        ({"head": "mlp", "C": 2.0}, "C=2.0 goes with head='logistic'"),
        ({"head_training": 5}, "head_training=5"),
    ],
)
def test_settings_that_do_not_go_are_refused(settings, message, table, data):
    with pytest.raises(InputError, match=message):
        TextClassifier(table, **settings).fit(*data[0])


@pytest.mark.parametrize(
    ("kind", "settings", "message"),
    [
        (FineTune, {"epochs": 0}, "epochs=0: needs a whole number of at least 1, or None"),
        (FineTune, {"learning_rate": -1.0}, "learning_rate=-1.0: needs a number above 0"),
        (FineTune, {"learning_rate": float("nan")}, "learning_rate=nan"),
        (FineTune, {"layer_decay": 1.5}, "layer_decay=1.5: needs a number above 0, at most 1"),
        (FineTune, {"held_out": 1.0}, "held_out=1.0: needs a number from 0 on, below 1"),
        (FineTune, {"precision": "half"}, "precision='half': known are 'auto', 'float32', 'bfloat16'"),
        (FineTune, {"gradual": "yes"}, "gradual='yes': needs True or False"),
        (Contrastive, {"loss": "triplet"}, "loss='triplet': known are 'supervised', 'cosine'"),
        (Contrastive, {"batch_size": 4}, "batch_size=4 holds no two classes of per_class=4 texts; raise it to 8"),
        (Contrastive, {"per_class": 1}, "per_class=1"),
        (HeadTraining, {"patience": 0}, "patience=0"),
        (HeadTraining, {"weight_decay": "x"}, "weight_decay='x'"),
    ],
)
def test_settings_out_of_range_are_refused(kind, settings, message):
    with pytest.raises(InputError, match=message):
        kind(**settings)


def test_an_encoder_that_cannot_be_tuned_is_named(data):
    class Lengths:
        dim, fingerprint = 2, "f"

        def encode(self, texts):
            return np.array([[len(text), 1] for text in texts], np.float32)

    with pytest.raises(InputError, match="a Lengths cannot be tuned; finetune= takes a table"):
        TextClassifier(Lengths(), finetune="full").fit(*data[0])
    with pytest.raises(InputError, match="Lengths has no encode_words; take head='linear' or 'mlp'"):
        TextClassifier(Lengths(), head="bilstm").fit(*data[0])


def test_nothing_tuned_is_nothing_to_save(data, table, tmp_path):
    classifier = TextClassifier(table).fit(*data[0])
    with pytest.raises(InputError, match="did not tune its encoder; set finetune="):
        classifier.save_encoder(tmp_path / "e")


def test_a_tuned_classifier_is_bound_to_its_base(data, table, encoder, tmp_path):
    classifier = TextClassifier(encoder, finetune=FineTune(epochs=1)).fit(*data[0])
    path = tmp_path / "c.safetensors"
    classifier.save(path)
    with pytest.raises(FingerprintError, match="was trained with vectors"):
        TextClassifier.load(path, encoder=table)
    found = TextClassifier.load(path)  # by the folder on record
    np.testing.assert_allclose(found.predict_proba(data[1][0]), classifier.predict_proba(data[1][0]), atol=2e-6)


def test_damage_in_tuned_weights_is_noticed(data, table, tmp_path):
    path = tmp_path / "c.safetensors"
    TextClassifier(table, head="mlp", finetune=FineTune(epochs=1)).fit(*data[0]).save(path)
    content = bytearray(path.read_bytes())
    content[-30] ^= 1
    path.write_bytes(content)
    with pytest.raises(FormatError, match="the file is damaged"):
        TextClassifier.load(path, encoder=table)


def test_without_torch_the_extra_is_named_before_any_work(tmp_path):
    script = """
import sys

class NoTorch:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "torch":
            raise ModuleNotFoundError("No module named 'torch'", name="torch")

sys.meta_path.insert(0, NoTorch())
import numpy as np
import wordstock as ws
from wordstock.errors import MissingExtraError
table = ws.Embeddings.from_arrays(["a", "b"], np.eye(2, dtype=np.float32))
ws.TextClassifier(table).fit(["a", "b"], ["x", "y"])
for settings in ({"head": "mlp"}, {"finetune": "full"}, {"finetune": "contrastive"}):
    try:
        ws.TextClassifier(table, **settings).fit(["a", "b"], ["x", "y"])
    except MissingExtraError as error:
        assert "wordstock[torch]" in str(error), error
    else:
        raise SystemExit(f"{settings} went through")
"""
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
