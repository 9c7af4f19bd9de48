"""scikit-learn's transformers of rows, applied to the steps of sequences."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.utils import get_tags
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from skrational.estimators._values import (
    are_of_tokens,
    at_tokens,
    read_values,
    take_targets,
)
from skrational.sequences import SequenceArray, as_sequences
from skrational.sequences.output import SequenceOutputMixin
from skrational.utils.suggestions import SuggestsNames

__all__ = ["TimeStepTransformer"]


class TimeStepTransformer(  # type: ignore[call-arg]
    SuggestsNames,
    SequenceOutputMixin,
    TransformerMixin,
    BaseEstimator,
    auto_wrap_output_keys=None,
):
    """Apply a transformer of rows to every step of every sequence.

    What scikit-learn has for tables serves ragged sequences: standardising, filling in
    missing values, selecting and projecting features.

    Parameters
    ----------
    transformer : estimator
        It reads and returns a row for each step, such as StandardScaler, SimpleImputer,
        PCA or a pipeline of these. It is cloned.

    Attributes
    ----------
    transformer_ : estimator
        Fitted on the steps of all sequences.
    n_features_in_ : int
        Width of a step.
    n_features_out_ : int
        Width of a transformed step.

    See Also
    --------
    skrational.SequenceArray : What `transform` returns.

    Notes
    -----
    A long sequence has a say for each of its steps. With ``y`` each step has the label
    of its sequence, or its own, so that transformers that learn from labels can be
    used.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skrational import TimeStepTransformer
    >>> X = [np.array([[1.0], [3.0]]), np.array([[5.0], [7.0], [9.0]])]
    >>> scaled = TimeStepTransformer(StandardScaler()).fit_transform(X)
    >>> scaled
    SequenceArray(2 sequences, 5 tokens of 1 features in 5 rows, token-level)
    >>> scaled[0].round(2).tolist()
    [[-1.41], [-0.71]]

    Missing values are filled in before they reach a classifier:

    >>> from sklearn.impute import SimpleImputer
    >>> from sklearn.pipeline import make_pipeline
    >>> X[0][1] = np.nan
    >>> filled = TimeStepTransformer(make_pipeline(SimpleImputer(), StandardScaler()))
    >>> filled.fit_transform(X)[0].round(2).tolist()
    [[-1.7], [0.0]]
    """

    def __init__(self, transformer: Any) -> None:
        self.transformer = transformer

    def fit(self, X: Any, y: Any = None) -> Self:
        """Fit the transformer on the steps of all sequences.

        Parameters
        ----------
        X : SequenceArray or array-like
            As `skrational.as_sequences` reads it; values may be missing (NaN). In a
            three-dimensional array, steps of nothing but NaN at the end are padding.
        y : array-like of shape (n,) or (n, m), or list of array-like of shape \
        (T_i, m), default=None
            Labels of the sequences; or m numbers for each step, as regressors take
            them.

        Returns
        -------
        TimeStepTransformer
            This transformer.

        Raises
        ------
        TypeError
            If ``transformer`` is none, or X isn't as documented.
        ValueError
            If X holds no steps, or y isn't of as many sequences or steps.
        """
        inner = self.transformer
        if isinstance(inner, type) or not hasattr(inner, "transform"):
            raise TypeError(
                f"transformer is {inner!r}; expected an estimator with fit and "
                "transform, such as StandardScaler()."
            )
        sequences = as_sequences(X, allow_nan=True)
        if sequences.n_tokens == 0:
            raise ValueError(
                f"X holds {len(sequences)} sequences, but not one step to learn from."
            )
        labels = None
        if y is not None:
            labels = _labels_of_steps(y, sequences)
        steps = sequences.features
        if sequences.indices is not None:
            steps = steps[sequences.indices]
        fitted = clone(inner).fit(steps, labels)
        width = _rows(fitted, steps[:1]).shape[1]
        self.transformer_, self.n_features_out_ = fitted, width
        self.n_features_in_ = sequences.n_features
        return self

    def transform(self, X: Any) -> SequenceArray:
        """Transform the steps of sequences.

        Parameters
        ----------
        X : SequenceArray or array-like
            As for `fit`.

        Returns
        -------
        SequenceArray
            Of as many sequences, of the same lengths and with the same labels.

        Raises
        ------
        ValueError
            If X is of another width than in `fit`.
        """
        check_is_fitted(self)
        sequences = as_sequences(X, allow_nan=True)
        if len(sequences) == 0:
            raise ValueError("X is empty: found 0 sequences, expected at least 1.")
        if sequences.n_features != self.n_features_in_:
            raise ValueError(
                f"X has {sequences.n_features} features, but TimeStepTransformer is "
                f"expecting {self.n_features_in_} features as input"
            )
        rows, labels = sequences.features, sequences.labels
        row_of_step = None
        if sequences.indices is not None:
            used, row_of_step = np.unique(sequences.indices, return_inverse=True)
            rows = rows[used]
            labels = None if labels is None else labels[used]
        features = np.empty((0, self.n_features_out_), rows.dtype)
        if len(rows):
            features = _rows(self.transformer_, rows)
        steps = SequenceArray(features, sequences.offsets, row_of_step, labels)
        return self._with_index_of(X, steps.with_originals(sequences.originals))

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:
        """Name the features of a transformed step, for the next step of a pipeline.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            As the transformer takes them.

        Returns
        -------
        ndarray of shape (n_features_out,), str
            As the transformer names them or, if it names none, numbered.

        Raises
        ------
        NotFittedError
            If this isn't fitted.
        """
        check_is_fitted(self)
        if hasattr(self.transformer_, "get_feature_names_out"):
            names: NDArray[Any] = self.transformer_.get_feature_names_out(
                input_features
            )
            return names
        numbers = range(self.n_features_out_)
        return np.array([f"timesteptransformer{i}" for i in numbers], dtype=object)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        if hasattr(self.transformer, "__sklearn_tags__"):
            tags.input_tags.allow_nan = get_tags(self.transformer).input_tags.allow_nan
        return tags


def _labels_of_steps(y: Any, X: SequenceArray) -> NDArray[Any]:
    """Return a label, or a row of y, for each step."""
    y = take_targets(y)
    if are_of_tokens(y):
        return at_tokens(read_values(y, X), X.lengths)
    check_consistent_length(X.lengths, y)
    return np.repeat(np.asarray(y), X.lengths, axis=0)


def _rows(transformer: Any, rows: NDArray[Any]) -> NDArray[Any]:
    """Transform rows, making sure that as many come back."""
    given = transformer.transform(rows)
    features = given.toarray() if issparse(given) else np.asarray(given)
    if features.ndim != 2 or len(features) != len(rows):
        raise ValueError(
            f"transformer {transformer!r} returns shape {features.shape} for "
            f"{len(rows)} steps; expected a row for each step."
        )
    return features
