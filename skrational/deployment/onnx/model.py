"""The whole graph: tokens in, probabilities out.

What a loop does with padding doesn't matter, since it comes last: states beyond a
sequence are left out when states are read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skrational.deployment.onnx.automata import automata_network
from skrational.deployment.onnx.graphs import Graph, declare, type_of
from skrational.deployment.onnx.network import Array, Network
from skrational.deployment.onnx.states import gated_network, masked_network
from skrational.deployment.onnx.steps import Affine

__all__ = ["IR_VERSION", "OPSET", "TABLE", "Outputs", "network_of", "put_together"]

OPSET = 13
"""Of ONNX 1.8 (2020): the first with all operators in the form that is used here."""
IR_VERSION = 7
TABLE = "table"


@dataclass(frozen=True)
class Outputs:
    """What comes of the logits.

    Attributes
    ----------
    classes : ndarray of shape (n_classes,) or None
        Labels; None of a regressor.
    temperature : float
    n_outputs : int
        Values of a regressor.
    softmax : bool
        Whether a regressor's values are distributions.
    flat : bool
        Whether a regressor gives a number, and not several.
    independent : bool
        Whether each class is a label that may hold, whatever others do.
    """

    classes: NDArray[Any] | None
    temperature: float = 1.0
    n_outputs: int = 1
    softmax: bool = False
    flat: bool = False
    independent: bool = False


def network_of(estimator: Any) -> Network:
    """Describe the network of a fitted estimator of this package."""
    if not estimator.coef_.shape[1]:
        return _nothing(estimator)
    if hasattr(type(estimator), "automata_"):
        return automata_network(estimator)
    if hasattr(type(estimator), "n_gates_"):
        return gated_network(estimator)
    return masked_network(estimator)


def _nothing(estimator: Any) -> Network:
    """Describe a network of which only the intercept is left: one unit, always 0."""
    return Network(
        weight=np.zeros((1, estimator.n_features_in_)),
        bias=np.zeros(1),
        projected=lambda z: z,
        add_projected=lambda _, z: z,
        parts=(1,),
        begin=(np.zeros(1),),
        step=lambda body, _, h: (body("Identity", h),),
        join="last",
        length_exponent=0.0,
        coef=np.zeros((len(estimator.intercept_), 1)),
        intercept=estimator.intercept_.astype(np.float64),
        dtype=estimator.coef_.dtype,
    )


def put_together(network: Network, outputs: Outputs, tokens: Array | Affine) -> Any:
    """Return the graph of a network.

    Parameters
    ----------
    network : Network
    outputs : Outputs
    tokens : ndarray of shape (n_rows, width), or Affine
        What the loop reads of each row of a table, by whose numbers tokens are given;
        or what is done first to tokens that are given as vectors.

    Returns
    -------
    onnx.GraphProto
        Its inputs are ``ids`` (batch, tokens), int64, or ``vectors`` (batch, tokens,
        features), float32; and ``lengths`` (batch,), int64. Its outputs are ``labels``
        (batch,) or, of an indicator matrix, (batch, classes), and ``probabilities``
        (batch, classes), float32, or ``values``.
    """
    graph = Graph()
    if isinstance(tokens, Affine):
        shape = ("batch", "tokens", len(tokens.center))
        given = declare("vectors", type_of(np.float32), shape)
        steps, within = _add_positions(graph, "vectors")
        rows = _add_projection(graph, network, tokens)
    else:
        given = declare("ids", type_of(np.int64), ("batch", "tokens"))
        steps, within = _add_positions(graph, "ids")
        rows = _add_look_up(graph, tokens, steps, within)
    states = _add_loop(graph, network, rows)
    logits = _add_readout(graph, network, states, steps, within)
    every = _is_token(graph, steps, within) if network.join == "every" else None
    lengths = declare("lengths", type_of(np.int64), ("batch",))
    told = _add_outputs(graph, outputs, logits, every)
    return graph.finished("skrational", [given, lengths], told)


def _add_positions(graph: Graph, tokens: str) -> tuple[str, str]:
    """Add the number of each token, (1, T + 1), and lengths of at most T, (B,).

    There is one place more than tokens, since loops can't have no step at all.
    """
    n = graph("Gather", graph("Shape", tokens), np.int64(1), axis=0)
    last = graph("Add", n, np.int64(1))
    steps = graph("Range", np.int64(0), last, np.int64(1))
    lengths = graph("Min", "lengths", n)
    return graph("Unsqueeze", steps, np.array([0])), lengths


def _is_token(graph: Graph, steps: str, lengths: str) -> str:
    """Add whether there is a token, (B, T + 1)."""
    return graph("Less", steps, graph("Unsqueeze", lengths, np.array([1])))


def _add_look_up(graph: Graph, table: Array, steps: str, lengths: str) -> str:
    """Add what the loop reads of numbered rows, (B, T + 1, width)."""
    padded = graph("Pad", "ids", np.array([0, 0, 0, 1]))
    # What stands behind a sequence may be the number of no row.
    ids = graph("Where", _is_token(graph, steps, lengths), padded, np.int64(0))
    return graph("Gather", graph.constant(table, TABLE), ids, axis=0)


def _add_projection(graph: Graph, network: Network, affine: Affine) -> str:
    """Add what the loop reads of feature vectors, (B, T + 1, width)."""
    dtype = network.dtype
    x = graph("Cast", "vectors", to=type_of(dtype))
    if affine.center.any():
        x = graph("Sub", x, affine.center.astype(dtype))
    weight = affine.matrix @ network.weight.T
    bias = affine.offset @ network.weight.T + network.bias
    z = graph("Add", graph("MatMul", x, weight.astype(dtype)), bias.astype(dtype))
    padded = graph("Pad", z, np.array([0, 0, 0, 0, 1, 0]))
    return network.add_projected(graph, padded)


def _add_loop(graph: Graph, network: Network, rows: str) -> str:
    """Add the loop over tokens, and return the states after each, (B, T + 1, H)."""
    dtype, kind = network.dtype, type_of(network.dtype)
    parts: tuple[str, ...] = (rows,)
    if len(network.parts) > 1:
        sizes = np.array(network.parts)
        parts = graph.several("Split", (rows, sizes), ("",) * len(sizes), axis=2)
    n = graph("Gather", graph("Shape", rows), np.array([0]), axis=0)
    begin = [
        graph(
            "Expand",
            state.astype(dtype)[None],
            graph("Concat", n, np.array([len(state)]), axis=0),
        )
        for state in network.begin
    ]
    body = Graph(graph)
    before = [body.name("before") for _ in begin]
    read = [body.name("token") for _ in parts]
    after = network.step(body, *read, *before)
    out = body("Identity", after[0])
    widths = [len(state) for state in network.begin]
    taken = [
        declare(name, kind, ("batch", width))
        for name, width in zip([*before, *read], [*widths, *network.parts], strict=True)
    ]
    given = [
        declare(name, kind, ("batch", width))
        for name, width in zip([*after, out], [*widths, widths[0]], strict=True)
    ]
    found = graph.several(
        "Scan",
        (*begin, *parts),
        ("",) * (len(begin) + 1),
        body=body.finished("step", taken, given),
        num_scan_inputs=len(parts),
        scan_input_axes=[1] * len(parts),
        scan_output_axes=[1],
    )
    return found[-1]


def _add_readout(
    graph: Graph, network: Network, states: str, steps: str, lengths: str
) -> str:
    """Add logits, (B, n_outputs), or those after each token, (B, T + 1, n_outputs).

    Parameters
    ----------
    graph : Graph
    network : Network
    states : str
        (B, T + 1, H)
    steps : str
        The number of each token, (1, T + 1).
    lengths : str
        (B,)
    """
    scores = _add_joined(graph, network, states, steps, lengths)
    if np.isinf(network.begin[0]).any():
        finite = graph("Not", graph("IsInf", scores))
        scores = graph("Where", finite, scores, network.dtype.type(0))
    double = type_of(np.float64)
    scores = graph("Cast", scores, to=double)
    if network.length_exponent:
        n = graph("Max", graph("Cast", lengths, to=double), np.float64(1))
        divisor = graph("Pow", n, np.float64(-network.length_exponent))
        scores = graph("Mul", scores, graph("Unsqueeze", divisor, np.array([1])))
    weighted = graph("MatMul", scores, np.ascontiguousarray(network.coef.T))
    return graph("Add", weighted, network.intercept)


def _add_joined(
    graph: Graph, network: Network, states: str, steps: str, lengths: str
) -> str:
    """Add the states that are read, (B, H) or (B, T + 1, H), as `_add_readout`."""
    if network.join == "every":
        return states
    compare, border = "Less", lengths
    if network.join == "last":
        compare, border = "Equal", graph("Sub", lengths, np.int64(1))
    is_read = graph(compare, steps, graph("Unsqueeze", border, np.array([1])))
    is_read = graph("Unsqueeze", is_read, np.array([2]))
    if network.join == "max":
        nothing = network.dtype.type(network.begin[0][-1])
        masked = graph("Where", is_read, states, nothing)
        return graph("ReduceMax", masked, axes=[1], keepdims=0)
    # A sum of thousands of states in single precision is off in the fifth digit.
    masked = graph("Where", is_read, states, network.dtype.type(0))
    masked = graph("Cast", masked, to=type_of(np.float64))
    return graph("ReduceSum", masked, np.array([1]), keepdims=0)


def _add_outputs(
    graph: Graph, outputs: Outputs, logits: str, is_token: str | None
) -> list[Any]:
    """Add the outputs, and return what declares them."""
    if outputs.classes is None:
        return [_add_values(graph, outputs, logits, is_token)]
    classes = outputs.classes
    n_classes = len(classes)
    scaled = graph("Div", logits, np.float64(outputs.temperature))
    if outputs.independent:
        p = graph("Sigmoid", scaled)
        graph("Cast", p, output="probabilities", to=type_of(np.float32))
        holds = graph("Greater", logits, 0.0)
        graph("Cast", holds, output="labels", to=type_of(np.int64))
        return [
            declare("labels", type_of(np.int64), ("batch", n_classes)),
            declare("probabilities", type_of(np.float32), ("batch", n_classes)),
        ]
    if n_classes == 2:
        signs = np.array([[-1.0, 1.0]])
        p = graph("Sigmoid", graph("Mul", scaled, signs))
        chosen = graph("Cast", graph("Greater", logits, 0.0), to=type_of(np.int64))
        number = graph("Squeeze", chosen, np.array([1]))
    else:
        p = graph("Softmax", scaled, axis=1)
        number = graph("ArgMax", logits, axis=1, keepdims=0)
    graph("Cast", p, output="probabilities", to=type_of(np.float32))
    graph("Gather", classes, number, output="labels", axis=0)
    return [
        declare("labels", type_of(classes.dtype), ("batch",)),
        declare("probabilities", type_of(np.float32), ("batch", n_classes)),
    ]


def _add_values(
    graph: Graph, outputs: Outputs, logits: str, is_token: str | None
) -> Any:
    """Add a regressor's values: of each sequence or, if tokens are given, of these."""
    values, n_outputs = logits, outputs.n_outputs
    if outputs.softmax:
        values = graph("Softmax", values, axis=-1)
    shape: tuple[int | str, ...] = ("batch", n_outputs)
    if is_token is not None:
        chosen = graph("Unsqueeze", is_token, np.array([2]))
        values = graph("Where", chosen, values, np.float64(0))
        ends = np.array([0]), np.array([-1]), np.array([1])
        values = graph("Slice", values, *ends)
        shape = ("batch", "tokens", n_outputs)
    elif outputs.flat:
        values, shape = graph("Squeeze", values, np.array([1])), ("batch",)
    kind = type_of(np.float32)
    graph("Cast", values, output="values", to=kind)
    return declare("values", kind, shape)
