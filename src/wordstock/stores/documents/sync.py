"""A store kept in step with files on disk: only what has changed is read and encoded, and what is gone is deleted.

Every file has one passage, its mark, whose metadata also has ``version``: of the file and of the settings with which it
was cut. Before any other passage of the file is written it is "", and it is the version once all of them are in the
store and those of an earlier state are not. Killed at any moment, the next run finds which files are not finished and
reads those again, and the store encodes only the texts that it does not have yet. The mark is the file's first passage,
or another where the encoder knows no word of that one.
"""

from __future__ import annotations

import hashlib
import warnings
from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from wordstock.corpus.folder import corpus_files, no_files
from wordstock.corpus.report import ReadReport
from wordstock.corpus.source import STDIN
from wordstock.errors import FormatError, InputError
from wordstock.protocols import Filter, Row
from wordstock.stores.adding import AddReport
from wordstock.stores.checking import check_row
from wordstock.stores.documents.chunking import ChunkSettings, TokenCounter
from wordstock.stores.documents.document import Passage, passages
from wordstock.stores.documents.reading import ReadOptions, read_documents

__all__ = ["PassageStore", "SyncReport", "sync_files"]

_BATCH = 4096  # passages held and written at once


class PassageStore(Protocol):
    """What ``sync_files`` asks of a store that encodes texts."""

    def add(self, texts: Sequence[str], ids: Sequence[str], metadata: Sequence[Mapping[str, Any]]) -> AddReport:
        """Add or replace; a text that is there already is not encoded again."""
        ...

    def get(self, ids: Sequence[str]) -> list[Row | None]:
        """The rows of these ids."""
        ...

    def delete(self, ids: Sequence[str]) -> int:
        """Remove rows."""
        ...

    def count(self, where: Filter | None = None) -> int:
        """How many rows meet the filter."""
        ...

    def rows(self, *, where: Filter | None = None) -> Iterator[Row]:
        """Every row that meets the filter."""
        ...


@dataclass
class SyncReport:
    """What one run did.

    Parameters
    ----------
    unchanged, added, changed, removed : files, by name; removed are those that the folder no longer has.
    passages : written, because they are new or have changed; what the store had already is not counted.
    left_out : passages without a word that the encoder knows.
    deleted : passages deleted.
    read : what was left out of the files, and what was damaged; a damaged file keeps the passages it had.
    """

    unchanged: list[str] = field(default_factory=list)
    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    passages: int = 0
    left_out: int = 0
    deleted: int = 0
    read: ReadReport = field(default_factory=ReadReport)

    def __str__(self) -> str:
        files = ", ".join(
            f"{len(getattr(self, name)):,} {name}" for name in ("added", "changed", "removed", "unchanged")
        )
        return f"files: {files}; passages: {self.passages:,} written, {self.deleted:,} deleted"


def sync_files(
    store: PassageStore,
    paths: str | Path | Sequence[str | Path],
    options: ReadOptions | None = None,
    chunks: ChunkSettings | None = None,
    *,
    base: Path | str | None = None,
    count: TokenCounter | None = None,
    reread: bool = False,
    strict: bool = False,
    progress: Callable[[int, int, int], object] | None = None,
) -> SyncReport:
    """Bring the passages of files and folders into ``store``.

    A file of the size and time, or else the content, that it had is left alone. Files that are gone from a folder that
    is given, all of them if need be, are deleted from the store. A row that no store can hold is reported as damage and
    left out. Memory does not grow with the number of passages, but for 8 bytes for each of one changed file.

    Parameters
    ----------
    store : a ``VectorStore``, or anything with its ``add``, ``delete`` and ``rows``.
    paths : files and folders, which are read recursively without hidden files.
    options, chunks : how files are read and cut; files read before with other settings are read again.
    base : passages name their file by its path relative to this folder; None by its absolute path.
    count : counts tokens for ``chunks``; None counts words.
    reread : read every file, changed or not.
    strict : raise at the first damage.
    progress : called with (bytes read, bytes of all files, passages written).

    Raises
    ------
    FileNotFoundError
        No such file.
    InputError
        A folder without files of which the store has none either, standard input, a file outside ``base``.
    FormatError
        A file given by name that cannot be read; with ``strict`` any damage.
    """
    return _Sync(store, options or ReadOptions(), chunks or ChunkSettings(), base, count, progress).run(
        paths, reread=reread, strict=strict
    )


