import numpy as np
import pytest
import torch

from skrational.groups import Groups, Part


@pytest.fixture
def groups():
    """Three groups over two parts; group 1 has rows in both."""
    generator = torch.Generator().manual_seed(0)

    def draw(*shape):
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    first = Part((draw(4, 3), draw(4)), torch.tensor([1, 0, 1, 0]))
    second = Part((draw(2, 2, 2),), torch.tensor([2, 1]))
    return Groups((first, second), 3)


def members(groups, g):
    """All numbers of group g, row by row."""
    return np.concatenate(
        [
            p[row].detach().numpy().ravel()
            for part in groups.parts
            for row in range(len(part.group))
            if part.group[row] == g
            for p in part.parameters
        ]
    )


def test_norms_are_those_of_all_members(groups):
    expected = [np.linalg.norm(members(groups, g)) for g in range(3)]
    assert [len(members(groups, g)) for g in range(3)] == [8, 12, 4]
    np.testing.assert_allclose(groups.norms(), expected, rtol=1e-14)


def test_packed_rows_are_scaled_in_place(groups):
    part = groups.parts[0]
    W, b = part.parameters
    packed = part.pack(part.parameters)
    np.testing.assert_array_equal(packed, np.column_stack([W, b]))
    factors = torch.arange(16.0, dtype=torch.float64).reshape(4, 4)
    part.scale_(factors)
    np.testing.assert_array_equal(part.pack((W, b)), packed * factors)


def test_a_parameter_of_three_dimensions_is_scaled_in_place(groups):
    part = groups.parts[1]
    before = part.parameters[0].clone()
    part.scale_(torch.tensor([[1.0, 2, 3, 4], [0, 0, 0, 0]], dtype=torch.float64))
    expected = before[0] * torch.tensor([[1.0, 2], [3, 4]])
    assert torch.equal(part.parameters[0][0], expected)
    assert not part.parameters[0][1].any()


def test_the_gradient_of_a_norm_is_the_direction_or_zero():
    W = torch.tensor([[3.0, 4.0], [0.0, 0.0]], requires_grad=True)
    groups = Groups((Part((W,), torch.arange(2)),), 2)
    groups.norms().sum().backward()
    torch.testing.assert_close(W.grad, torch.tensor([[0.6, 0.8], [0.0, 0.0]]))


def test_a_group_without_rows_has_norm_zero():
    groups = Groups((Part((torch.ones(1, 4),), torch.tensor([2])),), 4)
    assert groups.norms().tolist() == [0, 0, 2, 0]


def test_there_may_be_no_groups_at_all():
    part = Part((torch.zeros(0, 5), torch.zeros(0)), torch.zeros(0, dtype=torch.int64))
    assert Groups((part,), 0).norms().shape == (0,)
