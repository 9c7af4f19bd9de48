"""What a search does by the estimator that it has chosen."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from numpy.typing import NDArray
from sklearn.base import TransformerMixin
from sklearn.utils.validation import check_is_fitted

from skrational.estimators._base import keeping_index
from skrational.estimators.rational import SparseRationalClassifier
from skrational.estimators.rational_regressor import SparseRationalRegressor
from skrational.structures import Structure

__all__ = ["ChosenClassifierMixin", "ChosenEstimatorMixin", "ChosenRegressorMixin"]


def _of_the_best(cls: type, name: str) -> Callable[..., NDArray[Any]]:
    """Make a method that does what the chosen estimator, of a class, does."""

    @wraps(getattr(cls, name))
    def method(self: Any, X: Any) -> NDArray[Any]:
        check_is_fitted(self)
        return getattr(self.best_estimator_, name)(X)

    return method


class ChosenEstimatorMixin(TransformerMixin):
    """Hands predictions and attributes on to ``best_estimator_``.

    scikit-learn makes frames of what ``transform`` returns where a class that is a
    TransformerMixin defines it.
    """

    best_estimator_: Any

    transform = keeping_index(_of_the_best(SparseRationalClassifier, "transform"))

    def history_frame(self) -> Any:
        """Return ``history_`` of the chosen estimator as a data frame of pandas."""
        check_is_fitted(self)
        return self.best_estimator_.history_frame()

    @property
    def _n_features_out(self) -> int:
        return self.best_estimator_._n_features_out

    @property
    def n_features_in_(self) -> int:
        """Width of the feature vectors."""
        return self._part("n_features_in_")

    @property
    def feature_names_in_(self) -> NDArray[Any]:
        """Column names, if X was a data frame."""
        return self._part("feature_names_in_")

    @property
    def learned_structure_(self) -> Structure:
        """What survived."""
        return self._part("learned_structure_")

    @property
    def size_(self) -> int:
        """Size of the model that is left."""
        return self._part("size_")

    @property
    def n_transitions_(self) -> int:
        """Main-path transitions that are left."""
        return self._part("n_transitions_")

    def _part(self, name: str) -> Any:
        # An AttributeError, as of an attribute that isn't there before fit.
        if "best_estimator_" not in vars(self):
            raise AttributeError(f"{type(self).__name__} has no {name} before fit.")
        return getattr(self.best_estimator_, name)


class _ScoresAsChosen:
    """Scores predictions as the chosen estimator does."""

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the score of the chosen estimator: accuracy, or R squared.

        Parameters
        ----------
        X : SequenceArray or array-like
        y : like that of ``fit``
        sample_weight : array-like of shape (n_sequences,), default=None

        Returns
        -------
        float
        """
        check_is_fitted(self)
        return self.best_estimator_.score(X, y, sample_weight)  # type: ignore[attr-defined]


class ChosenClassifierMixin(_ScoresAsChosen):
    """What a chosen classifier predicts."""

    predict = _of_the_best(SparseRationalClassifier, "predict")
    predict_proba = _of_the_best(SparseRationalClassifier, "predict_proba")
    predict_log_proba = _of_the_best(SparseRationalClassifier, "predict_log_proba")
    decision_function = _of_the_best(SparseRationalClassifier, "decision_function")

    @property
    def classes_(self) -> NDArray[Any]:
        """Class labels."""
        return self._part("classes_")  # type: ignore[attr-defined]


class ChosenRegressorMixin(_ScoresAsChosen):
    """What a chosen regressor predicts."""

    predict = _of_the_best(SparseRationalRegressor, "predict")
