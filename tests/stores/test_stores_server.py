"""The same suites beside a real Milvus server, in a child process that no network reaches."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
# Making a collection takes a server seconds: what differs between backends is tested, what does not is left out.
LEFT_OUT = (
    "export or misspelt or given_vectors or left_out or needs_an_encoder or counted_from or given_zero"
    " or asked_for_wrongly or name_of_a_collection or something_else_is_told or a_batch_waits or warning_that_is"
)
SUITES = [
    "test_stores_conformance.py",
    "test_stores_vector_store.py",
    "test_stores_on_server.py",
    "test_stores_over_tls.py",
]


def namespace():
    """The command that starts a program in a network namespace of its own, with mounts of its own where permitted."""
    if shutil.which("unshare") is None:
        return None
    for options in (["-nm"], ["-rnm"], ["-n"], ["-rn"]):
        if subprocess.run(["unshare", *options, "true"], capture_output=True, check=False).returncode == 0:
            return ["unshare", *options]
    return None


@pytest.mark.skipif("WORDSTOCK_TEST_MILVUS" in os.environ, reason="already beside a server")
def test_every_suite_holds_on_a_real_server():
    if importlib.util.find_spec("milvus") is None:
        pytest.skip("the milvus server is not installed (pip install milvus==2.3.5)")
    isolated = namespace()
    if isolated is None:
        pytest.skip("network namespaces are not permitted here, and the server must not be reachable")
    ran = subprocess.run(
        [
            *isolated,
            sys.executable,
            str(HERE / "serve.py"),
            "-q",
            "-p",
            "no:cacheprovider",
            "-k",
            f"not ({LEFT_OUT})",
            *SUITES,
        ],
        cwd=HERE,
        capture_output=True,
        text=True,
        check=False,
        timeout=400,
    )
    assert ran.returncode == 0, (ran.stdout + ran.stderr)[-6000:]
