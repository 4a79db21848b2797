"""``VectorStore``: texts with their vectors, bound to the encoder that made them."""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, NamedTuple, TypeVar

from wordstock.embeddings import Embeddings
from wordstock.errors import InputError, StoreError
from wordstock.hub.binding import EncoderRecord, resolve_encoder
from wordstock.protocols import Encoder, Filter, FloatArray, Hit, Row
from wordstock.stores.adding import AddReport, Progress, add_batches, table_batches, text_batches
from wordstock.stores.backend import IndexKind
from wordstock.stores.checking import Metric, Precision, check_ids, check_k, choice, whole
from wordstock.stores.export import write_rows
from wordstock.stores.fusion import WEIGHTS, Fusion, check_fusion
from wordstock.stores.indexing import IndexConfig
from wordstock.stores.location import locate
from wordstock.stores.milvus import MilvusStore
from wordstock.stores.opening import AnyStore, open_store
from wordstock.stores.reindexing import copy_rows
from wordstock.stores.rerank import reranked, resolve_reranker
from wordstock.stores.searching import DEPTH, Mode, TextSearch, asked, check_fields
from wordstock.stores.secrets import Secret

__all__ = ["Mode", "VectorStore"]

Result = TypeVar("Result")

_BATCH = 1024  # texts of one round
_WORDING = {"made": "indexed", "again": "call reindex(encoder) to index it again"}


class _Bound(NamedTuple):
    """A store and the encoder of its vectors, exchanged together."""

    store: AnyStore
    record: EncoderRecord
    encoder: Encoder | None


