"""Keras on each of its backends, a process for each: a process has one backend."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
BLOCKED = """
import sys
class Blocked:
    def find_spec(self, name, *others):
        if name == sys.argv[1]:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Blocked())
import wordstock as ws
try:
    ws.Embeddings.from_arrays(["a"], [[1.0]]).to_keras()
except ws.WordstockError as error:
    print(type(error).__name__, error)
"""


def run(arguments, **environment):
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=HERE,
        env=os.environ | quiet | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=1800,
    )


@pytest.mark.parametrize("backend", ["tensorflow", "torch", "jax"])
def test_backend(backend):
    ran = run(["-m", "pytest", "-q", "-p", "no:cacheprovider", "keras_checks.py"], KERAS_BACKEND=backend)
    assert ran.returncode == 0, ran.stdout[-5000:] + ran.stderr[-2000:]


@pytest.mark.parametrize(
    ("module", "backend", "said"),
    [
        ("keras", "torch", "a Keras layer needs keras, which is not installed; run: pip install 'wordstock[keras]'"),
        (
            "tensorflow",
            "tensorflow",
            "Keras is installed, but not tensorflow, needed by its backend 'tensorflow'; run: pip",
        ),
        ("jax", "jax", "Keras is installed, but not jax, needed by its backend 'jax'"),
    ],
)
def test_what_is_not_installed_is_named(module, backend, said):
    ran = run(["-c", BLOCKED, module], KERAS_BACKEND=backend)
    assert ran.returncode == 0, ran.stderr[-2000:]
    assert ran.stdout.startswith(f"MissingExtraError {said}")


def test_a_backend_that_keras_does_not_know():
    ran = run(["-c", BLOCKED, "nothing"], KERAS_BACKEND="theano")
    assert ran.returncode == 0, ran.stderr[-2000:]
    assert ran.stdout.startswith("InputError KERAS_BACKEND='theano'")
