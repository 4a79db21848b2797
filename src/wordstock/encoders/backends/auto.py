"""``backend="auto"``: the backend that is fastest on this machine among those that keep to float32.

Every candidate encodes the same few texts; its vectors, of texts and of tokens, must keep a cosine of at least 0.999 to
those of torch in float32. The choice is written beside the exported copies, under a name that is made of everything it
depends on: the processor's abilities, the libraries' versions, the number of threads, the precision asked for.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import logging
import os
import platform
import sys
import time
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from wordstock._files import atomic_write
from wordstock._optional import require
from wordstock._threads import thread_count
from wordstock.encoders.backends.exports import export_folder
from wordstock.encoders.backends.sample import TRIAL, sample
from wordstock.encoders.config import Precision
from wordstock.encoders.folder import ModelFolder
from wordstock.encoders.packing import Batch
from wordstock.encoders.pooling import pool
from wordstock.encoders.side_by_side import run_batches
from wordstock.errors import FormatError, InputError, MissingExtraError, ModelError, StorageError
from wordstock.protocols import FloatArray

__all__ = ["LEAST_COSINE", "Trial", "open_model", "remembered"]

LEAST_COSINE = 0.999
_ROUND = 4  # counted up whenever a candidate would turn out otherwise
_CLOSE = 1.05  # a later candidate must be faster than the best one so far by this factor
_DRIVERS = ("/dev/nvidiactl", "/dev/dxg", "/dev/kfd", "/dev/nvhost-gpu")  # NVIDIA, Windows' subsystem, AMD, Jetson
_RUNS, _SECONDS = 3, 0.5  # at least so many runs, and more of a small model, whose runs are short
_LIBRARIES = ("torch", "transformers", "onnxruntime", "openvino", "wordstock")
_MODULES = {name: f"wordstock.encoders.backends.{name}" for name in ("openvino", "onnx", "torch")}
# In the order of preference among equals: the first two open without torch, in a fraction of its time.
_CANDIDATES: dict[Precision, tuple[tuple[str, Precision], ...]] = {
    "float32": (
        ("openvino", "float32"),
        ("onnx", "float32"),
        ("torch", "float32"),
        ("openvino", "bfloat16"),
        ("torch", "bfloat16"),
        ("openvino", "int8"),
    ),
    "bfloat16": (("openvino", "bfloat16"), ("torch", "bfloat16")),
    "int8": (("openvino", "int8"), ("onnx", "int8")),
}
_NEEDS = {"bfloat16": {"avx512_bf16", "amx_bf16", "bf16"}, "int8": {"avx512_vnni", "avx_vnni", "amx_int8", "i8mm"}}

_log = logging.getLogger(__name__)


class Trial(NamedTuple):
    """What one candidate did, or why it did not run.

    Parameters
    ----------
    seconds : for the texts, best of several runs; None if it did not run.
    cosine : lowest to torch in float32, of texts and tokens.
    """

    backend: str
    precision: Precision
    seconds: float | None
    cosine: float | None
    reason: str = ""


def open_model(model: ModelFolder, *, precision: Precision, threads: int | None, device: str | None) -> Any:
    """Open the backend that was chosen on this machine before, or choose one; errors as ``open_backend``.

    A GPU, where there is one, is left to torch without a trial.

    Raises
    ------
    ModelError
        No backend ran, or with a precision other than float32 none kept to the cosine; says why of each.
    """
    if precision == "float32" and (device not in (None, "cpu") or (device is None and _has_gpu())):
        return _open("torch", model, precision, threads, device)
    path = _choice_path(export_folder(model), precision, threads)
    found = _read(path)
    if found is not None:
        try:
            return _open(found[0].backend, model, found[0].precision, threads, "cpu")
        except (FormatError, MissingExtraError) as error:
            _log.warning("the remembered backend does not open, choosing anew: %s", error)
    trials = _try_all(model, precision, threads)
    best = _fastest(trials, precision)
    if best is None:
        told = "; ".join(f"{trial.backend} {trial.precision}: {_said(trial)}" for trial in trials)
        raise ModelError(f"no backend runs {model.path} in {precision} within a cosine of {LEAST_COSINE}: {told}")
    ordered = [best, *(trial for trial in trials if trial is not best)]
    try:
        with atomic_write(path) as stream:
            stream.write(json.dumps([trial._asdict() for trial in ordered], indent=1).encode())
    except StorageError as error:
        _log.warning(
            "the choice of %s is not remembered; WORDSTOCK_CACHE names another folder: %s", best.backend, error
        )
    return _open(best.backend, model, best.precision, threads, "cpu")


def remembered(model: ModelFolder, precision: Precision = "float32", threads: int | None = None) -> list[Trial] | None:
    """The trials made on this machine, the chosen one first; None if none were. Loads no backend."""
    return _read(_choice_path(export_folder(model), precision, threads))


def _try_all(model: ModelFolder, precision: Precision, threads: int | None) -> list[Trial]:
    parts = sample(TRIAL, model, threads or thread_count())
    able = _abilities()
    reference = _run(_open("torch", model, "float32", threads, "cpu"), parts, model.n_layers)
    trials = []
    for name, of in _CANDIDATES[precision]:
        needs = _NEEDS.get(of)
        if precision == "float32" and needs and not needs & able:
            trials.append(Trial(name, of, None, None, "this processor has no instructions for it"))
            continue
        try:
            backend = _open(name, model, of, threads, "cpu")
        except (MissingExtraError, ModelError, InputError, FormatError, StorageError) as error:
            trials.append(Trial(name, of, None, None, f"{error!s:.300}"))
            continue
        cosine = _least_cosine(_run(backend, parts, model.n_layers), reference)
        trials.append(Trial(name, of, _best_time(backend, parts, model.n_layers), cosine))
    return trials


def _fastest(trials: Sequence[Trial], precision: Precision) -> Trial | None:
    best: Trial | None = None
    for trial in trials:
        # Who asks for int8 by name gets it whatever the cosine is; the trial tells it.
        if trial.seconds is None or trial.cosine is None or (precision != "int8" and trial.cosine < LEAST_COSINE):
            continue
        if best is None or best.seconds is None or trial.seconds * _CLOSE < best.seconds:
            best = trial
    return best


def _run(backend: Any, parts: Sequence[Batch], layer: int) -> list[FloatArray]:
    """Vectors of the texts and of all tokens, part by part."""
    vectors = []
    for batch in parts:
        states = backend.hidden_states(batch.ids, batch.mask, [layer])[0]
        vectors += [pool(states, batch.mask, ["mean"]), states[batch.mask > 0]]
    return vectors


def _best_time(backend: Any, parts: Sequence[Batch], layer: int) -> float:
    """Least seconds of several runs: what else the machine did in the meantime only adds."""
    times = [_timed(backend, parts, layer)]
    while len(times) < _RUNS or sum(times) < _SECONDS:
        times.append(_timed(backend, parts, layer))
    return min(times)


def _timed(backend: Any, parts: Sequence[Batch], layer: int) -> float:
    began = time.perf_counter()
    run_batches(backend, iter(parts), [layer], lambda *_: None)
    return time.perf_counter() - began


def _least_cosine(found: Sequence[FloatArray], expected: Sequence[FloatArray]) -> float:
    ours, theirs = np.concatenate(found).astype(np.float64), np.concatenate(expected).astype(np.float64)
    norms = np.linalg.norm(ours, axis=1) * np.linalg.norm(theirs, axis=1)
    cosines = np.divide((ours * theirs).sum(axis=1), norms, out=np.zeros(len(ours)), where=norms > 0)
    return float(np.nan_to_num(cosines.min(), nan=-1.0))


def _open(name: str, model: ModelFolder, precision: Precision, threads: int | None, device: str | None) -> Any:
    module = importlib.import_module(_MODULES[name])
    return module.open_model(model, precision=precision, threads=threads, device=device)


def _has_gpu() -> bool:
    """Whether torch sees a GPU; torch is not loaded where the system has no driver for one."""
    if sys.platform == "darwin" or (sys.platform == "linux" and not any(map(os.path.exists, _DRIVERS))):
        return False
    try:
        return bool(require("torch", extra="encoders", purpose="running on a GPU").cuda.is_available())
    except MissingExtraError:
        return False


def _choice_path(folder: Path, precision: Precision, threads: int | None) -> Path:
    found: list[Any] = [_ROUND, precision, threads or thread_count(), sorted(_abilities()), platform.machine()]
    for library in _LIBRARIES:
        try:
            found.append(version(library))
        except PackageNotFoundError:
            found.append(None)
    name = hashlib.sha256(json.dumps(found).encode()).hexdigest()[:16]
    return folder / f"auto-{name}.json"


def _abilities() -> set[str]:
    """The processor's instruction sets as Linux names them; empty elsewhere."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return set()
    return next((set(line.split(":", 1)[1].split()) for line in lines if line.startswith(("flags", "Features"))), set())


def _read(path: Path) -> list[Trial] | None:
    try:
        trials = [Trial(**values) for values in json.loads(path.read_bytes())]
        sound = all(map(_is_sound, trials))
    except (OSError, ValueError, TypeError, RecursionError):
        return None
    return trials if sound and trials and trials[0].seconds is not None else None


def _is_sound(trial: Trial) -> bool:
    """Whether a trial that was read is one that could have been made."""
    known = any((trial.backend, trial.precision) in pairs for pairs in _CANDIDATES.values())
    ran = isinstance(trial.seconds, float) and isinstance(trial.cosine, float)
    return known and (ran or (trial.seconds is None and bool(trial.reason) and isinstance(trial.reason, str)))


def _said(trial: Trial) -> str:
    return trial.reason or f"cosine {trial.cosine:.4f}"
