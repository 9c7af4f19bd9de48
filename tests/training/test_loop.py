from dataclasses import replace
from math import cos, pi

import numpy as np
import pytest
import torch
from sklearn.metrics import log_loss

from skrational.cells.batches import Corpus
from skrational.cells.rational import RationalCell
from skrational.groups import Connections, Groups, Part
from skrational.kernels.cuda.recording import Recording
from skrational.penalties.group_lasso import GroupLasso
from skrational.penalties.moduli import Moduli
from skrational.sequences import SequenceArray
from skrational.structures.automata import ScoringRule
from skrational.training.adam import Adam
from skrational.training.loop import Examples, PhaseRun, Problem, evaluate
from skrational.training.losses import LogLoss
from skrational.training.noise import Dropout
from skrational.training.phases import Optimization, Phase
from skrational.training.rng import Randomness
from skrational.utils.threads import single_thread

PLAIN = Optimization(
    batch_size=None, weight_decay=0.0, max_grad_norm=None, dropout=Dropout()
)
SHUFFLED = replace(PLAIN, batch_size=8)


@pytest.fixture(autouse=True)
def one_thread():
    """Threads that wait for a busy core would take most of the time."""
    with single_thread():
        yield


class RecordingCorpus(Corpus):
    """A corpus that remembers which documents were drawn."""

    def __init__(self, *args):
        super().__init__(*args)
        self.drawn = []

    def batch(self, documents):
        self.drawn.append(documents)
        return super().batch(documents)


def draw_examples(seed, n=60, n_classes=2, weights=None, dtype=torch.float64):
    """Documents of ten words; the class says how often word 0 stands at the start."""
    rng = np.random.default_rng(seed)
    table = np.random.default_rng(0).normal(size=(10, 6))
    lengths = rng.integers(3, 9, n)
    offsets = np.cumsum([0, *lengths])
    indices = rng.integers(1, 10, offsets[-1])
    y = rng.integers(0, n_classes, n)
    for start, stop, times in zip(offsets[:-1], offsets[1:], y, strict=True):
        indices[start:stop][:times] = 0
    X = SequenceArray(table, offsets, indices)
    corpus = RecordingCorpus(X, dtype, torch.device("cpu"))
    weights = np.ones(n) if weights is None else weights
    return Examples(corpus, torch.from_numpy(y), torch.from_numpy(weights).to(dtype))


def draw_cell(n_outputs=1, dtype=torch.float64):
    cell = RationalCell(6, (2, 1, 3), n_outputs, ScoringRule(), dtype)
    return cell.initialize(torch.Generator().manual_seed(1))


def charge(penalty, kind="states"):
    return () if penalty is None else ((penalty, kind),)


def start(phase, cell=None, optimization=PLAIN, training=None, validation=None):
    training = draw_examples(1) if training is None else training
    problem = Problem(LogLoss(), training, validation, optimization)
    cell = draw_cell() if cell is None else cell
    return PhaseRun(cell, phase, problem, Randomness(0))


def run_all(run):
    rows = []
    while not run.is_over():
        rows.append(run.run_epoch())
    return rows


def snapshot(cell):
    return {k: v.clone() for k, v in cell.state_dict().items()}


def assert_equal_weights(one, other):
    assert all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.usefixtures("untouched_generators")
@pytest.mark.parametrize("optimization", [PLAIN, SHUFFLED])
@pytest.mark.parametrize(("n_classes", "n_outputs"), [(2, 1), (3, 3)])
def test_training_brings_the_loss_down(optimization, n_classes, n_outputs):
    run = start(
        Phase("learn", epochs=40, learning_rate=0.05),
        draw_cell(n_outputs),
        optimization,
        training := draw_examples(1, n_classes=n_classes),
    )
    rows = run_all(run)
    assert [row["epoch"] for row in rows] == list(range(40))
    assert {row["phase"] for row in rows} == {"learn"}
    losses = [row["loss"] for row in rows]
    assert losses[-1] < 0.5 * losses[0]
    loss, accuracy = evaluate(run.cell, training, LogLoss())
    assert loss < 0.5 * losses[0]
    assert accuracy > 0.8


