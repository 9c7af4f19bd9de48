"""LSTM, GRU and Elman networks as the loop of a graph.

A token gives what its features add to each gate, with the gate's bias. A gate that is a
constant has no weights, only the bias. `skrational.kernels.gated.reference` and
`skrational.kernels.elman.reference` define what is computed.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from skrational.deployment.onnx.graphs import Graph
from skrational.deployment.onnx.network import Array, Join, Network, Step
from skrational.structures.network import NetworkKind

__all__ = ["gated_network", "masked_network"]

_ORDER = {"lstm": (0, 1, 3, 2), "gru": (0, 1, 2)}
"""Gates as the loop has them: those with a logistic function before the candidate."""


def gated_network(clf: Any) -> Network:
    """Describe the compact network of a fitted gated classifier."""
    structure, weights = clf.learned_structure_, clf.weights_
    varies, n_units = structure.varies, structure.n_units
    rows = np.flatnonzero(varies)
    W_ih = np.zeros((varies.size, structure.n_features))
    W_ih[np.ix_(rows, np.array(structure.inputs, int))] = weights["W_ih"]
    W_hh = np.zeros((varies.size, n_units))
    W_hh[rows] = weights["W_hh"]
    return _gates(clf, len(varies), W_ih, W_hh, clf._biases(), clf._reading)


def masked_network(estimator: Any) -> Network:
    """Describe the network of an estimator with moduli regularization."""
    kind: NetworkKind = estimator._kind
    weights = estimator.weights_
    W_ih, W_hh = weights["W_ih"], weights["W_hh"]
    n_units = W_hh.shape[1]
    if kind.cell == "elman":
        b = weights.get("b", np.zeros(n_units))
        return _elman(estimator, kind, W_ih, W_hh, b)
    b = weights["b"]
    if kind.cell == "gru":
        b = np.concatenate([b, weights["b_hn"][None]])
    return _gates(estimator, len(W_hh) // n_units, W_ih, W_hh, b, kind.reading)


def _elman(
    estimator: Any, kind: NetworkKind, W_ih: Array, W_hh: Array, b: Array
) -> Network:
    """Describe an Elman network.

    Parameters
    ----------
    estimator : estimator
    kind : NetworkKind
    W_ih : ndarray of shape (H, E)
    W_hh : ndarray of shape (H, H)
    b : ndarray of shape (H,)
    """
    activation = {"tanh": "Tanh", "relu": "Relu"}[kind.activation]
    dtype = estimator.coef_.dtype
    recurrent = np.ascontiguousarray(W_hh.T, dtype)

    def step(body: Graph, x: str, h: str) -> tuple[str, ...]:
        return (body(activation, body("Add", x, body("MatMul", h, recurrent))),)

    return _of_states(estimator, W_ih, b, (len(b),), 1, step, kind.reading)


def _gates(
    estimator: Any, n_gates: int, W_ih: Array, W_hh: Array, b: Array, reading: Any
) -> Network:
    """Describe an LSTM or a GRU.

    Parameters
    ----------
    estimator : estimator
    n_gates : int
        4 of an LSTM, 3 of a GRU.
    W_ih : ndarray of shape (n_gates * H, E)
    W_hh : ndarray of shape (n_gates * H, H)
    b : ndarray of shape (4, H)
    reading : StateReadout
    """
    lstm = n_gates == 4
    n_units, dtype = W_hh.shape[1], estimator.coef_.dtype
    order = list(_ORDER["lstm" if lstm else "gru"])
    of_gate = W_hh.reshape(n_gates, n_units, n_units)[order]
    U = np.ascontiguousarray(of_gate.reshape(-1, n_units).T, dtype)
    thirds = np.full(n_gates, n_units)

    def lstm_step(body: Graph, x: str, h: str, c: str) -> tuple[str, ...]:
        gates = body("Add", x, body("MatMul", h, U))
        sigmoids = np.array([3 * n_units, n_units])
        ifo, g = body.several("Split", (gates, sigmoids), ("", ""), axis=1)
        i, f, o = body.several(
            "Split", (body("Sigmoid", ifo), thirds[:3]), ("", "", ""), axis=1
        )
        kept, new = body("Mul", f, c), body("Mul", i, body("Tanh", g))
        c = body("Add", kept, new)
        return body("Mul", o, body("Tanh", c)), c

    b_hn = np.ascontiguousarray(b[-1], dtype)

    def gru_step(body: Graph, rz: str, n: str, h: str) -> tuple[str, ...]:
        halves = np.array([2 * n_units, n_units])
        heard, heard_n = body.several(
            "Split", (body("MatMul", h, U), halves), ("", ""), axis=1
        )
        gates = body("Sigmoid", body("Add", rz, heard))
        r, z = body.several("Split", (gates, thirds[:2]), ("", ""), axis=1)
        told = body("Mul", r, body("Add", heard_n, b_hn))
        n = body("Tanh", body("Add", n, told))
        return (body("Add", n, body("Mul", z, body("Sub", h, n))),)

    W = W_ih.reshape(n_gates, n_units, -1)[order].reshape(n_gates * n_units, -1)
    bias = b[order].reshape(-1)
    parts = (4 * n_units,) if lstm else (2 * n_units, n_units)
    step: Step = lstm_step if lstm else gru_step
    return _of_states(estimator, W, bias, parts, 2 if lstm else 1, step, reading)


def _of_states(
    estimator: Any,
    W: Array,
    b: Array,
    parts: tuple[int, ...],
    n_states: int,
    step: Step,
    reading: Any,
) -> Network:
    """Describe a network whose hidden states are read.

    Parameters
    ----------
    estimator : estimator
    W : ndarray of shape (width, E)
    b : ndarray of shape (width,)
    parts : tuple of int
    n_states : int
        States that a step takes, of H units each.
    step : callable
    reading : StateReadout
    """
    n_units = estimator.coef_.shape[1]
    joins: dict[str, Join] = {"anywhere": "sum", "last": "last", "every": "every"}
    return Network(
        weight=W.astype(np.float64),
        bias=b.astype(np.float64),
        projected=lambda z: z,
        add_projected=lambda _, z: z,
        parts=parts,
        begin=(np.zeros(n_units),) * n_states,
        step=step,
        join=joins[reading.readout],
        length_exponent=(
            reading.length_exponent if reading.readout == "anywhere" else 0.0
        ),
        coef=estimator.coef_.astype(np.float64),
        intercept=estimator.intercept_.astype(np.float64),
        dtype=estimator.coef_.dtype,
    )
