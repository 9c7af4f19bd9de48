"""The figure of figure3: a panel for each set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import _figure3_plan as plans

COLORS = {"end": "#0072B2", "anywhere": "#D55E00"}
"""Of Okabe and Ito, who chose them to be told apart by everyone."""
LINEAR = "#555555"
MARKERS = dict(zip(plans.BASELINES, "ovs^D", strict=True))


def draw_figure(runs: Any, path: Path) -> None:
    """Baselines as single markers, paths at their goals as lines."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    sets = runs.sets
    n_rows = -(-(len(sets) + 1) // 3)
    figure, axes = plt.subplots(
        n_rows, 3, figsize=(10, 3.2 * n_rows), layout="constrained", squeeze=False
    )
    for axis, set_ in zip(axes.flat, sets, strict=False):
        draw_panel(axis, runs, set_)
    for axis in axes[:, 0]:
        axis.set_ylabel("test accuracy")
    labels = axes[0, 0].get_legend_handles_labels()
    for axis in axes.flat[len(sets) :]:
        axis.axis("off")
    axes.flat[len(sets)].legend(*labels, loc="center left", fontsize="small")
    figure.savefig(path, dpi=150)
    plt.close(figure)


def draw_panel(axis: Any, runs: Any, set_: str) -> None:
    for readout in plans.READOUTS:
        values = {"set": set_, "readout": readout}
        points = [
            moments(runs, method=plans.PATH, goal=goal, **values)
            for goal in (*(f"<={limit}" for limit in plans.LIMITS[1:]), *plans.GOALS)
        ]
        style = {"color": COLORS[readout], "markersize": 5, "capsize": 2, "lw": 1.4}
        draw_points(axis, points, style | {"fmt": ".-"}, f"path, read {where(readout)}")
        for method, marker in MARKERS.items():
            baseline = [moments(runs, method=method, **values)]
            style |= {"fmt": marker, "markerfacecolor": "white"}
            draw_points(axis, baseline, style, f"{method}, read {where(readout)}")
    tfidf = runs.mean("test", set=set_, method=plans.TFIDF)
    axis.axhline(tfidf, color=LINEAR, ls="--", lw=1, label="TF-IDF(1,2) + LR")
    axis.set(title=set_, xlabel="transitions")


def where(readout: str) -> str:
    return {"end": "at the end", "anywhere": "anywhere"}[readout]


def moments(runs: Any, **values: Any) -> tuple[float, ...]:
    """Mean and standard deviation of sizes, then of accuracies."""
    names = ("n_transitions", "test")
    return tuple(
        f(name, **values) for name in names for f in (runs.mean, runs.deviation)
    )


def draw_points(
    axis: Any, points: list[Any], style: dict[str, Any], label: str
) -> None:
    # Two goals may stand for nearly the same model: a line runs from small to large.
    known = sorted(point for point in points if np.isfinite(point).all())
    x, dx, y, dy = np.array(known or [(np.nan,) * 4]).T
    axis.errorbar(x, y, dy, dx, label=label, elinewidth=0.7, **style)
