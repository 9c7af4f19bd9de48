from itertools import product
from math import exp, inf, log1p

import numpy as np
import pytest
import torch

from skrational.cells.batches import Corpus
from skrational.cells.layered import LayeredCell
from skrational.penalties.group_lasso import GroupLasso
from skrational.sequences import as_sequences
from skrational.structures.automata import READOUTS, SEMIRING_NAMES, ScoringRule

E = 3
LENGTHS = (2, 4, 1), (3, 2)
RULES = [
    ScoringRule(semiring, readout, match)
    for semiring, readout, match in product(
        SEMIRING_NAMES, READOUTS, ("end", "anywhere")
    )
]
every_rule = pytest.mark.parametrize(
    "rule", RULES, ids=lambda r: f"{r.semiring}-{r.readout}-{r.match}"
)


def draw_cell(rule=None, lengths=LENGTHS, n_outputs=2):
    cell = LayeredCell.dense(
        E, lengths, n_outputs, rule or ScoringRule(), torch.float64
    )
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for p in cell.parameters():
            p.copy_(torch.randn(p.shape, generator=generator, dtype=torch.float64))
    return cell


def draw_documents(sizes=(5, 0, 1, 2, 9), seed=1):
    rng = np.random.default_rng(seed)
    words = rng.normal(size=(6, E))
    return [words[rng.integers(0, 6, size)] for size in sizes]


def to_batch(documents):
    X = as_sequences(documents)
    corpus = Corpus(X, torch.float64, torch.device("cpu"))
    return corpus.batch(np.arange(len(X)))


def sigmoid(z):
    return 1 / (1 + exp(-z))


def finals(readout, rho):
    if readout == "last":
        return [0.0] * (len(rho) - 1) + [1.0]
    if readout == "rho":
        return [sigmoid(r) for r in rho]
    if readout == "rho_softmax":
        total = sum(map(exp, rho))
        return [exp(r) / total for r in rho]
    return [1.0] * len(rho)


def states_by_token(document, W_u, W_f, b_f, semiring):
    """The paper's recurrence for one automaton; a row of states for each token."""
    zero, one = (-inf, 0.0) if semiring == "max-plus" else (0.0, 1.0)
    n = len(b_f)
    c, rows = [one] + [zero] * n, []
    for x in document:
        after = [one]
        for k in range(n):
            z_f, z_u = float(W_f[k] @ x + b_f[k]), float(W_u[k] @ x)
            f = sigmoid(z_f)
            if semiring == "plus-times":
                after.append(f * c[k + 1] + (1 - f) * z_u * c[k])
            elif semiring == "max-plus":
                after.append(max(-log1p(exp(-z_f)) + c[k + 1], sigmoid(z_u) + c[k]))
            else:
                after.append(max(f * c[k + 1], sigmoid(z_u) * c[k]))
        c = after
        rows.append(c[1:])
    return rows


def reached(values):
    return [0.0 if v == -inf else v for v in values]


def of_document(rows, n, rule):
    """Scores of an automaton's states on a document, from those of the tokens."""
    if not rows:
        return [0.0] * n
    if rule.match == "end":
        return reached(rows[-1])
    join = sum if rule.semiring == "plus-times" else max
    joined = [join(column) for column in zip(*rows, strict=True)]
    joined = reached(joined)
    if rule.semiring == "plus-times":
        return [v / len(rows) ** rule.length_exponent for v in joined]
    return [max(v, 0.0) if rule.semiring == "max-times" else v for v in joined]


def by_the_equations(cell, document):
    arrays, x, rule = cell.to_arrays(), list(document), cell.rule
    for number, layer in enumerate(cell.layers, 1):
        names = ("W_u", "W_f", "b_f", "rho")
        own = {n: arrays.get(f"layer{number}.{n}") for n in names}
        starts = np.cumsum([0, *layer.lengths])
        tokens, scores = [], []
        for start, n in zip(starts, layer.lengths, strict=False):
            part = slice(start, start + n)
            weights = own["W_u"][part], own["W_f"][part], own["b_f"][part]
            rho = np.zeros(n) if own["rho"] is None else own["rho"][part]
            final = finals(rule.readout, rho)
            rows = states_by_token(x, *weights, rule.semiring)
            tokens.append([np.dot(reached(row), final) for row in rows])
            scores.append(np.dot(of_document(rows, n, rule), final))
        x = [np.array(row) for row in zip(*tokens, strict=True)]
    return scores


