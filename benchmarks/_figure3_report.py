"""The tables and claims of figure3, from its rows."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks import _figure3_plan as plans
from benchmarks import _harness as harness
from benchmarks._figure3_draw import draw_figure
from benchmarks._figure3_plan import (
    BASELINES,
    DENSE,
    GOALS,
    LIMITS,
    PATH,
    READOUTS,
)

SETS = (*plans.FULL.vectors, *plans.QUICK.vectors)
UNITS = {plans.TFIDF: "features", plans.MEAN: "features", plans.LSTM: "parameters"}
ROUNDING = 1e-9
"""Accuracies are quotients of whole numbers: two that differ by less are equal."""

Row = dict[str, Any]


class Runs:
    """Rows by what they are of."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._rows = list(rows)
        tested = {row["set"] for row in self._rows if row["test"] != ""}
        self.sets = [name for name in SETS if name in tested]

    def select(self, **values: Any) -> list[Row]:
        """The rows of these values."""
        return [
            row
            for row in self._rows
            if all(str(row[name]) == str(value) for name, value in values.items())
        ]

    def column(self, name: str, **values: Any) -> np.ndarray:
        """A number of each such row."""
        return np.array([row[name] for row in self.select(**values)], dtype=float)

    def mean(self, name: str, **values: Any) -> float:
        """NaN where there are no runs."""
        found = self.column(name, **values)
        return float(found.mean()) if len(found) else float("nan")

    def deviation(self, name: str, **values: Any) -> float:
        """Over seeds; 0 of a single one."""
        found = self.column(name, **values)
        return float(found.std(ddof=1)) if len(found) > 1 else 0.0

    def jobs(self) -> dict[tuple[str, ...], float]:
        """Seconds of each job, which its rows share."""
        names = ("set", "method", "readout", "seed", "draw")
        return {tuple(str(r[name]) for name in names): r["seconds"] for r in self._rows}


def report(rows: list[Row], folder: Path) -> None:
    """Print and keep the tables; draw the figure."""
    runs = Runs(rows)
    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        print_report(runs, folder)
    print(text.getvalue(), end="")
    (folder / "figure3.md").write_text(text.getvalue(), encoding="utf-8")
    if runs.sets and harness.is_installed("matplotlib"):
        draw_figure(runs, folder / "figure3.png")


def print_report(runs: Runs, folder: Path) -> None:
    print(harness.describe_machine())
    arguments = [a for a in sys.argv[1:] if a != "--report"]
    command = " ".join(["python -m benchmarks.figure3", *arguments])
    print(f"\n    {command.replace(str(folder), 'FOLDER')}\n")
    seconds = runs.jobs().values()
    print(f"{len(seconds)} jobs, {sum(seconds) / 60:.1f} minutes of one core.")
    if not runs.sets:
        print("No run is finished yet: only the search has rows.")
        return
    for readout in READOUTS:
        print_readout(runs, readout)
    print_peers(runs)
    print_claims(runs)
    print_chosen(runs)


def print_readout(runs: Runs, readout: str) -> None:
    lines = {name: {"method": name} for name in BASELINES}
    lines |= {f"path, goal {goal}": {"method": PATH, "goal": goal} for goal in GOALS}
    lines |= {
        f"{method}, at most {limit}": {"method": method, "goal": f"<={limit}"}
        for method in plans.path_methods(readout)
        for limit in LIMITS
    }
    harness.print_heading(
        f'match="{readout}"',
        "Test accuracy and its standard deviation over seeds; in brackets transitions,"
        "\nand the number of seeds if not all of them came so far.",
    )
    harness.print_table(
        ["", *runs.sets],
        [
            [name, *(size_cell(runs, s, readout=readout, **of) for s in runs.sets)]
            for name, of in lines.items()
        ],
    )


def size_cell(runs: Runs, set_: str, **values: Any) -> str:
    sizes = runs.column("n_transitions", set=set_, **values)
    if not len(sizes):
        return "-"
    spread = runs.deviation("n_transitions", set=set_, **values)
    inside = f"{sizes.mean():.3g}" + (f" ± {spread:.1f}" if spread else "")
    all_seeds = runs.select(set=set_, method=DENSE, readout=values["readout"])
    if len(sizes) < len(all_seeds):
        inside += f"; {len(sizes)} of {len(all_seeds)} seeds"
    return f"{accuracy(runs, set=set_, **values)} ({inside})"


def accuracy(runs: Runs, **values: Any) -> str:
    numbers = [runs.mean("test", **values)]
    if len(runs.select(**values)) > 1:
        numbers.append(runs.deviation("test", **values))
    return " ± ".join(f"{number:.4f}".removeprefix("0") for number in numbers)


def print_peers(runs: Runs) -> None:
    harness.print_heading("Beside them", "Test accuracy; in brackets the size.")
    harness.print_table(
        ["", *runs.sets],
        [
            [method, *(peer_cell(runs, unit, set=s, method=method) for s in runs.sets)]
            for method, unit in UNITS.items()
        ],
    )


