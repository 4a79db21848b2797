"""The suite of every store over Milvus Lite 2, in a child process in which it stands in the place of Milvus Lite 3."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
FOLDER = Path(sys.prefix) / "lite2"  # the Makefile puts it there


@pytest.mark.skipif(not (FOLDER / "milvus_lite").is_dir(), reason=f"Milvus Lite 2 is not in {FOLDER}; see the Makefile")
@pytest.mark.skipif("WORDSTOCK_TEST_MILVUS" in os.environ, reason="beside a server")
def test_the_suite_of_every_store_holds_on_milvus_lite_2():
    given = [
        "-q",
        "-p",
        "no:cacheprovider",
        "-W",
        "ignore:pkg_resources is deprecated",
        "-k",
        "lite",
        "test_stores_conformance.py",
    ]
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", *given],
        cwd=HERE,
        env={**os.environ, "PYTHONPATH": str(FOLDER), "WORDSTOCK_TEST_LITE": "2.5.1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert ran.returncode == 0, (ran.stdout + ran.stderr)[-6000:]
