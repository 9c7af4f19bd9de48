"""What a fit has left of automata, also as earlier versions kept it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skrational.structures.automata import final_weights
from skrational.structures.layered import LayeredStructure

__all__ = ["trained_final", "with_present_names"]


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


def with_present_names(attributes: dict[str, Any]) -> dict[str, Any]:
    """Name attributes as this version does; in 0.1.0 the rule had another name."""
    names = {"_reading": "_scoring_rule"}
    return {names.get(name, name): value for name, value in attributes.items()}


def _close(a: NDArray[np.floating], b: NDArray[np.floating]) -> bool:
    return a.shape == b.shape and np.allclose(a, b, rtol=1e-5, atol=0)
