"""The passages of files into a store, in an order that lets a run be killed between any two requests.

Every file has one passage, its mark, whose metadata also has ``version``: of the file and of the settings with which it
was cut. Before anything else of the file is written or deleted, its mark says "", and it says the version once all
passages are in the store and those of an earlier state are not. In between the marks that the store has are neither
written anew nor deleted: the encoder may know no word of what their text has become, and the store would then delete
them, while rows that no mark tells of are never found again.
"""

from __future__ import annotations

import warnings
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Protocol

from wordstock.protocols import Filter, Row
from wordstock.stores.adding import AddReport
from wordstock.stores.documents.document import Passage
from wordstock.stores.documents.filestate import CONTESTED, FileState, versioned

__all__ = ["BATCH", "PassageStore", "PassageWriter"]

BATCH = 4096  # passages held and written at once


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


class PassageWriter:
    """Writes passages, and counts them.

    Parameters
    ----------
    store : into which.
    passages, left_out, deleted : as in ``SyncReport``.
    """

    def __init__(self, store: PassageStore) -> None:
        self._store = store
        self.passages = self.left_out = self.deleted = 0

    def write(self, found: Sequence[Passage], done: Sequence[FileState], reading: FileState | None) -> None:
        """Write passages; files that are done lose what is left of an earlier state, and get their version."""
        files = {one.name: one for one in [*done, *([reading] if reading else [])]}
        before = self.passages + self.deleted
        others = [other for passage in found for other in files[str(passage.metadata["source"])].take(passage)]
        self._add_others(self._begin(files, others), files)
        known = {one.name: one for one in done if one.known}
        if known and self._any_stale(known):
            rows = self._store.rows(where={"source": {"in": list(known)}})
            self._delete([row.id for row in rows if not known[str(row.metadata["source"])].has(row.id)])
        self._finish(done)
        for one in files.values():
            one.written += self.passages + self.deleted - before

    def remove(self, names: Sequence[str]) -> None:
        """Delete all passages of these files, their marks last."""
        marks: list[Row] = []
        others: list[str] = []
        for row in self._store.rows(where={"source": {"in": list(names)}}):
            if "version" in row.metadata:
                marks.append(row)
            else:
                others.append(row.id)
        if others:
            self._blank(marks)
        self._delete([*others, *(row.id for row in marks)])

    def move_mark(self, name: str, taken: set[str]) -> list[str]:
        """Let another row than those taken be the mark of a file that is not being read; returns its id, if any."""
        rows = (row for row in self._store.rows(where={"source": name}) if row.id not in taken)
        far = list(deque(islice(rows, 2 * BATCH), 1))  # not the first one, which may be taken next
        self._blank(far)
        return [row.id for row in far]

    def _begin(self, files: Mapping[str, FileState], found: Sequence[Passage]) -> Sequence[Passage]:
        """Let every file have a mark without version; returns the passages that are not marks."""
        opened = [one for one in files.values() if not one.begun]
        self._open([one for one in opened if one.marks])
        new = [one for one in opened if not one.marks]
        tried = [passage for one in new for passage in one.held.values()]
        for passage, there in zip(tried, self._marked(tried), strict=True):
            one = files[str(passage.metadata["source"])]
            if there:
                one.marks[passage.id] = passage
            else:  # then the first of which the encoder knows a word
                found = [one.held.pop(passage.id), *found]
        for one in new:
            if not one.marks:
                own = list(
                    {passage.id: passage for passage in found if passage.metadata["source"] == one.name}.values()
                )
                mark = next((passage for passage, there in zip(own, self._marked(own), strict=True) if there), None)
                if mark is not None:
                    one.marks[mark.id] = one.held[mark.id] = mark
                    found = [passage for passage in found if passage.id != mark.id]
            one.begun = bool(one.marks)
        return found

    def _open(self, known: Sequence[FileState]) -> None:
        """Take the versions from the marks that files have."""
        rows = iter(self._store.get([name for one in known for name in one.marks]))
        found: list[Row] = []
        for one in known:
            rows_of = [row for _, row in zip(one.marks, rows, strict=False) if row is not None]
            own = [row for row in rows_of if row.metadata.get("source") == one.name]
            one.marks = {row.id: _passage(row) for row in own}
            one.begun = bool(own)
            found += own
        self._blank(found)

    def _finish(self, done: Sequence[FileState]) -> None:
        """Write what was held back, give one mark of each file the version, and delete the others."""
        others = self._others([one for one in done if one.marks and one.sure is None and one.stored != 0])
        self._blank(list(others.values()))
        plain: list[Passage] = []
        last = {True: list[Passage](), False: list[Passage]()}  # by whether the store had them
        gone: list[str] = []
        for one in done:
            mark = one.sure
            if one.name not in others and mark is None and one.held:  # the file has no other row
                mark = self._any_of(one)
            plain += [passage for passage in one.held.values() if passage is not mark]
            if mark is not None:
                last[one.had(mark)].append(versioned(mark, one.version))
            gone += [name for name in one.marks if name not in one.held]
        versions = {one.name: one.version for one in done}
        last[True] += [versioned(_passage(row), versions[name]) for name, row in others.items()]
        self._add(plain)
        self._delete(gone)
        self._add(last[False])
        self._stored(last[True])

    def _any_of(self, one: FileState) -> Passage:
        """A held passage that the store takes, else the last one."""
        *some, last = one.held.values()
        return next((passage for passage in some if self._marked([passage])[0]), last)

    def _others(self, files: Sequence[FileState]) -> dict[str, Row]:
        """A row of each file that is no mark and none of those held back."""
        rows = iter(self._store.get([name for one in files for name in one.some]))
        found: dict[str, Row] = {}
        for one in files:
            few = [row for _, row in zip(one.some, rows, strict=False) if row is not None]
            row = _other(one, few) or _other(one, self._store.rows(where={"source": one.name}))
            if row is not None:
                found[one.name] = row
        return found

    def _blank(self, rows: Sequence[Row]) -> None:
        """Let rows that the store has be marks without a version."""
        told = ((row, str(row.metadata.get("version", "none"))) for row in rows)
        self._marked([_passage(row) for row, version in told if version and not version.endswith(CONTESTED)])

    def _marked(self, found: Sequence[Passage]) -> list[bool]:
        """Write passages as marks without a version; which of them the store has now."""
        return self._stored([versioned(passage, "") for passage in found])

    def _stored(self, found: Sequence[Passage]) -> list[bool]:
        """Write passages that are counted elsewhere; which of them the store has now."""
        if not found:
            return []
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".* hold no word that the encoder knows")
            report = self._store.add(*_columns(found))
        if not report.left_out:
            return [True] * len(found)
        return [row is not None for row in self._store.get([one.id for one in found])]

    def _add_others(self, found: Sequence[Passage], files: Mapping[str, FileState]) -> None:
        """Write passages; their files learn how many of theirs the store has, where that can be told."""
        counts = Counter(str(passage.metadata["source"]) for passage in found)
        report = self._add(found)
        for name, count in counts.items():
            one, alone = files[name], len(counts) == 1
            if one.stored is not None:
                told = alone or not report.left_out
                one.stored = one.stored + (report.added + report.unchanged if alone else count) if told else None

    def _any_stale(self, files: Mapping[str, FileState]) -> bool:
        """Whether the store has rows of these files that are not in them any more: a count is faster than a walk."""
        if any(one.stored is None or one.doubled for one in files.values()):
            return True
        now = sum((one.stored or 0) + len(one.marks) for one in files.values())
        return self._store.count({"source": {"in": list(files)}}) != now

    def _delete(self, ids: Sequence[str]) -> None:
        for at in range(0, len(ids), BATCH):
            self.deleted += self._store.delete(ids[at : at + BATCH])

    def _add(self, found: Sequence[Passage]) -> AddReport:
        """Write passages; the store leaves out those of which the encoder knows no word."""
        if not found:
            return AddReport()
        report = self._store.add(*_columns(found))
        self.passages += report.added
        self.left_out += report.left_out
        return report


def _other(one: FileState, rows: Iterable[Row]) -> Row | None:
    own = (row for row in rows if row.metadata.get("source") == one.name)
    return next((row for row in own if row.id not in one.marks and row.id not in one.held), None)


def _passage(row: Row) -> Passage:
    return Passage(row.id, row.text, dict(row.metadata))


def _columns(found: Sequence[Passage]) -> tuple[list[str], list[str], list[Mapping[str, Any]]]:
    return [one.text for one in found], [one.id for one in found], [one.metadata for one in found]
