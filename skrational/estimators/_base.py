"""What every sequence classifier shares: input, labels, tags and predictions."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import wraps
from numbers import Real
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, softmax
from sklearn.base import (
    BaseEstimator,
    ClassifierMixin,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.utils import check_array, compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    _assert_all_finite,
    _check_feature_names,
    _check_sample_weight,
    _get_feature_names,
    check_is_fitted,
    column_or_1d,
)

from skrational.exceptions import FeatureScaleWarning
from skrational.sequences import SequenceArray, check_finite
from skrational.sequences.forms import form_of, take_column
from skrational.sequences.reading import pack
from skrational.sequences.scale import odd_scale
from skrational.training.labelled import Labelled
from skrational.utils.callbacks import CallbackSupportMixin
from skrational.utils.callers import caller_level
from skrational.utils.checks import is_missing
from skrational.utils.moved import with_new_parameters
from skrational.utils.optional import asks_for_pandas, data_frame

__all__ = ["BaseSequenceClassifier", "keeping_index", "read_sequences"]

Transform: TypeAlias = Callable[..., NDArray[np.floating]]


def keeping_index(transform: Transform) -> Transform:
    """Let the frame that ``transform`` may have to return keep the index of X.

    scikit-learn's own wrapper looks for it in columns and frames of pandas only.
    """

    @wraps(transform)
    def method(self: Any, X: Any) -> Any:
        scores = transform(self, X)
        index = X.index if isinstance(X, SequenceArray) else None
        if index is None or not asks_for_pandas(self):
            return scores
        return data_frame(scores, index=index)

    return method


class BaseSequenceClassifier(
    CallbackSupportMixin,
    ClassNamePrefixFeaturesOutMixin,
    ClassifierMixin,
    TransformerMixin,
    BaseEstimator,
    ABC,
):
    """A classifier of sequences whose fitted state is numpy.

    A subclass fits, sets ``classes_``, ``coef_`` and ``intercept_``, and computes the
    scores of its hidden units, on which the linear readout works.
    """

    _doc_link_module = "skrational"
    _doc_link_template = ""

    classes_: NDArray[Any]
    coef_: NDArray[np.floating]
    intercept_: NDArray[np.floating]
    n_features_in_: int

    @abstractmethod
    def _scores(self, X: SequenceArray) -> NDArray[np.floating]:
        """Score each sequence with each hidden unit, (n, d).

        Raises by `check_finite` if X holds NaN or infinity.
        """

    def _readout(self, scores: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the logits ``coef_ s + intercept_``, (n, n_outputs).

        They are float64, so that the terms of a logit add up to it.
        """
        return scores.astype(np.float64) @ self.coef_.T + self.intercept_

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(with_new_parameters(type(self), state))

    def __sklearn_is_fitted__(self) -> bool:
        # The parameter ``lambda_`` ends as fitted attributes do, which would pass for
        # being fitted.
        return hasattr(self, "classes_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = True
        tags.input_tags.three_d_array = True
        tags.input_tags.sparse = False
        tags.classifier_tags.multi_label = False
        tags.transformer_tags.preserves_dtype = []
        return tags

    @property
    def _n_features_out(self) -> int:
        return int(self.coef_.shape[1])

    @keeping_index
    def transform(self, X: Any) -> NDArray[np.floating]:
        """Score each sequence with each surviving unit.

        Parameters
        ----------
        X : SequenceArray or array-like
            As for ``fit``.

        Returns
        -------
        ndarray of shape (n_sequences, n_units)
            What the linear readout sees. A data frame if `set_output` says so.
        """
        check_is_fitted(self)
        return self._scores(self._read_more(X)).astype(self.coef_.dtype, copy=False)

    def decision_function(self, X: Any) -> NDArray[np.floating]:
        """Return the logits, in double precision.

        Parameters
        ----------
        X : SequenceArray or array-like
            As for ``fit``.

        Returns
        -------
        ndarray of shape (n_sequences,) or (n_sequences, n_classes)
            One logit, that of ``classes_[1]``, for two classes.
        """
        logits = self._logits(X)
        return logits[:, 0] if len(self.classes_) == 2 else logits

    def _logits(self, X: Any) -> NDArray[np.float64]:
        """Logits of sequences in any accepted form, (n, n_outputs)."""
        check_is_fitted(self)
        return self._logits_of(self._scores(self._read_more(X)))

    def _logits_of(self, scores: NDArray[np.floating]) -> NDArray[np.float64]:
        """Logits of scores, (n, n_outputs); a warning tells of those that overflow."""
        logits = self._readout(scores)
        n_faults = np.count_nonzero(np.isnan(logits).any(axis=1))
        if n_faults:
            warnings.warn(
                f"The scores of {n_faults} of {len(logits)} sequences overflow, and "
                "their predictions mean nothing: their features are far larger than "
                "those that were learned from.",
                FeatureScaleWarning,
                stacklevel=caller_level(),
            )
        return logits

    def _probabilities(self, logits: NDArray[np.float64]) -> NDArray[np.floating]:
        """Probability of each class, (n, n_classes), from the logits."""
        if logits.shape[1] == 1:
            return expit(np.hstack([-logits, logits]), dtype=self.coef_.dtype)
        return softmax(logits, axis=1).astype(self.coef_.dtype)

    def _most_probable(self, logits: NDArray[np.float64]) -> NDArray[Any]:
        """The most probable class of each sequence, (n,), from the logits."""
        if logits.shape[1] == 1:
            return self.classes_[(logits[:, 0] > 0).astype(int)]
        return self.classes_[logits.argmax(axis=1)]

    def predict_proba(self, X: Any) -> NDArray[np.floating]:
        """Return the probability of each class.

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
        """Return the logarithm of the probability of each class.

        Parameters
        ----------
        X : SequenceArray or array-like
            As for ``fit``.

        Returns
        -------
        ndarray of shape (n_sequences, n_classes)
        """
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

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

    def _read_more(self, X: Any) -> SequenceArray:
        """Read X for a prediction: as wide as in fit."""
        X = take_column(X)
        sequences = read_sequences(X, self)
        _check_feature_names(self, X, reset=False)
        given, expected = sequences.n_features, self.n_features_in_
        if given != expected:
            raise ValueError(
                f"X has {given} features, but {type(self).__name__} is expecting "
                f"{expected} features as input"
            )
        return sequences

    def _read_training(
        self, X: Any, y: Any, sample_weight: ArrayLike | None
    ) -> Labelled:
        """Check X, y and the weights; these are multiplied by those of the classes."""
        X = take_column(X)
        sequences = read_sequences(X, self)
        check_finite(sequences, self.dtype)
        if y is None:
            raise ValueError(
                f"This {type(self).__name__} estimator requires y to be passed, but "
                "the target y is None."
            )
        y = _read_labels(y, "y")
        check_classification_targets(y)
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
            weights = weights * np.where(weights > 0, of_class[codes], 0.0)
        present = np.unique(codes[weights > 0])
        if len(present) < 2:
            held = (
                f"only one class ({classes[present[0]]!r})" if len(present) else "none"
            )
            raise ValueError(
                f"y holds {held}; a classifier needs samples, of positive weight, of "
                "at least two classes."
            )
        if sequences.n_tokens == 0:
            raise ValueError(
                f"X holds {len(sequences)} sequences, but not one token to learn from."
            )
        if fault := odd_scale(sequences):
            warnings.warn(fault, FeatureScaleWarning, stacklevel=caller_level())
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
        if X is None and y is None:
            return None
        if X is None or y is None:
            raise ValueError(
                f"X_{name} and y_{name} go together; got "
                f"X_{name}={'None' if X is None else 'given'}, "
                f"y_{name}={'None' if y is None else 'given'}."
            )
        X = take_column(X)
        if form_of(X) == "strings":
            step = type(self).__name__.lower()
            raise TypeError(_RAW_VALIDATION.format(name=name, step=step))
        sequences = read_sequences(X, self)
        check_finite(sequences, self.dtype)
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
    dtype: str


_RAW_VALIDATION = (
    "X_{name} holds strings, but the classifier reads sequences, and a pipeline hands "
    "X_{name} on as it is. Either transform it before: vectorizer.fit(texts), then "
    "pipeline.fit(texts, y, {step}__X_{name}=vectorizer.transform(X_{name}), "
    "{step}__y_{name}=y_{name}). Or "
    "let the pipeline do it: sklearn.set_config(enable_metadata_routing=True), then "
    "make_pipeline(vectorizer, classifier.set_fit_request(X_{name}=True, "
    "y_{name}=True), transform_input=['X_{name}']).fit(texts, y, X_{name}=X_{name}, "
    "y_{name}=y_{name})."
)


def _check_class_weight(class_weight: dict[Any, float] | str) -> None:
    """Raise a ValueError for weights of classes that aren't numbers of at least 0."""
    if isinstance(class_weight, str):
        return
    for label, weight in class_weight.items():
        if not isinstance(weight, Real) or not 0 <= float(weight) < np.inf:
            raise ValueError(
                f"class_weight has {weight!r} for class {label!r}; expected a finite "
                "number of at least 0."
            )


def _read_labels(y: Any, name: str) -> NDArray[Any]:
    """Return labels, of any container, as an array; none of them may be missing."""
    values = np.asarray(y)
    if values.dtype.kind == "T":
        y = values = values.astype(object)
    if values.dtype == object:
        missing = next((i for i, v in enumerate(values.flat) if is_missing(v)), None)
        if missing is not None:
            raise ValueError(
                f"{name} contains NaN or another missing value: label {missing} is "
                f"{values.flat[missing]}."
            )
    labels = column_or_1d(y, input_name=name, warn=True)
    _assert_all_finite(labels, input_name=name)
    return labels


def read_sequences(X: Any, estimator: BaseEstimator) -> SequenceArray:
    """Read X in any accepted form.

    Plain matrices and data frames take scikit-learn's own way, with its messages.
    """
    if hasattr(X, "detach"):
        X = X.detach().cpu().numpy()
    if not isinstance(X, SequenceArray):
        form = form_of(X)
        if form == "matrix":
            dtypes = [np.float64, np.float32]
            X = check_array(X, dtype=dtypes, input_name="X", estimator=estimator)
        X = pack(X, form)
    if len(X) == 0:
        raise ValueError("X is empty: found 0 sequences, expected at least 1.")
    return X
