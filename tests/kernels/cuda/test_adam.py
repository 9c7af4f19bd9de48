"""Adam's pass over the weights, against the one for the CPU."""

import numpy as np
import pytest
import torch

from skrational.kernels.cpu.adam import descend

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")


@pytest.mark.parametrize("n", [0, 1, 1000, 2500])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("decays", [False, True])
def test_moves_weights_and_moments_as_on_the_cpu(room, n, dtype, decays):
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(6, n))
    vectors[3:] = np.abs(vectors[3:])  # square, metric, decay
    vectors[5] *= decays
    vectors = torch.from_numpy(vectors).to(dtype)
    constants = [decays, 0.1, 0.999, 0.0316, 1e-8, 0.02]
    mine = [vector.clone().to(DEVICE) for vector in vectors]
    room.adam.descend(*mine, torch.tensor(constants, dtype=dtype).to(DEVICE))
    theirs = [vector.numpy().copy() for vector in vectors]
    descend(*theirs, np.array(constants, theirs[0].dtype))
    tolerance = 1e-6 if dtype == torch.float32 else 1e-14
    for name, a, b in zip(range(6), mine, theirs, strict=True):
        np.testing.assert_allclose(
            a.cpu(), b, rtol=tolerance, atol=tolerance, err_msg=name
        )
