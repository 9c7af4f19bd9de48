"""Path integration: from velocities to the position in a square box.

A network is told at which place a random walk starts, and then the velocity of each
step. After every token it is to name the place that has been reached.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skrational.datasets._generator import generator_of
from skrational.datasets.place_cells import PlaceCells
from skrational.sequences import SequenceArray
from skrational.utils.checks import check_count

__all__ = ["NavigationTask", "make_navigation"]

STEP_SECONDS = 0.02
SPEED_SCALE = 0.13 * 2 * np.pi
"""Scale of Rayleigh's distribution of the speed, in metres a second."""
TURN_SCALE = 5.76 * 2
"""Standard deviation of the angular velocity, in radians a second."""
BORDER = 0.03
"""Who is as near to a wall, in metres, and faces it, turns and slows down."""
SLOWED = 0.25


@dataclass(frozen=True, eq=False)
class NavigationTask:
    """What `make_navigation` made.

    Attributes
    ----------
    X : SequenceArray of n_trajectories sequences, float32
        Tokens of 2 + n_places features, the first two being a velocity in metres a
        second. A sequence has n_steps + 1 tokens: the code of the start, with velocity
        0, and the velocities of the steps, without a code.
    y : list of ndarray of shape (n_steps + 1, n_places), float32
        The code of the position after each token.
    positions : ndarray of shape (n_trajectories, n_steps + 1, 2)
        The positions, in metres from the middle of the box.
    place_cells : PlaceCells
        What codes positions.

    Examples
    --------
    >>> task = make_navigation(3, random_state=0)
    >>> round(task.error_cm(task.y), 1)  # what decoding alone leaves
    3.9
    """

    X: SequenceArray
    y: list[NDArray[np.float32]] = field(repr=False)
    positions: NDArray[np.float64] = field(repr=False)
    place_cells: PlaceCells

    def error_cm(self, y_pred: NDArray[Any] | Sequence[ArrayLike]) -> float:
        """Return the mean distance of decoded from true positions, in centimetres.

        The first token doesn't count: it gives away what is asked.

        Parameters
        ----------
        y_pred : array-like of shape (n_trajectories, n_steps + 1, n_places)
            Or a list of an array a trajectory. Probabilities of places, or whatever
            ranks them.

        Returns
        -------
        float
            In centimetres, over all steps of all trajectories.

        Raises
        ------
        ValueError
            If the shape is another one.
        """
        expected = (*self.positions.shape[:2], self.place_cells.n_places)
        shapes = {np.shape(codes) for codes in y_pred}
        if len(y_pred) != expected[0] or shapes != {expected[1:]}:
            raise ValueError(
                f"y_pred holds {len(y_pred)} predictions of the shapes "
                f"{sorted(shapes)}; expected {expected[0]} of shape {expected[1:]}."
            )
        decoded = np.stack([self.place_cells.decode(codes) for codes in y_pred])
        distances = np.linalg.norm(decoded - self.positions, axis=2)
        return float(100 * distances[:, 1:].mean())


def make_navigation(
    n_trajectories: int = 1000,
    n_steps: int = 20,
    *,
    n_places: int = 512,
    box: float = 2.2,
    width: float = 0.12,
    surround: float | None = 2.0,
    place_cells: PlaceCells | None = None,
    random_state: int | np.random.RandomState | None = None,
) -> NavigationTask:
    """Make smooth random walks in a square box, to be followed by their velocities.

    Parameters
    ----------
    n_trajectories : int, default=1000
        Number of walks.
    n_steps : int, default=20
        Number of steps of each, of 0.02 seconds.
    n_places : int, default=512
        Number of place cells, at least 3; their centers are uniform in the box.
    box : float, default=2.2
        Side of the box, in metres, above 0.06.
    width : float, default=0.12
        Standard deviation of a place cell's Gaussian, in metres.
    surround : float or None, default=2.0
        Variance of the inhibiting Gaussian over that of the exciting one, above 1.
        None: place cells are plain Gaussians.
    place_cells : PlaceCells, default=None
        Those of another task of the same box, as new walks for a test need them.
        ``n_places``, ``width`` and ``surround`` are then ignored. None draws new ones.
    random_state : int, RandomState instance or None, default=None
        Pass an int for the same walks in each call. None draws fresh entropy. NumPy's
        global generator is not used.

    Returns
    -------
    NavigationTask
        Sequences, targets, and what measures predictions in centimetres.

    Raises
    ------
    ValueError, TypeError
        If a parameter is out of range.

    Notes
    -----
    The task is that of [1]_: the speed of each step follows Rayleigh's distribution
    with scale 0.26 pi metres a second (1.02 in the mean), the angular velocity is
    normal with 11.52 radians a second. Within 3 centimetres of a wall, who faces it
    turns along it and walks at a quarter of the speed. A step that would leave the box
    ends at the wall, and the velocity is that of what remains of it.

    Decoding alone makes an error, which is smaller the more places there are: with 128,
    256 and 512 in the default box 8.8, 6.1 and 4.2 centimetres for plain Gaussians, 27,
    7.5 and 4.2 with the surround, which silences the third nearest of few cells. Who
    stays at the start is off by 19 centimetres in the mean over 20 steps.

    References
    ----------
    .. [1] Sorscher, Mel, Ganguli, Ocko. "A unified theory for the origin of grid cells
       through the lens of pattern formation", NeurIPS 2019, section 2.

    Examples
    --------
    >>> train = make_navigation(100, n_places=64, random_state=0)
    >>> test = make_navigation(10, place_cells=train.place_cells, random_state=1)
    >>> test.X
    SequenceArray(10 sequences, 210 tokens of 66 features in 210 rows, token-level)
    >>> test.y[0].shape, test.positions.shape
    ((21, 64), (10, 21, 2))
    """
    rng = generator_of(random_state)
    check_count("n_trajectories", n_trajectories)
    check_count("n_steps", n_steps)
    check_count("n_places", n_places, least=3)
    if not 2 * BORDER < box < np.inf:
        raise ValueError(f"box must be above {2 * BORDER} metres; got {box!r}.")
    if place_cells is None:
        centers = rng.uniform(-box / 2, box / 2, (n_places, 2))
        place_cells = PlaceCells(centers, width, surround)
    _check_place_cells(place_cells, box)

    positions = _walks(n_trajectories, n_steps, box, rng)
    return NavigationTask(
        X=_tokens(positions, place_cells),
        y=[place_cells.encode(walk) for walk in positions],
        positions=positions,
        place_cells=place_cells,
    )


