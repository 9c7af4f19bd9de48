"""What scikit-learn's pipelines and calibrators have to hold to be of use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["check_wrapper"]


def check_wrapper(name: str, made: Any) -> None:
    """Raise a ValueError if an object of scikit-learn's lacks its parts.

    Parameters
    ----------
    name : str
        Its class; others than those below are as their parameters are.
    made : object
    """
    check = _CHECKS.get(name)
    if check is not None and not check(made):
        raise ValueError(f"a {name} doesn't have the parts of one")


def _has_steps(pipeline: Any) -> bool:
    try:
        pipeline._validate_steps()
    except (TypeError, AttributeError):
        return False
    return True


def _is_calibrated(outer: Any) -> bool:
    parts = getattr(outer, "calibrated_classifiers_", None)
    if parts is None:
        return not hasattr(outer, "classes_")
    return (
        isinstance(getattr(outer, "classes_", None), np.ndarray)
        and isinstance(parts, list)
        and all(type(part).__name__ == "_CalibratedClassifier" for part in parts)
    )


def _is_one_calibrated(part: Any) -> bool:
    state = vars(part)
    calibrators = state.get("calibrators")
    return (
        hasattr(state.get("estimator"), "predict")
        and isinstance(calibrators, list)
        and all(hasattr(one, "predict") for one in calibrators)
        and isinstance(state.get("classes"), np.ndarray)
        and isinstance(state.get("method"), str)
    )


def _is_sigmoid(calibration: Any) -> bool:
    numbers = (getattr(calibration, name, None) for name in ("a_", "b_"))
    return all(isinstance(n, float) and np.isfinite(n) for n in numbers)


def _is_frozen(outer: Any) -> bool:
    return hasattr(outer.estimator, "get_params")


_CHECKS: dict[str, Callable[[Any], bool]] = {
    "CalibratedClassifierCV": _is_calibrated,
    "FrozenEstimator": _is_frozen,
    "Pipeline": _has_steps,
    "_CalibratedClassifier": _is_one_calibrated,
    "_SigmoidCalibration": _is_sigmoid,
}
