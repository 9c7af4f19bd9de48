from itertools import product
from math import exp, inf, log1p

import numpy as np
import pytest
import torch

from skrational.cells.batches import Corpus
from skrational.cells.rational import RationalCell
from skrational.sequences import as_sequences
from skrational.structures.automata import READOUTS, ScoringRule

SEMIRINGS = "plus-times", "max-plus", "max-times"
LENGTHS = (2, 4, 1, 3)
E = 3
DEFAULT = ScoringRule()

READINGS = [
    ScoringRule(semiring, readout, match, 0.5)
    for semiring, readout, match in product(SEMIRINGS, READOUTS, ("end", "anywhere"))
]


def name(rule):
    return f"{rule.semiring}-{rule.readout}-{rule.match}"


def every_rule(test):
    return pytest.mark.parametrize("rule", READINGS, ids=name)(test)


def draw_cell(rule=DEFAULT, dtype=torch.float64, lengths=LENGTHS, n_outputs=2):
    cell = RationalCell(E, lengths, n_outputs, rule, dtype)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for p in cell.parameters():
            p.copy_(torch.randn(p.shape, generator=generator, dtype=torch.float64))
    return cell


def draw_documents(sizes=(5, 0, 1, 2, 9), seed=1):
    rng = np.random.default_rng(seed)
    words = rng.normal(size=(6, E))
    return [words[rng.integers(0, 6, size)] for size in sizes]


def to_batch(documents, dtype=torch.float64):
    X = as_sequences(documents)
    return Corpus(X, dtype, torch.device("cpu")).batch(np.arange(len(X)))


def sigmoid(z):
    return 1 / (1 + exp(-z))


def final_weights(readout, rho):
    """Weights of the states of one automaton."""
    n = len(rho)
    if readout == "last":
        return [0.0] * (n - 1) + [1.0]
    if readout == "rho":
        return [sigmoid(r) for r in rho]
    if readout == "rho_softmax":
        total = sum(exp(r) for r in rho)
        return [exp(r) / total for r in rho]
    return [1.0] * n


def score_states(document, W_u, W_f, b_f, rule):
    """The paper's recurrence for one automaton and one document."""
    is_max_plus = rule.semiring == "max-plus"
    zero, one = (-inf, 0.0) if is_max_plus else (0.0, 1.0)
    n = len(b_f)
    c, joined = [one] + [zero] * n, [zero] * n
    for x in document:
        after = [one]
        for k in range(n):
            gate, z = sigmoid(W_f[k] @ x + b_f[k]), float(W_u[k] @ x)
            if rule.semiring == "plus-times":
                after.append(gate * c[k + 1] + (1 - gate) * z * c[k])
            elif is_max_plus:
                log_gate = -log1p(exp(-(W_f[k] @ x + b_f[k])))
                after.append(max(log_gate + c[k + 1], sigmoid(z) + c[k]))
            else:
                after.append(max(gate * c[k + 1], sigmoid(z) * c[k]))
        c = after
        joined = [
            a + b if rule.semiring == "plus-times" else max(a, b)
            for a, b in zip(joined, c[1:], strict=True)
        ]
    scores = joined if rule.match == "anywhere" else c[1:]
    return [0.0 if s == -inf else s for s in scores]


def loop_scores(cell, documents):
    arrays, rule = cell.to_arrays(), cell.rule
    scores = np.zeros((len(documents), len(cell.lengths)))
    stops = np.cumsum(cell.lengths)
    for (b, document), (i, stop) in product(enumerate(documents), enumerate(stops)):
        rows = slice(stop - cell.lengths[i], stop)
        weights = (arrays[p][rows] for p in ("W_u", "W_f", "b_f"))
        states = score_states(document, *weights, rule)
        rho = arrays.get("rho", arrays["b_f"])[rows]
        scores[b, i] = np.dot(states, final_weights(rule.readout, rho))
        if rule.match == "anywhere" and rule.semiring == "plus-times":
            scores[b, i] /= max(len(document), 1) ** rule.length_exponent
    return scores


