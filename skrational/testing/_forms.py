"""Checks of the forms that X may have: equal content, equal results."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import get_tags

from skrational.sequences import SequenceArray, as_sequences
from skrational.testing._case import Case
from skrational.testing._outputs import assert_outputs, outputs

__all__ = [
    "check_fits_of_all_forms",
    "check_float_types",
    "check_list_of_arrays",
    "check_memory_layouts",
    "check_object_array",
    "check_padded_array",
    "check_read_only_memmap",
    "check_sliced_sequences",
    "check_text_containers",
    "check_token_level_features",
    "check_type_level_features",
]

Forms = dict[str, Any]


def check_list_of_arrays(estimator: Any, rtol: float = 0) -> None:
    """A list or tuple of arrays (T_i, n_features) is read as a SequenceArray is."""
    X = Case.of(estimator).X.to_list()
    _predict_all(estimator, {"a list of arrays": X, "a tuple": tuple(X)}, rtol)


def check_object_array(estimator: Any, rtol: float = 0) -> None:
    """An object array of arrays is read as a SequenceArray is."""
    _predict_all(estimator, {"an object array": _ragged(Case.of(estimator).X)}, rtol)


def check_padded_array(estimator: Any, rtol: float = 0) -> None:
    """Rows of NaN end a sequence in a 3-D array; so do given lengths."""
    X = Case.of(estimator).X
    padded = _padded(X)
    known = as_sequences(np.nan_to_num(padded, nan=7.0), lengths=X.lengths)
    forms = {"an array padded with NaN": padded, "an array and its lengths": known}
    _predict_all(estimator, forms, rtol)


def check_token_level_features(estimator: Any, rtol: float = 0) -> None:
    """A row for each token gives what a row for each distinct vector gives."""
    _predict_all(estimator, {"token-level": _by_token(Case.of(estimator).X)}, rtol)


def check_type_level_features(estimator: Any, rtol: float = 0) -> None:
    """The order of feature rows, and rows that no token has, change nothing."""
    X = Case.of(estimator).X
    other = np.full((3, X.n_features), 50.0)
    longer = SequenceArray(
        np.concatenate([other, X.features]), X.offsets, X.indices + len(other)
    )
    twice = SequenceArray(
        np.concatenate([X.features, X.features]),
        X.offsets,
        X.indices + len(X.features) * (np.arange(X.n_tokens) % 2),
    )
    forms = {
        "feature rows in another order": _in_another_order(X),
        "further feature rows": longer,
        "feature rows that stand there twice": twice,
    }
    _predict_all(estimator, forms, rtol)


def check_sliced_sequences(estimator: Any, rtol: float = 0) -> None:
    """A part of a larger SequenceArray is read as one of its own."""
    X = Case.of(estimator).X
    n = len(X)
    around = SequenceArray.concatenate([X[::-1], X, X[::-1]])
    tokens = _by_token(around)
    forms = {
        "a slice": around[n : 2 * n],
        "a slice of token-level features": tokens[n : 2 * n],
        "a selection": tokens[np.arange(n, 2 * n)],
        "a selection of a selection": around[np.arange(2 * n)][n:],
    }
    _predict_all(estimator, forms, rtol)


def check_memory_layouts(estimator: Any, rtol: float = 0) -> None:
    """Order in memory, gaps between numbers and the order of bytes change nothing."""
    X = Case.of(estimator).X
    layouts: dict[str, Callable[[NDArray[Any]], NDArray[Any]]] = {
        "in Fortran order": np.asfortranarray,
        "not contiguous": _with_gaps,
        "reversed in memory": lambda rows: rows[::-1].copy()[::-1],
        "big-endian": lambda rows: rows.astype(rows.dtype.newbyteorder(">")),
        "little-endian": lambda rows: rows.astype(rows.dtype.newbyteorder("<")),
    }
    forms: Forms = {}
    for name, change in layouts.items():
        forms[f"arrays {name}"] = [change(rows) for rows in X]
        forms[f"features {name}"] = SequenceArray(
            change(X.features), X.offsets, X.indices
        )
    _predict_all(estimator, forms, rtol)


def check_float_types(estimator: Any, rtol: float = 0) -> None:
    """Numbers that are exact in float16 are the same in float32 and float64."""
    X = Case.of(estimator).X
    forms: Forms = {}
    for dtype in ("float16", "float32", "float64"):
        features = X.features.astype(dtype)
        forms[f"features of {dtype}"] = SequenceArray(features, X.offsets, X.indices)
        forms[f"arrays of {dtype}"] = [rows.astype(dtype) for rows in X]
    of_transformer = get_tags(estimator).transformer_tags
    if of_transformer and of_transformer.preserves_dtype:
        rtol = max(rtol, 4e-3)  # it computes in the type of X
    _predict_all(estimator, forms, rtol)


def check_read_only_memmap(estimator: Any, rtol: float = 0) -> None:
    """Features in a file that is mapped read-only are fitted and predicted."""
    case = Case.of(estimator)
    expected = outputs(case.fit(estimator), case.X)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "features.npy")
        np.save(path, case.X.features)
        rows = np.load(path, mmap_mode="r")
        mapped = SequenceArray(rows, case.X.offsets, case.X.indices)
        told = "features in a read-only memory map"
        fitted = case.fit(estimator, mapped, told=told)
        assert_outputs(fitted, mapped, expected, told, rtol)
        np.save(path.with_name("tokens.npy"), _by_token(case.X).features)
        tokens = np.load(path.with_name("tokens.npy"), mmap_mode="r")
        parts = np.split(tokens, case.X.offsets[1:-1])
        told = "arrays in a read-only memory map"
        fitted = case.fit(estimator, parts, told=told)
        assert_outputs(fitted, parts, expected, told, rtol)
        del rows, mapped, tokens, parts, fitted


def check_fits_of_all_forms(estimator: Any, rtol: float = 0) -> None:
    """A fit learns the same from each form of X."""
    case = Case.of(estimator)
    X, expected = case.X, outputs(case.fit(estimator), case.X)
    forms = {
        "a list of arrays": X.to_list(),
        "an object array": _ragged(X),
        "an array padded with NaN": _padded(X),
        "token-level": _by_token(X),
        "a slice": SequenceArray.concatenate([X[::-1], X])[len(X) :],
        "feature rows in another order": _in_another_order(X),
    }
    for name, form in forms.items():
        told = f"fitted on X as {name}"
        fitted = case.fit(estimator, form, told=told)
        assert_outputs(fitted, X, expected, told, rtol)


def check_text_containers(estimator: Any, rtol: float = 0) -> None:
    """Texts may stand in a list, a tuple, or an array of objects or of strings."""
    case = Case.of(estimator)
    forms = {
        "a tuple": tuple(case.X),
        "an object array": np.array(case.X, dtype=object),
        "an array of strings": np.array(case.X),
        "a slice of an array": np.array([*case.X, *case.X], dtype=object)[len(case) :],
    }
    _predict_all(estimator, forms, rtol)
    expected = outputs(case.fit(estimator), case.X)
    for name, form in forms.items():
        told = f"fitted on X as {name}"
        refitted = case.fit(estimator, form, told=told)
        assert_outputs(refitted, case.X, expected, told, rtol)


def _predict_all(estimator: Any, forms: Forms, rtol: float) -> None:
    """Compare what is said of X with what is said of it in other forms."""
    case = Case.of(estimator)
    fitted = case.fit(estimator)
    expected = outputs(fitted, case.X)
    for name, form in forms.items():
        assert_outputs(fitted, form, expected, f"X as {name}", rtol)


def _ragged(X: SequenceArray) -> NDArray[Any]:
    ragged = np.empty(len(X), dtype=object)
    for i, rows in enumerate(X):
        ragged[i] = rows
    return ragged


def _padded(X: SequenceArray) -> NDArray[Any]:
    padded = np.full((len(X), int(X.lengths.max()), X.n_features), np.nan)
    for i, rows in enumerate(X):
        padded[i, : len(rows)] = rows
    return padded


def _by_token(X: SequenceArray) -> SequenceArray:
    return SequenceArray(X.features[X.indices], X.offsets)


def _in_another_order(X: SequenceArray) -> SequenceArray:
    order = np.random.default_rng(0).permutation(len(X.features))
    return SequenceArray(X.features[order], X.offsets, np.argsort(order)[X.indices])


def _with_gaps(rows: NDArray[Any]) -> NDArray[Any]:
    wide = np.full((2 * rows.shape[0], 3 * rows.shape[1]), 9.0, rows.dtype)
    wide[::2, 1::3] = rows
    return wide[::2, 1::3]
