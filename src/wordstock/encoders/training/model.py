"""``TrainableEncoder``: tokens in, vectors with gradients out, a folder at the end."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wordstock._files import storage_errors
from wordstock._optional import require
from wordstock._paths import user_path
from wordstock.encoders.backends.torch import load_weights, quietly
from wordstock.encoders.config import ContextConfig, Pooling
from wordstock.encoders.encoder import ContextualEncoder
from wordstock.encoders.opening import open_encoder
from wordstock.encoders.sentence_layout import read_steps
from wordstock.encoders.sizes import resolved_layers
from wordstock.encoders.subwords import Tokenized
from wordstock.encoders.training.batching import Batcher, TokenizedWords, TrainingBatch
from wordstock.encoders.training.head import head_modules, write_head
from wordstock.errors import InputError
from wordstock.protocols import IntArray

if TYPE_CHECKING:
    import torch

__all__ = ["TrainableEncoder"]

_WEIGHTS = {".safetensors", ".bin", ".pt", ".pth", ".ckpt", ".h5", ".msgpack", ".ot", ".onnx", ".gguf"}


class TrainableEncoder:
    """A model whose weights may change; made by ``ContextualEncoder.trainable``.

    The weights are a copy of the encoder's own, so that an encoder never changes under those that use it.

    Attributes
    ----------
    module : ``torch.nn.Module`` in float32, in inference mode until its ``train()`` is called: ``module.transformer``
        is the transformers model, ``module.head`` the layers that the folder puts after pooling. Every parameter takes
        gradients.
    encoder : what it was made of; its settings say how states become vectors.
    device : where the module is.
    dim, word_dim : lengths of a text's and a word's vector.
    """

    def __init__(self, encoder: ContextualEncoder, *, device: str | None = None) -> None:
        self._torch: Any = require("torch", extra="encoders", purpose="training a contextual encoder")
        self.encoder = encoder
        self.device = device or encoder.backend.device
        self.dim, self.word_dim = encoder.dim, encoder.word_dim
        self._batcher = Batcher(encoder, self.device)
        self._layers = resolved_layers(encoder.config, encoder.model)
        module = self._torch.nn.Module()
        module.transformer = load_weights(encoder.model, self._torch.float32)
        module.head = head_modules(self._torch, encoder.model.head)
        self.module: Any = module.to(self.device).eval()

    def parameter_groups(self) -> list[list[torch.nn.Parameter]]:
        """The parameters from the bottom to the top: embeddings, each layer, what comes after the last one.

        The last list may be empty. Made for learning rates that fall towards the bottom (Howard & Ruder 2018, ULMFiT).
        """
        nn, transformer = self._torch.nn, self.module.transformer
        count = self.encoder.model.n_layers
        layers = next(one for one in transformer.modules() if isinstance(one, nn.ModuleList) and len(one) == count)
        groups: list[list[torch.nn.Parameter]] = [[], *(list(layer.parameters()) for layer in layers), []]
        known = {id(one) for group in groups for one in group}
        for name, part in transformer.named_modules():
            # MPNet's table of relative positions stands beside its layers and serves all of them.
            low = isinstance(part, nn.Embedding) or name.split(".")[0] == "embeddings"
            fresh = [one for one in part.parameters(recurse=False) if id(one) not in known]
            groups[0 if low else -1] += fresh
            known |= {id(one) for one in fresh}
        groups[-1] += list(self.module.head.parameters())
        return groups

    # Into the model --------------------------------------------------------------------------------------------

    def tokenize(self, texts: Sequence[str], *, prompt: str | None = None) -> Tokenized:
        """Tokens of texts, cut at the encoder's ``max_length``, without special tokens.

        Raises
        ------
        InputError
            An item that is not a str or holds a lone surrogate, with its position; an unknown prompt.
        """
        return self._batcher.tokenize(texts, prompt)

    def tokenize_words(self, sentences: Sequence[str | Sequence[str]]) -> TokenizedWords:
        """Tokens of sentences and of each of their words, which are those of ``ContextualEncoder.encode_words``.

        There are no windows: words after the encoder's ``max_length`` get zeros.

        Raises
        ------
        InputError
            What ``encode_words`` refuses.
        """
        return self._batcher.tokenize_words(sentences)

    def batch(self, tokens: Tokenized | TokenizedWords, rows: Sequence[int] | IntArray) -> TrainingBatch:
        """Some of the texts, in the order of ``rows``, padded to the longest of them."""
        return self._batcher.batch(tokens, rows)

    def batches(self, tokens: Tokenized | TokenizedWords, budget: int | None = None) -> Iterator[TrainingBatch]:
        """All of the texts by falling length, as many at once as ``budget`` tokens hold; for inference.

        Parameters
        ----------
        budget : None takes the encoder's ``batch_tokens``.
        """
        return self._batcher.batches(tokens, budget or self.encoder.batch_tokens)

    # Out of the model ------------------------------------------------------------------------------------------

    def states(self, batch: TrainingBatch) -> torch.Tensor:
        """Every token's vector from the layers that the settings name, float32 (n, length, dim before pooling)."""
        config, top = self.encoder.config, self.encoder.model.n_layers
        several = any(layer != top for layer in self._layers)
        ran = self.module.transformer(batch.ids, batch.mask, output_hidden_states=several)
        states = [ran.hidden_states[layer] if several else ran.last_hidden_state for layer in self._layers]
        if len(states) == 1:
            return _tensor(states[0])
        if config.combine == "concat":
            return _tensor(self._torch.cat(states, dim=-1))
        weights = config.layer_weights or (1.0,) * len(states)
        total = sum(weights)
        return _tensor(sum(state * (weight / total) for state, weight in zip(states, weights, strict=True)))

    def texts(self, batch: TrainingBatch) -> torch.Tensor:
        """A vector per text, float32 (n, dim): what ``encode`` gives, with gradients."""
        states, config = self.states(batch), self.encoder.config
        vectors = self._torch.cat([_pooled(states, batch.mask, kind) for kind in config.pooling], dim=1)
        for step in self.module.head:
            vectors = step(vectors)
        vectors = vectors[:, : self.dim]
        return _tensor(self._torch.nn.functional.normalize(vectors, dim=1) if config.unit else vectors)

    def words(self, batch: TrainingBatch) -> torch.Tensor:
        """A vector per word, sentence after sentence, float32 (words, word_dim): what ``encode_words`` gives.

        Raises
        ------
        InputError
            A batch of texts.
        """
        if batch.words is None:
            raise InputError("this batch has no words: make it of what tokenize_words gave")
        states, places = self.states(batch)[:, :, : self.word_dim], batch.words
        pieces = states.reshape(-1, self.word_dim)[places.piece]
        counts = self._torch.bincount(places.word, minlength=places.words).clamp(min=1)
        summed = states.new_zeros(places.words, self.word_dim).index_add(0, places.word, pieces)
        return _tensor(summed / counts[:, None])

    def save(self, folder: Path | str) -> ContextualEncoder:
        """Write the model as a folder of the same layout, in safetensors, and open it with the encoder's settings.

        The folder appears whole or not at all.

        Raises
        ------
        InputError
            A folder that is there already.
        StorageError
            It cannot be written.
        """
        folder = user_path(folder, "folder")
        if folder.exists():
            raise InputError(f"{folder} is there already; choose another name, or delete it")
        model = self.encoder.model
        with storage_errors(folder):
            folder.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as work:
                made = Path(work) / folder.name
                _copied(model.path, made, model.layout.transformer)
                with quietly(require("transformers", extra="encoders", purpose="saving an encoder")):
                    self.module.transformer.save_pretrained(made / model.layout.transformer)
                write_head(made, self.module.head)
                made.replace(folder)
        settings = {one.name: getattr(self.encoder.config, one.name) for one in fields(ContextConfig)}
        settings["max_length"] = self.encoder.max_length
        return open_encoder(folder, device=self.device, batch_tokens=self.encoder.batch_tokens, **settings)


