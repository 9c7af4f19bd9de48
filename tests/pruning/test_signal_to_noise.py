import pytest
import torch

from skrational.groups import Groups
from skrational.pruning.signal_to_noise import SignalToNoise

MEAN = torch.tensor([[1.0, -1.0, 0.0], [0.2236, -0.2, 1e-30]])
LOG_SIGMA = torch.tensor([[0.0, 1.51, 0.0], [0.0, 0.0, -3.0]])


@pytest.mark.parametrize("progress", [0.0, 1.0])
def test_what_noise_exceeds_goes_at_any_time(progress):
    """At log alpha 3 the squared mean is 0.0498 of the variance."""
    groups = Groups.of_entries(MEAN, LOG_SIGMA)
    live = SignalToNoise(3.0).survivors(groups, progress)
    assert live.tolist() == [True, False, False, True, False, False]


def test_groups_are_told_by_their_numbers():
    first = Groups.of_entries(torch.ones(2), torch.tensor([-3.0, 3.0]))
    joined = Groups.joined([first, Groups.of_entries(MEAN, LOG_SIGMA)])
    backwards = Groups(joined.parts[::-1], joined.n_groups)
    for groups in (joined, backwards):
        live = SignalToNoise(3.0).survivors(groups)
        assert live.tolist() == [True, False, True, False, False, True, False, False]
