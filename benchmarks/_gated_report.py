"""The tables and claims of the gated benchmark, from its rows."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import _gated_plan as plans
from benchmarks import _harness as harness
from benchmarks._gated_choice import Results, bytes_at, gates_ratio
from benchmarks._gated_draw import draw_figure
from benchmarks._gated_plan import ARMS, DENSE, FRAMEWORKS, RATIONAL, TFIDF, Plan
from benchmarks._gated_runs import GATES
from benchmarks._store import Row

POINTS = (0, 1, 2, 3)
"""How far below the dense network the accuracies are at which gates are compared."""
MOST_GATES = {"ag_news_10k": 0.65, "imdb": 0.65}
"""Gates of W+G+N for each of W+N, at equal accuracy."""
LEAST_RATIO = {"ag_news_10k": 8, "imdb": 20}
"""How many times fewer bytes than the dense network's."""
HEAD = ("lambda", "units", "gates", *GATES, "weights", "compression", "bytes")
HEAD += ("x fewer", "transitions", "dev", "test", "s")


def report(rows: list[Row], plan: Plan, folder: Path) -> None:
    """Print and keep the tables; draw the figures."""
    results = Results(rows, plan)
    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        print_report(results, folder)
    print(text.getvalue(), end="")
    (folder / "gated.md").write_text(text.getvalue(), encoding="utf-8")
    if results.tasks and harness.is_installed("matplotlib"):
        draw_figure(results, folder)


def print_report(results: Results, folder: Path) -> None:
    print(harness.describe_machine())
    arguments = [a for a in sys.argv[1:] if a != "--report"]
    command = " ".join(["python -m benchmarks.gated", *arguments])
    print(f"\n    {command.replace(str(folder), 'FOLDER')}\n")
    seconds = sum(row["seconds"] for row in results.rows)
    print(f"{len(results.rows)} models, {seconds / 60:.1f} minutes of one core.")
    for name in results.tasks:
        print_chosen(results, name)
    print_equal(results)
    print_claims(results)
    print_kinds(results)
    for name in results.tasks:
        print_points(results, name)


def recipes() -> Iterator[tuple[str, dict[str, str]]]:
    """All that has several sizes, by name."""
    for framework in FRAMEWORKS:
        for arm in ARMS:
            yield f"{arm}, {framework}", {"arm": arm, "framework": framework}
    yield RATIONAL, {"arm": RATIONAL}


def print_chosen(results: Results, name: str) -> None:
    """The smallest model that is nearly as good as the dense one, and the best."""
    harness.print_heading(
        f"{name}: chosen on dev",
        f"Means over seeds, {results.measure(name)}. The smallest: of the fewest bytes,"
        f"\nand on dev {results.tolerance(name)} the dense network.",
    )
    lines = [(DENSE, results.select(name, arm=DENSE))]
    choices: dict[str, Callable[..., list[Row]]]
    choices = {"the smallest": results.smallest, "the best": results.best}
    for title, choose in choices.items():
        lines += [(f"{of}, {title}", choose(name, **v)) for of, v in recipes()]
    lines.append((TFIDF, results.select(name, arm=TFIDF)))
    print_models(line for line in lines if line[1])


def print_points(results: Results, name: str) -> None:
    """All points of all paths: means over the seeds whose paths come so far."""
    harness.print_heading(f"{name}: all points", "Means over seeds.")
    lines = []
    for of, values in recipes():
        found = results.select(name, **values)
        lambdas = dict.fromkeys(row["lambda_"] for row in found)
        if values["arm"] == RATIONAL and found:
            # The lambdas of each of these paths are its own.
            lines += [(f"{of}, seed {row['seed']}", [row]) for row in found]
            continue
        lines += [
            (of, [row for row in found if row["lambda_"] == lambda_])
            for lambda_ in lambdas
        ]
    print_models(lines)


def print_models(lines: Any) -> None:
    table = []
    for title, rows in lines:
        n = f" ({len(rows)} seeds)" if len(rows) > 1 else ""
        table.append([title + n, *cells(rows)])
    harness.print_table(["", *HEAD], table)


def cells(rows: list[Row]) -> list[str]:
    """What a model's rows say, in the order of `HEAD`."""
    lambdas = numbers(rows, "lambda_")
    names = ("n_units", "n_gates", *GATES, "n_weights")
    shown = [f"{np.exp(np.log(lambdas).mean()):.2g}" if (lambdas > 0).all() else "0"]
    shown = shown if len(lambdas) else ["-"]
    shown += [short(numbers(rows, column)) for column in names]
    shown += [ratio(numbers(rows, "compression")), short(numbers(rows, "n_bytes"))]
    shown += [ratio(fewer(rows)), short(numbers(rows, "n_transitions"))]
    shown += [score(numbers(rows, split)) for split in ("dev", "test")]
    return [*shown, short(numbers(rows, "seconds"))]


def numbers(rows: list[Row], name: str) -> NDArray[np.float64]:
    return np.array([row[name] for row in rows if row[name] != ""], dtype=float)