def test_the_loss_of_a_row_is_the_mean_over_the_steps():
    training = draw_examples(1, weights=np.tile([0.5, 1.5], 30))
    row = start(Phase("still", 1, 0.0), None, SHUFFLED, training).run_epoch()
    loss, _ = evaluate(draw_cell(), training, LogLoss())
    assert row["loss"] == pytest.approx(loss, rel=1e-12)


def test_the_best_epoch_is_restored():
    validation = draw_examples(2, n=20)
    penalty = GroupLasso(1e-2)
    phase = Phase("overfit", 25, 0.2, charges=charge(penalty), solver="subgradient")
    run = start(phase, None, SHUFFLED, validation=validation)
    rows, seen = [], []
    while not run.is_over():
        rows.append(run.run_epoch())
        seen.append(snapshot(run.cell))
    monitored = [row["validation_loss"] + row["penalty"] for row in rows]
    best = int(np.argmin(monitored))
    assert 0 < best < 24
    run.restore_best()
    assert_equal_weights(run.cell.state_dict(), seen[best])
    loss, accuracy = evaluate(run.cell, validation, LogLoss())
    price = penalty.value(run.cell.groups("states")).detach()
    assert loss + price.item() == pytest.approx(monitored[best], rel=1e-12)
    assert accuracy == rows[best]["validation_score"]


def test_without_validation_the_last_epoch_counts():
    run = start(Phase("learn", 4, 0.1, patience=1))
    rows = run_all(run)
    after = snapshot(run.cell)
    run.restore_best()
    assert len(rows) == 4
    assert np.isnan([row["validation_loss"] for row in rows]).all()
    assert np.isnan([row["validation_score"] for row in rows]).all()
    assert_equal_weights(run.cell.state_dict(), after)


@pytest.mark.parametrize("patience", [1, 3])
def test_stops_when_patience_has_run_out(patience):
    validation = draw_examples(2, n=20)
    phase = Phase("still", 20, learning_rate=0.0, patience=patience)
    assert len(run_all(start(phase, validation=validation))) == 1 + patience
    phase = Phase("overfit", 200, learning_rate=0.3, patience=patience)
    rows = run_all(start(phase, None, SHUFFLED, validation=validation))
    losses = [row["validation_loss"] for row in rows]
    assert len(rows) - 1 - np.argmin(losses) == patience


def test_no_epochs_change_nothing():
    run = start(Phase("nothing", 0, 0.1), validation=draw_examples(2))
    before = snapshot(run.cell)
    assert run.is_over()
    run.restore_best()
    assert_equal_weights(run.cell.state_dict(), before)


def first_gradients(cell, training):
    """Gradients of the mean loss over all documents, in double precision."""
    batch = training.corpus.batch(np.arange(len(training.corpus)))
    z = cell(batch)[:, 0]
    y = training.targets.double()
    loss = (torch.logaddexp(torch.zeros_like(z), z) - y * z) * training.weights
    names, parameters = zip(*cell.named_parameters(), strict=True)
    gradients = torch.autograd.grad(loss.mean(), parameters)
    return {n: g.numpy() for n, g in zip(names, gradients, strict=True)}


def state_rows(arrays):
    """One row for each state: all that enters it."""
    return np.column_stack([arrays["W_u"], arrays["W_f"], arrays["b_f"]])


def solve_prox(before, D, cut):
    """Prox of one group, by bisection on its norm."""
    if np.linalg.norm(D * before) <= cut:
        return np.zeros_like(before)
    low, high = 0.0, np.linalg.norm(before)
    for _ in range(200):
        theta = (low + high) / 2
        phi = np.sum((D * before / (D * theta + cut)) ** 2)
        low, high = (theta, high) if phi > 1 else (low, theta)
    return D * theta / (D * theta + cut) * before


