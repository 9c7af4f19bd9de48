"""The proximal step, against the one for the CPU."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from skrational.penalties.newton import shrink

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("sizes", "width"), [([1] * 6, 7), ([3, 0, 1, 2], 5), ([2, 1], 1100), ([], 3)]
)
def test_shrinks_groups_as_on_the_cpu(room, dtype, sizes, width):
    rng = np.random.default_rng(len(sizes))
    n_rows = sum(sizes)
    weights = rng.normal(size=(n_rows, width)).astype(dtype)
    metric = rng.gamma(1.0, size=(n_rows, width)).astype(dtype) + dtype(1e-4)
    # As where parts of another width are stacked.
    weights[:1, width // 2 :] = metric[:1, width // 2 :] = 0
    starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    rows = rng.permutation(n_rows)
    pull = [np.linalg.norm((metric * weights)[rows[a:b]]) for a, b in pairwise(starts)]
    # One is free of charge, one is emptied, others shrink.
    thresholds = np.array(pull) * np.resize(
        [0.5, 1.01, 0.0, 0.9, 0.01, 0.99], len(pull)
    )
    mine = torch.from_numpy(weights.copy()).to(DEVICE)
    others = [metric, starts, rows, thresholds.astype(dtype)]
    room.newton.shrink(mine, *(torch.from_numpy(a).to(DEVICE) for a in others))
    theirs = weights.copy()
    shrink(theirs, metric, starts, rows, thresholds)
    tolerance = 2e-5 if dtype == np.float32 else 1e-12
    np.testing.assert_allclose(mine.cpu(), theirs, rtol=tolerance, atol=tolerance)
    if sizes:
        assert theirs.any()
    if len(sizes) > 1 and sizes[1]:
        assert not mine[rows[starts[1] : starts[2]]].any()


def test_a_group_that_is_free_of_charge_stays_what_it_is(room):
    # The squares of what pulls at it are too small for a number.
    weights = torch.tensor([[1e-3, -2e-3], [0.0, 0.0]], device=DEVICE)
    metric = torch.full_like(weights, 1e-20)
    starts, rows = (torch.tensor(v, device=DEVICE) for v in ([0, 1, 2], [0, 1]))
    before = weights.clone()
    room.newton.shrink(weights, metric, starts, rows, torch.zeros(2, device=DEVICE))
    assert torch.equal(weights, before)
