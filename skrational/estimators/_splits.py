"""The validation split."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["stratified_split"]


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