def fewer(rows: list[Row]) -> NDArray[np.float64]:
    """How many times fewer bytes than the dense network's."""
    rows = [row for row in rows if row["n_bytes_initial"] != ""]
    return numbers(rows, "n_bytes_initial") / numbers(rows, "n_bytes")


def short(values: NDArray[np.float64]) -> str:
    if not len(values):
        return "-"
    mean = values.mean()
    return f"{mean:,.0f}" if mean >= 100 or mean == round(mean) else f"{mean:.1f}"


def ratio(values: NDArray[np.float64]) -> str:
    """The geometric mean."""
    if not len(values):
        return "-"
    mean = np.exp(np.log(values).mean())
    return f"{mean:,.0f}" if mean >= 100 else f"{mean:.1f}"


def score(values: NDArray[np.float64]) -> str:
    """Accuracies have four digits, and a deviation if there are several."""
    if not len(values):
        return "-"
    digits = 4 if values.max() <= 1 else 3 if values.max() < 10 else 1
    parts = [values.mean()] + ([values.std(ddof=1)] if len(values) > 1 else [])
    return " ± ".join(f"{part:.{digits}f}".removeprefix("0") for part in parts)


def print_equal(results: Results) -> None:
    harness.print_heading(
        "At equal accuracy",
        "Gates of W+G+N for each of W+N, mean and deviation over seeds, at accuracies"
        "\nso many points below the dense network's; together, the geometric mean of"
        "\nthose that both paths reach.",
    )
    table = []
    for name in results.sets:
        for framework in FRAMEWORKS:
            for split in ("dev", "test"):
                ratios = gates_ratio(results, name, framework, split, POINTS)
                if len(ratios):
                    columns = [*ratios.T, geometric_mean(ratios)]
                    title = f"{name}, {framework}, {split}"
                    table.append([title, *map(with_deviation, columns)])
    harness.print_table(["", *(f"{-n}" for n in POINTS), "together"], table)


def geometric_mean(ratios: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of each seed, over the levels that both paths reach."""
    known = ratios[np.isfinite(ratios).any(axis=1)]
    return np.exp(np.nanmean(np.log(known), axis=1))


def with_deviation(values: NDArray[np.float64]) -> str:
    known = values[np.isfinite(values)]
    if not len(known):
        return "-"
    spread = f" ± {known.std(ddof=1):.2f}" if len(known) > 1 else ""
    return f"{known.mean():.2f}{spread}"


def print_claims(results: Results) -> None:
    table = []
    for name in results.sets:
        table += [*claim_on_gates(results, name), *claims_on_bytes(results, name)]
    if not table:
        return
    harness.print_heading("Claims", "Of the group lasso.")
    harness.print_table(["", "", "verdict"], table)


def claim_on_gates(results: Results, name: str) -> Iterator[list[str]]:
    ratios = gates_ratio(results, name, plans.GROUP_LASSO, "test", POINTS)
    together = geometric_mean(ratios)
    if name in MOST_GATES and len(together):
        most = MOST_GATES[name]
        title = f"{name}: gates of W+G+N / W+N on test, at most {most}"
        yield [title, with_deviation(together), verdict(together.mean() <= most)]


def claims_on_bytes(results: Results, name: str) -> Iterator[list[str]]:
    """Of the model chosen on dev, and where the path crosses the accuracy on test."""
    of = {"arm": "W+G+N", "framework": plans.GROUP_LASSO}
    rows = results.smallest(name, **of)
    if name not in LEAST_RATIO or not rows:
        return
    least, times = LEAST_RATIO[name], fewer(rows).mean()
    below = results.dense(name, "test") - numbers(rows, "test").mean()
    title = f"{name}: times fewer bytes, at least {least}, at most 1 point below dense"
    value = f"{times:.1f}, {100 * below:.2f} points below"
    yield [f"{title}: chosen on dev", value, verdict(times >= least and below <= 0.01)]
    times = bytes_at(results, name, 0.01, **of)
    yield [f"{title}: interpolated on test", f"{times:.1f}", verdict(times >= least)]


def verdict(holds: bool) -> str:
    return "holds" if holds else "fails"


def print_kinds(results: Results) -> None:
    harness.print_heading(
        "Which gates are left",
        "Of the smallest models chosen above: the share of the units that are left in"
        "\nwhich a gate varies; in brackets the number of gates, mean over seeds.",
    )
    table = []
    for name in results.tasks:
        for of, values in recipes():
            rows = results.smallest(name, **values)
            if not rows or rows[0]["n_units"] == "":
                continue
            units = numbers(rows, "n_units").sum()
            counts = [numbers(rows, gate) for gate in GATES]
            shown = [f"{n.sum() / units:.0%} ({short(n)})" for n in counts]
            table.append([f"{name}: {of}", short(numbers(rows, "n_units")), *shown])
    harness.print_table(["", "units", *GATES], table)
