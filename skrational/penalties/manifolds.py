"""Where hidden units lie: manifolds, with the distance along them.

A point is a row of coordinates. Distances are differentiable, and their gradient is 0
where two points are one: there the root of a sum of squares has none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, TypeAlias, runtime_checkable

import torch
from torch import Tensor

from skrational.penalties.checks import check_nonnegative
from skrational.utils.checks import check_count
from skrational.utils.suggestions import did_you_mean

__all__ = [
    "Custom",
    "Euclidean",
    "Klein",
    "Manifold",
    "Sphere",
    "Torus",
    "as_manifold",
    "bring_onto_",
    "draw_positions",
    "pairwise_distances",
]

Distance: TypeAlias = Callable[[Tensor, Tensor], Tensor]

_SIDE = 10.0
"""Length of each closed way around a torus or a Klein bottle (Mackey et al.)."""
_RADIUS = 5.0
"""Of every sphere; for S^3 the authors take 10 or 5, for the others 5."""


@runtime_checkable
class Manifold(Protocol):
    """A space in which hidden units have positions.

    An implementation is a value that doesn't change.
    """

    @property
    def name(self) -> str:
        """What structures and figures call it."""
        ...

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """Draw n points, (n, n_coordinates), float64, on the CPU."""
        ...

    def distance(self, a: Tensor, b: Tensor) -> Tensor:
        """Return the distances, (...), of points, (..., n_coordinates), broadcast."""
        ...

    def project_(self, positions: Tensor) -> None:
        """Bring positions that a step has moved back, in place, without gradient."""
        ...


@dataclass(frozen=True)
class Sphere:
    """The sphere of radius 5 with great-circle distances; points are unit vectors.

    Parameters
    ----------
    dim : int, default=2
        1 for the circle.

    Examples
    --------
    >>> north, east = torch.eye(2)
    >>> Sphere(1).distance(north, east)
    tensor(7.8540)
    """

    dim: int = 2

    def __post_init__(self) -> None:
        check_count("dim", self.dim)

    @property
    def name(self) -> str:
        """The name: "circle", "sphere", "s3" and so on."""
        return {1: "circle", 2: "sphere"}.get(self.dim, f"s{self.dim}")

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """Draw n uniform points, (n, dim + 1)."""
        positions = _normal(n, self.dim + 1, generator)
        self.project_(positions)
        return positions

    def distance(self, a: Tensor, b: Tensor) -> Tensor:
        """Return the lengths of the arcs; unlike an arc cosine's, all digits count."""
        half = torch.atan2(_length(a - b), _length(a + b))
        return 2 * _RADIUS * half

    @torch.no_grad()
    def project_(self, positions: Tensor) -> None:
        """Normalise the vectors."""
        positions.copy_(torch.nn.functional.normalize(positions, dim=-1))


@dataclass(frozen=True)
class Torus:
    """The flat torus with sides of 10, which are glued to the opposite ones.

    Parameters
    ----------
    dim : int, default=2

    Examples
    --------
    >>> Torus().distance(torch.tensor([0.5, 3.0]), torch.tensor([9.5, 3.0]))
    tensor(1.)
    """

    dim: int = 2

    def __post_init__(self) -> None:
        check_count("dim", self.dim)

    @property
    def name(self) -> str:
        """The name: "torus", "torus3" and so on."""
        return "torus" if self.dim == 2 else f"torus{self.dim}"

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """Draw n uniform points, (n, dim), from 0 to 10."""
        return _uniform(n, self.dim, generator)

    def distance(self, a: Tensor, b: Tensor) -> Tensor:
        """Return the lengths of the shortest straight ways."""
        return _length(_around(a - b, _SIDE))

    @torch.no_grad()
    def project_(self, positions: Tensor) -> None:
        """Wrap the coordinates around."""
        positions.remainder_(_SIDE)


