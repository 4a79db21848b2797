"""Analogy sets in the layouts in which they are published.

google
    ``: section`` lines, and four words in every other line (Mikolov et al. 2013, questions-words.txt).
msr
    A questions file with three words per line, and beside it a file of the same name ending in ``.answers`` with a
    relation and the fourth word per line: ``JJ_JJR rougher`` (Mikolov, Yih & Zweig 2013).
csv
    A header with the columns ``word1,word2,word3,target`` and perhaps ``type``; other columns are ignored.
bats
    A file per relation, or a folder of folders of them; every line holds a word and its right answers,
    ``word<TAB>first/second`` (Gladkova, Drozd & Matsuoka 2016). All ordered pairs of lines are asked: the first line's
    word is to its first answer as the second line's word is to any of its answers.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal, get_args

from wordstock._paths import user_path
from wordstock.errors import FormatError, InputError
from wordstock.evaluate.lines import Line, csv_cells, read_lines
from wordstock.evaluate.sets import AnalogySection, AnalogySet, Question

__all__ = ["AnalogyLayout", "find_analogy_layout", "read_analogies"]

AnalogyLayout = Literal["google", "msr", "csv", "bats"]

_MOST_PAIRS = 1000  # in one relation, whose ordered pairs are all asked; BATS has 50
_COLUMNS = ("word1", "word2", "word3", "target")


def read_analogies(path: Path | str, *, layout: AnalogyLayout | None = None, name: str | None = None) -> AnalogySet:
    """Read an analogy set.

    Parameters
    ----------
    path : a file; for "msr" the questions file or the folder that holds it; for "bats" a file or a folder.
    layout : see the module's text; None tells by the content.
    name : of the set; None takes the file's.

    Raises
    ------
    FormatError
        No question, or a line that the layout does not allow; names the line.
    InputError
        An unknown layout.
    """
    if layout is not None and layout not in get_args(AnalogyLayout):
        raise InputError(f"layout={layout!r}: known are {', '.join(get_args(AnalogyLayout))}")
    path = user_path(path)
    chosen = layout or find_analogy_layout(path)
    if chosen is None:
        raise FormatError(
            path,
            expected="analogy questions",
            found="lines of another kind",
            remedy=f"name the layout if it is one of {', '.join(get_args(AnalogyLayout))}",
        )
    readers: dict[AnalogyLayout, Callable[[Path], dict[str, list[Question]]]] = {
        "google": _google,
        "msr": _msr,
        "csv": _csv,
        "bats": _bats,
    }
    sections = readers[chosen](path)
    if not any(sections.values()):
        raise FormatError(path, expected="at least one question", found="none")
    return AnalogySet(
        name or (path.name if path.is_dir() else path.stem),
        tuple(AnalogySection(section, tuple(questions)) for section, questions in sections.items()),
    )


def find_analogy_layout(path: Path) -> AnalogyLayout | None:
    """The layout that the first line fits; None if there is none."""
    if path.is_dir():
        return "msr" if _question_files(path) else "bats"
    lines = read_lines(path)[:1]
    if not lines:
        return None
    if lines[0].text.startswith(":"):
        return "google"
    if set(_COLUMNS) <= set(_header(lines[0])):
        return "csv"
    if path.suffix == ".questions" or path.with_suffix(".answers").is_file():
        return "msr"
    by_count: dict[int, AnalogyLayout] = {2: "bats", 4: "google"}
    return by_count.get(len(lines[0].text.split()))


def _google(path: Path) -> dict[str, list[Question]]:
    sections: dict[str, list[Question]] = {}
    questions: list[Question] | None = None
    for line in read_lines(path):
        if line.text.startswith(":"):
            questions = sections.setdefault(line.text.lstrip(":").strip(), [])
            continue
        if questions is None:
            raise _malformed(path, line, "a section line", remedy="start the file with a line such as ': all'")
        words = line.text.split()
        if len(words) != 4:
            raise _malformed(path, line, "four words, or a section line that starts with ':'")
        questions.append(Question(words[0], words[1], words[2], (words[3],)))
    return sections


def _msr(path: Path) -> dict[str, list[Question]]:
    if path.is_dir():
        files = _question_files(path)
        if len(files) != 1:
            raise FormatError(path, expected="one *.questions file", found=str(len(files)), remedy="name the file")
        path = files[0]
    answer_path = path.with_suffix(".answers")
    if not answer_path.is_file():
        raise FormatError(path, expected=f"the answers in {answer_path.name} beside it", found="no such file")
    asked, answered = read_lines(path), read_lines(answer_path)
    if len(asked) != len(answered):
        raise FormatError(answer_path, expected=f"{len(asked)} answers, one per question", found=str(len(answered)))
    sections: dict[str, list[Question]] = {}
    for question, answer in zip(asked, answered, strict=True):
        words, right = question.text.split(), answer.text.split()
        if len(words) != 3:
            raise _malformed(path, question, "three words")
        if len(right) != 2:
            raise _malformed(answer_path, answer, "a relation and a word")
        sections.setdefault(right[0], []).append(Question(words[0], words[1], words[2], (right[1],)))
    return sections


def _csv(path: Path) -> dict[str, list[Question]]:
    lines = read_lines(path)
    header = _header(lines[0]) if lines else []
    absent = [column for column in _COLUMNS if column not in header]
    if absent:
        number = lines[0].number if lines else None
        raise FormatError(path, expected=f"a header with {', '.join(_COLUMNS)}", found=f"no {absent[0]}", line=number)
    places = [header.index(column) for column in _COLUMNS]
    kind = header.index("type") if "type" in header else None
    sections: dict[str, list[Question]] = {}
    for line in lines[1:]:
        cells = [cell.strip() for cell in csv_cells(line, path)]
        if len(cells) != len(header) or not all(cells[place] for place in places):
            raise _malformed(path, line, f"{len(header)} cells with four words among them")
        a, b, c, answer = (cells[place] for place in places)
        sections.setdefault("" if kind is None else cells[kind], []).append(Question(a, b, c, (answer,)))
    return sections


def _bats(path: Path) -> dict[str, list[Question]]:
    if not path.is_dir():
        return {path.stem: _all_pairs(path)}
    files = sorted(path.rglob("*.txt"))
    if not files:
        raise FormatError(path, expected="*.txt files, one per relation", found="none")
    return {file.relative_to(path).with_suffix("").as_posix(): _all_pairs(file) for file in files}


def _all_pairs(path: Path) -> list[Question]:
    entries = []
    for line in read_lines(path):
        cells = line.text.split("\t") if "\t" in line.text else line.text.split()
        answers = tuple(answer.strip() for answer in cells[-1].split("/") if answer.strip())
        if len(cells) != 2 or not cells[0].strip() or not answers:
            raise _malformed(path, line, "a word and its answers, separated by a tab")
        entries.append((cells[0].strip(), answers))
    if len(entries) > _MOST_PAIRS:
        raise FormatError(
            path,
            expected=f"at most {_MOST_PAIRS:,} pairs in a relation, since all pairs of them are asked",
            found=f"{len(entries):,}",
            remedy="split the file, or see whether it is an analogy set at all",
        )
    return [
        Question(a, right[0], c, answers)
        for i, (a, right) in enumerate(entries)
        for j, (c, answers) in enumerate(entries)
        if i != j
    ]


def _question_files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.questions"))


def _header(line: Line) -> list[str]:
    return [cell.strip().strip('"').lower() for cell in line.text.split(",")]


def _malformed(path: Path, line: Line, expected: str, remedy: str = "") -> FormatError:
    return FormatError(path, expected=expected, found=f"{line.text!r:.80}", line=line.number, remedy=remedy)
