"""The structure of a pruned recurrent network: what it counts, says, and stores."""

import json
import pickle
import xml.etree.ElementTree as ET
from copy import deepcopy
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.sparse import csr_array
from scipy.spatial.distance import cdist

from skrational.structures import MaskStructure, structure_from_json
from skrational.structures.array_values import array_from_record, array_record


def masks_of(n_units=4, n_gates=1, density=0.3, seed=0, **others):
    rng = np.random.default_rng(seed)
    n_rows = n_gates * n_units
    shapes = {"W_ih": (n_rows, 5), "W_hh": (n_rows, n_units), "A": (2, n_units)}
    masks = {name: rng.random(shape) < density for name, shape in shapes.items()}
    return {**masks, **others}


def on_a_plane(n_units=6, n_gates=1, **changes):
    positions = np.random.default_rng(1).normal(size=(n_units, 2))
    distances = cdist(positions, positions)
    values = {
        "masks": masks_of(n_units, n_gates),
        "n_biases": 3,
        "positions": positions,
        "distances": distances,
        "costs": distances**2,
        "manifold": "r2",
        "inhibitor": "diffusion",
    }
    return MaskStructure(**values | changes)


@st.composite
def structures(draw):
    n, n_gates = draw(st.integers(1, 6)), draw(st.sampled_from([1, 3, 4]))

    def some(*shape):
        return draw(arrays(bool, shape))

    def numbers(*shape):
        values = st.floats(0, 1e6, width=32)
        return draw(st.none() | arrays(np.float64, shape, elements=values))

    masks = {
        "W_ih": some(n_gates * n, draw(st.integers(1, 9))),
        "W_hh": some(n_gates * n, n),
        "A": some(draw(st.integers(1, 3)), n),
    }
    if draw(st.booleans()):
        masks["embedding"] = some(7, 3)
    names = st.sampled_from([None, "torus", "custom"])
    return MaskStructure(
        masks,
        draw(st.integers(0, 9)),
        numbers(n, draw(st.integers(1, 4))),
        numbers(n, n),
        numbers(n, n),
        draw(names),
        draw(names),
        draw(st.sampled_from([4, 8])),
    )


@given(structures())
def test_a_structure_comes_back_from_json_and_pickle(structure):
    copies = [
        structure_from_json(structure.to_json()),
        MaskStructure.from_json(structure.to_json(indent=1)),
        pickle.loads(pickle.dumps(structure)),
        deepcopy(structure),
    ]
    for copy in copies:
        assert copy == structure
        assert hash(copy) == hash(structure)
        assert not copy.mask.flags.writeable


@given(structures())
def test_counts_against_loops(structure):
    masks, n = structure.masks, structure.n_units_initial
    entries = [entry for mask in masks.values() for entry in mask.ravel().tolist()]
    assert (structure.size, structure.size_initial) == (sum(entries), len(entries))
    assert structure.n_parameters == sum(entries) + structure.n_biases
    sources, targets = structure.links()
    pairs = [
        (source, row % n)
        for row in range(len(structure.mask))
        for source in range(n)
        if structure.mask[row, source]
    ]
    assert list(zip(sources.tolist(), targets.tolist(), strict=True)) == pairs
    assert structure.n_links == len(pairs)
    assert structure.density + structure.sparsity == 1
    into = [sum(target == unit for _, target in pairs) for unit in range(n)]
    np.testing.assert_array_equal(structure.in_degrees(), into)
    assert len(structure.parts()) == structure.n_units == structure.counts()["units"]
    assert set(structure.parts()) <= set(structure.possible_parts())
    for part, unit in zip(structure.parts(), structure.units, strict=True):
        assert part <= into[unit] < max(2 * part, 1)
    # A unit has an effect if a walk from it ends in the readout.
    hears = structure.mask.reshape(-1, n, n).any(axis=0)
    walks = np.linalg.matrix_power(hears.astype(float) + np.eye(n), n)
    effect = (structure.masks["A"].astype(float) @ walks).any(axis=0)
    assert structure.units == tuple(np.flatnonzero(effect))
    assert structure.is_empty == (not effect.any())


