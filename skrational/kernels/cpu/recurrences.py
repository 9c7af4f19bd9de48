"""The compiled runs of each semiring."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any, NamedTuple

from skrational.kernels.cpu.slabs import SLAB

__all__ = ["Recurrence", "recurrence_of", "token_runs"]

_IS_ADDITIVE = {"max-plus": True, "max-times": False}


class Recurrence(NamedTuple):
    """What runs over the slabs in a semiring.

    Attributes
    ----------
    semiring : str
    activate : callable
        As `skrational.kernels.cpu.slabs.activate`.
    forward : callable
        As `skrational.kernels.cpu.forward.forward`.
    backward : callable
        As `skrational.kernels.cpu.backward.backward`.
    n_saved : int
        Numbers that a slab saves before each stride.
    """

    semiring: str
    activate: Callable[..., Any]
    forward: Callable[..., Any]
    backward: Callable[..., Any]
    n_saved: int


@cache
def recurrence_of(semiring: str) -> Recurrence:
    """Return the runs of a semiring."""
    if semiring == "plus-times":
        from skrational.kernels.cpu.backward import backward
        from skrational.kernels.cpu.forward import forward
        from skrational.kernels.cpu.slabs import activate

        return Recurrence(semiring, activate, forward, backward, SLAB)
    from skrational.kernels.cpu import max_backward, max_forward, max_slabs

    additive = _IS_ADDITIVE[semiring]
    return Recurrence(
        semiring,
        partial(max_slabs.activate, additive=additive),
        partial(max_forward.forward, additive=additive),
        partial(max_backward.backward, additive=additive),
        max_slabs.SAVED,
    )


@cache
def token_runs(semiring: str) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Return what computes the states after every token, and what differentiates it.

    They are called as those of `skrational.kernels.cpu.tokens`.
    """
    if semiring == "plus-times":
        from skrational.kernels.cpu.tokens import run_back, run_tokens

        return run_tokens, run_back
    from skrational.kernels.cpu import max_tokens

    additive = _IS_ADDITIVE[semiring]
    return (
        partial(max_tokens.run_tokens, additive=additive),
        partial(max_tokens.run_back, additive=additive),
    )
