"""Steps compiled as one are those that autograd takes."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from skrational import SequenceArray
from skrational.cells.base import ReadoutCell
from skrational.cells.batches import Corpus
from skrational.cells.rational import RationalCell
from skrational.kernels.cpu import passes, products, step
from skrational.structures.automata import ScoringRule
from skrational.training.losses import (
    BatchLoss,
    LabelLoss,
    LogLoss,
    SquaredError,
)
from skrational.training.noise import Dropout
from skrational.utils.threads import single_thread

LOSSES = {"two classes": 1, "classes": 4, "labels": 3, "values": 2}


def draw(seed, sizes, lengths, loss, rule, *, dtype=torch.float64, repeats=True):
    """A cell, documents and the loss of a batch."""
    rng = np.random.default_rng(seed)
    n_outputs, n_tokens = LOSSES[loss], sum(sizes)
    offsets = np.cumsum([0, *sizes])
    n_rows = max(1, n_tokens // 4) if repeats else n_tokens
    ids = rng.integers(n_rows, size=n_tokens) if repeats else None
    X = SequenceArray(rng.normal(size=(n_rows, 5)), offsets, ids)
    cell = RationalCell(5, lengths, n_outputs, rule, dtype)
    with torch.no_grad():
        for parameter in cell.parameters():
            values = torch.from_numpy(rng.normal(size=parameter.shape))
            parameter.copy_(values / (5**0.5 if parameter.dim() > 1 else 1))
    targets = {
        "two classes": torch.from_numpy(rng.integers(2, size=len(sizes))),
        "classes": torch.from_numpy(rng.integers(4, size=len(sizes))),
        "labels": torch.from_numpy(rng.integers(2, size=(len(sizes), 3)) * 1.0),
        "values": torch.from_numpy(rng.normal(size=(len(sizes), 2))),
    }[loss]
    kind = {"labels": LabelLoss, "values": SquaredError}.get(loss, LogLoss)()
    weights = torch.from_numpy(rng.uniform(0, 2, len(sizes))).to(dtype)
    if targets.is_floating_point():
        targets = targets.to(dtype)
    corpus = Corpus(X, dtype, torch.device("cpu"))
    return cell, corpus, BatchLoss(kind, targets, weights)


def learned(cell, corpus, loss, *, compiled, dropout=None):
    """The loss and the gradients of all documents, once and once more."""
    cell.zero_grad(set_to_none=True)
    generator = torch.Generator().manual_seed(0)
    dropout = dropout or Dropout()
    of_cell = RationalCell if compiled else ReadoutCell
    learn = of_cell.learner(cell, dropout, generator)
    batches = (corpus.batch(np.arange(len(corpus))) for _ in range(2))
    value = [float(learn(batch, loss)) for batch in batches]
    return value, [p.grad.clone() for p in cell.parameters()]


def assert_alike(one, other, **tolerance):
    assert one[0] == pytest.approx(other[0], rel=tolerance["rtol"])
    for a, b in zip(one[1], other[1], strict=True):
        torch.testing.assert_close(a, b, **tolerance)


@pytest.fixture
def count(monkeypatch):
    """How often batches were learned by the kernel."""
    calls = []
    learn = step.Learner.learn

    def counted(self, *args):
        calls.append(args)
        return learn(self, *args)

    monkeypatch.setattr(step.Learner, "learn", counted)
    return calls


@pytest.mark.usefixtures("poisoned_memory")
@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**16),
    sizes=st.lists(st.integers(0, 40), min_size=1, max_size=6),
    lengths=st.lists(st.integers(1, 9), min_size=1, max_size=9),
    loss=st.sampled_from(sorted(LOSSES)),
    match=st.sampled_from(["anywhere", "end"]),
    readout=st.sampled_from(["sum", "last"]),
    exponent=st.sampled_from([0.0, 0.5]),
    repeats=st.booleans(),
)
def test_gradients_are_those_of_autograd(
    seed, sizes, lengths, loss, match, readout, exponent, repeats
):
    rule = ScoringRule("plus-times", readout, match, exponent)
    problem = draw(seed, sizes, lengths, loss, rule, repeats=repeats)
    ours, theirs = (learned(*problem, compiled=flag) for flag in (True, False))
    assert_alike(ours, theirs, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("semiring", ["plus-times", "max-plus", "max-times"])
def test_float32_dropout_and_semirings(count, semiring, loss):
    rule = ScoringRule(semiring, "sum", "anywhere", 0.5)
    problem = draw(1, [30, 0, 1, 50], (4, 2, 5), loss, rule, dtype=torch.float32)
    noise = Dropout(scores=0.3, words=0.2, columns=0.1)
    ours, theirs = (
        learned(*problem, compiled=flag, dropout=noise) for flag in (True, False)
    )
    assert len(count) == 2
    assert_alike(ours, theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("repeats", [True, False])
def test_threads_change_no_bit(monkeypatch, loss, repeats):
    """Nor does sharing as such, where there is only one thread."""
    monkeypatch.setattr(products, "TILE_ROWS", 20)
    monkeypatch.setattr(products, "PART_ROWS", 20)
    rule = ScoringRule("plus-times", "sum", "anywhere", 0.5)
    lengths, sizes = (4,) * 20 + (9, 1, 2), [60] * 10
    problem = draw(2, sizes, lengths, loss, rule, dtype=torch.float32, repeats=repeats)
    before = torch.get_num_threads()
    results = []
    try:
        for n_threads, least in (1, 2**60), (2, 0), (3, 0):
            monkeypatch.setattr(passes, "_LEAST_PRODUCT", least)
            monkeypatch.setattr(passes, "_LEAST_WALK", least)
            torch.set_num_threads(n_threads)
            with single_thread():
                results.append(learned(*problem, compiled=True))
    finally:
        torch.set_num_threads(before)
    for values, gradients in results[1:]:
        assert values == results[0][0]
        assert all(map(torch.equal, gradients, results[0][1]))


@pytest.mark.parametrize("fixed", [("W_u", "W_f", "b_f"), ("A", "a"), ("W_f",)])
def test_what_is_fixed_gets_no_gradient(fixed):
    rule = ScoringRule("plus-times", "sum", "anywhere", 0.0)
    cell, *rest = draw(3, [9, 4], (3, 2), "classes", rule)
    for name in fixed:
        getattr(cell, name).requires_grad_(False)
    cell.zero_grad(set_to_none=True)
    learn = cell.learner(Dropout(), torch.Generator())
    learn(rest[0].batch(np.arange(2)), rest[1])
    for name, parameter in cell.named_parameters():
        assert (parameter.grad is None) == (name in fixed)


class Halved(LogLoss):
    def __call__(self, outputs, targets):
        return super().__call__(outputs, targets) / 2


@pytest.mark.parametrize("readout", ["rho", "rho_softmax", "sum"])
def test_whatever_has_no_kernel_is_left_to_autograd(count, readout):
    rule = ScoringRule("plus-times", readout, "anywhere", 0.0)
    cell, corpus, loss = draw(4, [9, 4, 7], (3, 2), "classes", rule)
    if readout == "sum":
        loss = loss._replace(loss=Halved())
    ours, theirs = (learned(cell, corpus, loss, compiled=f) for f in (True, False))
    assert not count
    assert_alike(ours, theirs, rtol=1e-12, atol=1e-12)


def test_a_loop_in_double_precision_finds_the_same():
    """One document, one automaton of one state, two classes, from the equations."""
    rule = ScoringRule("plus-times", "sum", "end", 0.0)
    cell, corpus, loss = draw(5, [7], (1,), "two classes", rule)
    values, gradients = learned(cell, corpus, loss, compiled=True)
    arrays = {
        n: p.detach().clone().requires_grad_() for n, p in cell.named_parameters()
    }
    state = torch.zeros((), dtype=torch.float64)
    batch = corpus.batch(np.arange(1))
    for row in batch.x[torch.from_numpy(batch.ids).long()]:
        f = torch.sigmoid(arrays["W_f"][0] @ row + arrays["b_f"][0])
        state = f * state + (1 - f) * (arrays["W_u"][0] @ row)
    z = arrays["A"][0, 0] * state + arrays["a"][0]
    y, weight = loss.targets[0], loss.weights[0]
    value = weight * (torch.log1p(torch.exp(z)) - y * z)
    value.backward()
    assert values == pytest.approx([value.item()] * 2, rel=1e-12)
    for gradient, reference in zip(gradients, arrays.values(), strict=True):
        torch.testing.assert_close(gradient, 2 * reference.grad)
