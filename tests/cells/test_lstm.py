"""The LSTM and the GRU against their equations, and what pruning leaves of them."""

from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.special import expit
from torch.nn.utils.rnn import pack_sequence, pad_packed_sequence

from skrational.cells.batches import Corpus
from skrational.cells.gru import GRUCell
from skrational.cells.lstm import LSTMCell
from skrational.penalties.group_lasso import GroupLasso
from skrational.sequences import as_sequences
from skrational.structures.gated import StateReadout
from skrational.utils.threads import single_thread

LAST = StateReadout("last", 0.5)
SUM, MEAN, BETWEEN = (StateReadout("anywhere", p) for p in (0.0, 1.0, 0.5))
READINGS = (LAST, SUM, MEAN, BETWEEN)
SIZES = (5, 0, 1, 2, 9)
CELLS = (LSTMCell, GRUCell)


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Threads that wait for a busy core would take most of the time."""
    with single_thread():
        yield


def draw_cell(
    n_features=3,
    n_units=4,
    n_outputs=2,
    reading=BETWEEN,
    dtype=torch.float64,
    seed=0,
    cell_type=LSTMCell,
):
    cell = cell_type.dense(n_features, n_units, n_outputs, reading, dtype)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for p in cell.parameters():
            p.copy_(torch.randn(p.shape, generator=generator, dtype=torch.float64))
    return cell


def draw_documents(n_features=3, sizes=SIZES, seed=1):
    rng = np.random.default_rng(seed)
    words = rng.normal(size=(7, n_features)).astype(np.float32)
    return [words[rng.integers(0, 7, size)] for size in sizes]


def to_batch(documents, dtype=torch.float64):
    X = as_sequences(documents)
    return Corpus(X, dtype, torch.device("cpu")).batch(np.arange(len(X)))


def lstm_step(p, x, h, c):
    a = p["W_ih"] @ x + p["W_hh"] @ h + p["b"].ravel()
    i, f, g, o = a.reshape(4, -1)
    c = expit(f) * c + expit(i) * np.tanh(g)
    return expit(o) * np.tanh(c), c


def gru_step(p, x, h, c):
    """By PyTorch's documentation; a GRU has no c."""
    of_x = (p["W_ih"] @ x).reshape(3, -1) + p["b"]
    of_h = (p["W_hh"] @ h).reshape(3, -1)
    r, z = expit(of_x[:2] + of_h[:2])
    n = np.tanh(of_x[2] + r * (of_h[2] + p["b_hn"]))
    return (1 - z) * n + z * h, c


def loop_hidden(cell, documents):
    """What the readout reads by the equations, of a dense cell, in float64."""
    p = {name: array.astype(float) for name, array in cell.to_arrays().items()}
    n_units, reading = p["b"].shape[1], cell.reading
    step = gru_step if "b_hn" in p else lstm_step
    hidden = np.zeros((len(documents), n_units))
    for read, document in zip(hidden, documents, strict=True):
        h, c = np.zeros(n_units), np.zeros(n_units)
        for x in document.astype(float):
            h, c = step(p, x, h, c)
            read[:] = h if reading.readout == "last" else read + h
        if reading.readout == "anywhere" and len(document):
            read /= len(document) ** reading.length_exponent
    return hidden


def loop_outputs(cell, documents):
    arrays = cell.to_arrays()
    return loop_hidden(cell, documents) @ arrays["A"].T.astype(float) + arrays["a"]


