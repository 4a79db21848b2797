"""TextClassifier: a scikit-learn estimator over any encoder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, NamedTuple, Self, get_args

import numpy as np
import numpy.typing as npt
from sklearn.utils.validation import check_is_fitted

from wordstock._paths import user_path
from wordstock._settings import check_flag, check_type, plain
from wordstock.errors import FormatError, InputError
from wordstock.hub.binding import EncoderRecord, resolve_encoder
from wordstock.protocols import Encoder
from wordstock.tasks.adjustment import Adjustment
from wordstock.tasks.artefact import Artefact, read_artefact, write_artefact
from wordstock.tasks.head_config import HeadConfig, HeadName, LinearConfig, head_config
from wordstock.tasks.head_model import HeadModel, over_words, require_torch
from wordstock.tasks.inputs import as_texts
from wordstock.tasks.labels import ClassWeight, LabelCodec
from wordstock.tasks.lexical import Lexicon
from wordstock.tasks.logistic import LinearModel, check_settings, fit_linear
from wordstock.tasks.scaling import Scaling
from wordstock.tasks.text_estimator import BLOCK, TextEstimator
from wordstock.tasks.tuning import FineTune, open_tuner, resolve_finetune, save_tuned_encoder, tuned_encoder
from wordstock.tasks.tuning.config import Finetune
from wordstock.tasks.tuning.progress import Tell
from wordstock.tasks.tuning.training import HeadTraining, Target, fine_tune, train_head

__all__ = ["TextClassifier"]

Array = npt.NDArray[np.float64]
Tensors = dict[str, npt.NDArray[Any]]

_NO_LOSSES: dict[float, float] = {}
_DROPOUT = 0.1  # before the linear head with which an encoder is tuned for logistic regression


class TextClassifier(TextEstimator):
    """A classifier on the vectors of an encoder, which may itself be tuned; made to learn from few labelled texts.

    Texts are a list, tuple, one-dimensional array or column of str. Labels are str, int or bool, one per text; or, for
    several labels per text, lists, tuples or sets of them, or a 0/1 matrix with a column per label: a NumPy array, a
    SciPy sparse matrix, or a data frame, whose column names are then the labels. ``predict`` answers in the form in
    which labels came, and with an array where that was a matrix of any kind.

    Vectors are brought to unit length, centred and divided by one number (see ``tasks.scaling``). A text without a
    known word, about which a table's ``encode`` warns, gets the intercept alone: close to the class shares in training.

    Which to take: ``finetune=None`` costs seconds. With up to some 50 texts per class, ``finetune="contrastive"`` is
    better with a contextual encoder; with thousands of texts, ``finetune="full"``. ``wordstock.transfer_report`` tells
    it of your own texts.

    Parameters
    ----------
    encoder : an ``Encoder``, or a model's name or path, which ``fit`` loads.
    head : "logistic" is logistic regression, fitted to its optimum. The others are trained with torch: "linear" and
        "mlp" on texts' vectors, "bilstm", "cnn" and "transformer" on the vectors of their words; or settings of one,
        such as ``BiLSTMConfig(hidden=64)`` of ``wordstock.tasks``.
    finetune : None leaves the encoder as it is and computes each vector once. "contrastive" first pulls texts of a
        class together, in the manner of SetFit; "full" trains encoder and head together. ``Contrastive(...)`` and
        ``FineTune(...)`` of ``wordstock.tasks`` set their rates, epochs and so on. Of a table the rows of the training
        texts' words are tuned, of a contextual encoder its layers. ``encoder`` itself never changes.
    head_training : rates and epochs of a head that is trained with torch.
    lexical : learn from the training texts' own words and word pairs (TF-IDF) as well as from the vectors. The saved
        classifier then holds those words.
    C : inverse strength of the L2 penalty, in units of texts of mean squared length 1. None chooses it from 1 to 100
        by stratified cross-validation of the log-loss; with a median of fewer than 4 examples per class, where
        cross-validation picks worse than a constant, it is 5.
    class_weight : None, "balanced", or a dict label -> weight; labels that the dict leaves out weigh 1.
    cv : folds for choosing C, at least 2; from 1,000 texts on at most 3 are used.
    seed : of the folds and of all training; equal seeds give equal classifiers on the same machine and threads.

    Attributes
    ----------
    classes_ : (k,) the labels, sorted; the columns' names or numbers for a 0/1 matrix.
    C_ : the strength in use; None for a head other than "logistic".
    cv_losses_ : dict C -> cross-validated log-loss; empty where nothing was chosen.
    coef_, intercept_ : float64 (k, dim) and (k,), on scaled vectors, with ``lexical`` also a column per term; one row
        for two exclusive classes. Only of the head "logistic".
    encoder_ : the encoder in use, tuned if ``finetune`` says so.

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
        head: Literal["logistic"] | HeadName | HeadConfig = "logistic",
        finetune: Finetune = None,
        head_training: HeadTraining | None = None,
        lexical: bool = False,
        C: float | None = None,
        class_weight: ClassWeight = None,
        cv: int = 5,
        seed: int = 0,
    ) -> None:
        self.encoder = encoder
        self.head = head
        self.finetune = finetune
        self.head_training = head_training
        self.lexical = lexical
        self.C = C
        self.class_weight = class_weight
        self.cv = cv
        self.seed = seed

    def fit(self, X: Any, y: Any, *, progress: Tell = None) -> Self:
        """Learn from texts and their labels.

        Parameters
        ----------
        progress : called with a ``TrainProgress`` after each step of what is trained with torch.

        Raises
        ------
        InputError
            No texts, a text that is not a str, another number of labels than texts, an unknown head, a setting out of
            range or that does not go with another, or an encoder of a kind that cannot be tuned.
        LabelError
            Missing or unusable labels, or fewer than two classes.
        ModelError
            The encoder is a name that cannot be had.
        MissingExtraError
            A head or a way of tuning that needs torch, which is not installed.
        WordstockError
            The loss became NaN or infinite; says what to lower.
        """
        plan, seed = self._plan(), plain(self.seed)
        texts = as_texts(X)
        if not texts:
            raise InputError("no texts to learn from")
        codec, codes = LabelCodec.learn(y)
        if len(codes) != len(texts):
            raise InputError(f"{len(texts)} texts but {len(codes)} labels; give one for each text")
        target = Target(codes, codec.weights(codes, self.class_weight), len(codec.classes))
        self.base_encoder_ = encoder = resolve_encoder(self.encoder)
        self.tuned_: Tensors | None = None
        trained: HeadModel | None = None
        if plan.tuning is not None:
            tuner = open_tuner(encoder, texts, plan.tuning)
            if isinstance(plan.tuning, FineTune):
                head = plan.head or LinearConfig(dropout=_DROPOUT)
                trained = fine_tune(tuner, head, plan.training, plan.tuning, texts, target, seed=seed, tell=progress)
            else:
                from wordstock.tasks.tuning.contrastive import tune_contrastively

                tune_contrastively(tuner, texts, codes, plan.tuning, seed=seed, tell=progress)
            self.tuned_, encoder = tuner.tensors(), tuner.encoder()
        if plan.head is not None:
            if trained is None:
                vectors = None if over_words(plan.head) else _encode(encoder, texts)
                trained = train_head(
                    plan.head, plan.training, encoder, texts, vectors, target, seed=seed, tell=progress
                )
            self.C_, self.cv_losses_ = None, _NO_LOSSES
            return self._set(encoder, codec, trained.scaling, None, trained)
        vectors = _encode(encoder, texts)
        scaling = Scaling.fit(vectors)
        lexicon = Lexicon.fit(texts) if self.lexical else None
        features: Any = scaling.transform(vectors)
        if lexicon is not None:
            features = lexicon.join(features, texts)
        model, self.C_, self.cv_losses_ = fit_linear(
            features, codes, target.weights, C=self.C, folds=self.cv, seed=seed
        )
        return self._set(encoder, codec, scaling, lexicon, model)

    def _plan(self) -> _Plan:
        check_settings(self.C, self.cv, self.seed)
        check_flag("lexical", self.lexical)
        tuning = resolve_finetune(self.finetune)
        training = HeadTraining() if self.head_training is None else self.head_training
        check_type("head_training", training, HeadTraining, "HeadTraining(...), or None")
        head = None
        if self.head != "logistic":
            head = _known_head(self.head)
            for name in ("lexical", "C"):
                if getattr(self, name) not in (None, False):
                    raise InputError(
                        f"{name}={getattr(self, name)!r} goes with head='logistic', not with {self.head!r}"
                    )
        if head is not None or tuning is not None:
            require_torch()
        return _Plan(head, tuning, training)

    def _set(
        self,
        encoder: Encoder,
        codec: LabelCodec,
        scaling: Scaling,
        lexicon: Lexicon | None,
        model: LinearModel | HeadModel,
    ) -> Self:
        self.encoder_, self.codec_, self.scaling_, self.lexicon_, self.model_ = encoder, codec, scaling, lexicon, model
        self.classes_, self.adjustment_ = codec.classes, Adjustment()
        for name in ("coef_", "intercept_"):
            self.__dict__.pop(name, None)
        if isinstance(model, LinearModel):
            self.coef_, self.intercept_ = model.coef, model.intercept
        return self

    def _in_blocks(self, X: Any, answer: Callable[[Array], npt.NDArray[Any]]) -> npt.NDArray[Any]:
        """What ``answer`` makes of the texts' scores, block by block.

        The encoder is asked once, so that what it warns about is said once and counted over all texts; its float32
        vectors are all that is held of every text beside the answers. A head that reads words asks block by block.
        """
        check_is_fitted(self, "model_")
        texts = as_texts(X)
        model = self.model_
        words = isinstance(model, HeadModel) and model.over_words
        vectors: Any = None if words else _encode(self.encoder_, texts)

        def block(start: int) -> npt.NDArray[Any]:
            rows = slice(start, start + BLOCK)
            if isinstance(model, HeadModel):
                return answer(model.scores(self.encoder_, texts[rows], None if vectors is None else vectors[rows]))
            features: Any = self.scaling_.transform(vectors[rows])
            return answer(
                model.scores(features if self.lexicon_ is None else self.lexicon_.join(features, texts[rows]))
            )

        first = block(0)
        out = np.empty((len(texts), *first.shape[1:]), first.dtype)
        out[: len(first)] = first
        for start in range(BLOCK, len(texts), BLOCK):
            out[start : start + BLOCK] = block(start)
        return out

    def decision_function(self, X: Any) -> Array:
        """Log-odds, float64 (n, k); (n,) for two exclusive classes, above 0 for the second."""
        scores = self._in_blocks(X, lambda scores: scores)
        if self.codec_.multilabel or len(self.classes_) != 2:
            return scores
        return scores[:, 0] if scores.shape[1] == 1 else scores[:, 1] - scores[:, 0]

    def predict_proba(self, X: Any) -> Array:
        """Probability of each class, float64 (n, k) in the order of ``classes_``.

        Rows sum to 1 for one label per text; for several, each column is a probability by itself.
        """
        return self._in_blocks(X, lambda scores: self.adjustment_.probabilities(self.model_.from_scores(scores)))

    def predict(self, X: Any) -> Any:
        """Labels in the form in which they came in training; of several, those with a probability of at least 0.5,
        or of the thresholds that ``tune_thresholds`` learned.

        Raises
        ------
        InputError
            A text that is not a str; names its position.
        sklearn.exceptions.NotFittedError
            Before ``fit``.
        """
        adjust = self.adjustment_
        chosen = self._in_blocks(
            X, lambda scores: adjust.choose(self.codec_, adjust.probabilities(self.model_.from_scores(scores)))
        )
        return self.codec_.decode(chosen)

    def __getstate__(self) -> dict[str, Any]:
        """Of a tuned encoder only what differs from the one that it was made of."""
        state = dict(super().__getstate__())
        if state.get("tuned_") is not None:
            state.pop("encoder_", None)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if (tensors := state.get("tuned_")) is not None:
            self.encoder_ = tuned_encoder(self.base_encoder_, tensors)

    def save(self, path: Path | str) -> None:
        """Write one .safetensors file, atomically and without pickle; see ``tasks.artefact``.

        The vectors are not in it, only the encoder's fingerprint and the names and paths it may be loaded by, and of a
        tuned encoder the weights that differ from it.

        Raises
        ------
        StorageError
            The file cannot be written; whatever stood there before is untouched.
        sklearn.exceptions.NotFittedError
            Before ``fit``.
        """
        check_is_fitted(self, "model_")
        settings = {name: plain(value) for name, value in self.get_params(deep=False).items() if name != "encoder"}
        record = EncoderRecord.of(self.base_encoder_, self.encoder)
        write_artefact(
            path,
            Artefact(
                self.model_,
                self.scaling_,
                self.lexicon_,
                self.codec_,
                record,
                settings,
                self.C_,
                self.cv_losses_,
                self.tuned_,
                self.adjustment_,
            ),
        )

    def save_encoder(self, path: Path | str) -> None:
        """Write the tuned encoder by itself as what ``wordstock.load`` opens: a folder, or for a table a native file.

        Raises
        ------
        InputError
            The encoder was not tuned; or for a contextual encoder a folder that is there already.
        StorageError
            It cannot be written.
        sklearn.exceptions.NotFittedError
            Before ``fit``.
        """
        check_is_fitted(self, "model_")
        if self.tuned_ is None:
            raise InputError("this classifier did not tune its encoder; set finetune= to have one to save")
        save_tuned_encoder(self.base_encoder_, self.tuned_, path)

    @classmethod
    def load(cls, path: Path | str, encoder: Any = None) -> Self:
        """Read what ``save`` wrote.

        Parameters
        ----------
        encoder : the encoder it was trained with (before it was tuned), or its name or path; None loads it by what the
            file recorded, which may be a registered name or a path on this machine, but never a repository of the
            Hugging Face hub.

        Raises
        ------
        FormatError
            Not a saved classifier, or a damaged one.
        FingerprintError
            Another encoder than the one it was trained with.
        InputError
            ``encoder`` is None and the recorded one cannot be had.
        MissingExtraError
            Its head or its tuned encoder needs torch, which is not installed.
        """
        path = user_path(path)
        artefact = read_artefact(path)
        if artefact.tuned is not None or isinstance(artefact.model, HeadModel):
            require_torch()
        if encoder is None:
            base = artefact.encoder.find(path)
        else:
            base = resolve_encoder(encoder)
            artefact.encoder.check(base, path)
        loaded = cls(base if encoder is None else encoder, **artefact.settings)
        loaded.C_, loaded.cv_losses_ = artefact.chosen, artefact.losses
        loaded.base_encoder_, loaded.tuned_ = base, artefact.tuned
        given = base if artefact.tuned is None else _retuned(base, artefact.tuned, path)
        loaded._set(given, artefact.codec, artefact.scaling, artefact.lexicon, artefact.model)
        loaded.adjustment_ = artefact.adjustment
        return loaded


class _Plan(NamedTuple):
    """What the settings say: the head in torch, if any, how to tune, and how to train the head."""

    head: HeadConfig | None
    tuning: Any
    training: HeadTraining


def _known_head(head: Any) -> HeadConfig:
    if isinstance(head, str) and head not in get_args(HeadName):
        known = ", ".join(map(repr, ("logistic", *get_args(HeadName))))
        raise InputError(f"head={head!r}: known are {known}, or settings such as BiLSTMConfig()")
    return head_config(head)


def _retuned(base: Encoder, tensors: Tensors, path: Path) -> Encoder:
    try:
        return tuned_encoder(base, tensors)
    except (ValueError, KeyError) as error:
        raise FormatError(
            path,
            expected="weights that fit the encoder that it names",
            found=str(error),
            remedy="save or fetch the classifier again",
        ) from error


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
