"""Graphs put together node by node: values are names, and arrays are constants."""

from __future__ import annotations

from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Graph", "declare", "type_of"]


def type_of(dtype: Any) -> int:
    """Return the number that ONNX has for a type of numpy."""
    from onnx import helper

    return int(helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))


def declare(name: str, kind: int, shape: tuple[int | str, ...]) -> Any:
    """Declare an input or an output; dimensions that are free have names."""
    from onnx import helper

    return helper.make_tensor_value_info(name, kind, shape)


class Graph:
    """A graph that is being put together.

    Parameters
    ----------
    around : Graph or None, default=None
        The graph in which this one is the body of a loop; it has the constants.

    Attributes
    ----------
    nodes, constants : list
        What there is so far.

    Examples
    --------
    >>> graph = Graph()
    >>> total = graph("Add", "x", np.float32(1))
    >>> [node.op_type for node in graph.nodes], len(graph.constants)
    (['Add'], 1)
    """

    def __init__(self, around: Graph | None = None) -> None:
        self.around = around
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self._names: dict[Any, str] = {}
        self._counter: count[int] = around._counter if around else count()

    def __call__(
        self, kind: str, *inputs: Any, output: str = "", **attributes: Any
    ) -> str:
        """Add a node with one output, and return that.

        Parameters
        ----------
        kind : str
            The operator.
        *inputs : str, or array-like
            Values by name; whatever is no str is a constant.
        output : str, default=""
            The name of the output; by default one that nothing else has.
        **attributes
            The operator's.
        """
        return self.several(kind, inputs, (output,), **attributes)[0]

    def several(
        self, kind: str, inputs: Any, outputs: tuple[str, ...], **attributes: Any
    ) -> tuple[str, ...]:
        """Add a node with several outputs; those named "" get names."""
        from onnx import helper

        names = [v if isinstance(v, str) else self.constant(v) for v in inputs]
        named = tuple(name or self.name(kind) for name in outputs)
        self.nodes.append(helper.make_node(kind, names, list(named), **attributes))
        return named

    def constant(self, value: Any, name: str = "") -> str:
        """Return the name of a constant, which is kept once."""
        if self.around is not None:
            return self.around.constant(value, name)
        from onnx import numpy_helper

        array: NDArray[Any] = np.asarray(value)
        key = array.tobytes(), array.dtype.str, array.shape, name
        if key not in self._names:
            self._names[key] = name or self.name("constant")
            tensor = numpy_helper.from_array(
                np.ascontiguousarray(array).reshape(array.shape), self._names[key]
            )
            self.constants.append(tensor)
        return self._names[key]

    def name(self, kind: str) -> str:
        """Return a name that nothing else has."""
        return f"{kind.lower()}_{next(self._counter)}"

    def finished(self, name: str, inputs: list[Any], outputs: list[Any]) -> Any:
        """Return the graph, with what it takes and gives as `declare` made it."""
        from onnx import helper

        return helper.make_graph(
            self.nodes, name, inputs, outputs, initializer=self.constants
        )
