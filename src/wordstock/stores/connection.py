"""One connection to Milvus: opened with a clear error, retried while the server is away, silent about secrets."""

from __future__ import annotations

import base64
import logging
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, NoReturn

from wordstock._optional import require
from wordstock.errors import StoreError, StoreUnavailableError, WordstockError
from wordstock.stores import lite
from wordstock.stores.backend import Backend, backend_of
from wordstock.stores.location import Location
from wordstock.stores.reachable import address_of, unreachable, what_to_mend
from wordstock.stores.secrets import Secret

__all__ = ["Connection"]

_log = logging.getLogger(__name__)

_ATTEMPT = 60.0  # seconds that one request may take
_SLOW = 1800.0  # and one that builds or loads an index, or any of an embedded server, which looks at every row
_STARTING = 60.0  # that an embedded server may take to start, on a busy machine
_LOCAL_PATIENCE = 5.0  # seconds: an embedded server only stumbles, over a pause of the whole process for instance
# An embedded server need not be asked whether it is alive, and cuts a client off that asks while it is idle.
_LOCAL_OPTIONS = {"grpc.keepalive_time_ms": 2**31 - 1, "grpc.keepalive_permit_without_calls": False}
_ASK = "is the server running, and is this its address?"
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 5.0
_SLOW_METHODS = ("create_index", "load_collection", "create_collection", "flush", "drop_index", "release_collection")

# What a server says while it starts, and what a client sees while it is away.
_PASSING = (
    "unavailable",
    "goaway",
    "deadline exceeded",
    "connection refused",
    "connection reset",
    "socket closed",
    "server unavailable",
    "not ready",
    "not healthy",
    "no available",
    "node not found",
    "node not match",
    "channel not available",
    "channel unsubscribed",
    "retry run out",
    "retry timeout",
    "not loaded",
    "rate limit",
    "is abnormal",
    "tt lag",
    "etcdserver",
)
_DENIED = (
    "auth check failure",
    "unauthenticated",
    "permission deny",
    "permission denied",
    "user not exist",
    "password",
)


