"""``open_encoder``: a folder of a Hugging Face model as a ``ContextualEncoder``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from wordstock._optional import require
from wordstock._settings import check_flag, check_type, check_whole, plain
from wordstock._threads import MOST_THREADS
from wordstock.embeddings import Card
from wordstock.encoders.architectures import architecture_of
from wordstock.encoders.backends import open_backend
from wordstock.encoders.backends.auto import Trial, remembered
from wordstock.encoders.config import ContextConfig
from wordstock.encoders.encoder import ContextualEncoder
from wordstock.encoders.folder import ModelFolder, read_folder
from wordstock.encoders.identity import fingerprint_of, weights_digest
from wordstock.encoders.known_prompts import prompts_of_repository
from wordstock.encoders.sizes import text_dim
from wordstock.encoders.subwords import open_tokenizer
from wordstock.errors import FormatError, InputError

__all__ = ["OPTIONS", "check_runnable", "default_config", "describe_folder", "open_encoder"]

OPTIONS = ("backend", "threads", "device", "batch_tokens", "allow_pickle", *(one.name for one in fields(ContextConfig)))
# On a CPU what one batch holds between two layers must stay in its caches: all-MiniLM-L6-v2 took twice the time with
# 4096 tokens. A GPU has to be filled.
_CPU_TOKENS, _GPU_TOKENS = 512, 16384


def open_encoder(
    folder: Path | str,
    *,
    backend: str = "torch",
    threads: int | None = None,
    device: str | None = None,
    batch_tokens: int | None = None,
    allow_pickle: bool = False,
    card: Card | None = None,
    **settings: Any,
) -> ContextualEncoder:
    """Open a model folder of BERT, RoBERTa, DistilBERT, MPNet, XLM-RoBERTa or ModernBERT.

    Pooling, prompts, normalisation and length come from the files of a sentence-transformers folder; a folder without
    them gives the mean of the last layer's tokens.

    Parameters
    ----------
    backend : what runs it: "torch", "onnx", "openvino", or "auto", which tries them once on this machine, in seconds,
        and keeps the fastest whose vectors have a cosine of at least 0.999 to those of torch in float32. The first use
        of any but torch converts the model, for which it needs torch; later ones do not.
    threads : of a CPU, in all; None leaves the backend's own number, or ``WORDSTOCK_THREADS`` where that is set.
    device : "cpu" or "cuda"; None takes a GPU where there is one.
    batch_tokens : most tokens, padding included, that the model is given at once, unless a single text is longer;
        bounds the memory. None takes 512 on a CPU and 16384 on a GPU.
    allow_pickle : also take weights in PyTorch's pickle format, where there are no others.
    settings : of ``ContextConfig``, over those of the folder.

    Raises
    ------
    UnknownModelError
        No such folder.
    ModelError
        An architecture that is not supported; lists those that are.
    FormatError
        A file that is missing, damaged or, unless ``allow_pickle``, pickled.
    InputError
        An unknown setting or value.
    MissingExtraError
        A library of the extra "encoders" is not installed.
    """
    check_whole("threads", threads, 1, below=MOST_THREADS + 1, optional=True)
    check_whole("batch_tokens", batch_tokens, 1, optional=True)
    check_flag("allow_pickle", allow_pickle)
    threads, batch_tokens = plain(threads), plain(batch_tokens)
    check_type("device", device, str | None, "'cpu', 'cuda' or None")
    if unknown := settings.keys() - set(OPTIONS):
        raise InputError(f"an encoder has no option {', '.join(sorted(unknown))}; known are {', '.join(OPTIONS)}")
    model = read_folder(folder, allow_pickle=allow_pickle)
    config = default_config(model)
    if card is not None and not config.prompts:
        config = replace(config, prompts=prompts_of_repository(card.source))
    config = replace(config, **settings)
    loaded = open_backend(backend, model, precision=config.precision, threads=threads, device=device)
    return ContextualEncoder(
        model,
        open_tokenizer(model),
        loaded,
        config,
        card=card or Card(name=model.path.resolve().name, source=str(model.path.resolve())),
        batch_tokens=batch_tokens or (_CPU_TOKENS if loaded.device == "cpu" else _GPU_TOKENS),
        reopen=partial(
            _reopened,
            model.path,
            backend=backend,
            threads=threads,
            device=device,
            batch_tokens=batch_tokens,
            allow_pickle=allow_pickle,
            card=card,
        ),
    )


def check_runnable(name: str, config: Mapping[str, Any] | None = None, *, backend: str | None = None) -> None:
    """Whether a model can be run here, as far as that is known before its weights are fetched.

    Parameters
    ----------
    config : what its ``config.json`` holds, if that is at hand.
    backend : what is to run it; None if that is not known.

    Raises
    ------
    ModelError
        An architecture that is not supported.
    MissingExtraError
        A library that is needed is not installed.
    """
    if config is not None:
        architecture_of(config, name)
    purpose = f"running the contextual encoder {name}"
    require("tokenizers", extra="encoders", purpose=purpose)
    # The others run a copy that may be there already; without one they say themselves that they need torch.
    if backend == "torch" or not any(map(find_spec, ("onnxruntime", "openvino"))):
        for library in ("torch", "transformers"):
            require(library, extra="encoders", purpose=purpose)


def default_config(model: ModelFolder) -> ContextConfig:
    """The settings that a folder's files give.

    Raises
    ------
    FormatError
        Weights of layers that the model does not have.
    """
    layout = model.layout
    layers = (-1,) if layout.first_layer is None else tuple(range(layout.first_layer, model.n_layers + 1))
    try:
        return ContextConfig(
            pooling=layout.pooling,
            layers=layers,
            layer_weights=layout.layer_weights,
            prompts=layout.prompts,
            prompt=layout.prompt,
            unit=layout.unit,
        )
    except InputError as error:
        raise FormatError(model.path, expected="a WeightedLayerPooling that fits", found=str(error)) from error


def describe_folder(folder: Path | str) -> dict[str, Any]:
    """What a folder's files say of its model, as plain values; loads neither weights nor a library.

    Raises
    ------
    As ``open_encoder``, but for what is wrong inside of the weights.
    """
    model = read_folder(folder)
    config = default_config(model)
    return {
        "kind": "encoder",
        "architecture": model.kind,
        "layers": model.n_layers,
        "dim": text_dim(config, model),
        "max tokens": model.max_length,
        "bytes of weights": sum(path.stat().st_size for path in model.weights),
        "encode": {name: value for name, value in config.to_dict().items() if value not in (None, "", {})},
        "fingerprint": fingerprint_of(weights_digest(model), model, config),
        "backend 'auto' here": _told(remembered(model)),
    }


def _told(trials: list[Trial] | None) -> str:
    """The choice, with the seconds and cosines that it was made by."""
    if trials is None:
        return "not tried yet; `wordstock encode --backend auto` tries them"
    parts = [
        f"{one.backend} {one.precision} " + (one.reason or f"{one.seconds:.3f} s, cosine {one.cosine:.5f}")
        for one in trials
    ]
    return "; ".join(parts)


def _reopened(path: Path, config: ContextConfig, **options: Any) -> ContextualEncoder:
    settings = {one.name: getattr(config, one.name) for one in fields(ContextConfig)}
    return open_encoder(path, **options, **settings)