class VectorStore:
    """Texts, their metadata and their vectors, searched by meaning, by words, or by both.

    Parameters
    ----------
    location : a path ending in .db (Milvus Lite) or .safetensors (in memory, saved as one file), the address of a
        Milvus server or of Zilliz Cloud, or None for memory alone.
    encoder : an encoder, or the name or path of one. A store that is there remembers it: left out, it is loaded again.
    collection : the name of the store within a Milvus.
    metric : "cosine", "ip" or "l2"; cosine for a new store.
    precision : "float32", "float16", "bfloat16" or "binary", where the Milvus has it.
    index : "auto" (by size), a kind, or an ``IndexConfig``.
    keywords : let Milvus index the texts for BM25 too, where it can; elsewhere keyword search reads all texts.
    expected_rows : lets "auto" choose the right index from the start.
    token, token_file : for a server: else WORDSTOCK_MILVUS_TOKEN or WORDSTOCK_MILVUS_TOKEN_FILE.
    connect_timeout, patience : seconds for which a server is waited for, at first and later.

    Raises
    ------
    InputError
        A location that names no store, settings it cannot have, or a new store without an encoder.
    FingerprintError
        The store was made with another encoder; ``reindex`` encodes its texts anew.
    StoreError, StoreUnavailableError
        It is open in another process, or the server cannot be reached.
    MissingExtraError
        pymilvus is not installed.
    """

    def __init__(
        self,
        location: str | os.PathLike[str] | None = None,
        encoder: Encoder | str | Path | None = None,
        *,
        collection: str = "wordstock",
        metric: Metric | None = None,
        precision: Precision | None = None,
        index: IndexConfig | IndexKind | Literal["auto"] = "auto",
        keywords: bool | None = None,
        expected_rows: int | None = None,
        token: str | Secret | None = None,
        token_file: Path | str | None = None,
        connect_timeout: float = 10.0,
        patience: float = 180.0,
    ) -> None:
        self._where = str(locate(location))
        known = None if encoder is None else resolve_encoder(encoder)
        record = None if known is None else EncoderRecord.of(known, encoder)
        try:
            store = open_store(
                location,
                collection,
                dim_if_new=None if record is None else record.dim,
                metric=metric,
                precision=precision,
                index=index,
                keywords=keywords,
                expected_rows=expected_rows,
                details=None if record is None else {"encoder": asdict(record)},
                token=token,
                token_file=token_file,
                connect_timeout=connect_timeout,
                patience=patience,
            )
        except InputError as error:
            if record is None and " dim" in str(error) and "new" in str(error):
                raise InputError(f"there is no store at {self._where} yet; a new one needs encoder=") from None
            raise
        try:
            self._bound = _Bound(store, self._read_record(store), known)
            if known is not None:
                self._check(known)
        except BaseException:
            store.close()
            raise
        self._coming: Encoder | None = None
        self._writing = threading.RLock()
        self._filled = False
        self._search = TextSearch()

    def __repr__(self) -> str:
        record = self._bound.record
        named = record.sources[0] if record.sources else record.fingerprint[:12]
        return f"VectorStore({self._where!r}, {named}, dim {self.store.dim}, {self.store.metric}, {self.store.index})"

    def __enter__(self) -> VectorStore:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _read_record(self, store: AnyStore) -> EncoderRecord:
        try:
            return EncoderRecord.from_dict(dict(store.details["encoder"]))
        except (LookupError, TypeError, ValueError, InputError):
            raise StoreError(
                f"{self._where} does not say which encoder it was made with; open it with open_store"
            ) from None

    def _check(self, encoder: Encoder) -> None:
        self._bound.record.check(encoder, self._where, **_WORDING)

    @property
    def encoder(self) -> Encoder:
        """The encoder; loaded now where the store was opened without it.

        Raises
        ------
        InputError, FingerprintError
            It cannot be found, or is another one by now.
        """
        return self._encoder_of(self._bound)

    def _encoder_of(self, bound: _Bound) -> Encoder:
        if bound.encoder is None:
            found = bound.record.find(self._where, **_WORDING)
            if self._bound is bound:
                self._bound = bound._replace(encoder=found)
            return found
        return bound.encoder

    @property
    def store(self) -> AnyStore:
        """The store beneath, with vectors alone."""
        return self._bound.store

    @property
    def index(self) -> str:
        """The index with its parameters, as a person reads it."""
        return self.store.index

    # -- rows -----------------------------------------------------------------------------------------------------

    def add(
        self,
        texts: Iterable[str] | Embeddings,
        ids: Iterable[str] | None = None,
        metadata: Iterable[Mapping[str, Any]] | None = None,
        *,
        vectors: Iterable[Any] | None = None,
        batch_size: int = _BATCH,
        progress: Progress | None = None,
    ) -> AddReport:
        """Add texts, or all words of a table; what is there already and has not changed is not encoded again.

        An id that is there is replaced. Started again after it was killed, it goes on where it was: no row is lost or
        doubled.

        Parameters
        ----------
        texts : any iterable, or an ``Embeddings`` table, whose words become one row each.
        ids : one a text; else a hash of the text, so that equal texts are one row.
        metadata : one mapping a text, JSON; a field that is None counts as not there.
        vectors : one a text, of the store's encoder, where they are known already; all are written then. A zero vector
            has no cosine and is refused under that metric.
        batch_size : texts that are encoded and written at once.
        progress : called with the number of texts done.

        Returns
        -------
        How many were added, unchanged, and left out because the encoder knows no word of them.

        Raises
        ------
        InputError
            Not as many ids, metadata or vectors as texts, a row that no store can hold, or an encoder that gives
            something else than one vector for each text; the batches before it are stored.
        StoreError
            The store refused rows, which are named.
        """
        batch_size = whole("batch_size", batch_size)
        unknown = "texts hold no word that the encoder knows"
        if isinstance(texts, Embeddings):
            if ids is not None or metadata is not None or vectors is not None:
                raise InputError(
                    "the words of a table bring their ids and vectors; leave ids, metadata and vectors out"
                )
            unknown = "words have a zero vector"
            self._check(texts)
        with self._writing:
            if isinstance(texts, Embeddings):
                batches = table_batches(texts, batch_size)
            else:
                dim, metric = self.store.dim, self.store.metric
                batches = text_batches(texts, ids, metadata, vectors, batch_size, dim=dim, metric=metric)
            self._filled = self._filled or self.store.count() > 0  # Milvus Lite counts for seconds
            check = vectors is None and self._filled
            try:
                encoder = self.encoder if vectors is None else None
                return add_batches(self.store, encoder, batches, check=check, progress=progress, unknown=unknown)
            finally:
                self._search.changed()
                self.store.flush()

    def get(self, ids: str | Sequence[str], *, vectors: bool = False) -> Any:
        """The row of an id, or those of several; None where there is none.

        Raises
        ------
        InputError
            An id that is no text.
        """
        names = check_ids(ids)
        found = self._following(lambda bound: bound.store.get(names, vectors=vectors))
        return found[0] if isinstance(ids, str) else found

    def delete(self, ids: str | Sequence[str]) -> int:
        """Remove rows; returns how many were there.

        Raises
        ------
        InputError
            An id that is no text.
        """
        names = check_ids(ids)
        with self._writing:
            gone = self.store.delete(names)
            self._search.changed()
            self.store.flush()
            return gone

    def count(self, where: Filter | None = None) -> int:
        """Number of rows, or of those that meet a filter."""
        return self._following(lambda bound: bound.store.count(where))

    def __len__(self) -> int:
        return self.count()

    def __contains__(self, id: object) -> bool:
        return isinstance(id, str) and bool(self.store.digests([id]))

    def __iter__(self) -> Iterator[Row]:
        return self.rows()

    def rows(self, *, where: Filter | None = None, vectors: bool = False) -> Iterator[Row]:
        """Every row once, in memory that does not grow with their number."""
        return self.store.rows(where=where, vectors=vectors)

    def export(self, path: Path | str, *, where: Filter | None = None, vectors: bool = False) -> int:
        """Write the rows to a .jsonl or .parquet file, atomically; returns how many.

        Raises
        ------
        InputError
            Another ending.
        StorageError
            The file cannot be written.
        """
        return write_rows(self.rows(where=where, vectors=vectors), path, dim=self.store.dim if vectors else None)

    # -- search ---------------------------------------------------------------------------------------------------

    def search(
        self,
        query: str | FloatArray | Sequence[str],
        k: int = 10,
        *,
        where: Filter | None = None,
        mode: Mode = "vector",
        fusion: Fusion = WEIGHTS,
        rerank: Any = None,
    ) -> Any:
        """The k nearest rows, best first; a higher score is nearer.

        Parameters
        ----------
        query : a text, or a vector float32 (dim,); several texts or (n, dim) give a list for each.
        where : a filter over metadata, such as ``{"year": {">": 2020}}``; see ``wordstock.stores.filters``.
        mode : "vector" (by meaning), "keyword" (BM25), or "hybrid", both fused.
        fusion : the weights of vectors and keywords, (0.8, 0.2) unless told, or "rrf"; see ``wordstock.stores.fusion``.
        rerank : a cross-encoder that scores the best 50 again: a function of (query, texts), a CrossEncoder, or the
            folder or ``hf:org/name`` of one.

        Returns
        -------
        list of Hit(id, score, text, metadata), or a list of such lists.

        Raises
        ------
        InputError
            Neither texts nor vectors, a query without a known word, a filter that cannot be read or names a field that
            no row has, a bad k.
        """
        choice("mode", mode, Mode)
        k = check_k(k)
        check_fusion(fusion)
        reranker = None if rerank is None else resolve_reranker(rerank)
        question = asked(query)
        texts = question.texts
        if texts is None and (mode != "vector" or reranker is not None):
            raise InputError("keyword and hybrid search and reranking read a text; the query is a vector")
        depth = k if reranker is None else max(k, DEPTH)

        def find(bound: _Bound) -> list[list[Hit]]:
            return self._search.find(bound.store, lambda: self._encoder_of(bound), question, depth, where, mode, fusion)

        bound = self._bound
        found = self._following(find)
        if not all(found) and (self._bound.store is not bound.store or self._moved()):
            found = self._following(find)  # one that is being exchanged may answer as if it were empty
        if where is not None and not any(found):
            check_fields(self.store, where)
        if reranker is not None and texts is not None:
            found = [reranked(reranker, text, hits, k) for text, hits in zip(texts, found, strict=True)]
        return found[0] if question.single else found

    # -- the whole ------------------------------------------------------------------------------------------------

    def reindex(
        self, encoder: Encoder | str | Path, *, batch_size: int = _BATCH, progress: Progress | None = None
    ) -> AddReport:
        """Encode every text with another encoder into a new collection, which then takes this one's place in one step.

        Searches go on meanwhile. Stopped halfway, it goes on when it is called again; what it had done is dropped where
        another encoder is taken instead. Rows that the encoder does not know (texts without a word of it, words that
        the new table lacks) are not in the store any more; one warning says how many they are, before the exchange.

        Returns
        -------
        How many were added, were there from before it was stopped, and were left out.

        Raises
        ------
        InputError
            A row without a text, or words of a table that something else than a table is to encode.
        StoreError
            This Milvus cannot exchange collections, or the store is open for writing elsewhere.
        """
        batch_size = whole("batch_size", batch_size)
        new = resolve_encoder(encoder)
        record = EncoderRecord.of(new, encoder)
        old = self.store
        other: Any = old.sibling(new.dim, {"encoder": asdict(record)})
        report = copy_rows(old, other, new, batch_size, progress)
        with self._writing:  # what was added or deleted meanwhile
            late = copy_rows(old, other, new, batch_size, None)
            if late.left_out:
                warnings.warn(
                    f"{late.left_out:,} of {old.count():,} rows hold no word that the new encoder knows and are not in "
                    "the store any more",
                    stacklevel=2,
                )
            other.flush()
            self._coming = new  # a search that finds the collection exchanged before this store does
            self._bind(old.exchange(other))  # another process may have exchanged it again by now
        return report._replace(left_out=0).plus(late._replace(unchanged=0))

    def _following(self, ask: Callable[[_Bound], Result]) -> Result:
        """Ask again where the collection has been exchanged in between, here or in another process."""
        bound = self._bound
        try:
            return ask(bound)
        except StoreError:
            if self._bound.store is bound.store and not self._moved():
                raise
        return ask(self._bound)

    def _moved(self) -> bool:
        store = self._bound.store
        found = store.current() if isinstance(store, MilvusStore) else None
        if found is None:
            return False
        self._bind(found)
        return True

    def _bind(self, found: AnyStore) -> None:
        """Go on with this store; with its encoder, where that is at hand."""
        record = self._read_record(found)
        known = (one for one in (self._bound.encoder, self._coming) if one is not None)
        self._bound = _Bound(found, record, next((one for one in known if one.fingerprint == record.fingerprint), None))
        self._search.changed()

    def set_index(self, index: IndexConfig | IndexKind) -> None:
        """Build another index over what is there.

        Raises
        ------
        InputError
            A store in memory, or an index that this Milvus has not.
        """
        if not isinstance(self.store, MilvusStore):
            raise InputError("a store in memory searches exactly; it has no index")
        self.store.set_index(index)

    def close(self) -> None:
        """Save and close."""
        self.store.close()