@pytest.mark.parametrize("lambda_", [1e-3, 3e-2, 10.0])
def test_a_proximal_step_follows_adams_in_its_own_metric(lambda_):
    """Which doesn't fall below a tenth of the penalty's own slope."""
    cell, training, rate = draw_cell(), draw_examples(1), 0.1
    before = cell.to_arrays()
    gradients = first_gradients(cell, training)
    phase = Phase("regularize", 1, rate, charges=charge(GroupLasso(lambda_)))
    row = start(phase, cell, training=training).run_epoch()
    after = cell.to_arrays()
    # Adam's first step has m_hat = g and v_hat = g ** 2.
    g = state_rows(gradients)
    D = np.abs(g) + 1e-8
    stepped = state_rows(before) - rate * g / D
    D = np.maximum(D, 0.1 * min(lambda_, 1) / g.shape[1] ** 0.5)
    expected = [
        solve_prox(w, d, rate * lambda_) for w, d in zip(stepped, D, strict=True)
    ]
    np.testing.assert_allclose(state_rows(after), expected, rtol=1e-6, atol=1e-9)
    norms = np.linalg.norm(state_rows(after), axis=1)
    assert row["penalty"] == pytest.approx(lambda_ * norms.sum(), rel=1e-9)
    for p in ("A", "a"):  # no group holds the readout
        step = rate * gradients[p] / (np.abs(gradients[p]) + 1e-8)
        np.testing.assert_allclose(after[p], before[p] - step, rtol=1e-9)


def test_a_subgradient_step_adds_the_penalty_to_the_loss():
    cell, training, rate, lambda_ = draw_cell(), draw_examples(1), 0.1, 0.05
    before = cell.to_arrays()
    gradients = first_gradients(cell, training)
    w = state_rows(before)
    g = state_rows(gradients)
    g = g + lambda_ * w / np.linalg.norm(w, axis=1, keepdims=True)
    phase = Phase(
        "regularize", 1, rate, charges=charge(GroupLasso(lambda_)), solver="subgradient"
    )
    start(phase, cell, training=training).run_epoch()
    expected = w - rate * g / (np.abs(g) + 1e-8)
    np.testing.assert_allclose(state_rows(cell.to_arrays()), expected, rtol=1e-8)


@pytest.mark.parametrize(
    ("grouping", "solver", "has_zeros"),
    [
        ("states", "prox", True),
        ("wfsas", "prox", True),
        ("transitions", "prox", True),
        ("states", "subgradient", False),
    ],
)
def test_only_the_proximal_solver_leaves_exact_zeros(grouping, solver, has_zeros):
    phase = Phase(
        "regularize",
        40,
        0.03,
        charges=charge(GroupLasso(0.1), grouping),
        solver=solver,
    )
    run = start(phase, None, SHUFFLED)
    run_all(run)
    norms = run.cell.groups(grouping).norms().detach()
    assert bool((norms == 0).any()) == has_zeros


def test_no_strength_is_no_penalty():
    plain, charged = (
        start(Phase("learn", 5, 0.05, charges=charge(penalty)), None, SHUFFLED)
        for penalty in (None, GroupLasso(0.0))
    )
    rows, others = run_all(plain), run_all(charged)
    assert_equal_weights(plain.cell.state_dict(), charged.cell.state_dict())
    assert [row["loss"] for row in rows] == [row["loss"] for row in others]
    assert {row["penalty"] for row in rows + others} == {0.0}


def test_gradients_are_clipped_to_their_greatest_norm():
    def weights(max_grad_norm):
        run = start(
            Phase("learn", 3, 0.01),
            optimization=replace(PLAIN, max_grad_norm=max_grad_norm),
        )
        run_all(run)
        return torch.cat([p.detach().flatten() for p in run.cell.parameters()])

    free = weights(None)
    assert torch.equal(weights(1e6), free)
    # Adam's steps don't change with the scale of all gradients, but with their ratios.
    assert not torch.allclose(weights(1e-2), free, rtol=1e-3)


def test_weight_decay_shrinks_the_weights():
    def size(weight_decay):
        run = start(
            Phase("learn", 30, 0.03),
            optimization=replace(PLAIN, weight_decay=weight_decay),
        )
        run_all(run)
        return sum(p.detach().square().sum() for p in run.cell.parameters())

    assert size(0.1) < 0.5 * size(0.0)


