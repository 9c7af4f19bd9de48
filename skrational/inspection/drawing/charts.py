"""Maps of manifolds: where their points are on a page, and how a link runs there.

The torus and the Klein bottle are unrolled into a square whose opposite sides are
glued; a link takes the shortest way, and is cut where that crosses a side. A circle is
a circle, whose links bend inwards, so that short ones can be seen, too. The sphere is
seen from far away (orthographic), its links along great circles and pale at the back.
Anything else is projected: on its two principal coordinates or, of a torus of more
dimensions, on the first two.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["Chart", "Lines", "chart"]

_SIDE = 10.0
"""Length of each side of a torus and of the Klein bottle."""

_PALE = 0.25
_N_STEPS = 24

Points: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class Lines:
    """Links as polylines.

    Attributes
    ----------
    pieces : list of ndarray of shape (n, 2)
    owners : ndarray of shape (n_pieces,)
        The number of each piece's link.
    shades : ndarray of shape (n_pieces,)
        How strongly to draw it, 0 to 1.
    """

    pieces: list[Points]
    owners: NDArray[np.intp]
    shades: Points


@dataclass(frozen=True)
class Chart:
    """A map of units.

    Attributes
    ----------
    points : ndarray of shape (H, 2)
    shades : ndarray of shape (H,)
        How strongly to draw each point, 0 to 1.
    draw_links : callable
        From sources and targets, arrays of shape (n_links,), to Lines.
    title : str
        What is to be seen.
    labels : tuple of (str, str)
        Of the axes; empty where coordinates mean nothing.
    outline : list of ndarray of shape (n, 2)
        What the points lie in.
    arrows : list of (point, point)
        Sides that are glued, each with its direction.
    """

    points: Points
    shades: Points
    draw_links: Callable[[NDArray[np.intp], NDArray[np.intp]], Lines]
    title: str
    labels: tuple[str, str] = ("", "")
    outline: list[Points] = field(default_factory=list)
    arrows: list[tuple[Any, Any]] = field(default_factory=list)


def chart(positions: NDArray[np.floating], manifold: str | None) -> Chart:
    """Map units by the manifold that they lie on.

    Parameters
    ----------
    positions : ndarray of shape (H, d)
    manifold : str or None
        "circle", "sphere", "klein" and names that begin with "torus" have maps of their
        own; anything else is projected.

    Returns
    -------
    Chart

    Examples
    --------
    >>> lines = chart(np.array([[9.0, 5.0], [1.0, 5.0]]), "torus").draw_links(
    ...     np.array([0]), np.array([1])
    ... )
    >>> [piece.tolist() for piece in lines.pieces]
    [[[9.0, 5.0], [10.0, 5.0]], [[0.0, 5.0], [1.0, 5.0]]]
    """
    points: Points = np.asarray(positions, np.float64)
    name, n_dimensions = manifold or "", points.shape[1]
    if re.fullmatch(r"torus\d*", name) and n_dimensions == 1:
        angles = 2 * np.pi * points[:, 0] / _SIDE
        return _circle(np.stack([np.cos(angles), np.sin(angles)], axis=1))
    if re.fullmatch(r"torus\d*", name) or (name == "klein" and n_dimensions == 2):
        return _square(points, flipped=name == "klein")
    if name == "circle" and n_dimensions == 2:
        return _circle(points)
    if name == "sphere" and n_dimensions == 3:
        return _globe(points)
    return _plane(points, name)


def _square(positions: Points, *, flipped: bool) -> Chart:
    """Unroll a torus, or a Klein bottle, whose left side is glued upside down."""
    n_dimensions = positions.shape[1]
    cells = np.floor(positions[:, :2] / _SIDE)
    points = _into_square(positions[:, :2], cells, flipped=flipped)
    corners = _SIDE * np.array([[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]], float)
    left = (corners[3], corners[0]) if flipped else (corners[0], corners[3])
    glued = [(corners[0], corners[1]), (corners[3], corners[2])]
    title = "Klein bottle, unrolled" if flipped else "torus, unrolled"
    labels = ("coordinate 1", "coordinate 2")
    if n_dimensions > 2:
        title = f"{n_dimensions}-torus, first two coordinates"
        labels = tuple(f"{label} of {n_dimensions}" for label in labels)  # type: ignore
    return Chart(
        points,
        np.ones(len(points)),
        lambda sources, targets: _cut(points[sources], points[targets], flipped),
        title,
        labels,
        [corners],
        [*glued, left, (corners[1], corners[2])],
    )


def _into_square(points: Points, cells: Points, *, flipped: bool) -> Points:
    """Bring points of other copies of the square, which tile the plane, into it.

    Parameters
    ----------
    points, cells : ndarrays of shape (n, 2)
        Points, and by how many squares their copy is to the right and above.
    flipped : bool
        Whether every second copy to the right is upside down.
    """
    inside = points - _SIDE * cells
    if flipped:
        upside_down = cells[:, 0] % 2 == 1
        inside[upside_down, 1] = _SIDE - inside[upside_down, 1]
    return inside


def _nearest_copy(starts: Points, ends: Points, flipped: bool) -> Points:
    """Return the copies of ends, in the plane of squares, nearest to the starts."""
    steps = np.array([(i, j) for i in (0, -1, 1) for j in (0, -1, 1)], float)
    copies = np.repeat(ends[None], len(steps), axis=0)
    if flipped:
        upside_down = steps[:, 0] != 0
        copies[upside_down, :, 1] = _SIDE - copies[upside_down, :, 1]
    copies += _SIDE * steps[:, None]
    nearest = np.linalg.norm(copies - starts, axis=2).argmin(axis=0)
    return copies[nearest, np.arange(len(ends))]


def _cut(starts: Points, ends: Points, flipped: bool) -> Lines:
    """Draw the shortest ways in the square, cut where they cross its sides.

    Parameters
    ----------
    starts, ends : ndarrays of shape (n_links, 2)
    flipped : bool
    """
    ways = _nearest_copy(starts, ends, flipped) - starts
    sides = _SIDE * (ways > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        crossings = (sides - starts) / ways
    crossings = np.where((crossings > 0) & (crossings < 1), crossings, 1.0)
    n = len(starts)
    bounds = np.column_stack([np.zeros(n), np.sort(crossings, axis=1), np.ones(n)])
    owners, parts = np.nonzero(np.diff(bounds, axis=1) > 0)
    first, last = bounds[owners, parts], bounds[owners, parts + 1]
    a, b = (starts[owners] + t[:, None] * ways[owners] for t in (first, last))
    cells = np.floor((a + b) / 2 / _SIDE)
    pieces = [_into_square(p, cells, flipped=flipped) for p in (a, b)]
    return Lines([*np.stack(pieces, axis=1)], owners, np.ones(len(owners)))


def _circle(positions: Points) -> Chart:
    """Draw links as circular arcs would meet the circle, at a right angle.

    These are the geodesics of the Poincare disk, by a parabola through their middle.
    """
    points = positions / np.linalg.norm(positions, axis=1, keepdims=True)

    def draw(sources: NDArray[np.intp], targets: NDArray[np.intp]) -> Lines:
        a, b = points[sources], points[targets]
        middle = (a + b) / 2
        cosine = np.linalg.norm(middle, axis=1, keepdims=True)
        half = np.arccos(np.clip(cosine, 0, 1))
        depth = np.tan(np.pi / 4 - half / 2)
        with np.errstate(divide="ignore", invalid="ignore"):
            outwards = np.where(cosine > 0, middle / cosine, 0.0)
        return _parabolas(a, outwards * (2 * depth - cosine), b)

    angles = np.linspace(0, 2 * np.pi, 201)
    ring = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return Chart(points, np.ones(len(points)), draw, "circle", outline=[ring])


def _globe(positions: Points) -> Chart:
    """Look at a sphere from far away, along its third coordinate."""
    points = positions / np.linalg.norm(positions, axis=1, keepdims=True)

    def draw(sources: NDArray[np.intp], targets: NDArray[np.intp]) -> Lines:
        return _great_circles(points[sources], points[targets])

    angles = np.linspace(0, 2 * np.pi, 201)
    ring = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    shades = np.where(points[:, 2] >= 0, 1.0, _PALE)
    title = "sphere, seen from far away: the back is pale"
    return Chart(points[:, :2], shades, draw, title, outline=[ring])


def _great_circles(a: Points, b: Points) -> Lines:
    """Draw arcs between points on the unit sphere, those at the back by themselves.

    Parameters
    ----------
    a, b : ndarrays of shape (n_links, 3)
    """
    t = np.linspace(0, 1, _N_STEPS)[:, None]
    pieces, owners, shades = [], [], []
    for i, (start, end) in enumerate(zip(a, b, strict=True)):
        across = end - (end @ start) * start
        length = np.linalg.norm(across)
        angle = np.arctan2(length, end @ start)
        across = across / (length or 1.0)
        arc = np.cos(t * angle) * start + np.sin(t * angle) * across
        is_near = arc[:, 2] >= 0
        borders = [0, *(np.flatnonzero(np.diff(is_near)) + 1), _N_STEPS]
        for first, stop in pairwise(borders):
            pieces.append(arc[first : stop + 1, :2])
            owners.append(i)
            shades.append(1.0 if is_near[first] else _PALE)
    return Lines(pieces, np.array(owners, np.intp), np.array(shades, float))


def _plane(positions: Points, name: str) -> Chart:
    """Project on the two coordinates along which the points are spread most."""
    n_dimensions = positions.shape[1]
    points, title = positions, _spoken(name, n_dimensions)
    labels = ("coordinate 1", "coordinate 2")
    if n_dimensions == 1:
        points = np.column_stack([points, np.zeros(len(points))])
        labels = ("coordinate", "")
    elif n_dimensions > 2:
        centred = points - points.mean(axis=0)
        axes = np.linalg.svd(centred, full_matrices=False)[2]
        points = centred @ axes[:2].T
        labels = ("1st principal coordinate", "2nd principal coordinate")
        title += ", projected on two"
    if points.shape[1] == 1:  # a single unit in many dimensions
        points = np.column_stack([points, np.zeros(len(points))])

    def draw(sources: NDArray[np.intp], targets: NDArray[np.intp]) -> Lines:
        a, b = points[sources], points[targets]
        if n_dimensions > 1:
            n = len(sources)
            return Lines([*np.stack([a, b], axis=1)], np.arange(n), np.ones(n))
        # Those to the right run above the line, those to the left below.
        up = np.stack([np.zeros(len(a)), b[:, 0] - a[:, 0]], axis=1)
        return _parabolas(a, (a + b) / 2 + up, b)

    return Chart(points, np.ones(len(points)), draw, title, labels)


def _spoken(name: str, n_dimensions: int) -> str:
    """Say what a map shows that has no form of its own."""
    space = {1: "a line", 2: "a plane"}.get(n_dimensions, f"{n_dimensions} dimensions")
    if not name:
        return space
    if name == f"r{n_dimensions}":
        return space if n_dimensions < 3 else f"space of {space}"
    sphere = n_dimensions - 1
    what = f"{sphere}-sphere" if name == f"s{sphere}" else f"{name} manifold"
    return f"{what} in {space}"


def _parabolas(a: Points, control: Points, b: Points) -> Lines:
    """Draw the quadratic Bezier curves of three points, each (n_links, 2)."""
    t = np.linspace(0, 1, _N_STEPS)[:, None]
    a, control, b = (points[:, None] for points in (a, control, b))
    curves = (1 - t) ** 2 * a + 2 * t * (1 - t) * control + t**2 * b
    n = len(curves)
    return Lines([*curves], np.arange(n), np.ones(n))
