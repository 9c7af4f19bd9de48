"""What regressors of sequences share: values, ``fit`` and predictions of numbers."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import softmax
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils.validation import (
    _check_sample_weight,
    _get_feature_names,
    check_is_fitted,
)

from skrational.estimators._packed import PackedEstimator
from skrational.estimators._values import (
    at_tokens,
    by_sequence,
    check_distributions,
    read_values,
)
from skrational.sequences import SequenceArray
from skrational.sequences.forms import take_column
from skrational.training.labelled import summable
from skrational.training.valued import Scale, Valued
from skrational.utils.callbacks import with_callbacks

if TYPE_CHECKING:
    from skrational.training.losses import Loss

__all__ = ["SparseSequenceRegressor"]

_FORMS = (
    "values of each sequence, of shape (n,) or (n, m)",
    "values of each token, of shape (T_i, m) for each sequence",
)


class _StatesOfTokens:
    """What ``transform`` and ``fit_transform`` return where y is of tokens.

    scikit-learn's TransformerMixin, which this stands before, would make a table of it
    where ``set_output`` asks for one.
    """

    def transform(self: Any, X: Any) -> Any:
        """Return what the linear readout sees: of each sequence, or of each token.

        Parameters
        ----------
        X : SequenceArray or array-like
            As for ``fit``.

        Returns
        -------
        ndarray of shape (n, n_units), or list of ndarray of shape (T_i, n_units)
            A list if ``predict`` returns one, whatever `set_output` says; otherwise a
            data frame if it says so.
        """
        check_is_fitted(self)
        if not self._of_tokens:
            return super().transform(X)  # type: ignore[misc]
        sequences = self._read_more(X)
        states = self._as_fitted(self._finite_scores(sequences))
        return by_sequence(states, sequences)

    def fit_transform(self: Any, X: Any, y: Any = None, **fit_params: Any) -> Any:
        """Fit, and return the states of what was learned from.

        Parameters
        ----------
        X, y
            As for ``fit``.
        **fit_params : dict
            More that ``fit`` takes.

        Returns
        -------
        ndarray or list of ndarray
            What ``transform`` returns.
        """
        return self.fit(X, y, **fit_params).transform(X)


class SparseSequenceRegressor(_StatesOfTokens, RegressorMixin, PackedEstimator):
    """A regressor of sequences whose structure is learned.

    A subclass has the parameter ``loss``, and fits cells that can tell of every token.
    """

    loss: str
    _takes_tokens: ClassVar[bool] = True
    """Whether the targets may be those of tokens."""
    _constant = "the mean"
    _target_ndim: int
    """Of one number for each sequence 1, of several 2, of each token's 3."""

    @property
    def _of_tokens(self) -> bool:
        return self._target_ndim == 3

    def _loss(self) -> Loss:
        from skrational.training.losses import CrossEntropy, SquaredError

        return CrossEntropy() if self.loss == "cross_entropy" else SquaredError()

    def _data_attributes(self, data: Valued) -> dict[str, Any]:
        return {"_target_ndim": data.target_ndim, **self._feature_attributes(data)}

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        tags.target_tags.single_output = True
        return tags

    @with_callbacks
    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: ArrayLike | None = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        checkpoint_dir: str | os.PathLike[str] | None = None,
    ) -> Self:
        """Learn the structure and the weights: regularize, prune, finetune.

        Parameters
        ----------
        X : SequenceArray, list of ndarray, column, or ndarray
            Sequences of feature vectors: a `SequenceArray`; a list, an object array or
            a column of pandas, polars or Arrow of arrays of shape (T_i, n_features); a
            three-dimensional array padded with NaN; or a two-dimensional array or data
            frame of sequences of one vector.
        y : array-like of shape (n,) or (n, m), or list of array-like of shape (T_i, m)
            A number, or m of them, for each sequence; or m for each of its tokens, as
            a list, a column, a SequenceArray, or a three-dimensional array, which may
            be padded with NaN. Flat arrays of one length T are T numbers for each
            sequence; one number for each token is an array of shape (T_i, 1).
        sample_weight : array-like of shape (n,), default=None
            Weights of sequences, at least 0; one of weight 0 is left out.
        X_val, y_val : like X and y, default=None
            Validation data for early stopping, instead of a part of X.
        checkpoint_dir : path-like, default=None
            A folder in which the last epoch is kept. If the fit is killed or
            interrupted, the same call goes on after that epoch, and ends as if nothing
            had happened, to the bit; after the end it returns the same model at once.
            ``random_state=None`` then means the seed of the fit that was begun. Every
            fit needs a folder of its own.

        Returns
        -------
        self : estimator

        Raises
        ------
        ValueError, TypeError
            If a parameter, X, y or a weight is not what it should be: if, for instance,
            y has another number of rows than the sequence has tokens. The estimator is
            then as it was before, also when a fit is interrupted. A ValueError, too, if
            ``checkpoint_dir`` holds a fit of other data or parameters, or of another
            version.
        OSError
            If ``checkpoint_dir`` is a file, can't be made or written, or another
            process works in it.

        Warns
        -----
        FeatureScaleWarning
            If features are so large, or so small, that little is learned from them.
        UserWarning
            If an epoch can't be kept, because the disk is full for instance; the fit
            goes on without. If one is damaged; the fit then goes on from an earlier
            one, or begins anew.
        """
        return self._fit(X, y, sample_weight, X_val, y_val, checkpoint_dir)

    def predict(self, X: Any) -> NDArray[np.float64] | list[NDArray[np.float64]]:
        """Predict the values of each sequence, or of each of its tokens.

        Parameters
        ----------
        X : SequenceArray or array-like
            As for ``fit``.

        Returns
        -------
        ndarray of shape (n,) or (n, m), or list of ndarray of shape (T_i, m)
            Like y of ``fit``. With ``loss="cross_entropy"`` they are distributions.
        """
        check_is_fitted(self)
        return self._predict(self._read_more(X))

    def _predict(
        self, X: SequenceArray
    ) -> NDArray[np.float64] | list[NDArray[np.float64]]:
        outputs = self._logits_of(self._finite_scores(X))
        if self.loss == "cross_entropy":
            outputs = softmax(outputs, axis=1)
        if self._of_tokens:
            return by_sequence(outputs, X)
        return outputs[:, 0] if self._target_ndim == 1 else outputs

    def score(self, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> float:
        """Return the coefficient of determination, R squared.

        Parameters
        ----------
        X : SequenceArray or array-like
        y : like that of ``fit``
        sample_weight : array-like of shape (n,), default=None
            Of a sequence, also for each of its tokens.

        Returns
        -------
        float
            The mean of those of the m values; 1 is best.
        """
        check_is_fitted(self)
        sequences = self._read_more(X)
        values: NDArray[np.floating] = read_values(y, sequences)
        given, expected = _FORMS[values.ndim == 3], _FORMS[self._of_tokens]
        if given != expected:
            raise ValueError(f"y holds {given}; expected {expected}, as in fit.")
        if sample_weight is not None:
            sample_weight = _check_sample_weight(
                sample_weight, sequences.lengths, ensure_non_negative=True
            )
        found = self._predict(sequences)
        if isinstance(found, list):
            values, found = at_tokens(values, sequences.lengths), np.concatenate(found)
            if sample_weight is not None:
                sample_weight = np.repeat(sample_weight, sequences.lengths)
        return float(r2_score(values, found, sample_weight=sample_weight))

    def _read_training(self, X: Any, y: Any, sample_weight: ArrayLike | None) -> Valued:
        X = take_column(X)
        sequences = self._read_to_learn(X)
        if y is None:
            raise ValueError(
                f"This {type(self).__name__} estimator requires y to be passed, but "
                "the target y is None."
            )
        values = read_values(y, sequences)
        if values.ndim == 3 and not self._takes_tokens:
            raise ValueError(
                f"y holds {_FORMS[1]}; {type(self).__name__} expects {_FORMS[0]}."
            )
        weights = _check_sample_weight(
            sample_weight, sequences.lengths, dtype=np.float64, ensure_non_negative=True
        )
        if not weights.any():
            raise ValueError("sample_weight is 0 for all samples.")
        weights = summable(weights)
        self._check_tokens(sequences)
        if values.ndim == 3 and not weights[sequences.lengths > 0].any():
            raise ValueError(
                "sample_weight is 0 for all sequences that have tokens: no token is "
                "left to learn from."
            )
        scale = self._scale(values, sequences, weights)
        return Valued.of(sequences, values, scale, weights, _get_feature_names(X))

    def _scale(
        self,
        values: NDArray[np.float64],
        X: SequenceArray,
        weights: NDArray[np.float64],
    ) -> Scale:
        """Return the unit in which values are learned.

        Parameters
        ----------
        values : ndarray of shape (n,), (n, m) or (n, T, m)
        X : SequenceArray
        weights : ndarray of shape (n,)
        """
        if self.loss == "cross_entropy":
            if values.ndim == 1 or values.shape[-1] < 2:
                raise ValueError(
                    f"y has the shape {values.shape}; loss='cross_entropy' needs "
                    "distributions over at least two values."
                )
            check_distributions(values)
            return Scale.none(values.shape[-1])
        rows: NDArray[np.floating] = values.reshape(len(values), -1)
        if values.ndim == 3:
            rows, weights = at_tokens(values, X.lengths), np.repeat(weights, X.lengths)
        with np.errstate(over="ignore", invalid="ignore"):
            scale = Scale.of(rows, weights)
        # Coefficients take the spread, and should keep their digits.
        most = 1e-6 * float(np.finfo(self.dtype).max)
        outside = ~((scale.spread < most) & (scale.spread > 1 / most))
        if outside.any():
            raise ValueError(
                f"y has a standard deviation of {scale.spread[outside][0]:.3g}; with "
                f"dtype={self.dtype!r} it has to be between {1 / most:.1g} and "
                f"{most:.1g}: give y in another unit."
            )
        return scale

    def _read_held_out(
        self, training: Valued, X: Any, y: Any, name: str = "val"
    ) -> Valued | None:
        sequences = self._read_other(X, y, name)
        if sequences is None:
            return None
        values = read_values(y, sequences, f"y_{name}")
        found = Valued.of(sequences, values, training.scale, np.ones(len(values)))
        expected, got = (
            (v.target_ndim, v.n_targets, v.X.n_features) for v in (training, found)
        )
        if got != expected:
            raise ValueError(
                f"X_{name} and y_{name} have {got[2]} features and y_{name} the shape "
                f"{values.shape}; expected {expected[2]} features, and values as in y."
            )
        if self.loss == "cross_entropy":
            check_distributions(values, f"y_{name}")
        return found
