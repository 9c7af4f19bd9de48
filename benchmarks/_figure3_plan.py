"""What figure3 runs: sets, counts, ranges and jobs, in one place."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

import skrational
from benchmarks._features import JOINED, PLANTED

READOUTS = ("end", "anywhere")
BASELINES = {
    "1-grams": 1,
    "2-grams": 2,
    "3-grams": 3,
    "4-grams": 4,
    "mixed": (1, 2, 3, 4),
}
"""States of the 24 automata of each unregularized network."""
DENSE = "4-grams"
GOALS, WITHIN = (20, 40, 60, 80), 10
"""Numbers of transitions to reach, and how far off the paper lets a model be."""
LIMITS = (20, 9, 6)
"""The most transitions of models that are compared beside those at the goals; nine are
the tenth part of the dense network's 96."""
PATH, POINT = "path", "point"
LONGER = "path finetuned longer"
SEARCH_BASELINES, SEARCH_PATH = "search baselines", "search path"
TFIDF, MEAN, LSTM = "TF-IDF(1,2) + LR", "mean vectors + LR", "nn.LSTM"
SEARCH_SEED = 100
"""Not one of the seeds of the runs, or their dev scores would be those chosen by."""


FIRST_DRAWS = ({"word_dropout": 0.0}, {"word_dropout": 0.1})


def _ratios(first: float, last: float, n: int) -> tuple[float, ...]:
    return tuple(float(f"{x:.3g}") for x in np.geomspace(first, last, n))


@dataclass(frozen=True)
class Plan:
    """What may be traded for time.

    ``vectors`` says for each set which word vectors it takes, ``lambdas`` for each
    readout the strengths along a path, ``fewer_seeds`` which sets run less often,
    ``searched_on`` which take the hyper-parameters of another. A number of draws counts
    those beside the package's defaults, which are tried first. ``params`` are the
    classifier's in all its fits, ``params_of`` those on some sets.
    """

    vectors: Mapping[str, str]
    n_seeds: int
    lambdas: Mapping[str, tuple[float, ...]]
    baseline_draws: int
    path_draws: int
    path_finetune_epochs: int
    longer_finetune_epochs: int
    lstm_size: int
    lstm_epochs: int
    lstm_seeds: int
    lstm_rates: tuple[float, ...]
    lstm_tokens: int
    fewer_seeds: Mapping[str, int] = field(default_factory=dict)
    searched_on: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, Any] = field(default_factory=dict)
    params_of: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def settings(self) -> dict[str, Any]:
        """All that rows depend on: rows of other settings don't go together."""
        settings = asdict(self) | {"version": skrational.__version__}
        # They add jobs and change none.
        for name in ("n_seeds", "fewer_seeds", "lstm_seeds"):
            del settings[name]
        return json.loads(json.dumps(settings))

    def source(self, name: str) -> str:
        """The set whose search serves this one."""
        return self.searched_on.get(name, name)


FULL = Plan(
    vectors={
        "amazon_kitchen": JOINED,
        "amazon_dvd": JOINED,
        "amazon_books": JOINED,
        "amazon_mix": JOINED,
        "sst2": JOINED,
    },
    n_seeds=5,
    fewer_seeds={"amazon_mix": 2},
    searched_on=dict.fromkeys(
        ("amazon_dvd", "amazon_books", "amazon_mix"), "amazon_kitchen"
    ),
    params_of={
        "amazon_mix": {"warmup_epochs": 3, "max_epochs": 10, "finetune_epochs": 10}
    },
    lambdas={"end": _ratios(3e-5, 3e-2, 20), "anywhere": _ratios(3e-4, 0.1, 20)},
    baseline_draws=2,
    path_draws=2,
    path_finetune_epochs=5,
    longer_finetune_epochs=10,
    lstm_size=32,
    lstm_epochs=6,
    lstm_seeds=1,
    lstm_rates=(4e-3,),
    lstm_tokens=400,
)
QUICK = Plan(
    vectors={PLANTED: PLANTED},
    n_seeds=2,
    lambdas=dict.fromkeys(READOUTS, (1e-3, 3e-3, 1e-2, 3e-2, 1e-1)),
    baseline_draws=1,
    path_draws=1,
    path_finetune_epochs=1,
    longer_finetune_epochs=2,
    params={"warmup_epochs": 1, "max_epochs": 3, "finetune_epochs": 1},
    lstm_size=24,
    lstm_epochs=2,
    lstm_seeds=1,
    lstm_rates=(1e-2,),
    lstm_tokens=100,
)