@every_rule
def test_equals_the_equations(rule):
    cell, documents = draw_cell(rule), draw_documents()
    expected = [by_the_equations(cell, document) for document in documents]
    with torch.no_grad():
        scores = cell.hidden(to_batch(documents))
    np.testing.assert_allclose(scores, expected, rtol=1e-10, atol=1e-12)


def test_three_layers_equal_the_equations():
    cell = draw_cell(lengths=((2, 1), (3, 2, 1), (2,)))
    documents = draw_documents()
    expected = [by_the_equations(cell, document) for document in documents]
    with torch.no_grad():
        scores = cell.hidden(to_batch(documents))
    np.testing.assert_allclose(scores, expected, rtol=1e-10, atol=1e-12)


def test_a_second_layer_of_equal_gates_counts_the_first():
    """States of W_f = 0 have gates of 1/2, so that scores are halved sums."""
    cell = draw_cell(ScoringRule(length_exponent=0.0), lengths=((2, 1), (1, 1)))
    with torch.no_grad():
        cell.layer2.W_f.zero_()
        cell.layer2.b_f.zero_()
        cell.layer2.W_u.copy_(torch.eye(2, dtype=torch.float64))
        batch = to_batch(draw_documents((7,)))
        tokens = cell.layer1.token_scores(batch)
        ages = torch.arange(len(tokens) - 1, -1, -1, dtype=torch.float64)
        # A match at a token counts again, halved, at each token after it.
        counted = (1 - 0.5 ** (ages + 1))[:, None]
        torch.testing.assert_close(cell.hidden(batch)[0], (tokens * counted).sum(0))


@pytest.mark.parametrize("kernel", ["numba", "reference"])
@pytest.mark.parametrize("semiring", SEMIRING_NAMES)
def test_gradients_are_those_of_finite_differences(kernel, semiring, monkeypatch):
    monkeypatch.setenv("SKRATIONAL_KERNEL", kernel)
    cell = draw_cell(ScoringRule(semiring))
    batch = to_batch(draw_documents())

    def loss(*parameters):
        named = dict(zip(names, parameters, strict=True))
        outputs = torch.func.functional_call(cell, named, (batch,))
        return outputs.square().sum()

    names = [name for name, _ in cell.named_parameters()]
    torch.autograd.gradcheck(loss, tuple(cell.parameters()))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("semiring", SEMIRING_NAMES)
def test_both_kernels_agree(dtype, semiring, monkeypatch):
    cell = draw_cell(ScoringRule(semiring)).to(dtype)
    documents = draw_documents((0, 40, 3, 17))
    X = as_sequences(documents)
    batch = Corpus(X, dtype, torch.device("cpu")).batch(np.arange(len(X)))
    found = {}
    for kernel in ("numba", "reference"):
        monkeypatch.setenv("SKRATIONAL_KERNEL", kernel)
        outputs = cell(batch)
        found[kernel] = (
            outputs.detach(),
            *torch.autograd.grad(outputs.square().sum(), list(cell.parameters())),
        )
    tolerance = 1e-4 if dtype == torch.float32 else 1e-11
    for one, other in zip(*found.values(), strict=True):
        scale = max(float(other.abs().max()), 1.0)
        assert float((one - other).abs().max()) <= tolerance * scale


def masked_scores(cell, kept, batch):
    with torch.no_grad():
        return cell.masked(kept).hidden(batch)


@pytest.mark.parametrize("readout", ["sum", "rho", "rho_softmax"])
def test_the_pruned_network_scores_as_the_masked_one(readout):
    cell, batch = draw_cell(ScoringRule(readout=readout)), to_batch(draw_documents())
    live = np.array([1, 0, 1, 1, 1, 0, 1, 1, 1, 0, 1, 1], bool)
    small, cut = cell.pruned("states", live)
    assert small.structure().lengths == ((1, 3, 1), (2, 2))
    assert small.structure().n_transitions == 9
    kept = (1, 3, 1), (2, 2)
    with torch.no_grad():
        torch.testing.assert_close(
            small.hidden(batch), masked_scores(cell, kept, batch)
        )
    sizes = [p.numel() for p in small.parameters()]
    assert sum(sizes) == small.structure().n_parameters
    assert [v.numel() for v in cut(list(cell.parameters()))] == sizes


