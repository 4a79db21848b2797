"""A trained classifier as one .safetensors file, without pickle.

Version 1 is logistic regression on an encoder as it is:

Tensors: ``coef`` (k, dim + n_terms) · ``intercept`` (k,) · ``center`` (dim,) · ``scale`` (1,) · ``idf`` (n_terms,),
all float64 · ``terms`` uint8, UTF-8 with a line feed after each; the last two are empty unless ``lexical``.
``__metadata__["classifier"]`` holds JSON: ``version``, ``wordstock`` (the version that wrote it), ``classes``, ``kind``
(of a label: str, int, bool), ``layout``, ``settings``, ``C``, ``losses``, ``encoder`` (sources, fingerprint, dim,
config), and ``sha256`` over the rest of it, written alike, and the tensors in the order above. Equal classifiers give
equal files.

Version 2, written only where it is needed, adds the settings ``head``, ``finetune`` and ``head_training``, and after a
calibration ``adjustment`` beside the settings. A neural head has tensors ``head.NAME`` instead of ``coef``,
``intercept``, ``idf`` and ``terms``. A tuned encoder adds tensors ``tuned.NAME``: the float32 weights that differ from
those of the encoder on record, or for a table ``rows`` int64 (m,) and what is added to them, ``change`` float32
(m, dim). They come last, sorted, in what the checksum is made of.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from wordstock._paths import user_path
from wordstock._settings import plain
from wordstock.hub.binding import EncoderRecord
from wordstock.tasks.adjustment import Adjustment
from wordstock.tasks.head_config import head_config
from wordstock.tasks.head_model import HeadModel, head_from_dict, head_to_dict
from wordstock.tasks.labels import LabelCodec
from wordstock.tasks.lexical import Lexicon
from wordstock.tasks.logistic import LinearModel, check_settings
from wordstock.tasks.scaling import Scaling
from wordstock.tasks.tuning.config import finetune_from_dict, resolve_finetune
from wordstock.tasks.tuning.training import HeadTraining
from wordstock.tasks.verified_file import VerifiedFile

__all__ = ["Artefact", "read_artefact", "write_artefact"]

_TENSORS = ("coef", "intercept", "center", "scale", "idf", "terms")
FILE = VerifiedFile("classifier", "classifier", version=2, first=_TENSORS)
_HEAD_TENSORS = ("center", "scale")  # and those of the head
_HEAD, _TUNED = "head.", "tuned."
_SETTINGS = {"lexical", "C", "class_weight", "cv", "seed"}
_NEWER = {"head", "finetune", "head_training"}


@dataclass(frozen=True)
class Artefact:
    """Everything that a trained classifier consists of, but for the encoder's vectors."""

    model: LinearModel | HeadModel
    scaling: Scaling
    lexicon: Lexicon | None
    codec: LabelCodec
    encoder: EncoderRecord
    settings: dict[str, Any]
    chosen: float | None
    losses: dict[float, float] = field(default_factory=dict)
    tuned: dict[str, npt.NDArray[Any]] | None = None
    adjustment: Adjustment = field(default_factory=Adjustment)


def write_artefact(path: Path | str, artefact: Artefact) -> None:
    """Write the file, atomically.

    Raises
    ------
    StorageError
        The file cannot be written.
    """
    version, settings = _written_settings(artefact)
    meta = artefact.codec.to_dict() | {
        "settings": settings,
        "C": artefact.chosen,
        "losses": list(artefact.losses.items()),
        "encoder": asdict(artefact.encoder),
    }
    if not artefact.adjustment.empty:
        meta["adjustment"] = artefact.adjustment.to_dict()
    FILE.write(path, meta, _tensors(artefact), version=version)


def _written_settings(artefact: Artefact) -> tuple[int, dict[str, Any]]:
    """The least version that can say it, and the settings as plain values."""
    settings = dict(artefact.settings)
    weight = settings.get("class_weight")
    settings["class_weight"] = (
        [list(map(plain, item)) for item in weight.items()] if isinstance(weight, dict) else weight
    )
    tuning, training = settings["finetune"], settings["head_training"]
    if settings["head"] == "logistic" and tuning is None and training is None and artefact.adjustment.empty:
        return 1, {name: value for name, value in settings.items() if name not in _NEWER}
    settings["head"] = head_to_dict(settings["head"])
    settings["finetune"] = tuning.to_dict() if hasattr(tuning, "to_dict") else tuning
    settings["head_training"] = None if training is None else asdict(training)
    return 2, settings


def _tensors(artefact: Artefact) -> dict[str, npt.NDArray[Any]]:
    tensors = {"center": artefact.scaling.center, "scale": np.array([artefact.scaling.scale])}
    if isinstance(artefact.model, HeadModel):
        tensors |= {_HEAD + name: one for name, one in artefact.model.tensors.items()}
    else:
        lexicon = artefact.lexicon or Lexicon((), np.empty(0))
        tensors |= {
            "coef": artefact.model.coef,
            "intercept": artefact.model.intercept,
            "idf": lexicon.idf,
            "terms": np.frombuffer("".join(f"{term}\n" for term in lexicon.terms).encode(), np.uint8),
        }
    return tensors | {_TUNED + name: one for name, one in (artefact.tuned or {}).items()}


