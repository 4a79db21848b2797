"""TLS in front of a Milvus server, as Zilliz Cloud has it: certificates of an authority made here, and its names."""

import asyncio
import ssl
import subprocess
import threading
from pathlib import Path

import trustme

CLUSTER = "in03-0123456789abcde.serverless.gcp-us-west1.cloud.zilliz.com"  # the test's own; it leads to this machine


def serve(port, folder):
    """Start the fronts; the variables by which the tests find them, none where names cannot be given out."""
    hosts = folder / "hosts"
    hosts.write_text(f"127.0.0.1 localhost {CLUSTER}\n")
    mounted = subprocess.run(["mount", "--bind", hosts, "/etc/hosts"], capture_output=True, check=False)
    if mounted.returncode or Path("/etc/hosts").read_text() != hosts.read_text():
        return {}
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "authority.pem")
    good = authority.issue_cert(CLUSTER, "localhost")
    fronts = {
        443: good,  # where an address without a port leads
        8443: trustme.CA().issue_cert("localhost"),  # of an authority that nobody knows
        9443: authority.issue_cert("elsewhere.example"),
    }
    started = threading.Event()
    threading.Thread(target=asyncio.run, args=(_listen(fronts, port, started),), daemon=True).start()
    if not started.wait(10):
        raise RuntimeError("the TLS fronts did not start")
    return {
        "WORDSTOCK_TEST_CLUSTER": f"https://{CLUSTER}",
        "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": str(folder / "authority.pem"),
    }


async def _listen(fronts, port, started):
    async def pump(reader, writer):
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except OSError:
            pass  # the other side has gone
        finally:
            writer.close()

    async def accept(reader, writer):
        inner, outer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(pump(reader, outer), pump(inner, writer))

    for at, certificate in fronts.items():
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_alpn_protocols(["h2"])
        certificate.configure_cert(context)
        await asyncio.start_server(accept, "127.0.0.1", at, ssl=context)
    started.set()
    await asyncio.Event().wait()