def peer_cell(runs: Runs, unit: str, **values: Any) -> str:
    if not runs.select(**values):
        return "-"
    intercept = int(unit == "features")
    size = runs.mean("n_parameters", **values) - intercept
    return f"{accuracy(runs, **values)} ({size:,.0f} {unit})"


def print_chosen(runs: Runs) -> None:
    harness.print_heading("Hyper-parameters", "Chosen on dev; {} are the defaults.")
    lines = {
        f"{name}, {readout}": {"method": method, "readout": readout}
        for method, name in {DENSE: "baselines", PATH: "path"}.items()
        for readout in READOUTS
    }
    lines |= {method: {"method": method} for method in UNITS}
    table = []
    for name, of in lines.items():
        found = [runs.select(set=set_, **of) for set_ in runs.sets]
        cells = [rows[0]["hyper_parameters"] if rows else "-" for rows in found]
        table.append([name, *cells])
    harness.print_table(["", *runs.sets], table)


class Claim(NamedTuple):
    """A difference in accuracy that should reach ``least`` on so many sets.

    And on none of them may it be below ``worst``.
    """

    name: str
    difference: Callable[[str], float]
    least: float
    n_sets: int
    worst: float = -1.0

    def verdict(self, differences: list[float]) -> str:
        """Holds, fails, or is open as long as too few sets are there."""
        n = sum(x >= self.least - ROUNDING for x in differences)
        missing = 5 - len(differences)
        if n + missing < self.n_sets or min(differences) < self.worst - ROUNDING:
            word = "fails"
        else:
            word = "open" if missing else "holds"
        return f"{word}: {n} of {len(differences)}"


def print_claims(runs: Runs) -> None:
    harness.print_heading(
        "Claims", "Differences in test accuracy, in points, of means over seeds."
    )
    table = []
    for claim in claims(runs):
        differences = [claim.difference(set_) for set_ in runs.sets]
        known = [x for x in differences if np.isfinite(x)]
        cells = [f"{100 * x:+.2f}" if np.isfinite(x) else "-" for x in differences]
        table.append([claim.name, *cells, claim.verdict(known) if known else "open"])
    harness.print_table(["", *runs.sets, "verdict"], table)


def claims(runs: Runs) -> Iterator[Claim]:
    """What the figure should show."""
    for readout in READOUTS:
        yield from claims_of_readout(runs, readout)

    def over_tfidf(limit: int) -> Callable[[str], float]:
        return lambda s: best_on_dev(runs, s, limit) - tested(runs, s, plans.TFIDF)

    yield Claim(
        "at most 20 - TF-IDF, > 0 on 3 sets, nowhere < -1.5",
        over_tfidf(20),
        2 * ROUNDING,
        3,
        worst=-0.015,
    )
    yield Claim("at most 6 - TF-IDF, >= -1.5 on 3 sets", over_tfidf(6), -0.015, 3)


def claims_of_readout(runs: Runs, readout: str) -> Iterator[Claim]:
    def path(set_: str, goal: Any) -> float:
        return tested(runs, set_, PATH, readout=readout, goal=goal)

    def baseline(set_: str, method: str) -> float:
        return tested(runs, set_, method, readout=readout)

    # The best on test: it asks more of the path than the best on dev would.
    def best(set_: str) -> float:
        return max(baseline(set_, method) for method in BASELINES)

    yield Claim(
        f"{readout}: goal 20 - 1-grams, >= 1 on 4 sets",
        lambda s: path(s, 20) - baseline(s, "1-grams"),
        0.01,
        4,
    )
    for goal in (60, 80):
        yield Claim(
            f"{readout}: goal {goal} - best baseline, >= -.3 on 4 sets",
            lambda s, goal=goal: path(s, goal) - best(s),
            -0.003,
            4,
        )
    for method in plans.path_methods(readout):
        yield Claim(
            f"{readout}, {method}: at most 9 - 4-grams, >= -1 on 3 sets",
            lambda s, method=method: (
                tested(runs, s, method, readout=readout, goal="<=9")
                - baseline(s, DENSE)
            ),
            -0.01,
            3,
        )


def tested(runs: Runs, set_: str, method: str, **values: Any) -> float:
    return runs.mean("test", set=set_, method=method, **values)


def best_on_dev(runs: Runs, set_: str, limit: int) -> float:
    """Test accuracy of the recipe, readout and finetuning, of the best dev accuracy."""
    recipes = [
        {"set": set_, "readout": readout, "method": method, "goal": f"<={limit}"}
        for readout in READOUTS
        for method in plans.path_methods(readout)
    ]
    best = max(recipes, key=lambda of: np.nan_to_num(runs.mean("dev", **of)))
    return runs.mean("test", **best)