@pytest.mark.parametrize("cell_type", CELLS)
@pytest.mark.parametrize("reading", READINGS, ids=str)
def test_equals_the_equations(reading, cell_type):
    cell, documents = draw_cell(reading=reading, cell_type=cell_type), draw_documents()
    with torch.no_grad():
        hidden, outputs = (f(to_batch(documents)) for f in (cell.hidden, cell))
    expected = loop_hidden(cell, documents)
    assert not expected[1].any()
    np.testing.assert_allclose(hidden, expected, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(outputs, loop_outputs(cell, documents), rtol=1e-12)
    corpus = Corpus(as_sequences(documents), torch.float64, torch.device("cpu"))
    np.testing.assert_allclose(cell.predict(corpus), outputs, rtol=1e-12)


@st.composite
def masked_cells(draw):
    """Dense cells with zeros of all kinds, and constants that are 0."""
    n_features, n_units = draw(st.integers(1, 4)), draw(st.integers(1, 5))
    cell = draw_cell(
        n_features,
        n_units,
        draw(st.integers(1, 3)),
        draw(st.sampled_from(READINGS)),
        draw(st.sampled_from([torch.float32, torch.float64])),
        seed=draw(st.integers(0, 2**16)),
        cell_type=draw(st.sampled_from(CELLS)),
    )
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    shares = st.sampled_from([0.0, 0.3, 0.6, 0.9, 1.0])
    for kind in ("weights", "gates", "neurons", "inputs"):
        groups = cell.groups(kind)
        groups.zero_(rng.random(groups.n_groups) >= draw(shares))
    readout, recurrent, special = (
        rng.random(n) for n in (n_units, n_units, tuple(cell.b.shape))
    )
    with torch.no_grad():
        cell.A[:, torch.from_numpy(readout < draw(shares))] = 0
        cell.W_hh[:, torch.from_numpy(recurrent < draw(shares))] = 0
        # The sigmoid of -1000 is 0, as is the hyperbolic tangent of 0; that of 1000, 1.
        of_type = {
            LSTMCell: [-1000.0, -1000.0, 0.0, -1000.0],
            GRUCell: [-1000.0, 1000.0, 0.0],
        }
        nothing = torch.tensor(of_type[type(cell)], dtype=cell.b.dtype)
        is_special = torch.from_numpy(special < draw(shares) / 3)
        cell.b.copy_(torch.where(is_special, nothing[:, None], cell.b))
    return cell


def with_links(links, heard, deaf=(), flowless=()):
    """A cell of four units: who hears whom, and which ones the readout hears.

    Units that are ``deaf`` read no feature; the bias of the information flow is 0 of
    those that are ``flowless``.
    """
    cell = draw_cell()
    hears = torch.zeros(4, 4)
    for here, there in links:
        hears[there, here] = 1
    with torch.no_grad():
        cell.W_hh.mul_(hears.repeat(4, 1))
        cell.A.mul_(torch.tensor([float(k in heard) for k in range(4)]))
        cell.W_ih.view(4, 4, -1)[:, list(deaf)] = 0
        cell.b[2, list(flowless)] = 0
    return cell


CHAIN = with_links([(0, 1), (1, 2)], heard={2})
CHAIN_TO_NOWHERE = with_links([(0, 1), (1, 2)], heard={3})
CYCLE = with_links([(0, 1), (1, 0), (3, 3)], heard={2})
DEAF_CYCLE = with_links([(0, 1), (1, 0)], heard={0, 2}, deaf=(0, 1))
SILENCE = with_links(
    [(0, 1), (1, 2), (3, 3)], heard={1, 2, 3}, deaf=(0, 1, 3), flowless=(0, 1, 3)
)
CLOCK = with_links([(0, 2)], heard={2, 3}, deaf=(0, 3))
NO_UNIT = with_links([], heard=())
EVERY_CONSTANT = with_links([], heard={0, 1, 2, 3}, deaf=range(4))

EXAMPLES = {
    "chain": (CHAIN, (0, 1, 2)),
    "chain to nowhere": (CHAIN_TO_NOWHERE, (3,)),
    "cycle": (CYCLE, (2,)),
    "deaf cycle": (DEAF_CYCLE, (0, 1, 2)),
    "silence": (SILENCE, (2,)),
    "clock": (CLOCK, (0, 2, 3)),
    "no unit": (NO_UNIT, ()),
    "every gate constant": (EVERY_CONSTANT, (0, 1, 2, 3)),
}


def size_of_terms(cell, documents):
    """What rounding errors of the outputs are proportional to, (n, n_outputs)."""
    arrays = cell.to_arrays()
    terms = np.abs(loop_hidden(cell, documents)) @ np.abs(arrays["A"]).T
    return terms + np.abs(arrays["a"]) + 1


def every_example(test):
    for cell, _ in EXAMPLES.values():
        test = example(cell)(test)
    return test


@settings(max_examples=150)
@given(masked_cells())
@every_example
def test_the_compact_cell_equals_the_masked_one_and_the_equations(cell):
    dtype = cell.b.dtype
    tolerance = {torch.float32: 1e-6, torch.float64: 1e-12}[dtype]
    n_features = cell.W_ih.shape[1]
    documents = draw_documents(n_features)
    batch = to_batch(documents, dtype)
    small, _ = cell.compacted()
    with torch.no_grad():
        compact, masked, hidden = small(batch), cell(batch), small.hidden(batch)
    scale = tolerance * size_of_terms(cell, documents)
    assert np.all((compact - masked).abs().numpy() <= scale)
    assert np.all(np.abs(compact.numpy() - loop_outputs(cell, documents)) <= scale)
    units = list(small.structure().units)
    expected = loop_hidden(cell, documents)[:, units]
    np.testing.assert_allclose(hidden, expected, atol=10 * tolerance)


@settings(max_examples=60)
@given(masked_cells())
@every_example
def test_compaction_is_idempotent_and_leaves_no_row_of_zeros(cell):
    small, _ = cell.compacted()
    again, _ = small.compacted()
    assert again.structure() == small.structure()
    for kept, before in zip(again.parameters(), small.parameters(), strict=True):
        assert torch.equal(kept, before)
    moved = torch.cat([small.W_ih, small.W_hh], 1).any(dim=1)
    if isinstance(small, GRUCell):
        # The bias inside the product with r moves a candidate, too.
        moved[len(moved) - len(small.b_hn) :] |= small.b_hn != 0
    assert moved.all()
    assert small.W_ih.any(dim=0).all()


def has_effect(cell, documents, *places):
    """Whether the outputs change if weights at some places of matrices are 0."""
    twin = deepcopy(cell)
    for name, place in places:
        getattr(twin, name).data[place] = 0
    return not np.array_equal(
        loop_outputs(twin, documents), loop_outputs(cell, documents)
    )


@settings(max_examples=60)
@given(masked_cells().filter(lambda cell: cell.b.dtype == torch.float64))
@every_example
def test_all_that_is_left_has_an_effect(cell):
    """Random numbers don't cancel: whatever can go without a trace is gone."""
    cell.b.data.clamp_(-4, 4)  # far out a gate that varies is 0 or 1 all the same
    n_features, n_units = cell.W_ih.shape[1], cell.W_hh.shape[1]
    documents = draw_documents(n_features, sizes=(30, 2))
    structure = cell.compacted()[0].structure()
    columns = [[(n, np.s_[:, k]) for n in ("W_hh", "A")] for k in structure.units]
    rows = [
        [(n, gate * n_units + k) for n in ("W_ih", "W_hh")]
        # A candidate of the GRU has a bias that follows the reset gate.
        + [("b_hn", k)] * (isinstance(cell, GRUCell) and gate == 2)
        for k, constants in zip(structure.units, structure.constants, strict=True)
        for gate, constant in enumerate(constants)
        if constant is None
    ]
    inputs = [[("W_ih", np.s_[:, j])] for j in structure.inputs]
    for places in (*columns, *rows, *inputs):
        assert has_effect(cell, documents, *places)


@pytest.mark.parametrize("b_hn", [0.0, 0.5])
def test_a_reset_gate_goes_where_it_has_nothing_to_reset(b_hn):
    cell = draw_cell(cell_type=GRUCell)
    n_units = len(cell.b_hn)
    with torch.no_grad():
        cell.W_hh[2 * n_units] = 0  # the first unit's candidate hears no unit
        cell.b_hn[0] = b_hn
    structure = cell.compacted()[0].structure()
    assert structure.parts()[0] == ("rzn" if b_hn else "zn")


@pytest.mark.parametrize(("cell", "units"), EXAMPLES.values(), ids=EXAMPLES)
def test_which_units_are_left(cell, units):
    small, _ = cell.compacted()
    assert small.structure().units == units


def test_units_whose_gates_are_all_constant_stay_as_clocks_if_they_are_heard():
    small, _ = CLOCK.compacted()
    structure = small.structure()
    assert structure.parts() == ("-", "ifgo", "-")
    b = CLOCK.b.detach().numpy()
    i, f, g, o = expit(b[0]), expit(b[1]), np.tanh(b[2]), expit(b[3])
    for row, k in zip(structure.constants, structure.units, strict=True):
        if None not in row:
            np.testing.assert_allclose(row, (i[k], f[k], g[k], o[k]), rtol=1e-12)
    h, c = [], 0
    for _ in range(6):
        c = f[3] * c + i[3] * g[3]
        h.append(o[3] * np.tanh(c))
    with torch.no_grad():
        states = small.states(to_batch(draw_documents(sizes=[6])))
    np.testing.assert_allclose(states[:, 2], h, rtol=1e-12)


def test_what_a_compact_cell_stores():
    cell = draw_cell()
    with torch.no_grad():
        cell.A[:, 1] = cell.W_hh[:, 1] = 0  # unit 1 is heard by nobody
        cell.W_ih[:, 2] = 0  # nobody reads feature 2
        for row in (0, 2, 3, 12, 14, 15):  # i and o of the units that are left
            cell.W_ih[row] = cell.W_hh[row] = 0
    before = cell.to_arrays()
    small, cut = cell.compacted()
    rows, units = [4, 6, 7, 8, 10, 11], [0, 2, 3]
    expected = {
        "W_ih": before["W_ih"][rows][:, [0, 1]],
        "W_hh": before["W_hh"][rows][:, units],
        "b": before["b"][:, units],
        "A": before["A"][:, units],
        "a": before["a"],
    }
    assert list(small.to_arrays()) == list(expected)
    for name, array in small.to_arrays().items():
        np.testing.assert_array_equal(array, expected[name])
    moments = cut([torch.from_numpy(array) for array in before.values()])
    for moment, array in zip(moments, expected.values(), strict=True):
        np.testing.assert_array_equal(moment, array)
    structure = small.structure()
    assert structure.parts() == ("fg",) * 3
    assert structure.inputs == (0, 1)
    assert structure.n_weights == 6 * (2 + 3) + 2 * 3
    for p in small.parameters():
        assert p.requires_grad
        assert p.untyped_storage().nbytes() == p.numel() * p.element_size()
        p.data.fill_(7)
    for name, array in cell.to_arrays().items():
        np.testing.assert_array_equal(array, before[name])


def test_cutting_twice_numbers_units_and_features_as_in_the_dense_network():
    cell = draw_cell()
    cell, _ = cell.pruned("neurons", np.array([True, False, True, True]))
    cell, _ = cell.pruned("inputs", np.array([False, True, True]))
    cell, _ = cell.pruned("neurons", np.array([True, False, True]))
    assert cell.structure().units == (0, 3)
    assert cell.structure().inputs == (1, 2)
    twin = draw_cell()
    twin.groups("neurons").zero_(np.array([True, False, False, True]))
    twin.groups("inputs").zero_(np.array([False, True, True]))
    documents = draw_documents()
    with torch.no_grad():
        outputs = cell(to_batch(documents))
    np.testing.assert_allclose(outputs, loop_outputs(twin, documents), rtol=1e-12)


@settings(max_examples=40)
@given(
    kind=st.sampled_from(["weights", "gates", "neurons", "inputs", "weights+gates"]),
    seed=st.integers(0, 2**16),
    share=st.sampled_from([0.2, 0.6, 1.0]),
    cell_type=st.sampled_from(CELLS),
)
def test_pruning_is_as_the_live_structure_foretold(kind, seed, share, cell_type):
    cell = draw_cell(seed=seed, cell_type=cell_type)
    before = cell.to_arrays()
    rng = np.random.default_rng(seed)
    live = rng.random(cell.groups(kind).n_groups) >= share
    foretold = cell.live_structure(kind, live)
    small, _ = cell.pruned(kind, live)
    assert small.structure() == foretold
    for name, array in cell.to_arrays().items():
        np.testing.assert_array_equal(array, before[name])
    twin = draw_cell(seed=seed, cell_type=cell_type)
    twin.groups(kind).zero_(live)
    documents = draw_documents()
    with torch.no_grad():
        outputs = small(to_batch(documents))
    np.testing.assert_allclose(outputs, loop_outputs(twin, documents), atol=1e-12)


def members(cell, kind):
    """Places that each group sets to zero, of a cell without zeros."""
    found = []
    for g in range(cell.groups(kind).n_groups):
        with torch.no_grad():
            for p in cell.parameters():
                p.fill_(1)
        cell.groups(kind).zero_(np.arange(cell.groups(kind).n_groups) != g)
        found.append(
            {
                (name, *map(int, place))
                for name, array in cell.to_arrays().items()
                for place in np.argwhere(array == 0)
            }
        )
    return found


def expected_members(cell):
    """The groups of the paper, over the rows of the gates that vary.

    A GRU's candidates are its last gates; their groups have b_hn, too.
    """
    arrays = cell.to_arrays()
    n_rows, n_features = arrays["W_ih"].shape
    n_outputs, n_units = arrays["A"].shape
    n_inner = len(arrays.get("b_hn", ()))
    gates = [
        {("W_ih", r, j) for j in range(n_features)}
        | {("W_hh", r, k) for k in range(n_units)}
        for r in range(n_rows)
    ]
    for place, group in enumerate(gates[n_rows - n_inner :]):
        group |= {("b_hn", place)} if n_inner else set()
    neurons = [
        {("W_hh", r, k) for r in range(n_rows)}
        | {("A", c, k) for c in range(n_outputs)}
        for k in range(n_units)
    ]
    inputs = [{("W_ih", r, j) for r in range(n_rows)} for j in range(n_features)]
    weights = [
        {(name, *place)}
        for name in ("W_ih", "W_hh", "A", "b_hn")
        if name in arrays
        for place in np.ndindex(arrays[name].shape)
    ]
    return {"weights": weights, "gates": gates, "neurons": neurons, "inputs": inputs}


def compact_cell(cell_type=LSTMCell):
    """A cell of which a unit, a feature and some gates are gone."""
    cell = draw_cell(n_features=4, cell_type=cell_type)
    live = np.ones(len(cell.W_hh), bool)
    live[[0, 6, -1]] = False
    for kind, mask in (
        ("gates", live),
        ("neurons", np.array([True, False, True, True])),
        ("inputs", np.array([True, True, False, True])),
    ):
        cell, _ = cell.pruned(kind, mask)
    return cell


@pytest.mark.parametrize("cell_type", CELLS)
@pytest.mark.parametrize("make", [draw_cell, compact_cell])
def test_groups_have_exactly_the_members_of_the_paper(make, cell_type):
    cell = make(cell_type=cell_type)
    arrays = cell.to_arrays()
    for kind, expected in expected_members(cell).items():
        assert members(make(cell_type=cell_type), kind) == expected
        norms = [np.linalg.norm([arrays[n][tuple(p)] for n, *p in g]) for g in expected]
        groups = cell.groups(kind)
        np.testing.assert_allclose(groups.norms().detach(), norms)
        assert not groups.overlaps
        own = set(map(id, cell.parameters()))
        assert all(id(p) in own for p in groups.parameters)


def test_several_kinds_are_the_groups_of_each_which_overlap():
    groups = members(draw_cell(), "weights+gates")
    expected = expected_members(draw_cell())
    assert groups == expected["weights"] + expected["gates"]
    union = draw_cell().groups("weights+gates")
    assert union.overlaps
    metric = [torch.ones_like(part.pack(part.parameters)) for part in union.parts]
    with pytest.raises(ValueError, match="overlap"):
        GroupLasso(1.0).prox_(union, metric, 0.1)


def torch_lstm(cell):
    """PyTorch's own LSTM with the weights of a dense cell."""
    n_features, n_units = cell.W_ih.shape[1], cell.W_hh.shape[1]
    lstm = torch.nn.LSTM(n_features, n_units, batch_first=True).to(cell.b.dtype)
    with torch.no_grad():
        lstm.weight_ih_l0.copy_(cell.W_ih)
        lstm.weight_hh_l0.copy_(cell.W_hh)
        lstm.bias_ih_l0.copy_(cell.b.flatten())
        lstm.bias_hh_l0.zero_()
    return lstm


@pytest.mark.parametrize("reading", [LAST, SUM], ids=str)
@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float32, 1e-6), (torch.float64, 1e-12)]
)
def test_a_dense_cell_equals_nn_lstm_in_value_and_gradient(reading, dtype, tolerance):
    cell = draw_cell(n_units=6, reading=reading, dtype=dtype)
    lstm = torch_lstm(cell)
    documents = draw_documents(sizes=(5, 1, 2, 9))
    packed = pack_sequence(
        [torch.from_numpy(d).to(dtype) for d in documents], enforce_sorted=False
    )
    states, lengths = pad_packed_sequence(lstm(packed)[0], batch_first=True)
    last = states[torch.arange(4), lengths - 1]
    # Past its end a document is padded with zeros, which add nothing.
    expected = last if reading is LAST else states.sum(dim=1)
    hidden = cell.hidden(to_batch(documents, dtype))
    torch.testing.assert_close(hidden, expected, rtol=tolerance, atol=tolerance)
    pull = torch.randn(
        hidden.shape, generator=torch.Generator().manual_seed(2), dtype=dtype
    )
    (hidden * pull).sum().backward()
    (expected * pull).sum().backward()
    for mine, theirs in (
        (cell.W_ih, lstm.weight_ih_l0),
        (cell.W_hh, lstm.weight_hh_l0),
        (cell.b, lstm.bias_ih_l0),
    ):
        error = mine.grad.flatten() - theirs.grad.flatten()
        assert error.norm() <= tolerance * theirs.grad.norm()


