"""What every estimator of sequences shares: input, tags, and the readout."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.utils import check_array
from sklearn.utils.validation import (
    _check_feature_names,
    check_is_fitted,
)

from skrational.estimators import _options as options
from skrational.exceptions import FeatureScaleWarning, SequenceFormWarning
from skrational.kernels.cpu.readout import apply_readout
from skrational.sequences import SequenceArray, check_finite
from skrational.sequences.forms import form_of, take_column
from skrational.sequences.misread import likely_misread
from skrational.sequences.reading import pack
from skrational.sequences.scale import odd_scale
from skrational.utils.callbacks import CallbackSupportMixin
from skrational.utils.callers import caller_level
from skrational.utils.moved import with_new_parameters
from skrational.utils.optional import asks_for_pandas, data_frame

__all__ = ["BaseSequenceEstimator", "keeping_index", "read_sequences"]

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


class BaseSequenceEstimator(
    CallbackSupportMixin,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    BaseEstimator,
    ABC,
):
    """An estimator that reads sequences, and whose fitted state is numpy.

    A subclass fits, sets ``n_features_in_``, ``coef_`` and ``intercept_``, and computes
    the scores of its hidden units, on which the linear readout works.
    """

    _doc_link_module = "skrational"
    _doc_link_template = ""

    coef_: NDArray[np.floating]
    intercept_: NDArray[np.floating]
    n_features_in_: int
    dtype: options.FloatType

    @abstractmethod
    def _scores(self, X: SequenceArray) -> NDArray[np.floating]:
        """Score each sequence with each hidden unit, (n, d).

        Raises by `check_finite` if X holds NaN or infinity.
        """

    def _readout(self, scores: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the logits ``coef_ s + intercept_``, (n, n_outputs).

        They are float64, so that the terms of a logit add up to it, and each is summed
        by itself: a BLAS adds up those of a larger batch in another order.
        """
        return apply_readout(scores, self.coef_, self.intercept_)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(with_new_parameters(type(self), state))

    def __sklearn_is_fitted__(self) -> bool:
        # The parameter ``lambda_`` ends as fitted attributes do, which would pass for
        # being fitted.
        return hasattr(self, "coef_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = True
        tags.input_tags.three_d_array = True
        tags.input_tags.sparse = False
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
        return self._as_fitted(self._finite_scores(self._read_more(X)))

    def _as_fitted(self, scores: NDArray[np.floating]) -> NDArray[np.floating]:
        """Return finite scores in the type of the weights."""
        with np.errstate(over="ignore"):
            converted = scores.astype(self.coef_.dtype, copy=False)
        if not np.isfinite(converted).all():
            raise ValueError(
                f"Scores as large as {np.abs(scores).max():.3g} don't fit in "
                f"{self.coef_.dtype}: the features are far larger than those that were "
                "learned from."
            )
        return converted

    def _logits(self, X: Any) -> NDArray[np.float64]:
        """Logits of sequences in any accepted form, (n, n_outputs)."""
        check_is_fitted(self)
        return self._logits_of(self._finite_scores(self._read_more(X)))

    def _logits_of(self, scores: NDArray[np.floating]) -> NDArray[np.float64]:
        """Logits of finite scores, (n, n_outputs); a ValueError if they overflow."""
        logits = self._readout(scores)
        faults = np.flatnonzero(~np.isfinite(logits).all(axis=1))
        if len(faults):
            raise ValueError(
                f"{len(faults)} of {len(logits)} outputs overflow: the weights, or the "
                f"scores, as large as {np.abs(scores).max():.3g}, are far too large."
            )
        return logits

    def _finite_scores(self, X: SequenceArray) -> NDArray[np.floating]:
        """Score each sequence; those that overflow again, in double precision.

        Raises
        ------
        ValueError
            If a score overflows there, too; the message names the sequence.

        Warns
        -----
        FeatureScaleWarning
            If some overflow in the precision of the weights.
        """
        scores = self._scores(X)
        if np.isfinite(scores).all():
            return scores
        # A row is of a sequence, or of a token.
        lengths = 1 if len(scores) == len(X) else X.lengths
        rows = np.repeat(np.arange(len(X)), lengths)
        overflowing = np.unique(rows[~np.isfinite(scores).all(axis=1)])
        exact = self._exact_scores(X[overflowing])
        if not np.isfinite(exact).all():
            again = rows[np.isin(rows, overflowing)]
            first = int(again[~np.isfinite(exact).all(axis=1)][0])
            raise ValueError(
                f"The scores of sequence {first} overflow, also in double precision: "
                f"{_peak(X[first])}"
            )
        scores = scores.astype(np.float64)
        scores[np.isin(rows, overflowing)] = exact
        warnings.warn(
            f"The scores of {len(overflowing)} of {len(X)} sequences overflow in "
            f"{self.coef_.dtype}, and were computed in double precision: their "
            "features are far larger than those that were learned from.",
            FeatureScaleWarning,
            stacklevel=caller_level(),
        )
        return scores

    def _exact_scores(self, X: SequenceArray) -> NDArray[np.floating]:
        """Score sequences in double precision, (n, d)."""
        return np.full((len(X), self.coef_.shape[1]), np.nan)

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

    def _read_to_learn(self, X: Any) -> SequenceArray:
        """Read X for a fit: finite numbers of which something can be learned."""
        sequences = read_sequences(X, self)
        check_finite(sequences, self.dtype)
        if doubt := likely_misread(X):
            warnings.warn(doubt, SequenceFormWarning, stacklevel=caller_level())
        return sequences

    def _check_tokens(self, sequences: SequenceArray) -> None:
        """Raise a ValueError if there is no token to learn from; warn of odd scales."""
        if sequences.n_tokens == 0:
            raise ValueError(
                f"X holds {len(sequences)} sequences, but not one token to learn from."
            )
        if fault := odd_scale(sequences):
            warnings.warn(fault, FeatureScaleWarning, stacklevel=caller_level())

    def _read_other(self, X: Any, y: Any, name: str) -> SequenceArray | None:
        """Read sequences that aren't trained on, if there are any.

        Parameters
        ----------
        X, y : like those of ``fit``, or None
        name : str
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
        return self._read_to_learn(X)


_RAW_VALIDATION = (
    "X_{name} holds strings, but the estimator reads sequences, and a pipeline hands "
    "X_{name} on as it is. Either transform it before: vectorizer.fit(texts), then "
    "pipeline.fit(texts, y, {step}__X_{name}=vectorizer.transform(X_{name}), "
    "{step}__y_{name}=y_{name}). Or "
    "let the pipeline do it: sklearn.set_config(enable_metadata_routing=True), then "
    "make_pipeline(vectorizer, estimator.set_fit_request(X_{name}=True, "
    "y_{name}=True), transform_input=['X_{name}']).fit(texts, y, X_{name}=X_{name}, "
    "y_{name}=y_{name})."
)


def _peak(sequence: NDArray[np.floating]) -> str:
    """Name the largest feature of a sequence, if that is what lets scores overflow."""
    largest = np.abs(sequence.astype(np.float64)).max(initial=0.0)
    token = int(np.abs(sequence).max(axis=1).argmax()) if len(sequence) else 0
    return (
        f"its features are as large as {largest:.3g} (token {token}). Scale them as "
        "those that were learned from."
        if largest > 1e6
        else "the weights of the model are far too large; fit it again."
    )


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
