"""A contextual encoder whose weights are tuned, and the encoder with what was learnt."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import numpy as np
import numpy.typing as npt

from wordstock.embeddings.digest import digest_of
from wordstock.encoders import ContextConfig, ContextualEncoder
from wordstock.encoders.backends.torch import TorchBackend
from wordstock.encoders.head import Dense, LayerNorm
from wordstock.encoders.subwords import Tokenized, open_tokenizer
from wordstock.encoders.training import TokenizedWords, TrainableEncoder
from wordstock.errors import InputError
from wordstock.protocols import IntArray
from wordstock.tasks.tuning.config import Contrastive, FineTune
from wordstock.tasks.tuning.loop import Group

if TYPE_CHECKING:
    import torch

    from wordstock.tasks.tuning.config import Precision

__all__ = ["ContextualTuner", "save_tuned", "tuned_contextual"]

LEARNING_RATE = 1e-4
_MOVED, _LOWEST = 1.5e-3, 3e-5  # contrastive: rate times steps, and the lowest rate that comes of it


class _Read(NamedTuple):
    """Texts as tokens."""

    lengths: IntArray
    tokens: Tokenized | TokenizedWords


class ContextualTuner:
    """The weights of a contextual encoder as torch parameters; the encoder itself is left alone."""

    def __init__(self, base: ContextualEncoder, config: FineTune | Contrastive) -> None:
        self.base, self._config = base, config
        self.model = base.trainable()
        self.module: Any = self.model.module
        self.dim, self.word_dim, self.device = self.model.dim, self.model.word_dim, self.model.device
        self._layers = self.model.parameter_groups()
        if not config.embeddings:
            for one in self._layers[0]:
                one.requires_grad_(False)
            self._layers[0] = []
        self._half = _bfloat16(config.precision, self.device)

    def groups(self, steps: int = 1) -> list[Group]:
        """From the top to the bottom, each with a lower rate than the one above.

        Contrastively, many steps take a lower rate: what the encoder knew is not to be pulled apart.
        """
        config = self._config
        usual = LEARNING_RATE
        if isinstance(config, Contrastive):
            usual = float(np.clip(_MOVED / max(1, steps), _LOWEST, LEARNING_RATE))
        rate = config.learning_rate or usual
        found = [layer for layer in reversed(self._layers) if layer]
        gradual = getattr(config, "gradual", False)
        return [
            Group(layer, rate * config.layer_decay**depth, config.weight_decay, depth + 1 if gradual else 0)
            for depth, layer in enumerate(found)
        ]

    def read(self, texts: Sequence[str]) -> _Read:
        """Read texts once, for ``vectors``."""
        tokens = self.model.tokenize(texts)
        return _Read(np.diff(tokens.bounds), tokens)

    def vectors(self, read: _Read, rows: IntArray) -> torch.Tensor:
        """What ``encode`` gives, with gradients, float32 (n, dim)."""
        with self._products():
            return self.model.texts(self.model.batch(read.tokens, rows)).float()

    def read_words(self, texts: Sequence[str]) -> _Read:
        """Read texts once, for ``words``."""
        words = self.model.tokenize_words(texts)
        return _Read(np.diff(words.tokens.bounds), words)

    def words(self, read: _Read, rows: IntArray) -> tuple[torch.Tensor, torch.Tensor]:
        """Vectors of words, float32 (n, words, dim), and a mask, bool (n, words)."""
        import torch

        if not isinstance(read.tokens, TokenizedWords):
            raise TypeError("words of texts that were read without them")
        with self._products():
            flat = self.model.words(self.model.batch(read.tokens, rows)).float()
        bounds = read.tokens.bounds
        counts = torch.from_numpy(bounds[rows + 1] - bounds[rows]).to(flat.device)
        mask = torch.arange(max(1, int(counts.max())), device=flat.device) < counts[:, None]
        return flat.new_zeros(*mask.shape, self.word_dim).masked_scatter(mask[..., None], flat), mask

    def _products(self) -> AbstractContextManager[Any]:
        import torch

        if not self._half:
            return nullcontext()
        return torch.autocast(self.device.split(":")[0], torch.bfloat16)

    def tensors(self) -> dict[str, npt.NDArray[Any]]:
        """What a saved classifier keeps: the weights that differ from the encoder's own."""
        fresh = self.base.trainable(device="cpu").module.state_dict()
        out = {}
        for name, value in self.module.state_dict().items():
            value = value.detach().cpu()
            if not value.equal(fresh[name]):
                out[name] = np.ascontiguousarray(value.float().numpy())
        return out

    def encoder(self) -> ContextualEncoder:
        """The encoder with what was learnt, in memory; it shares the module."""
        return _opened(self.model, self.tensors())


