from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from skrational.cells.lstm import LSTMCell
from skrational.cells.rational import RationalCell
from skrational.groups import Groups, Part
from skrational.penalties.group_lasso import GroupLasso
from skrational.structures.automata import ScoringRule
from skrational.structures.gated import StateReadout


def prox(w, D, lambda_, step_size):
    """Prox of the rows of w, each a group."""
    w, D = (torch.tensor(np.atleast_2d(a)) for a in (w, D))
    groups = Groups((Part((w,), torch.arange(len(w))),), len(w))
    GroupLasso(lambda_).prox_(groups, [D], step_size)
    return w.numpy()


def objective(w, before, D, cut):
    """The proximal problem of one group, times the step size."""
    return 0.5 * np.sum(D * (w - before) ** 2) + cut * np.linalg.norm(w)


def solve(before, D, cut):
    """The same minimum by a general solver; it can't stop at the kink, so that is
    compared apart."""
    found = minimize(
        objective,
        before,
        args=(before, D, cut),
        jac=lambda w, *_: D * (w - before) + cut * w / np.linalg.norm(w),
        method="BFGS",
        options={"gtol": 1e-11},
    )
    at_zero = objective(np.zeros_like(before), before, D, cut)
    return found.x if found.fun < at_zero else np.zeros_like(before)


def draw(seed, shape):
    rng = np.random.default_rng(seed)
    return rng.normal(size=shape), 10 ** rng.uniform(-2, 1, size=shape)


@pytest.mark.parametrize("cut", [0.03, 0.3, 1.0])
def test_prox_is_the_minimum_that_a_general_solver_finds(cut):
    w, D = draw(0, (6, 4))
    mine = prox(w, D, lambda_=cut / 0.1, step_size=0.1)
    for g in range(6):
        np.testing.assert_allclose(mine[g], solve(w[g], D[g], cut), atol=1e-7)
        assert objective(mine[g], w[g], D[g], cut) <= objective(
            solve(w[g], D[g], cut), w[g], D[g], cut
        ) * (1 + 1e-12)


@settings(max_examples=150)
@given(
    seed=st.integers(0, 2**16),
    width=st.integers(1, 6),
    logs=st.tuples(*[st.floats(-6, 2)] * 3),
    share=st.one_of(st.floats(0.1, 0.999999), st.floats(1.000001, 10)),
)
def test_prox_is_zero_iff_the_pull_is_at_most_the_cut(seed, width, logs, share):
    rng = np.random.default_rng(seed)
    low, size, step = (10.0**v for v in logs)
    w, D = size * rng.normal(size=width), low * 10 ** rng.uniform(0, 3, size=width)
    cut = np.linalg.norm(D * w) * share
    (mine,) = prox(w, D, lambda_=cut / step, step_size=step)
    if share > 1:
        assert not mine.any()
        return
    theta = np.linalg.norm(mine)
    assert 0 < theta < np.linalg.norm(w)
    # The derivative vanishes at the minimum.
    slope = D * (mine - w) + cut * mine / theta
    np.testing.assert_allclose(slope, 0, atol=1e-9 * cut)


@settings(max_examples=60)
@given(seed=st.integers(0, 2**16), cut=st.floats(1e-3, 3))
def test_unit_metric_is_the_soft_threshold(seed, cut):
    w, _ = draw(seed, (3, 5))
    norms = np.linalg.norm(w, axis=1, keepdims=True)
    expected = w * np.maximum(0, 1 - cut / norms)
    mine = prox(w, np.ones_like(w), lambda_=cut, step_size=1.0)
    np.testing.assert_allclose(mine, expected, rtol=1e-10, atol=1e-12)


@settings(max_examples=60)
@given(seed=st.integers(0, 2**16), cut=st.floats(1e-3, 3))
def test_a_group_of_one_is_the_lasso(seed, cut):
    w, D = draw(seed, (7, 1))
    expected = np.sign(w) * np.maximum(0, np.abs(w) - cut / D)
    mine = prox(w, D, lambda_=cut, step_size=1.0)
    np.testing.assert_allclose(mine, expected, rtol=1e-10, atol=1e-12)
    np.testing.assert_array_equal(mine == 0, np.abs(D * w) <= cut)


def test_nothing_changes_without_strength():
    w, D = draw(1, (4, 3))
    np.testing.assert_array_equal(prox(w, D, lambda_=0.0, step_size=0.1), w)
    np.testing.assert_array_equal(prox(w, D, lambda_=1.0, step_size=0.0), w)


def test_a_group_at_zero_stays_there():
    w, D = draw(2, (3, 4))
    w[1] = 0
    mine = prox(w, D, lambda_=1e-3, step_size=1.0)
    assert not mine[1].any()
    assert mine[[0, 2]].all()


