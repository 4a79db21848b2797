"""A store kept in step with files on disk: only what has changed is read and encoded, and what is gone is deleted.

Killed at any moment, the next run finds which files are not finished and reads those again, and the store encodes only
the texts that it does not have yet; how that is known is told in ``wordstock.stores.documents.writing``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import NamedTuple

from wordstock._paths import user_path
from wordstock.corpus.folder import corpus_files, no_files
from wordstock.corpus.report import ReadReport
from wordstock.corpus.source import STDIN
from wordstock.errors import FormatError, InputError
from wordstock.stores.checking import check_columns
from wordstock.stores.documents.chunking import ChunkSettings, TokenCounter
from wordstock.stores.documents.document import Passage, passages
from wordstock.stores.documents.filestate import CONTESTED, FileState, version_of, versioned
from wordstock.stores.documents.ownership import Ownership
from wordstock.stores.documents.reading import ReadOptions, read_documents
from wordstock.stores.documents.writing import BATCH, PassageStore, PassageWriter

__all__ = ["SyncReport", "sync_files"]


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
    is given, all of them if need be, are deleted from the store. Of two files that have one id of the user's, the store
    keeps the row of the one that it had first; the other's is reported as damage and left out, as is a row that no
    store can hold. Memory does not grow with the number of passages, but for 8 bytes for each of one changed file.

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
        self._base = None if base is None else user_path(base, "base").resolve()
        self._progress = progress
        settings = repr([asdict(options), asdict(chunks), count is not None])
        self._settings = hashlib.sha256(settings.encode()).hexdigest()[:12]
        self._report = SyncReport()
        self._writer = PassageWriter(store)
        self._before = self._here = self._total = 0  # bytes of the files that are done, of this one, and of all
        self._open: list[Passage] = []
        self._open_ids: dict[str, str] = {}  # with the file that each is of
        self._done: list[FileState] = []
        self._files: dict[str, Path] = {}
        self._marks: dict[str, list[_Mark]] = {}  # of those files that the store knows, and of those that are gone
        self._due: set[str] = set()  # files that have changed and are still to be read
        self._ownership = Ownership(store, self._report.read, self._files, self._lives)

    def run(self, paths: str | Path | Sequence[str | Path], *, reread: bool, strict: bool) -> SyncReport:
        report = self._report
        report.read.strict = strict
        found = corpus_files(paths, report.read, empty=True)
        in_folder: dict[str, bool] = {}
        for path, inside in found:
            if path == STDIN:
                raise InputError("standard input has no name to keep passages under; give files or folders")
            name = self._name(path)
            self._files.setdefault(name, path)
            in_folder.setdefault(name, inside)
        sizes = {name: path.stat().st_size for name, path in self._files.items()}
        self._total = sum(sizes.values())
        given = map(user_path, _each(paths))
        folders = {one: _inside(self._name(one)) for one in given if one.is_dir()}
        self._find_marks(tuple(folders.values()))
        for folder, begin in folders.items():
            if not any(name.startswith(begin) for name in self._marks) and not any(
                path.is_relative_to(folder) for path, _ in found
            ):
                raise no_files(folder)
        versions = self._changed(reread=reread)
        for name, size in sizes.items():
            if name in versions:
                self._file(name, versions[name], in_folder=in_folder[name])
            self._before += size
            self._here = 0
        self._write()
        gone = [name for name in self._marks if name not in self._files]
        if gone:
            self._writer.remove(gone)
            report.removed += gone
        report.passages, report.left_out = self._writer.passages, self._writer.left_out
        report.deleted = self._writer.deleted
        return report

    def _name(self, path: Path) -> str:
        whole = path.resolve()
        if self._base is None:
            return whole.as_posix()
        if not whole.is_relative_to(self._base):
            raise InputError(f"{path} is not in the folder {self._base}, relative to which files are named")
        return whole.relative_to(self._base).as_posix()

    def _find_marks(self, inside: tuple[str, ...]) -> None:
        """The marks that the store has of files that are given or lie in a folder that is given."""
        for row in self._store.rows(where={"version": {"exists": True}}):
            name = str(row.metadata.get("source", ""))
            if name in self._files or (inside and name.startswith(inside)):
                self._marks.setdefault(name, []).append(_Mark(row.id, str(row.metadata["version"])))

    def _changed(self, *, reread: bool) -> dict[str, str]:
        """The files to be read, with their versions."""
        versions: dict[str, str] = {}
        for name, path in self._files.items():
            known = [mark.version for mark in self._marks.get(name, [])]
            try:
                before = known[0].removesuffix(CONTESTED) if len(known) == 1 else None
                version = version_of(path, self._settings, before)
            except OSError:
                before, version = None, ""  # it is told when the file is read
            if known == [version] and version and not reread:
                self._report.unchanged.append(name)
            else:
                versions[name] = version
            if before != version:
                self._due.add(name)
        return versions

    def _lives(self, name: str) -> bool:
        """Whether a file is there, with those passages that the store has of it."""
        if name in self._files:
            return name not in self._due
        return (self._base or Path("/")).joinpath(name).exists()

    def _file(self, name: str, version: str, *, in_folder: bool) -> None:
        path = self._files[name]
        alone = name in self._marks and self._options.id_field is not None
        if alone:
            self._write()  # what the store has of this file may change; then the next file is to find it changed
        self._due.discard(name)
        if not self._storable(name, path, in_folder=in_folder):
            return
        one = FileState(name, version, [mark.id for mark in self._marks.get(name, [])])
        try:
            for passage in self._passages(one, path):
                if self._open_ids.get(passage.id, name) != name:
                    self._write(one)  # then the store tells whose it is
                self._open_ids[passage.id] = name
                self._open.append(passage)
                if len(self._open) + len(self._done) >= BATCH:
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
        if alone:
            self._write()

    def _storable(self, name: str, path: Path, *, in_folder: bool) -> bool:
        """Whether rows can bear the file's name."""
        try:
            check_columns(["-" if self._options.id_field else f"{name}#"], None, [{"source": name}], [0])
        except InputError as error:
            wrong = FormatError(
                path, expected="a path that rows can be named by", found=str(error), remedy="shorten it"
            )
            if not in_folder:
                raise wrong from None
            self._report.read.damage(wrong)
            return False
        return True

    def _passages(self, one: FileState, path: Path) -> Iterator[Passage]:
        """Those of a file that a store can hold; the first other one of a document is told."""

        def told(done: int, _: int) -> None:
            self._here = done
            self._tell()

        report = self._report.read
        for document in read_documents(path, self._options, source=one.name, report=report, progress=told):
            wrong: str | None = None
            for passage in passages(document, self._chunks, count=self._count):
                whole = versioned(passage, one.version + CONTESTED)
                try:
                    check_columns([whole.id], [whole.text], [whole.metadata], [document.line])
                except InputError as error:
                    wrong = wrong or str(error)
                else:
                    yield passage
            if wrong:
                line = document.line or None
                report.damage(FormatError(path, line=line, expected="text that a store can hold", found=wrong))

    def _write(self, reading: FileState | None = None) -> None:
        """Write the open passages, and complete those files that are done."""
        found, self._open, self._open_ids = self._open, [], {}
        done, self._done = self._done, []
        if self._options.id_field is not None:
            found, taken = self._ownership.allowed(found)
            for name, ids in taken.items():
                left = [mark for mark in self._marks.get(name, []) if mark.id not in ids]
                moved = [] if left else self._writer.move_mark(name, {passage.id for passage in found})
                if name in self._marks:  # else it is gone from a folder that was not given
                    self._marks[name] = left + [_Mark(one, "") for one in moved]
            for one in [*done, *([reading] if reading else [])]:
                if one.name in self._ownership.contested:
                    one.version = one.version.removesuffix(CONTESTED) + CONTESTED
        self._writer.write(found, done, reading)
        for one in done:
            contested = one.name in self._ownership.contested
            if one.known and not (contested and one.written == 0):
                self._report.changed.append(one.name)
            elif one.marks and not one.known:
                self._report.added.append(one.name)
            elif contested:
                self._report.unchanged.append(one.name)
        self._tell()

    def _tell(self) -> None:
        if self._progress is not None:
            self._progress(self._before + self._here, self._total, self._writer.passages)


class _Mark(NamedTuple):
    """The passage that tells a file's version."""

    id: str
    version: str


def _inside(folder: str) -> str:
    """What the names of all files in a folder begin with."""
    return "" if folder == "." else folder.rstrip("/") + "/"


def _each(paths: str | Path | Sequence[str | Path]) -> list[str | Path]:
    return [paths] if isinstance(paths, str | Path) else list(paths)
