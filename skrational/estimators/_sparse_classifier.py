"""What sparse classifiers of sequences share: labels, class weights and ``fit``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Self

from numpy.typing import ArrayLike

from skrational.estimators import _options as options
from skrational.estimators._calibration import TemperatureMixin
from skrational.estimators._classifier import BaseSequenceClassifier
from skrational.estimators._sparse import SparseSequenceEstimator
from skrational.training.labelled import Labelled
from skrational.utils.callbacks import with_callbacks

if TYPE_CHECKING:
    from skrational.training.losses import Loss

__all__ = ["SparseSequenceClassifier"]


class SparseSequenceClassifier(
    TemperatureMixin, SparseSequenceEstimator, BaseSequenceClassifier
):
    """A classifier of sequences whose structure is learned."""

    def __init__(
        self,
        *,
        class_weight: options.ClassWeight = None,
        calibration: options.Calibration = None,
        warm_start: bool = False,
        **training: Any,
    ) -> None:
        super().__init__(**training)
        self.class_weight = class_weight
        self.calibration = calibration
        self.warm_start = warm_start

    def _loss(self) -> Loss:
        from skrational.training.losses import LogLoss

        return LogLoss()

    def _data_attributes(self, data: Labelled) -> dict[str, Any]:
        own = {"classes_": data.classes, "temperature_": 1.0}
        return own | self._feature_attributes(data)

    @with_callbacks
    def fit(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        X_val: Any = None,
        y_val: ArrayLike | None = None,
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
        y : array-like of shape (n_sequences,)
            Class labels: numbers, strings or booleans, none of them missing. A
            `SparseRationalClassifier` also takes an indicator matrix of shape
            (n_sequences, n_labels), of 0 and 1, dense or of scipy.sparse.
        sample_weight : array-like of shape (n_sequences,), default=None
            Weights, at least 0; a sample of weight 0 is left out.
        X_val, y_val : like X and y, default=None
            Validation data for early stopping, instead of a part of X, and for
            ``calibration``, instead of a second fit. A pipeline transforms them too
            if it is made with ``transform_input=["X_val"]``, with scikit-learn's
            metadata routing.
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
            If a parameter, X, y or a weight is not what it should be. The estimator is
            then as it was before, also when a fit is interrupted. A ValueError, too, if
            ``checkpoint_dir`` holds a fit of other data or parameters, or of another
            version.
        OSError
            If ``checkpoint_dir`` is a file, can't be made or written, or another
            process works in it.

        Warns
        -----
        ConvergenceWarning
            If ``lambda_`` removed everything: what is left is the intercept, that is,
            the majority classifier.
        FeatureScaleWarning
            If features are so large, or so small, that little is learned from them.
        UserWarning
            If an epoch can't be kept, because the disk is full for instance; the fit
            goes on without. If one is damaged; the fit then goes on from an earlier
            one, or begins anew.
        UserWarning
            If samples are too few to hold any out for ``calibration``.
        """
        return self._fit(X, y, sample_weight, X_val, y_val, checkpoint_dir)
