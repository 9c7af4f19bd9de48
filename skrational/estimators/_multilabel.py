"""Classifiers of which several labels may hold: y is an indicator matrix."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse
from scipy.special import expit, log_expit
from sklearn.utils.validation import _check_sample_weight, _get_feature_names

from skrational.estimators._packed import PackedClassifier
from skrational.sequences.forms import take_column
from skrational.training.labelled import Labelled, summable
from skrational.training.multilabel import MultiLabelled
from skrational.utils.callers import caller_level

if TYPE_CHECKING:
    from skrational.training.losses import Loss

__all__ = ["MultilabelClassifier", "read_indicators"]


class MultilabelClassifier(PackedClassifier):
    """A packed classifier whose y may also be an indicator matrix.

    Each label then has a logit of its own, and ``classes_`` are their numbers.
    """

    _multilabel: bool = False
    """Whether it was fitted to an indicator matrix."""

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags

    def _loss_for(self, data: Any) -> Loss:
        from skrational.training.losses import LabelLoss

        return LabelLoss() if isinstance(data, MultiLabelled) else self._loss()

    def _data_attributes(self, data: Any) -> dict[str, Any]:
        own = {"_multilabel": True} if isinstance(data, MultiLabelled) else {}
        return super()._data_attributes(data) | own

    def _adopt(self, fitted: dict[str, Any]) -> None:
        if "_multilabel" not in fitted:
            self.__dict__.pop("_multilabel", None)
        super()._adopt(fitted)

    def _log_probabilities(self, logits: NDArray[np.float64]) -> NDArray[np.float64]:
        if not self._multilabel:
            return super()._log_probabilities(logits)
        log_p: NDArray[np.float64] = log_expit(logits / self.temperature_)
        return log_p

    def _probabilities(self, logits: NDArray[np.float64]) -> NDArray[np.floating]:
        if not self._multilabel:
            return super()._probabilities(logits)
        return expit(logits / self.temperature_, dtype=self.coef_.dtype)

    def _most_probable(self, logits: NDArray[np.float64]) -> NDArray[Any]:
        if not self._multilabel:
            return super()._most_probable(logits)
        return (logits > 0).astype(np.int64)

    def score(self, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> float:
        """Return the accuracy.

        Parameters
        ----------
        X : SequenceArray or array-like
        y : like that of ``fit``
            Of several labels, a sequence is right if all of its labels are.
        sample_weight : array-like of shape (n_sequences,), default=None

        Returns
        -------
        float
        """
        holds = read_indicators(y, "y") if self._multilabel else None
        y = y if holds is None else holds.astype(np.int64)
        return float(super().score(X, y, sample_weight))

    def _read_training(
        self, X: Any, y: Any, sample_weight: ArrayLike | None
    ) -> Labelled | MultiLabelled:
        holds = read_indicators(y, "y")
        if holds is None:
            data = super()._read_training(X, y, sample_weight)
        else:
            data = self._read_multilabel(X, holds, sample_weight)
        goes_on = self.warm_start and self.__sklearn_is_fitted__()
        if goes_on and self._multilabel == (holds is None):
            forms = "one label for each sequence", "an indicator matrix"
            raise ValueError(
                f"warm_start needs data like that of the previous fit, whose y was "
                f"{forms[self._multilabel]}; got {forms[holds is not None]}."
            )
        return data

    def _read_multilabel(
        self, X: Any, holds: NDArray[np.bool_], sample_weight: ArrayLike | None
    ) -> MultiLabelled:
        if self.class_weight is not None:
            raise ValueError(
                f"class_weight is {self.class_weight!r}, and y an indicator matrix; "
                "expected None: weigh sequences by sample_weight."
            )
        X = take_column(X)
        sequences = self._read_to_learn(X)
        if len(holds) != len(sequences):
            raise ValueError(
                f"Found input variables with inconsistent numbers of samples: X has "
                f"{len(sequences)} sequences, y has {len(holds)} rows."
            )
        weights = _check_sample_weight(
            sample_weight, sequences.lengths, dtype=np.float64, ensure_non_negative=True
        )
        if not weights.any():
            raise ValueError("sample_weight is 0 for all samples.")
        _check_labels_vary(holds[weights > 0])
        self._check_tokens(sequences)
        return MultiLabelled(sequences, holds, summable(weights), _get_feature_names(X))

    def _read_held_out(self, training: Any, X: Any, y: Any, name: str = "val") -> Any:
        if isinstance(training, Labelled):
            return super()._read_held_out(training, X, y, name)
        sequences = self._read_other(X, y, name)
        if sequences is None:
            return None
        holds = read_indicators(y, f"y_{name}")
        expected = len(sequences), training.n_targets
        n_features = training.X.n_features
        if (
            holds is None
            or holds.shape != expected
            or sequences.n_features != n_features
        ):
            shape = np.shape(y) if holds is None else holds.shape
            raise ValueError(
                f"X_{name} holds {len(sequences)} sequences of {sequences.n_features} "
                f"features and y_{name} has shape {shape}; expected {n_features} "
                f"features and an indicator matrix of shape {expected}."
            )
        return MultiLabelled(sequences, holds, np.ones(len(holds)))


def read_indicators(y: Any, name: str) -> NDArray[np.bool_] | None:
    """Read an indicator matrix; None: y is of one dimension, or one column.

    Raises
    ------
    ValueError
        If a matrix holds anything but 0 and 1.
    """
    if hasattr(y, "detach"):
        y = y.detach().cpu().numpy()
    try:
        values = y.toarray() if issparse(y) else np.asarray(y)
    except ValueError:  # ragged, which is told of where labels are read
        return None
    if values.ndim != 2 or values.shape[1] < 2:
        return None
    expected = (
        f"expected one label for each sequence, or 0 and 1 where {name} is an "
        "indicator matrix of several labels, which MultiLabelBinarizer of scikit-learn "
        "makes. For several targets of more classes each use its MultiOutputClassifier"
    )
    try:
        if values.dtype.kind not in "biufO":
            raise TypeError
        numbers = values.astype(np.float64)
    except (TypeError, ValueError):
        raise ValueError(
            f"{name} has the shape {values.shape} and holds {values.flat[0]!r:.99}; "
            f"{expected}."
        ) from None
    if not np.isfinite(numbers).all():
        raise ValueError(f"Input {name} contains NaN or infinity; {expected}.")
    other = numbers[(numbers != 0) & (numbers != 1)]
    if len(other):
        raise ValueError(
            f"{name} has the shape {values.shape} and holds {other[0]:g}; {expected}."
        )
    return numbers == 1


def _check_labels_vary(holds: NDArray[np.bool_]) -> None:
    """Warn of labels that are the same for all; raise a ValueError if all are."""
    constant = np.flatnonzero(np.all(holds == holds[0], axis=0))
    if not len(constant):
        return
    if len(constant) == holds.shape[1]:
        raise ValueError(
            "y holds the same labels for all samples of positive weight; a classifier "
            "needs samples that differ."
        )
    told = ", ".join(
        f"label {i} {'holds for all' if holds[0, i] else 'holds for none'}"
        for i in constant[:5]
    )
    more = f" and {len(constant) - 5} more" if len(constant) > 5 else ""
    warnings.warn(
        f"Labels that don't vary in y can't be learned: {told}{more}. What is "
        "predicted of them says nothing of a sequence.",
        UserWarning,
        stacklevel=caller_level(),
    )