def _pooled(states: torch.Tensor, mask: torch.Tensor, kind: Pooling) -> torch.Tensor:
    """As ``pooling.pool``, with gradients."""
    counts = mask.sum(dim=1)
    if kind == "cls":
        return states[:, 0]
    if kind == "last":
        return states[counts.new_tensor(range(len(states))), counts - 1]
    if kind == "max":
        return states.masked_fill(mask[:, :, None] == 0, float("-inf")).amax(dim=1)
    weights = mask.to(states.dtype)
    if kind == "weighted_mean":
        weights = weights * weights.cumsum(dim=1)
    total = weights.sum(dim=1, keepdim=True)
    return (states * (weights / (total.sqrt() if kind == "mean_sqrt" else total))[:, :, None]).sum(dim=1)


def _copied(source: Path, target: Path, transformer: str) -> None:
    """The files of a folder and of its steps, but for the transformer's weights: they would not be the trained ones."""
    for place in {"", transformer, *(path for _, path in read_steps(source))}:
        (target / place).mkdir(parents=True, exist_ok=True)
        # A step without settings, such as Normalize, may be listed and have no folder.
        for file in (source / place).iterdir() if (source / place).is_dir() else ():
            weights = place in ("", transformer) and (file.suffix in _WEIGHTS or ".safetensors" in file.name)
            if file.is_file() and not weights:
                shutil.copyfile(file, target / place / file.name)


def _tensor(value: Any) -> torch.Tensor:
    tensor: torch.Tensor = value
    return tensor
