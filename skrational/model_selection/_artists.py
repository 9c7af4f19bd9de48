"""Curves, bars and axes for displays, in matplotlib."""

from __future__ import annotations

from collections.abc import Container
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skrational.model_selection._curves import Means
from skrational.utils.figures import COLOURS, GREY, is_dark

__all__ = [
    "add_legend",
    "curve_look",
    "draw_baseline",
    "draw_chosen",
    "draw_curve",
    "prepare_axes",
]

# As many as make 42 curves differ, together with the colours.
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")
_DASHES = ("--", ":", "-.")
_STARS = ("*", "p", "h")
# Powers of two are too few ticks if the largest size is less than so many times the
# smallest.
_FEW_TICKS = 6


def prepare_axes(ax: Any, log: bool, size_label: str, score_label: str) -> None:
    """Label the axes; sizes are plain integers.

    Parameters
    ----------
    ax : matplotlib Axes
    log : bool
        Whether sizes are on a logarithmic axis.
    size_label, score_label : str
    """
    from matplotlib.ticker import LogLocator, MaxNLocator

    def whole(size: float, _: int) -> str:
        return f"{size:.0f}" if size == round(size) else ""

    def whole_if_few(size: float, _: int) -> str:
        low, high = ax.get_xlim()
        return whole(size, _) if high < _FEW_TICKS * low else ""

    if log:
        ax.set_xscale("log", base=2)
        ax.xaxis.set_major_locator(LogLocator(base=2, numticks=12))
        ax.xaxis.set_minor_locator(LogLocator(base=2, subs=(1.25, 1.5, 1.75)))
        ax.xaxis.set_minor_formatter(whole_if_few)
        ax.tick_params(axis="x", which="minor", pad=5)  # level with the major labels
    else:
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.xaxis.set_major_formatter(whole)
    ax.set(xlabel=size_label, ylabel=score_label)
    ax.grid(alpha=0.25)


def curve_look(i: int) -> dict[str, Any]:
    """Colour and marker of the i-th curve."""
    return {
        "color": COLOURS[i % len(COLOURS)],
        "marker": _MARKERS[i % len(_MARKERS)],
    }


def draw_curve(
    ax: Any,
    name: str,
    means: Means,
    line: NDArray[np.intp],
    look: dict[str, Any],
) -> tuple[Any, Any, Any]:
    """Draw means with their deviations and errors.

    Parameters
    ----------
    ax : matplotlib Axes
    name : str
    means : Means
    line : ndarray of shape (n_points,), integer
        Positions that the line goes through; the others are faint points.
    look : dict
        Passed on to ``Axes.errorbar``.

    Returns
    -------
    errorbar : ErrorbarContainer
    band : PolyCollection
    others : Line2D
    """
    look = {"markersize": 5, "linewidth": 1.5, "elinewidth": 0.9, **look}
    x, y = means.x[line], means.y[line]
    deviations = means.y_std[line], means.x_std[line]
    errorbar = ax.errorbar(x, y, *deviations, label=name or None, **look)
    colour, error = errorbar.lines[0].get_color(), means.y_error[line]
    band = {"color": colour, "alpha": 0.4 if is_dark(ax) else 0.18, "linewidth": 0}
    filled = ax.fill_between(x, y - error, y + error, **band)
    rest = np.setdiff1d(np.flatnonzero(~np.isnan(means.x)), line)
    faint = {"color": colour, "alpha": 0.35, "linestyle": "none"}
    faint["marker"], faint["markersize"] = look.get("marker", "o"), look["markersize"]
    (others,) = ax.plot(means.x[rest], means.y[rest], **faint)
    n_runs = means.n_runs
    for position in np.flatnonzero((n_runs > 0) & (n_runs < means.most)):
        ax.annotate(
            f"{n_runs[position]} of {means.most}",
            (means.x[position], means.y[position]),
            xytext=(4, -10),
            textcoords="offset points",
            fontsize="x-small",
            color=colour,
        )
    return errorbar, filled, others


def draw_chosen(ax: Any, x: float, y: float, label: str | None) -> Any:
    """Draw a ring around a point, in the colour of text.

    Parameters
    ----------
    ax : matplotlib Axes
    x, y : float
    label : str or None
        For the legend.
    """
    from matplotlib import rcParams

    look: dict[str, Any] = {"marker": "o", "markersize": 13, "fillstyle": "none"}
    look |= {"linestyle": "none", "color": rcParams["text.color"]}
    return ax.plot([x], [y], markeredgewidth=1.6, label=label, zorder=5, **look)[0]


def draw_baseline(ax: Any, i: int, label: str, values: tuple[float, ...]) -> Any:
    """Draw a score as a line, or a score at a size as a marker.

    Parameters
    ----------
    ax : matplotlib Axes
    i : int
        Its place among the baselines.
    label : str
    values : tuple of float
        (score,), (size, score), or these with their standard deviations.
    """
    if len(values) == 1:
        dashes = _DASHES[i % len(_DASHES)]
        return ax.axhline(values[0], color=GREY, lw=1.2, ls=dashes, label=label)
    x, y, *spread = values
    x_std, y_std = spread or (None, None)
    return ax.errorbar(
        x,
        y,
        y_std,
        x_std,
        label=label,
        linestyle="none",
        color=GREY,
        marker=_STARS[i % len(_STARS)],
        markersize=9,
        elinewidth=0.9,
    )


def add_legend(ax: Any, last: Container[str]) -> None:
    """Add a legend if anything has a label; those in ``last`` come last."""
    named = list(zip(*ax.get_legend_handles_labels(), strict=True))
    if named:
        # Matplotlib's own order would put lines without markers first.
        named.sort(key=lambda pair: pair[1] in last)
        ax.legend(*zip(*named, strict=True), frameon=False)
