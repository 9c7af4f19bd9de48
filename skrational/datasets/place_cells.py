"""Place cells: a position in a box as a distribution over places, and back."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import cdist
from scipy.special import softmax

__all__ = ["PlaceCells"]

N_DECODED = 3
"""The position is read from this many cells, the most active ones."""


@dataclass(frozen=True, eq=False)
class PlaceCells:
    """Cells that are active near their centers in a square box.

    Parameters
    ----------
    centers : array-like of shape (n_places, 2)
        Where the cells are, in metres; at least three.
    width : float, default=0.12
        Standard deviation of a cell's Gaussian, in metres.
    surround : float or None, default=2.0
        Variance of the inhibiting Gaussian over that of the exciting one, above 1.
        None: there is no inhibition.

    Raises
    ------
    ValueError
        If a parameter is out of range.

    Notes
    -----
    A softmax over the cells of ``-d ** 2 / (2 * width ** 2)``, d being the distance to
    the center, makes Gaussian activities a distribution. With a surround, the softmax
    of the wider Gaussian is subtracted from it, and the difference is moved up to 0 and
    scaled to sum 1 [1]_: far cells then have about the mean activity, ``1 / n_places``,
    those around the position less.

    A position is decoded as the mean of the centers of the three most active cells, so
    that cells whose distance is large leave an error. Where only one or two are within
    reach of the exciting Gaussian, the third is a far one.

    References
    ----------
    .. [1] Sorscher, Mel, Ganguli, Ocko. "A unified theory for the origin of grid cells
       through the lens of pattern formation", NeurIPS 2019, section 2.

    Examples
    --------
    >>> cells = PlaceCells([[0, 0], [0, 0.1], [0.1, 0], [1, 1]], surround=None)
    >>> code = cells.encode([0.02, 0.02])
    >>> code.round(2)
    array([0.38, 0.31, 0.31, 0.  ], dtype=float32)
    >>> cells.decode(code).round(3)
    array([0.033, 0.033])
    """

    centers: NDArray[np.float64] = field(repr=False)
    width: float = 0.12
    surround: float | None = 2.0

    def __post_init__(self) -> None:
        centers = np.array(self.centers, dtype=np.float64)
        if centers.ndim != 2 or centers.shape[1] != 2 or len(centers) < N_DECODED:
            raise ValueError(
                f"centers has shape {centers.shape}; expected (n_places, 2) with at "
                f"least {N_DECODED} places."
            )
        if not np.isfinite(centers).all():
            raise ValueError("centers must be finite; got NaN or infinity.")
        if not 0 < self.width < np.inf:
            raise ValueError(f"width must be above 0 metres; got {self.width!r}.")
        if self.surround is not None and not 1 < self.surround < np.inf:
            raise ValueError(
                f"surround must be above 1, or None; got {self.surround!r}."
            )
        centers.flags.writeable = False
        object.__setattr__(self, "centers", centers)

    @property
    def n_places(self) -> int:
        """Number of cells."""
        return len(self.centers)

    def encode(self, positions: ArrayLike) -> NDArray[np.float32]:
        """Return the activities of all cells at positions.

        Parameters
        ----------
        positions : array-like of shape (..., 2)
            In metres.

        Returns
        -------
        ndarray of shape (..., n_places), float32
            Distributions.

        Raises
        ------
        ValueError
            If positions are no finite pairs, or so far from all cells, in widths, that
            center and surround can't be told apart.
        """
        points = np.asarray(positions, dtype=np.float64)
        if points.shape[-1:] != (2,) or not np.isfinite(points).all():
            raise ValueError(
                f"positions must be finite and of shape (..., 2); got the shape "
                f"{points.shape}."
            )
        flat = points.reshape(-1, 2)
        energy = cdist(flat, self.centers, "sqeuclidean") / (-2 * self.width**2)
        codes = softmax(energy, axis=1)
        if self.surround is not None:
            codes -= softmax(energy / self.surround, axis=1)
            codes -= codes.min(axis=1, keepdims=True)
            total = codes.sum(axis=1, keepdims=True)
            if not total.all():
                raise ValueError(
                    f"a width of {self.width} metres is too small for {self.n_places} "
                    "places: a position is many widths from all but one cell. Raise "
                    "width or the number of places."
                )
            codes /= total
        return codes.astype(np.float32).reshape(*points.shape[:-1], self.n_places)

    def decode(self, codes: ArrayLike) -> NDArray[np.float64]:
        """Return the mean of the centers of the three most active cells.

        Parameters
        ----------
        codes : array-like of shape (..., n_places)
            Activities, or whatever grows with them, such as their logarithms.

        Returns
        -------
        ndarray of shape (..., 2)
            Positions in metres.

        Raises
        ------
        ValueError
            If there isn't a number for each cell, or it is NaN.
        """
        activities = np.asarray(codes)
        if activities.shape[-1:] != (self.n_places,):
            raise ValueError(
                f"codes has shape {activities.shape}; expected (..., {self.n_places}), "
                "one activity for each place."
            )
        if np.isnan(activities).any():
            raise ValueError("codes must be numbers; got NaN.")
        most_active = np.argpartition(activities, -N_DECODED, axis=-1)
        return self.centers[most_active[..., -N_DECODED:]].mean(axis=-2)
