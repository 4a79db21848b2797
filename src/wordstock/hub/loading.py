"""``load``: a registered name, a path in any known format, or a repository on the Hugging Face hub."""

from __future__ import annotations

import os
from collections.abc import Set
from dataclasses import replace
from pathlib import Path
from typing import Any

from wordstock._paths import user_path
from wordstock.embeddings import Card, Embeddings, read_native
from wordstock.errors import FormatError, InputError, UnknownModelError
from wordstock.hub.cache import Manifest
from wordstock.hub.entry import Entry, is_repo
from wordstock.hub.fetching import fetch_entry
from wordstock.hub.kinds import is_encoder, is_static_model, looks_native
from wordstock.hub.registry import find, near_names, registry

__all__ = ["load"]

_READING = ("format", "limit", "encoding_errors", "non_finite")  # options that formats.read takes


def load(name_or_path: str | os.PathLike[str], *, progress: bool | None = None, **options: Any) -> Embeddings | Any:
    """Open a table or a contextual encoder, fetching it first if it is a named one that is not in the cache.

    A native file is mapped, whatever its size, in milliseconds; a named table is kept as such a file in the cache
    after its first load. Other formats are read into memory: save them once to have them open as fast.

    Parameters
    ----------
    name_or_path : a registered name (``wordstock models`` lists them), a path to vectors in any known format or to the
        folder of an encoder, or ``hf:org/name``. A file of the same name wins over a registered name.
    progress : False shows no bar during a fetch; None and True show one on stderr if that is a terminal.
    options : for a path to text or word2vec binary ``format``, ``limit``, ``encoding_errors`` and ``non_finite`` of
        ``wordstock.formats.read``; for an encoder those of ``wordstock.encoders.open_encoder``, such as ``precision``.

    Returns
    -------
    A table as ``Embeddings``, memory-mapped where it comes from a native file; an encoder as ``ContextualEncoder``; a
    folder in the layout of model2vec as ``wordstock.encoders.static_model.StaticModel``.

    Raises
    ------
    InputError
        A name that is not a str or path, or options that are unknown or for something else.
    UnknownModelError
        Neither a file nor a known name; gives near matches.
    ModelError
        An encoder of an architecture that is not supported.
    FormatError
        A damaged file, or one in no known format.
    MissingExtraError
        A library that the model needs is not installed.
    DownloadError, OfflineError, StorageError
        As ``wordstock.hub.fetch``.
    """
    path = user_path(name_or_path, "name_or_path")
    _check_options(options)
    text = os.fspath(name_or_path)
    if not text.startswith("hf:"):
        named = isinstance(name_or_path, str)
        if _is_file(path) or (_is_folder(path) and not (named and registry().get(text))):
            return _open(path, options)
        if not named or _looks_like_path(text):
            raise UnknownModelError(_no_such_file(text))
    entry = find(text)
    if reading := [name for name in options if name in _READING]:
        raise InputError(f"{', '.join(reading)}: only for reading a file; {text} is a named model")
    if entry.kind == "encoder":
        from wordstock.encoders import check_runnable

        check_runnable(entry.name, backend=options.get("backend", "torch"))
    manifest = fetch_entry(entry, progress=progress, to_load=True)
    try:
        return _open_cached(entry, manifest, options)
    except FileNotFoundError:  # another process has just removed or replaced it
        return _open_cached(entry, fetch_entry(entry, progress=progress, to_load=True), options)


def _check_options(options: dict[str, Any]) -> None:
    if not options.keys() - _READING:
        return
    from wordstock.encoders.opening import OPTIONS

    if unknown := options.keys() - {*_READING, *OPTIONS}:
        raise InputError(
            f"load has no option {', '.join(sorted(unknown))}; known are progress, {', '.join(_READING)}, "
            f"and for encoders {', '.join(OPTIONS)}"
        )


def _open(path: Path, options: dict[str, Any]) -> Embeddings | Any:
    if path.is_dir() and is_encoder(path):
        return _open_encoder(path, options)
    reading = {name: value for name, value in options.items() if name in _READING}
    _refuse_for_table(str(path), options.keys() - reading.keys())
    if path.is_file() and looks_native(path) and not reading:
        return read_native(path)
    if path.is_dir() and is_static_model(path):
        return _open_static(path)
    from wordstock import formats

    return formats.read(path, **reading)


def _open_static(folder: Path, card: Card | None = None) -> Any:
    from wordstock.encoders.static_model import open_static_model

    return open_static_model(folder, card=card)


def _is_file(path: Path) -> bool:
    """Whether it is a file, or a pipe or device, which reading refuses in clearer words."""
    try:
        return path.exists() and not path.is_dir()
    except (OSError, ValueError):  # a name that no file can have
        return False


def _is_folder(path: Path) -> bool:
    try:
        return path.name != "" and path.is_dir()
    except OSError:
        return False


def _open_encoder(folder: Path, options: dict[str, Any], card: Card | None = None) -> Any:
    from wordstock.encoders import open_encoder

    if reading := [name for name in options if name in _READING]:
        raise InputError(f"{', '.join(reading)}: only for a file of vectors; {folder} is a contextual encoder")
    return open_encoder(folder, card=card, **options)


def _refuse_for_table(name: str, options: Set[str]) -> None:
    if options:
        raise InputError(f"{', '.join(sorted(options))}: only for contextual encoders; {name} is a table of vectors")


def _open_cached(entry: Entry, manifest: Manifest, options: dict[str, Any]) -> Embeddings | Any:
    try:
        if manifest.kind == "encoder":
            card, told = entry.card, manifest.detail
            card = replace(
                card,
                licence=card.licence or told.get("licence", ""),
                language=card.language or told.get("language", ""),
            )
            return _open_encoder(manifest.path, options, card)
        _refuse_for_table(entry.name, options.keys())
        if manifest.kind == "static":
            return _open_static(manifest.path, entry.card)
        return read_native(manifest.path)
    except FormatError as error:
        raise FormatError(
            error.path,
            expected=error.expected,
            found=error.found,
            offset=error.offset,
            remedy=f"the copy in the cache is damaged: run wordstock.hub.fetch({entry.name!r}, force=True) "
            f"or delete the folder {manifest.folder}",
        ) from error


def _looks_like_path(text: str) -> bool:
    separators = {os.sep, os.altsep or os.sep, "/"}
    return not text or any(mark in text for mark in separators) or (bool(Path(text).suffix) and not near_names(text))


def _no_such_file(text: str) -> str:
    message = f"no such file or folder: {text!r}"
    if is_repo(text):
        message += f"; for a model on the Hugging Face hub write 'hf:{text}'"
    if near := near_names(Path(text).name):
        message += f"; registered names like it: {', '.join(near)}"
    return message + "; `wordstock models` lists the registered names"
