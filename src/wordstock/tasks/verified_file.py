"""Tensors and settings in one .safetensors file, with a checksum over both; what a trained model is saved as.

The settings stand as JSON in ``__metadata__`` under the name of the kind of file: ``version``, ``wordstock`` (the
version that wrote it), whatever the kind adds, and ``sha256`` over the rest of it, written alike, and the tensors:
those that the kind names first, in that order, then the others by name. Equal models give equal files.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import numpy as np
import numpy.typing as npt
import safetensors.numpy
from safetensors import SafetensorError, safe_open

from wordstock._files import atomic_write
from wordstock._version import __version__
from wordstock.errors import FormatError

__all__ = ["Tensors", "VerifiedFile"]

T = TypeVar("T")
Tensors = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class VerifiedFile:
    """A kind of file.

    Parameters
    ----------
    key : its name in the metadata.
    what : what it holds, as errors call it, such as "tagger".
    version : the newest that can be read.
    first : tensors that come first in the checksum.
    """

    key: str
    what: str
    version: int
    first: tuple[str, ...] = ()

    def write(
        self, path: Path | str, settings: dict[str, Any], tensors: Tensors, *, version: int | None = None
    ) -> None:
        """Write the file, atomically; ``version`` is the oldest that can say these settings, None the newest.

        Raises
        ------
        StorageError
            The file cannot be written.
        """
        meta = {"version": self.version if version is None else version, "wordstock": __version__, **settings}
        data = self.pack(meta, tensors)
        with atomic_write(path) as stream:
            stream.write(data)

    def pack(self, meta: dict[str, Any], tensors: Tensors) -> bytes:
        """The bytes of a file, its checksum made anew."""
        tensors = {name: np.ascontiguousarray(array) for name, array in tensors.items()}
        encoded = _json(meta | {"sha256": self._digest(meta, tensors)})
        return safetensors.numpy.save(tensors, metadata={self.key: encoded})

    def read(self, path: Path, build: Callable[[dict[str, Any], Tensors], T]) -> T:
        """What ``build`` makes of the settings and tensors of a file whose checksum holds.

        A ValueError, TypeError, LookupError, AttributeError or OverflowError of it says that they do not fit together.

        Raises
        ------
        FileNotFoundError
            No such file.
        FormatError
            Another kind of file, a newer version, or damage anywhere in the file.
        """
        if path.is_dir():
            self._refuse(path, f"a saved {self.what}", "a folder")
        path.open("rb").close()  # a file that cannot be read is not a damaged one
        try:
            with safe_open(path, "np") as opened:
                meta = json.loads((opened.metadata() or {})[self.key])
                digest = meta.pop("sha256")
                tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118  it is no mapping
        except (SafetensorError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            self._refuse(path, f"a saved {self.what}", f"something else ({error!r:.120})", error)
        version = meta.get("version")
        if type(version) is int and version > self.version:
            raise FormatError(
                path,
                expected=f"version {self.version} or older",
                found=f"version {version}",
                remedy="upgrade wordstock",
            )
        if self._digest(meta, tensors) != digest:
            self._refuse(path, "the tensors and settings that its checksum was made of", "others: the file is damaged")
        try:
            if type(version) is not int or version < 1:
                raise ValueError(f"version {version!r}")
            return build(meta, tensors)
        except (LookupError, TypeError, ValueError, AttributeError, OverflowError) as error:
            self._refuse(path, f"the settings of a {self.what}", f"others ({error!r:.120})", error)

    def _digest(self, meta: dict[str, Any], tensors: Tensors) -> str:
        state = hashlib.sha256(_json(meta).encode())
        first = [name for name in self.first if name in tensors]
        for name in [*first, *sorted(tensors.keys() - set(first))]:
            array = np.ascontiguousarray(tensors[name])
            state.update(f"{name} {array.dtype.name} {array.shape}".encode())
            state.update(array.data)
        return state.hexdigest()

    def _refuse(self, path: Path, expected: str, found: str, cause: Exception | None = None) -> NoReturn:
        remedy = f"save or fetch the {self.what.split()[0]} again"
        raise FormatError(path, expected=expected, found=found, remedy=remedy) from cause


def _json(meta: dict[str, Any]) -> str:
    return json.dumps(meta, default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{value!r} cannot be written as JSON")
