"""Checks of what a fit leaves, and of what later calls may not change."""

from __future__ import annotations

import pickle
import tempfile
from io import BytesIO
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from sklearn.base import clone

from skrational.testing._case import Case, fit, is_of_texts
from skrational.testing._outputs import assert_outputs, outputs

__all__ = [
    "check_clone",
    "check_failed_refit",
    "check_input_is_left_alone",
    "check_joblib_memmap",
    "check_pickle",
    "check_pickle_between_devices",
    "check_predictions_bind_nothing",
    "check_refit",
]


def check_clone(estimator: Any, rtol: float = 0) -> None:
    """A clone of a fitted estimator learns the same."""
    case = Case.of(estimator)
    fitted = case.fit(estimator)
    again = case.fit(clone(fitted))
    expected = outputs(fitted, case.X)
    assert_outputs(again, case.X, expected, "a fitted clone", rtol)


def check_pickle(estimator: Any, rtol: float = 0) -> None:
    """A pickle says the same as what was pickled, by each protocol."""
    case = Case.of(estimator)
    fitted = case.fit(estimator)
    expected = outputs(fitted, case.X)
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        again = pickle.loads(pickle.dumps(fitted, protocol))
        told = f"a pickle of protocol {protocol}"
        assert_outputs(again, case.X, expected, told, rtol)


def check_joblib_memmap(estimator: Any, rtol: float = 0) -> None:
    """Loaded by joblib with arrays that are mapped read-only, it says the same."""
    case = Case.of(estimator)
    fitted = case.fit(estimator)
    expected = outputs(fitted, case.X)
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, "fitted.joblib"))
        joblib.dump(fitted, path)
        for mode in (None, "r"):
            again = joblib.load(path, mmap_mode=mode)
            told = f"loaded by joblib with mmap_mode={mode!r}"
            assert_outputs(again, case.X, expected, told, rtol)
        del again


def check_pickle_between_devices(estimator: Any, rtol: float = 0) -> None:
    """What was fitted on a device loads, and predicts, where there is no such device.

    No tensor of a pickle is on a device. A parameter ``device`` that names one that
    isn't there doesn't keep a fitted estimator from predicting.
    """
    case = Case.of(estimator)
    fitted = case.fit(estimator)
    expected = outputs(fitted, case.X)
    for tensor in _tensors_in(fitted):
        if tensor.device.type != "cpu":
            raise AssertionError(
                f"The pickle of {type(fitted).__name__} holds a tensor of shape "
                f"{tuple(tensor.shape)} on {tensor.device}, and can't be loaded where "
                "there is no such device; keep fitted state in numpy."
            )
    if "device" not in fitted.get_params():
        return
    fitted.set_params(device="cuda:97")
    elsewhere = pickle.loads(pickle.dumps(fitted))
    told = "loaded with device='cuda:97', which isn't there"
    assert_outputs(elsewhere, case.X, expected, told, rtol)


def check_refit(estimator: Any, rtol: float = 0) -> None:
    """A second fit learns what the first one learned, whatever came between."""
    case = Case.of(estimator)
    fitted = case.fit(estimator)
    expected = outputs(fitted, case.X)
    told = "fitted a second time"
    fit(fitted, case.X, case.y, told)
    assert_outputs(fitted, case.X, expected, told, rtol)
    n = len(case)
    few = list(range(0, n, 4)) + list(range(1, n, 4))
    y = None if case.y is None else case.y[few]
    fit(fitted, case.take(few), y, "fitted again, on a part of X")
    told = "fitted again after a fit of other data"
    fit(fitted, case.X, case.y, told)
    assert_outputs(fitted, case.X, expected, told, rtol)


