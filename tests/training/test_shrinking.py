"""Cells that are cut amid a phase, and zeros of single weights that are held."""

from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
import torch

from skrational import SparseLSTMClassifier, SparseRationalClassifier
from skrational.cells.batches import Corpus
from skrational.cells.lstm import LSTMCell
from skrational.penalties.group_lasso import GroupLasso
from skrational.pruning.threshold import Threshold
from skrational.sequences import SequenceArray
from skrational.structures.gated import StateReadout
from skrational.training.fit import SparseFit, training_resources
from skrational.training.loop import Examples, PhaseRun, Problem
from skrational.training.losses import LogLoss
from skrational.training.masks import held_zeros
from skrational.training.noise import Dropout
from skrational.training.phases import Optimization, Phase
from skrational.training.recipe import regularize, warmup
from skrational.training.rng import Randomness
from skrational.utils.threads import single_thread

PLAIN = Optimization(
    batch_size=None, weight_decay=0.0, max_grad_norm=None, dropout=Dropout()
)
N_FEATURES, N_UNITS = 4, 5


@pytest.fixture(autouse=True)
def one_thread():
    """Threads that wait for a busy core would take most of the time."""
    with single_thread():
        yield


def draw_documents(seed=0, n=60):
    """Sequences of noise; the label is the sign of the sum of feature 0."""
    rng = np.random.default_rng(seed)
    offsets = np.concatenate([[0], np.cumsum(rng.integers(3, 9, n))])
    rows = rng.normal(size=(offsets[-1], N_FEATURES))
    sums = np.add.reduceat(rows[:, 0], offsets[:-1])
    return SequenceArray(rows, offsets), (sums > 0).astype(int)


def draw_examples(seed=0):
    X, y = draw_documents(seed)
    corpus = Corpus(X, torch.float64, torch.device("cpu"))
    weights = torch.ones(len(y), dtype=torch.float64)
    return Examples(corpus, torch.from_numpy(y), weights)


def draw_cell():
    reading = StateReadout("anywhere", 0.5)
    cell = LSTMCell.dense(N_FEATURES, N_UNITS, 1, reading, torch.float64)
    return cell.initialize(torch.Generator().manual_seed(0))


def start(phase, cell, validation=None, masks=None):
    problem = Problem(LogLoss(), draw_examples(), validation, PLAIN)
    return PhaseRun(cell, phase, problem, Randomness(0), masks=masks)


def some_live(kind, seed=0):
    n_groups = draw_cell().groups(kind).n_groups
    return np.random.default_rng(seed).random(n_groups) < 0.6


@pytest.mark.parametrize("kind", ["weights", "gates", "neurons", "inputs"])
def test_a_cut_cell_goes_on_as_the_masked_one_would(kind):
    """Moments are cut as the parameters are: Adam's steps are the same."""
    phase, live = Phase("learn", 8, 0.05), some_live(kind)
    cut, masked = (start(phase, draw_cell()) for _ in range(2))
    for _ in range(3):
        cut.run_epoch()
        masked.run_epoch()
    masked.cell.groups(kind).zero_(live)
    masked.masks = {kind: live}
    n_steps = cut.moments.n_steps
    cut.go_on_with(*cut.cell.pruned(kind, live))
    # The loop holds single zeros where it held some before.
    cut.masks = held_zeros(cut.cell)
    assert cut.moments.n_steps == n_steps == 3
    for _ in range(4):
        rows = cut.run_epoch(), masked.run_epoch()
        assert rows[0]["epoch"] == rows[1]["epoch"]
        assert rows[0]["loss"] == pytest.approx(rows[1]["loss"], rel=1e-10)
    small, _ = masked.cell.compacted()
    assert small.structure().units == cut.cell.structure().units
    for mine, theirs in zip(cut.cell.parameters(), small.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-8, atol=1e-12)


def test_charges_are_for_the_groups_of_the_cut_cell():
    phase = Phase("regularize", 4, 0.05, charges=((GroupLasso(1e-3), "gates"),))
    run = start(phase, draw_cell())
    run.run_epoch()
    run.go_on_with(*run.cell.pruned("neurons", np.arange(N_UNITS) < 2))
    row = run.run_epoch()
    norms = run.cell.groups("gates").norms()
    assert norms.shape == (8,)
    assert row["penalty"] == pytest.approx(1e-3 * norms.sum().item())


@pytest.mark.parametrize("is_good", [False, True], ids=["before", "after"])
def test_the_best_epoch_may_be_of_before_or_after_a_cut(is_good):
    run = start(Phase("learn", 20, 0.03), draw_cell(), validation=draw_examples(1))
    for _ in range(6):
        run.run_epoch()
    whole, before = run.cell, deepcopy(run.cell.state_dict())
    live = np.full(4 * N_UNITS, is_good)  # without a gate nothing can be told
    live[0] = False
    run.go_on_with(*run.cell.pruned("gates", live))
    last = run.run_epoch()
    monitored, epoch = run._best[:2]
    run.restore_best()
    if is_good:
        assert epoch == last["epoch"] == 6
        assert run.cell is not whole
        assert run.cell.structure().n_gates == 4 * N_UNITS - 1
    else:
        assert epoch < 6
        assert run.cell is whole
        assert monitored < last["validation_loss"]
        for name, value in run.cell.state_dict().items():
            torch.testing.assert_close(value, before[name])


