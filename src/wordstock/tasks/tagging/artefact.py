"""A trained tagger as one .safetensors file, without pickle.

Tensors: the network's weights and buffers by their names in it. ``__metadata__["tagger"]`` holds JSON: ``version``,
``wordstock`` (the version that wrote it), ``settings``, ``shape``, ``scheme``, ``labels``, ``alphabet``, ``history``,
``encoder`` (sources, fingerprint, dim, config), and ``sha256`` over the rest of it, written alike, and the tensors in
the order of their names. Equal taggers give equal files, but for the seconds in ``history``.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from wordstock._paths import user_path
from wordstock.hub.binding import EncoderRecord
from wordstock.tasks.tagging.plan import Epoch
from wordstock.tasks.tagging.schemes import check_scheme
from wordstock.tasks.tagging.settings import NetworkShape, TaggerSettings
from wordstock.tasks.tagging.tagset import TagSet
from wordstock.tasks.verified_file import VerifiedFile

__all__ = ["TaggerArtefact", "read_tagger", "write_tagger"]

FILE = VerifiedFile("tagger", "tagger", version=1)


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
    settings = {
        "settings": artefact.settings.to_dict(),
        "shape": asdict(artefact.shape),
        "scheme": artefact.tagset.scheme,
        "labels": list(artefact.tagset.labels),
        "alphabet": artefact.alphabet,
        "history": [list(one) for one in artefact.history],
        "encoder": asdict(artefact.encoder),
    }
    FILE.write(path, settings, artefact.tensors)


def read_tagger(path: Path | str) -> TaggerArtefact:
    """Read and verify the file.

    Raises
    ------
    FileNotFoundError
        No such file.
    FormatError
        Not a saved tagger, a newer version, or damage anywhere in the file.
    """
    return FILE.read(user_path(path), _build)


def _build(meta: dict[str, Any], tensors: dict[str, npt.NDArray[Any]]) -> TaggerArtefact:
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
