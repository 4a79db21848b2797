"""A file at an address, streamed to disk; resumed where the server vouches that the file is still the same one.

The unfinished file is ``download.part``; ``download.json`` beside it records the address and the server's ETag or
modification date, which go back to the server in ``If-Range`` (RFC 9110, 13.1.5) when the download is resumed.
"""

from __future__ import annotations

import errno
import json
import logging
import os
import shutil
import time
from pathlib import Path, PurePosixPath
from types import ModuleType
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from wordstock._optional import require
from wordstock._version import __version__
from wordstock.errors import DownloadError, StorageError
from wordstock.hub.entry import UrlSource
from wordstock.hub.progress import Report
from wordstock.hub.sources.archive import extract
from wordstock.hub.sources.receipt import Receipt, check_hash

if TYPE_CHECKING:
    import httpx

__all__ = ["deliver_url"]

ATTEMPTS = 4  # in a row without a single new byte; one that makes progress starts the count again
BACKOFF = 0.5  # seconds before the second attempt, doubled for each further one
_LONGEST_WAIT = 30.0  # seconds that a server's Retry-After is honoured for
_TIMEOUT = 30.0  # seconds without a byte
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_PARTIAL, _UNSATISFIABLE = 206, 416

_log = logging.getLogger(__name__)


class _TryAgainError(Exception):
    def __init__(self, reason: str, wait: float = 0.0) -> None:
        super().__init__(reason)
        self.wait = wait


def deliver_url(source: UrlSource, raw: Path, work: Path, size: int | None, report: Report) -> Receipt:
    """Download the file, check it, and take the member out if it is an archive.

    Raises
    ------
    DownloadError
        The server refuses, cannot be reached, or sends something else than the registry promises; it is left as soon
        as it has sent more bytes than promised.
    StorageError
        The server announces more bytes than the disk has room for.
    MissingExtraError
        httpx is not installed.
    """
    httpx = require("httpx", extra="hub", purpose=f"fetching {source.url}")
    part = work / "download.part"
    _fetch(httpx, source, part, work / "download.json", size, report)
    if size is not None and (found := part.stat().st_size) != size:
        raise DownloadError(f"{source.url}: expected {size:,} bytes, found {found:,}; nothing of it was kept")
    sha256 = check_hash(part, source.sha256, source.url)
    if source.member:
        extract(part, {source.member: PurePosixPath(source.member).name}, raw, source.url)
    else:
        name = unquote(PurePosixPath(urlsplit(source.url).path).name) or "download"
        part.replace(raw / PurePosixPath(name).name)
    return Receipt(sha256)


def _fetch(httpx: ModuleType, source: UrlSource, part: Path, note: Path, size: int | None, report: Report) -> None:
    failures = 0
    with httpx.Client(
        follow_redirects=True,
        timeout=httpx.Timeout(_TIMEOUT, connect=10.0),
        headers={"User-Agent": f"wordstock/{__version__}", "Accept-Encoding": "identity"},
    ) as client:
        while True:
            before = _have(part)
            try:
                _attempt(httpx, client, source, part, note, size, report)
            except _TryAgainError as error:
                failures = 1 if _have(part) > before else failures + 1
                if failures >= ATTEMPTS:
                    message = f"{source.url}: {error}, {ATTEMPTS} times; check the network and try again later"
                    raise DownloadError(message) from error.__cause__
                wait = max(error.wait, BACKOFF * 2 ** (failures - 1))
                _log.info("%s: %s; trying again in %.1f s", source.url, error, wait)
                time.sleep(wait)
            else:
                return


def _attempt(
    httpx: ModuleType,
    client: httpx.Client,
    source: UrlSource,
    part: Path,
    note: Path,
    size: int | None,
    report: Report,
) -> None:
    have, headers = _resume_headers(source.url, part, note)
    try:
        with client.stream("GET", source.url, headers=headers) as response:
            start = _start(response, source, part, have, size)
            _remember(source.url, response, note)
            total = _announced(response, start)
            if size is not None and total is not None and total != size:
                raise DownloadError(f"{source.url}: expected {size:,} bytes, the server announces {total:,}")
            _check_room(source, part.parent, total, start)
            _receive(response, source, part, start, total, size, report)
    except httpx.UnsupportedProtocol as error:
        raise DownloadError(f"{source.url}: {error}") from error
    except httpx.TransportError as error:
        raise _TryAgainError(str(error) or type(error).__name__) from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise DownloadError(f"{source.url}: {error}") from error


def _resume_headers(url: str, part: Path, note: Path) -> tuple[int, dict[str, str]]:
    try:
        known: dict[str, Any] = json.loads(note.read_bytes())
        have, validator = part.stat().st_size, known["validator"]
    except (OSError, ValueError, KeyError, TypeError):
        return 0, {}
    if not have or not validator or known.get("url") != url:
        return 0, {}
    return have, {"Range": f"bytes={have}-", "If-Range": validator}


def _start(response: httpx.Response, source: UrlSource, part: Path, have: int, size: int | None) -> int:
    """Byte at which the body that follows begins."""
    status = response.status_code
    if status in _AGAIN:
        raise _TryAgainError(f"the server answers {status} {response.reason_phrase}", _retry_after(response))
    if status == _UNSATISFIABLE and have:
        part.unlink()
        raise _TryAgainError("the server cannot resume the download")
    if source.url.startswith("https:") and response.url.scheme != "https" and not source.sha256:
        raise DownloadError(f"{source.url} leads to {response.url}, which is not encrypted, and no hash is on record")
    if status == _PARTIAL and have:
        if not response.headers.get("content-range", "").startswith(f"bytes {have}-"):
            part.unlink()
            raise _TryAgainError("the server sent another part than asked for")
        return have
    if status != 200:
        known = f" ({size:,} bytes were expected)" if size else ""
        raise DownloadError(f"{source.url}: the server answers {status} {response.reason_phrase}{known}")
    return 0


def _retry_after(response: httpx.Response) -> float:
    asked = response.headers.get("retry-after", "")
    return min(float(asked), _LONGEST_WAIT) if asked.isdigit() else 0.0


def _remember(url: str, response: httpx.Response, note: Path) -> None:
    etag = response.headers.get("etag", "")
    strong = "" if etag.startswith("W/") else etag  # If-Range compares strongly
    validator = strong or response.headers.get("last-modified", "")
    note.write_text(json.dumps({"url": url, "validator": validator}), encoding="utf-8")


def _announced(response: httpx.Response, start: int) -> int | None:
    length = response.headers.get("content-length", "")
    return start + int(length) if length.isdigit() else None


def _check_room(source: UrlSource, folder: Path, total: int | None, start: int) -> None:
    needed = (total or start) - start
    if needed > (free := shutil.disk_usage(folder).free):
        raise StorageError(errno.ENOSPC, f"{folder} has {free:,} bytes free; {source.url} would add {needed:,}")


def _receive(
    response: httpx.Response,
    source: UrlSource,
    part: Path,
    start: int,
    total: int | None,
    size: int | None,
    report: Report,
) -> None:
    done = start
    with part.open("ab" if start else "wb", buffering=0) as stream:  # what has arrived survives a kill
        for chunk in response.iter_raw():
            done += len(chunk)
            if size is not None and done > size:
                raise DownloadError(f"{source.url}: expected {size:,} bytes, the server sends more; nothing was kept")
            stream.write(chunk)
            report(done, total)
        os.fsync(stream.fileno())
    if total is not None and done != total:
        raise _TryAgainError(f"the connection ended after {done:,} of {total:,} bytes")


def _have(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0
