import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.utils import prune

from skrational.groups import Groups, Part
from skrational.pruning.magnitude import Magnitude

SHAPES = (7, 3), (7, 7), (2, 7)


def draw_weights(seed=0):
    rng = np.random.default_rng(seed)
    return [torch.tensor(rng.normal(size=shape)) for shape in SHAPES]


def groups_of(weights):
    return Groups.joined(map(Groups.of_entries, weights))


def masks_by_torch(weights, amount):
    """What PyTorch's global pruning leaves of the weights."""
    layers = [torch.nn.Linear(*w.shape[::-1], bias=False) for w in weights]
    for layer, w in zip(layers, weights, strict=True):
        layer.weight = torch.nn.Parameter(w.clone())
    named = [(layer, "weight") for layer in layers]
    prune.global_unstructured(named, prune.L1Unstructured, amount=amount)
    masks = [layer.weight_mask.numpy().ravel() for layer in layers]
    return np.concatenate(masks).astype(bool)


@pytest.mark.parametrize("target", [0.3, 0.9, 0.98])
def test_the_published_schedule_prunes_what_torch_does(target):
    """Before epoch e of E, counted from 0, a share of target * e / (E - 1) goes."""
    n_epochs, weights = 10, draw_weights()
    pruner = Magnitude(target, ramp=(n_epochs - 1) / n_epochs)
    before = np.ones(84, bool)
    for epoch in range(1, n_epochs):
        groups = groups_of(weights)
        live = pruner.survivors(groups, epoch / n_epochs)
        expected = masks_by_torch(weights, target * epoch / (n_epochs - 1))
        np.testing.assert_array_equal(live, expected)
        assert not (live & ~before).any()
        before = live
        groups.zero_(live)
        for w, step in zip(weights, draw_weights(epoch), strict=True):
            w += 0.3 * step * (w != 0)
    assert (~live).sum() == round(84 * target)
    np.testing.assert_array_equal(pruner.survivors(groups_of(weights), 1.0), live)


@settings(max_examples=100)
@given(
    seed=st.integers(0, 2**16),
    sparsity=st.floats(0, 0.999),
    ramp=st.floats(0.1, 1),
    progress=st.floats(0, 1),
    n_levels=st.sampled_from([1, 2, 5, 1000]),
)
def test_exactly_so_many_go_and_none_that_is_larger(
    seed, sparsity, ramp, progress, n_levels
):
    rng = np.random.default_rng(seed)
    levels = rng.normal(size=n_levels) * (rng.random(n_levels) < 0.8)
    weights = [torch.tensor(rng.choice(levels, size=shape)) for shape in SHAPES]
    live = Magnitude(sparsity, ramp).survivors(groups_of(weights), progress)
    sizes = np.concatenate([w.abs().numpy().ravel() for w in weights])
    n_gone = np.count_nonzero(~live)
    assert n_gone == round(sparsity * min(1, progress / ramp) * 84)
    # Sorted by size and then by place, the first go.
    order = sorted(range(84), key=lambda i: (sizes[i], i))
    assert sorted(order[:n_gone]) == np.flatnonzero(~live).tolist()


def test_weights_below_the_root_of_the_smallest_number_are_told_apart():
    w = torch.tensor([1e-30, 0.0, 3e-30, -2e-30])
    assert Magnitude(0.5).survivors(Groups.of_entries(w)).tolist() == [
        False,
        False,
        True,
        True,
    ]


def test_rows_are_ranked_by_the_sum_of_their_magnitudes():
    w = torch.tensor([[3.0, 0.0], [2.0, 2.0], [0.1, 0.1]])
    rows = Groups((Part((w,), torch.arange(3)),), 3)
    assert Magnitude(0.67).survivors(rows).tolist() == [False, True, False]


def test_there_may_be_no_weights():
    assert Magnitude(0.9).survivors(Groups.of_entries(torch.zeros(0, 0))).shape == (0,)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sparsity": 1}, "sparsity is 1; expected a number from 0 to below 1"),
        ({"sparsity": -0.1}, r"sparsity is -0\.1"),
        ({"sparsity": float("nan")}, "sparsity is nan"),
        ({"sparsity": 0.9, "ramp": 0}, "ramp is 0; expected a number above 0"),
        ({"sparsity": 0.9, "ramp": 1.5}, r"ramp is 1\.5"),
    ],
)
def test_shares_are_checked(options, message):
    with pytest.raises(ValueError, match=message):
        Magnitude(**options)
