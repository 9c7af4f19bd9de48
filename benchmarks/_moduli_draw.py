"""The figure of the moduli benchmark: how well networks do, over their sparsity."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._moduli_plan import ARMS, DENSE, NONE
from benchmarks._moduli_report import Results, standard_error

LIGHT = ("#0072B2", "#56B4E9", "#009E73", "#CC79A7", "#D55E00", "#E69F00", "#882255")
"""Of Okabe and Ito, and one of Tol, for arms with geometry."""
THEMES = {
    "moduli.png": ("white", "black", "#777777"),
    "moduli_dark.png": ("#14181e", "#ced6dd", "#9aa4ad"),
}
"""Of each file the ground, the ink, and the colour of the controls."""
DASHES = {"permuted": "--", "L1": ":", "L1, prox": (0, (1, 4)), NONE: "-."}


def draw_figure(results: Results, folder: Path) -> None:
    """A panel for each task, light and dark."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    for name, (ground, ink, grey) in THEMES.items():
        inked = ("text.", "axes.edge", "axes.label", "xtick.", "ytick.")
        style = {f"{of}color": ink for of in inked} | {"axes.facecolor": ground}
        with plt.rc_context(style):
            figure, axes = plt.subplots(
                1,
                len(results.tasks),
                figsize=(0.8 + 2.9 * len(results.tasks), 3.4),
                squeeze=False,
                layout="constrained",
                facecolor=ground,
            )
            for axis, task in zip(axes.flat, results.tasks, strict=True):
                draw_panel(axis, results, task, grey)
            handles = axes[0, 0].get_legend_handles_labels()
            figure.legend(*handles, loc="outside lower center", ncols=5, frameon=False)
            figure.savefig(folder / name, dpi=150)
            plt.close(figure)


def draw_panel(axis: Any, results: Results, task: str, grey: str) -> None:
    """Means over seeds, and a band of one standard error about them."""
    colors = iter(LIGHT)
    for arm in (*ARMS, NONE):
        color = grey if arm in DASHES else next(colors)
        places = [(DENSE, 0.0), *((arm, s) for s in results.plan.sparsities)]
        points = [results.values(task, *place) for place in places]
        if not all(map(len, points)):
            continue
        x = [1 - sparsity for _, sparsity in places]
        mean = np.array([values.mean() for values in points])
        error = np.nan_to_num([standard_error(values) for values in points])
        style = {"color": color, "linestyle": DASHES.get(arm, "-")}
        axis.plot(x, mean, marker=".", label=arm, **style)
        axis.fill_between(x, mean - error, mean + error, color=color, alpha=0.15, lw=0)
    axis.set_xscale("log")
    shares = [1.0, *(1 - s for s in results.plan.sparsities)]
    axis.set_xticks(shares, [f"{share:.0%}" for share in shares])
    axis.minorticks_off()
    axis.invert_xaxis()
    axis.set_xlabel("recurrent weights left")
    axis.set_title(f"{task}: {results.plan.tasks[task].metric}", fontsize=10)
    axis.spines[["top", "right"]].set_visible(False)