def test_a_constant_rate_stays():
    rows = run_all(start(Phase("learn", 4, 0.01)))
    assert [row["learning_rate"] for row in rows] == [0.01] * 4


def test_a_cosine_rate_falls_to_zero():
    rows = run_all(start(Phase("finetune", 8, 0.02, schedule="cosine")))
    expected = [0.02 * (1 + cos(pi * epoch / 8)) / 2 for epoch in range(8)]
    assert [row["learning_rate"] for row in rows] == pytest.approx(expected)


@pytest.mark.parametrize("has_validation", [False, True])
def test_a_plateau_halves_the_rate(has_validation):
    """The fourth epoch in a row without progress is the one that halves it."""
    run = start(
        Phase("finetune", 11, 1e-6, schedule="plateau"),
        validation=draw_examples(2, n=20) if has_validation else None,
    )
    rates = [row["learning_rate"] for row in run_all(run)]
    assert rates == pytest.approx([1e-6] * 5 + [5e-7] * 4 + [2.5e-7] * 2)


def test_a_full_batch_holds_all_documents_in_order():
    training = draw_examples(1)
    run_all(start(Phase("learn", 3, 0.01), training=training))
    assert len(training.corpus.drawn) == 3
    for documents in training.corpus.drawn:
        np.testing.assert_array_equal(documents, np.arange(60))


def test_an_epoch_draws_every_document_once_in_a_new_order():
    training = draw_examples(1)
    run = start(Phase("learn", 2, 0.01), None, SHUFFLED, training)
    epochs = []
    for _ in range(2):
        training.corpus.drawn = []
        run.run_epoch()
        assert [len(d) for d in training.corpus.drawn] == [8] * 7 + [4]
        epochs.append(np.concatenate(training.corpus.drawn))
    for order in epochs:
        np.testing.assert_array_equal(np.sort(order), np.arange(60))
    assert not np.array_equal(*epochs)


def drawn_in_an_epoch(phase, optimization):
    training = draw_examples(1)
    start(phase, None, optimization, training).run_epoch()
    return training.corpus.drawn


@pytest.mark.parametrize("min_steps", [1, 8, 9, 16, 21])
def test_few_documents_are_gone_through_until_there_are_steps_enough(min_steps):
    phase = Phase("learn", 1, 0.01, min_steps=min_steps)
    drawn = drawn_in_an_epoch(phase, SHUFFLED)
    assert len(drawn) == max(8, min_steps)
    passes = [drawn[i : i + 8] for i in range(0, len(drawn), 8)]
    for steps in passes:
        assert [len(d) for d in steps] == ([8] * 7 + [4])[: len(steps)]
        documents = np.concatenate(steps)
        assert len(set(documents)) == len(documents)
    assert len({tuple(steps[0]) for steps in passes}) == len(passes)
    assert len(drawn_in_an_epoch(phase, PLAIN)) == 1


@pytest.mark.parametrize("max_steps", [1, 3, 5])
def test_an_epoch_of_many_documents_goes_on_where_the_last_one_ended(max_steps):
    training = draw_examples(1)
    run = start(Phase("learn", 16, 0.01, max_steps=max_steps), None, SHUFFLED, training)
    drawn = []
    for n_epochs in range(1, 17):
        run.run_epoch()
        assert len(training.corpus.drawn) == max_steps * n_epochs
        drawn = training.corpus.drawn
    passes = [drawn[i : i + 8] for i in range(0, len(drawn), 8)]
    for steps in passes:
        assert [len(d) for d in steps] == ([8] * 7 + [4])[: len(steps)]
        assert len(set(np.concatenate(steps))) == sum(map(len, steps))
    assert len({tuple(steps[0]) for steps in passes}) == len(passes)