def _check_place_cells(place_cells: Any, box: float) -> None:
    if not isinstance(place_cells, PlaceCells):
        raise TypeError(f"place_cells must be PlaceCells; got {place_cells!r}.")
    farthest = np.abs(place_cells.centers).max()
    if farthest > box / 2:
        raise ValueError(
            f"place_cells reach {farthest:.3g} metres from the middle, beyond a box of "
            f"{box} metres: pass the box for which they were drawn."
        )


def _walks(
    n_trajectories: int, n_steps: int, box: float, rng: np.random.RandomState
) -> NDArray[np.float64]:
    """Draw random walks.

    Parameters
    ----------
    n_trajectories, n_steps : int
    box : float
        Side of the box, in metres.
    rng : RandomState

    Returns
    -------
    ndarray of shape (n_trajectories, n_steps + 1, 2)
        Positions, in metres.
    """
    lengths = STEP_SECONDS * rng.rayleigh(SPEED_SCALE, (n_steps, n_trajectories))
    turns = STEP_SECONDS * rng.normal(0, TURN_SCALE, (n_steps, n_trajectories))
    heading = rng.uniform(0, 2 * np.pi, n_trajectories)
    positions = np.empty((n_steps + 1, n_trajectories, 2))
    positions[0] = rng.uniform(-box / 2, box / 2, (n_trajectories, 2))
    for t in range(n_steps):
        slowed, heading = _along_walls(positions[t], heading + turns[t], box)
        length = np.where(slowed, SLOWED * lengths[t], lengths[t])
        step = length * (np.cos(heading), np.sin(heading))
        positions[t + 1] = np.clip(positions[t] + step.T, -box / 2, box / 2)
    return positions.transpose(1, 0, 2)


def _along_walls(
    position: NDArray[np.float64], heading: NDArray[np.float64], box: float
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Turn those who are about to hit a wall.

    Parameters
    ----------
    position : ndarray of shape (n_trajectories, 2)
    heading : ndarray of shape (n_trajectories,)
        In radians.
    box : float

    Returns
    -------
    facing : ndarray of shape (n_trajectories,), bool
        Who was near a wall and faced it.
    heading : ndarray of shape (n_trajectories,)
        Along the wall for these.
    """
    axis = np.abs(position).argmax(axis=1)
    nearest = position[np.arange(len(position)), axis]
    outwards = np.pi / 2 * axis + np.pi * (nearest < 0)
    angle = (heading - outwards + np.pi) % (2 * np.pi) - np.pi
    facing = (box / 2 - np.abs(nearest) < BORDER) & (np.abs(angle) < np.pi / 2)
    along = outwards + np.copysign(np.pi / 2, angle)
    return facing, np.where(facing, along, heading)


def _tokens(positions: NDArray[np.float64], place_cells: PlaceCells) -> SequenceArray:
    """Return the input of walks of shape (n_trajectories, n_steps + 1, 2)."""
    n_trajectories, n_tokens, _ = positions.shape
    n_features = 2 + place_cells.n_places
    X = np.zeros((n_trajectories, n_tokens, n_features), dtype=np.float32)
    X[:, 0, 2:] = place_cells.encode(positions[:, 0])
    X[:, 1:, :2] = np.diff(positions, axis=1) / STEP_SECONDS
    offsets = n_tokens * np.arange(n_trajectories + 1)
    return SequenceArray(X.reshape(-1, n_features), offsets)
