"""Networks with placed units: their masks, costs and positions."""

import numpy as np
import pytest
import torch

from skrational.cells.placed import Placement, dense_cell, place_cell
from skrational.penalties.manifolds import as_manifold
from skrational.penalties.moduli import Moduli
from skrational.structures.gated import StateReadout
from skrational.structures.network import NetworkKind

CELLS = {"elman": 1, "lstm": 4, "gru": 3}
N_UNITS = 6


def placed(cell="elman", pruned="recurrent", manifold="torus", **moduli):
    kind = NetworkKind(cell, "tanh", True, StateReadout("last", 0.5))
    generator = torch.Generator().manual_seed(0)
    positions = as_manifold(manifold).sample(N_UNITS, generator)
    network = dense_cell(kind, (3, N_UNITS, 2), torch.float64).initialize(generator)
    placement = Placement(Moduli(1.0, manifold, **moduli), pruned)
    return network.placed(placement, positions)


@pytest.mark.parametrize("cell", CELLS)
def test_each_gate_costs_the_same_by_a_loop(cell):
    network = placed(cell, scaling="raw")
    moduli = network.placement.moduli
    F = moduli.costs(network.positions).numpy()
    W = network.W_hh.detach().numpy()
    assert W.shape == (CELLS[cell] * N_UNITS, N_UNITS)
    expected = np.mean(
        [
            [F[j % N_UNITS, k] * abs(W[j, k]) for k in range(N_UNITS)]
            for j in range(len(W))
        ]
    )
    value = moduli.value(network.groups("recurrent"))
    assert float(value.detach()) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("pruned", ["recurrent", "all"])
def test_what_is_pruned_is_zero_and_said_so(cell, pruned):
    network = placed(cell, pruned)
    n_groups = network.groups(pruned).n_groups
    live = np.random.default_rng(0).random(n_groups) < 0.4
    expected = network.live_structure(pruned, live)
    assert network.structure().size == network.structure().size_initial
    same, cut = network.pruned(pruned, live)
    assert same is network
    assert cut is None
    assert network.structure() == expected
    of_kind = ["W_hh"] if pruned == "recurrent" else ["W_ih", "W_hh", "A"]
    assert sum(expected.masks[name].sum() for name in of_kind) == live.sum()


@pytest.mark.parametrize("cell", CELLS)
def test_a_structure_and_arrays_give_the_cell_again(cell):
    network = placed(cell)
    network.pruned(
        "recurrent", np.arange(network.groups("recurrent").n_groups) % 2 == 0
    )
    twin = place_cell(
        network.kind, network.structure(), network.placement, torch.float64
    )
    twin.set_arrays(network.to_arrays())
    assert twin.structure() == network.structure()


def test_positions_are_learned_and_then_settle():
    network = placed(manifold="s3").learning_positions()
    assert next(iter(network.constrained())) is network.positions
    assert "positions" in dict(network.named_parameters())
    with torch.no_grad():
        network.positions.mul_(3)
    network.after_step()
    np.testing.assert_allclose(network.positions.detach().norm(dim=1), 1)
    settled = network.settled()
    assert not list(settled.constrained())
    assert "positions" not in settled.to_arrays()
    torch.testing.assert_close(settled.positions, network.positions.detach())


@pytest.mark.parametrize("pruned", ["recurrent", "all"])
def test_new_weights_are_cut_down_to_a_mask(pruned):
    first, second = placed(pruned=pruned), placed(pruned=pruned)
    live = np.random.default_rng(0).random(first.groups(pruned).n_groups) < 0.3
    first.pruned(pruned, live)
    with torch.no_grad():
        second.positions.add_(1)
        second.W_hh.add_(1)
    cell, masks = second.masked_by(first.structure())
    assert cell.structure() == first.structure()
    np.testing.assert_array_equal(masks[pruned], live)


def test_every_token_has_outputs():
    network = placed().for_every_token()
    from skrational.cells.batches import Batch

    batch = Batch(
        torch.randn(5, 3, dtype=torch.float64),
        np.arange(5, dtype=np.int32),
        np.array([0, 2, 2, 5]),
    )
    assert network(batch).shape == (5, 2)
