"""Run pytest beside a real Milvus server, both alone in a network namespace: ``unshare -n python serve.py ARGS...``.

The server of the ``milvus`` wheel binds every address whatever its settings say, so it may only run where no other
machine can reach it. It asks for a token. Its process ends with the tests, by its number. Where mounts are permitted
too (``unshare -nm``), it also answers by TLS under the name of a cluster in Zilliz Cloud; see ``tls.py``.
"""

import fcntl
import os
import socket
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import tls

TOKEN = "root:Milvus"
# What a query waits for that must see every write, and a load; by default 4 to 10 times as long.
TICKS = {
    "proxy.timeTickInterval": 50,
    "queryCoord.checkInterval": 100,
    "queryCoord.distPullInterval": 100,
}
running = {}  # the server, for the test that restarts it


def raise_loopback():
    """What ``ip link set lo up`` does."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        asked = struct.pack("16sh", b"lo", 0x1 | 0x40)  # IFF_UP | IFF_RUNNING
        fcntl.ioctl(one.fileno(), 0x8914, asked)  # SIOCSIFFLAGS


def start(folder):
    from milvus import MilvusServer

    server = MilvusServer()
    server.set_base_dir(folder)
    server.config.set("common.security.authorizationEnabled", True)
    for name, milliseconds in TICKS.items():
        server.config.set(name, milliseconds)
    server.start()
    return server


def restart():
    """Kill the server, and start it on the same port with the same data; it then takes about a minute to answer."""
    server = running["server"]
    server.server_proc.kill()
    server.server_proc.wait()
    base = Path(server.config.base_data_dir)
    settings = {"DEPLOY_MODE": "STANDALONE", "METRICS_PORT": str(server.webservice_port)}
    settings |= {"MILVUS_RUN_DIR": str(base / "run"), "LD_LIBRARY_PATH": str(base / "bin")}
    with (base / "again.log").open("w") as log:
        server.server_proc = subprocess.Popen(
            [base / "bin" / "milvus", "run", "standalone"], cwd=base, env=os.environ | settings, stdout=log, stderr=log
        )
    server.wait_started()


def main():
    raise_loopback()
    with tempfile.TemporaryDirectory(prefix="milvus-", ignore_cleanup_errors=True) as folder:
        server = running["server"] = start(folder)
        sys.modules["serve"] = sys.modules["__main__"]
        try:
            os.environ["WORDSTOCK_TEST_MILVUS"] = f"http://127.0.0.1:{server.listen_port}"
            os.environ["WORDSTOCK_MILVUS_TOKEN"] = TOKEN
            os.environ.update(tls.serve(server.listen_port, Path(folder)))
            return pytest.main(sys.argv[1:])
        finally:
            server.stop()


if __name__ == "__main__":
    sys.exit(main())