@pytest.mark.parametrize("n_gates", [1, 4])
def test_distances_of_links_against_a_loop(n_gates):
    structure = on_a_plane(n_gates=n_gates)
    left, gone = [], []
    for row, of_row in enumerate(structure.mask):
        for source, is_left in enumerate(of_row):
            distance = structure.distances[row % 6, source]
            (left if is_left else gone).append(distance)
    for found, expected in zip(structure.link_distances(), (left, gone), strict=True):
        np.testing.assert_array_equal(found, expected)
    assert f"is {np.mean(left):.3g}, of those that are gone" in structure.reading()


@pytest.mark.parametrize("itemsize", [4, 8])
def test_bytes_are_those_of_the_smaller_of_csr_and_dense(itemsize):
    dtype = {4: np.float32, 8: np.float64}[itemsize]
    embedding = np.ones((9, 4), bool)
    masks = masks_of(40, density=0.05, embedding=embedding)
    structure = MaskStructure(masks, 7, itemsize=itemsize)
    expected = 7 * itemsize
    for mask in masks.values():
        sparse = csr_array(mask.astype(dtype))
        parts = sparse.data, sparse.indices.astype("i4"), sparse.indptr.astype("i4")
        n_sparse = sum(part.nbytes for part in parts)
        expected += min(n_sparse, mask.astype(dtype).nbytes)
    assert structure.n_bytes == expected < structure.n_bytes_initial
    assert structure.n_bytes_initial == itemsize * (structure.size_initial + 7)


def test_a_network_whose_readout_is_gone_is_empty():
    structure = on_a_plane(masks=masks_of(6) | {"A": np.zeros((1, 6), bool)})
    assert structure.is_empty
    assert structure.size > 0
    assert structure.parts() == ()
    assert structure.reading() == (
        "No unit reaches the readout: only the intercept decides."
    )


def test_units_without_effect_are_named():
    masks = masks_of(3)
    masks |= {"W_hh": np.diag([True] * 3), "A": np.array([[True, False, True]])}
    structure = MaskStructure(masks)
    assert structure.units == (0, 2)
    assert structure.reading().endswith(
        "1 unit is without effect (no weights lead from there to the readout): 1."
    )
    assert "distance" not in structure.reading()


def test_diff_counts_what_is_left_only_here_and_only_there():
    here, there = MaskStructure(masks_of()), MaskStructure(masks_of(seed=1))
    a, b = here.mask.ravel().tolist(), there.mask.ravel().tolist()
    only_here = sum(x and not y for x, y in zip(a, b, strict=True))
    only_there = sum(y and not x for x, y in zip(a, b, strict=True))
    assert ("W_hh", only_here, only_there) in here.diff(there)
    assert here.diff(here) == ()
    with pytest.raises(TypeError, match="other is a tuple; expected a MaskStructure"):
        here.diff(())
    with pytest.raises(ValueError, match="other has the matrices"):
        here.diff(MaskStructure(masks_of(5)))


def test_equality_is_by_value():
    structure = on_a_plane()
    assert structure == on_a_plane()
    assert structure != on_a_plane(costs=None)
    assert structure != replace(structure, manifold="custom")
    assert structure != replace(structure, positions=structure.positions + 1)
    assert structure != structure.to_json()
    backwards = dict(reversed(structure.masks.items()))
    same = replace(structure, masks=backwards)
    assert (same, hash(same)) == (structure, hash(structure))


def test_nothing_can_be_changed_from_outside():
    masks = masks_of()
    structure = MaskStructure(masks)
    before = structure.n_links
    masks["W_hh"][:] = True
    assert structure.n_links == before
    with pytest.raises(ValueError, match="read-only"):
        structure.mask[:] = True
    with pytest.raises(TypeError, match="does not support item assignment"):
        structure.masks["W_hh"] = masks["W_hh"]
    with pytest.raises(FrozenInstanceError):
        structure.itemsize = 8


