"""TextClassifier: a scikit-learn estimator over any encoder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from wordstock.errors import InputError
from wordstock.hub.binding import EncoderRecord, resolve_encoder
from wordstock.protocols import Encoder
from wordstock.tasks.artefact import Artefact, read_artefact, write_artefact
from wordstock.tasks.inputs import as_texts
from wordstock.tasks.labels import ClassWeight, LabelCodec
from wordstock.tasks.lexical import Lexicon
from wordstock.tasks.logistic import LinearModel, check_settings, fit_linear
from wordstock.tasks.scaling import Scaling

__all__ = ["TextClassifier"]

Array = npt.NDArray[np.float64]

_BLOCK = 8192  # texts whose features and scores are held at once


class TextClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Logistic regression on the vectors of an encoder, tuned to learn from few labelled texts.

    Texts are a list, tuple, one-dimensional array or column of str. Labels are str, int or bool, one per text; or, for
    several labels per text, lists, tuples or sets of them, or a 0/1 numpy matrix with a column per label. ``predict``
    answers in the form in which labels came.

    Vectors are brought to unit length, centred and divided by one number (see ``tasks.scaling``). A text without a
    known word, about which a table's ``encode`` warns, gets the intercept alone: close to the class shares in training.

    Parameters
    ----------
    encoder : an ``Encoder``, or a model's name or path, which ``fit`` loads.
    lexical : learn from the training texts' own words and word pairs (TF-IDF) as well as from the vectors. The saved
        classifier then holds those words.
    C : inverse strength of the L2 penalty, in units of texts of mean squared length 1. None chooses it from 1 to 100
        by stratified cross-validation of the log-loss; with a median of fewer than 4 examples per class, where
        cross-validation picks worse than a constant, it is 5.
    class_weight : None, "balanced", or a dict label -> weight; labels that the dict leaves out weigh 1.
    cv : folds for choosing C, at least 2; from 1,000 texts on at most 3 are used.
    seed : of the folds; equal seeds give equal classifiers.

    Attributes
    ----------
    classes_ : (k,) the labels, sorted; column numbers for a 0/1 matrix.
    C_ : the strength in use.
    cv_losses_ : dict C -> cross-validated log-loss; empty where nothing was chosen.
    coef_, intercept_ : float64 (k, dim) and (k,), on scaled vectors, with ``lexical`` also a column per term; one row
        for two exclusive classes.
    encoder_ : the encoder in use.

    Examples
    --------
    >>> classifier = TextClassifier(wordstock.load("glove-6b-50d")).fit(texts, labels)  # doctest: +SKIP
    >>> classifier.predict(["my card has not arrived"])  # doctest: +SKIP
    array(['card_arrival'], dtype='<U12')
    """

    def __init__(
        self,
        encoder: Any,
        *,
        lexical: bool = False,
        C: float | None = None,
        class_weight: ClassWeight = None,
        cv: int = 5,
        seed: int = 0,
    ) -> None:
        self.encoder = encoder
        self.lexical = lexical
        self.C = C
        self.class_weight = class_weight
        self.cv = cv
        self.seed = seed

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        tags.input_tags.one_d_array = True
        tags.classifier_tags.multi_label = True
        return tags

    def fit(self, X: Any, y: Any) -> Self:
        """Learn from texts and their labels.

        Raises
        ------
        InputError
            No texts, a text that is not a str, another number of labels than texts, or a setting out of range.
        LabelError
            Missing or unusable labels, or fewer than two classes.
        ModelError
            The encoder is a name that cannot be had.
        """
        check_settings(self.C, self.cv, self.seed)
        texts = as_texts(X)
        if not texts:
            raise InputError("no texts to learn from")
        codec, target = LabelCodec.learn(y)
        if len(target) != len(texts):
            raise InputError(f"{len(texts)} texts but {len(target)} labels; give one for each text")
        weights = codec.weights(target, self.class_weight)
        encoder = resolve_encoder(self.encoder)
        vectors = _encode(encoder, texts)
        scaling = Scaling.fit(vectors)
        lexicon = Lexicon.fit(texts) if self.lexical else None
        features: Any = scaling.transform(vectors)
        if lexicon is not None:
            features = lexicon.join(features, texts)
        model, self.C_, self.cv_losses_ = fit_linear(features, target, weights, C=self.C, folds=self.cv, seed=self.seed)
        return self._set(encoder, codec, scaling, lexicon, model)

    def _set(
        self, encoder: Encoder, codec: LabelCodec, scaling: Scaling, lexicon: Lexicon | None, model: LinearModel
    ) -> Self:
        self.encoder_, self.codec_, self.scaling_, self.lexicon_, self.model_ = encoder, codec, scaling, lexicon, model
        self.classes_, self.coef_, self.intercept_ = codec.classes, model.coef, model.intercept
        return self

    def _in_blocks(self, X: Any, answer: Callable[[Any], npt.NDArray[Any]]) -> npt.NDArray[Any]:
        """What ``answer`` makes of the texts' features, block by block.

        The encoder is asked once, so that what it warns about is said once and counted over all texts; its float32
        vectors are all that is held of every text beside the answers.
        """
        check_is_fitted(self, "model_")
        texts = as_texts(X)
        vectors = _encode(self.encoder_, texts)

        def block(start: int) -> npt.NDArray[Any]:
            rows = slice(start, start + _BLOCK)
            features: Any = self.scaling_.transform(vectors[rows])
            return answer(features if self.lexicon_ is None else self.lexicon_.join(features, texts[rows]))

        first = block(0)
        out = np.empty((len(texts), *first.shape[1:]), first.dtype)
        out[: len(first)] = first
        for start in range(_BLOCK, len(texts), _BLOCK):
            out[start : start + _BLOCK] = block(start)
        return out

    def decision_function(self, X: Any) -> Array:
        """Log-odds, float64 (n, k); (n,) for two exclusive classes, above 0 for the second."""
        scores = self._in_blocks(X, lambda features: self.model_.scores(features))
        return scores[:, 0] if not self.codec_.multilabel and scores.shape[1] == 1 else scores

    def predict_proba(self, X: Any) -> Array:
        """Probability of each class, float64 (n, k) in the order of ``classes_``.

        Rows sum to 1 for one label per text; for several, each column is a probability by itself.
        """
        return self._in_blocks(X, lambda features: self.model_.probabilities(features))

    def predict(self, X: Any) -> Any:
        """Labels in the form in which they came in training; of several, those with a probability of at least 0.5.

        Raises
        ------
        InputError
            A text that is not a str; names its position.
        sklearn.exceptions.NotFittedError
            Before ``fit``.
        """
        chosen = self._in_blocks(X, lambda features: self.codec_.choose(self.model_.probabilities(features)))
        return self.codec_.decode(chosen)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Share of texts whose label, or whole set of labels, is predicted right.

        Raises
        ------
        LabelError
            A label that was not there in training; names it, its position and the known labels.
        InputError
            No texts, or another number of labels than texts.
        """
        check_is_fitted(self, "model_")
        texts = as_texts(X)
        target = self.codec_.encode(y)
        if not texts or len(texts) != len(target):
            raise InputError(f"{len(texts)} texts and {len(target)} labels; give at least one text and one label each")
        found = self.codec_.encode(self.predict(texts))
        right = found == target if target.ndim == 1 else (found == target).all(axis=1)
        return float(np.average(right, weights=sample_weight))

    def save(self, path: Path | str) -> None:
        """Write one .safetensors file, atomically and without pickle; see ``tasks.artefact``.

        The vectors are not in it, only the encoder's fingerprint and the names and paths it may be loaded by.

        Raises
        ------
        StorageError
            The file cannot be written; whatever stood there before is untouched.
        sklearn.exceptions.NotFittedError
            Before ``fit``.
        """
        check_is_fitted(self, "model_")
        settings = {name: value for name, value in self.get_params(deep=False).items() if name != "encoder"}
        record = EncoderRecord.of(self.encoder_, self.encoder)
        write_artefact(
            path,
            Artefact(
                self.model_, self.scaling_, self.lexicon_, self.codec_, record, settings, self.C_, self.cv_losses_
            ),
        )

    @classmethod
    def load(cls, path: Path | str, encoder: Any = None) -> Self:
        """Read what ``save`` wrote.

        Parameters
        ----------
        encoder : the encoder it was trained with, or its name or path; None loads it by what the file recorded, which
            may be a registered name or a path on this machine, but never a repository of the Hugging Face hub.

        Raises
        ------
        FormatError
            Not a saved classifier, or a damaged one.
        FingerprintError
            Another encoder than the one it was trained with.
        InputError
            ``encoder`` is None and the recorded one cannot be had.
        """
        path = Path(path)
        artefact = read_artefact(path)
        if encoder is None:
            given = artefact.encoder.find(path)
        else:
            given = resolve_encoder(encoder)
            artefact.encoder.check(given, path)
        loaded = cls(given if encoder is None else encoder, **artefact.settings)
        loaded.C_, loaded.cv_losses_ = artefact.chosen, artefact.losses
        return loaded._set(given, artefact.codec, artefact.scaling, artefact.lexicon, artefact.model)


def _encode(encoder: Encoder, texts: list[str]) -> npt.NDArray[np.float32]:
    vectors = np.asarray(encoder.encode(texts))
    if vectors.shape != (len(texts), encoder.dim):
        raise InputError(
            f"{type(encoder).__name__}.encode gave shape {vectors.shape} for {len(texts)} texts; "
            f"an encoder gives ({len(texts)}, {encoder.dim})"
        )
    if not np.isfinite(vectors).all():
        row = int(np.flatnonzero(~np.isfinite(vectors).all(axis=1))[0])
        raise InputError(f"{type(encoder).__name__}.encode gave NaN or infinity for the text at position {row}")
    return vectors
