"""Bringing models into the cache, finding them there, and removing them."""

from __future__ import annotations

import datetime
import os
from pathlib import Path

from wordstock._version import __version__
from wordstock.errors import DownloadError, OfflineError, UnknownModelError
from wordstock.hub import cache
from wordstock.hub.entry import Entry, HubSource, PathSource
from wordstock.hub.registry import find

__all__ = ["cached", "entry_of", "fetch", "fetch_entry", "offline", "remove"]


def fetch(name: str, *, force: bool = False, progress: bool | None = None) -> Path:
    """Bring a model into the cache, if it is not there yet.

    Processes that fetch the same model at once download it once. A fetch that fails leaves nothing behind; one that is
    stopped leaves at most an unfinished download, which the next one resumes or removes.

    Parameters
    ----------
    name : a registered name or ``hf:org/name``.
    force : fetch again even if it is there.
    progress : False shows no bar; None and True show one on stderr if that is a terminal.

    Returns
    -------
    The native file of a table; the folder of an encoder.

    Raises
    ------
    UnknownModelError
        No such name.
    DownloadError
        The source did not deliver what the registry promises.
    OfflineError
        It is not in the cache, and ``WORDSTOCK_OFFLINE`` is set.
    StorageError
        The cache folder cannot be written.
    MissingExtraError
        The source needs a library that is not installed.
    """
    return fetch_entry(find(name), force=force, progress=progress).path


def fetch_entry(
    entry: Entry, *, force: bool = False, progress: bool | None = None, to_load: bool = False
) -> cache.Manifest:
    """As ``fetch``, for an entry; gives the manifest.

    ``to_load`` spares the download of weights that could not be run.
    """
    if not force and (found := cache.lookup(entry)) is not None:
        return found
    if offline() and not isinstance(entry.source, PathSource):
        raise OfflineError(_offline_message(entry))
    with cache.locked(entry):
        if not force and (found := cache.lookup(entry)) is not None:
            return found  # another process has just brought it
        with cache.working_folder(entry) as work:
            return _fetch(entry, work, progress, to_load)


def _fetch(entry: Entry, work: Path, progress: bool | None, to_load: bool) -> cache.Manifest:
    from wordstock.hub.convert import build
    from wordstock.hub.progress import progress_report
    from wordstock.hub.sources import deliver

    raw, built = work / "raw", work / "built"
    raw.mkdir()
    with progress_report(f"fetching {entry.name}", f"from {entry.source}", progress, entry.size) as report:
        receipt = deliver(entry, raw, work, report, to_load)
    with progress_report(f"reading {entry.name}", "to keep it in the cache", progress) as report:
        kind = build(entry, receipt, raw, built, report)
    files = {str(path.relative_to(built)): path.stat().st_size for path in sorted(built.rglob("*")) if path.is_file()}
    if not files:
        raise DownloadError(f"{entry.source} delivered no files for {entry.name}")
    manifest = cache.Manifest(
        name=entry.name,
        kind=kind,
        source=str(entry.source),
        sha256=receipt.sha256,
        fetched=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        wordstock=__version__,
        files=files,
        detail=receipt.detail,
        folder=cache.cache_folder() / "models" / entry.folder,
    )
    return cache.install(manifest, built, work)


def cached(name: str) -> Path | None:
    """Where a model is in the cache, as ``fetch`` would return it; None if it is not there. Touches no network.

    Raises
    ------
    UnknownModelError
        No such name.
    """
    found = cache.lookup(find(name))
    return None if found is None else found.path


def remove(name: str) -> bool:
    """Delete a model from the cache; whether it was there. Tables that are open stay usable.

    Raises
    ------
    UnknownModelError
        No such name.
    StorageError
        The cache folder cannot be written.
    """
    held = [manifest for manifest in cache.listed() if manifest.name == name]
    entry = entry_of(held[0]) if held else find(name)
    with cache.locked(entry):
        return cache.discard(entry)


def entry_of(manifest: cache.Manifest) -> Entry:
    """The entry of a model in the cache, even if its name has left the registry."""
    try:
        return find(manifest.name)
    except UnknownModelError:
        return Entry(manifest.name, PathSource(manifest.source), kind=manifest.kind)


def offline() -> bool:
    """Whether ``WORDSTOCK_OFFLINE`` forbids the network."""
    return os.environ.get("WORDSTOCK_OFFLINE", "").strip().casefold() not in ("", "0", "false", "no", "off")


def _offline_message(entry: Entry) -> str:
    also = " (libraries it needs: wordstock[hub])" if isinstance(entry.source, HubSource) else ""
    return (
        f"{entry.name} is not in the cache ({cache.cache_folder()}), and WORDSTOCK_OFFLINE is set; "
        f"unset it and load the model once{also}, or copy models/{entry.folder} from a cache that has it"
    )