def test_json_takes_a_bit_for_a_weight():
    # The largest number in it is a length: 4 * 4096 rows, not the 2**26 weights.
    mask = np.random.default_rng(0).random((4 * 4096, 4096)) < 0.5
    record = array_record(mask)
    assert len(record["base64"]) < mask.size / 5.9
    np.testing.assert_array_equal(array_from_record("W_hh", record, bool), mask)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"masks": [1]}, "expected a mapping with W_ih, W_hh and A"),
        ({"masks": {"W_hh": np.eye(3, dtype=bool)}}, "expected a mapping with W_ih"),
        ({"masks": masks_of(A=np.ones((2, 4)))}, "dtype float64; expected a matrix"),
        ({"masks": masks_of(A=[[True], [True, False]])}, r"masks\['A'\] is"),
        ({"masks": masks_of(A=np.ones((0, 4), bool))}, "a row and a column at least"),
        ({"masks": masks_of(W_hh=np.ones((5, 4), bool))}, "a multiple of its columns"),
        ({"masks": masks_of(W_ih=np.ones((5, 4), bool))}, "W_ih'] has 5 rows; exp"),
        ({"masks": masks_of(A=np.ones((1, 5), bool))}, "A'] has 5 columns; expected"),
        ({"positions": np.ones((5, 2))}, r"shape \(5, 2\).*expected .* \(6, any\)"),
        ({"positions": np.ones((6, 0))}, r"expected numbers of shape \(6, any\)"),
        ({"positions": [["a"]] * 6}, "positions is an array .* expected numbers"),
        ({"distances": np.ones((6, 5))}, r"expected numbers of shape \(6, 6\)"),
        ({"distances": np.full((6, 6), -1.0)}, "holds -1.0; expected finite numbers"),
        ({"costs": np.full((6, 6), np.nan)}, "costs holds nan; expected finite"),
        ({"costs": np.full((6, 6), 1e39)}, "costs holds inf; expected finite"),
        ({"manifold": 3}, "manifold is 3; expected a name"),
        ({"n_biases": -1}, "n_biases is -1; expected an integer from 0 on"),
        ({"itemsize": 2.5}, "itemsize is 2.5; expected an integer from 1 to 16"),
    ],
)
def test_bad_values_are_named(changes, message):
    with pytest.raises(ValueError, match=message):
        on_a_plane(**changes)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("masks", 3, "The JSON is no MaskStructure"),
        ("masks", {"W_hh": 3}, r"masks\['W_hh'\] is 3; expected a shape and base64"),
        ("positions", {"shape": [6, 2]}, "positions is .* expected a shape and base64"),
        ("positions", {"shape": [6, -2], "base64": ""}, "has the shape .*integers"),
        ("positions", {"shape": 6, "base64": ""}, "has the shape 6; expected integers"),
        ("positions", {"shape": [6, 2], "base64": "!"}, "positions isn't base64"),
        ("positions", {"shape": [6, 2], "base64": None}, "positions isn't base64"),
        ("costs", {"shape": [6, 6], "base64": "AAAA"}, "holds 3 bytes; expected 144"),
        # A short text must not ask for much memory.
        ("costs", {"shape": [2**24] * 2, "base64": "AAAA"}, "holds 3 bytes; expected"),
    ],
)
def test_damaged_json_is_refused(field, value, message):
    content = json.loads(on_a_plane().to_json())
    with pytest.raises(ValueError, match=message):
        structure_from_json(json.dumps(content | {field: value}))


def test_distances_that_are_missing_are_asked_for_in_vain():
    with pytest.raises(ValueError, match="The structure has no distances"):
        MaskStructure(masks_of()).link_distances()


@given(structures())
def test_html_is_the_reading_and_a_table_of_the_matrices(s):
    root = ET.fromstring(s._repr_html_())
    assert [div.text for div in root.findall("div")] == s.reading().splitlines()
    rows = [[cell.text for cell in row] for row in root.findall("table/tbody/tr")]
    assert [row[0] for row in rows] == list(s.masks)
    for row, mask in zip(rows, s.masks.values(), strict=True):
        share = f"{100 * mask.mean():.3g} %"
        shape = " x ".join(map(str, mask.shape))
        assert row[1:] == [shape, f"{mask.size:,}", f"{mask.sum():,}", share]


def test_html_escapes_names():
    s = on_a_plane(manifold="<b>", masks=masks_of(6, **{"<i>": np.eye(2, dtype=bool)}))
    html = s._repr_html_()
    assert "<b>" not in html
    assert "<i>" not in html
    assert html.count("&lt;i&gt;") == 2