@pytest.mark.parametrize("max_steps", [8, 100, None])
def test_a_limit_that_documents_keep_to_changes_nothing(max_steps):
    orders = [
        drawn_in_an_epoch(Phase("learn", 1, 0.01, max_steps=limit), SHUFFLED)
        for limit in (None, max_steps)
    ]
    np.testing.assert_array_equal(*map(np.concatenate, orders))


def test_the_loss_of_an_epoch_is_the_mean_over_its_passes():
    class Still(LogLoss):
        def __call__(self, outputs, targets):
            return super().__call__(0 * outputs, targets)

    problem = Problem(Still(), draw_examples(1), None, SHUFFLED)
    phase = Phase("learn", 1, 0.01, min_steps=24)
    row = PhaseRun(draw_cell(), phase, problem, Randomness(0)).run_epoch()
    assert row["loss"] == pytest.approx(np.log(2))


@pytest.mark.usefixtures("untouched_generators")
def test_a_run_is_reproducible_to_the_bit():
    noisy = replace(SHUFFLED, dropout=Dropout(scores=0.3, words=0.2, columns=0.1))
    runs = [
        start(
            Phase("learn", 5, 0.05, charges=charge(GroupLasso(1e-2))),
            draw_cell(dtype=torch.float32),
            noisy,
            draw_examples(1, dtype=torch.float32),
        )
        for _ in range(2)
    ]
    first, second = ([row["loss"] for row in run_all(run)] for run in runs)
    assert first == second
    assert_equal_weights(runs[0].cell.state_dict(), runs[1].cell.state_dict())


def test_dropout_is_for_training_only():
    dropout = Dropout(scores=0.9, words=0.9, columns=0.9)
    validation = draw_examples(2, n=20)
    run = start(
        Phase("still", 1, 0.0),
        optimization=replace(PLAIN, dropout=dropout),
        validation=validation,
    )
    row = run.run_epoch()
    assert (row["validation_loss"], row["validation_score"]) == evaluate(
        draw_cell(), validation, LogLoss()
    )
    assert row["loss"] != evaluate(draw_cell(), run.problem.training, LogLoss())[0]


@pytest.mark.parametrize(("n_classes", "n_outputs"), [(2, 1), (2, 2), (4, 4)])
def test_evaluation_is_the_weighted_log_loss_and_accuracy(n_classes, n_outputs):
    weights = np.random.default_rng(3).uniform(0.1, 2, 60)
    examples = draw_examples(3, n_classes=n_classes, weights=weights / weights.mean())
    cell = draw_cell(n_outputs)
    with torch.no_grad():
        logits = cell(examples.corpus.batch(np.arange(60))).numpy()
    if n_outputs == 1:
        logits = np.column_stack([np.zeros(60), logits])
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    y = examples.targets.numpy()
    loss, accuracy = evaluate(cell, examples, LogLoss())
    expected = log_loss(y, p, sample_weight=weights, labels=range(n_classes))
    assert loss == pytest.approx(expected, rel=1e-10)
    right = np.average(p.argmax(axis=1) == y, weights=weights)
    assert accuracy == pytest.approx(right, rel=1e-12)


def test_an_empty_cell_learns_its_intercept():
    weights = np.tile([0.5, 1.5], 30)
    training = draw_examples(1, weights=weights)
    cell = RationalCell(6, (), 1, ScoringRule(), torch.float64)
    run = start(Phase("finetune", 300, 0.05), cell, training=training)
    run_all(run)
    share = np.average(training.targets.numpy(), weights=weights)
    assert cell.a.item() == pytest.approx(np.log(share / (1 - share)), abs=1e-3)


@pytest.mark.parametrize("solver", ["prox", "subgradient"])
def test_the_penalty_rises_over_the_ramp_and_is_reported_at_full_strength(
    monkeypatch, solver
):
    strengths = []

    def record(method):
        def recorded(self, *args, **options):
            strengths.append(self.lambda_)
            return method(self, *args, **options)

        return recorded

    name = {"prox": "prox_", "subgradient": "value"}[solver]
    phase = Phase("p", 4, 0.01, charges=charge(GroupLasso(0.3)), ramp=3, solver=solver)
    run = start(phase)
    monkeypatch.setattr(GroupLasso, name, record(getattr(GroupLasso, name)))
    rows = run_all(run)
    in_steps = strengths[:: 1 if solver == "prox" else 2]
    assert in_steps == pytest.approx([0.1, 0.2, 0.3, 0.3])
    norms = run.cell.groups("states").norms().sum().item()
    assert rows[-1]["penalty"] == pytest.approx(0.3 * norms)


