"""The shapes of the arrays of a fitted network, told by its structure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["expected_shapes"]

Shapes = dict[str, tuple[int, ...]]


def expected_shapes(structure: Any, state: Mapping[str, Any]) -> Shapes:
    """Return the shape of each array, by its name.

    Parameters
    ----------
    structure : Structure
    state : mapping from str to object
        Fitted attributes, without what is told by the structure.

    Returns
    -------
    dict from str to tuple of int

    Examples
    --------
    >>> from skrational.structures import RationalStructure
    >>> from skrational.structures.automata import ScoringRule
    >>> structure = RationalStructure((4, 4), (2, 0), n_features=50, n_outputs=1)
    >>> shapes = expected_shapes(structure, {"_scoring_rule": ScoringRule()})
    >>> shapes["W_u"], shapes["coef_"]
    ((2, 50), (1, 1))
    """
    shapes = _OF_STRUCTURES[type(structure).__name__](structure, state)
    shapes["intercept_"] = (structure.n_outputs,)
    return shapes


def _rational(structure: Any, state: Mapping[str, Any]) -> Shapes:
    n, width = structure.n_transitions, structure.n_features
    shapes = {"W_u": (n, width), "W_f": (n, width), "b_f": (n,)}
    if state["_scoring_rule"].readout.startswith("rho"):
        shapes["rho"] = (n,)
    if "_final_weights" in state:
        shapes["_final_weights"] = (n,)
    return shapes | {"coef_": (structure.n_outputs, structure.n_wfsas)}


def _layered(structure: Any, state: Mapping[str, Any]) -> Shapes:
    rule = {"_scoring_rule": state["_scoring_rule"]}
    shapes: Shapes = {}
    for number, layer in enumerate(structure.layers, 1):
        own = _rational(layer, rule)
        shapes["coef_"] = own.pop("coef_")
        shapes |= {f"layer{number}.{name}": shape for name, shape in own.items()}
    if "_final_weights" in state:
        shapes["_final_weights"] = (structure.n_transitions,)
    return shapes


def _gated(structure: Any, state: Mapping[str, Any]) -> Shapes:
    n_gates, n_units = structure.n_gates, structure.n_units
    return {
        "W_ih": (n_gates, len(structure.inputs)),
        "W_hh": (n_gates, n_units),
        "b": (len(structure.gate_names), n_units),
        "coef_": (structure.n_outputs, n_units),
    }


def _gru(structure: Any, state: Mapping[str, Any]) -> Shapes:
    n_candidates = int(structure.varies[-1].sum())
    return _gated(structure, state) | {"b_hn": (n_candidates,)}


def _language(structure: Any, state: Mapping[str, Any]) -> Shapes:
    embedding = (structure.n_words, len(structure.inputs))
    return _gated(structure, state) | {"Emb": embedding}


def _masked(structure: Any, state: Mapping[str, Any]) -> Shapes:
    shapes = {name: mask.shape for name, mask in structure.masks.items()}
    shapes["coef_"] = shapes.pop("A")
    kind, n_units = state["_kind"], shapes["W_hh"][1]
    n_gates = shapes["W_hh"][0] // n_units
    if n_gates != {"elman": 1, "lstm": 4, "gru": 3}[kind.cell]:
        raise ValueError(f"it has {n_gates} rows of weights for a unit of {kind.cell}")
    if kind.cell == "elman":
        return shapes | ({"b": (n_units,)} if kind.bias else {})
    shapes["b"] = (n_gates, n_units)
    return shapes | ({"b_hn": (n_units,)} if kind.cell == "gru" else {})


_OF_STRUCTURES: dict[str, Callable[[Any, Mapping[str, Any]], Shapes]] = {
    "GRUStructure": _gru,
    "LSTMLanguageStructure": _language,
    "LSTMStructure": _gated,
    "LayeredStructure": _layered,
    "MaskStructure": _masked,
    "RationalStructure": _rational,
}
