"""Drawn Elman networks, and documents for them to read."""

from dataclasses import dataclass

import numpy as np
import torch


@dataclass
class Problem:
    """Weights with documents of rows that repeat."""

    x: torch.Tensor
    W_ih: torch.Tensor
    W_hh: torch.Tensor
    b: torch.Tensor
    ids: np.ndarray
    offsets: np.ndarray
    activation: str

    @property
    def tensors(self):
        return self.x, self.W_ih, self.W_hh, self.b

    @property
    def arrays(self):
        return tuple(tensor.detach().numpy() for tensor in self.tensors)

    def states(self, module):
        return module.elman_states(
            *self.tensors, self.ids, self.offsets, self.activation
        )

    def value_and_gradients(self, module):
        """The states, and the gradients of a sum that weighs each state differently."""
        states = self.states(module)
        weights = torch.linspace(-1, 1, states.numel(), dtype=states.dtype)
        loss = (states * weights.view_as(states)).sum()
        gradients = [torch.zeros_like(tensor) for tensor in self.tensors]
        if loss.requires_grad:
            gradients = torch.autograd.grad(
                loss, self.tensors, allow_unused=True, materialize_grads=True
            )
        return [states.detach(), *gradients]


def draw(
    seed=0,
    activation="tanh",
    sizes=(5, 1, 0, 9),
    n_units=5,
    n_features=3,
    dtype=torch.float64,
    density=1.0,
):
    """Draw a problem in which about a share of the recurrent weights isn't 0."""
    rng = np.random.default_rng(seed)
    offsets = np.cumsum([0, *sizes], dtype=np.int64)
    n_rows = max(1, int(offsets[-1]) // 2)
    shapes = (n_rows, n_features), (n_units, n_features), (n_units, n_units), (n_units,)
    arrays = [rng.normal(size=shape) for shape in shapes]
    arrays[2] *= rng.random((n_units, n_units)) < density
    # Larger recurrent weights make chaos, in which rounding errors grow.
    arrays[2] /= np.sqrt(max(1, n_units))
    tensors = (torch.from_numpy(array).to(dtype).requires_grad_() for array in arrays)
    ids = rng.integers(0, n_rows, offsets[-1]).astype(np.int32)
    return Problem(*tensors, ids, offsets, activation)


def loop(problem):
    """The states by the equation, in double precision."""
    x, W_ih, W_hh, b = (array.astype(np.float64) for array in problem.arrays)
    states = np.empty((len(problem.ids), len(b)))
    for start, end in zip(problem.offsets[:-1], problem.offsets[1:], strict=True):
        h = np.zeros(len(b))
        for t in range(start, end):
            a = W_ih @ x[problem.ids[t]] + W_hh @ h + b
            h = np.tanh(a) if problem.activation == "tanh" else np.maximum(a, 0)
            states[t] = h
    return states
