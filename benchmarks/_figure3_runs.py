"""How each kind of job of figure3 is done: a pure function of the job."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import _figure3_peers as peers
from benchmarks import _figure3_plan as plans
from benchmarks import _harness as harness
from benchmarks._features import Features, load_features, load_texts
from benchmarks._figure3_plan import Job, Plan
from skrational import SparseRationalClassifier

COLUMNS = (
    "set",
    "method",
    "readout",
    "goal",
    "seed",
    "draw",
    "lambda_",
    "n_transitions",
    "n_wfsas",
    "n_parameters",
    "dev",
    "test",
    "seconds",
    "hyper_parameters",
)
"""``goal`` is a number to reach, "<=" and a limit, or "point" for all points of a path;
only chosen models have a ``test``; ``seconds`` are the whole job's."""

Row = dict[str, Any]


def run(job: Job, plan: Plan, folder: Path) -> tuple[Job, list[Row]]:
    """Do a job on one thread."""
    harness.set_threads(1)
    features = load_features(job.set, plan.vectors[job.set], folder)
    start = time.perf_counter()
    rows = KINDS.get(job.method, run_baseline)(job, plan, features)
    seconds = round(time.perf_counter() - start, 2)
    return job, [complete(job, row, seconds) for row in rows]


def complete(job: Job, row: Row, seconds: float) -> Row:
    of_job = {"set": job.set, "method": job.method, "readout": job.readout}
    of_job |= {"seed": job.seed, "draw": "" if job.draw is None else job.draw}
    chosen = row.get("hyper_parameters", dict(job.params))
    of_row = {"seconds": seconds, "hyper_parameters": json.dumps(chosen)}
    return dict.fromkeys(COLUMNS, "") | of_job | row | of_row


def classifier(job: Job, plan: Plan, **params: Any) -> SparseRationalClassifier:
    fixed = {"match": job.readout, "random_state": job.seed}
    of_plan = dict(plan.params) | dict(plan.params_of.get(job.set, {}))
    return SparseRationalClassifier(**fixed | of_plan | dict(job.params) | params)


def sizes(structure: Any) -> Row:
    names = ("n_transitions", "n_wfsas", "n_parameters")
    return {name: getattr(structure, name) for name in names}


def run_baseline(job: Job, plan: Plan, features: Features) -> list[Row]:
    """An unregularized network; in a search the largest, on dev only."""
    searching = job.method == plans.SEARCH_BASELINES
    n_states = plans.BASELINES[plans.DENSE if searching else job.method]
    clf = classifier(job, plan, lambda_=0, n_states=n_states).fit(*features["train"])
    splits = ("dev",) if searching else ("dev", "test")
    scores = {split: clf.score(*features[split]) for split in splits}
    return [{"lambda_": 0, **sizes(clf.learned_structure_), **scores}]


def run_path(job: Job, plan: Plan, features: Features) -> list[Row]:
    """All points of a path by their dev scores, and the chosen ones on test."""
    path = fit_path(job, plan, features)
    wanted = {goal: near(path.points, goal) for goal in plans.GOALS}
    wanted |= {f"<={limit}": within(path.points, 1, limit) for limit in plans.LIMITS}
    rows = [{"goal": plans.POINT, **of_point(point)} for point in path.points]
    test: dict[int, float] = {}
    for goal, i in wanted.items():
        if i is None:
            continue
        if i not in test:
            test[i] = path[i].score(*features["test"])
        rows.append({"goal": goal, **of_point(path.points[i]), "test": test[i]})
    return rows


def search_path(job: Job, plan: Plan, features: Features) -> list[Row]:
    """The mean dev score of the best points of at most so many transitions."""
    path = fit_path(job, plan, features)
    best = [within(path.points, 1, goal) for goal in plans.GOALS]
    scores = [0.0 if i is None else path.points[i].validation_score for i in best]
    return [{"dev": float(np.mean(scores))}]


def fit_path(job: Job, plan: Plan, features: Features) -> Any:
    from skrational.model_selection import regularization_path

    X_val, y_val = features["dev"]
    return regularization_path(
        classifier(job, plan),
        *features["train"],
        lambdas=plan.lambdas[job.readout],
        finetune_epochs=(
            plan.longer_finetune_epochs
            if job.method == plans.LONGER
            else plan.path_finetune_epochs
        ),
        X_val=X_val,
        y_val=y_val,
    )


def of_point(point: Any) -> Row:
    dev = {"lambda_": point.lambda_, "dev": point.validation_score}
    return dev | sizes(point.structure)


def near(points: Any, goal: int) -> int | None:
    """The point that stands for a goal: one near to it, else the next smaller one."""
    found = within(points, goal - plans.WITHIN, goal + plans.WITHIN)
    if found is not None:
        return found
    smaller = [p.n_transitions for p in points if 0 < p.n_transitions < goal]
    return within(points, max(smaller), goal) if smaller else None


def within(points: Any, least: int, most: int) -> int | None:
    """The point of these sizes with the best dev score; of equal ones the smallest."""
    found = [i for i, p in enumerate(points) if least <= p.n_transitions <= most]
    if not found:
        return None
    return max(
        found, key=lambda i: (points[i].validation_score, -points[i].n_transitions)
    )


def run_tfidf(job: Job, plan: Plan, features: Features) -> list[Row]:
    return [peers.tfidf(load_texts(job.set))]


def run_mean(job: Job, plan: Plan, features: Features) -> list[Row]:
    return [peers.mean_vectors(features)]


def run_lstm(job: Job, plan: Plan, features: Features) -> list[Row]:
    return [
        peers.lstm(
            features,
            plan.lstm_size,
            plan.lstm_epochs,
            plan.lstm_rates,
            plan.lstm_tokens,
            job.seed,
        )
    ]


KINDS: dict[str, Callable[[Job, Plan, Features], list[Row]]] = {
    plans.SEARCH_PATH: search_path,
    plans.PATH: run_path,
    plans.LONGER: run_path,
    plans.TFIDF: run_tfidf,
    plans.MEAN: run_mean,
    plans.LSTM: run_lstm,
}
