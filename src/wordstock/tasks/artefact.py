"""A trained classifier as one .safetensors file, without pickle.

Tensors: ``coef`` (k, dim + n_terms) · ``intercept`` (k,) · ``center`` (dim,) · ``scale`` (1,) · ``idf`` (n_terms,),
all float64 · ``terms`` uint8, UTF-8 with a line feed after each; the last two are empty unless ``lexical``.
``__metadata__["classifier"]`` holds JSON: ``version``, ``wordstock`` (the version that wrote it), ``classes``, ``kind``
(of a label: str, int, bool), ``layout``, ``settings``, ``C``, ``losses``, ``encoder`` (sources, fingerprint, dim,
config), and ``sha256`` over the rest of it, written alike, and the tensors in the order above. Equal classifiers give
equal files.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NoReturn, get_args

import numpy as np
import numpy.typing as npt
import safetensors.numpy
from safetensors import SafetensorError

from wordstock._files import atomic_write
from wordstock._version import __version__
from wordstock.errors import FormatError
from wordstock.hub.binding import EncoderRecord, read_config
from wordstock.tasks.labels import LabelCodec, Layout
from wordstock.tasks.lexical import Lexicon
from wordstock.tasks.logistic import LinearModel, check_settings
from wordstock.tasks.scaling import Scaling

__all__ = ["Artefact", "read_artefact", "write_artefact"]

VERSION = 1
_TENSORS = ("coef", "intercept", "center", "scale", "idf", "terms")
_SETTINGS = {"lexical", "C", "class_weight", "cv", "seed"}
_KINDS: dict[str, type] = {"str": str, "int": int, "bool": bool}


@dataclass(frozen=True)
class Artefact:
    """Everything that a trained classifier consists of, but for the encoder's vectors."""

    model: LinearModel
    scaling: Scaling
    lexicon: Lexicon | None
    codec: LabelCodec
    encoder: EncoderRecord
    settings: dict[str, Any]
    chosen: float
    losses: dict[float, float] = field(default_factory=dict)


def write_artefact(path: Path | str, artefact: Artefact) -> None:
    """Write the file, atomically.

    Raises
    ------
    StorageError
        The file cannot be written.
    """
    classes = artefact.codec.classes.tolist()
    weight = artefact.settings.get("class_weight")
    meta = {
        "version": VERSION,
        "wordstock": __version__,
        "classes": classes,
        "kind": type(classes[0]).__name__,
        "layout": artefact.codec.layout,
        "settings": artefact.settings
        | {"class_weight": [list(item) for item in weight.items()] if isinstance(weight, dict) else weight},
        "C": artefact.chosen,
        "losses": list(artefact.losses.items()),
        "encoder": asdict(artefact.encoder),
    }
    lexicon = artefact.lexicon or Lexicon((), np.empty(0))
    tensors = {
        "coef": artefact.model.coef,
        "intercept": artefact.model.intercept,
        "center": artefact.scaling.center,
        "scale": np.array([artefact.scaling.scale]),
        "idf": lexicon.idf,
        "terms": np.frombuffer("".join(f"{term}\n" for term in lexicon.terms).encode(), np.uint8),
    }
    tensors = {name: np.ascontiguousarray(array) for name, array in tensors.items()}
    encoded = _written(meta | {"sha256": _digest(meta, tensors)})
    with atomic_write(path) as stream:
        stream.write(safetensors.numpy.save(tensors, metadata={"classifier": encoded}))


def read_artefact(path: Path | str) -> Artefact:
    """Read and verify the file.

    Raises
    ------
    FileNotFoundError
        No such file.
    FormatError
        Not a saved classifier, a newer version, or damage anywhere in the file.
    """
    path = Path(path)
    if path.is_dir():
        _refuse(path, "a saved classifier", "a folder")
    data = path.read_bytes()
    try:
        tensors = safetensors.numpy.load(data)
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])["__metadata__"]
        meta = json.loads(header["classifier"])
        digest = meta.pop("sha256")
    except (SafetensorError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        _refuse(path, "a saved classifier", f"something else ({error!r:.120})", error)
    if set(tensors) != set(_TENSORS) or _digest(meta, tensors) != digest:
        _refuse(path, "the tensors and settings that its checksum was made of", "others: the file is damaged")
    version = meta.get("version")
    if type(version) is int and version > VERSION:
        raise FormatError(
            path, expected=f"version {VERSION} or older", found=f"version {version}", remedy="upgrade wordstock"
        )
    try:
        return _build(meta, tensors)
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError) as error:
        _refuse(path, "the settings of a classifier", f"others ({error!r:.120})", error)