@dataclass(frozen=True)
class Job:
    """One piece of work: what its rows say depends on nothing else."""

    set: str
    method: str
    readout: str = ""
    seed: int = 0
    draw: int | None = None
    params: Mapping[str, Any] = field(default_factory=dict, compare=False)

    @property
    def key(self) -> str:
        """Names the job's file."""
        parts = [self.set, self.method, self.readout, f"seed {self.seed}"]
        parts += [] if self.draw is None else [f"draw {self.draw}"]
        return ", ".join(filter(None, parts))


def draw(number: int) -> dict[str, float]:
    """The hyper-parameters of a draw, the same for all sets and readouts.

    The package's defaults without word dropout and with it, then the paper's ranges.
    Learning rates end at .1 instead of .5.
    """
    if number < len(FIRST_DRAWS):
        return FIRST_DRAWS[number]
    rng = np.random.default_rng([SEARCH_SEED, number])
    drawn = {
        "learning_rate": np.exp(rng.uniform(np.log(7e-3), np.log(0.1))),
        "dropout": rng.uniform(0, 0.5),
        "word_dropout": rng.uniform(0, 0.5),
        "max_grad_norm": rng.uniform(1, 5),
        "weight_decay": 10 ** rng.uniform(-7, -5),
    }
    return {name: float(f"{value:.3g}") for name, value in drawn.items()}


def search_jobs(plan: Plan, sets: list[str]) -> list[Job]:
    """What has to be known before `runs`."""
    counts = {SEARCH_BASELINES: plan.baseline_draws, SEARCH_PATH: plan.path_draws}
    return [
        Job(name, method, readout, SEARCH_SEED, number, draw(number))
        for name in dict.fromkeys(map(plan.source, sets))
        for method, count in counts.items()
        for readout in READOUTS
        for number in range(count + 1)
    ]


def runs(
    plan: Plan, sets: list[str], n_seeds: int, found: list[dict[str, Any]]
) -> list[Job]:
    """All runs whose test scores count, with the parameters that the search found."""
    jobs = []
    for name in sets:
        seeds = range(min(n_seeds, plan.fewer_seeds.get(name, n_seeds)))
        jobs += [Job(name, TFIDF), Job(name, MEAN)]
        jobs += [Job(name, LSTM, seed=s) for s in seeds if s < plan.lstm_seeds]
        for readout in READOUTS:
            for method in (*BASELINES, *path_methods(readout)):
                search = SEARCH_BASELINES if method in BASELINES else SEARCH_PATH
                params = draw(best_draw(found, plan.source(name), search, readout))
                jobs += [Job(name, method, readout, s, params=params) for s in seeds]
    return jobs


def path_methods(readout: str) -> tuple[str, ...]:
    """Longer finetuning is tried with the default readout alone."""
    return (PATH, LONGER) if readout == "anywhere" else (PATH,)


def best_draw(rows: list[dict[str, Any]], name: str, search: str, readout: str) -> int:
    """The draw of the best dev score; of equal ones the first."""
    of_search = [
        row
        for row in rows
        if (row["set"], row["method"], row["readout"]) == (name, search, readout)
    ]
    of_search.sort(key=lambda row: (-row["dev"], row["draw"]))
    return of_search[0]["draw"]


def cost(job: Job, n_tokens: int) -> float:
    """About proportional to a job's seconds: the longest go first."""
    if job.method in BASELINES:
        return n_tokens * (1 + np.mean(BASELINES[job.method])) / 5
    factors = {PATH: 2.5, LONGER: 4, SEARCH_PATH: 2.5, SEARCH_BASELINES: 1, LSTM: 4}
    return n_tokens * factors.get(job.method, 0.1)
