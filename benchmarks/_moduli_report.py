"""The tables, the figure and the claims of the moduli benchmark, from its rows."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Iterable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import _harness as harness
from benchmarks._moduli_plan import ARMS, CONTROLS, DENSE, NONE, Plan
from benchmarks._store import Row

HEAD = ("arm", "lambda", "sparsity", "recurrent weights", "dev", "test", "se")
HEAD += ("retrained", "se", "s")


class Results:
    """The rows, with what is compared of them.

    Parameters
    ----------
    rows : iterable of dict
    plan : Plan

    Attributes
    ----------
    tasks : list of str
        Those whose dense network is there to compare with.
    """

    def __init__(self, rows: Iterable[Row], plan: Plan) -> None:
        self.rows, self.plan = list(rows), plan
        there = {row["task"] for row in self.rows if row["arm"] == DENSE}
        self.tasks = [name for name in plan.tasks if name in there]

    def best_lambdas(self) -> dict[tuple[str, str, float], float]:
        """The strength of each task, arm and sparsity that is best on dev."""
        best: dict[tuple[str, str, float], Row] = {}
        for row in self.swept():
            key = row["task"], row["arm"], row["sparsity"]
            if key not in best or self._is_better(row, best[key]):
                best[key] = row
        return {key: row["lambda_"] for key, row in best.items()}

    def swept(self) -> list[Row]:
        """Rows of the sweep: one seed, of arms that have a strength."""
        return [
            row
            for row in self.rows
            if row["arm"] in ARMS and row["test_retrained"] == ""
        ]

    def _is_better(self, row: Row, other: Row) -> bool:
        better: bool = row["dev"] < other["dev"]
        if self.plan.tasks[row["task"]].higher_is_better:
            better = row["dev"] > other["dev"]
        return better

    def select(self, task: str, arm: str, sparsity: float) -> list[Row]:
        """The rows of an arm at its strength, a seed each."""
        lambda_ = self.best_lambdas().get((task, arm, sparsity), 0.0)
        wanted = task, arm, sparsity, lambda_
        found = {
            row["seed"]: row
            for row in self.rows
            if tuple(row[k] for k in ("task", "arm", "sparsity", "lambda_")) == wanted
            # The sweep fitted the same, without training the mask anew.
            and (arm == DENSE or row["test_retrained"] != "")
        }
        return [found[seed] for seed in sorted(found)]

    def values(
        self, task: str, arm: str, sparsity: float, column: str = "test"
    ) -> NDArray[np.float64]:
        """A column of these rows, where there is something in it."""
        rows = self.select(task, arm, sparsity)
        return np.array([row[column] for row in rows if row[column] != ""], float)


def report(rows: list[Row], plan: Plan, folder: Path) -> None:
    """Print and keep the tables; draw the figure."""
    results = Results(rows, plan)
    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        print_report(results, folder)
    print(text.getvalue(), end="")
    (folder / "moduli.md").write_text(text.getvalue(), encoding="utf-8")
    if results.tasks and harness.is_installed("matplotlib"):
        from benchmarks._moduli_draw import draw_figure

        draw_figure(results, folder)


def print_report(results: Results, folder: Path) -> None:
    print(harness.describe_machine())
    arguments = [a for a in sys.argv[1:] if a != "--report"]
    command = " ".join(["python -m benchmarks.moduli", *arguments])
    print(f"\n    {command.replace(str(folder), 'FOLDER')}\n")
    minutes = sum(row["seconds"] for row in results.rows) / 60
    print(f"{len(results.rows)} fits, {minutes:.1f} minutes of one core.")
    for task in results.tasks:
        print(f"\n### {task}: {results.plan.tasks[task].metric}\n")
        print_table(HEAD, table(results, task))
    print("\n### Geometry beside its controls\n")
    for line in claims(results):
        print(f"- {line}")
    print("\n### Strengths, on dev\n")
    head = ("task", "sparsity", "arm", *map(str, results.plan.lambdas))
    print_table(head, strengths(results))


def print_table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    for row in (head, ("---",) * len(head), *rows):
        print(f"| {' | '.join(row)} |")


def table(results: Results, task: str) -> Iterator[tuple[str, ...]]:
    """Means over seeds, with standard errors."""
    sparsities = [(DENSE, 0.0)]
    sparsities += [(arm, s) for s in results.plan.sparsities for arm in (*ARMS, NONE)]
    for arm, sparsity in sparsities:
        rows = results.select(task, arm, sparsity)
        if not rows:
            continue
        test, dev, again, seconds = (
            results.values(task, arm, sparsity, column)
            for column in ("test", "dev", "test_retrained", "seconds")
        )
        yield (
            arm,
            f"{rows[0]['lambda_']:g}",
            f"{sparsity:.0%}",
            str(rows[0]["n_links"]),
            f"{dev.mean():.4g}",
            f"{test.mean():.4g}",
            f"{standard_error(test):.2g}",
            f"{again.mean():.4g}" if len(again) else "",
            f"{standard_error(again):.2g}" if len(again) else "",
            f"{seconds.mean():.0f}",
        )


def claims(results: Results) -> Iterator[str]:
    """How the best arm with geometry, chosen on dev, compares with each control."""
    for task in results.tasks:
        sign = 1 if results.plan.tasks[task].higher_is_better else -1
        for sparsity in results.plan.sparsities:
            scores = {
                arm: sign * results.values(task, arm, sparsity, "dev").mean()
                for arm in ARMS
                if arm not in CONTROLS and results.select(task, arm, sparsity)
            }
            if not scores:
                continue
            best = max(scores, key=lambda arm: scores[arm])
            ours = results.values(task, best, sparsity)
            found = [
                f"{control} {_compared(ours, theirs, sign)}"
                for control in CONTROLS
                if len(theirs := results.values(task, control, sparsity))
            ]
            yield f"{task}, {sparsity:.0%}: {best} {ours.mean():.4g}; " + "; ".join(
                found
            )


def _compared(ours: NDArray[np.float64], theirs: NDArray[np.float64], sign: int) -> str:
    """Say by how many standard errors a control is worse."""
    error = np.hypot(standard_error(ours), standard_error(theirs))
    gain = sign * (ours.mean() - theirs.mean())
    ratio = f"{gain / error:+.1f}" if error else "?"
    return f"{theirs.mean():.4g} ({ratio} standard errors)"


def strengths(results: Results) -> Iterator[tuple[str, ...]]:
    """What each strength came to on dev."""
    names = ("task", "sparsity", "arm", "lambda_")
    swept = {tuple(row[k] for k in names): row["dev"] for row in results.swept()}
    for place in product(results.tasks, results.plan.sparsities, ARMS):
        values = [swept.get((*place, x)) for x in results.plan.lambdas]
        shown = ("" if v is None else f"{v:.4g}" for v in values)
        yield (place[0], f"{place[1]:.0%}", place[2], *shown)


def standard_error(values: NDArray[Any]) -> float:
    """Of the mean; NaN of fewer than two values."""
    if len(values) < 2:
        return float("nan")
    return float(values.std(ddof=1) / np.sqrt(len(values)))