class _Sync:
    """One run."""

    def __init__(
        self,
        store: PassageStore,
        options: ReadOptions,
        chunks: ChunkSettings,
        base: Path | str | None,
        count: TokenCounter | None,
        progress: Callable[[int, int, int], object] | None,
    ) -> None:
        self._store, self._options, self._chunks, self._count = store, options, chunks, count
        self._base = None if base is None else Path(base).resolve()
        self._progress = progress
        settings = repr([asdict(options), asdict(chunks), count is not None])
        self._settings = hashlib.sha256(settings.encode()).hexdigest()[:12]
        self._report = SyncReport()
        self._before = self._here = self._total = 0  # bytes of the files that are done, of this one, and of all
        self._open: list[Passage] = []
        self._done: list[_File] = []

    def run(self, paths: str | Path | Sequence[str | Path], *, reread: bool, strict: bool) -> SyncReport:
        report = self._report
        report.read.strict = strict
        files: dict[str, tuple[Path, bool]] = {}
        found = corpus_files(paths, report.read, empty=True)
        for path, in_folder in found:
            if path == STDIN:
                raise InputError("standard input has no name to keep passages under; give files or folders")
            files.setdefault(self._name(path), (path, in_folder))
        sizes = {name: path.stat().st_size for name, (path, _) in files.items()}
        self._total = sum(sizes.values())
        folders = {one: _inside(self._name(Path(one))) for one in _each(paths) if Path(one).is_dir()}
        known = self._marks(tuple(folders.values()), files)
        for folder, inside in folders.items():
            if not any(name.startswith(inside) for name in known) and not any(
                path.is_relative_to(folder) for path, _ in found
            ):
                raise no_files(folder)
        for name, (path, in_folder) in files.items():
            self._file(name, path, known.get(name, []), in_folder=in_folder, reread=reread)
            self._before += sizes[name]
            self._here = 0
        self._write()
        self._remove([name for name in known if name not in files])
        return report

    def _name(self, path: Path) -> str:
        whole = path.resolve()
        if self._base is None:
            return whole.as_posix()
        if not whole.is_relative_to(self._base):
            raise InputError(f"{path} is not in the folder {self._base}, relative to which files are named")
        return whole.relative_to(self._base).as_posix()

    def _marks(self, inside: tuple[str, ...], files: Mapping[str, object]) -> dict[str, list[_Mark]]:
        """The marks that the store has of files that are given or lie in a folder that is given."""
        found: dict[str, list[_Mark]] = {}
        for row in self._store.rows(where={"version": {"exists": True}}):
            name = str(row.metadata.get("source", ""))
            if name in files or (inside and name.startswith(inside)):
                found.setdefault(name, []).append(_Mark(row.id, str(row.metadata["version"])))
        return found

    def _file(self, name: str, path: Path, marks: list[_Mark], *, in_folder: bool, reread: bool) -> None:
        version = _version(path, self._settings, marks[0].version if len(marks) == 1 else None)
        if [mark.version for mark in marks] == [version] and not reread:
            self._report.unchanged.append(name)
            return
        if not self._storable(name, path, in_folder=in_folder):
            return
        one = _File(name, version, {mark.id for mark in marks})
        one.begun = bool(marks) and {mark.version for mark in marks} <= {version, ""}
        try:
            for passage in self._passages(one, path):
                self._open += one.take(passage)
                if len(self._open) + len(self._done) >= _BATCH:
                    self._write(one)
        except (FormatError, OSError) as error:
            if not in_folder or (isinstance(error, OSError) and error.errno is None):
                raise
            if not isinstance(error, FormatError):
                error = FormatError(path, expected="a file that can be read", found=error.strerror or str(error))
            self._report.read.damage(error)
            self._open = [passage for passage in self._open if passage.metadata["source"] != name]
            return
        self._done.append(one)
        if one.mark is not None or marks:
            (self._report.changed if marks else self._report.added).append(name)

    def _storable(self, name: str, path: Path, *, in_folder: bool) -> bool:
        """Whether rows can bear the file's name."""
        try:
            check_row("-" if self._options.id_field else f"{name}#", "", {"source": name})
        except InputError as error:
            wrong = FormatError(
                path, expected="a path that rows can be named by", found=str(error), remedy="shorten it"
            )
            if not in_folder:
                raise wrong from None
            self._report.read.damage(wrong)
            return False
        return True

    def _passages(self, one: _File, path: Path) -> Iterator[Passage]:
        """Those of a file that a store can hold; the first other one of a document is told."""

        def told(done: int, _: int) -> None:
            self._here = done
            self._tell()

        report = self._report.read
        for document in read_documents(path, self._options, source=one.name, report=report, progress=told):
            wrong: str | None = None
            for passage in passages(document, self._chunks, count=self._count):
                try:
                    check_row(*_versioned(passage, one.version))
                except InputError as error:
                    wrong = wrong or str(error)
                else:
                    yield passage
            if wrong:
                line = document.line or None
                report.damage(FormatError(path, line=line, expected="text that a store can hold", found=wrong))

    def _write(self, reading: _File | None = None) -> None:
        """Write the open passages; then complete files lose what is left of an earlier state, and are marked."""
        written, self._open = self._open, []
        done, self._done = self._done, []
        files = {one.name: one for one in [*done, *([reading] if reading else [])]}
        self._add_passages(self._begin(files, written), files)
        known = {one.name: one for one in done if one.marked}
        if known and self._any_stale(known):
            rows = self._store.rows(where={"source": {"in": list(known)}})
            self._delete([row.id for row in rows if not known[str(row.metadata["source"])].has(row.id)])
        self._finish([one for one in done if one.mark is not None])
        self._tell()

    def _begin(self, files: Mapping[str, _File], found: Sequence[Passage]) -> Sequence[Passage]:
        """Write marks without a version of the files that passages are of; returns the passages that are not marks."""
        names = dict.fromkeys(str(passage.metadata["source"]) for passage in found)
        new = [files[name] for name in names if not files[name].begun]
        if not new:
            return found
        for one, there in zip(new, self._stored([one.mark_of("") for one in new]), strict=True):
            one.begun = there
            if not there:  # then the first of which the encoder knows a word
                self._report.left_out += 1
                last = {passage.id: passage for passage in found if passage.metadata["source"] == one.name}
                tried = list(last.values())
                stored = self._stored([_versioned(passage, "") for passage in tried])
                if any(stored):
                    one.mark, one.begun = tried[stored.index(True)], True
                    found = [passage for passage in found if passage.id != one.mark.id]
        return found

    def _finish(self, done: Sequence[_File]) -> None:
        """Give the marks their version; where the store leaves one out, another passage of the file takes its place."""
        if not self._add([one.mark_of(one.version) for one in done]).left_out:
            return
        for one, row in zip(done, self._store.get([one.mark_of("").id for one in done]), strict=True):
            if row is None and (other := next(self._store.rows(where={"source": one.name}), None)) is not None:
                self._add([_versioned(Passage(other.id, other.text, dict(other.metadata)), one.version)])

    def _stored(self, found: Sequence[Passage]) -> list[bool]:
        """Write passages that will be written again, and are counted then; which of them the store has now."""
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".* hold no word that the encoder knows")
            report = self._store.add(*_columns(found))
        if not report.left_out:
            return [True] * len(found)
        return [row is not None for row in self._store.get([one.id for one in found])]

    def _add_passages(self, found: Sequence[Passage], files: Mapping[str, _File]) -> None:
        """Write passages; their files learn how many of theirs the store has, where that can be told."""
        counts = Counter(str(passage.metadata["source"]) for passage in found)
        report = self._add(found)
        for name, count in counts.items():
            one, alone = files[name], len(counts) == 1
            if one.stored is not None:
                told = alone or not report.left_out
                one.stored = one.stored + (report.added + report.unchanged if alone else count) if told else None

    def _any_stale(self, files: Mapping[str, _File]) -> bool:
        """Whether the store has rows of these files that are not in them any more: a count is faster than a walk."""
        if any(one.stored is None or one.doubled for one in files.values()):
            return True
        marks = self._store.get([one.mark.id for one in files.values() if one.mark is not None])
        now = sum(one.stored or 0 for one in files.values()) + sum(mark is not None for mark in marks)
        return self._store.count({"source": {"in": list(files)}}) != now

    def _remove(self, names: list[str]) -> None:
        if names:
            rows = self._store.rows(where={"source": {"in": names}})
            found = [(row.metadata.get("version") is not None, row.id) for row in rows]
            self._delete([name for _, name in sorted(found)])  # the marks last
            self._report.removed += names

    def _delete(self, ids: list[str]) -> None:
        for at in range(0, len(ids), _BATCH):
            self._report.deleted += self._store.delete(ids[at : at + _BATCH])

    def _add(self, found: Sequence[Passage]) -> AddReport:
        """Write passages; the store leaves out those of which the encoder knows no word."""
        if not found:
            return AddReport()
        report = self._store.add(*_columns(found))
        self._report.passages += report.added
        self._report.left_out += report.left_out
        return report

    def _tell(self) -> None:
        if self._progress is not None:
            self._progress(self._before + self._here, self._total, self._report.passages)


