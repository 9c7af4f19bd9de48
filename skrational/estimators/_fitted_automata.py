"""What a fit has left of automata, also as earlier versions kept it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skrational.structures.automata import final_weights
from skrational.structures.layered import LayeredStructure

__all__ = ["as_of_this_version", "trained_final"]


def trained_final(clf: Any) -> NDArray[np.floating]:
    """Weights of the final states, as training computed them, to the bit."""
    rule = clf._scoring_rule
    expected = _expected_final(clf.learned_structure_, rule.readout, clf.weights_)
    if "_final_weights" not in vars(clf) and rule.readout.startswith("rho"):
        # A file of version 0.1.0, which had to ask the cell.
        from skrational.utils.torch_state import in_own_state

        final: NDArray[np.floating] = in_own_state(
            lambda: clf._fitted_cell().final_weights().detach().numpy()
        )()
        return final
    trained = vars(clf).get("_final_weights", expected)
    # Another one if somebody has changed the weights.
    return trained if _close(trained, expected) else expected


def _expected_final(
    structure: Any, readout: str, weights: dict[str, NDArray[Any]]
) -> NDArray[np.floating]:
    """Weights of the final states of all layers, as the present weights make them."""
    if not isinstance(structure, LayeredStructure):
        return final_weights(readout, structure.lengths, weights)
    finals = []
    for number, lengths in enumerate(structure.lengths, 1):
        prefix = f"layer{number}."
        own = {
            name.removeprefix(prefix): array
            for name, array in weights.items()
            if name.startswith(prefix)
        }
        finals.append(final_weights(readout, lengths, own))
    return np.concatenate(finals)


def as_of_this_version(attributes: dict[str, Any], lambda_: Any) -> dict[str, Any]:
    """Name attributes as this version does, and add ``lambda_used_`` to fitted ones.

    In 0.1.0 the rule had another name, and the strength wasn't kept. ``lambda_`` is the
    parameter; what "auto" stood for is the largest strength in the history, since those
    that are tried rise to the one that is chosen.
    """
    names = {"_reading": "_scoring_rule"}
    named = {names.get(name, name): value for name, value in attributes.items()}
    if "coef_" not in named or "lambda_used_" in named:
        return named
    if lambda_ == "auto":
        rows = named.get("history_", [])
        lambda_ = max((row.get("lambda_", 0.0) for row in rows), default=0.0)
    return named | {"lambda_used_": float(lambda_)}


def _close(a: NDArray[np.floating], b: NDArray[np.floating]) -> bool:
    return a.shape == b.shape and np.allclose(a, b, rtol=1e-5, atol=0)
