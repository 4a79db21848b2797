"""The manifest of a folder of token shards: written last, so that a folder with one is finished.

The system is not asked to put the files on the disk at once: should the power fail before it has, their checksums tell,
and the shards are built again.

``manifest.json`` holds ``format``, ``version``, ``source``, ``request`` (the settings asked for), ``settings`` (those
and what was learned), ``tokens``, ``sentences``, and for ``vocabulary.bin`` and every shard its size and CRC-32.
``vocabulary.bin``: offsets int64 (n + 1,), counts int64 (n,), then the keys' UTF-8 bytes. A shard: int32 ids, -1
after each sentence. All numbers are little-endian.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np

from wordstock._files import atomic_write, storage_errors
from wordstock._threads import run_slices
from wordstock.errors import FormatError
from wordstock.kernels.keyindex import CRC_TABLE, index_keys
from wordstock.protocols import IntArray
from wordstock.vocab.checksum import joined
from wordstock.vocab.key_block import ByteArray
from wordstock.vocab.vocabulary import Vocabulary

__all__ = ["MANIFEST", "read_manifest", "read_vocabulary", "remove_shards", "write_manifest"]

MANIFEST = "manifest.json"
VOCABULARY = "vocabulary.bin"
FORMAT, VERSION = "wordstock token shards", 1
_REMEDY = "build the shards again"
_PATTERNS = (MANIFEST, VOCABULARY, "shard-?????*.ids")
_CHUNK = 1 << 21  # bytes


def write_manifest(
    folder: Path,
    keys: tuple[ByteArray, IntArray, IntArray],
    shards: Sequence[Path],
    fields: dict[str, Any],
) -> None:
    """Write the vocabulary, given as (blob, offsets, counts), then the manifest.

    Raises
    ------
    StorageError
        The disk is full or cannot be written to.
    """
    blob, offsets, counts = keys
    path = folder / VOCABULARY
    with storage_errors(path), path.open("xb") as stream:
        for array in (offsets.astype("<i8"), counts.astype("<i8"), blob):
            stream.write(np.ascontiguousarray(array).data)
    files = [path, *shards]
    sums = _checksums(files)
    entries = [
        {"file": file.name, "bytes": file.stat().st_size, "crc32": total}
        for file, total in zip(files, sums, strict=True)
    ]
    manifest = {
        "format": FORMAT,
        "version": VERSION,
        **fields,
        "vocabulary": {**entries[0], "keys": len(counts)},
        "shards": entries[1:],
    }
    with atomic_write(folder / MANIFEST, durable=False) as stream:
        stream.write(json.dumps(manifest, ensure_ascii=False, indent=1).encode())


def read_manifest(folder: Path, *, verify: bool) -> dict[str, Any]:
    """The manifest, after the files were compared with it.

    Parameters
    ----------
    verify : compare checksums too, which reads every file once; otherwise sizes alone.

    Raises
    ------
    FormatError
        No manifest, another version, or a file that is missing, cut short or damaged.
    """
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_bytes())
        entries = [manifest["vocabulary"], *manifest["shards"]]
        files = [folder / Path(entry["file"]).name for entry in entries]
        sizes, sums = [int(entry["bytes"]) for entry in entries], [int(entry["crc32"]) for entry in entries]
        known = manifest["format"] == FORMAT and int(manifest["version"]) <= VERSION
        shown = f"{manifest['format']!r:.60} version {manifest['version']!r:.20}"
        int(manifest["tokens"]), int(manifest["sentences"]), int(entries[0]["keys"]), manifest["settings"].items()
        manifest["request"].items()
    except (FileNotFoundError, NotADirectoryError):
        found = "none: building them was not finished" if any(folder.glob("shard-*.ids")) else "none"
        raise FormatError(path, expected="the manifest of token shards", found=found, remedy=_REMEDY) from None
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise FormatError(
            path, expected="the manifest of token shards", found=f"something else ({error!r:.120})", remedy=_REMEDY
        ) from error
    if not known:
        raise FormatError(path, expected=f"{FORMAT!r} version {VERSION}", found=shown, remedy="upgrade wordstock")
    for file, size in zip(files, sizes, strict=True):
        actual = file.stat().st_size if file.is_file() else None
        if actual != size:
            found = "no such file" if actual is None else f"{actual} bytes"
            raise FormatError(file, expected=f"{size} bytes", found=found, remedy=_REMEDY)
    if verify:
        for file, wanted, total in zip(files, sums, _checksums(files), strict=True):
            if wanted != total:
                raise FormatError(file, expected=f"checksum {wanted:08x}", found=f"{total:08x}", remedy=_REMEDY)
    return dict(manifest)


def read_vocabulary(folder: Path, size: int) -> Vocabulary:
    """The vocabulary of ``size`` keys, mapped from its file.

    Raises
    ------
    FormatError
        The file does not hold that many keys.
    """
    path = folder / VOCABULARY
    data = np.memmap(path, np.uint8, "r")
    split = [8 * (size + 1), 8 * (2 * size + 1)]
    if size < 0 or len(data) < split[1]:
        raise FormatError(path, expected=f"{size} keys", found=f"{len(data)} bytes", remedy=_REMEDY)
    offsets, counts = (part.view("<i8") for part in (data[: split[0]], data[split[0] : split[1]]))
    blob = np.asarray(data[split[1] :])
    offsets = np.asarray(offsets)
    if offsets[0] != 0 or offsets[-1] != len(blob) or (np.diff(offsets) < 0).any():
        raise FormatError(path, expected=f"key offsets from 0 to {len(blob)}", found="others", remedy=_REMEDY)
    slots, repeated = np.full(1 << max(4, (2 * size - 1).bit_length()), -1, np.int32), np.zeros(size, np.bool_)
    if index_keys(blob, offsets, CRC_TABLE, slots, np.empty(size, np.uint32), repeated):
        raise FormatError(path, expected="unique keys", found="repeated ones", remedy=_REMEDY)
    return Vocabulary(blob, offsets, slots=slots, counts=np.asarray(counts))


def remove_shards(folder: Path) -> None:
    """Remove what a build writes, the manifest first; files with other names stay.

    Removed, not overwritten: who has mapped the old files keeps them.
    """
    with storage_errors(folder):
        for pattern in _PATTERNS:
            for path in folder.glob(pattern):
                path.unlink()


def _checksums(files: Sequence[Path]) -> list[int]:
    """The CRC-32 of each file, of all their parts in parallel."""
    parts = [
        (i, start, min(start + _CHUNK, size))
        for i, size in enumerate(file.stat().st_size for file in files)
        for start in range(0, size, _CHUNK)
    ]
    if not parts:
        return [0] * len(files)
    found = run_slices(lambda first, last: [_checksum(files[i], *part) for i, *part in parts[first:last]], len(parts))
    totals = [0] * len(files)
    for (i, start, stop), total in zip(parts, (total for each in found for total in each), strict=True):
        totals[i] = joined(totals[i], total, stop - start)
    return totals


def _checksum(file: Path, start: int, stop: int) -> int:
    with file.open("rb") as stream:
        stream.seek(start)
        return crc32(stream.read(stop - start))
