"""Pruning by a ramp: what the history tells, and which epoch is the best."""

import numpy as np
import pytest
import torch

from skrational.cells.batches import Corpus
from skrational.cells.rational import RationalCell
from skrational.datasets import make_planted_patterns
from skrational.penalties.group_lasso import GroupLasso
from skrational.pruning.magnitude import Magnitude
from skrational.pruning.threshold import Threshold
from skrational.sequences import SequenceArray
from skrational.structures.automata import ScoringRule
from skrational.training.loop import Examples, PhaseRun, Problem
from skrational.training.losses import LogLoss
from skrational.training.noise import Dropout
from skrational.training.phases import Optimization, Phase
from skrational.training.rng import Randomness
from skrational.utils.threads import single_thread
from tests.extensions.method import GatedUnigramClassifier
from tests.extensions.test_method import MaskedCell, MaskedClassifier


@pytest.fixture(autouse=True)
def one_thread():
    """Threads that wait for a busy core would take most of the time."""
    with single_thread():
        yield


def draw_examples(seed, n=40):
    rng = np.random.default_rng(seed)
    X = SequenceArray(rng.normal(size=(5 * n, 6)), np.arange(0, 5 * n + 1, 5))
    y = torch.from_numpy(rng.integers(0, 2, n))
    weights = torch.ones(n, dtype=torch.float64)
    return Examples(Corpus(X, torch.float64, torch.device("cpu")), y, weights)


def draw_cell():
    cell = RationalCell(6, (2, 1, 3), 1, ScoringRule(), torch.float64)
    return cell.initialize(torch.Generator().manual_seed(1))


def start(epochs=8, learning_rate=0.2, ramp=0.5, **options):
    """A run on noise: the longer it learns, the worse is the validation loss."""
    options = {"pruner": Magnitude(0.5, ramp), "prune_every": 1} | options
    phase = Phase("p", epochs, learning_rate, pruned="states", **options)
    plain = Optimization(None, 0.0, None, Dropout())
    problem = Problem(LogLoss(), draw_examples(1), draw_examples(2), plain)
    return PhaseRun(draw_cell(), phase, problem, Randomness(0))


def run_all(run):
    """Rows of the history, each with a copy of the cell."""
    rows, cells = [], []
    while not run.is_over():
        rows.append(run.run_epoch())
        cells.append({k: v.clone() for k, v in run.cell.state_dict().items()})
    return rows, cells


def n_live(run):
    return int((run.cell.groups("states").norms() > 0).sum())


def test_the_best_epoch_is_one_at_the_target():
    run = start(ramp=0.75)
    rows, cells = run_all(run)
    losses = [row["validation_loss"] for row in rows]
    # After 6 of 8 epochs half of the 6 states are gone.
    assert np.argmin(losses) < 5
    best = 5 + int(np.argmin(losses[5:]))
    assert best < 7
    run.restore_best()
    for name, value in run.cell.state_dict().items():
        assert torch.equal(value, cells[best][name])
    assert n_live(run) == run.survivors().sum() == 3


def test_patience_begins_at_the_target():
    rows, _ = run_all(start(learning_rate=0.0, patience=2))
    assert len(rows) == 4 + 2
    rows, _ = run_all(start(learning_rate=0.0, patience=2, prune_every=0))
    assert len(rows) == 1 + 2


def test_what_never_comes_to_its_target_stays_as_it_is():
    run = start(epochs=5, ramp=1.0, prune_every=2)
    _, cells = run_all(run)
    run.restore_best()
    for name, value in run.cell.state_dict().items():
        assert torch.equal(value, cells[-1][name])


@pytest.mark.parametrize("prune_every", [0, 1])
def test_a_pruner_without_a_ramp_is_always_at_its_target(prune_every):
    run = start(pruner=Threshold(0.0), prune_every=prune_every)
    rows, cells = run_all(run)
    best = int(np.argmin([row["validation_loss"] for row in rows]))
    run.restore_best()
    assert torch.equal(run.cell.state_dict()["A"], cells[best]["A"])


def test_survivors_are_those_held_or_those_to_be():
    on_the_way, at_the_end = start(), start(prune_every=0)
    assert on_the_way.survivors().all()
    for n_left in (5, 4, 4, 3, 3):
        on_the_way.run_epoch()
        at_the_end.run_epoch()
        assert on_the_way.survivors().sum() == n_live(on_the_way) == n_left
        assert at_the_end.survivors().sum() == 3
        assert n_live(at_the_end) == 6


class RampedMethod:
    """Half of the units are pruned, one after the other, without a penalty."""

    _prune_every = 1

    def _pruner(self):
        return Magnitude(0.5, ramp=0.5)


class Ramped(RampedMethod, GatedUnigramClassifier):
    pass


class MaskedRamped(RampedMethod, MaskedClassifier):
    pass


@pytest.fixture(scope="module")
def data():
    return make_planted_patterns(60, random_state=1)


def fit(kind, data, lambda_=0.0, **options):
    clf = kind(lambda_=lambda_, max_epochs=8, random_state=0)
    for name, value in options.items():
        setattr(clf, name, value)
    clf.fit(data.X, data.y)
    rows = {}
    for row in clf.history_:
        rows.setdefault(row["phase"], []).append(row["n_units"])
    return clf, rows


@pytest.mark.parametrize("lambda_", [0.0, 1e-4])
@pytest.mark.parametrize("early_stopping", [False, True])
def test_the_history_tells_how_many_are_left(data, lambda_, early_stopping):
    clf, rows = fit(
        Ramped, data, lambda_, early_stopping=early_stopping, n_iter_no_change=3
    )
    falling = [7, 6, 5, 4]
    assert rows["regularize"][:4] == falling
    assert set(rows["regularize"][4:]) <= {4}
    assert set(rows["finetune"]) == {4}
    assert clf.size_ == 4


def test_masks_are_held_while_it_is_finetuned(data):
    clf, _ = fit(MaskedRamped, data)
    rows = np.hstack([clf.weights_[n].reshape(8, -1) for n in ("W", "G", "g")])
    assert rows.any(axis=1).sum() == 4
    assert isinstance(clf._fitted_cell(), MaskedCell)


def test_nothing_is_pruned_without_penalty_or_schedule(data):
    clf, rows = fit(GatedUnigramClassifier, data)
    assert clf.size_ == 8
    assert set(rows["regularize"]) == {8}


def test_a_penalty_and_a_ramp_go_together():
    run = start(charges=((GroupLasso(1e-3), "states"),), pruner=Magnitude(0.5, 0.25))
    run_all(run)
    assert n_live(run) == 3
