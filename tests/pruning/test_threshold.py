import pytest
import torch

from skrational.groups import Groups, Part
from skrational.pruning.threshold import Threshold


def groups_of(norms):
    return Groups((Part((torch.tensor(norms),), torch.arange(len(norms))),), len(norms))


@pytest.mark.parametrize("progress", [0.0, 0.5, 1.0])
def test_what_is_above_the_threshold_stays_at_any_time(progress):
    groups = groups_of([[0.0], [0.1], [0.100001], [3.0], [1e-30], [0.0999]])
    survivors = Threshold(0.1).survivors(groups, progress)
    assert survivors.tolist() == [False, False, True, True, False, False]


def test_zero_drops_exact_zeros_only():
    groups = groups_of([[0.0, 0.0], [0.0, 1e-15]])
    assert Threshold(0.0).survivors(groups).tolist() == [False, True]