@every_rule
def test_equals_the_equations(rule):
    cell, documents = draw_cell(rule), draw_documents()
    expected = loop_scores(cell, documents)
    with torch.no_grad():
        scores, logits = cell.hidden(to_batch(documents)), cell(to_batch(documents))
    np.testing.assert_allclose(scores, expected, rtol=1e-11, atol=1e-13)
    A, a = (p.detach().numpy() for p in (cell.A, cell.a))
    np.testing.assert_allclose(logits, expected @ A.T + a, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("exponent", [0.0, 0.5, 1.0])
def test_scores_are_divided_by_a_power_of_the_length(exponent):
    cell = draw_cell(ScoringRule(length_exponent=exponent))
    documents = draw_documents()
    scores = cell.hidden(to_batch(documents)).detach()
    np.testing.assert_allclose(scores, loop_scores(cell, documents), rtol=1e-11)


def test_one_state_and_one_token_is_a_gated_unigram():
    cell = draw_cell(ScoringRule(match="end"), lengths=(1, 1, 1))
    x = np.random.default_rng(2).normal(size=(7, E))
    W_u, W_f, b_f, A, a = (cell.to_arrays()[n] for n in ("W_u", "W_f", "b_f", "A", "a"))
    expected = x @ W_u.T / (1 + np.exp(x @ W_f.T + b_f))
    with torch.no_grad():
        batch = to_batch(list(x[:, None]))
        np.testing.assert_allclose(cell.hidden(batch), expected, rtol=1e-12)
        np.testing.assert_allclose(cell(batch), expected @ A.T + a, rtol=1e-12)


def test_one_state_is_a_gated_unigram_at_every_token():
    cell = draw_cell(ScoringRule(match="end"), lengths=(1, 1, 1))
    (x,) = draw_documents([8])
    W_u, W_f, b_f = (cell.to_arrays()[n] for n in ("W_u", "W_f", "b_f"))
    f = 1 / (1 + np.exp(-(x @ W_f.T + b_f)))
    later = np.cumprod(f[::-1], axis=0)[::-1] / f  # the self-loops taken afterwards
    expected = np.sum((1 - f) * (x @ W_u.T) * later, axis=0)
    with torch.no_grad():
        scores = cell.hidden(to_batch([x]))
    np.testing.assert_allclose(scores[0], expected, rtol=1e-12)


@pytest.mark.parametrize("readout", READOUTS)
def test_left_padding_with_zero_vectors_is_neutral_at_the_end(readout):
    cell = draw_cell(ScoringRule(readout=readout, match="end"))
    documents = draw_documents([5, 1, 3])
    with torch.no_grad():
        expected = cell.hidden(to_batch(documents))
        padded = [np.concatenate([np.zeros((4, E)), d]) for d in documents]
        found = cell.hidden(to_batch(padded))
        torch.testing.assert_close(found, expected, rtol=1e-13, atol=1e-15)
        padded = [np.concatenate([d, np.zeros((4, E))]) for d in documents]
        assert not torch.allclose(cell.hidden(to_batch(padded)), expected)


def test_a_document_does_not_depend_on_its_batch():
    cell, documents = draw_cell(), draw_documents()
    with torch.no_grad():
        together = cell(to_batch(documents))
        for i, document in enumerate(documents):
            alone = cell(to_batch([document]))
            torch.testing.assert_close(alone[0], together[i], rtol=1e-12, atol=1e-13)


KEPT = [(1, 0, 1, 3), (2, 4, 1, 3), (0, 2, 0, 1), (0, 0, 0, 0)]


@every_rule
@pytest.mark.parametrize("kept", KEPT)
@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float32, 1e-6), (torch.float64, 1e-12)]
)
def test_the_compacted_cell_equals_the_masked_one(rule, kept, dtype, tolerance):
    cell = draw_cell(rule, dtype)
    batch = to_batch(draw_documents(), dtype)
    masked, compacted = cell.masked(kept), cell.compacted(kept)
    with torch.no_grad():
        expected, logits = masked(batch), compacted(batch)
        survivors = np.flatnonzero(kept)
        scores = masked.hidden(batch)
        torch.testing.assert_close(
            compacted.hidden(batch), scores[:, survivors], rtol=tolerance, atol=1e-12
        )
    assert not np.delete(scores.numpy(), survivors, axis=1).any()
    error = torch.linalg.vector_norm(logits - expected)
    assert error <= tolerance * torch.linalg.vector_norm(expected)


@pytest.mark.parametrize("readout", READOUTS)
def test_keeping_everything_changes_nothing(readout):
    cell, batch = draw_cell(ScoringRule(readout=readout)), to_batch(draw_documents())
    with torch.no_grad():
        for twin in (cell.masked(LENGTHS), cell.compacted(LENGTHS)):
            assert twin is not cell
            assert torch.equal(twin(batch), cell(batch))


def test_compacted_tensors_are_small_and_their_own():
    cell = draw_cell(ScoringRule(readout="rho"), n_outputs=3)
    before = cell.to_arrays()
    small = cell.compacted((1, 0, 1, 3))
    assert small.lengths == (1, 1, 3)
    shapes = {name: tuple(p.shape) for name, p in small.named_parameters()}
    assert shapes == {
        "W_u": (5, E),
        "W_f": (5, E),
        "b_f": (5,),
        "rho": (5,),
        "A": (3, 3),
        "a": (3,),
    }
    rows = [0, 6, 7, 8, 9]
    for p in ("W_u", "W_f", "b_f", "rho"):
        np.testing.assert_array_equal(small.to_arrays()[p], before[p][rows])
    np.testing.assert_array_equal(small.to_arrays()["A"], before["A"][:, [0, 2, 3]])
    for p in small.parameters():
        assert p.requires_grad
        assert p.untyped_storage().nbytes() == p.numel() * p.element_size()
        with torch.no_grad():
            p.fill_(7)
    for p, array in cell.to_arrays().items():
        np.testing.assert_array_equal(array, before[p])


