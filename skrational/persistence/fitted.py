"""What the fitted attributes of this package's estimators have to be.

They are held against each other before they are saved, and again when they are loaded:
arrays against the learned structure, that against the classes, and no number may be NaN
or infinite that predictions are made of.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from skrational.persistence.shapes import expected_shapes
from skrational.structures import (
    GRUStructure,
    LayeredStructure,
    LSTMLanguageStructure,
    LSTMStructure,
    MaskStructure,
    RationalStructure,
)
from skrational.utils.checks import is_integer

__all__ = ["check_fitted"]

State = Mapping[str, Any]

_STRUCTURES: dict[str, tuple[type, ...]] = {
    "ModuliRNNClassifier": (MaskStructure,),
    "ModuliRNNLanguageModel": (MaskStructure,),
    "ModuliRNNRegressor": (MaskStructure,),
    "SparseGRUClassifier": (GRUStructure,),
    "SparseLSTMClassifier": (LSTMStructure,),
    "SparseLSTMLanguageModel": (LSTMLanguageStructure,),
    "SparseRationalClassifier": (RationalStructure, LayeredStructure),
    "SparseRationalRegressor": (RationalStructure,),
}
_NETWORK = {"coef_", "intercept_", "weights_", "learned_structure_", "n_iter_"}
_ANY = {"_sklearn_output_config", "_metadata_request"}
_OF_SEQUENCES = {"n_features_in_", "feature_names_in_"}
_OF_CLASSES = {"classes_", "temperature_"}
_RULES: dict[str, tuple[set[str], set[str]]] = {
    "ModuliRNNClassifier": ({"classes_", "_kind"}, {"threshold"}),
    "ModuliRNNLanguageModel": ({"_vocabulary", "_kind"}, {"threshold"}),
    "ModuliRNNRegressor": ({"_target_ndim", "_kind"}, {"threshold"}),
    "SparseGRUClassifier": ({"classes_", "_reading"}, set()),
    "SparseLSTMClassifier": ({"classes_", "_reading"}, set()),
    "SparseLSTMLanguageModel": ({"_vocabulary"}, set()),
    "SparseRationalClassifier": (
        {"classes_", "_scoring_rule"},
        {"rules_", "_final_weights", "_multilabel", "lambda_used_"},
    ),
    "SparseRationalRegressor": (
        {"_target_ndim", "_scoring_rule"},
        {"rules_", "_final_weights", "lambda_used_"},
    ),
}
_SEARCH = (
    {"best_estimator_", "lambda_", "best_index_", "lambdas_", "cv_results_"},
    {"paths_"},
)
_OTHERS: dict[str, tuple[set[str], set[str]]] = {
    "BertVectorizer": ({"n_features_out_", "n_layers_", "revision_"}, set()),
    "SparseRationalClassifierCV": _SEARCH,
    "SparseRationalRegressorCV": _SEARCH,
    "StaticVectorizer": ({"n_features_out_", "revision_"}, set()),
    "TimeStepTransformer": (
        {"transformer_", "n_features_in_", "n_features_out_"},
        {"feature_names_in_"},
    ),
    "WordVectorizer": (
        {"n_features_out_", "special_vectors_", "unknown_vector_"},
        {"out_of_vocabulary_"},
    ),
}


def check_fitted(name: str, parameters: State, attributes: State) -> None:
    """Raise a ValueError if attributes are not those of a fitted estimator.

    Parameters
    ----------
    name : str
        The class, one of this package.
    parameters, attributes : mapping from str to object
        An estimator without attributes is one that isn't fitted.
    """
    is_network = name in _RULES
    needed, optional = _RULES[name] if is_network else _OTHERS[name]
    if is_network:
        needed = needed | _NETWORK
        if "_vocabulary" not in needed:
            needed = needed | {"n_features_in_"}
        optional = optional | _OF_SEQUENCES | _OF_CLASSES | {"history_"}
    unfitted = _ANY | {"temperature_", "threshold"}
    names = set(attributes) - _ANY
    if unknown := names - needed - optional:
        raise ValueError(
            f"{name} has no attribute {sorted(unknown)[0]!r}; what was set from "
            "outside isn't a part of the model, and has to be deleted and kept "
            "elsewhere"
        )
    if not names - unfitted:
        return
    if missing := needed - names:
        raise ValueError(f"{name} lacks the attribute {sorted(missing)[0]!r}")
    for key in names & _CHECKS.keys():
        _CHECKS[key](key, attributes[key])
    if is_network:
        _check_network(name, attributes)
    elif _OTHERS[name] is _SEARCH:
        _check_search(attributes)


def _check_network(name: str, state: State) -> None:
    """Hold the arrays of a network against its structure."""
    structure = state["learned_structure_"]
    if type(structure) not in _STRUCTURES[name]:
        expected_kinds = " or a ".join(kind.__name__ for kind in _STRUCTURES[name])
        raise ValueError(
            f"learned_structure_ is a {type(structure).__name__}; expected a "
            f"{expected_kinds}"
        )
    expected, arrays = expected_shapes(structure, state), _arrays_of(state)
    for key in expected.keys() ^ arrays.keys():
        has = "lacks" if key in expected else "has an array"
        raise ValueError(f"{name} {has} {key!r}, unlike its structure")
    dtypes = {array.dtype for key, array in arrays.items() if key != "intercept_"}
    for key, array in arrays.items():
        if array.shape != expected[key]:
            raise ValueError(
                f"{key} has the shape {array.shape}; its structure says {expected[key]}"
            )
    if len(dtypes) > 1:
        raise ValueError(
            f"its weights are of several types: {sorted(map(str, dtypes))}"
        )
    _check_outputs(structure.n_outputs, state)
    width = state.get("n_features_in_", structure.n_features)
    if width != structure.n_features:
        raise ValueError(
            f"n_features_in_ is {width}; its structure says {structure.n_features}"
        )
    names = state.get("feature_names_in_")
    if names is not None and np.shape(names) != (width,):
        raise ValueError(f"feature_names_in_ has the shape {np.shape(names)}")


def _arrays_of(state: State) -> dict[str, Any]:
    arrays = {**state["weights_"]}
    for key in ("coef_", "intercept_", "_final_weights"):
        if key in state:
            arrays[key] = state[key]
    return arrays


def _check_outputs(n_outputs: int, state: State) -> None:
    found = n_outputs
    if "classes_" in state:
        n_classes = len(state["classes_"])
        one = n_classes == 2 and not state.get("_multilabel", False)
        found = 1 if one else n_classes
    elif "_vocabulary" in state:
        found = len(state["_vocabulary"].words)
    elif state["_target_ndim"] == 1:
        found = 1
    if found != n_outputs:
        raise ValueError(f"it has {n_outputs} outputs; expected {found}")


def _check_search(state: State) -> None:
    n = len(state["lambdas_"])
    if not 0 <= state["best_index_"] < n:
        raise ValueError(
            f"best_index_ is {state['best_index_']}; expected 0 to {n - 1}"
        )
    for name, column in state["cv_results_"].items():
        if np.shape(column) != (n,):
            raise ValueError(f"cv_results_[{name!r}] has the shape {np.shape(column)}")
    if not hasattr(state["best_estimator_"], "learned_structure_"):
        raise ValueError("best_estimator_ isn't fitted")


def _finite(name: str, array: Any) -> None:
    if not isinstance(array, np.ndarray) or array.dtype.kind != "f":
        raise ValueError(f"{name} is no array of real numbers")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} holds NaN or infinity")


def _finite_each(name: str, arrays: Any) -> None:
    if not isinstance(arrays, dict):
        raise ValueError(
            f"{name} is a {type(arrays).__name__}; expected arrays by name"
        )
    for key, array in arrays.items():
        _finite(f"{name}[{key!r}]", array)


def _finite_or_none(name: str, array: Any) -> None:
    if array is not None:
        _finite(name, array)


def _count(name: str, value: Any) -> None:
    if not is_integer(value) or value < 0:
        raise ValueError(f"{name} is {value!r:.99}; expected an integer from 0 on")


def _positive(name: str, value: Any) -> None:
    if not isinstance(value, float | np.floating) or not 0 < value < np.inf:
        raise ValueError(f"{name} is {value!r:.99}; expected a number above 0")


def _from_zero(name: str, value: Any) -> None:
    if not isinstance(value, float) or not 0 <= value < np.inf:
        raise ValueError(f"{name} is {value!r:.99}; expected a number from 0 on")


def _share(name: str, value: Any) -> None:
    if not isinstance(value, float) or not 0 <= value <= 1:
        raise ValueError(f"{name} is {value!r:.99}; expected a number from 0 to 1")


def _text(name: str, value: Any) -> None:
    if not isinstance(value, str):
        raise ValueError(f"{name} is {value!r:.99}; expected a str")


def _classes(name: str, value: Any) -> None:
    if not isinstance(value, np.ndarray) or value.ndim != 1 or len(value) < 2:
        raise ValueError(f"{name} is no array of two classes or more")
    if len(set(value.tolist())) < len(value):
        raise ValueError(f"{name} holds a class twice")


def _rows(name: str, value: Any) -> None:
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise ValueError(f"{name} is no list of dicts")


def _table(name: str, value: Any) -> None:
    if not isinstance(value, dict):
        raise ValueError(f"{name} is a {type(value).__name__}; expected a dict")


def _of_class(*names: str) -> Callable[[str, Any], None]:
    def check(name: str, value: Any) -> None:
        if type(value).__name__ not in names:
            raise ValueError(
                f"{name} is a {type(value).__name__}; expected {' or '.join(names)}"
            )

    return check


def _fitted_transformer(name: str, value: Any) -> None:
    if not hasattr(value, "transform"):
        raise ValueError(f"{name} is a {type(value).__name__}, no transformer")


_CHECKS: dict[str, Callable[[str, Any], None]] = {
    "_final_weights": _finite,
    "_kind": _of_class("NetworkKind"),
    "_multilabel": _of_class("bool"),
    "_reading": _of_class("StateReadout"),
    "_scoring_rule": _of_class("ScoringRule"),
    "_target_ndim": _count,
    "_vocabulary": _of_class("Vocabulary"),
    "best_index_": _count,
    "classes_": _classes,
    "coef_": _finite,
    "cv_results_": _table,
    "history_": _rows,
    "intercept_": _finite,
    "lambda_": _positive,
    "lambda_used_": _from_zero,
    "lambdas_": _finite,
    "n_features_in_": _count,
    "n_features_out_": _count,
    "n_iter_": _count,
    "n_layers_": _count,
    "out_of_vocabulary_": _share,
    "revision_": _text,
    "rules_": _of_class("ndarray"),
    "special_vectors_": _finite_each,
    "temperature_": _positive,
    "transformer_": _fitted_transformer,
    "unknown_vector_": _finite_or_none,
    "weights_": _finite_each,
}
