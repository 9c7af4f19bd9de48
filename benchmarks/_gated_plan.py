"""What the gated benchmark runs: sets, arms, ranges and jobs, in one place."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

import skrational

DENSE, RATIONAL, TFIDF = "dense", "rational", "TF-IDF(1,2) + LR"
ARMS = {
    "W": ("weights",),
    "W+N": ("weights", "neurons"),
    "W+G+N": ("weights", "gates", "neurons"),
}
"""``sparsify`` of the paper's arms."""
GROUP_LASSO, BAYES = "group_lasso", "bayes"
FRAMEWORKS = (GROUP_LASSO, BAYES)
VECTORS = "50-d"

Lambdas = Mapping[str, tuple[float, ...]]


def _ratios(first: float, last: float, n: int) -> tuple[float, ...]:
    return tuple(float(f"{x:.3g}") for x in np.geomspace(first, last, n))


@dataclass(frozen=True)
class Recipe:
    """How the paths of a set are fitted under a framework.

    ``lambdas`` are those of each arm, ``params`` the estimator's. What isn't said is as
    the package does it by default.
    """

    lambdas: Lambdas
    n_seeds: int
    epochs_per_lambda: int | None = None
    finetune_epochs: int | None = None
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Language:
    """How language models are fitted: each arm at some lambdas, from the start.

    ``n_documents`` of the set ``texts`` are read of each split.
    """

    texts: str
    level: str
    n_documents: int
    lambdas: Lambdas
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """What may be traded for time.

    ``recipes`` of each set and framework, those of the group lasso also for the dense
    network; ``languages`` by the names of their tasks. ``n_documents`` of training is
    the most that are read of a set, ``rational_lambdas`` count those of the rational
    networks' path. The dense network has the better of ``dense_dropouts`` on dev.
    """

    recipes: Mapping[str, Mapping[str, Recipe]]
    languages: Mapping[str, Language]
    rational_lambdas: int
    n_documents: int | None = None
    dense_dropouts: tuple[float, ...] = (0.1, 0.4)

    def settings(self) -> dict[str, Any]:
        """All that rows depend on: rows of other settings don't go together."""
        settings: dict[str, Any] = {"version": skrational.__version__}
        settings |= {"n_documents": self.n_documents}
        settings |= {"rational_lambdas": self.rational_lambdas}
        settings |= {"dense_dropouts": self.dense_dropouts}
        for name, by_framework in self.recipes.items():
            for framework, recipe in by_framework.items():
                of_recipe = asdict(recipe)
                del of_recipe["n_seeds"]  # It adds jobs and changes none.
                settings[f"{name}, {framework}"] = of_recipe
        settings |= {name: asdict(task) for name, task in self.languages.items()}
        return json.loads(json.dumps(settings))


# Alone, the weights' penalty is a fiftieth of lambda, so that it takes larger ones.
RANGES = {"W": (2e-2, 1.0), "W+N": (1e-3, 0.05), "W+G+N": (5e-4, 2.5e-2)}
EVIDENCE = dict.fromkeys(ARMS, _ratios(0.3, 9, 6))
"""Of the Bayesian framework: 1 means the evidence lower bound."""


def _lasso(n: int) -> Lambdas:
    return {arm: _ratios(*ends, n) for arm, ends in RANGES.items()}


# A path begins at what the warm-up has learned: an order of words takes longer.
LONG = {"epochs_per_lambda": 2, "finetune_epochs": 16, "params": {"warmup_epochs": 10}}
SHORT = {"epochs_per_lambda": 2, "finetune_epochs": 12}
# Noise takes the place of dropout.
NOISE = {"learning_rate": 0.02, "dropout": 0.0}

OF_LANGUAGE = {"W": (1e-2,), "W+N": (1e-3,), "W+G+N": (1e-4, 3e-4)}

