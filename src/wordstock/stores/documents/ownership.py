"""One id, one file: which passages with ids of the user's another file has already."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from wordstock.corpus.report import ReadReport
from wordstock.errors import FormatError
from wordstock.stores.documents.document import Passage
from wordstock.stores.documents.writing import PassageStore

__all__ = ["Ownership"]


class Ownership:
    """Decides whose an id is: the file's that the store has it of, unless that file is gone or still to be read again.

    Parameters
    ----------
    store : which has the ids.
    report : told of ids that two files have: damage once for two files, all rows counted as left out.
    paths : of the files of this run, by name.
    lives : whether a file, by name, is there with what the store has of it.
    """

    def __init__(
        self, store: PassageStore, report: ReadReport, paths: dict[str, Path], lives: Callable[[str], bool]
    ) -> None:
        self._store, self._report, self._paths, self._lives = store, report, paths, lives
        self.contested: set[str] = set()  # files of which rows were left out
        self._told: set[tuple[str, str]] = set()
        self._refused = ("", "")  # the file and id of the row that was left out last

    def allowed(self, found: Sequence[Passage]) -> tuple[list[Passage], dict[str, set[str]]]:
        """The passages that no other file has, and the marks that they take from files that have them no more.

        Raises
        ------
        FormatError
            An id that two files have, where the reading is strict.
        """
        ids = list(dict.fromkeys(passage.id for passage in found))
        stored = {row.id: row for row in self._store.get(ids) if row is not None}
        owners = {name: str(row.metadata["source"]) for name, row in stored.items() if "source" in row.metadata}
        taken: dict[str, set[str]] = {}
        allowed: list[Passage] = []
        for passage in found:
            name = str(passage.metadata["source"])
            if self._refused[0] == name and passage.id.startswith(self._refused[1] + "#"):
                continue  # a further passage of the same row
            owner = owners.get(passage.id, name)
            if owner != name and self._lives(owner):
                self._refuse(passage.id, name, owner)
                continue
            if owner != name and "version" in stored[passage.id].metadata:
                taken.setdefault(owner, set()).add(passage.id)
            owners[passage.id] = name
            allowed.append(passage)
        return allowed, taken

    def _refuse(self, name: str, file: str, owner: str) -> None:
        self._refused = (file, name)
        self.contested.add(file)
        self._report.left_out["row whose id another file has"] += 1
        if (file, owner) not in self._told:
            self._told.add((file, owner))
            found = f"{name!r}, which {owner} has too"
            remedy = "its rows with such ids are left out; rename them, or index the files into two stores"
            self._report.damage(
                FormatError(self._paths[file], expected="ids that no other file has", found=found, remedy=remedy)
            )