@dataclass(frozen=True)
class Klein:
    """The flat Klein bottle: a square of side 10, glued with a flip.

    A way out at the right, at (10, y), comes in at the left, at (0, 10 - y); one out at
    the top comes in below.

    Examples
    --------
    >>> Klein().distance(torch.tensor([9.5, 2.0]), torch.tensor([0.5, 8.0]))
    tensor(1.)
    """

    name: ClassVar[str] = "klein"

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """Draw n uniform points, (n, 2), from 0 to 10."""
        return _uniform(n, 2, generator)

    def distance(self, a: Tensor, b: Tensor) -> Tensor:
        """Return the shorter of the ways through an even and an odd number of flips.

        Twice around the square is the way back to the same point: the bottle is a torus
        of twice the width, of which two points are one.
        """
        across = a[..., 0] - b[..., 0]
        even = _squares(across, a[..., 1] - b[..., 1])
        odd = _squares(across - _SIDE, a[..., 1] + b[..., 1])
        return _root(torch.minimum(even, odd))

    @torch.no_grad()
    def project_(self, positions: Tensor) -> None:
        """Wrap the coordinates around, flipping at each way through the side."""
        x, y = positions[..., 0], positions[..., 1]
        flips = x.div(_SIDE).floor() % 2 == 1
        y.copy_(torch.where(flips, -y, y))
        positions.remainder_(_SIDE)


@dataclass(frozen=True)
class Euclidean:
    """The flat space, for positions that are learned.

    They begin as standard normal: within the reach of `difference_of_gaussians`, which
    has no gradient at the distances of ten times as wide a draw.

    Parameters
    ----------
    dim : int, default=3
    """

    dim: int = 3

    def __post_init__(self) -> None:
        check_count("dim", self.dim)

    @property
    def name(self) -> str:
        """The name: "r3" and so on."""
        return f"r{self.dim}"

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """Draw n points, (n, dim), each coordinate from N(0, 1)."""
        return _normal(n, self.dim, generator)

    def distance(self, a: Tensor, b: Tensor) -> Tensor:
        """Return the lengths of the differences."""
        return _length(a - b)

    def project_(self, positions: Tensor) -> None:
        """Do nothing: every position is in the space."""


@dataclass(frozen=True)
class Custom:
    """A user's own space, told by its distance.

    Parameters
    ----------
    distance : callable
        Takes two tensors of shape (..., n_coordinates), which broadcast, and returns
        the distances, (...); by operations of torch, if positions are learned.
    sampler : callable or None, default=None
        Takes a number n and a `torch.Generator` and returns positions,
        (n, n_coordinates). None where positions are given.

    Examples
    --------
    >>> line = Custom(lambda a, b: (a - b).abs().sum(-1))
    >>> pairwise_distances(line, torch.tensor([[0.0], [2.0]]))
    tensor([[0., 2.],
            [2., 0.]])
    """

    distance: Distance
    sampler: Callable[[int, torch.Generator], Tensor] | None = None
    name: ClassVar[str] = "custom"

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """Draw n points, (n, n_coordinates), by the sampler."""
        if self.sampler is None:
            raise ValueError(
                "A distance alone doesn't say where units may lie: give their "
                "positions, or Custom(distance, sampler) as the manifold."
            )
        return self.sampler(n, generator)

    def project_(self, positions: Tensor) -> None:
        """Do nothing: what leaves the space is the distance's business."""


_KNOWN: dict[str, Manifold] = {
    manifold.name: manifold
    for manifold in (
        Sphere(1),
        Klein(),
        Euclidean(3),
        Sphere(3),
        Sphere(2),
        Torus(2),
        Torus(6),
    )
}


