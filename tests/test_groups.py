import numpy as np
import pytest
import torch

from skrational.groups import Connections, Groups, Part


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


def test_columns_are_groups_of_the_parameter_itself():
    W, A = torch.randn(3, 4), torch.randn(2, 4)
    group = torch.tensor([1, 0, 1, 2])
    columns = Part((W, A), group, axis=1)
    packed = columns.pack((W, A))
    assert torch.equal(packed, torch.cat([W, A]).T)
    norms = Groups((columns,), 3).norms()
    both = torch.cat([W, A])
    expected = [both[:, 1].norm(), both[:, [0, 2]].norm(), both[:, 3].norm()]
    torch.testing.assert_close(norms, torch.stack(expected))
    columns.scale_(2 * torch.ones(4, 5))
    assert torch.equal(torch.cat([W, A]), 2 * both)


def test_single_entries_may_be_groups():
    W = torch.tensor([[3.0, 1.0], [4.0, 0.0]])
    entries = Part((W,), torch.tensor([[0, 1], [0, 2]]), axis=None)
    groups = Groups((entries,), 3)
    assert groups.norms().tolist() == [5.0, 1.0, 0.0]
    groups.zero_(np.array([False, True, True]))
    assert W.tolist() == [[0.0, 1.0], [0.0, 0.0]]


@pytest.mark.parametrize("axis", [0, 1, None])
def test_what_is_not_live_becomes_zero_even_if_it_is_not_finite(axis):
    W = torch.full((2, 2), torch.inf)
    group = torch.tensor([[0, 1], [1, 0]]) if axis is None else torch.arange(2)
    Groups((Part((W,), group, axis),), 2).zero_(np.array([False, True]))
    dead = {0: W[0], 1: W[:, 0], None: W.diagonal()}[axis]
    assert not dead.any()
    assert torch.isinf(W).sum() == 2


@pytest.mark.parametrize(
    ("axis", "shape"), [(0, (3,)), (1, (2,)), (None, (2,)), (0, (2, 3))]
)
def test_a_group_for_each_slice_is_asked_for(axis, shape):
    group = torch.zeros(shape, dtype=torch.int64)
    with pytest.raises(ValueError, match="group has the shape"):
        Part((torch.ones(2, 3),), group, axis)


def rows_and_columns(W, **options):
    parts = Part((W,), torch.arange(2)), Part((W,), 2 + torch.arange(3), axis=1)
    return Groups(parts, 5, **options)


def test_a_parameter_in_two_parts_must_be_declared():
    W = torch.ones(2, 3)
    with pytest.raises(ValueError, match="in several parts"):
        rows_and_columns(W)
    with pytest.raises(ValueError, match="in several parts"):
        Groups((Part((W, W), torch.arange(2)),), 2)
    transposed = Part((W.T,), 2 + torch.arange(3))
    with pytest.raises(ValueError, match="in several parts"):
        Groups((Part((W,), torch.arange(2)), transposed), 5)


def test_overlapping_groups_have_norms_and_can_be_zeroed():
    W = torch.tensor([[3.0, 0.0, 1.0], [4.0, 0.0, 1.0]])
    groups = rows_and_columns(W, overlaps=True)
    norms = groups.norms().tolist()
    assert norms == pytest.approx([10**0.5, 17**0.5, 5, 0, 2**0.5])
    groups.zero_(np.array([True, False, False, True, True]))
    assert W.tolist() == [[0.0, 0.0, 1.0], [0.0, 0.0, 0.0]]


def test_omega_has_a_factor_for_each_group():
    with pytest.raises(ValueError, match=r"omega has the shape \(3,\)"):
        Groups((Part((torch.ones(2, 3),), torch.arange(2)),), 2, omega=torch.ones(3))


def test_connections_are_the_entries_of_the_parameter_itself():
    W, positions = torch.randn(6, 3), torch.randn(3, 2)
    connections = Connections.of(W, positions)
    assert connections.parameters[0] is W is connections.weights
    assert connections.positions is positions
    assert connections.are_entries
    assert connections.n_groups == 18
    assert connections.unit_of_row.tolist() == [0, 1, 2, 0, 1, 2]
    connections.zero_(np.arange(18) % 2 == 0)
    assert (W.flatten() != 0).tolist() == [True, False] * 9


@pytest.mark.parametrize(
    ("n_positions", "unit_of_row", "message"),
    [
        (2, None, r"positions has the shape \(2, 2\); expected \(3, n_coord"),
        (3, [0, 1, 2], r"unit_of_row is .* expected 4 numbers below 3"),
        (3, [0, 1, 2, 3], r"unit_of_row is .* expected 4 numbers below 3"),
        (3, [0, 1, 2, -1], r"unit_of_row is .* expected 4 numbers below 3"),
    ],
)
def test_each_unit_has_a_position_and_each_row_a_unit(
    n_positions, unit_of_row, message
):
    units = None if unit_of_row is None else torch.tensor(unit_of_row)
    with pytest.raises(ValueError, match=message):
        Connections.of(torch.ones(4, 3), torch.ones(n_positions, 2), units)


def test_what_is_made_of_fixed_positions_is_made_once():
    made = []

    def make():
        made.append(torch.ones(len(made)))
        return made[-1]

    connections = Connections.of(torch.ones(3, 3), torch.ones(3, 2))
    assert connections.from_positions("one", make) is made[0]
    assert connections.from_positions("one", make) is made[0]
    assert connections.from_positions("other", make) is made[1]
    learned = Connections.of(torch.ones(3, 3), torch.ones(3, 2, requires_grad=True))
    assert learned.from_positions("one", make) is made[2]
    assert learned.from_positions("one", make) is made[3]
