"""What a location names: a file of the in-memory store, a Milvus Lite folder, a server, Zilliz Cloud."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from wordstock._paths import user_path
from wordstock.errors import InputError
from wordstock.stores.secrets import redacted

__all__ = ["Location", "locate"]

Kind = Literal["memory", "file", "lite", "server", "cloud"]
_SCHEMES = ("http", "https", "tcp", "unix")
_CLOUD = ("zillizcloud.com", "zilliz.com", "zilliz.com.cn", "cloud.zilliz.com.cn")


@dataclass(frozen=True)
class Location:
    """One place where a store can be."""

    kind: Kind
    uri: str

    def __str__(self) -> str:
        return redacted(self.uri)

    def __repr__(self) -> str:
        return f"Location({self.kind!r}, {redacted(self.uri)!r})"


def locate(given: str | os.PathLike[str] | None) -> Location:
    """What ``given`` names; None is a store in memory that is not saved.

    Raises
    ------
    InputError
        A name with neither a scheme nor a known ending.
    """
    if given is None or given == ":memory:":
        return Location("memory", ":memory:")
    path = user_path(given, "location")
    text = os.fspath(given)
    if (isinstance(given, str) and "://" in text) or text.startswith("unix:"):
        return _remote(text)
    if path.suffix == ".safetensors":
        return Location("file", str(path))
    if path.suffix == ".db":
        return Location("lite", str(path.absolute()))
    raise InputError(
        f"no store at {text!r}: give a path ending in .db (Milvus Lite) or .safetensors (in memory, one file), "
        "or the address of a server such as http://localhost:19530"
    )


def _remote(text: str) -> Location:
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise InputError(f"{redacted(text)!r} is no address of a server; write http://HOST:PORT") from None
    if parts.scheme not in _SCHEMES or (not host and parts.scheme != "unix"):
        raise InputError(
            f"{redacted(text)!r} is no address of a server: write http://HOST:PORT, or https:// where it has TLS"
        )
    cloud = bool(host) and any((host or "").endswith(f".{name}") for name in _CLOUD)
    return Location("cloud" if cloud else "server", text)
