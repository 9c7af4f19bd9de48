"""How the cost of a training step and of a prediction grows.

    python -m benchmarks.growth [--plot growth.png]

One quantity grows, the others stay: the length of the documents (at as many tokens a
batch), the documents of a batch, the vocabulary, the states (d automata of 4), the
documents to predict. A slope is that of a straight line through the logarithms: 0 where
cost does not grow, 1 where it grows in proportion. A jump is a point whose cost a unit
is more than twice that of the point before.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import torch

from benchmarks import _harness as harness
from benchmarks.training_step import trained
from skrational import SequenceArray
from skrational.cells.batches import Corpus
from skrational.cells.rational import RationalCell
from skrational.structures.automata import ScoringRule

N_FEATURES, N_WFSAS, N_STATES, BATCH = 300, 24, 4, 64
JUMP = 2.0
WORKS = ("step", "predict")
# Two colours that are told apart with any colour vision, and in print.
STYLES = {
    "step": {"color": "#0072b2", "marker": "o"},
    "predict": {"color": "#d55e00", "marker": "s", "linestyle": "--"},
}

Call = Callable[[], Any]


class Point(NamedTuple):
    """One size: documents to step and predict on, and the units of their cost."""

    X: SequenceArray
    n_wfsas: int
    n_units: int


class Curve(NamedTuple):
    """What grows, its unit, its points, and of which work it is a curve."""

    title: str
    unit: str
    points: dict[int, Point]
    works: tuple[str, ...] = WORKS


def step(point: Point) -> Call:
    """One training step on all documents of the point."""
    cell = RationalCell(
        N_FEATURES, (N_STATES,) * point.n_wfsas, 1, ScoringRule(match="anywhere")
    )
    cell.initialize(torch.Generator().manual_seed(0))
    corpus = Corpus(point.X, torch.float32, torch.device("cpu"))
    targets = torch.from_numpy(harness.alternating(len(point.X))).float()
    documents = np.arange(len(point.X))
    return trained(
        lambda: cell.readout(cell.hidden(corpus.batch(documents)))[:, 0],
        cell,
        targets,
    )


def predict(point: Point) -> Call:
    few = point.X[: min(len(point.X), 64)]
    # A classifier is fitted on two documents at least.
    few = SequenceArray.concatenate([few, few])
    clf = harness.brief_fit(few, n_wfsas=point.n_wfsas, n_states=N_STATES)
    return partial(clf.predict, point.X)


def documents(n_documents: int, n_tokens: int, vocabulary: int) -> SequenceArray:
    return harness.make_documents(n_documents, n_tokens, N_FEATURES, vocabulary)


def by_length(quick: bool) -> Curve:
    n_tokens = 1024 if quick else 8192
    lengths = (32, 128, 512) if quick else (32, 64, 128, 256, 512, 1024, 2048, 4096)
    points = {
        n: Point(documents(n_tokens // n, n, harness.VOCABULARY), N_WFSAS, n_tokens)
        for n in lengths
    }
    return Curve(f"tokens of a document ({n_tokens} in all)", "token", points)


def by_batch(quick: bool) -> Curve:
    sizes = (4, 16) if quick else (1, 4, 16, 64, 256, 1024)
    all_ = documents(max(sizes), 128, harness.VOCABULARY)
    points = {n: Point(all_[:n], N_WFSAS, 128 * n) for n in sizes}
    return Curve("documents of a batch", "token", points, ("step",))


def by_vocabulary(quick: bool) -> Curve:
    sizes = (1024, 4096) if quick else tuple(4**i for i in range(5, 10))
    n = 8 if quick else BATCH
    points = {}
    for size in sizes:
        X = documents(n, 128, size)
        points[size] = Point(X, N_WFSAS, len(np.unique(X.indices)))
    return Curve("words of the vocabulary", "distinct word read", points)


def by_states(quick: bool) -> Curve:
    sizes = (8, 32) if quick else (8, 16, 32, 64, 128, 256, 512)
    X = documents(8 if quick else BATCH, 128, harness.VOCABULARY)
    points = {n: Point(X, n // N_STATES, X.n_tokens * n) for n in sizes}
    return Curve("states (d K)", "token and state", points)


def by_documents(quick: bool) -> Curve:
    sizes = (16, 64) if quick else (16, 64, 256, 1024, 4096, 16384)
    all_ = documents(max(sizes), 128, harness.VOCABULARY)
    points = {n: Point(all_[:n], N_WFSAS, 128 * n) for n in sizes}
    return Curve("documents to predict", "token", points, ("predict",))


CURVES = (by_length, by_batch, by_vocabulary, by_states, by_documents)


def measure(curve: Curve, rounds: int) -> dict[str, dict[int, float]]:
    """Seconds of each work at each size; all sizes take turns."""
    of_work: dict[str, dict[int, float]] = {}
    for work in curve.works:
        prepare = {"step": step, "predict": predict}[work]
        calls = {str(size): prepare(point) for size, point in curve.points.items()}
        times = harness.race(calls, rounds)
        of_work[work] = {n: harness.median(times[str(n)]) for n in curve.points}
    return of_work


def slope(seconds: dict[int, float]) -> float:
    return float(
        np.polyfit(np.log(list(seconds)), np.log(list(seconds.values())), 1)[0]
    )


def jumps(curve: Curve, seconds: dict[int, float]) -> Iterator[str]:
    """Neighbours between which the cost of a unit more than doubles."""
    each = {n: seconds[n] / curve.points[n].n_units for n in seconds}
    sizes = list(each)
    for before, after in pairwise(sizes):
        if each[after] > JUMP * each[before]:
            yield f"{before:,} to {after:,}: {each[after] / each[before]:.1f} times"


def print_curve(curve: Curve, of_work: dict[str, dict[int, float]]) -> None:
    harness.print_heading(f"Growth with the {curve.title}")
    rows = []
    for n, point in curve.points.items():
        row = [f"{n:,}"]
        for seconds in of_work.values():
            each = 1e9 * seconds[n] / point.n_units
            row += [harness.digits(1e3 * seconds[n]), harness.digits(each)]
        rows.append(row)
    head = [curve.title]
    for work in of_work:
        head += [f"{work}, ms", f"ns a {curve.unit}"]
    harness.print_table(head, rows)
    print()
    for work, seconds in of_work.items():
        found = ", ".join(jumps(curve, seconds)) or "none"
        print(f"{work}: slope {slope(seconds):.2f}; jumps of cost a unit: {found}")


def draw(
    measured: Sequence[tuple[Curve, dict[str, dict[int, float]]]], path: str
) -> None:
    """Draw all curves, side by side on logarithmic axes."""
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(2, 3, figsize=(10, 6), layout="constrained")
    for ax, (curve, of_work) in zip(axes.flat, measured, strict=False):
        for work, seconds in of_work.items():
            milliseconds = [1e3 * s for s in seconds.values()]
            label = f"{work}, slope {slope(seconds):.2f}"
            ax.loglog(list(seconds), milliseconds, label=label, **STYLES[work])
        ax.set_title(curve.title, fontsize=10)
        tidy(ax, list(curve.points))
    for ax in axes.flat[len(measured) :]:
        ax.set_axis_off()
    where = f"{harness.processor_name()}\nfloat32, threads: {torch.get_num_threads()}"
    axes.flat[-1].text(0, 0.5, where, fontsize=9)
    figure.savefig(path, dpi=150)


def tidy(ax: Any, sizes: list[int]) -> None:
    """Whole decades of time, and every second size by its name."""
    low, high = (np.log10(limit) for limit in ax.get_ylim())
    ax.set_ylim(10 ** np.floor(low), 10 ** np.ceil(high))
    ax.set_xticks(sizes[::2], [compact(n) for n in sizes[::2]], minor=False)
    ax.set_xticks([], minor=True)
    ax.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    ax.yaxis.set_minor_formatter("")
    ax.set_ylabel("ms")
    ax.grid(which="major", color="0.9")
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False, fontsize=9)


def compact(n: int) -> str:
    return f"{n // 1024}k" if n >= 1024 else str(n)


def run(options: Any) -> None:
    measured = []
    for build in CURVES:
        curve = build(options.quick)
        of_work = measure(curve, harness.rounds_of(options, full=9))
        print_curve(curve, of_work)
        measured.append((curve, of_work))
    if options.plot:
        draw(measured, options.plot)


def options_parser() -> argparse.ArgumentParser:
    parser = harness.common_options(__doc__)
    parser.add_argument("--plot", metavar="FILE", help="draw the curves into a file")
    return parser


if __name__ == "__main__":
    harness.main(options_parser(), run)
