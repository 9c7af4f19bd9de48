"""A fitted network, as the loop of a graph takes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from skrational.deployment.onnx.graphs import Graph

__all__ = ["Array", "Join", "Network", "Step"]

Array: TypeAlias = NDArray[Any]
Step: TypeAlias = Callable[..., tuple[str, ...]]
Join: TypeAlias = Literal["sum", "max", "last", "every"]


@dataclass(frozen=True, eq=False)
class Network:
    """A fitted network, ready to become a graph.

    Attributes
    ----------
    weight : ndarray of shape (width, n_features), float64
    bias : ndarray of shape (width,), float64
    projected : callable
        Takes ``features @ weight.T + bias`` (..., width), an array; returns what the
        loop reads of each token.
    add_projected : callable
        Adds that to a `Graph`, given the name of a value (batch, tokens, width).
    parts : tuple of int
        Numbers of a token that the loop reads, side by side: it takes as many values.
    begin : tuple of ndarray of shape (n_units,)
        States before the first token; the first one is read out.
    step : callable
        Adds a step to a `Graph`, given the names of the parts and of the states;
        returns those of the states after it.
    join : {"sum", "max", "last", "every"}
        Which of the states after each token are read.
    length_exponent : float
        Sums are divided by the number of tokens to this power.
    coef : ndarray of shape (n_outputs, n_units), float64
    intercept : ndarray of shape (n_outputs,), float64
    dtype : dtype
        Of the loop.
    """

    weight: Array
    bias: Array
    projected: Callable[[Array], Array]
    add_projected: Callable[[Graph, str], str]
    parts: tuple[int, ...]
    begin: tuple[Array, ...]
    step: Step
    join: Join
    length_exponent: float
    coef: Array
    intercept: Array
    dtype: np.dtype[Any]
