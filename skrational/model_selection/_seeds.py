"""Seeds for runs that differ in nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Integral
from typing import Any

from sklearn.base import clone

__all__ = ["check_seeds", "seeded"]


def check_seeds(random_states: Iterable[int] | None) -> list[int | None]:
    """Return the seeds of runs as integers; None for the estimator's own.

    Raises
    ------
    TypeError, ValueError
        If they aren't integers, or there is none, or one twice.
    """
    if random_states is None:
        return [None]
    seeds = (
        list(random_states) if isinstance(random_states, Iterable) else random_states
    )
    if not isinstance(seeds, list) or not all(
        isinstance(s, Integral) and not isinstance(s, bool) for s in seeds
    ):
        raise TypeError(f"random_states is {seeds!r}; expected integers, one a run.")
    if not seeds or len(set(seeds)) < len(seeds):
        raise ValueError(
            f"random_states is {seeds}; expected at least one seed, and none twice: it "
            "would count the same run twice."
        )
    return [int(seed) for seed in seeds]


def seeded(estimator: Any, seed: int | None) -> Any:
    """Return a clone that has the seed in each ``random_state``."""
    estimator = clone(estimator)
    if seed is None:
        return estimator
    names = [n for n in estimator.get_params() if n.split("__")[-1] == "random_state"]
    if not names:
        raise ValueError(
            f"random_states was given, but {type(estimator).__name__} has no parameter "
            "random_state; expected one, of its own or of a part."
        )
    return estimator.set_params(**dict.fromkeys(names, seed))