def test_a_masked_cell_is_a_copy():
    cell = draw_cell()
    before = cell.to_arrays()
    twin = cell.masked((1, 0, 1, 3))
    with torch.no_grad():
        twin.W_u.zero_()
    np.testing.assert_array_equal(cell.to_arrays()["W_u"], before["W_u"])
    assert cell.live.all()


@pytest.mark.parametrize("readout", ["sum", "last", "rho"])
@pytest.mark.parametrize("match", ["end", "anywhere"])
def test_pruning_exact_zeros_changes_nothing(readout, match):
    cell = draw_cell(ScoringRule(readout=readout, match=match))
    with torch.no_grad():
        for p in (cell.W_u, cell.W_f, cell.b_f):
            p[[3, 6]] = 0
        live = (cell.groups("states").norms() > 0).numpy()
        small = cell.compacted(cell.lengths_of_live("states", live))
        assert small.lengths == (2, 1, 3)
        batch = to_batch(draw_documents())
        torch.testing.assert_close(small(batch), cell(batch), rtol=1e-12, atol=1e-13)


def test_the_last_state_is_the_last_that_can_be_reached():
    cell, batch = draw_cell(ScoringRule(readout="last")), to_batch(draw_documents())
    with torch.no_grad():
        cell.W_u[3] = 0  # state 2 of the second WFSA, of four
        cell.W_u[6] = 0  # the only state of the third
        expected = cell.masked((2, 1, 0, 3)).hidden(batch)
        torch.testing.assert_close(cell.hidden(batch), expected, rtol=1e-12, atol=0)
        assert expected[:, 1].any()
        assert not expected[:, 2].any()


@pytest.mark.parametrize(
    ("kind", "n_groups", "width"),
    [("states", 10, 2 * E + 1), ("wfsas", 4, None), ("transitions", 20, None)],
)
def test_groups_hold_all_that_the_automata_have_once(kind, n_groups, width):
    cell = draw_cell(ScoringRule(readout="rho"))
    groups = cell.groups(kind)
    assert groups.n_groups == n_groups
    held = {id(p) for part in groups.parts for p in part.parameters}
    assert held == {id(p) for p in (cell.W_u, cell.W_f, cell.b_f)}
    total = sum(p.detach().square().sum() for p in (cell.W_u, cell.W_f, cell.b_f))
    torch.testing.assert_close(groups.norms().square().sum(), total)
    if width is not None:
        assert groups.parts[0].pack(groups.parts[0].parameters).shape[1] == width


def test_norms_of_the_three_kinds_of_groups():
    cell = draw_cell()
    arrays = cell.to_arrays()
    main_path = np.linalg.norm(arrays["W_u"], axis=1)
    self_loop = np.hypot(np.linalg.norm(arrays["W_f"], axis=1), arrays["b_f"])
    states = np.hypot(main_path, self_loop)
    wfsas = [np.linalg.norm(part) for part in np.split(states, np.cumsum(LENGTHS)[:-1])]
    expected = {
        "states": states,
        "wfsas": wfsas,
        "transitions": np.concatenate([main_path, self_loop]),
    }
    for kind, norms in expected.items():
        np.testing.assert_allclose(cell.groups(kind).norms().detach(), norms)


def test_a_wfsa_keeps_its_leading_run_of_live_states():
    cell = draw_cell()
    live = np.array([0, 1, 1, 1, 0, 1, 1, 1, 0, 0], dtype=bool)
    assert cell.lengths_of_live("states", live) == (0, 2, 1, 1)
    assert cell.lengths_of_live("states", np.ones(10, bool)) == LENGTHS
    assert cell.lengths_of_live("states", np.zeros(10, bool)) == (0, 0, 0, 0)


def test_a_wfsa_is_kept_or_dropped_as_a_whole():
    live = np.array([True, False, True, False])
    assert draw_cell().lengths_of_live("wfsas", live) == (2, 0, 1, 0)


def test_a_state_needs_its_main_path_transition_only():
    main_path = np.array([1, 0, 1, 1, 1, 1, 0, 1, 1, 0], dtype=bool)
    for self_loop in (np.zeros(10, bool), np.ones(10, bool)):
        live = np.concatenate([main_path, self_loop])
        assert draw_cell().lengths_of_live("transitions", live) == (1, 4, 0, 2)


