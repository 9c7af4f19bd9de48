"""Positions of units that are learned with the weights."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from skrational.cells.batches import Corpus
from skrational.cells.lstm import LSTMCell
from skrational.groups import Connections
from skrational.penalties.manifolds import Sphere, as_manifold, draw_positions
from skrational.penalties.moduli import Moduli
from skrational.sequences import SequenceArray
from skrational.structures.gated import StateReadout
from skrational.training.loop import Examples, PhaseRun, Problem
from skrational.training.losses import LogLoss
from skrational.training.noise import Dropout
from skrational.training.phases import Optimization, Phase
from skrational.training.rng import Randomness
from skrational.utils.threads import single_thread

N_UNITS = 5


@pytest.fixture(autouse=True)
def one_thread():
    """Threads that wait for a busy core would take most of the time."""
    with single_thread():
        yield


class LocatedCell(LSTMCell):
    """An LSTM whose units lie on a manifold, at positions that are learned."""

    def locate(self, manifold):
        generator = torch.Generator().manual_seed(2)
        self.manifold = manifold
        self.positions = nn.Parameter(draw_positions(manifold, N_UNITS, generator))
        return self

    def groups(self, kind):
        if kind == "recurrent":
            return Connections.of(self.W_hh, self.positions)
        return super().groups(kind)

    def constrained(self):
        return (self.positions,)

    def after_step(self):
        self.manifold.project_(self.positions)


def draw_cell(name):
    reading = StateReadout("last", 0.5)
    cell = LocatedCell.dense(4, N_UNITS, 1, reading, torch.float64)
    return cell.initialize(torch.Generator().manual_seed(0)).locate(as_manifold(name))


def start(cell, penalty, epochs=4, learning_rate=0.05, **optimization):
    rng = np.random.default_rng(0)
    offsets = np.arange(0, 201, 10)
    X, y = SequenceArray(rng.normal(size=(200, 4)), offsets), np.arange(20) % 2
    weights = torch.ones(20, dtype=torch.float64)
    corpus = Corpus(X, torch.float64, torch.device("cpu"))
    examples = Examples(corpus, torch.from_numpy(y), weights)
    options = {"weight_decay": 0.0, "max_grad_norm": None} | optimization
    settings = Optimization(batch_size=None, dropout=Dropout(), **options)
    charges = ((penalty, "recurrent"),) if penalty else ()
    phase = Phase("p", epochs, learning_rate, charges=charges, solver="subgradient")
    problem = Problem(LogLoss(), examples, None, settings)
    return PhaseRun(cell, phase, problem, Randomness(0))


@pytest.mark.parametrize("name", ["circle", "klein", "r3", "s3", "torus", "torus6"])
def test_positions_move_in_every_epoch_and_stay_on_the_manifold(name):
    cell = draw_cell(name)
    run, seen = start(cell, Moduli(1.0, name)), [cell.positions.detach().clone()]
    while not run.is_over():
        run.run_epoch()
        seen.append(cell.positions.detach().clone())
        again = seen[-1].clone()
        cell.manifold.project_(again)
        torch.testing.assert_close(again, seen[-1])
        if isinstance(cell.manifold, Sphere):
            torch.testing.assert_close(again.norm(dim=1), torch.ones(N_UNITS).double())
    for before, after in pairwise(seen):
        assert (before != after).any(dim=1).all()


def test_learned_positions_bring_the_penalty_down():
    learned = draw_cell("torus")
    fixed = draw_cell("torus")
    fixed.positions.requires_grad_(False)
    penalty = Moduli(5.0, "torus")
    last = []
    for cell in (learned, fixed):
        run = start(cell, penalty, epochs=20)
        while not run.is_over():
            row = run.run_epoch()
        last.append(row["penalty"])
    assert last[0] < last[1]


def test_weight_decay_moves_no_position():
    cell = draw_cell("torus")
    before = cell.positions.detach().clone()
    weights = cell.W_hh.detach().abs().sum()
    run = start(cell, None, weight_decay=0.5)
    while not run.is_over():
        run.run_epoch()
    assert torch.equal(cell.positions, before)
    assert cell.W_hh.abs().sum() < weights


def test_the_penalty_is_told_the_epoch(monkeypatch):
    told = []

    def at_epoch(penalty, epoch):
        told.append(epoch)
        return penalty

    monkeypatch.setattr(Moduli, "at_epoch", at_epoch)
    run = start(draw_cell("torus"), Moduli(0.5), epochs=3)
    while not run.is_over():
        run.run_epoch()
    assert told == [0, 1, 2]


def test_a_bound_on_gradients_has_no_say_in_where_units_go():
    """Positions have a gradient of the penalty only, which isn't clipped."""
    means = []
    for max_grad_norm in (None, 1e-3):
        cell = draw_cell("r3")
        run = start(cell, Moduli(100.0, "r3"), 1, max_grad_norm=max_grad_norm)
        run.run_epoch()
        names = [name for name, _ in cell.named_parameters()]
        means.append(dict(zip(names, run.moments.mean, strict=True)))
    free, bound = means
    torch.testing.assert_close(bound["positions"], free["positions"])
    assert bound["W_ih"].norm() < 1e-3 < free["W_ih"].norm()
