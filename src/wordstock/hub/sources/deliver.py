"""One door to all sources."""

from __future__ import annotations

import shutil
from pathlib import Path

from wordstock._paths import user_path
from wordstock.errors import DownloadError
from wordstock.hub.entry import Entry, HubSource, PathSource, UrlSource, WheelSource
from wordstock.hub.progress import Report
from wordstock.hub.sources.receipt import Receipt, check_hash

__all__ = ["Receipt", "deliver"]


def deliver(entry: Entry, raw: Path, work: Path, report: Report, to_load: bool) -> Receipt:
    """Bring the files of a model into ``raw``; ``work`` is for what is needed on the way.

    ``to_load`` stops before the weights of an encoder that cannot be run.

    Raises
    ------
    DownloadError
        The source did not deliver, or delivered something else than the registry promises.
    ModelError
        With ``to_load``, an encoder that cannot be run.
    MissingExtraError
        The source needs a library that is not installed.
    """
    source = entry.source
    if isinstance(source, WheelSource):
        from wordstock.hub.sources.wheel import deliver_wheel

        return deliver_wheel(source, raw, work, entry.size, report)
    if isinstance(source, UrlSource):
        from wordstock.hub.sources.url import deliver_url

        return deliver_url(source, raw, work, entry.size, report)
    if isinstance(source, HubSource):
        from wordstock.hub.sources.huggingface import deliver_repo

        return deliver_repo(source, raw, report, to_load)
    return _deliver_path(source, raw)


def _deliver_path(source: PathSource, raw: Path) -> Receipt:
    path = user_path(source.path)
    if path.is_dir():
        shutil.copytree(path, raw, dirs_exist_ok=True)
        return Receipt("")
    if not path.is_file():
        raise DownloadError(f"the registry names {path}, and no such file or folder is there")
    sha256 = check_hash(path, source.sha256, str(path))
    shutil.copyfile(path, raw / path.name)
    return Receipt(sha256)
