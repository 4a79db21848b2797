"""A trained tagger as one .safetensors file, without pickle.

Tensors: the network's weights and buffers by their names in it. ``__metadata__["tagger"]`` holds JSON: ``version``,
``wordstock`` (the version that wrote it), ``settings``, ``shape``, ``scheme``, ``labels``, ``alphabet``, ``history``,
``encoder`` (sources, fingerprint, dim, config), and ``sha256`` over the rest of it, written alike, and the tensors in
the order of their names. Equal taggers give equal files, but for the seconds in ``history``.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt
import safetensors.numpy
from safetensors import SafetensorError

from wordstock._files import atomic_write
from wordstock._version import __version__
from wordstock.errors import FormatError
from wordstock.hub.binding import EncoderRecord
from wordstock.tasks.tagging.plan import Epoch
from wordstock.tasks.tagging.schemes import check_scheme
from wordstock.tasks.tagging.settings import NetworkShape, TaggerSettings
from wordstock.tasks.tagging.tagset import TagSet

__all__ = ["TaggerArtefact", "read_tagger", "write_tagger"]

VERSION = 1


@dataclass(frozen=True)
class TaggerArtefact:
    """Everything that a trained tagger consists of, but for the encoder's vectors."""

    settings: TaggerSettings
    shape: NetworkShape
    tagset: TagSet
    alphabet: str
    encoder: EncoderRecord
    history: list[Epoch]
    tensors: dict[str, npt.NDArray[Any]]


def write_tagger(path: Path | str, artefact: TaggerArtefact) -> None:
    """Write the file, atomically.

    Raises
    ------
    StorageError
        The file cannot be written.
    """
    meta = {
        "version": VERSION,
        "wordstock": __version__,
        "settings": artefact.settings.to_dict(),
        "shape": asdict(artefact.shape),
        "scheme": artefact.tagset.scheme,
        "labels": list(artefact.tagset.labels),
        "alphabet": artefact.alphabet,
        "history": [list(one) for one in artefact.history],
        "encoder": asdict(artefact.encoder),
    }
    tensors = {name: np.ascontiguousarray(artefact.tensors[name]) for name in sorted(artefact.tensors)}
    encoded = json.dumps(meta | {"sha256": _digest(meta, tensors)})
    data = safetensors.numpy.save(tensors, metadata={"tagger": encoded})
    with atomic_write(path) as stream:
        stream.write(data)


def read_tagger(path: Path | str) -> TaggerArtefact:
    """Read and verify the file.

    Raises
    ------
    FileNotFoundError
        No such file.
    FormatError
        Not a saved tagger, a newer version, or damage anywhere in the file.
    """
    path = Path(path)
    if path.is_dir():
        _refuse(path, "a saved tagger", "a folder")
    data = path.read_bytes()
    try:
        tensors = safetensors.numpy.load(data)
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])["__metadata__"]
        meta = json.loads(header["tagger"])
        digest = meta.pop("sha256")
    except (SafetensorError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        _refuse(path, "a saved tagger", f"something else ({error!r:.120})", error)
    if _digest(meta, tensors) != digest:
        _refuse(path, "the tensors and settings that its checksum was made of", "others: the file is damaged")
    version = meta.get("version")
    if type(version) is int and version > VERSION:
        raise FormatError(
            path, expected=f"version {VERSION} or older", found=f"version {version}", remedy="upgrade wordstock"
        )
    try:
        return _build(meta, tensors)
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError) as error:
        _refuse(path, "the settings of a tagger", f"others ({error!r:.120})", error)


def _build(meta: dict[str, Any], tensors: dict[str, npt.NDArray[Any]]) -> TaggerArtefact:
    if type(meta["version"]) is not int or meta["version"] < 1:
        raise ValueError(f"version {meta['version']!r}")
    check_scheme(meta["scheme"])
    if not meta["labels"] or not all(isinstance(one, str) for one in (*meta["labels"], meta["alphabet"])):
        raise ValueError(f"labels {meta['labels']!r:.80}")
    tagset = TagSet(meta["scheme"], tuple(meta["labels"]))
    shape = NetworkShape(**meta["shape"])
    encoder = EncoderRecord.from_dict(meta["encoder"])
    settings = TaggerSettings.from_dict(meta["settings"])
    if shape.tags != len(tagset.names) or shape.letters != len(meta["alphabet"]):
        raise ValueError(f"{shape.tags} tags for {len(tagset.names)}, {shape.letters} letters")
    if (shape.model, shape.hidden, shape.characters) != (settings.model, settings.hidden, settings.characters):
        raise ValueError(f"a network {shape} for {settings}")
    for name, tensor in tensors.items():
        if tensor.dtype.kind == "f" and not np.isfinite(tensor).all():
            raise ValueError(f"{name} is not all finite")
    history = [Epoch(*one) for one in meta["history"]]
    return TaggerArtefact(settings, shape, tagset, meta["alphabet"], encoder, history, tensors)


def _digest(meta: dict[str, Any], tensors: dict[str, npt.NDArray[Any]]) -> str:
    state = hashlib.sha256(json.dumps(meta).encode("utf-8", "surrogatepass"))
    for name in sorted(tensors):
        array = tensors[name]
        state.update(f"{name} {array.dtype.name} {array.shape}".encode())
        state.update(np.ascontiguousarray(array).tobytes())
    return state.hexdigest()


def _refuse(path: Path, expected: str, found: str, cause: Exception | None = None) -> NoReturn:
    raise FormatError(path, expected=expected, found=found, remedy="save or fetch the tagger again") from cause
