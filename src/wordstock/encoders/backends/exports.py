"""Copies of a model in other formats: made once from the torch model, kept in the user's cache folder.

Layout: ``exports/DIGEST-FORMAT/`` holds ``model.onnx``, what is made of it, and what "auto" found on this machine.
The digest is that of the weights, so that a changed model never meets an old copy; the format names the settings of
the export. A copy, be it a file or a folder, is there whole or not at all; a lock beside it keeps two processes from
making it at once.
"""

from __future__ import annotations

import logging
import os
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from wordstock._cache import cache_folder
from wordstock._files import storage_errors
from wordstock._optional import require
from wordstock.encoders.folder import ModelFolder
from wordstock.encoders.identity import weights_digest
from wordstock.errors import ModelError

__all__ = ["FEW_TOKENS", "IDS", "MASK", "export_folder", "exported", "kept", "layer_name"]

FEW_TOKENS = 64  # a second thread gains nothing on so few
IDS, MASK = "ids", "mask"  # the graph's inputs; its outputs are called as layer_name says
_OPSET = 17
_FORMAT = f"onnx{_OPSET}-1"  # counted up whenever an export would turn out otherwise
_MOST_BYTES = 2**31 - 2**24  # of one file in ONNX, which is a protocol buffer

_log = logging.getLogger(__name__)


def layer_name(layer: int) -> str:
    """The graph's output with the hidden states of a layer; 0 is the output of the embedding layer."""
    return f"layer_{layer}"


def export_folder(model: ModelFolder) -> Path:
    """Where the copies of a model are kept."""
    return cache_folder() / "exports" / f"{weights_digest(model)[:32]}-{_FORMAT}"


def kept(path: Path, make: Callable[[Path], None]) -> Path:
    """A file or folder that is made once: ``make`` writes it elsewhere and it is then moved to ``path`` in one step.

    Raises
    ------
    StorageError
        The cache folder cannot be written.
    """
    if path.exists():
        return path
    import filelock

    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(path.with_name(f"{path.name}.lock")):
            if not path.exists():
                with tempfile.TemporaryDirectory(prefix=".making-", dir=path.parent) as work:
                    made = Path(work) / path.name
                    make(made)
                    _flush(made)
                    made.replace(path)
    return path


def exported(model: ModelFolder, folder: Path) -> Path:
    """The model in ONNX, float32, every layer's hidden states an output; made on first use, which takes seconds.

    Parameters
    ----------
    folder : what ``export_folder`` gives.

    Raises
    ------
    ModelError
        The model cannot be exported; says why and what runs it.
    MissingExtraError
        A first use without torch, transformers or onnx.
    StorageError
        The cache folder cannot be written.
    """
    return kept(folder / "model.onnx", lambda path: _export(model, path))


def _export(model: ModelFolder, path: Path) -> None:
    purpose = f"the first use of {model.path} with this backend, which converts it,"
    torch = require("torch", extra="encoders", purpose=purpose)
    require("onnx", extra="onnx", purpose=purpose)
    from wordstock.encoders.backends.torch import load_weights

    _log.info("converting %s to ONNX", model.path)
    module = load_weights(model, torch.float32, attention="eager")
    if sum(weight.numel() * 4 for weight in module.parameters()) > _MOST_BYTES:
        raise ModelError(f"{model.path} has more than 2 GB of weights, too much for one ONNX file; use backend='torch'")
    names = [layer_name(layer) for layer in range(model.n_layers + 1)]
    length = min(9, model.max_length)
    ids = torch.full((2, length), model.pad_id, dtype=torch.int64)
    mask = torch.ones_like(ids)
    mask[1, length // 2 :] = 0  # tracing must see padding
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")  # of tracing and of the exporter's age
            torch.onnx.export(
                _all_states(torch, module),
                (ids, mask),
                str(path),
                input_names=[IDS, MASK],
                output_names=names,
                dynamic_axes={name: {0: "texts", 1: "length"} for name in (IDS, MASK, *names)},
                opset_version=_OPSET,
                dynamo=False,
            )
    except (RuntimeError, ValueError, TypeError, AttributeError, NotImplementedError) as error:
        raise ModelError(
            f"{model.path}: this {model.kind} model cannot be exported to ONNX "
            f"({type(error).__name__}: {error!s:.200}); use backend='torch'"
        ) from error


def _all_states(torch: Any, module: Any) -> Any:
    class AllStates(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.module = module

        def forward(self, ids: Any, mask: Any) -> tuple[Any, ...]:
            return tuple(self.module(input_ids=ids, attention_mask=mask, output_hidden_states=True).hidden_states)

    return AllStates().eval()


def _flush(path: Path) -> None:
    for file in path.iterdir() if path.is_dir() else (path,):
        with file.open("rb+") as stream:
            os.fsync(stream.fileno())
