"""Automata of a classifier, in one layer or several: cells, numbers and kernels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from skrational.kernels.cpu.layers import PackedLayers
from skrational.kernels.cpu.max_prediction import pack_automata
from skrational.kernels.cpu.prediction import PackedNetwork
from skrational.structures.automata import ScoringRule, WeightedAutomata
from skrational.structures.layered import LayeredStructure

if TYPE_CHECKING:
    import torch

    from skrational.cells.base import Cell

__all__ = [
    "MOST_LAYERS",
    "blank_cell",
    "dense_cell",
    "is_layered",
    "layers_of",
    "packed_automata",
]

MOST_LAYERS = 3
"""More have never been trained."""


def is_layered(clf: Any) -> bool:
    """Whether a fitted classifier has more than one layer of automata."""
    return isinstance(clf.learned_structure_, LayeredStructure)


def dense_cell(
    clf: Any,
    n_features: int,
    n_outputs: int,
    dtype: torch.dtype,
    generator: torch.Generator,
) -> Cell:
    """Return a cell as the parameters want it, its weights drawn.

    Parameters
    ----------
    clf : RationalMethod
    n_features, n_outputs : int
    dtype : torch.dtype
    generator : torch.Generator
        On the CPU; draws the weights.
    """
    lengths = clf._lengths(n_outputs)
    rule = ScoringRule(clf.semiring, clf.readout, clf.match, clf.length_exponent)
    if clf.n_layers == 1:
        from skrational.cells.rational import RationalCell

        single = RationalCell(n_features, lengths, n_outputs, rule, dtype)
        return single.initialize(generator)
    from skrational.cells.layered import LayeredCell

    of_layers = (lengths,) * clf.n_layers
    cell = LayeredCell.dense(n_features, of_layers, n_outputs, rule, dtype)
    return cell.initialize(generator)


def blank_cell(structure: Any, rule: ScoringRule, dtype: torch.dtype) -> Cell:
    """Return a cell of a structure, with all parameters 0."""
    if isinstance(structure, LayeredStructure):
        from skrational.cells.layered import LayeredCell

        return LayeredCell.of_structure(structure, rule, dtype)
    from skrational.cells.rational import RationalCell

    return RationalCell.of_structure(structure, rule, dtype)


def layers_of(clf: Any) -> tuple[WeightedAutomata, ...]:
    """Return the automata of each layer of a fitted classifier as numbers.

    Those of a layer that another one reads have no readout: ``coef`` has no rows.
    """
    structure, rule = clf.learned_structure_, clf._scoring_rule
    layers = structure.layers if is_layered(clf) else (structure,)
    sizes = np.cumsum([layer.n_transitions for layer in layers])
    finals = np.split(clf._final(), sizes[:-1])
    found = []
    for number, (layer, final) in enumerate(zip(layers, finals, strict=True), 1):
        prefix = f"layer{number}." if is_layered(clf) else ""
        is_last = number == len(layers)
        found.append(
            WeightedAutomata(
                **{n: clf.weights_[prefix + n] for n in ("W_u", "W_f", "b_f")},
                final=final,
                lengths=layer.lengths,
                numbers=layer.survivors,
                coef=clf.coef_ if is_last else np.zeros((0, layer.n_wfsas)),
                intercept=clf.intercept_ if is_last else np.zeros(0),
                semiring=rule.semiring,
                match=rule.match if is_last else "end",
                length_exponent=rule.divisor_exponent if is_last else 0.0,
            )
        )
    return tuple(found)


def packed_automata(clf: Any) -> PackedNetwork:
    """Pack the automata of a fitted classifier for the compiled kernels of the CPU."""
    rule, layers = clf._scoring_rule, layers_of(clf)
    weights = [(v.W_u, v.W_f, v.b_f, v.final) for v in layers]
    *below, (last, own) = zip(layers, weights, strict=True)
    packed = pack_automata(last.lengths, rule, *own)
    if not below:
        return packed
    return PackedLayers.of([(v.lengths, rule.semiring, *w) for v, w in below], packed)
