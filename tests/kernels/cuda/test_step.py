"""Steps without autograd are those that autograd takes."""

import sys

import numpy as np
import pytest
import torch

from skrational.cells.base import ReadoutCell
from skrational.cells.batches import Batch
from skrational.cells.rational import RationalCell
from skrational.structures.automata import ScoringRule
from skrational.training.losses import BatchLoss, LabelLoss, LogLoss, SquaredError
from skrational.training.noise import Dropout

pytestmark = pytest.mark.usefixtures("poisoned_memory")

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
LENGTHS = (3, 1, 6, 2)
LOSSES = {
    "two classes": (LogLoss(), 1),
    "classes": (LogLoss(), 4),
    "labels": (LabelLoss(), 3),
    "values": (SquaredError(), 2),
}


def draw_cell(n_outputs, rule, dtype=torch.float64):
    rng = np.random.default_rng(0)
    cell = RationalCell(5, LENGTHS, n_outputs, rule, dtype)
    with torch.no_grad():
        for parameter in cell.parameters():
            values = torch.from_numpy(rng.normal(size=parameter.shape))
            parameter.copy_(values / (5**0.5 if parameter.dim() > 1 else 1))
    return cell


def draw_batch(seed, sizes, loss, n_outputs, *, repeats=True, dtype=torch.float64):
    rng = np.random.default_rng(seed)
    offsets = np.cumsum([0, *sizes])
    n_rows = max(1, offsets[-1] // 3) if repeats else offsets[-1]
    ids = rng.integers(n_rows, size=offsets[-1]) if repeats else np.arange(n_rows)
    x = torch.from_numpy(rng.normal(size=(n_rows, 5))).to(dtype)
    n = len(sizes)
    if isinstance(loss, LogLoss):
        targets = torch.from_numpy(rng.integers(max(n_outputs, 2), size=n))
    else:
        targets = torch.from_numpy(rng.integers(2, size=(n, n_outputs)) * 1.0)
        targets = targets.to(dtype)
    weights = torch.from_numpy(rng.uniform(0, 2, n)).to(dtype)
    batch = Batch(x, ids.astype(np.int32), offsets)
    return batch, BatchLoss(loss, targets, weights)


def learned_by(room, monkeypatch, cell, batches, dropout):
    """Losses, and the gradients of all batches together, by the kernel."""
    monkeypatch.setattr("skrational.cells.rational.choose_kernel", lambda *_: "triton")
    monkeypatch.setitem(sys.modules, "skrational.kernels.cuda.step", room.step)
    prepare, prepared = room.step.Learner.prepare, []

    def counted(self, *batch):
        prepared.append(batch)
        return prepare(self, *batch)

    monkeypatch.setattr(room.step.Learner, "prepare", counted)
    cell = cell.to(DEVICE)
    cell.zero_grad(set_to_none=True)
    learn = cell.learner(dropout, torch.Generator().manual_seed(0))
    losses = []
    for batch, loss in batches:
        there = Batch(batch.x.clone().to(DEVICE), batch.ids, batch.offsets)
        of = loss.of(loss.targets.to(DEVICE), loss.weights.to(DEVICE))
        losses.append(learn(there, of))
    assert len(prepared) == len(batches)
    return [float(loss) for loss in losses], [p.grad.cpu() for p in cell.parameters()]


def learned_by_autograd(cell, batches, dropout):
    cell = cell.to("cpu")
    cell.zero_grad(set_to_none=True)
    learn = ReadoutCell.learner(cell, dropout, torch.Generator().manual_seed(0))
    values = [
        float(learn(Batch(batch.x.clone(), batch.ids, batch.offsets), loss))
        for batch, loss in batches
    ]
    return values, [p.grad.clone() for p in cell.parameters()]


def assert_alike(one, other, tolerance):
    np.testing.assert_allclose(one[0], other[0], rtol=tolerance)
    for a, b in zip(one[1], other[1], strict=True):
        torch.testing.assert_close(a, b, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("kind", LOSSES)
@pytest.mark.parametrize("repeats", [True, False])
def test_equals_autograd(room, monkeypatch, kind, repeats):
    loss, n_outputs = LOSSES[kind]
    rule = ScoringRule("plus-times", "sum", "anywhere", 0.5)
    cell = draw_cell(n_outputs, rule)
    # Of sizes that share memory, and of others; the first one comes again.
    sizes = [[4, 0, 9, 2], [5, 0, 8, 2], [0, 1, 0, 0], [1, 2], [4, 0, 9, 2]]
    batches = [
        draw_batch(seed % 4, s, loss, n_outputs, repeats=repeats)
        for seed, s in enumerate(sizes)
    ]
    dropout = Dropout(scores=0.3, words=0.2, columns=0.1)
    mine = learned_by(room, monkeypatch, cell, batches, dropout)
    assert_alike(mine, learned_by_autograd(cell, batches, dropout), 1e-9)


@pytest.mark.parametrize("match", ["anywhere", "end"])
@pytest.mark.parametrize("readout", ["sum", "last"])
def test_equals_autograd_for_each_rule(room, monkeypatch, match, readout):
    cell = draw_cell(1, ScoringRule("plus-times", readout, match, 0.0))
    with torch.no_grad():
        cell.W_u[1] = 0  # the first state of the first automaton is the last reachable
    batches = [draw_batch(seed, [7, 3, 0], LogLoss(), 1) for seed in range(3)]
    mine = learned_by(room, monkeypatch, cell, batches, Dropout())
    assert_alike(mine, learned_by_autograd(cell, batches, Dropout()), 1e-9)


def test_equals_autograd_in_single_precision(room, monkeypatch):
    rule = ScoringRule("plus-times", "sum", "anywhere", 0.5)
    cell = draw_cell(4, rule, torch.float32)
    batches = [
        draw_batch(seed, [30, 12], LogLoss(), 4, dtype=torch.float32)
        for seed in range(3)
    ]
    mine = learned_by(room, monkeypatch, cell, batches, Dropout())
    assert_alike(mine, learned_by_autograd(cell, batches, Dropout()), 2e-5)


def test_rooms_are_shared_by_batches_of_about_a_size(room):
    rounded = room.step._rounded
    for n in (0, 1, 2, 7, 8, 9, 1000, 1024, 1025):
        assert n <= rounded(n, 8) <= max(n * 1.125 + 1, n)
        assert n <= rounded(n, 1) <= max(2 * n, 1)
    assert len({rounded(n, 8) for n in range(1025, 2049)}) == 8
    assert len({rounded(n, 1) for n in range(1025, 2049)}) == 1


def test_memory_is_kept_for_so_many_rooms_only(room, monkeypatch):
    monkeypatch.setattr(room.step, "_MOST_RECORDINGS", 2)
    rule = ScoringRule("plus-times", "sum", "anywhere", 0.5)
    cell = draw_cell(1, rule).to(DEVICE)
    weights = [cell.W_u, cell.W_f, cell.b_f, cell.A, cell.a]
    sums = [torch.zeros_like(w) for w in weights]
    learner = room.step.Learner(weights, sums, LENGTHS, True)
    for size in (3, 9, 30, 3):
        batch, loss = draw_batch(0, [size], LogLoss(), 1)
        factors = torch.ones(1, len(LENGTHS), dtype=torch.float64)
        loss = loss.of(loss.targets.to(DEVICE), loss.weights.to(DEVICE))
        learner.learn(
            batch.x.to(DEVICE), batch.ids, batch.offsets, cell._reader(), factors, loss
        )
        assert 1 <= len(learner._recordings) <= 2
