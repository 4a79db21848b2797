"""``wordstock classify train-ngrams | calibrate``: fastText's classifier, and what held-out texts add to any."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from wordstock._wording import counted
from wordstock.cli.labelled_data import naming_lines, read_data
from wordstock.cli.outputs import check_output
from wordstock.errors import InputError

if TYPE_CHECKING:
    from wordstock.tasks import NgramClassifier, TextClassifier
    from wordstock.train import Progress

__all__ = ["calibrate", "load_classifier", "train_ngrams"]

Data = Annotated[
    Path,
    typer.Argument(help="Lines with __label__ tokens as fastText has them, plain or compressed; .csv, .tsv, .jsonl."),
]
TextColumn = Annotated[str, typer.Option(help="Column or key of the text.")]
LabelColumn = Annotated[str, typer.Option(help="Column or key of the label.")]
Separator = Annotated[str | None, typer.Option(help="Several labels per text: what stands between them, such as '|'.")]
_FASTTEXT = (".bin",)


def train_ngrams(
    data: Data,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Where to write the classifier: .safetensors, or fastText's .bin.")
    ],
    epochs: Annotated[int, typer.Option(help="Passes over the texts; 25 for a few thousand.")] = 5,
    learning_rate: Annotated[float, typer.Option(help="Of the first text; 0.5 for a few thousand.")] = 0.1,
    dim: Annotated[int | None, typer.Option(help="Length of the rows; 100, or that of --init.")] = None,
    word_ngrams: Annotated[int, typer.Option(help="Longest n-grams of words.")] = 1,
    min_count: Annotated[int, typer.Option(help="Rarer words get no row.")] = 1,
    min_n: Annotated[int, typer.Option(help="Shortest n-grams of characters.")] = 0,
    max_n: Annotated[int, typer.Option(help="Longest n-grams of characters; 0 = none.")] = 0,
    buckets: Annotated[int, typer.Option(help="N-grams are hashed to that many.")] = 2_000_000,
    loss: Annotated[
        str, typer.Option(help="softmax, ova (several labels), hs (thousands of labels) or ns.")
    ] = "softmax",
    negative: Annotated[int, typer.Option(help="Drawn labels to a text with --loss ns.")] = 5,
    init: Annotated[str | None, typer.Option(help="Start from word vectors: a registered name or a path.")] = None,
    keep_order: Annotated[bool, typer.Option("--keep-order", help="Do not shuffle the texts.")] = False,
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 0,
    threads: Annotated[int | None, typer.Option(help="All cores if left out; 1 gives the same bits each time.")] = None,
    text_column: TextColumn = "text",
    label_column: LabelColumn = "label",
    label_separator: Separator = None,
) -> None:
    """Learn words and n-grams from labelled texts as fastText does, and write a classifier.

    Texts are split at white space and nothing else.
    """
    from wordstock.tasks import NgramClassifier
    from wordstock.tasks.labelled_file import is_labelled_file

    check_output(output, data)
    classifier = NgramClassifier(
        dim=dim,
        epochs=epochs,
        learning_rate=learning_rate,
        word_ngrams=word_ngrams,
        min_count=min_count,
        min_n=min_n,
        max_n=max_n,
        buckets=buckets,
        loss=loss,  # type: ignore[arg-type]  # checked by the classifier
        negative=negative,
        shuffle=not keep_order,
        seed=seed,
        threads=threads,
        init=init,
    )
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    with console.status("reading") as status:

        def tell(told: Progress) -> None:
            status.update(
                f"epoch {told.epoch} of {told.epochs}: {told.share:.0%}, loss {told.loss:.3f}, "
                f"{told.words_per_second / 1e6:.2f} M words/s"
            )

        if is_labelled_file(data):
            classifier.fit_file(data, progress=tell)
        else:
            read = read_data(data, text_column=text_column, label_column=label_column, label_separator=label_separator)
            classifier.fit(read.texts, read.labels, progress=tell)
    if output.suffix.lower() in _FASTTEXT:
        classifier.write_fasttext(output)
    else:
        classifier.save(output)
    model = classifier.model_
    grams = len(model.stored())
    console.print(
        f"learned {counted(len(classifier.classes_), 'class')} from {counted(model.tokens, 'token')}: "
        + counted(model.n_words, "word")
        + (f", {counted(grams, 'bucket')} of n-grams" if grams else "")
        + f"; mean loss {classifier.losses_[-1]:.4f}"
    )
    console.print(f"wrote {output}", markup=False)


def calibrate(
    saved: Annotated[Path, typer.Argument(help="A saved classifier.")],
    data: Annotated[Path, typer.Argument(help="Labelled texts that it was not trained on.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Where to write it; over the saved one if left out.")
    ] = None,
    method: Annotated[str, typer.Option(help="temperature, sigmoid, isotonic, or none.")] = "temperature",
    thresholds: Annotated[
        bool, typer.Option("--thresholds", help="Several labels per text: also tune the threshold of each.")
    ] = False,
    model: Annotated[
        str | None, typer.Option("--model", "-m", help="The vectors it was trained with, where they have moved.")
    ] = None,
    text_column: TextColumn = "text",
    label_column: LabelColumn = "label",
    label_separator: Separator = None,
) -> None:
    """Make a classifier's probabilities hold, from labelled texts that it was not trained on."""
    from wordstock.evaluate import expected_calibration_error

    if method == "none" and not thresholds:
        raise InputError("--method none without --thresholds leaves nothing to do")
    if output is not None:
        check_output(output, data, model)
    read = read_data(data, text_column=text_column, label_column=label_column, label_separator=label_separator)
    classifier = load_classifier(saved, model)
    with naming_lines(data, read.lines):
        target = classifier.codec_.encode(read.labels)
    before = expected_calibration_error(classifier.predict_proba(read.texts), target)
    if method != "none":
        classifier.calibrate(read.texts, read.labels, method=method)  # type: ignore[arg-type]
    if thresholds:
        classifier.tune_thresholds(read.texts, read.labels)
    after = expected_calibration_error(classifier.predict_proba(read.texts), target)
    classifier.save(saved if output is None else output)
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    console.print(f"expected calibration error on these {len(read.texts):,} texts: {before:.3f}, now {after:.3f}")
    tuned = classifier.adjustment_.thresholds
    if tuned is not None:
        pairs = sorted(zip(tuned.tolist(), map(str, classifier.classes_.tolist()), strict=True))
        shown = ", ".join(f"{name} {threshold:.2f}" for threshold, name in (pairs[0], pairs[-1]))
        console.print(f"thresholds from the lowest to the highest: {shown}", markup=False)
    console.print(f"wrote {saved if output is None else output}", markup=False)


def load_classifier(saved: Path, model: str | None = None) -> TextClassifier | NgramClassifier:
    """A saved classifier of either kind, or one of fastText's, told by content."""
    from wordstock.tasks import NgramClassifier, TextClassifier
    from wordstock.tasks.ngram_file import is_ngram_file

    if not saved.is_dir() and is_ngram_file(saved):
        if model is not None:
            raise InputError(f"{saved} holds its own words; --model is for classifiers on word vectors")
        return NgramClassifier.load(saved)
    loaded: Any = TextClassifier.load(saved, encoder=model)
    return loaded  # type: ignore[no-any-return]
