"""Which units of a network on a manifold are still linked, as a picture."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skrational.inspection.drawing.artists import set_text
from skrational.inspection.drawing.captions import fit, room
from skrational.inspection.drawing.charts import Chart, chart
from skrational.inspection.model import open_any_model
from skrational.structures import MaskStructure
from skrational.utils.checks import check_count
from skrational.utils.figures import COLOURS, GREY, check_drawable, is_dark, new_axes

__all__ = ["ManifoldDisplay"]

_FIGSIZE = 9.6, 4.9
_FONT_SIZE, _TITLE_SIZE = 8.0, 10.0
_POSITIVE, _NEGATIVE, _LEFT, _GONE = *COLOURS[:3], GREY
_N_BINS = 40
_THINNEST, _WIDEST = 0.4, 2.2
_PALEST, _FIRMEST = 0.15, 0.9
_OF_NO_WEIGHT = 0.4
_FILL = 0.35
_LARGE = 0.95
"""From this quantile on, weights look alike."""

_FEW_LINKS = 200
"""Up to so many links, none needs to be thin or pale."""

_HANDLES = 16
"""Characters that a legend's two handles take the room of."""


class ManifoldDisplay:
    """Draw the recurrent weights that pruning left between units on a manifold.

    On the left is a map of the units, with a line for each pair of units that is still
    linked; a ring is a unit linked to itself, a hollow point one whose state never
    reaches the readout. On the right are the distances of the weights that are left and
    of those that are gone, as densities: if geometry has decided, they differ.

    The torus and the Klein bottle are unrolled into a square; its arrows say which
    sides are glued, and which way round. Links take the shortest way there, on a sphere
    along great circles, and on a circle they bend inwards. The sphere is seen from far
    away (orthographic projection), which keeps short links short, and its back is pale;
    other spaces are projected on their two principal coordinates, a torus of more
    dimensions on its first two.

    Parameters
    ----------
    structure : MaskStructure
        An estimator's ``learned_structure_``.
    weights : array-like of shape (n_rows, H), default=None
        The recurrent matrix: the larger a weight, the wider and darker its line, blue
        if it is positive and vermilion if negative; of a gated network that of the
        largest of a pair's gates. None: all lines are alike.
    max_links : int, default=2000
        Links that are drawn at most, the largest weights; without weights links from
        all over the matrix.

    Attributes
    ----------
    axes_ : ndarray of shape (2,)
        The matplotlib Axes of the map and of the histogram.
    figure_ : matplotlib Figure
    links_ : LineCollection
        Links between two units; one that is cut, or half hidden, has several lines.
    drawn_ : ndarray of shape (n_drawn, 2)
        Sources and targets of the links that are drawn, the strongest last.
    units_ : PathCollection

    Raises
    ------
    TypeError
        If the structure is something else.
    ValueError
        If the structure has no positions, or the weights aren't of the shape of its
        mask, or ``max_links`` isn't a positive integer.

    References
    ----------
    Mackey, Schizas, Deighton, Boothe, Maroulas (2024), "Geometric sparsification in
    recurrent neural networks", arXiv:2406.06290, section 2.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> structure = MaskStructure(
    ...     {"W_ih": np.ones((3, 2), bool), "W_hh": np.eye(3, k=1, dtype=bool),
    ...      "A": np.ones((1, 3), bool)},
    ...     positions=[[9, 5], [1, 5], [1, 7]],
    ...     distances=[[0, 2, 8**0.5], [2, 0, 2], [8**0.5, 2, 0]], manifold="torus",
    ... )
    >>> display = ManifoldDisplay(structure).plot(Figure().subplots(ncols=2))
    >>> display.drawn_.tolist()
    [[1, 0], [2, 1]]
    >>> len(display.links_.get_paths())  # one link goes round
    3
    """

    def __init__(
        self,
        structure: MaskStructure,
        weights: ArrayLike | None = None,
        *,
        max_links: int = 2000,
    ) -> None:
        if not isinstance(structure, MaskStructure):
            raise TypeError(
                f"structure is a {type(structure).__name__}; expected a MaskStructure, "
                "such as the learned_structure_ of a ModuliRNNClassifier. GateDisplay "
                "draws a GatedStructure, StructureDisplay a RationalStructure."
            )
        if structure.positions is None:
            raise ValueError(
                "structure has no positions; expected units that lie on a manifold."
            )
        self.structure = structure
        self.weights = None if weights is None else np.array(weights, float)
        shape = structure.mask.shape
        if self.weights is not None and self.weights.shape != shape:
            raise ValueError(
                f"weights has shape {self.weights.shape}; expected {shape}."
            )
        self.max_links = check_count("max_links", max_links)

    def plot(self, axes: Any = None) -> ManifoldDisplay:
        """Draw the map and, beside it, the histogram.

        Parameters
        ----------
        axes : sequence of two matplotlib Axes, default=None
            For the map and for the histogram; what is there stays. They look best in a
            figure of ``layout="constrained"``, about 4.5 inches wide and high each:
            text is broken so that it is no wider than they, but small axes of another
            layout may be too low for its lines. None makes a new figure.

        Returns
        -------
        ManifoldDisplay

        Raises
        ------
        ValueError
            If there are too many units to draw, or not two axes.
        ImportError
            If matplotlib isn't installed.
        """
        check_drawable(self.structure.n_units_initial, "units")
        if axes is None:
            axes = new_axes(
                ncols=2,
                figsize=_FIGSIZE,
                layout="constrained",
                width_ratios=(1.1, 1),
            )
        elif np.size(axes) != 2:
            raise ValueError(f"axes holds {np.size(axes)} Axes; expected two.")
        self.axes_ = np.ravel(axes)
        self.figure_ = self.axes_[0].figure
        self._draw_map(self.axes_[0])
        self._draw_histogram(self.axes_[1])
        return self

    @classmethod
    def from_estimator(
        cls, estimator: Any, *, max_links: int = 2000, axes: Any = None
    ) -> ManifoldDisplay:
        """Draw what is left of a fitted estimator, with its recurrent weights.

        Parameters
        ----------
        estimator : ModuliRNNClassifier, or an estimator that holds one
            A fitted classifier or regressor, a pipeline that ends with one, or a search
            or another wrapper around either, as `explain` takes it.
        max_links : int, default=2000
            As for the display.
        axes : sequence of two matplotlib Axes, default=None
            As for `plot`.

        Returns
        -------
        ManifoldDisplay

        Raises
        ------
        NotFittedError
            If the estimator isn't fitted.
        TypeError
            If the estimator holds no such estimator.
        ValueError
            If its units have no positions, or there are too many to draw.
        ImportError
            If matplotlib isn't installed.
        """
        inner = open_any_model(estimator, ("n_links_",)).classifier
        weights = inner.weights_["W_hh"]
        return cls(inner.learned_structure_, weights, max_links=max_links).plot(axes)

    def _strengths(self) -> NDArray[np.float64]:
        """Largest weight of each pair's gates, 0 where none is left: (H, H)."""
        n = self.structure.n_units_initial
        left = self.structure.mask.astype(float)
        if self.weights is not None:
            left *= self.weights
        gates = left.reshape(-1, n, n)
        largest = np.abs(gates).argmax(axis=0)
        return np.take_along_axis(gates, largest[None], axis=0)[0]

    def _draw_map(self, ax: Any) -> None:
        structure = self.structure
        assert structure.positions is not None
        sheet = chart(structure.positions, structure.manifold)
        weights = self._strengths()
        gates = structure.mask.reshape(-1, *weights.shape)
        linked: NDArray[np.bool_] = np.logical_or.reduce(gates, axis=0)
        targets, sources = np.nonzero(linked & ~np.eye(len(weights), dtype=bool))
        chosen = self._chosen(weights[targets, sources])
        targets, sources = targets[chosen], sources[chosen]
        self.drawn_ = np.stack([sources, targets], axis=1)
        _draw_outline(ax, sheet)
        self._draw_links(ax, sheet, weights[targets, sources])
        self._draw_units(ax, sheet, linked.diagonal())
        self._write(ax, sheet, linked)

    def _chosen(self, weights: NDArray[np.float64]) -> NDArray[np.intp]:
        """Places of the links to draw, the strongest last."""
        if self.weights is None and len(weights) > self.max_links:
            spread = np.linspace(0, len(weights) - 1, self.max_links)
            return spread.astype(np.intp)
        return np.argsort(np.abs(weights), kind="stable")[-self.max_links :]

    def _draw_links(self, ax: Any, sheet: Chart, weights: NDArray[np.float64]) -> None:
        from matplotlib.collections import LineCollection
        from matplotlib.colors import to_rgb

        lines = sheet.draw_links(*self.drawn_.T)
        sizes = self._sizes(weights)
        crowding = min(1.0, _FEW_LINKS / max(len(weights), 1)) ** 0.25
        widths = _THINNEST + (_WIDEST - _THINNEST) * sizes
        alphas = crowding * (_PALEST + (_FIRMEST - _PALEST) * sizes)
        shades = _seen(ax, alphas[lines.owners] * lines.shades)
        signs = np.where(weights[:, None] < 0, to_rgb(_NEGATIVE), to_rgb(_POSITIVE))
        self.links_ = ax.add_collection(
            LineCollection(
                lines.pieces,
                colors=np.column_stack([signs[lines.owners], shades]),
                linewidths=crowding * widths[lines.owners],
                capstyle="butt",
                zorder=1,
            )
        )

    def _sizes(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """How large links look, 0 to 1: a few huge weights mustn't dwarf all others."""
        if self.weights is None or not len(weights):
            return np.full(len(weights), _OF_NO_WEIGHT)
        large = np.quantile(np.abs(weights), _LARGE) or 1.0
        return np.minimum(np.abs(weights) / large, 1.0)

    def _draw_units(self, ax: Any, sheet: Chart, loops: NDArray[np.bool_]) -> None:
        from matplotlib import rcParams
        from matplotlib.colors import to_rgba

        ink = np.array(to_rgba(rcParams["text.color"]))
        edges = np.tile(ink, (len(sheet.points), 1))
        edges[:, 3] = sheet.shades
        faces = edges.copy()
        reaches = np.zeros(len(faces), bool)
        reaches[list(self.structure.units)] = True
        faces[~reaches] = 0
        size = float(np.clip(1600 / len(faces), 2, 16))
        x, y = sheet.points.T
        look: dict[str, Any] = {"zorder": 2, "clip_on": False, "linewidths": 0.6}
        self.units_ = ax.scatter(x, y, s=size, c=faces, edgecolors=edges, **look)
        rings = {"facecolors": "none", "edgecolors": edges[loops]}
        ax.scatter(x[loops], y[loops], s=5 * size, **rings, **look)

    def _write(self, ax: Any, sheet: Chart, linked: NDArray[np.bool_]) -> None:
        """Say what is to be seen, and how much of it is drawn."""
        structure = self.structure
        share = (
            f"{100 * structure.density:.3g} % of {structure.n_links_initial:,} "
            "recurrent weights are left"
        )
        lines = share, sheet.title
        fits = max(map(len, lines)) <= room(ax, _TITLE_SIZE)[0]
        size = _TITLE_SIZE if fits else _FONT_SIZE
        across, up = room(ax, _FONT_SIZE)
        title = lines if fits else [fit([line], across) for line in lines]
        set_text(ax.set_title(" ", fontsize=size), "\n".join(title))
        n_loops = int(linked.trace())
        n_drawn, n_pairs = len(self.drawn_), int(linked.sum()) - n_loops
        which = "strongest " if self.weights is not None else ""
        drawn = f"{n_drawn:,} linked pairs of units"
        if n_drawn < n_pairs:
            drawn = f"the {n_drawn:,} {which}of {n_pairs:,} linked pairs of units"
        caption = [drawn]
        if self.weights is not None:
            caption.append("blue: positive, vermilion: negative")
        if n_loops:
            caption.append("ring: linked to itself")
        if structure.n_units < structure.n_units_initial:
            caption.append("hollow: never reaches the readout")
        x_label = "\n".join(filter(None, [sheet.labels[0], fit(caption, across)]))
        ax.set_xlabel(x_label, fontsize=_FONT_SIZE)
        ax.set_ylabel(fit([sheet.labels[1]], up), fontsize=_FONT_SIZE)

    def _draw_histogram(self, ax: Any) -> None:
        structure = self.structure
        if structure.distances is None:
            ax.set_axis_off()
            return
        left, gone = structure.link_distances()
        groups = ("left", left, _LEFT), ("gone", gone, _GONE)
        bins = np.linspace(0, float(structure.distances.max()) or 1.0, _N_BINS + 1)
        fill = float(_seen(ax, _FILL))
        labels = []
        for name, distances, colour in groups:
            if not len(distances):
                continue
            labels.append(
                f"{name}: {len(distances):,}, mean {distances.mean(dtype=float):.3g}"
            )
            look = {"histtype": "stepfilled", "facecolor": (colour, fill)}
            ax.hist(distances, bins, density=True, label=labels[-1], ec=colour, **look)
        across, up = room(ax, _FONT_SIZE)
        x_label = ["distance of two units"]
        if structure.inhibitor not in (None, "custom"):
            x_label.append(f'inhibitor: "{structure.inhibitor}"')
        set_text(ax.set_xlabel(" ", fontsize=_FONT_SIZE), fit(x_label, across))
        ax.set_ylabel(fit(["density of recurrent weights"], up), fontsize=_FONT_SIZE)
        ax.tick_params(labelsize=_FONT_SIZE)
        place: dict[str, Any] = {"loc": "lower center", "bbox_to_anchor": (0.5, 1)}
        place["ncols"] = 2 if sum(map(len, labels)) + _HANDLES <= across else 1
        place |= {"borderpad": 0.2, "labelspacing": 0.2}
        ax.legend(fontsize=_FONT_SIZE, frameon=False, **place)


def _seen(ax: Any, opacity: Any) -> Any:
    """Make opacities that suit a light ground suit that of the axes.

    Mixed with black, a colour is lost sooner than with white.
    """
    return np.sqrt(opacity) if is_dark(ax) else opacity


def _draw_outline(ax: Any, sheet: Chart) -> None:
    """Prepare the map's axes: what the points lie in, and which sides are glued."""
    from matplotlib import rcParams

    ink = rcParams["text.color"]
    ax.tick_params(labelsize=_FONT_SIZE)
    is_line = not sheet.outline and not sheet.labels[1]
    if is_line:
        ax.set_yticks([])
        ax.margins(y=0.5)
    # Constrained layout wouldn't know of limits that change when all is drawn.
    ax.set_aspect("auto" if is_line else "equal", adjustable="box")
    if not sheet.outline:
        return
    ax.set(xticks=[], yticks=[])
    ax.margins(0.03)
    ax.spines[:].set_visible(False)
    for line in sheet.outline:
        ax.plot(*line.T, color=GREY, linewidth=0.8, zorder=0, clip_on=False)
    for k, (start, end) in enumerate(sheet.arrows):
        # The first two arrows are one pair of sides, with one head each.
        for place in (0.5,) if k < 2 else (0.49, 0.52):
            tip = start + place * (end - start)
            arrow = {"arrowstyle": "->", "color": ink, "linewidth": 1.2}
            ax.annotate("", tip, tip - 0.02 * (end - start), arrowprops=arrow)