@pytest.mark.parametrize("cell_type", CELLS)
@pytest.mark.parametrize("reading", READINGS, ids=str)
def test_if_every_gate_is_constant_outputs_depend_on_the_length_alone(
    reading, cell_type
):
    cell = draw_cell(reading=reading, cell_type=cell_type)
    cell.groups("gates").zero_(np.zeros(len(cell.W_hh), bool))
    small, _ = cell.compacted()
    assert small.structure().n_gates == 0
    assert small.structure().n_units == 4
    one, other = draw_documents(seed=1), draw_documents(seed=2)
    with torch.no_grad():
        outputs = small(to_batch(one))
        assert torch.equal(small(to_batch(other)), outputs)
    assert len({tuple(row) for row in outputs.tolist()}) == len(SIZES)


def test_a_cell_without_units_answers_with_its_intercept():
    small, _ = NO_UNIT.compacted()
    structure = small.structure()
    assert structure.is_empty
    assert structure.inputs == ()
    batch = to_batch(draw_documents())
    outputs = small(batch)
    assert torch.equal(outputs, small.a.expand(5, 2))
    outputs.sum().backward()
    assert small.a.grad.tolist() == [5, 5]
    for kind in ("weights", "gates", "neurons", "inputs", "weights+gates"):
        assert small.groups(kind).norms().shape == (0,)
        assert small.pruned(kind, np.zeros(0, bool))[0].structure() == structure


