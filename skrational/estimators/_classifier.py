"""What every classifier of sequences shares: labels, and predictions of classes."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse
from scipy.special import expit, softmax
from sklearn.base import ClassifierMixin
from sklearn.utils import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    _assert_all_finite,
    _check_sample_weight,
    _get_feature_names,
    column_or_1d,
)

from skrational.estimators._base import BaseSequenceEstimator
from skrational.sequences.forms import take_column
from skrational.training.calibration import log_probabilities
from skrational.training.labelled import Labelled, summable
from skrational.utils.callers import caller_level
from skrational.utils.checks import is_missing

__all__ = ["BaseSequenceClassifier"]

_FEW_CLASSES = 20
_SEVERAL = (
    "{name} holds {what}; expected one label for each sequence. Several labels make an "
    "indicator matrix of 0 and 1, as MultiLabelBinarizer of scikit-learn writes it, "
    "which SparseRationalClassifier takes."
)


class BaseSequenceClassifier(ClassifierMixin, BaseSequenceEstimator):
    """A classifier of sequences whose fitted state is numpy.

    A subclass fits, sets ``classes_``, ``coef_``, ``intercept_`` and ``temperature_``,
    and computes the scores of its hidden units, on which the linear readout works.
    """

    classes_: NDArray[Any]
    temperature_: float

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "classes_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = False
        return tags

    def decision_function(self, X: Any) -> NDArray[np.floating]:
        """Return the logits, in double precision.

        They are those that training learned, not divided by ``temperature_``.

        Parameters
        ----------
        X : SequenceArray or array-like
            As for ``fit``.

        Returns
        -------
        ndarray of shape (n_sequences,) or (n_sequences, n_classes)
            One logit, that of ``classes_[1]``, for two classes; one for each label.
        """
        logits = self._logits(X)
        return logits[:, 0] if logits.shape[1] == 1 else logits

    def _log_probabilities(self, logits: NDArray[np.float64]) -> NDArray[np.float64]:
        """Logarithms of the probabilities, before those that are 1 are rounded."""
        return log_probabilities(logits, self.temperature_)

    def _probabilities(self, logits: NDArray[np.float64]) -> NDArray[np.floating]:
        """Probability of each class, (n, n_classes), from the logits."""
        scaled = logits / self.temperature_
        if scaled.shape[1] == 1:
            return expit(np.hstack([-scaled, scaled]), dtype=self.coef_.dtype)
        return softmax(scaled, axis=1).astype(self.coef_.dtype)

    def _most_probable(self, logits: NDArray[np.float64]) -> NDArray[Any]:
        """The most probable class of each sequence, (n,), from the logits."""
        if logits.shape[1] == 1:
            return self.classes_[(logits[:, 0] > 0).astype(int)]
        return self.classes_[logits.argmax(axis=1)]

    def predict_proba(self, X: Any) -> NDArray[np.floating]:
        """Return the probability of each class.

        That is the softmax of the logits over ``temperature_``.

        Parameters
        ----------
        X : SequenceArray or array-like
            As for ``fit``.

        Returns
        -------
        ndarray of shape (n_sequences, n_classes)
            Columns in the order of ``classes_``.
        """
        return self._probabilities(self._logits(X))

    def predict_log_proba(self, X: Any) -> NDArray[np.floating]:
        """Return the logarithm of the probability of each class, or label.

        It is computed from the logits in double precision, so that it's finite also
        where the probability itself is too small for a number. Where `predict_proba`
        rounds to 1 it is 0.

        Parameters
        ----------
        X : SequenceArray or array-like
            As for ``fit``.

        Returns
        -------
        ndarray of shape (n_sequences, n_classes), float64
        """
        logits = self._logits(X)
        log_p = self._log_probabilities(logits)
        return np.where(self._probabilities(logits) == 1, 0.0, log_p)

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most probable class of each sequence.

        That of an empty sequence is the one that the intercept favours: it is legal,
        and gets no warning, since texts without a known word are common.

        Parameters
        ----------
        X : SequenceArray or array-like
            As for ``fit``.

        Returns
        -------
        ndarray of shape (n_sequences,)
        """
        return self._most_probable(self._logits(X))

    def _read_training(self, X: Any, y: Any, sample_weight: ArrayLike | None) -> Any:
        """Check X, y and the weights; these are multiplied by those of the classes."""
        X = take_column(X)
        sequences = self._read_to_learn(X)
        if y is None:
            raise ValueError(
                f"This {type(self).__name__} estimator requires y to be passed, but "
                "the target y is None."
            )
        y = _read_labels(y, "y")
        _check_classes(y)
        if len(y) != len(sequences):
            raise ValueError(
                f"Found input variables with inconsistent numbers of samples: X has "
                f"{len(sequences)} sequences, y has {len(y)} labels."
            )
        weights = _check_sample_weight(
            sample_weight, sequences.lengths, dtype=np.float64, ensure_non_negative=True
        )
        classes, codes = np.unique(y, return_inverse=True)
        if self.class_weight is not None:
            _check_class_weight(self.class_weight)
            # "balanced" divides by the weight of a class, which may be 0.
            with np.errstate(divide="ignore"):
                of_class = compute_class_weight(
                    self.class_weight, classes=classes, y=y, sample_weight=weights
                )
            with np.errstate(over="ignore"):
                weights = weights * np.where(weights > 0, of_class[codes], 0.0)
        weights = summable(weights)
        present = np.unique(codes[weights > 0])
        if len(present) < 2:
            held = (
                f"only one class ({classes[present[0]]!r})" if len(present) else "none"
            )
            gone = "" if self.class_weight is None else " class_weight may leave none."
            raise ValueError(
                f"y holds {held}; a classifier needs samples, of positive weight, of "
                f"at least two classes.{gone}"
            )
        self._check_tokens(sequences)
        names = _get_feature_names(X)
        return Labelled(sequences, classes, codes, weights, names)

    def _read_held_out(
        self, training: Labelled, X: Any, y: Any, name: str = "val"
    ) -> Labelled | None:
        """Check documents that aren't trained on, if there are any.

        Parameters
        ----------
        training : Labelled
        X, y : like those of ``fit``, or None
        name : str, default="val"
            What follows ``X_`` and ``y_`` in messages.
        """
        sequences = self._read_other(X, y, name)
        if sequences is None:
            return None
        labels, n_features = _read_labels(y, f"y_{name}"), training.X.n_features
        if sequences.n_features != n_features or labels.shape != (len(sequences),):
            raise ValueError(
                f"X_{name} holds {len(sequences)} sequences of {sequences.n_features} "
                f"features and y_{name} has shape {labels.shape}; expected equal "
                f"lengths and {n_features} features."
            )
        unknown = np.setdiff1d(labels, training.classes)
        if len(unknown):
            raise ValueError(f"y_{name} holds labels that y does not: {unknown[:5]}.")
        codes = np.searchsorted(training.classes, labels)
        return Labelled(sequences, training.classes, codes, np.ones(len(codes)))

    class_weight: Any


