"""Taking single members out of a zip archive, of which a wheel is one."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import zipfile
from collections.abc import Mapping
from pathlib import Path

from wordstock.errors import DownloadError, StorageError

__all__ = ["extract"]

_CHUNK = 1 << 20


def extract(archive: Path, members: Mapping[str, str], folder: Path, what: str) -> None:
    """Write the named members below ``folder``, and no others.

    Sizes are compared with the room on the disk before anything is written, and with the archive's own record after;
    a member that is a link, or whose path would leave the folder, is refused.

    Parameters
    ----------
    members : path below ``folder`` for each name in the archive.

    Raises
    ------
    DownloadError
        Not a zip archive, damaged, without one of the members, or with one that is not a plain file.
    StorageError
        Too little room on the disk.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            infos = {name: _info(opened, name, what) for name in members}
            total = sum(info.file_size for info in infos.values())
            if total > (free := shutil.disk_usage(folder).free):
                message = f"{folder} has {free:,} bytes free; {what} unpacks to {total:,}"
                raise StorageError(errno.ENOSPC, message)
            for name, info in infos.items():
                _write(opened, info, _below(folder, members[name], what), what)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        raise DownloadError(f"{what} is not a usable zip archive: {error}; fetch it again") from error


def _info(opened: zipfile.ZipFile, name: str, what: str) -> zipfile.ZipInfo:
    try:
        info = opened.getinfo(name)
    except KeyError:
        held = opened.namelist()
        shown = ", ".join(held[:8]) + (" …" if len(held) > 8 else "")
        raise DownloadError(f"{what} has no member {name!r}; it holds {shown}") from None
    mode = info.external_attr >> 16
    if info.is_dir() or (stat.S_IFMT(mode) not in (0, stat.S_IFREG)):
        raise DownloadError(f"{what}: member {name!r} is not a plain file")
    return info


def _below(folder: Path, name: str, what: str) -> Path:
    root = folder.resolve()
    target = (root / name).resolve()
    if "\\" in name or not target.is_relative_to(root) or target == root:
        raise DownloadError(f"{what}: member {name!r} would be written outside of {folder}; refused")
    return target


def _write(opened: zipfile.ZipFile, info: zipfile.ZipInfo, target: Path, what: str) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with opened.open(info) as source, target.open("xb") as stream:
        while chunk := source.read(_CHUNK):
            written += len(chunk)
            if written > info.file_size:
                break
            stream.write(chunk)
        stream.flush()
        os.fsync(stream.fileno())
    if written != info.file_size:
        raise DownloadError(f"{what}: member {info.filename!r} should have {info.file_size:,} bytes, has {written:,}")