def as_manifold(manifold: Any) -> Manifold:
    """Return a manifold, given that, its name, or a distance function.

    Raises
    ------
    ValueError
        If it is none of these; the message lists the known names.

    Examples
    --------
    >>> as_manifold("s3")
    Sphere(dim=3)
    >>> as_manifold("mobius")
    Traceback (most recent call last):
        ...
    ValueError: manifold is 'mobius'; expected 'circle', 'klein', 'r3', 's3', 'sphere',
    'torus' or 'torus6', a Manifold, or a function distance(a, b).
    """
    if isinstance(manifold, str) and manifold in _KNOWN:
        return _KNOWN[manifold]
    if not isinstance(manifold, (str, type)):
        if isinstance(manifold, Manifold):
            return manifold
        if callable(manifold):
            return Custom(manifold)
    *names, last = map(repr, sorted(_KNOWN))
    raise ValueError(
        f"manifold is {manifold!r}; expected {', '.join(names)} or {last}, a Manifold, "
        f"or a function distance(a, b).{did_you_mean(str(manifold), _KNOWN)}"
    )


def draw_positions(
    manifold: Manifold, n_units: int, generator: torch.Generator
) -> Tensor:
    """Draw where units lie.

    Returns
    -------
    Tensor of shape (n_units, n_coordinates)

    Raises
    ------
    ValueError
        If a user's own sampler returns anything else, or NaN.
    """
    positions = manifold.sample(n_units, generator)
    shape = tuple(getattr(positions, "shape", ()))
    if not isinstance(positions, Tensor) or len(shape) != 2 or shape[0] != n_units:
        raise ValueError(
            f"The sampler of {manifold.name!r} returned {type(positions).__name__} of "
            f"shape {shape}; expected a Tensor of shape ({n_units}, n_coordinates)."
        )
    if not positions.isfinite().all():
        raise ValueError(f"The sampler of {manifold.name!r} returned NaN or infinity.")
    return positions


def bring_onto_(manifold: Manifold, positions: Tensor) -> None:
    """Project positions that a user gives, in place.

    A row that has no place on the manifold, such as a zero vector, is a ValueError.

    Examples
    --------
    >>> bring_onto_(Sphere(1), torch.tensor([[3.0, 4.0], [0.0, 0.0]]))
    Traceback (most recent call last):
        ...
    ValueError: positions[1] is [0.0, 0.0], which can't be brought onto the manifold
    'circle'.
    """
    given = positions.clone()
    manifold.project_(positions)
    astray = ~positions.isfinite().all(dim=1)
    if isinstance(manifold, Sphere):
        astray |= (_length(positions) - 1).abs() > 1e-6
    for row in astray.nonzero()[:1, 0].tolist():
        raise ValueError(
            f"positions[{row}] is {given[row].tolist()}, which can't be brought onto "
            f"the manifold {manifold.name!r}."
        )


def pairwise_distances(manifold: Manifold, positions: Tensor) -> Tensor:
    """Distances between units at positions, (H, n_coordinates).

    Returns
    -------
    Tensor of shape (H, H)

    Raises
    ------
    ValueError
        If a user's own distance returns another shape, NaN or a negative number.
    """
    shape = torch.Size([len(positions)] * 2)
    distances = manifold.distance(positions[:, None], positions[None])
    source = f"The distance of {manifold.name!r}"
    return check_nonnegative(source, distances, shape, positions.dtype)


def _around(difference: Tensor, period: float) -> Tensor:
    """The shortest of the differences that are one on a circle."""
    return difference - period * (difference / period).round()


def _squares(across: Tensor, along: Tensor) -> Tensor:
    """Squared length on the torus that covers the Klein bottle twice."""
    return _around(across, 2 * _SIDE).square() + _around(along, _SIDE).square()


def _length(vectors: Tensor) -> Tensor:
    return _root(vectors.square().sum(-1))


def _root(squares: Tensor) -> Tensor:
    """Square root whose gradient at 0 is 0."""
    positive = squares > 0
    return torch.where(positive, squares, 1.0).sqrt() * positive


def _normal(n: int, dim: int, generator: torch.Generator) -> Tensor:
    return torch.randn(n, dim, generator=generator, dtype=torch.float64)


def _uniform(n: int, dim: int, generator: torch.Generator) -> Tensor:
    return _SIDE * torch.rand(n, dim, generator=generator, dtype=torch.float64)
