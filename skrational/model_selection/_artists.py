"""Curves, bars and axes for displays, in matplotlib."""

from __future__ import annotations

from collections.abc import Container
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skrational.utils.figures import COLOURS, GREY

__all__ = [
    "add_legend",
    "curve_look",
    "draw_baseline",
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
    sizes: NDArray[np.floating],
    scores: NDArray[np.floating],
    look: dict[str, Any],
) -> tuple[Any, NDArray[np.intp]]:
    """Draw means and standard deviations; return them and how many runs count.

    Parameters
    ----------
    ax : matplotlib Axes
    name : str
    sizes, scores : ndarray of shape (n_runs, n_lambdas)
    look : dict
        Passed on to ``Axes.errorbar``.
    """
    there = ~np.isnan(sizes) & ~np.isnan(scores)
    n_runs = there.sum(axis=0)
    (x, x_std), (y, y_std) = (_mean_std(v, there) for v in (sizes, scores))
    look = {"markersize": 5, "linewidth": 1.5, "elinewidth": 0.9, **look}
    errorbar = ax.errorbar(x, y, y_std, x_std, label=name or None, **look)
    for position in np.flatnonzero((n_runs > 0) & (n_runs < len(sizes))):
        ax.annotate(
            f"{n_runs[position]} of {len(sizes)}",
            (x[position], y[position]),
            xytext=(4, -10),
            textcoords="offset points",
            fontsize="x-small",
            color=look["color"],
        )
    return errorbar, n_runs


def _mean_std(
    values: NDArray[np.floating], there: NDArray[np.bool_]
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Mean and standard deviation (ddof=1) over the runs that are there."""
    n = there.sum(axis=0)
    values = np.where(there, values, 0.0)
    mean = np.divide(values.sum(axis=0), n, out=np.full(n.shape, np.nan), where=n > 0)
    squares = np.where(there, (values - mean) ** 2, 0.0).sum(axis=0)
    # A single run has no spread to show.
    return mean, np.sqrt(squares / np.maximum(n - 1, 1))


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