@pytest.mark.parametrize("readout", READOUTS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_arrays_rebuild_the_cell(readout, dtype):
    cell = draw_cell(ScoringRule(readout=readout), dtype)
    arrays = cell.to_arrays()
    twin = RationalCell.from_arrays(arrays, cell.structure(), cell.rule)
    batch = to_batch(draw_documents(), dtype)
    assert twin.A.dtype == dtype
    assert torch.equal(twin(batch), cell(batch))
    for array in arrays.values():
        array[...] = 7  # copies: neither cell sees this
    assert torch.equal(twin(batch), cell(batch))


def test_an_empty_cell_answers_with_its_intercept():
    empty = draw_cell().compacted((0, 0, 0, 0))
    batch = to_batch(draw_documents())
    for cell in (
        empty,
        RationalCell.from_arrays(empty.to_arrays(), empty.structure(), empty.rule),
        empty.masked(()),
    ):
        assert cell.lengths == ()
        assert cell.hidden(batch).shape == (5, 0)
        assert torch.equal(cell(batch), cell.a.expand(5, 2))
        assert torch.equal(cell.a, empty.a)
        cell(batch).sum().backward()
        assert cell.a.grad.tolist() == [5, 5]


def test_an_empty_cell_can_be_compacted_again():
    cell = draw_cell().compacted((0, 0, 0, 0)).compacted(())
    assert cell.lengths == ()
    assert torch.equal(cell.a, draw_cell().a)


@pytest.mark.parametrize("kind", ["states", "wfsas", "transitions"])
def test_an_empty_cell_has_no_groups(kind):
    cell = RationalCell(E, (), 1, ScoringRule())
    assert cell.groups(kind).norms().shape == (0,)
    assert cell.lengths_of_live(kind, np.zeros(0, bool)) == ()


@pytest.mark.usefixtures("untouched_generators")
def test_initial_weights_are_uniform_within_their_bounds():
    cell = RationalCell(40, (4,) * 24, 3, ScoringRule())
    cell.initialize(torch.Generator().manual_seed(0))
    for weight, bound in (
        (cell.W_u, (6 / 64) ** 0.5),
        (cell.W_f, (6 / 64) ** 0.5),
        (cell.A, 24**-0.5),
    ):
        size = weight.detach().abs()
        assert 0.95 * bound < size.max() <= bound * (1 + 1e-6)
        assert size.mean().item() == pytest.approx(bound / 2, rel=0.2)
    assert not cell.b_f.any()
    assert not cell.a.any()


def test_initial_weights_follow_from_the_generator():
    def draw(seed, dtype):
        cell = RationalCell(5, (2, 3), 1, ScoringRule(), dtype)
        return cell.initialize(torch.Generator().manual_seed(seed)).to_arrays()

    first, again, other = (draw(seed, torch.float64) for seed in (0, 0, 1))
    single = draw(0, torch.float32)
    for p in ("W_u", "W_f", "A"):
        np.testing.assert_array_equal(first[p], again[p])
        np.testing.assert_allclose(first[p], single[p], rtol=1e-6)
        assert not np.allclose(first[p], other[p])


def test_what_is_cut_out_knows_where_it_was():
    cell = draw_cell()
    assert cell.numbers == (0, 1, 2, 3)
    small = cell.compacted((1, 0, 1, 3))
    assert small.numbers == (0, 2, 3)
    assert small.compacted((0, 1, 2)).numbers == (2, 3)
    assert small.masked((0, 1, 2)).numbers == (0, 2, 3)
    assert small.compacted((0, 0, 0)).numbers == ()
    arrays = small.to_arrays()
    again = RationalCell.from_arrays(arrays, small.structure(), DEFAULT)
    assert again.numbers == small.numbers
    assert again.structure() == small.structure()
    assert small.structure().kept_lengths == (1, 0, 1, 3)
    assert small.structure().initial_lengths == cell.lengths


@pytest.mark.parametrize("readout", ["sum", "rho"])
@pytest.mark.parametrize("kept", KEPT)
def test_slices_follow_the_parameters(readout, kept):
    cell = draw_cell(ScoringRule(readout=readout))
    numbered = [
        torch.arange(p.numel(), dtype=p.dtype).view(p.shape) for p in cell.parameters()
    ]
    slices = cell.sliced(kept, numbered)
    states = np.concatenate(
        [np.arange(n) < k for n, k in zip(LENGTHS, kept, strict=True)]
    )
    wfsas = np.array(kept) > 0
    for (name, small), piece, whole in zip(
        cell.compacted(kept).named_parameters(), slices, numbered, strict=True
    ):
        assert piece.shape == small.shape
        cut = {"A": (slice(None), wfsas), "a": slice(None)}.get(name, states)
        np.testing.assert_array_equal(piece, whole.numpy()[cut])
