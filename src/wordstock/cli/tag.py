"""``wordstock tag train | predict | evaluate``: tagged sentences in, a tagger file out."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from wordstock._files import atomic_write
from wordstock._paths import user_path
from wordstock._wording import counted
from wordstock.cli.labelled_data import naming_lines
from wordstock.cli.nearest import DEFAULT_MODEL
from wordstock.cli.outputs import check_output
from wordstock.cli.spelling import Verb
from wordstock.cli.train_progress import Steps, duration
from wordstock.errors import InputError

if TYPE_CHECKING:
    from wordstock.tasks.tagging import Epoch, Scheme, SequenceTagger, SpanScores, TaggedSentences

__all__ = ["read_tagged", "tag_app"]

tag_app = typer.Typer(
    help="Train a tagger of names, parts of speech and the like, use it, measure it.", no_args_is_help=True
)

_CONLLU = ".conllu"

Data = Annotated[Path, typer.Argument(help="A column file (CoNLL: a word and its tag a line) or .conllu.")]
Saved = Annotated[Path, typer.Argument(help="A tagger written by `tag train`.")]
WordColumn = Annotated[int, typer.Option(help="Column of the word in a column file, from 0.")]
TagColumn = Annotated[
    str, typer.Option(help="Column of the tag: a number, -1 for the last; in .conllu upos, xpos, misc:KEY, ...")
]
Repair = Annotated[bool, typer.Option("--repair", help="Mend inconsistent tags instead of refusing them.")]
Encoding = Annotated[str, typer.Option(help="Of a column file, such as latin-1.")]
Override = Annotated[
    list[str] | None, typer.Option("--model", "-m", help="The vectors it was trained with, where they have moved.")
]


@tag_app.command(cls=Verb)
def train(
    data: Data,
    output: Annotated[Path, typer.Option("--output", "-o", help="Where to write the tagger (.safetensors).")],
    encoder: Annotated[
        list[str] | None,
        typer.Option("--model", "-m", help="A registered name or a path to vectors; given twice, both are stacked."),
    ] = None,
    validation: Annotated[
        Path | None, typer.Option("--validation", "-d", help="Tagged sentences that choose the best epoch.")
    ] = None,
    model: Annotated[str, typer.Option("--kind", help="bilstm-crf, crf (quick), or finetune (trains the model).")] = (
        "bilstm-crf"
    ),
    characters: Annotated[str, typer.Option(help="Of each word: hashed affixes, cnn, or none.")] = "hashed",
    epochs: Annotated[int | None, typer.Option(min=1, help="Chosen by the number of sentences if left out.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="At its height.")] = None,
    tag_column: TagColumn = "-1",
    word_column: WordColumn = 0,
    repair: Repair = False,
    encoding: Encoding = "utf-8-sig",
    seed: Annotated[int, typer.Option(help="Seed of the weights, the order and the dropout.")] = 0,
) -> None:
    """Learn from tagged sentences and write a tagger."""
    from wordstock.tasks.tagging import SequenceTagger

    names = encoder or [DEFAULT_MODEL]
    check_output(output, data, validation, *names)
    options: dict[str, Any] = {"word_column": word_column, "repair": repair, "encoding": encoding}
    read = read_tagged(data, tag_column, **options)
    held = None if validation is None else read_tagged(validation, tag_column, **options)
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    tagger = SequenceTagger(
        _encoder(names),
        model=model,  # type: ignore[arg-type]  # checked by fit
        characters=characters,  # type: ignore[arg-type]
        epochs=epochs,
        learning_rate=learning_rate,
        scheme=read.scheme,
        repair=repair,
        seed=seed,
    )
    with Steps(console, "learning") as steps, naming_lines(validation or data, (held or read).lines):

        def told(epoch: Epoch) -> None:
            steps.at(epoch.number / epoch.epochs, _line(epoch))

        tagger.fit(
            read.sentences,
            read.tags,
            validation=None if held is None else (held.sentences, held.tags),
            progress=told,
        )
    tagger.save(output)
    last = tagger.history_[-1]
    console.print(
        f"learned {counted(len(tagger.tagset_.labels), 'label')} ({read.scheme.upper()}) from "
        f"{counted(len(read.sentences), 'sentence')} with {' + '.join(names)} in {duration(last.seconds)}",
        markup=False,
    )
    scores = [one.score for one in tagger.history_ if one.score is not None]
    if scores:
        best = scores.index(max(scores)) + 1
        console.print(f"best of {len(scores)} epochs on the validation sentences: {max(scores):.4f} in epoch {best}")
    console.print(f"wrote {output}", markup=False)


@tag_app.command(cls=Verb)
def predict(
    saved: Saved,
    data: Annotated[Path, typer.Argument(help="Raw text (.txt, UTF-8), a column file, or .conllu.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Where to write; standard output if left out.")
    ] = None,
    spans: Annotated[
        bool, typer.Option("--spans", help="Of raw text: one JSON object a line with the spans and their characters.")
    ] = False,
    model: Override = None,
    word_column: WordColumn = 0,
    encoding: Encoding = "utf-8-sig",
) -> None:
    """Tag the words of raw text or of a file; writes a word and its tag a line, or spans."""
    if output is not None:
        check_output(output, data, saved, *(model or []))
    tagger = _load(saved, model)
    if data.suffix.lower() == ".txt":
        written = _tagged_text(tagger, data, spans, encoding)
    elif spans:
        raise InputError(f"--spans wants raw text (.txt), not {data}")
    else:
        sentences = read_tagged(data, None, word_column=word_column, encoding=encoding).sentences
        written = _columns(sentences, tagger.predict(sentences))
    if output is None:
        sys.stdout.write(written)
    else:
        with atomic_write(output) as stream:
            stream.write(written.encode())


@tag_app.command(cls=Verb)
def evaluate(
    saved: Saved,
    data: Data,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of a table.")] = False,
    model: Override = None,
    tag_column: TagColumn = "-1",
    word_column: WordColumn = 0,
    repair: Repair = False,
    encoding: Encoding = "utf-8-sig",
) -> None:
    """Compare answers with the tags of a file: precision, recall and F1 of spans, as conlleval counts them."""
    tagger = _load(saved, model)
    read = read_tagged(
        data, tag_column, word_column=word_column, repair=repair, encoding=encoding, scheme=tagger.tagset_.scheme
    )
    with naming_lines(data, read.lines):
        scores = tagger.evaluate(read.sentences, read.tags)
    if as_json:
        told = scores.to_dict() | {"sentences": len(read.sentences)}
        typer.echo(json.dumps(told, ensure_ascii=False, indent=2))
    else:
        _show(scores, len(read.sentences), tagger.tagset_.scheme)


def read_tagged(path: Path, tag_column: str | None, *, word_column: int = 0, **options: Any) -> TaggedSentences:
    """Tagged sentences of a column file or .conllu; errors as their readers'."""
    from wordstock.tasks.tagging import read_conll, read_conllu

    if path.suffix.lower() == _CONLLU:
        options.pop("encoding", None)
        return read_conllu(path, column="upos" if tag_column == "-1" else tag_column, **options)
    column = None
    if tag_column is not None:
        try:
            column = int(tag_column)
        except ValueError:
            raise InputError(f"--tag-column {tag_column}: {path} is a column file; give a number, from 0") from None
    return read_conll(path, word_column=word_column, tag_column=column, **options)