def test_what_an_automaton_of_the_first_layer_fed_goes_with_it():
    cell, batch = draw_cell(), to_batch(draw_documents())
    live = np.array([1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1], bool)
    small, _ = cell.pruned("states", live)
    assert small.structure().layers[0].survivors == (0, 2)
    torch.testing.assert_close(small.layer2.W_u, cell.layer2.W_u[:, [0, 2]])
    torch.testing.assert_close(small.layer2.W_f, cell.layer2.W_f[:, [0, 2]])
    with torch.no_grad():
        expected = masked_scores(cell, ((2, 0, 1), (3, 2)), batch)
        torch.testing.assert_close(small.hidden(batch), expected)


def test_an_automaton_that_nobody_reads_goes():
    cell, batch = draw_cell(), to_batch(draw_documents())
    with torch.no_grad():
        # Only the last state of the first automaton reads automaton 1.
        for weight in (cell.layer2.W_u, cell.layer2.W_f):
            weight[:2, 1] = 0
            weight[3:, 1] = 0
        whole = cell.hidden(batch)
    everything = np.ones(12, bool)
    assert cell.pruned("states", everything)[0].structure().lengths == LENGTHS
    live = everything.copy()
    live[7 + 2] = False
    small, _ = cell.pruned("states", live)
    assert small.structure().lengths == ((2, 1), (2, 2))
    with torch.no_grad():
        expected = masked_scores(cell, (LENGTHS[0], (2, 2)), batch)
        torch.testing.assert_close(small.hidden(batch), expected)
        assert not torch.allclose(small.hidden(batch), whole)


def test_a_state_that_reads_only_what_is_gone_goes():
    cell, batch = draw_cell(), to_batch(draw_documents())
    with torch.no_grad():
        cell.layer2.W_u[1, 1:] = 0  # state 2 of the first automaton enters by WFSA 0
    live = np.ones(12, bool)
    live[0] = False
    small, _ = cell.pruned("states", live)
    assert small.structure().lengths == ((4, 1), (1, 2))
    with torch.no_grad():
        expected = masked_scores(cell, ((0, 4, 1), (3, 2)), batch)
        torch.testing.assert_close(small.hidden(batch), expected)


@pytest.mark.parametrize("dead", [slice(0, 7), slice(7, 12)])
def test_without_a_layer_nothing_is_left(dead):
    cell, batch = draw_cell(), to_batch(draw_documents())
    live = np.ones(12, bool)
    live[dead] = False
    small, cut = cell.pruned("states", live)
    assert small.structure().is_empty
    assert small.structure().n_parameters == 2
    assert small.hidden(batch).shape == (5, 0)
    torch.testing.assert_close(small(batch), cell.a.expand(5, 2))
    for value, p in zip(cut(list(cell.parameters())), small.parameters(), strict=True):
        assert value.shape == p.shape


def test_single_transitions_and_whole_automata_can_go():
    cell, batch = draw_cell(), to_batch(draw_documents())
    wfsas = np.array([1, 0, 1, 1, 0], bool)
    small, _ = cell.pruned("wfsas", wfsas)
    assert small.structure().lengths == ((2, 1), (3,))
    live = np.ones(24, bool)
    live[[7 + 2, 14 + 5 + 0]] = False  # self-loops: row 2 of layer 1, row 0 of layer 2
    small, _ = cell.pruned("transitions", live)
    assert small.structure().layers[0].n_fixed_self_loops == 1
    assert small.structure().layers[1].n_fixed_self_loops == 1
    with torch.no_grad():
        for layer, row in ((cell.layer1, 2), (cell.layer2, 0)):
            layer.W_f[row] = 0
            layer.b_f[row] = 0
        torch.testing.assert_close(small.hidden(batch), cell.hidden(batch))


def test_groups_hold_each_weight_of_the_automata_once():
    cell = draw_cell()
    groups = cell.groups("states")
    assert groups.n_groups == 12
    norms = groups.norms().detach()
    rows = torch.cat([cell.layer2.W_u, cell.layer2.W_f, cell.layer2.b_f[:, None]], 1)
    torch.testing.assert_close(norms[7:], rows.norm(dim=1))
    assert rows.shape[1] == 2 * 3 + 1
    value = GroupLasso(0.5).value(groups).item()
    assert value == pytest.approx(0.5 * norms.sum().item())


def test_arrays_and_structure_give_the_cell_back():
    cell, batch = draw_cell(ScoringRule(readout="rho")), to_batch(draw_documents())
    arrays, structure = cell.to_arrays(), cell.structure()
    assert {"A", "a", "layer1.W_u", "layer2.rho"} <= arrays.keys()
    twin = LayeredCell.from_arrays(arrays, structure, cell.rule)
    with torch.no_grad():
        torch.testing.assert_close(twin(batch), cell(batch), rtol=0, atol=0)
