"""What runs a model: one module per backend, behind one protocol.

A backend turns token numbers into hidden states and knows nothing of texts, pooling or prompts. To add one, write a
module with ``open_model`` as below and name it in ``BACKENDS``.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from wordstock._settings import check_known
from wordstock.encoders.config import Precision
from wordstock.protocols import FloatArray, IntArray

if TYPE_CHECKING:
    from wordstock.encoders.folder import ModelFolder

__all__ = ["BACKENDS", "Backend", "open_backend"]


class Backend(Protocol):
    """A model that is ready to run; safe to call from several threads."""

    @property
    def name(self) -> str:
        """The backend's name, a key of ``BACKENDS`` other than "auto"."""
        ...

    @property
    def precision(self) -> Precision:
        """What it computes in; "auto" may take another than the one asked for, if the vectors agree."""
        ...

    @property
    def device(self) -> str:
        """Where it runs: "cpu", "cuda"."""
        ...

    @property
    def streams(self) -> int:
        """Calls that run side by side: one for each thread on a CPU, one on a GPU."""
        ...

    def hidden_states(
        self, ids: IntArray, mask: IntArray, layers: Sequence[int], *, beside: bool = False
    ) -> list[FloatArray]:
        """Hidden states of each layer asked for, float32 (n, length, hidden).

        Parameters
        ----------
        ids : int64 (n, length), padded on the right.
        mask : int64 (n, length), 1 for a token and 0 for padding; every row has at least one token.
        layers : from 0, the output of the embedding layer, to the number of layers.
        beside : up to ``streams`` calls run at this time, and each takes one thread; else this one takes all.
        """
        ...


# Each module has open_model(model, *, precision, threads, device) -> Backend, and imports its library itself.
BACKENDS = {name: f"wordstock.encoders.backends.{name}" for name in ("torch", "onnx", "openvino", "auto")}


def open_backend(
    name: str, model: ModelFolder, *, precision: Precision, threads: int | None = None, device: str | None = None
) -> Backend:
    """Load the model's weights with a backend.

    Parameters
    ----------
    threads : for all calls together; None leaves the library's own number, or ``WORDSTOCK_THREADS`` where that is set.
    device : None takes a GPU where the backend sees one.

    Raises
    ------
    InputError
        An unknown backend, or a precision or device that it does not have.
    MissingExtraError
        Its library is not installed.
    FormatError
        Weights that are damaged or do not fit the configuration.
    """
    check_known("backend", name, tuple(BACKENDS))
    module = importlib.import_module(BACKENDS[name])
    opened: Backend = module.open_model(model, precision=precision, threads=threads, device=device)
    return opened