def check_failed_refit(estimator: Any, rtol: float = 0) -> None:
    """A fit that fails leaves a fitted estimator as it was."""
    case = Case.of(estimator)
    fitted = case.fit(estimator)
    expected, attributes = outputs(fitted, case.X), _learned(fitted)
    for told, X, y in _impossible(case, is_of_texts(estimator)):
        try:
            fitted.fit(X, y)
        except Exception:  # of whatever type: other checks ask for a clear one
            pass
        else:
            raise AssertionError(f"fit takes {told} without an error.")
        told = f"after a fit of {told} failed"
        assert_outputs(fitted, case.X, expected, told, rtol)
        after = _learned(fitted)
        names = sorted(attributes.keys() | after.keys())
        changed = [k for k in names if attributes.get(k) != after.get(k)]
        if changed:
            raise AssertionError(f"{told}: changed are {', '.join(changed)}.")


def check_input_is_left_alone(estimator: Any, rtol: float = 0) -> None:
    """No call writes to X or y."""
    case = Case.of(estimator)
    X = list(case.X) if is_of_texts(estimator) else [rows.copy() for rows in case.X]
    y = None if case.y is None else case.y.copy()
    before = pickle.dumps((X, y))
    fitted = case.fit(estimator, X, y)
    if pickle.dumps((X, y)) != before:
        raise AssertionError("fit has changed X or y.")
    outputs(fitted, X)
    if pickle.dumps((X, y)) != before:
        raise AssertionError("A prediction has changed X.")
    for part in (*X, y):
        if isinstance(part, np.ndarray):
            part.flags.writeable = False
    expected = outputs(fitted, X)
    told = "X and y read-only"
    assert_outputs(case.fit(estimator, X, y, told), X, expected, told, rtol)


def check_predictions_bind_nothing(estimator: Any, rtol: float = 0) -> None:
    """Predictions leave a fitted estimator as it was, and its pickle as large."""
    case = Case.of(estimator)
    fitted = pickle.loads(pickle.dumps(case.fit(estimator)))
    names, digest = set(vars(fitted)), joblib.hash(fitted)
    expected = outputs(fitted, case.X)
    added = set(vars(fitted)) - names
    if added:
        raise AssertionError(f"Predictions set the attributes {sorted(added)}.")
    if joblib.hash(fitted) != digest:
        raise AssertionError("Predictions change what a pickle of the estimator holds.")
    outputs(fitted, case.take([2, 1]))
    assert_outputs(fitted, case.X, expected, "predicted once more", rtol)


def _impossible(case: Case, of_texts: bool) -> list[tuple[str, Any, Any]]:
    """Return what no fit can take, in words, and as X and y.

    Words, widths and classes are others than those of the case, so that whatever a fit
    sets before it fails makes a difference.
    """
    y = None if case.y is None else 7 + np.arange(len(case)) % 3
    X: Any
    found: list[tuple[str, Any, Any]]
    if of_texts:
        X = [f"other words {'of' * (i % 3)} another text" for i in range(len(case))]
        found = [("a number for texts", 3, y), ("None for texts", None, y)]
    else:
        X = [np.column_stack([rows, rows]) for rows in case.X]
        found = [("arrays of two widths", [*X[:3], X[3][:, 1:], *X[4:]], y)]
    if y is not None:
        found.append(("too few targets", X, y[:-1]))
    return found


def _learned(fitted: Any) -> dict[str, str]:
    """Return a digest of each public attribute that a fit has set."""
    return {
        name: joblib.hash(value)
        for name, value in vars(fitted).items()
        if name.endswith("_") and not name.startswith("_")
    }


class _Finder(pickle.Pickler):
    """A pickler that remembers the tensors that it met."""

    def __init__(self) -> None:
        super().__init__(BytesIO())
        self.tensors: list[Any] = []

    def persistent_id(self, value: Any) -> None:
        """Look at what is about to be pickled."""
        module = type(value).__module__
        if module.split(".")[0] == "torch" and hasattr(value, "device"):
            if hasattr(value, "storage_offset"):
                self.tensors.append(value)


def _tensors_in(fitted: Any) -> list[Any]:
    finder = _Finder()
    finder.dump(fitted)
    return finder.tensors
