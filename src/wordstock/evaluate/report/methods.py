"""The methods a report compares, made of the encoders it was given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, get_args

from wordstock.embeddings import Embeddings
from wordstock.encoders import ContextualEncoder
from wordstock.errors import InputError
from wordstock.evaluate.report.data import ReportData
from wordstock.evaluate.report.plan import Family, ReportConfig, Task
from wordstock.evaluate.report.remembered import RememberedEncoder
from wordstock.hub.binding import resolve_encoder
from wordstock.protocols import Encoder
from wordstock.tasks.baselines import random_like, tfidf_baseline
from wordstock.tasks.classifier import TextClassifier
from wordstock.tasks.tuning.config import Contrastive, FineTune

__all__ = ["Method", "PRETRAINED", "left_out", "named_encoders", "make_methods"]

PRETRAINED: tuple[Family, ...] = ("static frozen", "static tuned", "contextual frozen", "few-shot", "fine-tuned")
_QUICK_TUNE, _QUICK_CONTRAST, _QUICK_TABLE = FineTune(epochs=4), Contrastive(epochs=4), FineTune(epochs=10)
_QUICK_TAG_EPOCHS, _QUICK_TAG_TUNE = 10, 3
_FROM_SCRATCH = "random vectors"
_NOT_FOR_TAGS: dict[Family, str] = {
    "tf-idf": "it tells of whole texts, not of words",
    "static tuned": "the tagger leaves a table's vectors as they are",
    "few-shot": "contrastive tuning pulls whole texts together, not words",
}


@dataclass(frozen=True)
class Method:
    """One way to learn.

    Parameters
    ----------
    name : in the report; unique.
    family : which kind it is.
    told : what it does, in a few words.
    build : an estimator for a seed.
    key : of everything that decides its points, but for data, budget and seed.
    most : largest budget it is tried with.
    remembered : the encoder whose vectors are computed once for all points, if it stays as it is.
    """

    name: str
    family: Family
    told: str
    build: Callable[[int], Any]
    key: str
    most: int | None = None
    remembered: RememberedEncoder | None = None

    @property
    def pretrained(self) -> bool:
        """Whether it knows anything before it sees a label."""
        return self.family in PRETRAINED


def named_encoders(encoders: Sequence[Any]) -> list[tuple[str, Encoder]]:
    """Encoders under names that differ.

    Raises
    ------
    InputError
        None, or something that is no encoder.
    ModelError
        A name that cannot be had.
    """
    given = [encoders] if isinstance(encoders, str) or not isinstance(encoders, Sequence) else list(encoders)
    if not given:
        raise InputError("encoders is empty; give at least one, such as 'glove-6b-50d'")
    found: list[tuple[str, Encoder]] = []
    for one in given:
        encoder = resolve_encoder(one)
        name = getattr(getattr(encoder, "card", None), "name", "") or type(encoder).__name__
        taken = {known for known, _ in found}
        while name in taken:
            name += "'"
        found.append((name, encoder))
    return found


def make_methods(encoders: Sequence[tuple[str, Encoder]], data: ReportData, config: ReportConfig) -> list[Method]:
    """Baselines first, then those of each encoder, as far as task and settings allow.

    Raises
    ------
    InputError
        Settings that leave no method.
    """
    made = _tagging(encoders, data, config) if data.task == "tagging" else _classification(encoders, data, config)
    if config.families is not None:
        made = [one for one in made if one.family in config.families]
    if not made:
        raise InputError("no method is left to compare: families and encoders do not go together")
    return made


def left_out(methods: Sequence[Method], task: Task, config: ReportConfig) -> dict[str, str]:
    """Families that the report does not have, and why."""
    there = {one.family for one in methods}
    told: dict[str, str] = {}
    for family in get_args(Family):
        if family in there:
            continue
        if config.families is not None and family not in config.families:
            told[family] = "not asked for"
        elif task == "tagging" and family in _NOT_FOR_TAGS:
            told[family] = _NOT_FOR_TAGS[family]
        elif family in ("from scratch", "static frozen", "static tuned"):
            told[family] = "no table of words among the encoders"
        else:
            told[family] = "no contextual encoder among the encoders"
    return told


def _classification(encoders: Sequence[tuple[str, Encoder]], data: ReportData, config: ReportConfig) -> list[Method]:
    quick = config.quick
    tune = _QUICK_TUNE if quick else FineTune()
    contrast = _QUICK_CONTRAST if quick else Contrastive()
    rows = _QUICK_TABLE if quick else FineTune()
    few = config.few_shot_most * max(1, data.classes)
    methods = [Method("TF-IDF", "tf-idf", "words and word pairs, logistic regression", tfidf_baseline, "tf-idf")]
    table = next((encoder for _, encoder in encoders if isinstance(encoder, Embeddings)), None)
    if table is not None:
        small = _words_in(table, data)

        @lru_cache(maxsize=1)
        def scratch(seed: int) -> Embeddings:
            return random_like(small, seed)

        methods.append(
            Method(
                _FROM_SCRATCH,
                "from scratch",
                "the same network, its word vectors learned from the labels alone",
                lambda seed: TextClassifier(scratch(seed), finetune=rows, seed=seed),
                f"scratch {small.fingerprint} {rows}",
            )
        )
    for name, encoder in encoders:
        kept = RememberedEncoder(encoder)
        inner = kept.tunable
        static = not isinstance(inner, ContextualEncoder)
        methods.append(
            Method(
                f"{name} frozen",
                "static frozen" if static else "contextual frozen",
                "vectors as they are, logistic regression",
                lambda seed, kept=kept: TextClassifier(kept, seed=seed),  # type: ignore[misc]
                f"frozen {encoder.fingerprint}",
                remembered=kept,
            )
        )
        if isinstance(inner, Embeddings):
            methods.append(
                Method(
                    f"{name} tuned",
                    "static tuned",
                    "vectors trained further with the labels",
                    lambda seed, inner=inner: TextClassifier(inner, finetune=rows, seed=seed),  # type: ignore[misc]
                    f"tuned {encoder.fingerprint} {rows}",
                )
            )
        elif isinstance(inner, ContextualEncoder):
            methods += [
                Method(
                    f"{name} few-shot",
                    "few-shot",
                    "contrastive tuning, then logistic regression",
                    lambda seed, inner=inner: TextClassifier(inner, finetune=contrast, seed=seed),  # type: ignore[misc]
                    f"few-shot {encoder.fingerprint} {contrast}",
                    most=few,
                ),
                Method(
                    f"{name} fine-tuned",
                    "fine-tuned",
                    "all layers trained with the labels",
                    lambda seed, inner=inner: TextClassifier(inner, finetune=tune, seed=seed),  # type: ignore[misc]
                    f"fine-tuned {encoder.fingerprint} {tune}",
                ),
            ]
    return methods


def _tagging(encoders: Sequence[tuple[str, Encoder]], data: ReportData, config: ReportConfig) -> list[Method]:
    from wordstock.tasks import SequenceTagger

    epochs, tune = (_QUICK_TAG_EPOCHS, _QUICK_TAG_TUNE) if config.quick else (None, None)
    scheme = data.scheme  # a small sample does not always show it
    methods: list[Method] = []
    table = next((encoder for _, encoder in encoders if isinstance(encoder, Embeddings)), None)
    if table is not None:

        @lru_cache(maxsize=1)
        def scratch(seed: int) -> Embeddings:
            return random_like(table, seed)

        methods.append(
            Method(
                _FROM_SCRATCH,
                "from scratch",
                "the same BiLSTM-CRF on vectors that know nothing",
                lambda seed: SequenceTagger(scratch(seed), epochs=epochs, scheme=scheme, seed=seed),
                f"tag scratch {table.fingerprint} {epochs}",
            )
        )
    for name, encoder in encoders:
        kept = RememberedEncoder(encoder)
        inner = kept.tunable
        contextual = isinstance(inner, ContextualEncoder)
        frozen = kept if contextual else encoder  # a table's words are looked up faster than they are remembered
        methods.append(
            Method(
                f"{name} frozen",
                "contextual frozen" if contextual else "static frozen",
                "BiLSTM-CRF on vectors as they are",
                lambda seed, frozen=frozen: SequenceTagger(  # type: ignore[misc]
                    frozen, epochs=epochs, scheme=scheme, seed=seed
                ),
                f"tag frozen {encoder.fingerprint} {epochs}",
                remembered=kept if contextual else None,
            )
        )
        if contextual:
            methods.append(
                Method(
                    f"{name} fine-tuned",
                    "fine-tuned",
                    "all layers trained with the tags, CRF",
                    lambda seed, inner=inner: SequenceTagger(  # type: ignore[misc]
                        inner, model="finetune", epochs=tune, scheme=scheme, seed=seed
                    ),
                    f"tag fine-tuned {encoder.fingerprint} {tune}",
                )
            )
    return methods


def _words_in(table: Embeddings, data: ReportData) -> Embeddings:
    """The table's words that occur in the data: random vectors of others would only take memory."""
    words = dict.fromkeys(word for text in [*data.texts, *data.test_texts] for word in table.tokenize(text))
    known = [word for word in words if word in table]
    return table.subset(known) if known else table
