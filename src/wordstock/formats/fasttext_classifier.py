"""fastText classifiers: the labels of texts, such as the language each is in."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from wordstock._settings import check_number, check_whole
from wordstock._threads import run_slices
from wordstock.embeddings.sentence import check_texts
from wordstock.errors import FormatError, InputError
from wordstock.formats.fasttext_file import FastTextFile, open_fasttext
from wordstock.protocols import FloatArray

__all__ = ["FastTextClassifier", "LabelFilter", "LabelScore", "read_fasttext_classifier"]

_PREFIX = "__label__"
_END = b"</s>"  # the kernel finds the token that ends every text at the start of the data
_SMALLEST = 64  # texts worth a thread


class LabelScore(NamedTuple):
    """A label and its probability."""

    label: str
    probability: float


def read_fasttext_classifier(path: Path | str) -> FastTextClassifier:
    """Read a supervised fastText model, ``.bin`` or quantised ``.ftz`` (Joulin et al. 2016, 2017).

    ``lid.176.ftz``, which tells 176 languages apart, is such a model. A large dense matrix stays on disk, mapped.

    Raises
    ------
    FormatError
        Not such a file, word vectors instead of a classifier, or a damaged file; says at which byte.
    FileNotFoundError
        No such file.
    """
    return FastTextClassifier(open_fasttext(path))


class FastTextClassifier:
    """Tells the labels of texts; instances may be shared between threads.

    Parameters
    ----------
    model : the parts of the file.

    Attributes
    ----------
    labels : tuple of str, most frequent first, without the prefix ``__label__`` that fastText gives them.
    dim : components of a text's vector.
    """

    def __init__(self, model: FastTextFile) -> None:
        from wordstock.kernels.fasttextlabels import Head, build_tree

        settings, entries = model.settings, model.dictionary
        if settings.algorithm != 3:
            raise FormatError(
                model.path,
                expected="a fastText classifier",
                found="word vectors",
                remedy="read it with wordstock.load",
            )
        first, count = entries.n_words, model.output.rows
        blob, bounds = entries.blob.tobytes(), entries.offsets[first:].tolist()
        self.labels = tuple(
            blob[bounds[i] : bounds[i + 1]].decode(errors="replace").removeprefix(_PREFIX) for i in range(count)
        )
        self.dim = settings.dim
        tree = np.full((2 * count - 1 if settings.loss == 1 else 0, 2), -1, np.int32)
        if settings.loss == 1:
            build_tree(model.counts[first:], tree, np.empty(len(tree)))
        output = np.ascontiguousarray(model.output.dense())
        if not output.flags.aligned or not output.flags.writeable:  # one kind of array, one compiled kernel
            output = output.copy()
        self._dictionary, self._matrix = entries, model.inputs.matrix
        self._head = Head(output, tree, settings.loss == 3)

    def predict(self, texts: Sequence[str], k: int = 1) -> list[list[LabelScore]]:
        """The most probable labels of each text, best first.

        They are fastText's own: its probabilities are 1e-5 too large for each decision, so that 1.00001 occurs, and
        hierarchical softmax leaves labels below 1e-5 out. Lines need not be split: a newline counts as a space. Nothing
        is lower-cased.

        Parameters
        ----------
        k : labels to give at most.

        Returns
        -------
        A list per text; an empty one for a text without anything that the model knows.

        Raises
        ------
        InputError
            ``k`` below 1, a str instead of a list of them, or something that is no str.
        """
        scores, numbers = self._best(texts, k)
        order = np.argsort(-scores, axis=1, kind="stable")
        probabilities = np.exp(np.take_along_axis(scores, order, axis=1)).tolist()
        best = np.take_along_axis(numbers, order, axis=1).tolist()
        return [
            [LabelScore(self.labels[n], p) for n, p in zip(row, shares, strict=True) if n >= 0]
            for row, shares in zip(best, probabilities, strict=True)
        ]

    def keeps(self, *labels: str, at_least: float = 0.5) -> LabelFilter:
        """A filter for ``wordstock.corpus.read_texts(language=...)``.

        It keeps a text whose most probable label is one of ``labels``, with a probability of ``at_least``.

        Raises
        ------
        InputError
            No label, one that the model lacks, or a probability that is none.
        """
        if not labels:
            raise InputError("name at least one label to keep")
        for label in labels:
            if label not in self.labels:
                near = difflib.get_close_matches(label, self.labels, 5, 0.5) or list(self.labels[:10])
                raise InputError(f"{label!r} is no label of this model; it has {len(self.labels)}, such as {near}")
        check_number("at_least", at_least, 0, 1, least=True, most=True)
        return LabelFilter(self, labels, at_least)

    def best(self, texts: Sequence[str]) -> tuple[npt.NDArray[np.int32], FloatArray]:
        """Number in ``labels`` of each text's most probable label, int32 (n,), and its probability, float32 (n,).

        -1 and 0 for a text without anything that the model knows.
        """
        scores, numbers = self._best(texts, 1)
        return numbers[:, 0], np.exp(scores[:, 0])

    def _best(self, texts: Sequence[str], k: int) -> tuple[FloatArray, npt.NDArray[np.int32]]:
        from wordstock.kernels.fasttextlabels import predict_texts

        if isinstance(texts, str):
            raise InputError("give a list of texts, not one str")
        check_whole("k", k, 1)
        encoded = [text.encode(errors="replace") for text in check_texts(texts)]
        lengths = np.fromiter(map(len, encoded), np.int64, len(encoded))
        offsets = np.cumsum(np.concatenate([[len(_END)], lengths]))
        data = np.frombuffer(b"".join([_END, *encoded]), np.uint8)
        shape = (len(encoded), min(int(k), len(self.labels)))
        scores, numbers = np.full(shape, -np.inf, np.float32), np.full(shape, -1, np.int32)
        model = self._dictionary, self._matrix, self._head

        def slice_of(first: int, last: int) -> None:
            predict_texts(*model, data, offsets, first, last, scores, numbers)

        run_slices(slice_of, len(encoded), smallest=_SMALLEST)
        return scores, numbers


class LabelFilter:
    """Whether texts have one of some labels, called with one text or, much faster, with many."""

    def __init__(self, model: FastTextClassifier, labels: Sequence[str], at_least: float) -> None:
        self._model = model
        self._numbers = np.array([model.labels.index(label) for label in labels], np.int32)
        self._at_least = at_least

    def __call__(self, text: str) -> bool:
        """Whether this text is kept."""
        return bool(self.many([text])[0])

    def many(self, texts: Sequence[str]) -> npt.NDArray[np.bool_]:
        """Whether each text is kept, bool (n,)."""
        numbers, probabilities = self._model.best(texts)
        kept: npt.NDArray[np.bool_] = np.isin(numbers, self._numbers) & (probabilities >= self._at_least)
        return kept
