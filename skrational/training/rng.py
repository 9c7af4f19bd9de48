"""Randomness from one number; the global generators are never touched."""

from __future__ import annotations

from copy import copy, deepcopy
from typing import Any

import numpy as np
import torch
from sklearn.utils import check_random_state

from skrational.utils.records import Record

__all__ = ["Randomness", "draw_seed"]

_OF_NUMPY, _OF_TORCH = ("order", "split"), ("weights", "noise")


class Randomness:
    """Independent generators for what a fit draws.

    Parameters
    ----------
    seed : int
    *stream : int
        Names one of many independent sets of generators of the same seed. Set 0 is that
        of the seed alone.

    Attributes
    ----------
    weights, noise : torch.Generator
        For initial weights and dropout; on the CPU, so that a fit draws the same
        numbers on every device.
    order, split : numpy.random.Generator
        For the order of batches and the validation split.
    """

    def __init__(self, seed: int, *stream: int) -> None:
        children = np.random.SeedSequence((seed, *stream)).spawn(4)
        self.weights, self.noise = (
            torch.Generator().manual_seed(int(child.generate_state(1)[0]))
            for child in children[:2]
        )
        self.order, self.split = (np.random.default_rng(c) for c in children[2:])

    def copy(self) -> Randomness:
        """Return generators that will draw the same numbers."""
        twin = copy(self)
        twin.order, twin.split = deepcopy((self.order, self.split))
        twin.weights, twin.noise = (
            torch.Generator().set_state(generator.get_state())
            for generator in (self.weights, self.noise)
        )
        return twin

    def state(self) -> Record:
        """Return what `set_state` needs."""
        facts = {name: getattr(self, name).bit_generator.state for name in _OF_NUMPY}
        arrays = {name: getattr(self, name).get_state().numpy() for name in _OF_TORCH}
        return facts, arrays

    def set_state(self, state: Record) -> None:
        """Go on with the numbers that were to come when `state` was called."""
        facts, arrays = state
        for name in _OF_NUMPY:
            getattr(self, name).bit_generator.state = facts[name]
        for name in _OF_TORCH:
            getattr(self, name).set_state(torch.from_numpy(arrays[name]))

    @classmethod
    def drawn_from(cls, random_state: Any) -> Randomness:
        """Draw the seed from a parameter ``random_state``."""
        return cls(draw_seed(random_state))


def draw_seed(random_state: Any) -> int:
    """Draw a seed from a parameter ``random_state``.

    None means fresh entropy; numpy's global generator isn't used.
    """
    if random_state is None:
        random_state = np.random.RandomState()
    return int(check_random_state(random_state).randint(np.iinfo(np.int32).max))