class ColumnCell(RationalCell):
    """A cell that gives the features, columns of W_u and W_f, as groups."""

    def groups(self, kind):
        if kind == "views":
            group = torch.arange(self.W_u.shape[1])
            return Groups((Part((self.W_u.T, self.W_f.T), group),), len(group))
        if kind == "features":
            group = torch.arange(self.W_u.shape[1])
            return Groups((Part((self.W_u, self.W_f), group, axis=1),), len(group))
        return super().groups(kind)


def draw_column_cell():
    cell = ColumnCell(6, (2, 1, 3), 1, ScoringRule(), torch.float64)
    return cell.initialize(torch.Generator().manual_seed(1))


@pytest.mark.parametrize("solver", ["prox", "subgradient"])
def test_columns_are_charged_where_the_optimizer_has_moved_them(solver):
    cell = draw_column_cell()
    phase = Phase("p", 30, 0.05, charges=charge(GroupLasso(0.3), "features"))
    run = start(replace(phase, solver=solver), cell)
    rows = run_all(run)
    norms = torch.cat([cell.W_u, cell.W_f]).norm(dim=0)
    assert rows[-1]["penalty"] == pytest.approx(0.3 * float(norms.detach().sum()))
    assert bool((norms == 0).any()) == (solver == "prox")
    assert norms.detach().numpy() == pytest.approx(
        cell.groups("features").norms().detach().numpy()
    )


@pytest.mark.parametrize("solver", ["prox", "subgradient"])
def test_a_view_of_a_parameter_is_refused(solver):
    phase = Phase("p", 1, 0.1, charges=charge(GroupLasso(0.1), "views"), solver=solver)
    with pytest.raises(ValueError, match=r"groups\('views'\).*axis=1 for columns"):
        start(phase, draw_column_cell())


class Value:
    """A penalty without a proximal operator: the sum of squares."""

    def __init__(self, strength):
        self.strength = strength

    def value(self, groups):
        return self.strength * groups.norms().square().sum()

    def scaled(self, share):
        return Value(self.strength * share)


def test_a_penalty_without_a_proximal_operator_goes_into_the_loss():
    one, other = (
        start(Phase("p", 1, 0.01, charges=charges), None, optimization)
        for charges, optimization in (
            (charge(Value(0.3), "wfsas"), PLAIN),
            ((), PLAIN),
        )
    )
    for run in (one, other):
        run_all(run)
    smaller, larger = (run.cell.groups("states").norms().sum() for run in (one, other))
    assert smaller < larger


def test_charges_are_applied_in_order_each_to_groups_of_its_own():
    charges = charge(GroupLasso(0.05), "transitions") + charge(GroupLasso(0.1), "wfsas")
    run = start(Phase("p", 1, 0.03, charges=charges))
    rows = run_all(run)
    twin = start(Phase("p", 1, 0.03))
    run_all(twin)
    for penalty, kind in charges:
        groups = twin.cell.groups(kind)
        metric = [
            part.pack(twin._optimizer.metric(part.parameters)) for part in groups.parts
        ]
        least = [0.1 * slope for slope in penalty.slopes(groups)]
        penalty.prox_(groups, list(map(torch.maximum, metric, least)), 0.03)
    assert_equal_weights(snapshot(run.cell), snapshot(twin.cell))
    total = sum(p.value(run.cell.groups(kind)).item() for p, kind in charges)
    assert rows[0]["penalty"] == pytest.approx(total)


class Ramp:
    """A pruner that leaves a share of the groups, falling over the phase."""

    def __init__(self):
        self.seen = []

    def survivors(self, groups, progress):
        self.seen.append(progress)
        norms = groups.norms().detach().numpy()
        n_dropped = round(0.5 * progress * len(norms))
        return np.argsort(np.argsort(norms)) >= n_dropped


