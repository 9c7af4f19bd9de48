"""What two classifiers make of the same documents, and where they differ."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import precision_recall_fscore_support
from sklearn.utils.validation import _num_samples, check_is_fitted, column_or_1d

from skrational.editing.shown import in_html, in_words
from skrational.editing.texts import text_of
from skrational.utils.checks import is_missing
from skrational.utils.optional import data_frame

__all__ = ["ClassScores", "Comparison", "Flip", "compare"]

_SEVERAL = (
    "There are {} labels for each document; expected classifiers that give it one "
    "class, and y of classes. Of several labels compare one by "
    "skrational.inspection.single_output(estimator, 0)."
)

Pair = tuple[float, float]
"""What is so of the first classifier, and of the second one."""


class Flip(NamedTuple):
    """A document for which two classifiers predict different classes.

    Attributes
    ----------
    document : int
        Its place in X.
    text : str or None
        None if X holds no texts.
    before, after : object
        The class that the first one predicts, and the second one.
    truth : object
        Its label; None without y.
    probability_before, probability_after : float
        Of the class ``after``, by the first one and by the second one; NaN if one of
        them gives no probabilities.
    """

    document: int
    text: str | None
    before: Any
    after: Any
    truth: Any
    probability_before: float
    probability_after: float

    @property
    def change(self) -> float:
        """By how much the class that is predicted now became more probable."""
        return self.probability_after - self.probability_before


class ClassScores(NamedTuple):
    """How well a class is predicted before and after; NaN without y.

    Attributes
    ----------
    label : object
    n_documents : int or None
        Documents of this class; None without y.
    n_predicted : pair of int
        Documents that it's predicted for.
    precision, recall, f1 : pair of float
        0 where nothing is predicted, or there is nothing to find.
    """

    label: Any
    n_documents: int | None
    n_predicted: tuple[int, int]
    precision: Pair
    recall: Pair
    f1: Pair


@dataclass(frozen=True, eq=False, repr=False)
class Comparison:
    """What `compare` found. It prints as tables, and is shown as such in a notebook.

    Attributes
    ----------
    classes : ndarray of shape (n_classes,)
    n_documents : int
    flips : tuple of Flip
        The documents for which predictions differ, in the order of X.
    by_class : tuple of ClassScores, length n_classes
    accuracy : pair of float, or None
        Before and after; None without y.
    """

    classes: NDArray[Any]
    n_documents: int
    flips: tuple[Flip, ...]
    by_class: tuple[ClassScores, ...]
    accuracy: Pair | None

    @property
    def n_gained(self) -> int:
        """Documents that only the second classifier predicts rightly."""
        return sum(f.after == f.truth for f in self.flips) if self.accuracy else 0

    @property
    def n_lost(self) -> int:
        """Documents that only the first classifier predicts rightly."""
        return sum(f.before == f.truth for f in self.flips) if self.accuracy else 0

    def to_frame(self) -> Any:
        """Return the documents whose prediction differs as a data frame of pandas.

        Returns
        -------
        DataFrame
            A row for each of `flips`, a column for each of its attributes and for
            ``change``.
        """
        columns = [*Flip._fields, "change"]
        rows = [[*flip, flip.change] for flip in self.flips]
        return data_frame(
            {name: [row[i] for row in rows] for i, name in enumerate(columns)}
        )

    def classes_to_frame(self) -> Any:
        """Return the scores of the classes as a data frame of pandas.

        Returns
        -------
        DataFrame
            A row for each class; what is a pair has the columns ``recall_before``,
            ``recall_after`` and so on.
        """
        table: dict[str, Any] = {
            "label": [scores.label for scores in self.by_class],
            "n_documents": [scores.n_documents for scores in self.by_class],
        }
        for name in ClassScores._fields[2:]:
            for side, when in enumerate(("before", "after")):
                values = [getattr(scores, name)[side] for scores in self.by_class]
                table[f"{name}_{when}"] = values
        return data_frame(table)

    def __repr__(self) -> str:
        return in_words(self)

    def _repr_html_(self) -> str:
        return in_html(self)


class _Predicted(NamedTuple):
    """What a classifier says of n documents.

    Attributes
    ----------
    codes : ndarray of shape (n,)
        Numbers of the classes.
    probabilities : ndarray of shape (n, n_classes) or None
    """

    codes: NDArray[np.intp]
    probabilities: NDArray[Any] | None


def compare(a: Any, b: Any, X: Any, y: ArrayLike | None = None) -> Comparison:
    """Say what becomes of predictions if one classifier takes the place of another.

    Parameters
    ----------
    a, b : classifier
        Fitted, of the same classes, before and after; any classifiers of scikit-learn's
        kind, also pipelines.
    X : documents
        In the form that both read.
    y : array-like of shape (n_documents,), default=None
        Labels. None: there are no scores, but the documents whose prediction differs.

    Returns
    -------
    Comparison

    Raises
    ------
    NotFittedError
        If a classifier isn't fitted.
    TypeError
        If one of them is no classifier, or X is a string.
    ValueError
        If their classes differ, X is empty, or y has other classes or another length.

    See Also
    --------
    without : Takes parts out of a model.

    Examples
    --------
    >>> from sklearn.feature_extraction.text import CountVectorizer
    >>> from sklearn.naive_bayes import MultinomialNB
    >>> from sklearn.pipeline import make_pipeline
    >>> texts, y = ["good", "good pan", "bad pan", "bad lid"], [1, 1, 0, 0]
    >>> words = make_pipeline(CountVectorizer(), MultinomialNB()).fit(texts, y)
    >>> few = CountVectorizer(vocabulary=["pan"])
    >>> pans = make_pipeline(few, MultinomialNB()).fit(texts, y)
    >>> found = compare(words, pans, texts, y)
    >>> found
    4 documents: 2 predictions differ (50.0 %)
    accuracy 1.000 -> 0.500: 0 are right only after, 2 were right only before
    class  documents  predicted  precision       recall          F1
    0              2  2 -> 4     1.000 -> 0.500  1.000 -> 1.000  1.000 -> 0.667
    1              2  2 -> 0     1.000 -> 0.000  1.000 -> 0.000  1.000 -> 0.000
    documents whose prediction differs, and the probability of the class after:
      document  label  before -> after  probability     text
             1  1      1 -> 0           0.203 -> 0.500  good pan
             0  1      1 -> 0           0.226 -> 0.500  good
    >>> found.flips[0].text, round(found.flips[0].change, 3)
    ('good', 0.274)
    """
    for name, estimator in (("a", a), ("b", b)):
        _check_classifier(name, estimator)
    classes = a.classes_
    number = {label: i for i, label in enumerate(classes.tolist())}
    if set(number) != set(b.classes_.tolist()):
        raise ValueError(
            f"a knows the classes {classes.tolist()} and b {b.classes_.tolist()}; "
            "expected the same ones."
        )
    if isinstance(X, (str, bytes)):
        raise TypeError("X is a string; expected a sequence of documents.")
    X = list(X) if isinstance(X, Iterator) else X
    n = _num_samples(X)
    if n == 0:
        raise ValueError("X is empty; expected at least one document.")
    labels = None if y is None else _codes(y, number, n)
    before, after = (_predict(estimator, X, number) for estimator in (a, b))
    return Comparison(
        classes=classes,
        n_documents=n,
        flips=_flips(X, classes.tolist(), labels, before, after),
        by_class=_by_class(classes.tolist(), labels, before.codes, after.codes),
        accuracy=None if labels is None else _accuracies(labels, before, after),
    )


def _check_classifier(name: str, estimator: Any) -> None:
    """Raise an error for what isn't a fitted classifier."""
    if not hasattr(estimator, "predict"):
        raise TypeError(
            f"{name} is a {type(estimator).__name__}; expected a fitted classifier."
        )
    check_is_fitted(estimator)
    classes = getattr(estimator, "classes_", None)
    if not isinstance(classes, np.ndarray) or classes.ndim != 1:
        raise TypeError(
            f"{name} is a {type(estimator).__name__} that has no classes_; expected a "
            "classifier that gives each document one class."
        )


