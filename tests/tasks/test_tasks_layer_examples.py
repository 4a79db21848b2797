"""The examples of layers run to their end, in a few epochs, and learn from pre-trained vectors."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.parametrize(("name", "backend"), [("torch_lstm.py", "torch"), ("keras_lstm.py", "jax")])
def test_example(name, backend, tmp_path):
    ran = subprocess.run(
        [sys.executable, EXAMPLES / name, "--epochs", "12", "--seeds", "1"],
        cwd=tmp_path,
        env=os.environ | {"KERAS_BACKEND": backend, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith("72 messages to learn from, 150 held out, 6 classes; 1 seeds")
    found = {line[:19]: float(share) for line, share in re.findall(r"^(.+?) +([\d.]+)%", ran.stdout, re.MULTILINE)}
    assert found["pre-trained, frozen"] > 33  # a sixth is chance
    assert not list(tmp_path.iterdir())