class _Mark(NamedTuple):
    """The passage that tells a file's version."""

    id: str
    version: str


class _File:
    """A file that is being read.

    Parameters
    ----------
    name, version : of the file as it is now.
    marked : ids of its marks in the store; empty for a file that the store does not know.
    """

    def __init__(self, name: str, version: str, marked: set[str]) -> None:
        self.name, self.version, self.marked = name, version, marked
        self.begun = False  # the store has a mark of it, and none with another version
        self.mark: Passage | None = None  # held back until the others are in the store
        self.stored: int | None = 0  # passages but the mark that the store has; None if it cannot be told
        self._ids = array("q")  # hashes of all ids
        self._now: npt.NDArray[np.int64] | None = None

    def take(self, passage: Passage) -> list[Passage]:
        """The passages that can be written now: not the mark, which stays the one that it is in the store."""
        if self.marked:
            self._ids.append(_hash(passage.id))
        if self.mark is not None and self.mark.id != passage.id and passage.id not in self.marked:
            return [passage]
        before, self.mark = self.mark, passage
        if before is None or before.id == passage.id:
            return []
        self.begun = False
        return [before]

    def mark_of(self, version: str) -> Passage:
        """The mark with this version."""
        assert self.mark is not None  # of a file with passages
        return _versioned(self.mark, version)

    @property
    def doubled(self) -> bool:
        """Whether an id stands in the file twice."""
        return len(self._distinct()) < len(self._ids)

    def has(self, name: str) -> bool:
        """Whether a passage of this id is in the file as it is now."""
        now, key = self._distinct(), _hash(name)
        at = int(np.searchsorted(now, key))
        return at < len(now) and int(now[at]) == key

    def _distinct(self) -> npt.NDArray[np.int64]:
        if self._now is None:
            self._now = np.unique(np.frombuffer(self._ids, np.int64))
        return self._now


def _versioned(passage: Passage, version: str) -> Passage:
    return passage._replace(metadata={**passage.metadata, "version": version})


def _columns(found: Sequence[Passage]) -> tuple[list[str], list[str], list[Mapping[str, Any]]]:
    return [one.text for one in found], [one.id for one in found], [one.metadata for one in found]


def _hash(name: str) -> int:
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little", signed=True)


def _version(path: Path, settings: str, known: str | None) -> str:
    """``settings-size-time-hash``; the hash is taken from the known version where size and time are its own."""
    status = path.stat()
    quick = f"{settings}-{status.st_size}-{status.st_mtime_ns}"
    if known is not None and known.startswith(quick + "-"):
        return known
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()[:32]
    if known is not None and known.startswith(settings + "-") and known.endswith("-" + digest):
        return known
    return f"{quick}-{digest}"


def _inside(folder: str) -> str:
    """What the names of all files in a folder begin with."""
    return "" if folder == "." else folder.rstrip("/") + "/"


def _each(paths: str | Path | Sequence[str | Path]) -> list[str | Path]:
    return [paths] if isinstance(paths, str | Path) else list(paths)
