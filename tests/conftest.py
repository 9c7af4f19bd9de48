import numpy as np
import pytest
import torch
from hypothesis import settings

# The first call of a compiled kernel takes seconds.
settings.register_profile("skrational", deadline=None)
settings.load_profile("skrational")


@pytest.fixture
def untouched_generators():
    """Fail if the test draws from the global generators of numpy or torch."""
    numpy_state, torch_state = np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
    yield
    np.testing.assert_equal(np.random.get_state(), numpy_state)  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), torch_state)


@pytest.fixture(scope="module")
def poisoned_memory():
    """Fill torch's uninitialized memory with NaN: a store that is forgotten shows."""
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(True)
    yield
    torch.use_deterministic_algorithms(before)


def pytest_make_parametrize_id(val):
    """Name bytes by their number: what archives tell of the time differs by worker."""
    return f"{len(val)} bytes" if isinstance(val, bytes) else None