def test_masks_go_back_with_the_best_epoch():
    live = some_live("weights")
    cell = draw_cell()
    cell.groups("weights").zero_(live)
    masks = {"weights": live}
    run = start(Phase("learn", 9, 0.03), cell, draw_examples(1), masks)
    for _ in range(4):
        run.run_epoch()
    run.go_on_with(*run.cell.pruned("gates", np.zeros(4 * N_UNITS, bool)))
    assert run.masks == held_zeros(run.cell)
    run.run_epoch()
    run.restore_best()
    assert run.cell is cell
    np.testing.assert_array_equal(run.masks["weights"], live)


def test_single_zeros_that_are_held_stay_zero():
    live = some_live("weights")
    cell, _ = draw_cell().pruned("weights", live)
    masks = held_zeros(cell)
    n_zeros = int((~masks["weights"]).sum())
    assert n_zeros > 0
    before = Threshold(0).survivors(cell.groups("weights"))
    held, free = (
        start(Phase("finetune", 3, 0.05), deepcopy(cell), masks=m) for m in (masks, {})
    )
    for run in (held, free):
        while not run.is_over():
            run.run_epoch()
    after = Threshold(0).survivors(held.cell.groups("weights"))
    np.testing.assert_array_equal(after, before)
    assert Threshold(0).survivors(free.cell.groups("weights")).all()
    assert held_zeros(free.cell) == {}


def begin_fit(estimator, **params):
    X, y = draw_documents()
    estimator = estimator.set_params(random_state=0, **params)
    fit = SparseFit(estimator, estimator._read_fit(X, y, None), Randomness(0))
    fit.begin(None, {})
    return fit


@pytest.fixture
def cuts(monkeypatch):
    """The sizes before and after each cut amid a phase."""
    seen = []
    go_on = PhaseRun.go_on_with

    def recording(run, cell, cut):
        seen.append((run.cell.structure().size, cell.structure().size, run._epoch))
        go_on(run, cell, cut)

    monkeypatch.setattr(PhaseRun, "go_on_with", recording)
    return seen


LSTM = {
    "n_units": 6,
    "lambda_": 0.02,
    "learning_rate": 0.02,
    "dropout": 0.0,
    "batch_size": 20,
    "min_steps_per_epoch": 1,
    "warmup_epochs": 4,
    "max_epochs": 12,
}


def test_a_phase_cuts_the_cell_whenever_more_than_a_third_is_gone(cuts):
    fit = begin_fit(SparseLSTMClassifier(**LSTM))
    with training_resources(0):
        fit.run(warmup(fit.params))
        fit.run(regularize(fit.params))
    rows = fit.history[4:]
    sizes = [row["n_gates"] for row in rows]
    assert [row["epoch"] for row in rows] == list(range(12))
    assert len(cuts) > 1
    left = 24
    for before, after, epoch in cuts:
        assert before == left
        assert after == sizes[epoch - 1] < before * 2 / 3
        assert all(size >= before * 2 / 3 for size in sizes[: epoch - 1])
        left = after
    assert fit.cell.structure().size == left


def test_up_to_the_first_cut_nothing_differs(cuts):
    histories = []
    for shrink in (None, 1 / 3):
        fit = begin_fit(SparseLSTMClassifier(**LSTM))
        with training_resources(0):
            fit.run(replace(regularize(fit.params), shrink=shrink))
        histories.append([{**row, "seconds": 0} for row in fit.history])
    first_cut = cuts[0][2]
    for whole, cut in list(zip(*histories, strict=True))[:first_cut]:
        np.testing.assert_equal(cut, whole)


@pytest.mark.parametrize(
    "estimator",
    [
        SparseLSTMClassifier(**LSTM, solver="subgradient"),
        SparseRationalClassifier(n_wfsas=4, n_states=2, lambda_=0.1),
    ],
    ids=["subgradient", "automata"],
)
def test_others_are_cut_at_the_end_only(estimator, cuts):
    fit = begin_fit(estimator, max_epochs=4, min_steps_per_epoch=1)
    with training_resources(0):
        fit.run(regularize(fit.params))
    assert cuts == []


@pytest.mark.parametrize(
    "estimator",
    [
        SparseLSTMClassifier(n_units=2),
        SparseRationalClassifier(n_wfsas=2, n_states=1),
    ],
    ids=["LSTM", "automata"],
)
def test_plain_cells_have_nothing_to_settle(estimator):
    fit = begin_fit(estimator)
    fit.masks = masks = {"weights": np.zeros(3, bool)}
    cell = fit.cell
    assert cell.settled() is cell
    fit.settle()
    assert fit.cell is cell
    assert fit.masks is masks