def _encoder(names: list[str]) -> Any:
    if len(names) == 1:
        return names[0]
    from wordstock.encoders.stack import stack
    from wordstock.hub import load

    return stack([load(name) for name in names])


def _load(saved: Path, model: list[str] | None) -> SequenceTagger:
    from wordstock.tasks.tagging import SequenceTagger

    return SequenceTagger.load(saved, encoder=_encoder(model) if model else None)


def _line(epoch: Epoch) -> str:
    score = "" if epoch.score is None else f", validation {epoch.score:.4f}"
    return f"epoch {epoch.number} of {epoch.epochs}, loss {epoch.loss:.3f}{score}"


def _columns(sentences: list[list[str]], tags: list[list[str]]) -> str:
    blocks = (
        "".join(f"{word}\t{tag}\n" for word, tag in zip(words, one, strict=True))
        for words, one in zip(sentences, tags, strict=True)
    )
    return "\n".join(blocks)


def _tagged_text(tagger: SequenceTagger, path: Path, spans: bool, encoding: str) -> str:
    from wordstock.tasks.tagging.conll import numbered_lines

    lines = [line for _, line in numbered_lines(user_path(path), encoding) if line.strip()]
    if not lines:
        raise InputError(f"{path} holds no text")
    if not spans:
        sentences = [words for line in lines for words in tagger.split(line).sentences]
        return _columns(sentences, tagger.predict(sentences))
    found = tagger.predict_spans(lines)
    return "".join(
        json.dumps({"text": line, "spans": [span._asdict() for span in one]}, ensure_ascii=False) + "\n"
        for line, one in zip(lines, found, strict=True)
    )


def _show(scores: SpanScores, sentences: int, scheme: Scheme) -> None:
    console = Console(highlight=False)
    console.print(f"sentences      {sentences:,}")
    console.print(f"words          {scores.words:,}")
    console.print(f"word accuracy  {scores.accuracy:.4f}")
    table = Table("label" if scheme == "plain" else "type")
    for column in ("precision", "recall", "F1", "words" if scheme == "plain" else "spans", "found", "correct"):
        table.add_column(column, justify="right")
    rows = [*scores.types.items(), ("all", scores)]
    for number, (name, one) in enumerate(rows):
        if number == len(rows) - 1:
            table.add_section()
        shares = (f"{100 * share:.2f}" for share in (one.precision, one.recall, one.f1))
        table.add_row(escape(name), *shares, f"{one.gold:,}", f"{one.found:,}", f"{one.correct:,}")
    console.print(table)
