"""The native file: one memory-mapped .safetensors without pickle, opened in milliseconds whatever its size.

Its layout as a safetensors file is in ``embeddings.tensor_file``. Tensors, * = optional:

``vectors`` float32, float16 or int8 (rows, dim) · ``scales``* float32 (rows,), int8 only · ``norms`` float32 (rows,) ·
``keys`` uint8, UTF-8 bytes · ``offsets`` int64 (n + 1,) · ``slots`` int32 (2**k,), hash index (see
``vocab.vocabulary``) · ``rows``* int32 (n,) · ``counts``* int64 (n,) · ``frequencies``* float32 (n,), shares of the
corpus where counts do not give them · ``common``* float32 (k, dim), components that ``encode`` removes · ``subword``*
float32 (buckets, dim), one row per n-gram bucket, or (n, dim) with ``subword_buckets``* int32 (n,), ascending, the only
buckets that have one · ``output``* float32 (rows, dim), so that training can go on.

``__metadata__["wordstock"]`` holds JSON: ``version``, ``card``, ``encode`` (settings), ``digest``, ``subwords``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from wordstock._paths import user_path
from wordstock.embeddings.card import Card
from wordstock.embeddings.config import EncodeConfig
from wordstock.embeddings.native_checks import check_tensors, with_stored
from wordstock.embeddings.storage import Precision, Storage
from wordstock.embeddings.tensor_file import open_tensors, write_tensors
from wordstock.errors import FormatError, InputError, WordstockError
from wordstock.vocab import Subwords, Vocabulary

if TYPE_CHECKING:
    from wordstock.embeddings.table import Embeddings

__all__ = ["read_native", "write_native"]

VERSION = 1


def write_native(table: Embeddings, path: Path | str, *, precision: Precision | None = None) -> None:
    """Write the table as one native file, atomically.

    Parameters
    ----------
    precision : store as "float32", "float16" or "int8"; None keeps what the table has.

    Raises
    ------
    StorageError
        The file cannot be written; nothing is left behind.
    InputError
        Values that the precision cannot hold, or a card that JSON cannot or with something else in a field.
    """
    card = table.card.to_dict()
    Card.from_dict(card)  # what reading would refuse
    if precision is not None:
        table = table.with_precision(precision)
    vocabulary = table.vocabulary
    candidates: dict[str, npt.NDArray[Any] | None] = {
        "vectors": table.storage.data,
        "norms": table.norms,
        "offsets": vocabulary.offsets,
        "slots": vocabulary.slots,
        "keys": vocabulary.blob,
        "scales": table.storage.scales,
        "rows": vocabulary.rows,
        "counts": vocabulary.counts,
        "common": table.common,
        "subword": table.subword_vectors,
        "subword_buckets": None if table.subwords is None else table.subwords.stored,
        "output": table.output,
        "frequencies": table.given_frequencies,
    }
    tensors = {name: array for name, array in candidates.items() if array is not None}
    meta: dict[str, Any] = {
        "version": VERSION,
        "card": card,
        "encode": table.config.to_dict(),
        "digest": table.digest,
    }
    if table.subwords is not None:
        meta["subwords"] = {
            "min_n": table.subwords.min_n,
            "max_n": table.subwords.max_n,
            "buckets": table.subwords.buckets,
        }
    try:
        described = json.dumps(meta, ensure_ascii=False)
        described.encode()  # a lone surrogate is no UTF-8
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(
            f"cannot write {path}: its card holds what JSON does not ({error!s:.120}); use str, numbers and lists"
        ) from error
    write_tensors(path, tensors, {"format": "np", "wordstock": described})


def read_native(path: Path | str) -> Embeddings:
    """Open a native file by mapping it; vectors and keys are read only when they are used.

    Sizes are checked against the file before anything is mapped. The digest is taken from the header; recompute it
    with ``Embeddings.verify``.

    Raises
    ------
    FileNotFoundError
        No such file.
    FormatError
        Not a native file, or a damaged one.
    """
    from wordstock.embeddings.table import Embeddings

    path = user_path(path).absolute()  # a pickled table opens it again, perhaps from another folder
    file = open_tensors(path)
    try:
        meta = json.loads(file.metadata["wordstock"])
        card, config = Card.from_dict(meta["card"]), EncodeConfig.from_dict(meta["encode"])
        digest, version = str(meta["digest"]), int(meta["version"])
        grams = meta.get("subwords")
        subwords = None if grams is None else Subwords(*(grams[name] for name in ("min_n", "max_n", "buckets")))
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError, WordstockError) as error:
        raise FormatError(
            path,
            offset=8,
            expected="the metadata of a wordstock table",
            found=f"a safetensors file without it ({error!r:.120})",
            remedy="write it with Embeddings.save",
        ) from error
    if not 1 <= version <= VERSION:
        raise FormatError(
            path, expected=f"version {VERSION} or older", found=f"version {version}", remedy="upgrade wordstock"
        )
    arrays = {name: file.tensor(name) for name in file.header}
    if subwords is not None and "subword_buckets" in arrays:
        subwords = with_stored(path, subwords, arrays["subword_buckets"])
    check_tensors(path, arrays, subwords)
    vocabulary = Vocabulary(
        arrays["keys"],
        arrays["offsets"],
        slots=arrays["slots"],
        rows=arrays.get("rows"),
        counts=arrays.get("counts"),
    )
    return Embeddings(
        vocabulary,
        Storage(arrays["vectors"], arrays.get("scales")),
        norms=arrays["norms"],
        card=card,
        config=config,
        common=arrays.get("common"),
        subwords=subwords,
        subword_vectors=arrays.get("subword"),
        output=arrays.get("output"),
        frequencies=arrays.get("frequencies"),
        digest=digest,
        path=path,
    )
