"""The figure of the gated benchmark: which gates are left, by task."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._gated_choice import Results
from benchmarks._gated_plan import GROUP_LASSO
from benchmarks._gated_runs import GATES

COLORS = {"W+N": "#999999", "W+G+N": "#0072B2"}
THEMES = {
    "gates.png": ("white", "black", COLORS),
    "gates_dark.png": ("#14181e", "#ced6dd", COLORS | {"W+G+N": "#56B4E9"}),
}
"""Of each file the ground, the ink and the arms' colours, two of Okabe and Ito's."""
WIDTH = 0.4


def draw_figure(results: Results, folder: Path) -> None:
    """A panel for each task, light and dark."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    tasks = results.tasks
    for name, (ground, ink, colors) in THEMES.items():
        inked = ("text.", "axes.edge", "axes.label", "xtick.", "ytick.")
        style = {f"{of}color": ink for of in inked} | {"axes.facecolor": ground}
        with plt.rc_context(style):
            figure, axes = plt.subplots(
                1,
                len(tasks),
                figsize=(0.8 + 2.1 * len(tasks), 2.9),
                sharey=True,
                squeeze=False,
                layout="constrained",
                facecolor=ground,
            )
            for axis, task in zip(axes.flat, tasks, strict=True):
                draw_panel(axis, results, task, colors)
            axes[0, 0].set_ylabel("share of the units left")
            handles = axes[0, 0].get_legend_handles_labels()
            figure.legend(*handles, loc="outside lower center", ncols=2, frameon=False)
            figure.savefig(folder / name, dpi=150)
            plt.close(figure)


def draw_panel(axis: Any, results: Results, task: str, colors: dict[str, str]) -> None:
    """Of the smallest models the share of units in which each gate varies."""
    units = []
    for i, (arm, color) in enumerate(colors.items()):
        rows = results.smallest(task, arm=arm, framework=GROUP_LASSO)
        n_units = np.mean([row["n_units"] for row in rows]) if rows else np.nan
        counts = np.array([np.mean([r[g] for r in rows] or [np.nan]) for g in GATES])
        x = np.arange(len(GATES)) + (i - 0.5) * WIDTH
        bars = axis.bar(x, counts / n_units, WIDTH, color=color, label=arm)
        numbers = [f"{n:.0f}" if np.isfinite(n) else "" for n in counts]
        axis.bar_label(bars, numbers, fontsize=7, padding=1)
        units.append(f"{n_units:.0f}" if rows else "-")
    axis.set_title(f"{task}\n{' and '.join(units)} units", fontsize=10)
    axis.set_xticks(range(len(GATES)), GATES)
    axis.set_ylim(0, 1.1)
    axis.set_yticks((0, 0.5, 1))
    axis.spines[["top", "right"]].set_visible(False)
