"""``transfer_report``: every method, budget and seed, one point after the other."""

from __future__ import annotations

import hashlib
import importlib
import shlex
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from wordstock._optional import require
from wordstock._version import __version__
from wordstock.errors import InputError
from wordstock.evaluate.report.data import ReportData, gather
from wordstock.evaluate.report.memory import PeakMemory
from wordstock.evaluate.report.methods import Method, make_methods, named_encoders
from wordstock.evaluate.report.pace import Pace
from wordstock.evaluate.report.plan import Family, ReportConfig, Task, default_budgets
from wordstock.evaluate.report.points import Point, PointStore, ReportProgress, Skipped
from wordstock.evaluate.report.report import TransferReport
from wordstock.evaluate.report.scoring import scores
from wordstock.evaluate.report.spent import Spent

__all__ = ["transfer_report"]

_WITHOUT_TORCH: tuple[Family, ...] = ("tf-idf", "static frozen", "contextual frozen")  # of classification
_QUICK_SEEDS = 2
_QUICK_SECONDS = 90.0  # for the points: reading, imports and the page come to it
_TOO_LONG = "a quick report would have taken too long; make it again, and it goes on with these where points are kept"


def transfer_report(
    train: Any,
    test: Any = None,
    *,
    encoders: Sequence[Any] | None = None,
    config: ReportConfig | None = None,
    keep: Path | str | None = None,
    fresh: bool = False,
    progress: Callable[[ReportProgress], object] | None = None,
    columns: dict[str, Any] | None = None,
    command: str | None = None,
    name: str | None = None,
    **settings: Any,
) -> TransferReport:
    """Measure what pre-trained encoders save on one's own labelled data.

    Each method learns from samples of growing size, several of each, and is scored on the same test set: TF-IDF, the
    same network from random vectors, and each encoder frozen, tuned and, if contextual, few-shot and fine-tuned.

    Parameters
    ----------
    train, test : (texts, labels), or a path to a .csv, .tsv or .jsonl file; for tagging (sentences as lists of words,
        lists of tags). Without ``test`` a fifth of the training data is held out. A sample holds each label at least
        once as far as its size allows; what it lacks counts as missed.
    encoders : names, paths or encoders; tables and contextual ones. None takes glove-6b-50d and, where the extra
        "encoders" is installed, all-minilm-l6-v2.
    config : of the report; ``settings`` change single values of it: ``transfer_report(..., seeds=5, quick=True)``.
    keep : a file to which each point is added as it is measured; a later call with the same data and settings takes
        from it what is there.
    fresh : begin that file anew, once data, encoders and settings have been found good.
    progress : called after each point that is measured or kept; a sample that a method cannot learn from is skipped
        and told in the findings.
    columns : for paths, options of ``wordstock.tasks.read_labelled``.
    name : of the data, for the page; None takes the path.
    command : how to repeat this, for the page; None takes the command line of this process.

    Raises
    ------
    InputError
        Data or settings that cannot be used; something that is no text; or no method can learn from any sample.
    LabelError
        Missing labels, fewer than two classes, tags that are no valid sequence, or a test label that no training text
        has.
    ModelError, MissingExtraError
        An encoder that cannot be had or run.
    StorageError
        ``keep`` cannot be written.
    """
    try:
        config = replace(config or ReportConfig(), **settings)
    except TypeError as error:
        known = ", ".join(ReportConfig().to_dict())
        raise InputError(f"unknown setting in {', '.join(settings)}; known are {known}") from error
    data = gather(train, test, config, columns=columns, name=name)
    named = named_encoders(_usual() if encoders is None else encoders)
    methods = make_methods(named, data, config)
    budgets = _usable(config, data)
    seeds = min(config.seeds, _QUICK_SEEDS) if config.quick else config.seeds
    store, digest, began = PointStore(keep, fresh=fresh), data.digest(), time.perf_counter()
    _import_torch(methods, data.task)
    pace = Pace(_QUICK_SECONDS if config.quick else None)
    wanted = [
        (budget, seed, method)
        for budget in budgets
        for seed in range(seeds)
        for method in methods
        if method.most is None or budget <= max(method.most, budgets[0])
    ]
    points: list[Point] = []
    skipped: list[Skipped] = []
    for done, (budget, seed, method) in enumerate(wanted, 1):
        key = hashlib.sha256(f"{__version__} {digest} {method.key} {budget} {seed}".encode()).hexdigest()[:24]
        point = store.get(key)
        reused = point is not None
        if point is None:
            if not pace.fits(method.name, budget):
                skipped.append(Skipped(method.name, budget, seed, _TOO_LONG))
                continue
            started = time.perf_counter()
            found = _measured(method, data, budget, seed)
            pace.took(method.name, budget, time.perf_counter() - started)
            if isinstance(found, Skipped):
                skipped.append(found)
                continue
            point = found
            store.add(key, point)
        point = replace(point, method=method.name)
        points.append(point)
        if progress is not None:
            progress(ReportProgress(done, len(wanted), point, reused, time.perf_counter() - began))
    if not points:
        raise InputError(f"no method can learn from any sample; {skipped[0].method} says: {skipped[0].why}")
    return TransferReport.of(
        data,
        methods,
        points,
        skipped=skipped,
        config=config,
        encoders=[(name, encoder.fingerprint) for name, encoder in named],
        command=shlex.join(sys.argv) if command is None else command,
        seconds=time.perf_counter() - began,
    )