def test_what_is_pruned_on_the_way_stays_zero_to_the_end_and_after():
    pruner = Ramp()
    phase = Phase("p", 6, 0.05, pruner=pruner, pruned="states", prune_every=2)
    run = start(phase, None, SHUFFLED)
    n_empty = []
    while not run.is_over():
        run.run_epoch()
        n_empty.append(int((run.cell.groups("states").norms() == 0).sum()))
    assert pruner.seen == pytest.approx([1 / 3, 2 / 3, 1])
    assert n_empty == [0, 1, 1, 2, 2, 3]
    later = PhaseRun(
        run.cell, Phase("q", 3, 0.05), run.problem, Randomness(1), masks=run.masks
    )
    run_all(later)
    assert int((later.cell.groups("states").norms() == 0).sum()) == 3


def test_what_was_pruned_before_does_not_come_back():
    phase = Phase("p", 6, 0.05, pruner=Ramp(), pruned="states", prune_every=2)
    run = start(phase, None, SHUFFLED)
    run_all(run)
    before = run.masks["states"]
    later = PhaseRun(
        run.cell, replace(phase, name="q"), run.problem, Randomness(1), masks=run.masks
    )
    while not later.is_over():
        later.run_epoch()
        assert not (later.masks["states"] & ~before).any()


def test_the_best_epoch_is_put_back_without_what_was_pruned_since():
    phase = Phase("p", 6, 0.05, pruner=Ramp(), pruned="states", prune_every=2)
    run = start(phase, None, SHUFFLED, validation=draw_examples(2))
    run_all(run)
    run._best = run._best._replace(
        to_beat=0.0, epoch=0, parameters=snapshot(draw_cell())
    )
    run.restore_best()
    assert int((run.cell.groups("states").norms() == 0).sum()) == 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"charges": (("lasso", "states"),)}, "str can't be used with a phase of "),
        ({"pruner": GroupLasso(1.0)}, r"must implement Pruner: survivors\. Missing"),
    ],
)
def test_what_a_phase_needs_is_named(options, message):
    with pytest.raises(TypeError, match=message):
        start(Phase("p", 1, 0.1, **options))


def test_a_bound_on_gradients_has_no_say_in_the_price_of_links():
    W = torch.nn.Parameter(torch.tensor([[0.5, -1.0], [2.0, 0.25]]))
    optimizer = Adam([W], 0.1, max_grad_norm=1e-3)
    positions = torch.tensor([[0.0, 0.0], [0.0, 2.0]])
    price = Moduli(4.0, inhibitor="diffusion", scaling="raw").value(
        Connections.of(W, positions)
    )
    (100 * W).sum().backward()
    optimizer.step(price)
    # The loss's gradient has the norm .001; a link costs 4 on a mean over four.
    expected = np.full((2, 2), 5e-4) + np.array([[0, -4], [4, 0]])
    found = optimizer.moments().mean[0].numpy() / 0.1
    np.testing.assert_allclose(found, expected, rtol=1e-5)


class OwnPenalty(GroupLasso):
    """What its operator does is anybody's guess."""


@pytest.mark.parametrize(
    ("penalty", "change", "is_recorded"),
    [
        (None, {}, True),
        (GroupLasso(0.1), {}, True),
        (GroupLasso(0.1), {"solver": "subgradient"}, False),
        (OwnPenalty(0.1), {}, False),
        (GroupLasso(0.1), {"min_steps": 1}, False),
    ],
)
def test_what_moves_the_weights_is_recorded_if_it_is_the_same_in_each_step(
    monkeypatch, penalty, change, is_recorded
):
    phase = Phase("learn", 1, 0.05, charges=charge(penalty), min_steps=12)
    run = start(replace(phase, **change), None, SHUFFLED)
    assert not isinstance(run._mover(), Recording)
    monkeypatch.setattr(Adam, "moves_alike", True)
    assert isinstance(run._mover(), Recording) == is_recorded
