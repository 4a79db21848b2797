"""Why a server cannot be reached, as the system says it, or since one side speaks TLS and the other does not."""

from __future__ import annotations

import socket
import ssl
from urllib.parse import urlsplit

__all__ = ["address_of", "unreachable", "what_to_mend"]

_SECONDS = 3


def address_of(uri: str) -> tuple[str, int]:
    """Host and port of an address; without one, that of its scheme."""
    parts = urlsplit(uri)
    return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 19530)


def unreachable(uri: str) -> str:
    """Why no connection comes about, as the system says it; "" where one does."""
    if not address_of(uri)[0]:
        return ""
    try:
        with socket.create_connection(address_of(uri), _SECONDS):
            return ""
    except OSError as error:
        return (error.strerror or str(error)).lower()


def what_to_mend(uri: str, message: str) -> str:
    """What is wrong with TLS between the two and what to do, from the message of a failed try; "" where nothing is."""
    lower, scheme = message.lower(), urlsplit(uri).scheme
    if scheme == "https" and "certificate_verify_failed" in lower:
        return (
            "its certificate is expired, or of no authority that is trusted here: name the file of yours (PEM) in "
            "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH"
        )
    if scheme == "https" and "verification check fail" in lower:
        return f"its certificate is not one of {address_of(uri)[0]}: use the name that it was made for"
    if scheme == "https" and _speaks_tls(uri) is False:
        return "no TLS is spoken there: write http://, or switch TLS on at the server"
    if scheme in ("http", "tcp") and _speaks_tls(uri):
        return "TLS is spoken there: write https://"
    return ""


def _speaks_tls(uri: str) -> bool | None:
    """None where it cannot be told; certificates are not looked at, and nothing is sent after the handshake."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    host, port = address_of(uri)
    try:
        with (
            socket.create_connection((host, port), _SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=host or None),
        ):
            return True
    except ssl.SSLError as error:
        return False if error.reason in ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST") else None
    except (OSError, ValueError):
        return None
