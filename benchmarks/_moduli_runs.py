"""How a job of the moduli benchmark is done: a pure function of the job."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import skrational
from benchmarks import _harness as harness
from benchmarks import _moduli_plan as plans
from benchmarks._features import SPLITS, load_features, load_texts
from benchmarks._moduli_plan import Job, Plan, Task
from benchmarks._store import Row
from skrational import ModuliRNNClassifier, ModuliRNNRegressor
from skrational.datasets import make_adding, make_navigation
from skrational.model_selection import retrain_mask

VECTORS = "50-d"
NEXT_WORD_TEXTS = "imdb"
COLUMNS = (
    "task",
    "arm",
    "sparsity",
    "lambda_",
    "seed",
    "n_links",
    "n_links_initial",
    "n_weights",
    "dev",
    "test",
    "test_retrained",
    "seconds",
)
"""``dev`` and ``test`` are by the metric of the task, ``test_retrained`` of a network
with the same mask and weights that were drawn anew."""


class Data:
    """What a task gives: for each split what ``fit`` and ``score`` take.

    Parameters
    ----------
    name : str
    task : Task
    folder : Path
        Where features are kept.
    """

    def __init__(self, name: str, task: Task, folder: Path) -> None:
        self.name, self.task = name, task
        self.splits = dict(zip(SPLITS, self._read(folder), strict=True))

    def _read(self, folder: Path) -> list[tuple[Any, ...]]:
        sizes = self.task.sizes
        if self.name == "navigation":
            return self._walks(**sizes)
        if self.name == "adding":
            return [
                make_adding(n, sizes["length"], random_state=seed)
                for seed, n in enumerate(sizes["n"])
            ]
        if self.name == "next word":
            texts = load_texts(NEXT_WORD_TEXTS)
            pairs = zip(SPLITS, sizes["n"], strict=True)
            return [(texts[split][0][:n],) for split, n in pairs]
        features = load_features(self.name, VECTORS, folder)
        return [features[split] for split in SPLITS]

    def _walks(self, n: tuple[int, ...], **settings: Any) -> list[tuple[Any, ...]]:
        cells = None
        self.walks = []
        for seed, n_walks in enumerate(n):
            walks = make_navigation(
                n_walks, place_cells=cells, random_state=seed, **settings
            )
            # All splits share the cells of the first one.
            cells, settings = walks.place_cells, {}
            self.walks.append(walks)
        return [(walks.X, walks.y) for walks in self.walks]

    def estimator(self, job: Job) -> Any:
        """The estimator of a job, unfitted."""
        kinds: dict[str, Any] = {
            "navigation": ModuliRNNRegressor,
            "adding": ModuliRNNRegressor,
            "next word": getattr(skrational, "ModuliRNNLanguageModel", None),
        }
        estimator = kinds.get(self.name, ModuliRNNClassifier)(**self.task.params)
        return estimator.set_params(
            lambda_=job.lambda_,
            sparsity=job.sparsity,
            random_state=job.seed,
            **plans.ARMS.get(job.arm, {}),
        )

    def judge(self, estimator: Any, split: str) -> float:
        """Return the metric of a fitted estimator."""
        X, *y = self.splits[split]
        if self.name == "navigation":
            return self.walks[SPLITS.index(split)].error_cm(estimator.predict(X))
        if self.name == "adding":
            return float(((estimator.predict(X) - y[0]) ** 2).mean())
        if self.name == "next word":
            return float(estimator.perplexity(X))
        return float(estimator.score(X, *y))


def run(job: Job, plan: Plan, folder: Path) -> tuple[Job, list[Row]]:
    """Do a job on one thread."""
    harness.set_threads(1)
    data = Data(job.task, plan.tasks[job.task], folder)
    start = time.perf_counter()
    estimator = data.estimator(job).fit(*data.splits["train"])
    seconds = time.perf_counter() - start
    structure = estimator.learned_structure_
    retrained: float | str = ""
    if job.retrains:
        found = retrain_mask(
            estimator, *data.splits["train"], random_state=1000 + job.seed
        )
        retrained = data.judge(found.estimators[0], "test")
    row = {
        "task": job.task,
        "arm": job.arm,
        "sparsity": job.sparsity,
        "lambda_": job.lambda_,
        "seed": job.seed,
        "n_links": structure.n_links,
        "n_links_initial": structure.n_links_initial,
        "n_weights": structure.size,
        "dev": data.judge(estimator, "dev"),
        "test": data.judge(estimator, "test"),
        "test_retrained": retrained,
        "seconds": round(seconds, 2),
    }
    return job, [row]