class Connection:
    """A client of one Milvus.

    Parameters
    ----------
    location : of kind "lite", "server" or "cloud".
    connect_timeout : seconds within which a server must be reached at first.
    patience : seconds for which a request is tried again where the server goes away later.

    Raises
    ------
    StoreError
        A Milvus Lite folder that is open in another process, or that Milvus Lite cannot open.
    StoreUnavailableError
        The server cannot be reached, or turned the token down.
    MissingExtraError
        pymilvus or Milvus Lite is not installed.
    """

    def __init__(
        self, location: Location, token: Secret, *, connect_timeout: float = 10.0, patience: float = 180.0
    ) -> None:
        self.location, self._token = location, token
        self._patience = patience
        self._closed = False
        self._local = location.kind == "lite"
        self._module = require("pymilvus", extra="stores", purpose="a store in Milvus")
        _quieten()
        if self._local:
            lite.acquire(location.uri)
            connect_timeout = max(connect_timeout, _STARTING)
        try:
            self._client: Any = self._open(connect_timeout)
            self.backend: Backend = self._backend()
        except BaseException:
            if self._local:
                lite.release(location.uri)
            raise

    def __repr__(self) -> str:
        return f"Connection({self.location})"

    def _open(self, seconds: float) -> Any:
        began, tries = time.monotonic(), 0
        options: dict[str, Any] = {"grpc_options": _LOCAL_OPTIONS} if self._local else {}
        # pymilvus shares connections by host, port and token: a store with TLS would get one without it.
        options["dedicated"] = self.location.uri.startswith("https:")
        while True:
            tries += 1
            try:
                with _quiet():
                    return self._module.MilvusClient(
                        self.location.uri, token=self._token.reveal(), timeout=seconds, **options
                    )
            except Exception as error:  # pymilvus raises its own, gRPC's and bare ones here
                message = self._said(error)
                if self._local:
                    raise StoreError(f"Milvus Lite cannot open {self.location}: {message}") from None
                reason = unreachable(self.location.uri)
                if _denied(message) or (not reason and _denied(message := self._asked_plainly() or message)):
                    self._refused(message)
                if time.monotonic() - began > seconds:
                    raise StoreUnavailableError(
                        f"no Milvus answers at {self.location}: {_count(tries)} in {seconds:g} s, the last one "
                        f"failed with: {reason or message}; {what_to_mend(self.location.uri, message) or _ASK}"
                    ) from None
            time.sleep(min(_FIRST_PAUSE * 2**tries, 2.0, max(0.05, seconds - (time.monotonic() - began))))

    def _asked_plainly(self) -> str:
        """What the server says to one plain request: pymilvus hides it behind "server unavailable"."""
        grpc: Any = require("grpc", extra="stores", purpose="a store in Milvus")
        stubs: Any = require("pymilvus.grpc_gen.milvus_pb2_grpc", extra="stores", purpose="a store in Milvus")
        messages: Any = require("pymilvus.grpc_gen.milvus_pb2", extra="stores", purpose="a store in Milvus")
        secure = self.location.uri.startswith("https:")
        address = ":".join(map(str, address_of(self.location.uri)))
        token = base64.b64encode(self._token.reveal().encode()).decode()
        try:
            with (
                grpc.secure_channel(address, grpc.ssl_channel_credentials())
                if secure
                else grpc.insecure_channel(address)
            ) as channel:
                asked = messages.GetVersionRequest()
                stubs.MilvusServiceStub(channel).GetVersion(asked, timeout=3, metadata=[("authorization", token)])
        except grpc.RpcError as error:
            return self._said(error)
        return ""

    def _backend(self) -> Backend:
        try:
            version: str | None = str(self.call("get_server_version"))
        except StoreError:
            if not self._local:
                raise
            version = None
        return backend_of(version, local=self._local, cloud=self.location.kind == "cloud")

    def call(self, method: str, *args: Any, **options: Any) -> Any:
        """One request, tried again with growing pauses while the server is away.

        Raises
        ------
        StoreUnavailableError
            The server did not come back in time, or turned the token down.
        StoreError
            It refused the request.
        """
        if self._closed:
            raise StoreError(f"the store at {self.location} is closed")
        slow = self._local or method in _SLOW_METHODS
        return self.patiently(
            lambda: getattr(self._client, method)(*args, timeout=_SLOW if slow else _ATTEMPT, **options), method
        )

    def patiently(self, request: Callable[[], Any], what: str) -> Any:
        """``request()``, tried again as ``call`` does."""
        began, tries = time.monotonic(), 0
        while True:
            tries += 1
            try:
                with _quiet():
                    return request()
            except WordstockError:
                raise
            except Exception as error:  # pymilvus lets gRPC's own errors and bare ones through
                message = self._said(error)
                waited = time.monotonic() - began
                if not self._local and _denied(message):
                    self._refused(message)
                if not _passing(message) or (self._local and waited > _LOCAL_PATIENCE):
                    raise StoreError(f"{self.location} refused {what}: {message}") from None
                if waited > self._patience:
                    raise StoreUnavailableError(
                        f"{self.location} has been away for {waited:.0f} s ({_count(tries)} to {what}); the last one "
                        f"failed with: {unreachable(self.location.uri) or message}"
                    ) from None
                if tries == 1:
                    _log.warning("%s does not answer (%s); trying again for %g s", self.location, what, self._patience)
            time.sleep(min(_FIRST_PAUSE * 2**tries, _LONGEST_PAUSE) * random.uniform(0.7, 1.3))

    def schema(self, description: str) -> Any:
        """An empty schema of a collection."""
        make = self._module.MilvusClient.create_schema
        return make(auto_id=False, enable_dynamic_field=False, description=description)

    def index_params(self) -> Any:
        """An empty list of indexes."""
        return self._module.MilvusClient.prepare_index_params()

    @property
    def types(self) -> Any:
        """Pymilvus' DataType."""
        return self._module.DataType

    def bm25_function(self, source: str, target: str) -> Any:
        """The function that fills a sparse field from a text field."""
        kind = self._module.FunctionType.BM25
        return self._module.Function(
            name="bm25", input_field_names=[source], output_field_names=[target], function_type=kind
        )

    @property
    def client(self) -> Any:
        """Pymilvus' own client."""
        return self._client

    def close(self) -> None:
        """Close the client, and the embedded server with its last client."""
        if self._closed:
            return
        self._closed = True
        with _quiet(), suppress(Exception):  # nothing is lost where the server has gone already
            self._client.close()
        if self._local:
            lite.release(self.location.uri)

    def _said(self, error: Exception) -> str:
        message = str(getattr(error, "message", "") or "")
        if not message:
            details = getattr(error, "details", None)
            message = str(details() if callable(details) else "") or str(error) or type(error).__name__
        code = getattr(error, "code", None)
        if callable(code):
            message = f"{getattr(code(), 'name', code())} {message}"
        return self._token.hidden_in(" ".join(message.split()))[:500]

    def _refused(self, message: str) -> NoReturn:
        how = "the token was not accepted" if self._token else "it wants a token and none was given"
        raise StoreUnavailableError(
            f"{self.location} refused the connection: {how} ({message[:120]}); put the right one, USER:PASSWORD or an "
            "API key, into WORDSTOCK_MILVUS_TOKEN or the file named in WORDSTOCK_MILVUS_TOKEN_FILE"
        ) from None


def _denied(message: str) -> bool:
    lower = message.lower()
    return any(mark in lower for mark in _DENIED) and "verification check" not in lower  # that is of a certificate


def _passing(message: str) -> bool:
    lower = message.lower()
    return "expression" not in lower and any(mark in lower for mark in _PASSING)  # those quote the user


def _count(tries: int) -> str:
    return "1 attempt" if tries == 1 else f"{tries} attempts"


_state = threading.local()


@contextmanager
def _quiet() -> Iterator[None]:
    """Pymilvus prints every error with its traceback before it raises it; ours say it once."""
    before = getattr(_state, "quiet", False)
    _state.quiet = True
    try:
        yield
    finally:
        _state.quiet = before


def _ours(_: logging.LogRecord) -> bool:
    return not getattr(_state, "quiet", False)


def _implemented(record: logging.LogRecord) -> bool:
    """Milvus Lite answers the requests it does not know, but gRPC prints a traceback for each as well."""
    return not (record.exc_info and isinstance(record.exc_info[1], NotImplementedError))


def _quieten() -> None:
    for name in ("pymilvus", "pymilvus.milvus_client", "pymilvus.bulk_writer"):
        for handler in logging.getLogger(name).handlers:
            if _ours not in handler.filters:
                handler.addFilter(_ours)
    served = logging.getLogger("grpc._server")
    if _implemented not in served.filters:
        served.addFilter(_implemented)
    embedded = logging.getLogger("milvus_lite")  # it logs in its own threads what it also answers
    if embedded.level == logging.NOTSET:
        embedded.setLevel(logging.CRITICAL)
