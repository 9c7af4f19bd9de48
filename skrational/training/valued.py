"""Checked sequences with values to be predicted, at their ends or after every token."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from skrational.sequences import SequenceArray

__all__ = ["Scale", "Valued"]


@dataclass(frozen=True)
class Scale:
    """The unit in which values are learned.

    Attributes
    ----------
    center, spread : ndarray of shape (n_targets,)
        A value v is learned as ``(v - center) / spread``.
    """

    center: NDArray[np.float64]
    spread: NDArray[np.float64]

    @classmethod
    def none(cls, n_targets: int) -> Self:
        """Make the scale on which values stay as they are."""
        return cls(np.zeros(n_targets), np.ones(n_targets))

    @classmethod
    def of(cls, values: NDArray[np.floating], weights: NDArray[np.floating]) -> Self:
        """Make the one on which values (n, n_targets) have mean 0 and variance 1."""
        center = np.average(values, axis=0, weights=weights)
        deviation = np.sqrt(np.average((values - center) ** 2, axis=0, weights=weights))
        # What hardly varies beside its size is constant but for rounding.
        floor = 10 * np.finfo(np.float64).eps * np.abs(values).max(axis=0, initial=0)
        return cls(center, np.where(deviation <= floor, 1.0, deviation))


@dataclass(frozen=True)
class Valued:
    """Sequences with values and weights.

    Attributes
    ----------
    X : SequenceArray
    values : ndarray of shape (n, n_targets) or (n, T, n_targets)
        Of each sequence, or after each of its tokens: NaN behind the end of a shorter
        one.
    scale : Scale
    weights : ndarray of shape (n,)
    feature_names : ndarray of shape (n_features,), default=None
    target_ndim : int, default=2
        Dimensions of what was given: 1 for one number of each sequence.
    """

    X: SequenceArray
    values: NDArray[np.floating]
    scale: Scale
    weights: NDArray[np.floating]
    feature_names: NDArray[Any] | None = None
    target_ndim: int = 2

    classes: ClassVar[None] = None

    @classmethod
    def of(
        cls,
        X: SequenceArray,
        values: NDArray[np.floating],
        scale: Scale,
        weights: NDArray[np.floating],
        feature_names: NDArray[Any] | None = None,
    ) -> Self:
        """Take values as they are given; see the attributes.

        Parameters
        ----------
        X : SequenceArray
        values : ndarray of shape (n,), (n, n_targets) or (n, T, n_targets)
        scale : Scale
        weights : ndarray of shape (n,)
        feature_names : ndarray of shape (n_features,), default=None
        """
        given = values.ndim
        if given == 1:
            values = values[:, None]
        return cls(X, values, scale, weights, feature_names, given)

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, chosen: NDArray[np.intp]) -> Self:
        """Take some, by their positions."""
        if np.array_equal(chosen, np.arange(len(self))):
            return self
        return replace(
            self,
            X=self.X[chosen],
            values=self.values[chosen],
            weights=self.weights[chosen],
        )

    @property
    def y(self) -> NDArray[np.floating]:
        """The values as they were given."""
        return self.values[:, 0] if self.target_ndim == 1 else self.values

    @property
    def at_every_token(self) -> bool:
        """Whether there are values after every token."""
        return self.values.ndim == 3

    @property
    def targets(self) -> NDArray[np.floating]:
        """What a loss reads of each sequence: its values, scaled."""
        return (self.values - self.scale.center) / self.scale.spread

    @property
    def n_targets(self) -> int:
        """Values at a time."""
        return int(self.values.shape[-1])

    def unscaled(
        self, A: NDArray[Any], a: NDArray[Any]
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Turn a readout's weights and biases to the unit of the values.

        Biases are in double precision: values may vary little beside their mean.
        """
        center, spread = self.scale.center, self.scale.spread
        return (A * spread[:, None]).astype(A.dtype), a * spread + center

    def scaled(
        self, A: NDArray[Any], a: NDArray[Any]
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Turn a readout's weights and biases back to the unit of the targets."""
        center, spread = self.scale.center, self.scale.spread
        return (A / spread[:, None]).astype(A.dtype), (a - center) / spread

    def shares(self) -> NDArray[np.floating]:
        """Mean target, (n_targets,): of classes, it would be their shares."""
        targets = self.targets.reshape(len(self), -1, self.n_targets)
        weights = np.repeat(self.weights, targets.shape[1])
        flat = targets.reshape(-1, self.n_targets)
        known = ~np.isnan(flat[:, 0])
        mean: NDArray[np.floating] = np.average(
            flat[known], axis=0, weights=weights[known]
        )
        return mean

    def with_weight(self) -> Self:
        """Leave out the samples of weight 0."""
        return self[np.flatnonzero(self.weights > 0)]

    def split(
        self, fraction: float, generator: np.random.Generator
    ) -> tuple[Self, Self | None]:
        """Hold out a share of the sequences; None where there is but one."""
        order = generator.permutation(len(self))
        n_held_out = min(int(fraction * len(self) + 0.5), len(self) - 1)
        held_out, training = np.sort(order[:n_held_out]), np.sort(order[n_held_out:])
        return self[training], self[held_out] if n_held_out else None
