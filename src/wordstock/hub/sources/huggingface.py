"""A repository on the Hugging Face hub: its .safetensors, .json and .txt files, and never a pickled one."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

from wordstock._optional import require
from wordstock.encoders import check_runnable
from wordstock.errors import DownloadError, OfflineError, UnknownModelError
from wordstock.hub.entry import HubSource, inside
from wordstock.hub.kinds import config_of, is_encoder
from wordstock.hub.progress import Report
from wordstock.hub.sources.receipt import Receipt

__all__ = ["deliver_repo"]

_TAKEN = ("*.safetensors", "*.json", "*.txt")


def deliver_repo(source: HubSource, raw: Path, report: Report, to_load: bool) -> Receipt:
    """Download the repository's data files at one commit.

    Raises
    ------
    UnknownModelError
        No such repository or revision, or one that needs a token.
    OfflineError
        ``HF_HUB_OFFLINE`` is set.
    ModelError
        With ``to_load``, a contextual encoder of an architecture that cannot be run; found out before its weights are
        fetched.
    DownloadError
        The hub cannot be reached, or the repository has no .safetensors file.
    MissingExtraError
        huggingface_hub is not installed.
    """
    hub = require("huggingface_hub", extra="hub", purpose=f"fetching {source}")
    errors = require("huggingface_hub.errors", extra="hub", purpose=f"fetching {source}")
    try:
        info = hub.HfApi().model_info(source.repo, revision=source.revision or None, files_metadata=True)
        chosen = _chosen(source, info)
        total, done = sum(chosen.values()) or None, 0
        for name, size in chosen.items():
            hub.hf_hub_download(source.repo, name, revision=info.sha, local_dir=raw, tqdm_class=_silent())
            done += size
            report(done, total)
            if to_load and name == "config.json" and is_encoder(raw):
                check_runnable(str(source), config_of(raw))
    except errors.OfflineModeIsEnabled as error:
        raise OfflineError(f"{source} is not in the cache and HF_HUB_OFFLINE is set; unset it to fetch it") from error
    except errors.RepositoryNotFoundError as error:
        message = f"the Hugging Face hub has no model {source.repo!r}, or it needs a token (`hf auth login`)"
        raise UnknownModelError(message) from error
    except errors.RevisionNotFoundError as error:
        raise UnknownModelError(f"{source.repo} has no revision {source.revision!r}") from error
    except (errors.HfHubHTTPError, errors.LocalEntryNotFoundError, ConnectionError, *_client_errors()) as error:
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise DownloadError(f"{source}: {first}; check the network and try again") from error
    shutil.rmtree(raw / ".cache", ignore_errors=True)  # the client's own notes
    return Receipt("", _detail(info))


def _chosen(source: HubSource, info: Any) -> dict[str, int]:
    from fnmatch import fnmatch

    sizes = {file.rfilename: file.size or 0 for file in info.siblings or []}
    chosen = {name: size for name, size in sizes.items() if any(fnmatch(name, pattern) for pattern in _TAKEN)}
    if outside := [name for name in chosen if not inside(name)]:
        raise DownloadError(f"{source} lists {outside[0]!r}, which would be written outside of its folder; refused")
    if not any(name.endswith(".safetensors") for name in chosen):
        shown = ", ".join(list(sizes)[:8]) or "nothing"
        raise DownloadError(
            f"{source} has no .safetensors file (it holds {shown}); files in pickle formats are never opened"
        )
    return dict(sorted(chosen.items(), key=lambda item: item[0] != "config.json"))  # first what tells the kind


def _client_errors() -> list[type[Exception]]:
    """Errors of the HTTP client below huggingface_hub, which has been another one in each of its major versions."""
    names = (("requests", "RequestException"), ("httpx", "HTTPError"), ("httpx2", "HTTPError"))
    found = [getattr(sys.modules.get(module), name, None) for module, name in names]
    return [error for error in found if isinstance(error, type) and issubclass(error, Exception)]


def _detail(info: Any) -> dict[str, str]:
    detail = {"revision": str(info.sha or "")}
    card = info.card_data.to_dict() if info.card_data else {}
    for ours, theirs in (("licence", "license"), ("language", "language")):
        value = card.get(theirs)
        if isinstance(value, list):
            value = value[0] if len(value) == 1 else "mul"
        if isinstance(value, str):
            detail[ours] = value
    return detail


def _silent() -> type:
    bar: Any = require("huggingface_hub.utils", extra="hub", purpose="fetching from the Hugging Face hub").tqdm

    class Silent(bar):  # type: ignore[misc]  # a class known only at run time
        """The client's own bar, switched off for this call alone."""

        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **{**options, "disable": True})

    return Silent
