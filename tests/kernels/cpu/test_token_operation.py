import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from skrational.kernels import reference
from skrational.kernels.cpu import token_operation as cpu
from skrational.kernels.semirings import SEMIRINGS

pytestmark = pytest.mark.usefixtures("poisoned_memory")


def value_and_gradients(kernel, f, u, *documents):
    """States after every token, and gradients of a random linear function of them."""
    states = kernel.token_states(f, u, *documents)
    direction = np.random.default_rng(0).normal(size=states.shape)
    gradients = torch.autograd.grad(states, (f, u), torch.from_numpy(direction))
    return [states.detach(), *gradients]


@settings(max_examples=60)
@given(
    seed=st.integers(0, 2**16),
    sizes=st.lists(st.integers(0, 12), min_size=1, max_size=8).filter(any),
    lengths=st.lists(st.integers(0, 9), min_size=1, max_size=8).filter(any),
    semiring=st.sampled_from(list(SEMIRINGS.values())),
    ties=st.booleans(),
)
def test_equals_the_reference(seed, sizes, lengths, semiring, ties):
    rng = np.random.default_rng(seed)
    offsets, S = np.cumsum([0, *sizes]), sum(lengths)
    n_rows = max(1, offsets[-1] // 2)
    ids = rng.integers(0, n_rows, offsets[-1]).astype(np.int32)
    # Sums and products of the one kind are exact, and often equal.
    f, u = (
        rng.choice([0.5, 1.0], (n_rows, S)) if ties else rng.uniform(size=(n_rows, S))
        for _ in range(2)
    )
    weights = (torch.from_numpy(a).requires_grad_() for a in (f, u))
    problem = *weights, ids, offsets, tuple(lengths), semiring
    for mine, theirs in zip(
        value_and_gradients(cpu, *problem),
        value_and_gradients(reference, *problem),
        strict=True,
    ):
        torch.testing.assert_close(mine, theirs, rtol=1e-12, atol=1e-12)


def test_a_long_document_is_not_run_in_denormals():
    f = torch.full((1, 1), 0.5, dtype=torch.float64)
    u = torch.tensor([[1e-300]], dtype=torch.float64)
    ids, offsets = np.zeros(200, np.int32), np.array([0, 200])
    states = cpu.token_states(f, u, ids, offsets, (1,), SEMIRINGS["max-times"])
    assert (states == 1e-300).all()
    u[:] = 1e-308
    states = cpu.token_states(f, u, ids, offsets, (1,), SEMIRINGS["max-times"])
    assert (states == 0).all()