@settings(max_examples=60)
@given(seed=st.integers(0, 2**16), cut=st.floats(-6, 1))
def test_single_precision_stays_finite_in_an_extreme_metric(seed, cut):
    rng = np.random.default_rng(seed)
    w = rng.normal(size=(20, 8)).astype(np.float32)
    D = (10 ** rng.uniform(-8, 1, size=w.shape)).astype(np.float32)
    cut = 10.0**cut
    mine = prox(w, D, lambda_=cut, step_size=1.0)
    assert np.all(np.isfinite(mine))
    assert np.all(np.abs(mine) <= np.abs(w))
    pulls = np.linalg.norm(np.float64(D) * w, axis=1)
    clear = np.abs(pulls / cut - 1) > 1e-5
    np.testing.assert_array_equal(mine.any(axis=1)[clear], (pulls > cut)[clear])
    for g in np.flatnonzero(pulls > 1.01 * cut):
        after = np.float64(mine[g])
        slope = D[g] * (after - w[g]) + cut * after / np.linalg.norm(after)
        assert np.abs(slope).max() <= 1e-4 * pulls[g]


AUTOMATA = RationalCell(3, (2, 1, 4), 1, ScoringRule(), torch.float64)
LSTM = LSTMCell.dense(3, 4, 2, StateReadout("last", 0.5), torch.float64)


@pytest.mark.parametrize(
    ("cell", "kind"),
    [
        *((AUTOMATA, kind) for kind in ("states", "wfsas", "transitions")),
        *((LSTM, kind) for kind in ("weights", "gates", "neurons", "inputs")),
    ],
)
def test_groups_of_a_cell_shrink_as_if_each_were_one_vector(cell, kind):
    cell.initialize(torch.Generator().manual_seed(0))
    groups = cell.groups(kind)
    rng = np.random.default_rng(3)
    widths = [part.pack(part.parameters).shape for part in groups.parts]
    metric = [torch.tensor(10 ** rng.uniform(-1, 1, size=shape)) for shape in widths]

    def members(values):
        """Numbers of each group, joined over the parts."""
        return [
            np.concatenate(
                [
                    value[part.group_of_slices == g].detach().numpy().ravel()
                    for part, value in zip(groups.parts, values, strict=True)
                ]
            )
            for g in range(groups.n_groups)
        ]

    def packed():
        return members([p.pack(p.parameters) for p in groups.parts])

    before, D = packed(), members(metric)
    pulls = [np.linalg.norm(d * w) for w, d in zip(before, D, strict=True)]
    lambda_ = 2 * np.median(pulls)
    GroupLasso(lambda_).prox_(groups, metric, 0.5)
    expected = [prox(w, d, lambda_, 0.5)[0] for w, d in zip(before, D, strict=True)]
    emptied = [not w.any() for w in expected]
    assert 0 < sum(emptied) < len(emptied)
    for mine, theirs in zip(packed(), expected, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-11)


def test_a_group_may_have_rows_in_several_parts():
    (w,), (D,) = draw(4, (1, 7))
    first, second = torch.tensor(w[:4].reshape(2, 2)), torch.tensor(w[4:].reshape(1, 3))
    parts = (
        Part((first,), torch.zeros(2, dtype=torch.int64)),
        Part((second,), torch.zeros(1, dtype=torch.int64)),
    )
    metric = [torch.tensor(D[:4].reshape(2, 2)), torch.tensor(D[4:].reshape(1, 3))]
    GroupLasso(0.5).prox_(Groups(parts, 1), metric, 1.0)
    mine = np.concatenate([first.numpy().ravel(), second.numpy().ravel()])
    np.testing.assert_allclose(mine, solve(w, D, 0.5), atol=1e-7)


def test_value_is_the_sum_of_norms_and_has_a_gradient_at_zero():
    w = torch.tensor([[3.0, 4.0], [0.0, 0.0]], requires_grad=True)
    value = GroupLasso(2.0).value(Groups((Part((w,), torch.arange(2)),), 2))
    assert value.item() == 10
    value.backward()
    torch.testing.assert_close(w.grad, torch.tensor([[1.2, 1.6], [0.0, 0.0]]))


def test_overlapping_groups_have_no_proximal_operator():
    w = torch.ones(2, 3)
    parts = Part((w,), torch.arange(2)), Part((w,), 2 + torch.arange(3), axis=1)
    groups = Groups(parts, 5, overlaps=True)
    assert GroupLasso(1.0).value(groups) == pytest.approx(2 * 3**0.5 + 3 * 2**0.5)
    with pytest.raises(ValueError, match="overlap"):
        GroupLasso(1.0).prox_(groups, [torch.ones(2, 3), torch.ones(3, 2)], 0.1)
    assert (w == 1).all()