def _build(meta: dict[str, Any], tensors: dict[str, npt.NDArray[Any]]) -> Artefact:
    if type(meta["version"]) is not int or meta["version"] < 1:
        raise ValueError(f"version {meta['version']!r}")
    kind = _KINDS[meta["kind"]]
    if meta["layout"] not in get_args(Layout) or not all(type(label) is kind for label in meta["classes"]):
        raise ValueError(f"labels of kind {meta['kind']} in layout {meta['layout']}")
    if len(set(meta["classes"])) < max(len(meta["classes"]), 1 + (meta["layout"] == "single")):
        raise ValueError(f"{len(meta['classes'])} labels in layout {meta['layout']}, not all different")
    codec = LabelCodec(np.array(meta["classes"], dtype=None if kind is str else kind), meta["layout"])
    coef, intercept, center = tensors["coef"], tensors["intercept"], tensors["center"]
    rows = 1 if len(codec.classes) == 2 and not codec.multilabel else len(codec.classes)
    encoder = meta["encoder"] | {"sources": tuple(meta["encoder"]["sources"])}
    if not all(isinstance(one, str) for one in (encoder["fingerprint"], *encoder["sources"])):
        raise ValueError(f"encoder {encoder!r:.80}")
    if encoder["config"] is not None:
        read_config(encoder["config"])
    settings = _settings(meta["settings"])
    terms = tuple(tensors["terms"].tobytes().decode().split("\n")[:-1])
    if len(set(terms)) < len(terms) or (terms and not settings["lexical"]):
        raise ValueError(f"{len(terms)} terms, lexical={settings['lexical']}")
    shapes = ((rows, encoder["dim"] + len(terms)), (rows,), (encoder["dim"],), (len(terms),))
    if (coef.shape, intercept.shape, center.shape, tensors["idf"].shape) != shapes:
        raise ValueError(f"coefficients {coef.shape} for {len(codec.classes)} classes of dim {encoder['dim']}")
    for name in ("coef", "intercept", "center", "idf", "scale"):
        if tensors[name].dtype != np.float64 or not np.isfinite(tensors[name]).all():
            raise ValueError(f"{name} of {tensors[name].dtype.name}, or not all finite")
    check_settings(float(meta["C"]), settings["cv"], settings["seed"])
    return Artefact(
        LinearModel(coef, intercept, codec.multilabel),
        Scaling(center, float(tensors["scale"][0])),
        Lexicon(terms, tensors["idf"]) if settings["lexical"] else None,
        codec,
        EncoderRecord(**encoder),
        settings,
        chosen=meta["C"],
        losses={float(c): float(loss) for c, loss in meta["losses"]},
    )


def _settings(written: dict[str, Any]) -> dict[str, Any]:
    settings = dict(written)
    if set(settings) != _SETTINGS:
        raise ValueError(f"settings {', '.join(settings)}; known are {', '.join(sorted(_SETTINGS))}")
    check_settings(settings["C"], settings["cv"], settings["seed"])
    if not isinstance(settings["lexical"], int):  # a bool is one
        raise ValueError(f"lexical={settings['lexical']!r}")
    weight = settings["class_weight"]
    if isinstance(weight, list):
        settings["class_weight"] = {label: share for label, share in weight}
    elif weight not in (None, "balanced"):
        raise ValueError(f"class_weight={weight!r}")
    return settings


def _written(meta: dict[str, Any]) -> str:
    return json.dumps(meta, default=_plain)


def _digest(meta: dict[str, Any], tensors: dict[str, npt.NDArray[Any]]) -> str:
    state = hashlib.sha256(_written(meta).encode("utf-8", "surrogatepass"))
    for name in _TENSORS:
        array = tensors[name]
        state.update(f"{name} {array.dtype.name} {array.shape}".encode())
        state.update(np.ascontiguousarray(array).tobytes())
    return state.hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{value!r} cannot be written as JSON")


def _refuse(path: Path, expected: str, found: str, cause: Exception | None = None) -> NoReturn:
    remedy = "save or fetch the classifier again"
    raise FormatError(path, expected=expected, found=found, remedy=remedy) from cause
