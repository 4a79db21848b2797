"""Backends against each other: the same vectors, whatever runs the model, alone or among other texts."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tiny_models import TEXTS
from wordstock.encoders import open_encoder
from wordstock.encoders.backends import auto
from wordstock.encoders.backends.eight_bit import quantised_columns
from wordstock.encoders.backends.eight_bit_openvino import eight_bit_model, quantised_blocks, smoothing
from wordstock.encoders.backends.exports import export_folder, exported, kept
from wordstock.encoders.backends.sample import sample
from wordstock.encoders.folder import read_folder
from wordstock.errors import FormatError, InputError, StorageError

EXPORTED = ("onnx", "openvino")
SHORT = TEXTS[:5]


@pytest.fixture(scope="module", autouse=True)
def own_cache(tmp_path_factory):
    """Exports of this module's models only."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORDSTOCK_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


def cosines(ours, theirs):
    return np.sum(ours * theirs, axis=1) / np.linalg.norm(ours, axis=1) / np.linalg.norm(theirs, axis=1)


def in_python(code, *arguments):
    """What a fresh interpreter prints."""
    ran = subprocess.run([sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.split("\n")


@pytest.mark.parametrize("backend", EXPORTED)
def test_every_family_gives_what_torch_gives(family, backend):
    every = {"layers": (0, 1, 2, 3), "combine": "concat"}
    theirs = open_encoder(family)
    ours = open_encoder(family, backend=backend, threads=1)
    np.testing.assert_allclose(ours.encode(SHORT), theirs.encode(SHORT), atol=1e-4)
    for one, other in zip(
        ours.with_config(**every).encode_words(TEXTS), theirs.with_config(**every).encode_words(TEXTS), strict=True
    ):
        np.testing.assert_allclose(one, other, atol=1e-4)
    assert ours.fingerprint == theirs.fingerprint
    assert backend in repr(ours)


@pytest.mark.parametrize(
    ("backend", "precision", "least"),
    [
        ("torch", "float32", 1 - 1e-6),
        ("onnx", "float32", 1 - 1e-6),
        ("openvino", "float32", 1 - 1e-6),
        ("torch", "bfloat16", 0.999),
        ("openvino", "bfloat16", 0.999),
        ("openvino", "int8", 0.999),
        ("onnx", "int8", 0.9),
    ],
)
def test_a_text_by_itself_and_in_a_batch(bert, backend, precision, least):
    if (backend, precision) == ("openvino", "bfloat16") and not has_bfloat16():
        pytest.skip("this processor has no bfloat16 instructions")
    encoder = open_encoder(bert, backend=backend, precision=precision, threads=1)
    alone = np.stack([encoder.encode(text) for text in SHORT])
    assert cosines(encoder.encode(SHORT), alone).min() >= least
    assert cosines(alone, open_encoder(bert).encode(SHORT)).min() >= min(least, 0.99)


def test_int8_of_two_backends_is_not_the_same_model(bert):
    marks = {open_encoder(bert, backend=name, precision="int8", threads=1).fingerprint for name in EXPORTED}
    assert len(marks | {open_encoder(bert).fingerprint}) == 3


@pytest.mark.parametrize("backend", EXPORTED)
def test_the_second_load_needs_no_torch(bert, backend):
    expected = open_encoder(bert, backend=backend, threads=1).encode(SHORT)
    code = (
        "import sys\nsys.modules['torch'] = sys.modules['transformers'] = None\n"
        "import numpy as np, wordstock as ws\n"
        "encoder = ws.load(sys.argv[1], backend=sys.argv[2], threads=1)\n"
        "print(encoder.encode(sys.argv[3])[:4].tolist())"
    )
    told = in_python(code, bert, backend, SHORT[0])
    np.testing.assert_allclose(json.loads(told[0]), expected[0][:4], atol=1e-5)


def test_a_library_that_is_missing_is_named_with_its_extra(bert):
    code = (
        "import sys\nsys.modules[sys.argv[2]] = None\nfrom wordstock.encoders import open_encoder\n"
        "try:\n    open_encoder(sys.argv[1], backend=sys.argv[3])\nexcept ImportError as error:\n    print(error)"
    )
    for library, backend in (("onnxruntime", "onnx"), ("openvino", "openvino")):
        assert f"wordstock[{backend}]" in in_python(code, bert, library, backend)[0]


def test_what_a_backend_does_not_have(bert):
    with pytest.raises(InputError, match="the onnx backend has 'float32', 'int8'"):
        open_encoder(bert, backend="onnx", precision="bfloat16")
    for backend in EXPORTED:
        with pytest.raises(InputError, match="runs on the cpu"):
            open_encoder(bert, backend=backend, device="cuda")


def has_bfloat16():
    import openvino

    return "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def test_bfloat16_of_openvino(bert):
    if not has_bfloat16():
        with pytest.raises(InputError, match="no bfloat16 instructions"):
            open_encoder(bert, backend="openvino", precision="bfloat16")
        return
    vectors = open_encoder(bert, backend="openvino", precision="bfloat16").encode(SHORT)
    assert cosines(vectors, open_encoder(bert).encode(SHORT)).min() > 0.99


@pytest.mark.parametrize("backend", EXPORTED)
def test_a_damaged_export_says_what_to_do(bert, backend, tmp_path, monkeypatch):
    monkeypatch.setenv("WORDSTOCK_CACHE", str(tmp_path))
    path = export_folder(read_folder(bert)) / "model.onnx"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"\x08\x07 no model")
    with pytest.raises(FormatError, match="delete it, so that it is made again"):
        open_encoder(bert, backend=backend)


@pytest.mark.parametrize("name", ["model.xml", "model.bin"])
def test_a_damaged_copy_of_openvino_says_what_to_do(bert, name, tmp_path, monkeypatch):
    monkeypatch.setenv("WORDSTOCK_CACHE", str(tmp_path))
    open_encoder(bert, backend="openvino")
    path = export_folder(read_folder(bert)) / "openvino" / name
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(FormatError, match="delete it, so that it is made again"):
        open_encoder(bert, backend="openvino")


TWO_THREADS = """
import sys, threading
from wordstock.encoders import open_encoder
start = threading.Barrier(2)
def first_call():
    encoder = open_encoder(sys.argv[1], backend="openvino", threads=2)
    start.wait()
    print(encoder.encode(["one text", "another"] * 200).shape)
threads = [threading.Thread(target=first_call) for _ in range(2)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""


def test_first_calls_from_several_threads(bert):
    open_encoder(bert, backend="openvino")
    ran = subprocess.run([sys.executable, "-c", TWO_THREADS, bert], capture_output=True, text=True, timeout=60)
    assert ran.stdout.count("(400, ") == 2, ran.stderr


KEEP = """
import os, sys
from pathlib import Path
from wordstock.encoders.backends.exports import kept
def make(made):
    with open(sys.argv[2], "a") as stream:
        stream.write(f"{os.getpid()} ")
    made.write_bytes(b"x" * 4_000_000)
print(kept(Path(sys.argv[1]), make).stat().st_size)
"""


def test_of_several_processes_one_makes_the_export(tmp_path):
    path, tally = tmp_path / "deep" / "model.onnx", tmp_path / "tally"
    command = [sys.executable, "-c", KEEP, str(path), str(tally)]
    workers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert [worker.communicate()[0] for worker in workers] == ["4000000\n"] * 3
    assert len(tally.read_text().split()) == 1


def test_a_folder_is_kept_as_a_file_is(tmp_path):
    def make(made):
        made.mkdir()
        (made / "one").write_bytes(b"1")

    def fail(made):
        raise AssertionError

    assert (kept(tmp_path / "copies", make) / "one").read_bytes() == b"1"
    assert kept(tmp_path / "copies", fail) == tmp_path / "copies"


def test_an_export_that_fails_leaves_nothing(tmp_path):
    def fail(made):
        made.write_bytes(b"half")
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        kept(tmp_path / "model.onnx", fail)
    assert [path.name for path in tmp_path.iterdir() if path.suffix != ".lock"] == []


@given(
    arrays.arrays(
        np.float32,
        st.tuples(st.integers(1, 40), st.integers(1, 5)),
        elements=st.floats(-4, 4, width=32, allow_subnormal=False),
    )
)
@settings(max_examples=50, deadline=None)
def test_quantised_weights_are_within_half_a_step(weight):
    whole, steps = quantised_columns(weight)
    assert np.all(np.abs(whole * steps - weight) <= steps * 0.501)
    blocks, steps = quantised_blocks(weight, 16)
    back = (blocks * steps).reshape(weight.shape[1], -1).T
    assert np.all(np.abs(back - weight) <= np.abs(weight).max() / 127 * 0.501)
    assert blocks.shape[1] == (len(weight) // 16 if len(weight) % 16 == 0 else 1)


def test_smoothing_evens_out_what_it_divides():
    random = np.random.default_rng(0)
    inputs, weight = (random.normal(size=shape).astype(np.float32) for shape in ((50, 6), (6, 4)))
    inputs[:, 2] *= 100
    scale = smoothing(np.sqrt(np.square(inputs).mean(axis=0)), weight)
    largest = np.abs(inputs / scale).max(axis=0)
    assert largest.max() / np.median(largest) < 15
    np.testing.assert_allclose((inputs / scale) @ (weight * scale[:, None]), inputs @ weight, rtol=1e-4, atol=1e-3)
    assert np.isfinite(smoothing(np.zeros(6, np.float32), weight)).all()


def test_int8_of_openvino_leaves_attention_as_it_is(family):
    import openvino

    model = read_folder(family)
    source = exported(model, export_folder(model))
    graph = eight_bit_model(openvino, source, sample(SHORT, model, 1))
    kinds = [str(node.get_element_type()) for node in graph.get_ops() if node.get_type_name() == "Constant"]
    assert sum("int8_t" in kind for kind in kinds) == 2 * model.n_layers


def test_int8_of_openvino_keeps_to_float32(minilm_folder):
    plain, ours = (open_encoder(minilm_folder, backend="openvino", precision=one) for one in ("float32", "int8"))
    texts = ["The bank raised its rates.", "not bad at all", "A long and winding road. " * 40]
    assert cosines(ours.encode(texts), plain.encode(texts)).min() > 0.9993


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
@pytest.mark.parametrize("backend", ["torch", "onnx", "openvino"])
def test_a_forked_process_encodes_the_same(bert, backend):
    code = (
        "import os, signal, sys\nimport numpy as np\nfrom wordstock.encoders import open_encoder\n"
        "encoder = open_encoder(sys.argv[1], backend=sys.argv[2], threads=2, batch_tokens=64)\n"
        "texts, long = ['the bank', 'a river'] * 40, 'the bank ' * 25\n"
        "run = lambda: np.vstack([encoder.encode(texts), encoder.encode([long]), *encoder.encode_words([long])])\n"
        "before = run()\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    signal.alarm(20)\n"
        "    os._exit(0 if np.allclose(run(), before, atol=1e-5) else 1)\n"
        "print(os.waitpid(child, 0)[1])"
    )
    assert in_python(code, bert, backend)[0] == "0"


def test_auto_chooses_once_and_remembers(bert):
    model = read_folder(bert)
    assert auto.remembered(model, threads=1) is None
    ours, theirs = open_encoder(bert, backend="auto", threads=1), open_encoder(bert)
    trials = auto.remembered(model, threads=1)
    ran = [trial for trial in trials if trial.seconds is not None]
    assert trials[0] in ran
    assert {("torch", "float32"), ("onnx", "float32"), ("openvino", "float32")} <= {trial[:2] for trial in ran}
    assert trials[0].cosine >= auto.LEAST_COSINE
    assert all(trial.seconds * 1.05 >= trials[0].seconds for trial in ran if trial.cosine >= auto.LEAST_COSINE)
    assert (ours.backend.name, ours.backend.precision) == trials[0][:2]
    assert ours.fingerprint == theirs.fingerprint
    assert cosines(ours.encode(SHORT), theirs.encode(SHORT)).min() >= auto.LEAST_COSINE
    note = next(export_folder(model).glob("auto-*.json"))
    before = note.stat().st_mtime_ns
    assert open_encoder(bert, backend="auto", threads=1).backend.name == trials[0].backend
    assert note.stat().st_mtime_ns == before
    good = json.loads(note.read_text())
    for change in ({"backend": ["onnx"]}, {"precision": "half"}, {"cosine": None}, {"seconds": "0.1"}):
        note.write_text(json.dumps([good[0] | change, *good[1:]]))
        assert auto.remembered(model, threads=1) is None
    for damage in ("[{}]", "[" * 100_000):
        note.write_text(damage)
        assert auto.remembered(model, threads=1) is None
    open_encoder(bert, backend="auto", threads=1)
    assert auto.remembered(model, threads=1) is not None


def test_auto_runs_torch_where_no_copy_can_be_kept(bert, tmp_path, monkeypatch, caplog):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("WORDSTOCK_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(StorageError, match="a part of the path is a file"):
        open_encoder(bert, backend="onnx")
    assert open_encoder(bert, backend="auto", threads=1).backend.name == "torch"
    assert "is not remembered; WORDSTOCK_CACHE names another folder" in caplog.text


def test_auto_takes_int8_only_when_asked(bert):
    encoder = open_encoder(bert, backend="auto", precision="int8", threads=1)
    assert encoder.backend.precision == "int8"


def test_auto_passes_over_what_is_not_installed(bert, tmp_path):
    code = (
        "import sys, os\nsys.modules['openvino'] = sys.modules['onnxruntime'] = None\n"
        "os.environ['WORDSTOCK_CACHE'] = sys.argv[2]\n"
        "from wordstock.encoders import open_encoder\nfrom wordstock.encoders.backends.auto import remembered\n"
        "encoder = open_encoder(sys.argv[1], backend='auto', threads=1)\nprint(encoder.backend.name)\n"
        "print(*[trial.reason for trial in remembered(encoder.model, threads=1)])"
    )
    name, reasons = in_python(code, bert, tmp_path)[:2]
    assert name == "torch"
    assert "wordstock[openvino]" in reasons
    assert "wordstock[onnx]" in reasons


def test_info_tells_the_choice(bert):
    from wordstock.encoders import describe_folder

    folder = Path(bert)
    open_encoder(folder, backend="auto")
    told = describe_folder(folder)["backend 'auto' here"]
    assert told.startswith(open_encoder(folder, backend="auto").backend.name)
    assert "cosine" in told
