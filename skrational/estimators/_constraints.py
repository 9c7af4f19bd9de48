"""Constraints of the parameters that all estimators share."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

from sklearn.utils._param_validation import Interval, StrOptions

__all__ = ["OF_CLASSIFIERS", "TRAINING", "check_steps"]

OF_CLASSIFIERS = ("class_weight", "calibration")
"""Those of `TRAINING` that only classifiers have."""

TRAINING: dict[str, list[Any]] = {
    "lambda_": [Interval(Real, 0, None, closed="left")],
    "solver": [StrOptions({"prox", "subgradient"})],
    "threshold": [Interval(Real, 0, None, closed="left")],
    "learning_rate": [Interval(Real, 0, None, closed="neither")],
    "finetune_schedule": [StrOptions({"cosine", "plateau", "constant"})],
    "batch_size": [Interval(Integral, 1, None, closed="left"), None],
    "min_steps_per_epoch": [Interval(Integral, 1, None, closed="left")],
    "max_steps_per_epoch": [Interval(Integral, 1, None, closed="left"), None],
    "warmup_epochs": [Interval(Integral, 0, None, closed="left")],
    "max_epochs": [Interval(Integral, 1, None, closed="left")],
    "ramp_epochs": [Interval(Integral, 0, None, closed="left")],
    "finetune_epochs": [Interval(Integral, 0, None, closed="left")],
    "early_stopping": ["boolean"],
    "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
    "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
    "dropout": [Interval(Real, 0, 1, closed="left")],
    "word_dropout": [Interval(Real, 0, 1, closed="left")],
    "feature_dropout": [Interval(Real, 0, 1, closed="left")],
    "weight_decay": [Interval(Real, 0, None, closed="left")],
    "max_grad_norm": [Interval(Real, 0, None, closed="neither"), None],
    "class_weight": [dict, StrOptions({"balanced"}), None],
    "calibration": [StrOptions({"temperature"}), None],
    "warm_start": ["boolean"],
    "dtype": [StrOptions({"float32", "float64"})],
    "device": [str],
    "random_state": ["random_state"],
    "verbose": ["verbose"],
}
"""Constraints of the parameters that `SparseSequenceClassifier` has."""


_FASTEST = 1e30
"""The largest learning rate: steps that are larger may overflow in single precision."""


def check_steps(estimator: Any) -> None:
    """Raise a ValueError for too long steps, or more of them at least than at most."""
    if estimator.learning_rate > _FASTEST:
        raise ValueError(
            f"learning_rate is {estimator.learning_rate}; expected at most "
            f"{_FASTEST:g}: a step moves each weight by about so much."
        )
    least, most = estimator.min_steps_per_epoch, estimator.max_steps_per_epoch
    if most is not None and most < least:
        raise ValueError(
            f"max_steps_per_epoch is {most} and min_steps_per_epoch is {least}; "
            "expected the larger one for max_steps_per_epoch, or None."
        )