def tuned_contextual(base: ContextualEncoder, tensors: dict[str, npt.NDArray[Any]]) -> ContextualEncoder:
    """An encoder and what ``ContextualTuner.tensors`` gave.

    Raises
    ------
    ValueError
        Tensors that do not fit the encoder.
    MissingExtraError
        The extra "encoders" is not installed.
    """
    model = base.trainable()
    _put(model, tensors)
    return _opened(model, tensors)


def save_tuned(base: ContextualEncoder, tensors: dict[str, npt.NDArray[Any]], folder: Path | str) -> None:
    """Write the tuned encoder as a folder that ``wordstock.load`` opens; errors as ``TrainableEncoder.save``."""
    model = base.trainable(device="cpu")
    _put(model, tensors)
    model.save(folder)


def _put(model: TrainableEncoder, tensors: dict[str, npt.NDArray[Any]]) -> None:
    import torch

    state = model.module.state_dict()
    for name, value in tensors.items():
        if name not in state or tuple(state[name].shape) != value.shape or value.dtype != np.float32:
            raise ValueError(f"tuned weights {name!r} {value.dtype} {value.shape}")
    model.module.load_state_dict({name: torch.from_numpy(np.array(one)) for name, one in tensors.items()}, strict=False)


def _opened(model: TrainableEncoder, tensors: dict[str, npt.NDArray[Any]]) -> ContextualEncoder:
    import torch

    base = model.encoder
    steps = tuple(_step(step, module) for step, module in zip(base.model.head, model.module.head, strict=True))
    half = base.config.precision == "bfloat16"
    config = base.config if half else replace(base.config, precision="float32")
    transformer = model.module.transformer.to(torch.bfloat16) if half else model.module.transformer
    opened = ContextualEncoder(
        replace(base.model, layout=replace(base.model.layout, head=steps)),
        open_tokenizer(base.model),
        TorchBackend(torch, transformer.eval(), precision=config.precision, threads=None, device=model.device),
        config,
        card=replace(base.card, name=f"{base.card.name} tuned" if base.card.name else ""),
        batch_tokens=base.batch_tokens,
        reopen=_NoFile(),
    )
    # Its weights are in no file, but are told as surely by those of the encoder and what differs.
    opened.__dict__["weights_digest"] = digest_of(dict(sorted(tensors.items())), base.weights_digest)
    return opened


def _step(step: Dense | LayerNorm, module: Any) -> Dense | LayerNorm:
    state = {name.replace(".", "_"): value.float().cpu().numpy() for name, value in module.state_dict().items()}
    if isinstance(step, LayerNorm):
        return replace(step, weight=state["norm_weight"], bias=state["norm_bias"])
    return replace(
        step, weight=state["linear_weight"], bias=state.get("linear_bias"), residual=state.get("residual_weight")
    )


class _NoFile:
    """Stands where other encoders have the files that they are opened from again."""

    def __call__(self, config: ContextConfig) -> NoReturn:
        raise InputError(
            "a tuned encoder is only in memory: pickle the TextClassifier or write it with its save(); to have the "
            "encoder by itself, or in another precision, write it with save_encoder() and load the folder"
        )

    def __reduce__(self) -> NoReturn:
        self(ContextConfig())


def _bfloat16(precision: Precision, device: str) -> bool:
    """Whether products are taken in bfloat16: with AVX-512 BF16 or AMX a step takes some 0.6 of the time."""
    import torch

    if precision != "auto":
        return precision == "bfloat16"
    if device != "cpu":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    known = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return bool(known()) if callable(known) else False