@pytest.mark.parametrize("cell_type", CELLS)
def test_a_cell_is_made_again_of_its_structure_and_arrays(cell_type):
    cell = compact_cell(cell_type)
    saved = cell.structure().to_json()
    twin = cell.blank(cell_type.structure_type.from_json(saved))
    twin.set_arrays(cell.to_arrays())
    batch = to_batch(draw_documents(n_features=4))
    assert torch.equal(twin(batch), cell(batch))
    assert twin.structure() == cell.structure()
    assert replace(cell.structure(), n_weights=0) != cell.structure()


def test_initial_weights_are_those_of_the_paper():
    cell = LSTMCell.dense(7, 5, 3, LAST, torch.float64)
    cell.initialize(torch.Generator().manual_seed(0))
    for rows in cell.W_ih.detach().split(5):
        bound = (6 / (7 + 5)) ** 0.5
        assert 0.8 * bound < rows.abs().max() <= bound
    for rows in cell.W_hh.detach().split(5):
        torch.testing.assert_close(rows @ rows.T, torch.eye(5, dtype=rows.dtype))
    assert cell.b.tolist() == [[0] * 5, [1] * 5, [0] * 5, [0] * 5]
    assert 0 < cell.A.abs().max() <= 5**-0.5
    assert not cell.a.any()
