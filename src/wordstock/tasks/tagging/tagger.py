"""SequenceTagger: a tag for every word, over any encoder, in the manner of scikit-learn."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, overload

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from wordstock._optional import require
from wordstock._paths import user_path
from wordstock.errors import InputError
from wordstock.hub.binding import EncoderRecord, resolve_encoder
from wordstock.protocols import Encoder, FloatArray
from wordstock.tasks.inputs import as_list
from wordstock.tasks.tagging.characters import Characters, learn_alphabet
from wordstock.tasks.tagging.features import WordVectors
from wordstock.tasks.tagging.plan import Epoch
from wordstock.tasks.tagging.raw import SplitText, TextSpan, split_text
from wordstock.tasks.tagging.schemes import Scheme, detect_scheme, spans_of
from wordstock.tasks.tagging.scoring import SpanScores, score_spans
from wordstock.tasks.tagging.sentences import as_sentences, as_tags, check_sequences
from wordstock.tasks.tagging.settings import Model, TaggerSettings
from wordstock.tasks.tagging.tagset import TagSet
from wordstock.tasks.tagging.validation import held_out
from wordstock.text import Tokenizer

if TYPE_CHECKING:
    from wordstock.tasks.torch.tagger_batches import Prepared
    from wordstock.tasks.torch.tagger_network import TaggerNetwork

__all__ = ["SequenceTagger"]

_BLOCK = 8192  # sentences whose vectors are held at once


class SequenceTagger(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Named entities, parts of speech and the like, learned from tagged sentences over the vectors of an encoder.

    Sentences are lists of words, tags are lists of str with one tag for each word: IOB1, IOB2 or BIOES, which is found
    out, or plain labels. Answers are in the scheme of the training tags and always valid in it: the CRF knows what the
    scheme forbids.

    Parameters
    ----------
    encoder : an ``Encoder`` - a table, a contextual encoder, a stack of several - or a model's name or path.
    model : "bilstm-crf", a BiLSTM over word vectors and character features (Lample et al. 2016); "crf", a linear-chain
        CRF whose features are those of the word and two words to each side, quick and good for few sentences;
        "finetune" trains a ``ContextualEncoder`` itself along with a CRF over its words.
    characters : "hashed" affixes and shape of each word, a "cnn" over its letters, or "none".
    hidden : size of the LSTM in each direction.
    dropout : share of inputs and states left out in training.
    epochs, batch_size : None takes what suits the model and the number of sentences.
    learning_rate : of everything but the encoder; None takes the model's own.
    encoder_learning_rate : "finetune": of the encoder's topmost layer; each layer below takes 0.9 of the one above.
    patience : epochs without a better score on the validation sentences after which training stops.
    scheme : of the training tags; None finds it out.
    repair : mend inconsistent training tags as ``conlleval`` reads them instead of refusing them.
    tokenizer : of raw text; None parts words and punctuation and keeps their case.
    device : "cpu" or "cuda"; None takes "cuda" where there is one.
    seed : equal seeds give equal taggers on one machine's CPU with the same number of threads.

    Attributes
    ----------
    tagset_ : scheme and labels.
    history_ : an ``Epoch`` for each: loss, validation score, seconds.
    network_ : the ``torch.nn.Module``.
    encoder_ : the encoder in use.

    Examples
    --------
    >>> tagger = SequenceTagger("glove-6b-50d").fit(sentences, tags)  # doctest: +SKIP
    >>> tagger.predict_spans("Wilson's disease is rare.")  # doctest: +SKIP
    [TextSpan(start=0, stop=16, label='Disease', text="Wilson's disease")]
    """

    def __init__(
        self,
        encoder: Any,
        *,
        model: Model = "bilstm-crf",
        characters: Characters = "hashed",
        hidden: int = 128,
        dropout: float = 0.4,
        epochs: int | None = None,
        batch_size: int | None = None,
        learning_rate: float | None = None,
        encoder_learning_rate: float = 2e-4,
        patience: int = 5,
        scheme: Scheme | None = None,
        repair: bool = False,
        tokenizer: Tokenizer | None = None,
        device: str | None = None,
        seed: int = 0,
    ) -> None:
        self.encoder = encoder
        self.model: Model = model
        self.characters: Characters = characters
        self.hidden = hidden
        self.dropout = dropout
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.encoder_learning_rate = encoder_learning_rate
        self.patience = patience
        self.scheme: Scheme | None = scheme
        self.repair = repair
        self.tokenizer = tokenizer
        self.device = device
        self.seed = seed

    def settings(self) -> TaggerSettings:
        """The parameters, checked.

        Raises
        ------
        InputError
            A value that is not known or out of range.
        """
        values = self.get_params(deep=False)
        return TaggerSettings(**{name: value for name, value in values.items() if name != "encoder"})

    # Learning --------------------------------------------------------------------------------------------------

    def fit(
        self,
        X: Any,
        y: Any,
        *,
        validation: tuple[Any, Any] | float | None = None,
        progress: Callable[[Epoch], object] | None = None,
    ) -> Self:
        """Learn from sentences and their tags.

        Parameters
        ----------
        validation : sentences and tags by whose score the best epoch is chosen and training is stopped early; a float
            holds out that share of the training sentences, or less so that every label stays to be learned from; None
            runs all epochs and takes the last.
        progress : called after each epoch.

        Raises
        ------
        InputError
            No sentences, to learn from or to validate on, an empty one, other numbers of tags than of words, a setting
            out of range, or an encoder that cannot be trained along.
        LabelError
            An inconsistent sequence of tags, one tag only, a validation label that training does not have.
        WordstockError
            The loss is no number any more: says what to lower.
        MissingExtraError
            The extra "torch" is not installed.
        ModelError
            The encoder is a name that cannot be had.
        """
        settings = self.settings()
        sentences = as_sentences(X)
        if not sentences:
            raise InputError("no sentences to learn from")
        tags = as_tags(y, sentences)
        scheme = settings.scheme or detect_scheme(tags)
        tags = check_sequences(tags, scheme, sentences, repair=settings.repair)
        train, held = held_out((sentences, tags), validation, scheme, repair=settings.repair, seed=settings.seed)
        tagset = TagSet.learn(train[1], scheme)
        if held is not None:
            tagset.encode(held[1], "validation tags")
        encoder = resolve_encoder(self.encoder)
        require("torch", extra="torch", purpose="training a tagger")
        from wordstock.tasks.tagging.learning import learn

        alphabet = learn_alphabet(word for one in train[0] for word in one) if settings.characters == "cnn" else ""
        self.network_, self.history_ = learn(settings, encoder, tagset, alphabet, train, held, progress=progress)
        return self._set(encoder, tagset, alphabet)

    def _set(self, encoder: Encoder, tagset: TagSet, alphabet: str) -> Self:
        self.encoder_, self.tagset_, self.alphabet_ = encoder, tagset, alphabet
        self.tokenizer_ = self.tokenizer or Tokenizer(casing="keep")
        self.classes_ = np.array(tagset.labels)
        return self

    # Answers ---------------------------------------------------------------------------------------------------

    def predict(self, X: Any) -> Any:
        """Tags of the words of each sentence, list[list[str]], or of each raw text; list[str] for a single str.

        A raw text is split into sentences and words as ``split`` does; its tags are those of all its words.

        Raises
        ------
        InputError
            Something else than lists of words or str; an empty sentence.
        sklearn.exceptions.NotFittedError
            Before ``fit``.
        """
        check_is_fitted(self, "network_")
        if isinstance(X, str):
            return self._tags_of_texts([X])[0]
        listed = as_list(X, "sentences")
        if listed and isinstance(listed[0], str):
            return self._tags_of_texts(listed)
        return self._tags(as_sentences(listed))

    def split(self, text: str) -> SplitText:
        """The sentences and words that a raw text is taken for, and where they stand in it."""
        if not isinstance(text, str):
            raise InputError(f"a text must be a str, not {type(text).__name__}: {text!r:.80}")
        return split_text(text, self.tokenizer or Tokenizer(casing="keep"))

    @overload
    def predict_spans(self, X: str) -> list[TextSpan]: ...
    @overload
    def predict_spans(self, X: list[str] | tuple[str, ...]) -> list[list[TextSpan]]: ...
    def predict_spans(self, X: str | list[str] | tuple[str, ...]) -> list[TextSpan] | list[list[TextSpan]]:
        """The spans found in a raw text, or in each of several, with their characters.

        ``text[span.start:span.stop]`` is ``span.text``. Tags that are plain labels give one span for each word.

        Raises
        ------
        InputError
            Something else than str.
        sklearn.exceptions.NotFittedError
            Before ``fit``.
        """
        check_is_fitted(self, "network_")
        if isinstance(X, str):
            return self._spans([X])[0]
        return self._spans(as_list(X, "texts"))

    def predict_marginals(self, X: Any) -> list[FloatArray]:
        """Probability of every tag at every word, float32 (words, k) for each sentence.

        The columns are in the order of ``marginal_names``.

        Raises
        ------
        InputError
            As ``predict``.
        """
        check_is_fitted(self, "network_")
        from wordstock.tasks.torch.tagger_training import probabilities

        sentences = as_sentences(X)
        blocks = (sentences[start : start + _BLOCK] for start in range(0, len(sentences), _BLOCK))
        return [one for block in blocks for one in probabilities(self.network_, self._prepared(block))]

    @property
    def marginal_names(self) -> tuple[str, ...]:
        """The tags as the CRF has them: plain labels, or BIOES."""
        names: tuple[str, ...] = self.tagset_.names
        return names

    def evaluate(self, X: Any, y: Any) -> SpanScores:
        """Precision, recall and F1 of spans, over all and by type, as ``conlleval`` counts them, and word accuracy.

        Of plain labels every word is a span of its own.

        Raises
        ------
        LabelError
            A label that was not there in training: names it, where it stands and the known ones.
        InputError
            No sentences, other numbers of tags than of words.
        """
        check_is_fitted(self, "network_")
        sentences = as_sentences(X)
        if not sentences:
            raise InputError("no sentences to evaluate")
        tags = as_tags(y, sentences)
        self.tagset_.encode(tags, "test tags")
        found = self._tags(sentences)
        if self.tagset_.scheme == "plain":
            return score_spans(*([[f"S-{tag}" for tag in one] for one in side] for side in (tags, found)))
        return score_spans(tags, found)

    def score(self, X: Any, y: Any) -> float:
        """F1 of spans from 0 to 1; for plain labels the share of words with the right one. Errors as ``evaluate``."""
        return self.evaluate(X, y).f1  # of plain labels that is the share of words that are right

    def _tags(self, sentences: list[list[str]]) -> list[list[str]]:
        from wordstock.tasks.torch.tagger_training import answers

        blocks = (sentences[start : start + _BLOCK] for start in range(0, len(sentences), _BLOCK))
        return [self.tagset_.decode(one) for block in blocks for one in answers(self.network_, self._prepared(block))]

    def _prepared(self, sentences: list[list[str]]) -> Prepared:
        from wordstock.tasks.torch.tagger_batches import Prepared

        network: TaggerNetwork = self.network_
        return Prepared(
            sentences,
            network.trainable or WordVectors(self.encoder_, sentences),
            characters=network.shape.characters,
            alphabet=self.alphabet_,
            device=network.device,
        )

    def _tags_of_texts(self, texts: list[str]) -> list[list[str]]:
        split, tags = self._split_and_tagged(texts)
        return [[tag for number in numbers for tag in tags[number]] for _, numbers in split]

    def _spans(self, texts: list[str]) -> list[list[TextSpan]]:
        split, tags = self._split_and_tagged(texts)
        plain = self.tagset_.scheme == "plain"
        out: list[list[TextSpan]] = []
        for text, (parts, numbers) in zip(texts, split, strict=True):
            found: list[TextSpan] = []
            for offsets, number in zip(parts.offsets, numbers, strict=True):
                one = tags[number]
                spans = [(at, at + 1, tag) for at, tag in enumerate(one)] if plain else spans_of(one)
                for first, last, label in spans:
                    start, stop = offsets[first][0], offsets[last - 1][1]
                    found.append(TextSpan(start, stop, label, text[start:stop]))
            out.append(found)
        return out

    def _split_and_tagged(self, texts: list[str]) -> tuple[list[tuple[SplitText, range]], list[list[str]]]:
        """Each text's parts with the numbers of its sentences, and the tags of all sentences."""
        split: list[tuple[SplitText, range]] = []
        sentences: list[list[str]] = []
        for text in texts:
            parts = self.split(text)
            split.append((parts, range(len(sentences), len(sentences) + len(parts.sentences))))
            sentences += parts.sentences
        return split, self._tags(sentences)

    # Files -----------------------------------------------------------------------------------------------------

    def save(self, path: Path | str) -> None:
        """Write one .safetensors file, atomically and without pickle; see ``tasks.tagging.artefact``.

        The encoder's vectors are not in it, only its fingerprint and the names and paths it may be loaded by; with
        "finetune" the trained weights are.

        Raises
        ------
        StorageError
            The file cannot be written; whatever stood there before is untouched.
        sklearn.exceptions.NotFittedError
            Before ``fit``.
        """
        check_is_fitted(self, "network_")
        from wordstock.tasks.tagging.artefact import TaggerArtefact, write_tagger

        record = EncoderRecord.of(self.encoder_, self.encoder)
        tensors = self.network_.arrays()
        write_tagger(
            path,
            TaggerArtefact(
                self.settings(), self.network_.shape, self.tagset_, self.alphabet_, record, self.history_, tensors
            ),
        )

    @classmethod
    def load(cls, path: Path | str, encoder: Any = None, *, device: str | None = None) -> Self:
        """Read what ``save`` wrote.

        Parameters
        ----------
        encoder : the encoder it was trained with, or its name or path; None loads it by what the file recorded, which
            may be a registered name or a path on this machine, but never a repository of the Hugging Face hub.
        device : as in the constructor.

        Raises
        ------
        FormatError
            Not a saved tagger, or a damaged one.
        FingerprintError
            Another encoder than the one it was trained with.
        InputError
            ``encoder`` is None and the recorded one cannot be had.
        MissingExtraError
            The extra "torch" is not installed.
        """
        from wordstock.tasks.tagging.artefact import read_tagger

        path = user_path(path)
        artefact = read_tagger(path)
        if encoder is None:
            given = artefact.encoder.find(path)
        else:
            given = resolve_encoder(encoder)
            artefact.encoder.check(given, path)
        require("torch", extra="torch", purpose="using a tagger")
        from wordstock.tasks.tagging.learning import rebuilt

        loaded = cls(given if encoder is None else encoder, **artefact.settings.params())
        loaded.device = device
        loaded.network_ = rebuilt(path, artefact, given, device)
        loaded.history_ = artefact.history
        return loaded._set(given, artefact.tagset, artefact.alphabet)