def test_omega_weighs_value_and_operator_group_by_group():
    generator = torch.Generator().manual_seed(3)
    w = torch.randn(3, 4, generator=generator, dtype=torch.float64)
    metric = [torch.rand(3, 4, generator=generator, dtype=torch.float64) + 0.1]
    omega = torch.tensor([0.0, 1.0, 2.5], dtype=torch.float64)
    groups = Groups((Part((w,), torch.arange(3)),), 3, omega=omega)
    before = w.clone()
    value = GroupLasso(0.3).value(groups)
    torch.testing.assert_close(value, 0.3 * (omega * before.norm(dim=1)).sum())
    GroupLasso(0.3).prox_(groups, metric, 0.5)
    for row, (start, factor) in enumerate(zip(before, omega, strict=True)):
        alone = start[None].clone()
        group = Groups((Part((alone,), torch.tensor([0])),), 1)
        GroupLasso(0.3 * float(factor)).prox_(group, [metric[0][row : row + 1]], 0.5)
        assert torch.equal(w[row], alone[0])


def test_columns_are_shrunk_as_the_rows_of_the_transpose():
    generator = torch.Generator().manual_seed(4)
    w = torch.randn(3, 5, generator=generator)
    metric = torch.rand(3, 5, generator=generator) + 0.1
    rows = w.T.contiguous()
    columns = Part((w,), torch.arange(5), axis=1)
    GroupLasso(0.4).prox_(Groups((columns,), 5), [columns.pack([metric])], 0.7)
    twin = Groups((Part((rows,), torch.arange(5)),), 5)
    GroupLasso(0.4).prox_(twin, [metric.T.contiguous()], 0.7)
    assert torch.equal(w.T, rows)


def entries(weights, omega=None):
    """Groups of one entry each, over several matrices."""
    parts, n_groups = [], 0
    for w in weights:
        number = torch.arange(n_groups, n_groups + w.numel()).reshape(w.shape)
        parts.append(Part((w,), number, axis=None))
        n_groups += w.numel()
    return Groups(tuple(parts), n_groups, omega)


@settings(max_examples=60)
@given(
    seed=st.integers(0, 2**16),
    logs=st.tuples(st.floats(-8, 0), st.floats(-4, 1)),
    dtype=st.sampled_from([torch.float32, torch.float64]),
)
def test_entries_are_soft_thresholded_as_by_newtons_method(seed, logs, dtype):
    rng = np.random.default_rng(seed)
    shapes = (3, 4), (2, 5), (1, 0)
    before = [rng.normal(size=shape) * (rng.random(shape) < 0.8) for shape in shapes]
    D = [10 ** rng.uniform(logs[0], 1, size=shape) for shape in shapes]
    cut = 10 ** logs[1]
    closed, general = ([torch.tensor(w, dtype=dtype) for w in before] for _ in range(2))
    metric = [torch.tensor(d, dtype=dtype).reshape(-1, 1) for d in D]
    omega = torch.ones(22, dtype=dtype)  # with a factor each, they aren't told apart
    GroupLasso(cut / 0.1).prox_(entries(closed), metric, 0.1)
    GroupLasso(cut / 0.1).prox_(entries(general, omega), metric, 0.1)
    rtol, atol = (1e-4, 1e-6) if dtype is torch.float32 else (1e-9, 1e-13)
    for w, d, one, other in zip(before, D, closed, general, strict=True):
        expected = np.sign(w) * np.maximum(0, np.abs(w) - cut / d)
        np.testing.assert_allclose(one, expected, rtol=rtol, atol=atol)
        np.testing.assert_allclose(other, expected, rtol=rtol, atol=atol)
        clear = np.abs(np.abs(w) * d / cut - 1) > 1e-5
        for result in (one, other):
            np.testing.assert_array_equal(
                (result.numpy() == 0)[clear], (expected == 0)[clear]
            )


@pytest.mark.parametrize("with_omega", [False, True])
@pytest.mark.parametrize("kind", ["states", "wfsas", "transitions"])
def test_on_a_device_all_groups_are_shrunk_at_once(kind, with_omega):
    """By the same operator; the CPU stands for the device here."""
    rng = torch.Generator().manual_seed(0)
    rule = ScoringRule("plus-times", "sum", "anywhere", 0.0)
    cells = [RationalCell(5, (3, 1, 2), 1, rule, torch.float64) for _ in range(2)]
    cells[0].initialize(rng)
    cells[1].load_state_dict(cells[0].state_dict())
    ours, theirs = (cell.groups(kind) for cell in cells)
    if with_omega:
        omega = torch.rand(ours.n_groups, generator=rng, dtype=torch.float64)
        # Free of charge, one of them empty.
        omega[:2] = 0
        for cell in cells:
            for parameter in cell.groups(kind).parameters:
                parameter.data[0] = 0
        ours, theirs = (replace(g, omega=omega) for g in (ours, theirs))
    metric = [
        part.pack(
            [torch.rand(p.shape, generator=rng).double() for p in part.parameters]
        )
        * torch.logspace(-2, 1, len(part.group_of_slices))[:, None]
        for part in ours.parts
    ]
    GroupLasso(1.0).prox_(ours, metric, 0.4)
    with torch.no_grad():
        GroupLasso(1.0)._shrink_by_tensors(theirs, metric, 0.4)
    n_zero = sum(not row.any() for row in ours.parameters[0])
    assert 0 < n_zero < len(ours.parameters[0])
    for a, b in zip(ours.parameters, theirs.parameters, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-12)
