"""A trained neural head with all that it needs to score texts: settings, scaling, weights."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import numpy.typing as npt

from wordstock._optional import require
from wordstock.errors import InputError
from wordstock.protocols import Encoder, FloatArray
from wordstock.tasks.head_config import HeadConfig, HeadName, LinearConfig, MLPConfig, head_config
from wordstock.tasks.logistic import score_probabilities
from wordstock.tasks.scaling import Scaling

if TYPE_CHECKING:
    import torch

__all__ = ["HeadModel", "head_from_dict", "head_to_dict", "over_words", "require_torch", "word_vectors"]

Array = npt.NDArray[np.float64]

_BATCH = 256  # texts scored at once


def require_torch() -> None:
    """Say which extra brings torch, before any work is done.

    Raises
    ------
    MissingExtraError
        It is not installed.
    """
    require("torch", extra="torch", purpose="a neural head, or tuning an encoder,")


def over_words(config: HeadConfig) -> bool:
    """Whether a head reads the vectors of a text's words; the others read one vector per text."""
    return not isinstance(config, LinearConfig | MLPConfig)


@dataclass(frozen=True)
class HeadModel:
    """A head with weights.

    Parameters
    ----------
    config : its settings.
    scaling : of texts' vectors, which are then stretched to a mean square of 1 per component; of words' vectors, which
        are only divided, the root mean square as ``scale``, with a centre of zeros.
    multilabel : whether each score answers yes or no for itself.
    tensors : float32, the weights by the names that torch has for them.
    """

    config: HeadConfig
    scaling: Scaling
    n_out: int
    multilabel: bool
    tensors: dict[str, npt.NDArray[Any]] = field(repr=False)

    @property
    def dim(self) -> int:
        """Length of the vectors that it reads."""
        return len(self.scaling.center)

    @property
    def over_words(self) -> bool:
        """Whether it reads vectors of words."""
        return over_words(self.config)

    def fits(self) -> bool:
        """Whether names and shapes of the weights are those of such a head.

        Raises
        ------
        MissingExtraError
            Torch, which builds it, is not installed.
        """
        require_torch()
        try:
            return self.module is not None
        except RuntimeError:  # what torch says of weights that do not fit
            return False

    @cached_property
    def module(self) -> torch.nn.Module:
        """The head in torch, in inference mode."""
        import torch

        from wordstock.tasks.torch import build_head

        head = build_head(self.config, self.dim, self.n_out)
        head.load_state_dict({name: torch.from_numpy(np.array(one)) for name, one in self.tensors.items()})
        return head.eval()

    def scores(self, encoder: Encoder, texts: Sequence[str], vectors: FloatArray | None = None) -> Array:
        """Log-odds, float64 (n, n_out).

        Parameters
        ----------
        vectors : of the texts, where they are known already and the head reads no words.
        """
        import torch

        out = np.empty((len(texts), self.n_out))
        with torch.inference_mode():
            for start in range(0, len(texts), _BATCH):
                part = slice(start, start + _BATCH)
                given: tuple[torch.Tensor, ...]
                if self.over_words:
                    given = padded(word_vectors(encoder, texts[part]), self.scaling)
                else:
                    known = encoder.encode(texts[part]) if vectors is None else vectors[part]
                    given = (stretched(known, self.scaling),)
                out[part] = self.module(*given).double().numpy()
        return out

    def from_scores(self, scores: Array) -> Array:
        """Probabilities of scores, float64 (n, n_out); rows sum to 1 unless labels are independent."""
        return score_probabilities(scores, multilabel=self.multilabel)


def word_vectors(encoder: Encoder, texts: Sequence[str]) -> list[FloatArray]:
    """Vectors of each text's words.

    Raises
    ------
    InputError
        The encoder has no ``encode_words``, or gives something else.
    """
    if not callable(getattr(encoder, "encode_words", None)):
        raise InputError(f"{type(encoder).__name__} has no encode_words; take head='linear' or 'mlp', which need none")
    found = encoder.encode_words(texts)
    if len(found) != len(texts):
        raise InputError(f"{type(encoder).__name__}.encode_words gave {len(found)} arrays for {len(texts)} texts")
    return found


def stretched(vectors: FloatArray, scaling: Scaling) -> torch.Tensor:
    """Texts' vectors as a head reads them, float32 (n, dim) with components of mean square 1."""
    import torch

    return torch.from_numpy((scaling.transform(vectors) * np.sqrt(vectors.shape[1])).astype(np.float32))


def padded(vectors: Sequence[FloatArray], scaling: Scaling) -> tuple[torch.Tensor, torch.Tensor]:
    """Words' vectors as a head reads them, float32 (n, words, dim), and a mask, bool (n, words)."""
    from wordstock.tasks.torch import pad_vectors

    found, mask = pad_vectors(vectors)
    return found / scaling.scale, mask


def word_scaling(vectors: Iterable[FloatArray], dim: int) -> Scaling:
    """The root mean square of words' components; words of zeros, which are unknown ones, do not count."""
    total, count = 0.0, 0
    for one in vectors:
        total += float(np.square(one, dtype=np.float64).sum())
        count += int(one.any(axis=1).sum()) * dim
    return Scaling(np.zeros(dim), float(np.sqrt(total / count)) if total else 1.0)


def head_to_dict(head: str | HeadConfig) -> Any:
    """A head's settings as plain values, or its name."""
    if isinstance(head, str):
        return head
    names = {type(head_config(name)): name for name in get_args(HeadName)}
    return {"kind": names[type(head)], **asdict(head)}


def head_from_dict(values: Any) -> str | HeadConfig:
    """Read back what ``head_to_dict`` gave.

    Raises
    ------
    InputError
        A head, a setting or a value that is not known.
    """
    if isinstance(values, str):
        if values != "logistic":
            head_config(values)  # type: ignore[arg-type]  # which refuses what it does not know
        return values
    rest: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in dict(values).items()
    }
    return head_config(rest.pop("kind"), **rest)