def _codes(y: Any, number: dict[Any, int], n: int) -> NDArray[np.intp]:
    """Number labels as the classes are numbered."""
    if np.ndim(y) == 2 and np.shape(y)[1] > 1:
        raise TypeError(_SEVERAL.format(np.shape(y)[1]))
    labels = column_or_1d(np.asarray(y), warn=False).tolist()
    if len(labels) != n:
        raise ValueError(f"X holds {n} documents and y {len(labels)} labels.")
    others = [label for label in labels if is_missing(label) or label not in number]
    if others:
        raise ValueError(
            f"y holds {list(dict.fromkeys(others))[:5]}, but the classes are "
            f"{list(number)}."
        )
    return np.array([number[label] for label in labels], dtype=np.intp)


def _predict(estimator: Any, X: Any, number: dict[Any, int]) -> _Predicted:
    """Predict, with the classes in the order of the first classifier."""
    predicted = np.asarray(estimator.predict(X))
    if predicted.ndim != 1:
        raise TypeError(_SEVERAL.format(predicted.shape[1]))
    codes = np.array([number[label] for label in predicted.tolist()], dtype=np.intp)
    if not hasattr(estimator, "predict_proba"):
        return _Predicted(codes, None)
    places = [estimator.classes_.tolist().index(label) for label in number]
    return _Predicted(codes, np.asarray(estimator.predict_proba(X))[:, places])


def _flips(
    X: Any,
    classes: list[Any],
    labels: NDArray[np.intp] | None,
    before: _Predicted,
    after: _Predicted,
) -> tuple[Flip, ...]:
    """List the documents whose prediction differs."""

    def probability(predicted: _Predicted, i: int, code: int) -> float:
        known = predicted.probabilities
        return np.nan if known is None else float(known[i, code])

    return tuple(
        Flip(
            document=i,
            text=text_of(X, i),
            before=classes[before.codes[i]],
            after=classes[after.codes[i]],
            truth=None if labels is None else classes[labels[i]],
            probability_before=probability(before, i, after.codes[i]),
            probability_after=probability(after, i, after.codes[i]),
        )
        for i in np.flatnonzero(before.codes != after.codes).tolist()
    )


def _by_class(
    classes: list[Any],
    labels: NDArray[np.intp] | None,
    before: NDArray[np.intp],
    after: NDArray[np.intp],
) -> tuple[ClassScores, ...]:
    """Score each class by the predictions of both classifiers."""
    numbers = np.arange(len(classes))
    predicted = [
        np.bincount(codes, minlength=len(classes)) for codes in (before, after)
    ]
    scores = np.full((2, 3, len(classes)), np.nan)
    documents: list[Any] = [None] * len(classes)
    if labels is not None:
        documents = np.bincount(labels, minlength=len(classes)).tolist()
        for side, codes in enumerate((before, after)):
            scores[side] = precision_recall_fscore_support(
                labels, codes, labels=numbers, zero_division=0
            )[:3]
    return tuple(
        ClassScores(
            classes[k],
            documents[k],
            (int(predicted[0][k]), int(predicted[1][k])),
            *((float(first), float(then)) for first, then in scores[:, :, k].T),
        )
        for k in numbers
    )


def _accuracies(
    labels: NDArray[np.intp], before: _Predicted, after: _Predicted
) -> Pair:
    first, then = (float(np.mean(p.codes == labels)) for p in (before, after))
    return first, then
