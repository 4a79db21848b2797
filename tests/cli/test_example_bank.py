"""The example runs to its end, and shows what it says it shows."""

import os
import subprocess
import sys
from pathlib import Path

from PIL import Image

EXAMPLE = Path(__file__).parents[2] / "examples" / "bank.py"


def test_bank(tmp_path):
    environment = {name: value for name, value in os.environ.items() if name != "WORDSTOCK_DATA"}
    ran = subprocess.run(
        [sys.executable, EXAMPLE, "o.png"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    rows = {
        line[:14]: [float(one) for one in line[16:].split()]
        for line in ran.stdout.splitlines()
        if "0." in line or "1." in line
    }
    assert rows["GloVe         "] == [1.0] * 6
    last = rows["MiniLM layer 6"]
    assert min(last[:2]) > max(last[2:])  # the same sense is nearer than the other one
    assert "set WORDSTOCK_DATA" in ran.stdout.splitlines()[-1]
    Image.open(tmp_path / "o.png").verify()
