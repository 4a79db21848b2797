"""NgramClassifier: a scikit-learn estimator that learns words and n-grams from the labelled texts themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.utils.validation import check_is_fitted

from wordstock._settings import check_flag
from wordstock._threads import run_slices
from wordstock.embeddings import Embeddings
from wordstock.errors import InputError, LabelError
from wordstock.protocols import FloatArray
from wordstock.tasks.adjustment import Adjustment
from wordstock.tasks.inputs import as_texts
from wordstock.tasks.labelled_file import Bytes, labelled_blocks, text_blocks
from wordstock.tasks.labels import LabelCodec, Layout
from wordstock.tasks.ngram_file import NgramFile, read_ngram_file, write_fasttext, write_ngram_file
from wordstock.tasks.text_estimator import BLOCK, TextEstimator
from wordstock.train.ngram_config import NgramConfig, NgramLoss
from wordstock.train.ngram_start import GivenLabels, NgramStart
from wordstock.train.state import Progress

__all__ = ["NgramClassifier"]

Array = npt.NDArray[np.float64]
Tell = Callable[[Progress], object] | None

_SMALLEST = 64  # texts worth a thread
_END = b"</s>"  # kernels find the token that ends every text at the start of the data
_SHAPE = ("dim", "word_ngrams", "min_n", "max_n", "buckets")  # what a model that goes on must keep


class NgramClassifier(TextEstimator):
    """A linear classifier on the mean of a text's word and n-gram rows, all learned from the labelled texts.

    This is fastText's supervised model (Joulin et al. 2017, "Bag of tricks for efficient text classification"): the
    same tokens, hashes, losses and files. Texts are split at white space and nothing else: lower-case them and part
    punctuation from words first, for training and for use alike, where that suits them. fastText's settings, which are
    the default, suit a hundred thousand texts; for a few thousand take ``epochs=25, learning_rate=0.5, word_ngrams=2``.

    Labels are str, int or bool, one per text; or, for several, lists, tuples or sets of them, a 0/1 matrix, or a data
    frame of 0/1 columns. With several, ``loss="ova"`` makes each a yes or no by itself.

    Parameters
    ----------
    dim : length of the rows; None = that of ``init``, or 100.
    epochs, learning_rate, word_ngrams, min_count, min_n, max_n, buckets, loss, negative, shuffle, seed, threads : as in
        ``wordstock.train.NgramConfig``.
    init : ``Embeddings``, or a model's name or path: pre-trained words to start from. All of them get a row, also those
        that no training text has.
    warm_start : go on from what was learned, or loaded, before; new words and labels are added to it.

    Attributes
    ----------
    classes_ : (k,) the labels, sorted; the columns' names or numbers for a 0/1 matrix.
    losses_ : mean loss of a text in each epoch, in nats.
    model_ : ``NgramModel``, the rows and output rows.

    Examples
    --------
    >>> classifier = NgramClassifier(word_ngrams=2).fit(texts, labels)  # doctest: +SKIP
    >>> classifier.predict(["where is my card ?"])  # doctest: +SKIP
    array(['card_arrival'], dtype='<U12')
    """

    def __init__(
        self,
        *,
        dim: int | None = None,
        epochs: int = 5,
        learning_rate: float = 0.1,
        word_ngrams: int = 1,
        min_count: int = 1,
        min_n: int = 0,
        max_n: int = 0,
        buckets: int = 2_000_000,
        loss: NgramLoss = "softmax",
        negative: int = 5,
        shuffle: bool = True,
        seed: int = 0,
        threads: int | None = None,
        init: Any = None,
        warm_start: bool = False,
    ) -> None:
        self.dim = dim
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.word_ngrams = word_ngrams
        self.min_count = min_count
        self.min_n = min_n
        self.max_n = max_n
        self.buckets = buckets
        self.loss = loss
        self.negative = negative
        self.shuffle = shuffle
        self.seed = seed
        self.threads = threads
        self.init = init
        self.warm_start = warm_start

    def fit(self, X: Any, y: Any, *, progress: Tell = None) -> Self:
        """Learn from texts and their labels.

        Parameters
        ----------
        progress : called about five times a second.

        Raises
        ------
        InputError
            No texts, a text that is not a str, another number of labels than texts, or a setting out of range.
        LabelError
            Missing or unusable labels, or fewer than two classes.
        WordstockError
            Training diverged.
        """
        start = self._start()
        texts = as_texts(X)
        if not texts:
            raise InputError("no texts to learn from")
        codec, target = self._learn(y)
        if len(target) != len(texts):
            raise InputError(f"{len(texts)} texts but {len(target)} labels; give one for each text")
        if codec.multilabel:
            _, codes = np.nonzero(target)
            ends = np.concatenate([[0], np.cumsum(target.sum(axis=1))])
        else:
            codes, ends = target, np.arange(len(target) + 1)
        names = [str(label) for label in codec.classes.tolist()]
        given = GivenLabels(names, codes.astype(np.int32), ends.astype(np.int64))
        return self._train(text_blocks(texts), start, given, progress)._set_codec(codec)

    def fit_file(self, path: Path | str, *, progress: Tell = None) -> Self:
        """Learn from a file in fastText's format, plain or compressed, which is read once and not held in memory.

        A token that starts with ``__label__`` is a label, wherever in the line it stands; lines without one are left
        out, and a warning says how many, but for empty ones. What training needs of a large file is kept in a
        temporary one.

        Raises
        ------
        LabelError
            Fewer than two labels.
        FormatError
            An empty file, or damaged compression.
        FileNotFoundError
            No such file.
        InputError, WordstockError
            As ``fit``.
        """
        start = self._start()
        self._train(labelled_blocks(path), start, None, progress)
        before: LabelCodec | None = getattr(self, "codec_", None) if self.warm_start else None
        layout: Layout = "list" if self.model_.several else "single"
        return self._set_codec(LabelCodec(np.array(sorted(self.model_.names)), before.layout if before else layout))

    def _config(self, dim: int) -> NgramConfig:
        names = NgramConfig.__dataclass_fields__
        return NgramConfig(**{name: getattr(self, name) for name in names if name != "dim"}, dim=dim)

    def _start(self) -> NgramStart | None:
        """What to begin with; checks all settings."""
        check_flag("warm_start", self.warm_start)
        config = self._config(100 if self.dim is None else self.dim)
        if self.warm_start and hasattr(self, "model_"):
            before = self.model_.config
            if self.dim is None:
                config = self._config(before.dim)
            for name in _SHAPE[: None if config.hashes or before.hashes else 1]:
                if getattr(config, name) != getattr(before, name):
                    raise InputError(
                        f"{name}={getattr(config, name)}, but the classifier to go on from has {getattr(before, name)}"
                    )
            if (config.loss == "hs") != (before.loss == "hs"):
                raise InputError(f"loss={config.loss!r} cannot go on from loss={before.loss!r}")
            return self.model_.start()
        if self.init is None:
            return None
        table = self.init
        if isinstance(table, str | Path):
            from wordstock.hub import load

            table = load(str(table))
        if not isinstance(table, Embeddings):
            raise InputError(f"init must be word vectors (Embeddings), a name or a path, not {type(table).__name__}")
        return NgramStart.of_table(table)

    def _learn(self, y: Any) -> tuple[LabelCodec, npt.NDArray[Any]]:
        codec, target = LabelCodec.learn(y)
        before: LabelCodec | None = getattr(self, "codec_", None) if self.warm_start else None
        if before is None:
            return codec, target
        if before.multilabel != codec.multilabel or before.classes.dtype.kind != codec.classes.dtype.kind:
            raise LabelError("the classifier to go on from has labels of another form or type")
        classes = np.concatenate([before.classes, np.setdiff1d(codec.classes, before.classes)])
        if codec.layout != "indicator":  # whose columns stay where they were
            classes = np.sort(classes)
        order = np.argsort(classes)
        column = order[np.searchsorted(classes, codec.classes, sorter=order)]
        if not codec.multilabel:
            return LabelCodec(classes, codec.layout), column[target]
        wider = np.zeros((len(target), len(classes)), bool)
        wider[:, column] = target
        return LabelCodec(classes, codec.layout), wider

    def _train(
        self, blocks: Iterable[Bytes], start: NgramStart | None, given: GivenLabels | None, progress: Tell
    ) -> Self:
        from wordstock.train.ngram_training import train_ngrams

        dim = self.dim if self.dim is not None else (start.dim if start is not None else 100)
        trained = train_ngrams(blocks, self._config(dim), start=start, given=given, progress=progress)
        self.adjustment_ = Adjustment()
        self.model_, self.losses_ = trained, trained.losses
        return self

    def _set_codec(self, codec: LabelCodec) -> Self:
        names = {name: number for number, name in enumerate(self.model_.names)}
        self._labels = np.array([names[str(label)] for label in codec.classes.tolist()])  # in the order of classes_
        self._class_of = np.argsort(self._labels)
        self._tree = self.model_.tree()
        self.codec_, self.classes_ = codec, codec.classes
        return self

    def _each_slice(self, texts: list[str], work: Callable[..., None]) -> None:
        """Call ``work(dictionary, matrix, data, offsets, first, last)`` on slices of the texts, in threads."""
        data, offsets = _packed(texts)
        model = self.model_

        def slice_of(first: int, last: int) -> None:
            work(model.dictionary, model.matrix, data, offsets, first, last)

        run_slices(slice_of, len(texts), smallest=_SMALLEST)

    def decision_function(self, X: Any) -> Array:
        """Score of each class, float64 (n, k): before the softmax or sigmoid; log-probabilities with ``loss="hs"``."""
        check_is_fitted(self, "codec_")
        return self._scores(as_texts(X))

    def _scores(self, texts: list[str]) -> Array:
        from wordstock.kernels.linescores import leaf_scores, line_scores

        outputs = self.model_.outputs
        scores = np.empty((len(texts), len(outputs)), np.float32)
        self._each_slice(
            texts,
            lambda dictionary, matrix, data, offsets, first, last: line_scores(
                dictionary, matrix, outputs, data, offsets, first, last, scores
            ),
        )
        if not len(self._tree):
            return scores[:, self._labels].astype(np.float64)
        leaves = np.empty(scores.shape)
        leaf_scores(scores, self._tree, leaves)
        return leaves[:, self._labels]

    def predict_proba(self, X: Any) -> Array:
        """Probability of each class, float64 (n, k) in the order of ``classes_``.

        Rows sum to 1 for one label per text; for several with ``loss="ova"`` or ``"ns"`` each column is a probability
        by itself.
        """
        check_is_fitted(self, "codec_")
        scores = self._scores(as_texts(X))
        if self.model_.config.loss in ("ova", "ns"):
            shares = 0.5 * (1 + np.tanh(0.5 * scores))
            if not self.codec_.multilabel:
                shares /= np.maximum(shares.sum(axis=1, keepdims=True), np.finfo(np.float64).tiny)
        else:
            shares = np.exp(scores - scores.max(axis=1, keepdims=True))
            shares /= shares.sum(axis=1, keepdims=True)
        return self.adjustment_.probabilities(shares)

    def predict(self, X: Any) -> Any:
        """Labels in the form in which they came in training; of several, those with a probability of at least 0.5.

        A text without a known word gets whatever its line end and unknown n-grams say.

        Raises
        ------
        InputError
            A text that is not a str; names its position.
        sklearn.exceptions.NotFittedError
            Before ``fit``.
        """
        check_is_fitted(self, "codec_")
        texts = as_texts(X)
        codec, calibration = self.codec_, self.adjustment_.calibration
        unmoved = calibration is None or calibration.method == "temperature"
        if not codec.multilabel and unmoved and not len(self._tree):
            return codec.decode(self._best(texts))
        parts = [texts[start : start + BLOCK] for start in range(0, max(len(texts), 1), BLOCK)]
        chosen = [self.adjustment_.choose(codec, self.predict_proba(part)) for part in parts]
        return codec.decode(np.concatenate(chosen))

    def _best(self, texts: list[str]) -> npt.NDArray[Any]:
        """The likeliest class, without the probabilities."""
        from wordstock.kernels.linescores import best_labels

        outputs, best = self.model_.outputs, np.zeros(len(texts), np.int32)
        self._each_slice(
            texts,
            lambda dictionary, matrix, data, offsets, first, last: best_labels(
                dictionary, matrix, outputs, data, offsets, first, last, best
            ),
        )
        return self._class_of[best]

    def encode(self, X: Any) -> FloatArray:
        """The mean row of each text, float32 (n, dim), which the classifier's scores are made of."""
        from wordstock.kernels.linescores import text_vectors

        check_is_fitted(self, "codec_")
        texts = as_texts(X)
        out = np.zeros((len(texts), self.model_.dim), np.float32)
        self._each_slice(texts, lambda *slice_of: text_vectors(*slice_of, out))
        return out

    def save(self, path: Path | str) -> None:
        """Write one .safetensors file, atomically and without pickle; see ``tasks.ngram_file``.

        Raises
        ------
        StorageError
            The file cannot be written; whatever stood there before is untouched.
        sklearn.exceptions.NotFittedError
            Before ``fit``.
        """
        check_is_fitted(self, "codec_")
        write_ngram_file(path, NgramFile(self.model_, self.codec_, self.adjustment_))

    def write_fasttext(self, path: Path | str) -> None:
        """Write fastText's own ``.bin``, which fastText then loads and predicts the same labels from.

        White space in a label becomes ``_``. Calibration and thresholds are not in it. With n-grams the file has a row
        for each of ``buckets``: 800 MB by default, of which those that no text had are holes that take no disk space.

        Raises
        ------
        InputError
            Two labels that fastText could not tell apart, or a model that was pruned.
        StorageError
            The file cannot be written.
        sklearn.exceptions.NotFittedError
            Before ``fit``.
        """
        check_is_fitted(self, "codec_")
        write_fasttext(path, self.model_)

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """Read what ``save`` wrote, or a supervised model that fastText wrote, ``.bin`` or ``.ftz``.

        Of fastText's models those with one-vs-all loss give several labels, the others one.

        Raises
        ------
        FormatError
            Neither, or damage anywhere in the file.
        FileNotFoundError
            No such file.
        """
        read = read_ngram_file(path)
        config = read.model.config
        settings = {name: getattr(config, name) for name in NgramConfig.__dataclass_fields__}
        loaded = cls(**settings)
        loaded.model_, loaded.losses_, loaded.adjustment_ = read.model, read.model.losses, read.adjustment
        return loaded._set_codec(read.codec)


def _packed(texts: list[str]) -> tuple[Bytes, npt.NDArray[np.int64]]:
    """``</s>`` and the texts in UTF-8, uint8, and where each starts, int64 (texts + 1,)."""
    joined = "".join(texts)
    offsets = np.full(len(texts) + 1, len(_END), np.int64)
    if joined.isascii():
        encoded, lengths = joined.encode(), map(len, texts)
    else:
        each = [text.encode(errors="replace") for text in texts]
        encoded, lengths = b"".join(each), map(len, each)
    np.cumsum(np.fromiter(lengths, np.int64, len(texts)), out=offsets[1:])
    offsets[1:] += len(_END)
    return np.frombuffer(_END + encoded, np.uint8), offsets
