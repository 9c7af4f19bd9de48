"""Checked sequences with their labels, and the validation split."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from skrational.sequences import SequenceArray

__all__ = ["Labelled", "Learnable", "stratified_split", "summable"]


class Learnable(Protocol):
    """What a fit learns from: sequences, weights, and what is to be predicted.

    Attributes
    ----------
    classes : ndarray of shape (n_classes,) or None
        None: numbers are to be predicted.
    at_every_token : bool
        Whether a cell must be told to give outputs after every token.
    targets : ndarray of shape (n, ...)
        What a loss reads.
    y : ndarray of shape (n, ...)
        The targets as they were given.
    n_targets : int
        Classes, or numbers at a time.
    """

    @property
    def X(self) -> SequenceArray: ...  # noqa: D102
    @property
    def weights(self) -> NDArray[np.floating]: ...  # noqa: D102
    @property
    def feature_names(self) -> NDArray[Any] | None: ...  # noqa: D102
    @property
    def classes(self) -> NDArray[Any] | None: ...  # noqa: D102
    @property
    def at_every_token(self) -> bool: ...  # noqa: D102
    @property
    def targets(self) -> NDArray[Any]: ...  # noqa: D102
    @property
    def y(self) -> NDArray[Any]: ...  # noqa: D102
    @property
    def n_targets(self) -> int: ...  # noqa: D102

    def __len__(self) -> int: ...
    def __getitem__(self, chosen: NDArray[np.intp]) -> Self: ...

    def shares(self) -> NDArray[np.floating]:
        """Return the weighted mean of the targets: of classes, their shares."""
        ...

    def unscaled(
        self, A: NDArray[Any], a: NDArray[Any]
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Turn a readout's weights and biases to the unit of what is predicted.

        Parameters
        ----------
        A : ndarray of shape (n_outputs, d)
        a : ndarray of shape (n_outputs,)
        """
        ...

    def scaled(
        self, A: NDArray[Any], a: NDArray[Any]
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Turn them back to the unit in which there is learned."""
        ...

    def with_weight(self) -> Self:
        """Leave out the samples of weight 0."""
        ...

    def split(
        self, fraction: float, generator: np.random.Generator
    ) -> tuple[Self, Self | None]:
        """Hold out a share; None where samples are too few for it."""
        ...


@dataclass(frozen=True)
class Labelled:
    """Sequences with class numbers and weights.

    Attributes
    ----------
    X : SequenceArray
    classes : ndarray of shape (n_classes,)
    codes : ndarray of shape (n,), int
        Position of each label in ``classes``.
    weights : ndarray of shape (n,)
    feature_names : ndarray of shape (n_features,), default=None
        Names of the columns, if X was a data frame.
    """

    X: SequenceArray
    classes: NDArray[Any]
    codes: NDArray[np.intp]
    weights: NDArray[np.floating]
    feature_names: NDArray[Any] | None = None

    def __len__(self) -> int:
        return len(self.codes)

    def __sizeof__(self) -> int:
        # By it, engines tell what is worth sending once for all tasks.
        return sys.getsizeof(self.X) + self.codes.nbytes + self.weights.nbytes

    def __getitem__(self, chosen: NDArray[np.intp]) -> Self:
        """Take some, by their positions."""
        if np.array_equal(chosen, np.arange(len(self))):
            return self
        return replace(
            self,
            X=self.X[chosen],
            codes=self.codes[chosen],
            weights=self.weights[chosen],
        )

    @property
    def y(self) -> NDArray[Any]:
        """The labels as they were given."""
        labels: NDArray[Any] = self.classes[self.codes]
        return labels

    @property
    def at_every_token(self) -> bool:
        """No: a label is for a whole sequence."""
        return False

    @property
    def targets(self) -> NDArray[Any]:
        """What a loss reads of each sequence: the class numbers, int64."""
        return self.codes.astype(np.int64)

    @property
    def n_targets(self) -> int:
        """Number of classes."""
        return len(self.classes)

    def unscaled(
        self, A: NDArray[Any], a: NDArray[Any]
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return the weights and biases of a readout: their logits have no unit."""
        return A, a

    scaled = unscaled

    def shares(self) -> NDArray[np.floating]:
        """Share of each class in the weight, (n_classes,)."""
        of_class = np.bincount(self.codes, self.weights, len(self.classes))
        return of_class / self.weights.sum()

    def with_weight(self) -> Self:
        """Leave out the samples of weight 0."""
        return self[np.flatnonzero(self.weights > 0)]

    def split(
        self, fraction: float, generator: np.random.Generator
    ) -> tuple[Self, Self | None]:
        """Hold out a share of each class; None where samples are too few for it."""
        training, held_out = stratified_split(self.codes, fraction, generator)
        return self[training], self[held_out] if len(held_out) else None


def summable(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return weights of samples whose sum is an ordinary number.

    Raises
    ------
    ValueError
        If one of them is no number, as what is multiplied may be.

    Examples
    --------
    >>> summable(np.array([1e308, 1e308])).tolist(), summable(np.ones(1)).tolist()
    ([1.0, 1.0], [1.0])
    """
    if not np.isfinite(weights).all():
        raise ValueError(
            "class_weight times sample_weight is infinite for some samples; expected "
            "smaller weights."
        )
    with np.errstate(over="ignore"):
        total = weights.sum()
    is_odd = total > 0 and not 1e-290 < total < np.inf
    return weights / weights.max() if is_odd else weights


def stratified_split(
    codes: NDArray[np.intp], fraction: float, generator: np.random.Generator
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Split positions into training and validation, class by class.

    Unlike scikit-learn's stratified splitters it also serves classes of one sample,
    which stay in the training part.

    Parameters
    ----------
    codes : ndarray of shape (n,)
        Class numbers.
    fraction : float
        Share of each class that goes to validation, rounded.
    generator : numpy.random.Generator

    Returns
    -------
    training, validation : ndarray of int
        Sorted positions; validation may be empty when there are few samples.
    """
    held_out = []
    for code in np.unique(codes):
        members = generator.permutation(np.flatnonzero(codes == code))
        n_held_out = min(int(fraction * len(members) + 0.5), len(members) - 1)
        held_out.append(members[:n_held_out])
    validation = np.sort(np.concatenate(held_out))
    return np.setdiff1d(np.arange(len(codes)), validation), validation
