"""Vectors kept on disk by content, so that no text is encoded twice by the same encoder.

One SQLite file serves any number of encoders, threads and processes of a machine. An entry's name is a hash of the
encoder's fingerprint and the text, so an entry can never be stale: other weights or settings have other names.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock

from wordstock._files import storage_errors
from wordstock._paths import user_path
from wordstock._settings import check_type, check_whole, plain
from wordstock.embeddings.sentence import check_texts, each_sentence
from wordstock.encoders.sizes import word_dim_of
from wordstock.errors import FormatError, InputError, StorageError
from wordstock.protocols import Encoder, FloatArray

__all__ = ["CachedEncoder"]

_VERSION = 1
_ASK = 500  # entries looked up in one query
_ROOM = 0.9  # share of the limit that is left after the longest unused entries were dropped
_WAIT = 30.0  # seconds to wait while another process writes
_CHUNK = 4096  # entries written at once, between two looks at the size
_FRESH = 3600.0  # seconds in which an entry's last use is not written again
_SCHEMA = "CREATE TABLE IF NOT EXISTS entries (name BLOB PRIMARY KEY, vector BLOB, used REAL) WITHOUT ROWID"
_INDEX = "CREATE INDEX IF NOT EXISTS by_use ON entries (used)"


class CachedEncoder:
    """An encoder that remembers its vectors in a file; an ``Encoder`` itself, with the same fingerprint.

    Parameters
    ----------
    encoder : any Encoder.
    path : the file; made if it is not there. Processes of one machine may share it, machines may not.
    max_bytes : the largest size of its entries; the longest unused are dropped when there would be more.

    Raises
    ------
    InputError
        Something that is no encoder, or ``max_bytes`` below a megabyte.
    FormatError
        A file that is no such cache.
    StorageError
        A folder that cannot be written.
    """

    def __init__(self, encoder: Encoder, path: Path | str, *, max_bytes: int = 1 << 30) -> None:
        check_type("encoder", encoder, Encoder, "an encoder")
        check_whole("max_bytes", max_bytes, 1 << 20)
        self.encoder = encoder
        self.path = user_path(path)
        self.max_bytes: int = plain(max_bytes)
        self.hits = 0
        self.misses = 0
        self._open: tuple[int, sqlite3.Connection] | None = None
        self._lock = threading.RLock()
        with storage_errors(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._database():
            pass

    @property
    def dim(self) -> int:
        """Length of a text's vector."""
        return self.encoder.dim

    @property
    def word_dim(self) -> int:
        """Length of a word's vector."""
        return word_dim_of(self.encoder)

    @property
    def fingerprint(self) -> str:
        """That of the encoder: a cache changes no vector."""
        return self.encoder.fingerprint

    def __repr__(self) -> str:
        return f"CachedEncoder({self.encoder!r}, {str(self.path)!r})"

    def __deepcopy__(self, memo: dict[int, Any]) -> CachedEncoder:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return _reopen, (self.encoder, self.path, self.max_bytes)

    def encode(self, texts: str | Sequence[str]) -> FloatArray:
        """One vector per text, float32 (n, dim), from the file where it is there; a single str gives (dim,).

        Raises
        ------
        InputError
            What the encoder refuses.
        """
        if isinstance(texts, str):
            alone: FloatArray = self.encode([texts])[0]
            return alone
        listed = check_texts(texts)
        names = [self._name("text", text) for text in listed]
        found = self._through(
            names, listed, lambda part: list(self.encoder.encode(part)), lambda size: size == self.dim
        )
        out = np.empty((len(listed), self.dim), np.float32)
        for at, vector in enumerate(found):
            out[at] = vector
        return out

    def encode_words(self, sentences: Sequence[str | Sequence[str]]) -> list[FloatArray]:
        """One float32 (n_words, word_dim) array per sentence, from the file where it is there.

        Raises
        ------
        InputError
            What the encoder refuses.
        """
        listed = each_sentence(sentences, lambda one: one if isinstance(one, str) else check_texts(one, "word"))
        names = [self._sentence_name(sentence) for sentence in listed]
        found = self._through(names, listed, self.encoder.encode_words, lambda size: size % self.word_dim == 0)
        return [vectors.reshape(-1, self.word_dim).copy() for vectors in found]

    def clear(self) -> None:
        """Drop every entry, of other encoders too."""
        with self._database() as database:
            database.execute("DELETE FROM entries")
            database.commit()
            database.execute("VACUUM")

    def __len__(self) -> int:
        """Entries in the file, of all encoders."""
        with self._database() as database:
            return int(database.execute("SELECT count(*) FROM entries").fetchone()[0])

    def _sentence_name(self, sentence: str | list[str]) -> bytes:
        if isinstance(sentence, str):
            return self._name("split", sentence)
        return self._name("words", "".join(f"{len(word)}:{word}" for word in sentence))

    def _name(self, kind: str, text: str) -> bytes:
        data = f"{self.encoder.fingerprint}\0{kind}\0{text}".encode("utf-8", "surrogatepass")
        return hashlib.blake2b(data, digest_size=20).digest()

    def _through(
        self,
        names: list[bytes],
        items: list[Any],
        encode: Callable[[list[Any]], list[FloatArray]],
        fits: Callable[[int], bool],
    ) -> list[FloatArray]:
        """Vectors of all items; those that the file lacks are encoded in one go, each once, and kept.

        ``fits`` tells whether an entry can have so many numbers; one that cannot is damaged and made anew.
        """
        known = {name: vector for name, vector in self._look_up(set(names)).items() if fits(vector.size)}
        absent = {name: item for name, item in zip(names, items, strict=True) if name not in known}
        self.hits += len(items) - len(absent)
        self.misses += len(absent)
        if absent:
            try:
                vectors = encode(list(absent.values()))
            except InputError:
                encode(items)  # which refuses it too, and says where it stands among all
                raise
            fresh = dict(zip(absent, vectors, strict=True))
            self._keep(fresh)
            known |= fresh
        return [known[name] for name in names]

    def _look_up(self, names: set[bytes]) -> dict[bytes, FloatArray]:
        wanted, now = list(names), time.time()
        found: dict[bytes, FloatArray] = {}
        aged: list[tuple[float, bytes]] = []
        with self._database() as database:
            for start in range(0, len(wanted), _ASK):
                part = wanted[start : start + _ASK]
                marks = ",".join("?" * len(part))
                query = f"SELECT name, vector, used FROM entries WHERE name IN ({marks})"
                for name, vector, used in database.execute(query, part):
                    if not isinstance(vector, bytes) or len(vector) % 4:
                        continue  # damaged
                    found[name] = np.frombuffer(vector, "<f4")
                    if used < now - _FRESH:
                        aged.append((now, name))
        self._write("UPDATE entries SET used = ? WHERE name = ?", aged)
        return found

    def _keep(self, fresh: dict[bytes, FloatArray]) -> None:
        now = time.time()
        rows = [(name, np.ascontiguousarray(vector, "<f4").tobytes(), now) for name, vector in fresh.items()]
        self._write("INSERT OR REPLACE INTO entries VALUES (?, ?, ?)", rows)

    def _write(self, statement: str, rows: list[tuple[Any, ...]]) -> None:
        """Change the file. A disk that is full or read-only costs speed, not the result."""
        with self._database() as database:
            try:
                for start in range(0, len(rows), _CHUNK):
                    with database:
                        database.executemany(statement, rows[start : start + _CHUNK])
                        self._shrink(database)
            except sqlite3.OperationalError as error:
                warnings.warn(f"{self.path}: vectors were not kept ({error})", stacklevel=5)

    def _shrink(self, database: sqlite3.Connection) -> None:
        if (size := _size(database)) <= self.max_bytes:
            return
        number = database.execute("SELECT count(*) FROM entries").fetchone()[0]
        surplus = int(number * (1 - _ROOM * self.max_bytes / size)) + 1
        database.execute(
            "DELETE FROM entries WHERE name IN (SELECT name FROM entries ORDER BY used LIMIT ?)", (surplus,)
        )

    @contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            if self._open is None or self._open[0] != os.getpid():  # a connection does not survive a fork
                with storage_errors(self.path), FileLock(f"{self.path}.lock"):  # made by one process at a time
                    self._open = (os.getpid(), self._connect())
            try:
                yield self._open[1]
            except sqlite3.DatabaseError as error:
                raise self._trouble(error) from error

    def _connect(self) -> sqlite3.Connection:
        try:
            database = sqlite3.connect(self.path, timeout=_WAIT, check_same_thread=False)
            database.execute("PRAGMA journal_mode=WAL")
            database.execute("PRAGMA synchronous=NORMAL")
            found = database.execute("PRAGMA user_version").fetchone()[0]
            tables = database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
            if found not in (0, _VERSION) or (tables and found == 0):
                database.close()
                raise FormatError(self.path, expected=f"a cache of version {_VERSION}", found="another SQLite file")
            with database:
                database.execute(_SCHEMA)
                database.execute(_INDEX)
                database.execute(f"PRAGMA user_version={_VERSION}")
        except sqlite3.DatabaseError as error:
            raise self._trouble(error) from error
        return database

    def _trouble(self, error: sqlite3.DatabaseError) -> Exception:
        if isinstance(error, sqlite3.OperationalError):
            return StorageError(f"cannot use {self.path}: {error}; choose a file on a local disk you may write to")
        return FormatError(
            self.path, expected="a cache of vectors", found=str(error), remedy="delete the file; it is made anew"
        )

    def close(self) -> None:
        """Release the file; the next call opens it again."""
        with self._lock:
            if self._open is not None and self._open[0] == os.getpid():
                with closing(self._open[1]):
                    self._open = None


def _size(database: sqlite3.Connection) -> int:
    """Bytes of pages in use."""
    pages, free, size = (
        database.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)


def _reopen(encoder: Encoder, path: Path, max_bytes: int) -> CachedEncoder:
    return CachedEncoder(encoder, path, max_bytes=max_bytes)
