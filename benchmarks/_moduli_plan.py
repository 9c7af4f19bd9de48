"""What the benchmark of moduli regularization runs: tasks, arms, strengths and jobs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import skrational

DENSE, NONE = "dense", "none"
ARMS: dict[str, dict[str, Any]] = {
    "torus": {"manifold": "torus"},
    "6-torus": {"manifold": "torus6"},
    "Klein": {"manifold": "klein"},
    "circle": {"manifold": "circle"},
    "sphere": {"manifold": "sphere"},
    "learned R^3": {"manifold": "r3", "learn_positions": True},
    "permuted": {"manifold": "torus", "permuted": True},
    "L1": {"inhibitor": "constant"},
    "torus, prox": {"manifold": "torus", "solver": "prox"},
    "L1, prox": {"inhibitor": "constant", "solver": "prox"},
}
"""What each arm with a penalty sets; all have the costs of the mean 1."""
CONTROLS = ("permuted", "L1", "L1, prox", NONE)


@dataclass(frozen=True)
class Task:
    """A task, at a reduced size.

    Attributes
    ----------
    metric : str
        What models are judged by.
    higher_is_better : bool
    params : dict
        Of the estimator, for all arms.
    sizes : dict
        Of the data.
    """

    metric: str
    higher_is_better: bool
    params: Mapping[str, Any] = field(default_factory=dict)
    sizes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """What may be traded for time.

    At each sparsity an arm takes the best of ``lambdas`` by the validation data of seed
    0, and then runs ``n_seeds``; their masks are retrained.
    """

    tasks: Mapping[str, Task]
    lambdas: tuple[float, ...]
    sparsities: tuple[float, ...]
    n_seeds: int

    def settings(self) -> dict[str, Any]:
        """All that rows depend on: rows of other settings don't go together."""
        settings: dict[str, Any] = {"version": skrational.__version__}
        settings |= {name: asdict(task) for name, task in self.tasks.items()}
        return json.loads(json.dumps(settings))


RECTIFIED = {"activation": "relu", "readout": "last", "learning_rate": 1e-3}
TEXTS = {"n_hidden": 128, "warmup_epochs": 4, "max_epochs": 8, "finetune_epochs": 6}

FULL = Plan(
    tasks={
        "navigation": Task(
            "error in cm",
            higher_is_better=False,
            params=RECTIFIED
            | {"loss": "cross_entropy", "bias": False, "n_hidden": 256}
            | {"batch_size": 50, "max_grad_norm": 1.0}
            | {"warmup_epochs": 4, "max_epochs": 7, "finetune_epochs": 5},
            sizes={"n": (4000, 500, 1000), "n_places": 256, "surround": None},
        ),
        "adding": Task(
            "squared error",
            higher_is_better=False,
            params=RECTIFIED
            | {"n_hidden": 128, "batch_size": 32, "max_grad_norm": 0.5}
            | {"warmup_epochs": 6, "max_epochs": 6, "finetune_epochs": 5},
            sizes={"n": (5000, 1000, 2000), "length": 50},
        ),
        "sst2": Task("accuracy", higher_is_better=True, params=TEXTS),
        "amazon_kitchen": Task("accuracy", higher_is_better=True, params=TEXTS),
        "next word": Task(
            "perplexity",
            higher_is_better=False,
            params=TEXTS | {"n_embedding": 64, "max_vocabulary": 5000},
            sizes={"n": (150, 100, 150)},
        ),
    },
    lambdas=(1.0, 10.0, 100.0),
    sparsities=(0.9, 0.98),
    n_seeds=3,
)
BRIEF = {"n_hidden": 12, "warmup_epochs": 1, "max_epochs": 2, "finetune_epochs": 1}
BRIEF |= {"min_steps_per_epoch": 1}
QUICK = Plan(
    tasks={
        "navigation": Task(
            "error in cm",
            higher_is_better=False,
            params={"loss": "cross_entropy", **BRIEF},
            sizes={"n": (30, 10, 10), "n_places": 8, "surround": 2.0},
        ),
        "adding": Task(
            "squared error",
            higher_is_better=False,
            params=BRIEF,
            sizes={"n": (40, 10, 10), "length": 5},
        ),
    },
    lambdas=(0.1, 1.0),
    sparsities=(0.5, 0.9),
    n_seeds=2,
)


@dataclass(frozen=True)
class Job:
    """One piece of work: a fit, and whether its mask is trained anew as well."""

    task: str
    arm: str
    sparsity: float
    lambda_: float
    seed: int
    retrains: bool = False

    @property
    def key(self) -> str:
        """Names the job's file."""
        parts = [self.task, self.arm, f"sparsity {self.sparsity}"]
        parts += [f"lambda {self.lambda_}", f"seed {self.seed}"]
        return ", ".join(parts + ["retrained"] * self.retrains)

    @classmethod
    def of_row(cls, row: Mapping[str, Any]) -> Job:
        """The job that left a row."""
        settings = (row[k] for k in ("task", "arm", "sparsity", "lambda_", "seed"))
        return cls(*settings, retrains=row["test_retrained"] != "")


Strengths = Mapping[tuple[str, str, float], float]
"""By task, arm and sparsity."""


def sweep(plan: Plan, tasks: list[str]) -> list[Job]:
    """The jobs by which each arm finds its strength."""
    return [
        Job(task, arm, sparsity, lambda_, 0)
        for task in tasks
        for sparsity in plan.sparsities
        for arm in ARMS
        for lambda_ in plan.lambdas
    ]


def final(plan: Plan, tasks: list[str], best: Strengths) -> list[Job]:
    """The jobs that are compared, given the strengths."""
    return [job for task in tasks for job in _final(plan, task, best)]


def _final(plan: Plan, task: str, best: Strengths) -> Iterator[Job]:
    # One seed of everything before the second of anything.
    for seed in range(plan.n_seeds):
        yield Job(task, DENSE, 0.0, 0.0, seed)
        for sparsity in plan.sparsities:
            for arm in (*ARMS, NONE):
                lambda_ = best.get((task, arm, sparsity), 0.0)
                yield Job(task, arm, sparsity, lambda_, seed, retrains=True)