def read_artefact(path: Path | str) -> Artefact:
    """Read and verify the file.

    Raises
    ------
    FileNotFoundError
        No such file.
    FormatError
        Not a saved classifier, a newer version, or damage anywhere in the file.
    """
    return FILE.read(user_path(path), _build)


def _build(meta: dict[str, Any], tensors: dict[str, npt.NDArray[Any]]) -> Artefact:
    if not _complete(tensors):
        raise ValueError(f"tensors {', '.join(sorted(tensors))}"[:200])
    codec = LabelCodec.from_dict(meta)
    encoder = EncoderRecord.from_dict(meta["encoder"])
    settings = _settings(meta["settings"], meta["version"])
    for name in ("coef", "intercept", "center", "idf", "scale"):
        if name in tensors and (tensors[name].dtype != np.float64 or not np.isfinite(tensors[name]).all()):
            raise ValueError(f"{name} of {tensors[name].dtype.name}, or not all finite")
    scaling = Scaling(tensors["center"], float(tensors["scale"][0]))
    neural = settings.get("head", "logistic") != "logistic"
    check_settings(None if neural else float(meta["C"]), settings["cv"], settings["seed"])
    lexicon = None if neural else _lexicon(tensors, settings)
    return Artefact(
        _head(tensors, settings, codec, scaling) if neural else _linear(tensors, codec, encoder.dim, lexicon),
        scaling,
        lexicon if settings["lexical"] else None,
        codec,
        encoder,
        settings,
        chosen=meta["C"],
        losses={float(c): float(loss) for c, loss in meta["losses"]},
        tuned=_part(tensors, _TUNED) or None,
        adjustment=Adjustment.from_dict(meta["adjustment"], len(codec.classes))
        if "adjustment" in meta
        else Adjustment(),
    )


def _lexicon(tensors: dict[str, npt.NDArray[Any]], settings: dict[str, Any]) -> Lexicon:
    terms = tuple(tensors["terms"].tobytes().decode().split("\n")[:-1])
    if len(set(terms)) < len(terms) or (terms and not settings["lexical"]) or tensors["idf"].shape != (len(terms),):
        raise ValueError(f"{len(terms)} terms, lexical={settings['lexical']}")
    return Lexicon(terms, tensors["idf"])


def _linear(tensors: dict[str, npt.NDArray[Any]], codec: LabelCodec, dim: int, lexicon: Lexicon | None) -> LinearModel:
    coef, intercept = tensors["coef"], tensors["intercept"]
    rows = 1 if len(codec.classes) == 2 and not codec.multilabel else len(codec.classes)
    shapes = ((rows, dim + len(lexicon.terms if lexicon else ())), (rows,), (dim,))
    if (coef.shape, intercept.shape, tensors["center"].shape) != shapes:
        raise ValueError(f"coefficients {coef.shape} for {len(codec.classes)} classes of dim {dim}")
    return LinearModel(coef, intercept, codec.multilabel)


def _head(
    tensors: dict[str, npt.NDArray[Any]], settings: dict[str, Any], codec: LabelCodec, scaling: Scaling
) -> HeadModel:
    given = _part(tensors, _HEAD)
    if scaling.center.ndim != 1 or not all(
        one.dtype == np.float32 and np.isfinite(one).all() for one in given.values()
    ):
        raise ValueError("weights of a head that are not float32, or not all finite")
    model = HeadModel(head_config(settings["head"]), scaling, len(codec.classes), codec.multilabel, given)
    if not model.fits():
        raise ValueError("weights of another head than the settings say")
    return model


def _part(tensors: dict[str, npt.NDArray[Any]], prefix: str) -> dict[str, npt.NDArray[Any]]:
    return {name.removeprefix(prefix): one for name, one in tensors.items() if name.startswith(prefix)}


def _complete(tensors: dict[str, npt.NDArray[Any]]) -> bool:
    """Whether these are the tensors of a classifier: the six of version 1, or those of a head, and no stranger."""
    plain = {name for name in tensors if not name.startswith((_HEAD, _TUNED))}
    return plain == set(_HEAD_TENSORS if _part(tensors, _HEAD) else _TENSORS)


def _settings(written: dict[str, Any], version: int) -> dict[str, Any]:
    settings = dict(written)
    known = _SETTINGS if version == 1 else _SETTINGS | _NEWER
    if set(settings) != known:
        raise ValueError(f"settings {', '.join(settings)}; known are {', '.join(sorted(known))}")
    if version > 1:
        settings["head"] = head_from_dict(settings["head"])
        tuning, training = settings["finetune"], settings["head_training"]
        settings["finetune"] = finetune_from_dict(tuning) if isinstance(tuning, dict) else tuning
        resolve_finetune(settings["finetune"])
        settings["head_training"] = None if training is None else HeadTraining(**training)
    check_settings(settings["C"], settings["cv"], settings["seed"])
    if not isinstance(settings["lexical"], int):  # a bool is one
        raise ValueError(f"lexical={settings['lexical']!r}")
    weight = settings["class_weight"]
    if isinstance(weight, list):
        settings["class_weight"] = {label: share for label, share in weight}
    elif weight not in (None, "balanced"):
        raise ValueError(f"class_weight={weight!r}")
    return settings