def _check_class_weight(class_weight: Any) -> None:
    """Raise a ValueError for weights of classes that aren't numbers of at least 0."""
    if isinstance(class_weight, str):
        return
    for label, weight in class_weight.items():
        if not isinstance(weight, Real) or not 0 <= float(weight) < np.inf:
            raise ValueError(
                f"class_weight has {weight!r} for class {label!r}; expected a finite "
                "number of at least 0."
            )


def _check_classes(y: NDArray[Any]) -> None:
    """Raise a ValueError for numbers that aren't classes; warn of too many classes."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The number of unique classes")
        check_classification_targets(y)
    n_classes = len(np.unique(y))
    if n_classes > max(len(y) / 2, _FEW_CLASSES):
        warnings.warn(
            f"y has {n_classes} classes for {len(y)} samples. Are X and y swapped, or "
            "are these numbers to predict, for a regressor?",
            UserWarning,
            stacklevel=caller_level(),
        )


def _texts_only(labels: Iterable[Any], name: str) -> NDArray[np.object_]:
    """Return labels some of which are texts, as objects, if all of them are."""
    labels = list(labels)
    values = np.empty(len(labels), dtype=object)
    values[:] = labels
    for i, value in enumerate(values):
        if not isinstance(value, str) and not is_missing(value):
            raise ValueError(
                f"{name} mixes texts with other labels: label {i} is {value!r} "
                f"({type(value).__name__}); expected labels of one kind."
            )
    return values


def _read_labels(y: Any, name: str) -> NDArray[Any]:
    """Return labels, of any container, as an array; none of them may be missing."""
    try:
        values = y.toarray() if issparse(y) else np.asarray(y)
    except ValueError:
        raise ValueError(_SEVERAL.format(name=name, what="lists")) from None
    if values.dtype.kind == "T":
        y = values = values.astype(object)
    if values.dtype.kind == "U" and isinstance(y, (list, tuple)):
        # numpy writes what stands among texts as a text, "nan" as well.
        values = _texts_only(y, name)
    if values.dtype == object:
        missing = next((i for i, v in enumerate(values.flat) if is_missing(v)), None)
        if missing is not None:
            raise ValueError(
                f"{name} contains NaN or another missing value: label {missing} is "
                f"{values.flat[missing]}."
            )
        if any(isinstance(value, str) for value in values.flat):
            _texts_only(values.flat, name)
        kind = type(values.flat[0])
        if values.size and issubclass(kind, set | frozenset | list | tuple | dict):
            raise ValueError(_SEVERAL.format(name=name, what=f"{kind.__name__}s"))
    if values.ndim > 1 and values.shape[1:] != (1,):
        raise ValueError(
            f"{name} should be a 1d array, of one label for each sequence; got an "
            f"array of shape {values.shape}. Of estimators of sequences "
            "SparseRationalClassifier takes an indicator matrix of several labels."
        )
    labels = column_or_1d(y, input_name=name, warn=True)
    _assert_all_finite(labels, input_name=name)
    return labels
