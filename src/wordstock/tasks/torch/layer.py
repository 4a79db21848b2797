"""EmbeddingLayer: a table as a PyTorch module. Padding is 0, an unknown word 1, row r of the table 2 + r."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import deepcopy
from typing import Any, Literal, Self, TypedDict, Unpack

import torch
from torch import Tensor, nn
from torch.nn import functional

from wordstock._settings import check_flag, plain
from wordstock.embeddings import Embeddings
from wordstock.errors import InputError
from wordstock.protocols import IntArray
from wordstock.tasks.torch.back import trained_table
from wordstock.tasks.torch.batch import Batcher, WordBatch
from wordstock.tasks.torch.rows import Bags, Rows, frozen_rows, learning_rows
from wordstock.tasks.torch.state import load_layer, save_layer
from wordstock.tasks.word_ids import FIRST, Sentence, Unknown, WordIds, check_ids, unknown_vector

__all__ = ["EmbeddingLayer", "Subwords", "TorchOptions", "to_torch"]

Subwords = Literal["unknown", "all"]

_DTYPES = {
    "float32": torch.float32,
    "float16": torch.float16,
    "bfloat16": torch.bfloat16,
    "float64": torch.float64,
}
_STORED = ("weight", "scales", "grams")


class TorchOptions(TypedDict, total=False):
    """Keyword arguments of ``to_torch``."""

    unknown: Unknown
    dtype: str | torch.dtype
    subwords: Subwords
    sparse: bool
    persistent: bool | None
    max_words: int | None


def to_torch(table: Embeddings, trainable: bool | int = False, **options: Unpack[TorchOptions]) -> EmbeddingLayer:
    """A table as a PyTorch module.

    Parameters
    ----------
    trainable : False keeps the vectors as they are, in the precision and the memory of the table: those of a native
        file are never copied. True makes them parameters; a whole number n from 1 on makes them parameters that begin
        to learn after n forward passes in training mode, or n calls of ``EmbeddingLayer.step``.
    unknown : "auto", "zero", "mean", "raise" or "subword", what an unknown word becomes: see ``WordIds``.
    dtype : of the vectors that come out, and of parameters: "float32", "float16", "bfloat16" or "float64".
    subwords : for a table with n-grams. "unknown": words of the table have rows of their own, and n-grams' rows make
        the vectors of unknown words and learn from these alone. "all": each word's vector is the mean of its own row
        and those of its n-grams, as fastText trains them, so that what is learned of words reaches unknown ones.
    sparse : gradients of the rows that a batch has, for ``torch.optim.SparseAdam`` or SGD: for large tables.
    persistent : whether ``state_dict`` holds vectors that do not learn; those that do it holds always. Without them it
        has a fingerprint, and is refused by the layer of another table. None is False.
    max_words : sentences are cut after so many words; None leaves them whole.

    Raises
    ------
    InputError
        A setting that is not known or does not suit the table.
    """
    return EmbeddingLayer(table, trainable, **options)


class EmbeddingLayer(nn.Module):
    """Numbers of words to vectors; see ``to_torch`` for its settings.

    Attributes
    ----------
    table : the table that it was made of, which never changes.
    weight : (rows, dim), row r of the table; a parameter where it is trainable, else a buffer.
    unknown : (1, dim), what an unknown word has.
    grams : (n_ngrams, dim), rows of n-grams; None where there are none.
    steps : training steps so far, where they are counted.
    replaced : whether vectors that do not learn have been loaded in place of the table's.
    """

    weight: Tensor
    scales: Tensor | None
    unknown: Tensor
    grams: Tensor | None
    bag_grams: Tensor
    bag_starts: Tensor

    def __init__(self, table: Embeddings, trainable: bool | int = False, **options: Unpack[TorchOptions]) -> None:
        super().__init__()
        trainable = plain(trainable)
        if not isinstance(trainable, int) or trainable < 0 or (trainable == 0 and trainable is not False):
            raise InputError(f"trainable={trainable!r}: needs True, False, or a number of steps from 1 on")
        if wrong := options.keys() - TorchOptions.__annotations__.keys():
            known = ", ".join(TorchOptions.__annotations__)
            raise InputError(f"to_torch has no setting {', '.join(sorted(wrong))}; it has {known}")
        self.table = table
        self.batcher = Batcher(WordIds(table, options.get("unknown", "auto")), options.get("max_words"))
        self.subwords: Subwords = options.get("subwords", "unknown")
        self.sparse = plain(options.get("sparse", False))
        self.trainable = trainable
        self.steps = self._begun = 0
        self.replaced = False
        self._explicit = False
        persistent = plain(options.get("persistent"))
        self.persistent = bool(trainable) if persistent is None else persistent
        self._check_settings()
        self.dtype = _dtype(options.get("dtype", "float32"))
        if self.subwords == "all":
            bags = Bags.of(table)
            self.register_buffer("bag_grams", bags.grams, persistent=False)
            self.register_buffer("bag_starts", bags.starts, persistent=False)
        rows = self.fresh_rows()
        unknown = torch.from_numpy(unknown_vector(table, self.word_ids.unknown)[None]).to(self.dtype)
        found = {"weight": rows.vectors, "unknown": unknown, "grams": rows.grams, "scales": rows.scales}
        for name, one in found.items():
            if trainable and one is not None:
                self.register_parameter(name, nn.Parameter(one, requires_grad=trainable is True))
            else:
                self.register_buffer(name, one, persistent=self.persistent)

    def fresh_rows(self) -> Rows:
        """The table's vectors, as this layer begins with them."""
        grams = self.word_ids.spells
        if self.trainable is False:
            return frozen_rows(self.table, grams=grams)
        return learning_rows(self.table, self.dtype, grams=grams, bags=self._bags)

    @property
    def _bags(self) -> Bags | None:
        return Bags(self.bag_grams, self.bag_starts) if self.subwords == "all" else None

    def _check_settings(self) -> None:
        for name in ("sparse", "persistent"):
            check_flag(name, getattr(self, name))
        if self.trainable and not self.persistent:
            raise InputError("persistent=False would lose vectors that learn; it is for trainable=False")
        if self.subwords not in ("unknown", "all"):
            raise InputError(f"subwords={self.subwords!r}: known are 'unknown', 'all'")
        if self.subwords == "all" and not (self.trainable and self.word_ids.spells):
            raise InputError(
                "subwords='all' is for training rows of n-grams: it needs trainable=True or a number of steps, a table "
                "with n-grams, and unknown='auto' or 'subword'"
            )

    # Words to numbers ------------------------------------------------------------------------------------------

    @property
    def word_ids(self) -> WordIds:
        """How words become numbers."""
        return self.batcher.word_ids

    @property
    def num_embeddings(self) -> int:
        """Numbers of words, padding and unknown included."""
        return self.word_ids.size

    @property
    def embedding_dim(self) -> int:
        """Length of each vector."""
        return self.table.dim

    @property
    def collate(self) -> Batcher:
        """The ``collate_fn`` of a DataLoader over sentences, or over tuples (sentence, label)."""
        return self.batcher

    def ids(self, sentence: str | Sequence[str]) -> IntArray:
        """Numbers of the words of a text or a list, int64 (n_words,); unknown words are 1, spelled or not."""
        return self.word_ids.ids(sentence)

    def prepare(self, sentences: Iterable[str | Sequence[str]]) -> list[Sentence]:
        """Sentences tokenised and numbered once, for ``batch`` and ``collate`` in every epoch."""
        return self.word_ids.sentences(sentences)

    def batch(self, sentences: Iterable[str | Sequence[str] | Sentence]) -> WordBatch:
        """Sentences as one padded batch on the layer's device."""
        return self.batcher.batch(sentences).to(self.unknown.device)

    # Numbers to vectors ----------------------------------------------------------------------------------------

    def forward(self, batch: Tensor | WordBatch) -> Tensor:
        """Vectors, of the shape of the ids with one dimension more, (..., dim).

        Parameters
        ----------
        batch : whole numbers of any shape; or a WordBatch, whose unknown words are spelled of their n-grams.

        Raises
        ------
        InputError
            A number that no word has, or ids that are no tensor of whole numbers.
        """
        if not isinstance(batch, WordBatch | Tensor):
            raise InputError(
                f"a layer takes a WordBatch or a tensor of ids, not {type(batch).__name__}; make one with "
                "layer.batch(sentences), or torch.tensor(ids)"
            )
        ids = batch.ids if isinstance(batch, WordBatch) else batch
        if ids.is_floating_point() or ids.is_complex() or ids.dtype == torch.bool:
            raise InputError(f"ids must be whole numbers, such as int64, not {ids.dtype}")
        found = self._looked_up(ids.long(), batch if isinstance(batch, WordBatch) else None)
        if self.counts and not self._explicit and self.training and torch.is_grad_enabled():
            self._count()
        return found

    def _looked_up(self, ids: Tensor, batch: WordBatch | None) -> Tensor:
        """Rows of the table, and special ones where ids are below or above it."""
        size, shape = len(self.weight), ids.shape
        ids = ids.flatten()
        rows = ids - FIRST
        if torch.compiler.is_compiling():  # no look at what the ids are
            low, high = rows < 0, rows >= size
            numbers = torch.where(low, ids, (ids - size).clamp(min=0))
            others = functional.embedding(numbers, self._special(batch))
            vectors = torch.where((low | high)[:, None], others, self.rows(rows.clamp(0, size - 1)))
            return vectors.view(*shape, -1)
        if not len(ids):
            return self.rows(rows.view(shape))
        lowest, highest = map(int, torch.aminmax(ids))
        spelled = 0 if batch is None else len(batch.bounds)
        check_ids(lowest, highest, FIRST + size + spelled)
        if lowest >= FIRST and not spelled:
            return self.rows(rows.view(shape))
        # A part of most batches is padding: all is looked up in the table, and the special places are written again.
        special = self._special(batch)
        low = rows < 0
        others = (low | (rows >= size) if spelled else low).nonzero().squeeze(1)
        found = self.rows(rows.clamp_(0, size - 1))
        if special.requires_grad or special.any():
            numbers = ids[others]
            if spelled:
                numbers = torch.where(numbers < FIRST, numbers, numbers - size)
            found = found.index_copy_(0, others, functional.embedding(numbers, special))
        else:
            found = found.index_fill_(0, others, 0)
        return found.view(*shape, -1)

    def rows(self, rows: Tensor) -> Tensor:
        """Vectors of rows of the table, int64 of any shape, (..., dim)."""
        if (bags := self._bags) is not None:
            return self._composed(rows, bags)
        if self.weight.requires_grad:
            return functional.embedding(rows, self.weight, sparse=self.sparse)
        places = rows.flatten()  # which is several times as fast as an index of more dimensions
        vectors = self.weight.index_select(0, places).to(self.unknown.dtype)
        if self.scales is not None:
            vectors *= self.scales.index_select(0, places)[:, None].to(vectors.dtype)
        return vectors.view(*rows.shape, vectors.shape[1])

    def _composed(self, rows: Tensor, bags: Bags) -> Tensor:
        """The mean of each word's own row and those of its n-grams."""
        if self.grams is None:
            raise InputError("the layer has no n-grams")
        used, places = torch.unique(rows, return_inverse=True)
        grams, bounds, counts = bags.select(used)
        sums = functional.embedding_bag(grams, self.grams, bounds, mode="sum", sparse=self.sparse)
        own = functional.embedding(used, self.weight, sparse=self.sparse)
        return functional.embedding(places, (own + sums) / (1 + counts)[:, None].to(own.dtype))

    def _special(self, batch: WordBatch | None) -> Tensor:
        """Vectors of padding, of the unknown word, and of the unknown words of this batch that are spelled."""
        unknown = self.unknown
        if self.sparse and unknown.requires_grad:  # SparseAdam wants no other gradients
            unknown = functional.embedding(
                torch.zeros(1, dtype=torch.long, device=unknown.device), unknown, sparse=True
            )
        parts = [torch.zeros_like(self.unknown), unknown]
        if batch is not None and len(batch.bounds):
            if self.grams is None:
                raise InputError("the batch has words spelled of n-grams and the layer none: they are of two tables")
            learns = self.grams.requires_grad
            spelled = functional.embedding_bag(batch.grams, self.grams, batch.bounds, sparse=self.sparse and learns)
            parts.append(spelled.to(self.unknown.dtype))
        return torch.cat(parts)

    # Training --------------------------------------------------------------------------------------------------

    @property
    def counts(self) -> bool:
        """Whether the vectors begin to learn after a number of steps."""
        return not isinstance(self.trainable, bool)

    @property
    def learns(self) -> bool:
        """Whether the vectors get gradients now."""
        return self.weight.requires_grad

    def step(self) -> None:
        """Count one training step, for ``trainable=n``; forward passes then count no longer.

        For gradients that are summed over several passes, or a layer that a step calls more than once.
        """
        if not self._explicit:
            self._explicit, self.steps = True, self._begun
        self._count()

    @torch.compiler.disable  # type: ignore[untyped-decorator]  # it would compile anew for each number of steps
    def _count(self) -> None:
        self.steps += 1
        if self.counts and self.steps == self.trainable:
            self.unfreeze()

    def set_steps(self, steps: int) -> None:
        """Go on from so many steps."""
        self.steps = self._begun = steps
        self._learn(steps >= self.trainable)

    def unfreeze(self) -> None:
        """Let the vectors learn from now on.

        Raises
        ------
        InputError
            The layer was made with ``trainable=False``: its vectors are the table's, and no optimiser has them.
        """
        self._learn(True)

    def freeze(self) -> None:
        """Keep the vectors as they are from now on; InputError as ``unfreeze``."""
        self._learn(False)

    def _learn(self, learns: bool) -> None:
        if self.trainable is False:
            raise InputError(
                "the layer was made with trainable=False; make it with trainable=True or a number of steps"
            )
        for one in self.parameters():
            one.requires_grad_(learns)
            if not learns:
                one.grad = None

    def to_embeddings(self) -> Embeddings:
        """The vectors as they are now, as a table; that of an unknown word has no key and is left out.

        Float32, or the table itself where nothing can have changed.
        """
        return trained_table(self)

    # Copies and files ------------------------------------------------------------------------------------------

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        super()._save_to_state_dict(destination, prefix, keep_vars)
        save_layer(self, destination, prefix)

    def _load_from_state_dict(self, state_dict: Any, prefix: str, *others: Any) -> None:
        if not load_layer(self, state_dict, prefix):
            others[2].append(f"{prefix}identity")  # missing_keys
        super()._load_from_state_dict(state_dict, prefix, *others)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        shared = {"bag_grams", "bag_starts"} | ({"weight", "grams"} if self.trainable is False else set())
        memo.update((id(one), one) for name, one in self.named_buffers() if name in shared)  # what never changes
        twin = type(self).__new__(type(self))
        memo[id(self)] = twin
        twin.__dict__ = deepcopy(self.__dict__, memo)
        return twin

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        if self.trainable is False and not self.replaced:  # the table has them, or its file
            state["_buffers"] = {name: one for name, one in self._buffers.items() if name not in _STORED}
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if "weight" not in self._buffers | self._parameters:
            rows, device = self.fresh_rows(), self.unknown.device
            for name, one in {"weight": rows.vectors, "scales": rows.scales, "grams": rows.grams}.items():
                self.register_buffer(name, None if one is None else one.to(device), persistent=self.persistent)

    def extra_repr(self) -> str:
        """For ``print``."""
        return f"{self.num_embeddings}, {self.embedding_dim}, trainable={self.trainable}, table={self.table!r}"


def _dtype(dtype: str | torch.dtype) -> torch.dtype:
    if isinstance(dtype, torch.dtype) and dtype in _DTYPES.values():
        return dtype
    if not isinstance(dtype, str) or dtype not in _DTYPES:
        raise InputError(f"dtype={dtype!r}: known are {', '.join(map(repr, _DTYPES))}")
    return _DTYPES[dtype]
