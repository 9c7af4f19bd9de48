"""Weighted automata as the loop of a graph.

A token gives the weights f and u of the transitions that it would take. Before the
states of all automata stands their start, which stays as it is: its f is the semiring's
one and its u the zero. `skrational.kernels.reference` defines what is computed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import expit, log_expit

from skrational.deployment.onnx.graphs import Graph
from skrational.deployment.onnx.network import Array, Join, Network

__all__ = ["automata_network"]

_ZERO_ONE = {
    "plus-times": (0.0, 1.0),
    "max-plus": (-np.inf, 0.0),
    "max-times": (0.0, 1.0),
}


def automata_network(clf: Any) -> Network:
    """Describe the automata of a fitted classifier."""
    automata, dtype = clf.automata_, clf.coef_.dtype
    zero, one = _ZERO_ONE[automata.semiring]
    n_states, starts = automata.n_transitions, automata.starts
    first, wfsa = starts[:-1], np.repeat(np.arange(automata.n_wfsas), automata.lengths)
    # Column 0 is the start of all automata.
    before = np.arange(n_states + 1) - 1
    before[0] = 0
    before[1 + first] = 0
    coef = np.zeros((len(automata.intercept), n_states + 1))
    coef[:, 1:] = automata.coef.astype(np.float64)[:, wfsa] * automata.final
    plus, times = _operators(automata.semiring)

    def step(body: Graph, f: str, u: str, c: str) -> tuple[str, ...]:
        entered = body(times, u, body("Gather", c, before, axis=1))
        return (body(plus, body(times, f, c), entered),)

    def projected(z: Array) -> Array:
        z_f, z_u = z[..., :n_states], z[..., n_states:]
        if automata.semiring == "plus-times":
            f, u = expit(z_f), expit(-z_f) * z_u
        elif automata.semiring == "max-plus":
            f, u = log_expit(z_f), expit(z_u)
        else:
            f, u = expit(z_f), expit(z_u)
        ahead = [np.full((*z.shape[:-1], 1), value) for value in (one, zero)]
        return np.concatenate([ahead[0], f, ahead[1], u], axis=-1)

    def add_projected(graph: Graph, z: str) -> str:
        halves = np.array([n_states, n_states])
        z_f, z_u = graph.several("Split", (z, halves), ("", ""), axis=2)
        if automata.semiring == "plus-times":
            f = graph("Sigmoid", z_f)
            u = graph("Mul", graph("Sigmoid", graph("Neg", z_f)), z_u)
        elif automata.semiring == "max-plus":
            f, u = _add_log_sigmoid(graph, z_f, dtype), graph("Sigmoid", z_u)
        else:
            f, u = graph("Sigmoid", z_f), graph("Sigmoid", z_u)
        front = np.array([0, 0, 1, 0, 0, 0])
        f = graph("Pad", f, front, dtype.type(one))
        u = graph("Pad", u, front, dtype.type(zero))
        return graph("Concat", f, u, axis=2)

    joined: Join = "sum" if automata.semiring == "plus-times" else "max"
    return Network(
        weight=np.concatenate([automata.W_f, automata.W_u]).astype(np.float64),
        bias=np.concatenate([automata.b_f, np.zeros(n_states)]).astype(np.float64),
        projected=projected,
        add_projected=add_projected,
        parts=(n_states + 1, n_states + 1),
        begin=(np.array([one] + [zero] * n_states),),
        step=step,
        join="last" if automata.match == "end" else joined,
        length_exponent=automata.length_exponent,
        coef=coef,
        intercept=automata.intercept.astype(np.float64),
        dtype=dtype,
    )


def _operators(semiring: str) -> tuple[str, str]:
    """Name the operators for plus and times."""
    plus = "Add" if semiring == "plus-times" else "Max"
    return plus, "Add" if semiring == "max-plus" else "Mul"


def _add_log_sigmoid(graph: Graph, z: str, dtype: Any) -> str:
    """Add the logarithm of the logistic function, without overflow."""
    larger = graph("Relu", graph("Neg", z))
    decay = graph("Exp", graph("Neg", graph("Abs", z)))
    rest = graph("Log", graph("Add", decay, dtype.type(1)))
    return graph("Neg", graph("Add", larger, rest))