def _import_torch(methods: Sequence[Method], task: Task) -> None:
    """Beforehand: where it is missing nothing is measured in vain, and no point counts its seconds and memory."""
    trained = [one for one in methods if task == "tagging" or one.family not in _WITHOUT_TORCH]
    if trained:
        require("torch", extra="torch", purpose=f"{trained[0].name} ({trained[0].family})")
    elif find_spec("torch") is not None:
        importlib.import_module("torch")


def _usual() -> list[str]:
    installed = all(map(find_spec, ("torch", "transformers", "tokenizers")))
    return ["glove-6b-50d", *(["all-minilm-l6-v2"] if installed else [])]


def _usable(config: ReportConfig, data: ReportData) -> tuple[int, ...]:
    if config.budgets is None:
        return default_budgets(len(data.texts), data.classes, quick=config.quick)
    least = max(2, data.classes if not data.multilabel else 2)
    if config.budgets[0] < least:
        raise InputError(
            f"budgets: {config.budgets[0]} is fewer than one text for each of the {data.classes} classes; "
            f"begin with {least} or more"
        )
    if config.budgets[-1] > len(data.texts):
        raise InputError(f"budgets: {config.budgets[-1]} is more than the {len(data.texts)} training texts")
    return config.budgets


def _measured(method: Method, data: ReportData, budget: int, seed: int) -> Point | Skipped:
    rows = data.sample(budget, seed)
    texts, labels = [data.texts[row] for row in rows], [data.labels[row] for row in rows]
    estimator = method.build(seed)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*hold no word of the vocabulary")
        warnings.filterwarnings("ignore", ".*lost their end")
        try:
            extra = Spent() if method.remembered is None else method.remembered.share(texts)
            memory = PeakMemory()
            spent = _fitted(estimator, texts, labels, method) + extra
        except InputError as error:  # the data as a whole were found good: there is nothing to learn in this sample
            return Skipped(method.name, budget, seed, str(error))
        score, macro = scores(estimator, data)
    peak, grown = memory.read()
    return Point(method.name, budget, seed, score, macro, spent.seconds, peak, grown, spent.cpu)


def _fitted(estimator: Any, texts: list[Any], labels: list[Any], method: Method) -> Spent:
    """Fit; what it costs, but for encoding by an encoder that remembers, which is counted by its rate."""
    kept = method.remembered
    began, encoding = Spent.so_far(), Spent() if kept is None else kept.spent
    estimator.fit(texts, labels)
    spent = Spent.so_far() - began
    return spent if kept is None else spent - (kept.spent - encoding)
