from dataclasses import dataclass
from math import exp

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from skrational.cells.gru import GRUCell
from skrational.cells.lstm import LSTMCell
from skrational.groups import Connections, Groups
from skrational.penalties.base import EpochPenalty, ProximalPenalty
from skrational.penalties.manifolds import (
    Custom,
    Euclidean,
    as_manifold,
    draw_positions,
)
from skrational.penalties.moduli import Moduli
from skrational.structures.gated import StateReadout

MANIFOLDS = ("circle", "klein", "r3", "s3", "sphere", "torus", "torus6")
INHIBITORS = ("constant", "diffusion", "dog", "gauss", "ripple")


def draw_positions_of(name, n_units=5, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return draw_positions(as_manifold(name), n_units, generator)


def draw_weights(n_rows, n_units=5, seed=0):
    rng = np.random.default_rng(seed)
    return torch.tensor(rng.normal(size=(n_rows, n_units)))


def dog(d):
    return 95 * 20 ** (-1 / 19) - 100 * (exp(-(d**2) / 5) - exp(-4 * d**2))


def torus_distance(a, b):
    gaps = [min((x - y) % 10, (y - x) % 10) for x, y in zip(a, b, strict=True)]
    return sum(gap**2 for gap in gaps) ** 0.5


def loop_value(W, positions, unit_of_row, lambda_, power):
    """The penalty of the raw costs and of those of mean 1, weight by weight."""
    W, positions = W.detach().numpy(), positions.numpy()
    n_units = len(positions)
    F = [[dog(torus_distance(p, q)) for q in positions] for p in positions]
    total = 0.0
    for row, unit in zip(W, unit_of_row, strict=True):
        for k in range(n_units):
            total += F[unit][k] * abs(row[k]) ** power
    raw = lambda_ * total / W.size
    return raw, raw / np.mean(F)


@pytest.mark.parametrize("n_gates", [1, 3, 4])
@pytest.mark.parametrize("power", [1.0, 1.5, 2])
def test_the_value_is_that_of_a_loop_over_the_weights(n_gates, power):
    W, positions = draw_weights(5 * n_gates), draw_positions_of("torus")
    connections = Connections.of(W, positions)
    expected = loop_value(W, positions, [0, 1, 2, 3, 4] * n_gates, 0.3, power)
    for scaling, value in zip(("raw", "mean"), expected, strict=True):
        penalty = Moduli(0.3, power=power, scaling=scaling)
        assert penalty.value(connections).item() == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize("kind", [LSTMCell, GRUCell])
def test_gated_cells_are_charged_also_when_they_are_cut(kind):
    reading = StateReadout("last", 0.5)
    cell = kind.dense(3, 5, 1, reading, torch.float64)
    cell.initialize(torch.Generator().manual_seed(0))
    n_gates = cell.groups("gates").n_groups
    live = np.random.default_rng(0).random(n_gates) < 0.7
    cut, _ = cell.pruned("gates", live)
    for network in (cell, cut):
        unit_of_row = network.varies.nonzero()[1]
        positions = draw_positions_of("torus", network.W_hh.shape[1])
        connections = Connections.of(
            network.W_hh, positions, torch.from_numpy(unit_of_row)
        )
        raw, _ = loop_value(network.W_hh, positions, unit_of_row, 2.0, 1)
        value = Moduli(2.0, scaling="raw").value(connections)
        assert value.item() == pytest.approx(raw, rel=1e-12)
    assert len(cut.W_hh) < n_gates


@pytest.mark.parametrize("manifold", MANIFOLDS)
@pytest.mark.parametrize("inhibitor", INHIBITORS)
def test_costs_have_a_mean_of_one(manifold, inhibitor):
    positions = draw_positions_of(manifold, 100).float()
    raw, scaled, permuted = (
        Moduli(1.0, manifold, inhibitor, **options).costs(positions)
        for options in ({"scaling": "raw"}, {}, {"permuted": 3})
    )
    assert scaled.mean().item() == pytest.approx(1, abs=1e-6)
    assert permuted.mean().item() == pytest.approx(1, abs=1e-6)
    torch.testing.assert_close(scaled * raw.mean(), raw)


@pytest.mark.parametrize("scaling", ["mean", "raw"])
@pytest.mark.parametrize("manifold", MANIFOLDS)
def test_the_constant_inhibitor_is_l1_and_not_nothing(manifold, scaling):
    W = draw_weights(20)
    penalty = Moduli(0.7, manifold, "constant", scaling=scaling)
    connections = Connections.of(W, draw_positions_of(manifold))
    expected = 0.7 * W.abs().mean().item()
    assert penalty.value(connections).item() == pytest.approx(expected, rel=1e-12)


def test_permuted_costs_keep_their_values_and_lose_their_places():
    positions = draw_positions_of("klein", 30)
    plain, one, again, other = (
        Moduli(1.0, "klein", permuted=seed).costs(positions) for seed in (None, 0, 0, 1)
    )
    assert torch.equal(one, again)
    assert not torch.equal(one, other)
    assert torch.equal(one.flatten().sort().values, plain.flatten().sort().values)
    assert torch.allclose(plain, plain.T)
    assert not torch.allclose(one, one.T)
    assert (one == plain).double().mean() < 0.1


def test_permuted_costs_are_the_same_for_each_gate():
    W, positions = draw_weights(20), draw_positions_of("torus")
    penalty = Moduli(1.0, permuted=4)
    values = [
        penalty.value(Connections.of(gate, positions)).item() for gate in W.split(5)
    ]
    whole = penalty.value(Connections.of(W, positions)).item()
    assert whole == pytest.approx(np.mean(values), rel=1e-12)


@settings(max_examples=50)
@given(
    seed=st.integers(0, 2**16),
    power=st.sampled_from([1, 2]),
    logs=st.tuples(st.floats(-2, 3), st.floats(-3, 0)),
    n_gates=st.sampled_from([1, 4]),
)
def test_prox_is_the_minimum_of_one_weight_at_a_time(seed, power, logs, n_gates):
    rng = np.random.default_rng(seed)
    W, positions = draw_weights(3 * n_gates, 3, seed), draw_positions_of("torus", 3)
    lambda_, rate = 10.0 ** logs[0], 10.0 ** logs[1]
    D = 10 ** rng.uniform(-2, 1, size=W.shape)
    before, connections = W.numpy().copy(), Connections.of(W, positions)
    penalty = Moduli(lambda_, power=power)
    cut = (
        rate * lambda_ * penalty.costs(positions).repeat(n_gates, 1).numpy() / W.numel()
    )
    penalty.prox_(connections, [torch.tensor(D).reshape(-1, 1)], rate)
    for w, w_0, d, c in zip(W.flatten(), *map(np.ravel, (before, D, cut)), strict=True):
        found = minimize_scalar(
            lambda x, w_0=w_0, d=d, c=c: d * (x - w_0) ** 2 / 2 + c * abs(x) ** power,
            bounds=sorted((0.0, w_0)),
            method="bounded",
            options={"xatol": 1e-10},
        )
        assert w.item() == pytest.approx(found.x, abs=1e-6)
        if power == 1:
            assert (w.item() == 0) == (abs(w_0) * d <= c)


def test_what_is_free_stays_even_at_zero():
    positions = torch.tensor([[0.0, 0.0], [0.0, 3.0]], dtype=torch.float64)
    W = torch.tensor([[0.0, 1.0], [0.2, -4.0]], dtype=torch.float64)
    penalty = Moduli(1.0, inhibitor="diffusion", scaling="raw")
    penalty.prox_(Connections.of(W, positions), [torch.ones(4, 1)], 0.2)
    np.testing.assert_allclose(W, [[0, 0.55], [0, -4]], rtol=1e-12)


def test_it_is_a_proximal_penalty_that_changes_over_epochs():
    penalty = Moduli(1.0)
    for protocol in (ProximalPenalty, EpochPenalty):
        assert isinstance(penalty, protocol)
    assert penalty.scaled(0.25) == Moduli(0.25)
    assert penalty.at_epoch(3) == Moduli(1.0, epoch=3)
    assert hash(penalty) == hash(Moduli(1.0))


def learned(name, n_units=5):
    return draw_positions_of(name, n_units).requires_grad_()


@pytest.mark.parametrize("manifold", MANIFOLDS)
def test_the_gradient_reaches_learned_positions(manifold):
    positions, W = learned(manifold), draw_weights(10).requires_grad_()
    penalty = Moduli(1.0, manifold)

    def value(positions, W):
        return penalty.value(Connections.of(W, positions))

    torch.autograd.gradcheck(value, (positions, W))
    value(positions, W).backward()
    assert positions.grad.isfinite().all()
    assert positions.grad.any()


def test_positions_learn_slower_from_epoch_to_epoch():
    gradients, values = [], []
    for epoch in (0, 1, 7):
        positions = learned("torus")
        penalty = Moduli(1.0, decay=0.9).at_epoch(epoch)
        value = penalty.value(Connections.of(draw_weights(5), positions))
        value.backward()
        gradients.append(positions.grad)
        values.append(value.item())
    assert len(set(values)) == 1
    torch.testing.assert_close(gradients[1], 0.9 * gradients[0])
    torch.testing.assert_close(gradients[2], 0.9**7 * gradients[0])


def test_units_at_one_place_have_a_finite_gradient():
    positions = torch.zeros(5, 2, dtype=torch.float64, requires_grad=True)
    connections = Connections.of(draw_weights(5), positions)
    Moduli(1.0).value(connections).backward()
    assert positions.grad.isfinite().all()


@pytest.mark.parametrize(
    ("options", "positions", "message"),
    [
        ({}, learned("torus"), "learned positions can't be used with solver='prox'"),
        ({"power": 1.5}, draw_positions_of("torus"), r"power=1\.5 and fixed positions"),
    ],
)
def test_without_an_operator_prox_is_refused(options, positions, message):
    connections = Connections.of(draw_weights(5), positions)
    with pytest.raises(ValueError, match=message):
        Moduli(1.0, **options).prox_(connections, [torch.ones(25, 1)], 0.1)


class Counting:
    """An inhibitor that counts its calls."""

    n_calls = 0

    def __call__(self, distances):
        self.n_calls += 1
        return 1 + distances


def test_costs_of_fixed_positions_are_made_once():
    inhibitor, W = Counting(), draw_weights(5)
    penalty = Moduli(1.0, inhibitor=inhibitor)
    connections = Connections.of(W, draw_positions_of("torus"))
    for epoch in range(3):
        penalty.at_epoch(epoch).scaled(0.5).value(connections)
        penalty.prox_(connections, [torch.ones(25, 1)], 0.1)
    assert inhibitor.n_calls == 1
    other = Moduli(1.0, inhibitor=inhibitor, permuted=0)
    assert other.value(connections) != penalty.value(connections)
    moving = Connections.of(W, learned("torus"))
    inhibitor.n_calls = 0
    for _ in range(3):
        penalty.value(moving)
    assert inhibitor.n_calls == 3


def test_what_is_not_hashable_is_charged_and_told_apart():
    @dataclass
    class Own:
        scale: float
        name: str = "own"
        sample = Euclidean.sample
        project_ = Euclidean.project_

        def distance(self, a, b):
            return self.scale * Euclidean().distance(a, b)

    @dataclass
    class Power:
        power: float

        def __call__(self, distances):
            return distances**self.power

    W, positions = draw_weights(5), draw_positions_of("torus")
    connections = Connections.of(W, positions)
    for scale, power in ((1.0, 1.0), (2.0, 1.0), (2.0, 3.0)):
        penalty = Moduli(1.0, Own(scale), Power(power), scaling="raw")
        expected = (penalty.costs(positions) * W.abs()).mean()
        assert penalty.value(connections) == expected


@pytest.mark.parametrize(
    "inhibitor", [lambda d: d > 3, lambda d: (d > 3).long()], ids=["bool", "int"]
)
@pytest.mark.parametrize("scaling", ["raw", "mean"])
def test_costs_may_be_integers_or_booleans(inhibitor, scaling):
    positions = draw_positions_of("torus")
    found, expected = (
        Moduli(1.0, inhibitor=of, scaling=scaling).costs(positions)
        for of in (inhibitor, lambda d: (d > 3).double())
    )
    assert found.dtype is torch.float64
    assert torch.equal(found, expected)


@pytest.mark.parametrize(
    ("inhibitor", "message"),
    [
        (lambda d: d + 1j, "returned complex numbers"),
        (lambda d: d[0], r"returned the shape \(5,\); expected \(5, 5\)"),
        (lambda d: d.numpy(), "returned ndarray; expected a Tensor"),
        (lambda d: (0 * d).log(), "returned -inf; expected numbers from 0 upwards"),
        (lambda d: d / d, "returned nan"),
        (lambda d: d - 1, r"returned -1\.0"),
        (lambda d: 0 * d, "returned 0 for all distances"),
    ],
)
def test_what_an_inhibitor_returns_is_checked(inhibitor, message):
    with pytest.raises(ValueError, match=r"The inhibitor .* " + message):
        Moduli(1.0, inhibitor=inhibitor).costs(draw_positions_of("torus"))


def test_a_distance_of_ones_own_is_charged():
    own = Custom(lambda a, b: (a - b).abs().sum(-1))
    positions = torch.tensor([[0.0], [1.0], [4.0]])
    costs = Moduli(1.0, own, lambda d: 2 * d, scaling="raw").costs(positions)
    assert costs.tolist() == [[0, 2, 8], [2, 0, 6], [8, 6, 0]]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"manifold": "klien"}, "manifold is 'klien'; expected 'circle'"),
        ({"inhibitor": "sinus"}, "inhibitor is 'sinus'; expected 'constant'"),
        ({"power": 0.5}, "power is 0.5; expected a number from 1 on"),
        ({"power": "1"}, "power is '1'"),
        ({"scaling": True}, "scaling is True; expected 'mean' or 'raw'"),
        ({"permuted": "False"}, "permuted is 'False'; expected an integer from 0"),
        ({"permuted": False}, "permuted is False"),
        ({"decay": 0}, "decay is 0; expected a number above 0"),
    ],
)
def test_options_that_are_unknown_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Moduli(1.0, **options)


def test_only_connections_are_charged():
    with pytest.raises(TypeError, match=r"charges Connections.*got Groups"):
        Moduli(1.0).value(Groups.of_entries(draw_weights(5)))


def test_units_far_apart_are_told_by_their_own_positions():
    """Unit 2 lies far from the units 0 and 1, which are near each other."""
    positions = torch.tensor([[0.0, 0.0], [0.5, 0.0], [7.0, 7.0]])
    costs = Moduli(1.0, Euclidean(2), "diffusion", scaling="raw").costs(positions)
    expected = [[0, 0.25, 98], [0.25, 0, 91.25], [98, 91.25, 0]]
    np.testing.assert_allclose(costs, expected)