FULL = Plan(
    recipes={
        "imdb": {
            GROUP_LASSO: Recipe(_lasso(7), n_seeds=3, **SHORT),
            BAYES: Recipe(EVIDENCE, 3, 3, 12, params=NOISE),
        },
        "ag_news_10k": {
            GROUP_LASSO: Recipe(_lasso(9), n_seeds=3, **LONG),
            BAYES: Recipe(EVIDENCE, 3, 3, 12, params=NOISE),
        },
        "trec": {
            GROUP_LASSO: Recipe(_lasso(9), n_seeds=1, **LONG),
            BAYES: Recipe(EVIDENCE, 1, 8, 12, params=NOISE),
        },
    },
    languages={
        "word_lm": Language(
            "imdb",
            "word",
            n_documents=300,
            lambdas=OF_LANGUAGE,
            params={"max_vocabulary": 5000, "n_units": 64},
        ),
        "character_lm": Language(
            "imdb",
            "character",
            n_documents=150,
            lambdas=OF_LANGUAGE,
            params={"n_units": 64, "dropout": 0.1},
        ),
    },
    rational_lambdas=12,
    n_documents=10_000,
)
BRIEF = {"n_units": 6, "warmup_epochs": 1, "max_epochs": 2, "finetune_epochs": 1}
BRIEF |= {"min_steps_per_epoch": 1}
QUICK = Plan(
    recipes={
        "trec": {
            GROUP_LASSO: Recipe(
                dict.fromkeys(ARMS, (0.01, 0.3)), n_seeds=2, params=BRIEF
            ),
            BAYES: Recipe(dict.fromkeys(ARMS, (0.3, 3.0)), n_seeds=1, params=BRIEF),
        }
    },
    languages={
        f"{level}_lm": Language(
            "trec", level, 50, dict.fromkeys(ARMS, (0.01,)), params=BRIEF
        )
        for level in ("word", "character")
    },
    rational_lambdas=2,
    n_documents=300,
)


@dataclass(frozen=True)
class Job:
    """One piece of work: what its rows say depends on nothing else.

    A path, or a single fit, of the dense network, or at the one ``lambda_`` of a
    language model.
    """

    set: str
    arm: str
    framework: str = ""
    seed: int = 0
    lambda_: float | None = None

    @property
    def key(self) -> str:
        """Names the job's file."""
        parts = [self.set, self.arm, self.framework, f"seed {self.seed}"]
        parts += [] if self.lambda_ is None else [f"lambda {self.lambda_}"]
        return ", ".join(filter(None, parts))


def jobs(plan: Plan, tasks: list[str], frameworks: list[str]) -> list[Job]:
    """All jobs of these sets and language models: what takes long goes first."""
    of_sets = [name for name in plan.recipes if name in tasks]
    languages = [name for name in plan.languages if name in tasks]
    return [
        *(job for name in of_sets for job in _paths(plan, name, frameworks)),
        *(job for name in languages for job in _models(plan, name)),
        *(Job(name, TFIDF) for name in of_sets),
    ]


def _paths(plan: Plan, name: str, frameworks: list[str]) -> Iterator[Job]:
    recipes = plan.recipes[name]
    # One seed of everything before the second of anything.
    for seed in range(max(recipe.n_seeds for recipe in recipes.values())):
        if seed < recipes[GROUP_LASSO].n_seeds:
            yield Job(name, DENSE, seed=seed)
        if seed == 0:
            yield Job(name, RATIONAL)
        for framework in frameworks:
            if seed < recipes[framework].n_seeds:
                # W leaves nearly all gates: one seed tells that.
                arms = (arm for arm in ARMS if arm != "W" or seed == 0)
                yield from (Job(name, arm, framework, seed) for arm in arms)


def _models(plan: Plan, name: str) -> Iterator[Job]:
    yield Job(name, DENSE, lambda_=0.0)
    for arm in ARMS:
        for lambda_ in plan.languages[name].lambdas[arm]:
            yield Job(name, arm, GROUP_LASSO, lambda_=lambda_)
