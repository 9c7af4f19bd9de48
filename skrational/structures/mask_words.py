"""In words, and as a table, which weights pruning left of a recurrent network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from skrational.structures.array_values import Mask
from skrational.structures.gate_words import counted
from skrational.structures.notebook import cell, row, words_and_table

if TYPE_CHECKING:
    from skrational.structures.mask import MaskStructure

__all__ = ["mask_html", "say_mask"]


def say_mask(structure: MaskStructure) -> str:
    """Say what is left: one line for each thing worth knowing."""
    if structure.is_empty:
        return "No unit reaches the readout: only the intercept decides."
    degrees = structure.in_degrees()
    lines = [
        f"{_percent(structure.density)} of {structure.n_links_initial:,} recurrent "
        f"weights are left: {structure.n_links:,}.",
        f"Of the other matrices are left: {_others(structure.masks)}.",
        f"Into a unit lead {degrees.mean():.3g} of them on average, {degrees.min()} to "
        f"{degrees.max()}.",
    ]
    if structure.distances is not None:
        lines += _distances(structure)
    without = sorted({*range(structure.n_units_initial)} - {*structure.units})
    return "\n".join([*lines, *_without_effect(without)])


def mask_html(structure: MaskStructure) -> str:
    """Write what `say_mask` says, and a table of the matrices, for a notebook."""
    rows = [
        row(name, [cell(" x ".join(map(str, mask.shape))), *_left_of(mask)])
        for name, mask in structure.masks.items()
    ]
    names = "matrix", "shape", "weights", "left", "share"
    return words_and_table(structure.reading(), names, rows)


def _left_of(mask: Mask) -> list[str]:
    """Cells of a row: weights before pruning, those that are left, and their share."""
    counts = f"{mask.size:,}", f"{int(mask.sum()):,}"
    return [cell(text) for text in (*counts, _percent(float(mask.mean())))]


def _others(masks: Mapping[str, Mask]) -> str:
    return ", ".join(
        f"{_percent(float(mask.mean()))} of {name}"
        for name, mask in masks.items()
        if name != "W_hh"
    )


def _distances(structure: MaskStructure) -> list[str]:
    """Compare the distances of what is left and of what is gone, if both are there."""
    left, gone = structure.link_distances()
    if not len(left) or not len(gone):
        return []
    place = f"Manifold {structure.manifold}: their" if structure.manifold else "Their"
    left_mean, gone_mean = (distances.mean(dtype=float) for distances in (left, gone))
    return [
        f"{place} mean distance is {left_mean:.3g}, of those that are gone "
        f"{gone_mean:.3g}."
    ]


def _without_effect(units: Sequence[int]) -> list[str]:
    why = "no weights lead from there to the readout"
    return counted(units, "without effect", "without effect", why)


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
