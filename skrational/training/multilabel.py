"""Checked sequences each of which may have several labels, and the validation split."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from skrational.sequences import SequenceArray
from skrational.training.labelled import stratified_split

__all__ = ["MultiLabelled", "rarest_labels"]


@dataclass(frozen=True)
class MultiLabelled:
    """Sequences with labels, each of which holds or doesn't, and weights.

    Attributes
    ----------
    X : SequenceArray
    holds : ndarray of shape (n, n_labels), bool
    weights : ndarray of shape (n,)
    feature_names : ndarray of shape (n_features,), default=None
    """

    X: SequenceArray
    holds: NDArray[np.bool_]
    weights: NDArray[np.floating]
    feature_names: NDArray[Any] | None = None

    def __len__(self) -> int:
        return len(self.holds)

    def __getitem__(self, chosen: NDArray[np.intp]) -> Self:
        """Take some, by their positions."""
        if np.array_equal(chosen, np.arange(len(self))):
            return self
        return replace(
            self,
            X=self.X[chosen],
            holds=self.holds[chosen],
            weights=self.weights[chosen],
        )

    @property
    def classes(self) -> NDArray[np.int64]:
        """The numbers of the labels."""
        return np.arange(self.holds.shape[1])

    @property
    def y(self) -> NDArray[np.int64]:
        """The labels as they are given: an indicator matrix, (n, n_labels)."""
        return self.holds.astype(np.int64)

    @property
    def at_every_token(self) -> bool:
        """No: labels are for a whole sequence."""
        return False

    @property
    def targets(self) -> NDArray[np.floating]:
        """What a loss reads of each sequence: 0 or 1 for each label."""
        return self.holds.astype(np.float64)

    @property
    def n_targets(self) -> int:
        """Number of labels."""
        return self.holds.shape[1]

    def unscaled(
        self, A: NDArray[Any], a: NDArray[Any]
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return the weights and biases of a readout: their logits have no unit."""
        return A, a

    scaled = unscaled

    def shares(self) -> NDArray[np.floating]:
        """Share of the weight in which each label holds, (n_labels,)."""
        shares: NDArray[np.floating] = np.average(
            self.holds, axis=0, weights=self.weights
        )
        return shares

    def with_weight(self) -> Self:
        """Leave out the samples of weight 0."""
        return self[np.flatnonzero(self.weights > 0)]

    def split(
        self, fraction: float, generator: np.random.Generator
    ) -> tuple[Self, Self | None]:
        """Hold out a share of those with each label as their rarest one."""
        rarest = rarest_labels(self.holds)
        training, held_out = stratified_split(rarest, fraction, generator)
        return self[training], self[held_out] if len(held_out) else None


def rarest_labels(holds: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Return, of the labels of each sample, the one that the fewest samples have.

    Strata by it keep rare labels on both sides of a split, which strata by sets of
    labels can't: most sets are there once.

    Parameters
    ----------
    holds : ndarray of shape (n, n_labels), bool

    Returns
    -------
    ndarray of shape (n,)
        -1 of a sample without labels.

    Examples
    --------
    >>> rarest_labels(np.array([[1, 1], [1, 0], [0, 0]], bool)).tolist()
    [1, 0, -1]
    """
    counts = np.where(holds, holds.sum(axis=0), len(holds) + 1)
    return np.where(holds.any(axis=1), counts.argmin(axis=1), -1)
