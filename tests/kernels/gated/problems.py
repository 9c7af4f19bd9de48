"""Drawn gated cells, and documents for them to read."""

from dataclasses import dataclass

import numpy as np
import torch

N_GATES = {"lstm": 4, "gru": 3}


@dataclass
class Problem:
    """Weights with documents of rows that repeat."""

    kind: str
    x: torch.Tensor
    W_ih: torch.Tensor
    W_hh: torch.Tensor
    b: torch.Tensor
    ids: np.ndarray
    offsets: np.ndarray
    learned: np.ndarray

    @property
    def tensors(self):
        return self.x, self.W_ih, self.W_hh, self.b

    @property
    def arrays(self):
        return tuple(tensor.detach().numpy() for tensor in self.tensors)

    def states(self, module):
        compute = getattr(module, f"{self.kind}_states")
        return compute(*self.tensors, self.ids, self.offsets, self.learned)

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
    kind="lstm",
    sizes=(5, 1, 0, 9),
    n_units=5,
    share=0.6,
    n_features=3,
    dtype=torch.float64,
):
    """Draw a problem in which about a share of the gates is learned."""
    rng = np.random.default_rng(seed)
    learned = rng.random((N_GATES[kind], n_units)) < share
    offsets = np.cumsum([0, *sizes], dtype=np.int64)
    n_rows, M = max(1, int(offsets[-1]) // 2), np.count_nonzero(learned)
    shapes = (n_rows, n_features), (M, n_features), (M, n_units), (4, n_units)
    arrays = [rng.normal(size=shape) for shape in shapes]
    # Larger recurrent weights make chaos, in which rounding errors grow.
    arrays[2] /= np.sqrt(max(1, n_units))
    tensors = (torch.from_numpy(array).to(dtype).requires_grad_() for array in arrays)
    ids = rng.integers(0, n_rows, offsets[-1]).astype(np.int32)
    return Problem(kind, *tensors, ids, offsets, learned)


def loop(problem):
    """The states by the equations, one unit, one gate and one token at a time."""
    x, W_ih, W_hh, b = (array.astype(np.float64) for array in problem.arrays)
    n_gates, H = problem.learned.shape
    row = {gate: m for m, gate in enumerate(map(tuple, np.argwhere(problem.learned)))}
    states = np.empty((len(problem.ids), H))

    def sigmoid(a):
        return 1 / (1 + np.exp(-a))

    def given(weights, vector, gate, k):
        """What a vector gives to a gate: nothing to a constant."""
        return weights[row[gate, k]] @ vector if (gate, k) in row else 0.0

    for start, end in zip(problem.offsets[:-1], problem.offsets[1:], strict=True):
        h, c = np.zeros(H), np.zeros(H)
        for t in range(start, end):
            v, before = x[problem.ids[t]], h.copy()
            for k in range(H):
                a = [
                    given(W_ih, v, gate, k) + given(W_hh, before, gate, k) + b[gate, k]
                    for gate in range(n_gates)
                ]
                if n_gates == 4:
                    i, f, g, o = (
                        sigmoid(a[0]),
                        sigmoid(a[1]),
                        np.tanh(a[2]),
                        sigmoid(a[3]),
                    )
                    c[k] = f * c[k] + i * g
                    h[k] = o * np.tanh(c[k])
                else:
                    r, z = sigmoid(a[0]), sigmoid(a[1])
                    learned = (2, k) in row
                    from_h = given(W_hh, before, 2, k) + b[3, k] if learned else 0.0
                    n = np.tanh(given(W_ih, v, 2, k) + b[2, k] + r * from_h)
                    h[k] = (1 - z) * n + z * before[k]
            states[t] = h
    return states


def assert_close(mine, theirs, tolerance):
    """Compare tensors, each by the size of its largest number."""
    for i, (a, b) in enumerate(zip(mine, theirs, strict=True)):
        a, b = a.detach(), b.detach()
        assert a.shape == b.shape
        scale = 1 + b.abs().max() if b.numel() else 1
        torch.testing.assert_close(
            a, b, rtol=0, atol=tolerance * float(scale), msg=lambda m, i=i: f"{i}: {m}"
        )
