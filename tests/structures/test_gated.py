"""Structures of gated networks: what they count, say, and how they are stored."""

import json
import pickle
import re
import xml.etree.ElementTree as ET
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skrational.datasets import make_planted_patterns
from skrational.estimators.gru import SparseGRUClassifier
from skrational.estimators.lstm import SparseLSTMClassifier
from skrational.structures import (
    GRUStructure,
    LSTMStructure,
    RationalStructure,
    structure_from_json,
)

KINDS = [LSTMStructure, GRUStructure]


def lstm(**changes):
    """Four units of eight: an accumulator, a whole one, a forgetful one, a clock."""
    values = {
        "n_units_initial": 8,
        "n_features": 5,
        "n_outputs": 3,
        "units": (0, 2, 5, 7),
        "constants": (
            (0.9, 0.99, None, 0.7),
            (None, None, None, None),
            (0.5, 0.02, None, None),
            (0.5, 0.5, -0.25, 0.001),
        ),
        "inputs": (1, 4),
        "n_weights": 30,
    }
    return LSTMStructure(**values | changes)


def emptied(kind=LSTMStructure):
    return kind(8, 5, 3, units=(), constants=(), inputs=(), n_weights=0)


@st.composite
def structures(draw):
    kind = draw(st.sampled_from(KINDS))
    n_initial, n_features = draw(st.integers(1, 12)), draw(st.integers(1, 9))

    def some(stop):
        return sorted(draw(st.sets(st.integers(0, stop - 1))))

    units, inputs = some(n_initial), some(n_features)
    gate = st.none() | st.floats(-1, 1)
    row = st.tuples(*[gate] * len(kind.gate_names))
    rows = [draw(row) for _ in units]
    n_outputs = draw(st.integers(1, 4))
    n_varying = sum(value is None for row in rows for value in row)
    most = n_varying * (len(inputs) + len(units)) + n_outputs * len(units)
    return kind(
        n_initial,
        n_features,
        n_outputs,
        units=units,
        constants=rows,
        inputs=inputs,
        n_weights=draw(st.integers(0, most)),
        itemsize=draw(st.sampled_from([4, 8])),
    )


def test_counts_by_hand():
    s = lstm()
    assert (s.n_units, s.n_gates, s.n_gates_initial) == (4, 7, 32)
    assert s.gates_by_kind() == {"i": 1, "f": 1, "g": 3, "o": 2}
    assert s.counts() == {"units": 4, "inputs": 2, "weights": 30}
    assert (s.size, s.size_initial) == (7, 32)
    np.testing.assert_array_equal(s.varies[2], [True, True, True, False])
    # 4 gates of 8 units read 5 features and 8 units; 3 outputs read 8 units.
    assert s.n_weights_initial == 4 * 8 * (5 + 8) + 3 * 8 == 440
    assert s.compression == 440 / 30
    assert s.n_biases == 4 * 4 + 3
    assert s.n_parameters == 30 + 19
    assert s.n_bytes_initial == 4 * (440 + 4 * 8 + 3)
    assert s.n_bytes == 4 * (7 * (2 + 4) + 3 * 4 + 19) + 4 * 4 + 4 * 2
    assert repr(s) == "7 of 32 gates (i: 1, f: 1, g: 3, o: 2) in 4 of 8 units"


def test_a_gru_has_an_inner_bias_for_each_candidate_that_varies():
    rows = ((0.5, None, None), (0.5, 0.5, 0.1))
    s = GRUStructure(4, 5, 1, units=(0, 3), constants=rows, inputs=(0,), n_weights=2)
    assert s.n_biases == 3 * 2 + 1 + 1
    assert s.n_weights_initial == 3 * 4 * (5 + 4) + 4
    assert s.n_bytes_initial == 4 * (s.n_weights_initial + 4 * 4 + 1)


@pytest.mark.parametrize("kind", KINDS)
def test_an_emptied_model(kind):
    s = emptied(kind)
    assert s.is_empty
    assert s.compression == float("inf")
    assert (s.n_gates, s.n_parameters, s.parts()) == (0, 3, ())
    assert s.varies.shape == (len(kind.gate_names), 0)
    assert repr(s).endswith("in 0 of 8 units")
    assert s.reading() == "0 of 8 units are left: only the intercept decides."
    assert "<table" not in s._repr_html_()


def test_units_whose_gates_are_constant_are_no_empty_model():
    s = lstm(units=(7,), constants=((0.5, 0.5, 0.1, 0.5),), n_weights=3)
    assert not s.is_empty
    assert s.size == 0


@pytest.mark.parametrize(
    ("estimator", "lambda_"), [(SparseLSTMClassifier, 0.2), (SparseGRUClassifier, 0.1)]
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_bytes_are_those_of_the_fitted_arrays(estimator, lambda_, dtype):
    data = make_planted_patterns(20, n_features=5, patterns=(2, 2), random_state=0)
    clf = estimator(
        n_units=4,
        lambda_=lambda_,
        sparsify=("weights", "gates", "neurons", "inputs"),
        learning_rate=0.005,
        min_steps_per_epoch=5,
        warmup_epochs=0,
        max_epochs=2,
        finetune_epochs=1,
        dtype=dtype,
        random_state=0,
    ).fit(data.X, data.y)
    s = clf.learned_structure_
    assert 0 < s.n_gates < s.n_gates_initial
    arrays = [*clf.weights_.values(), clf.coef_, clf.intercept_]
    n_index = len(s.gate_names) * s.n_units + 4 * len(s.inputs)
    assert s.n_bytes == sum(array.nbytes for array in arrays) + n_index
    matrices = [w for name, w in clf.weights_.items() if name.startswith("W")]
    assert s.n_weights == sum(map(np.count_nonzero, [*matrices, clf.coef_]))


@given(structures())
def test_parts_are_possible_and_count_the_gates(s):
    possible = s.possible_parts()
    assert len(possible) == len(set(possible)) == 2 ** len(s.gate_names)
    assert set(s.parts()) <= set(possible)
    assert sum(len(part.strip("-")) for part in s.parts()) == s.n_gates
    assert s.n_gates == s.varies.sum() == sum(s.gates_by_kind().values())


def test_parts_and_differences():
    s = lstm()
    assert s.parts() == ("g", "ifgo", "go", "-")
    assert s.possible_parts()[:6] == ["-", "i", "f", "g", "o", "if"]
    assert s.diff(lstm(inputs=(1, 2))) == ()
    other = lstm(
        units=(0, 3, 7),
        constants=((0.9, None, None, 0.7), (None,) * 4, (0.5, 0.5, -0.25, 0.001)),
    )
    assert s.diff(other) == (
        (0, "g", "fg"),
        (2, "ifgo", ""),
        (3, "", "ifgo"),
        (5, "go", ""),
    )
    assert other.diff(s)[0] == (0, "fg", "g")


def test_reading_says_what_is_left():
    assert lstm().reading().splitlines() == [
        "4 of 8 units are left; 7 of 32 gates vary.",
        "2 of 5 features are read.",
        "input gate (i): varies in 1, constant in 3 (0.50 to 0.90).",
        "forget gate (f): varies in 1, constant in 3 (0.02 to 0.99).",
        "information flow (g): varies in 3, constant in 1 (-0.25).",
        "output gate (o): varies in 2, constant in 2 (0.00 to 0.70).",
        "1 unit is an accumulator (forget gate constant, 0.99): 0.",
        "1 unit is without memory (forget gate constant, 0.02): 5.",
        "1 unit is a clock, which counts tokens (no gate varies): 7.",
    ]


def test_reading_names_the_first_of_many_units():
    rows = [(0.5, 0.5, 0.5, 0.5)] * 20
    structure = LSTMStructure(99, 5, 1, range(20), rows, (), n_weights=0)
    last = structure.reading().splitlines()[-1]
    assert last.endswith("): 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 8 more.")


def test_reading_counts_in_the_plural():
    rows = ((0.5, 0.95, None, 0.5), (0.5, 1.0, None, 0.5)) * 2
    reading = lstm(constants=rows, inputs=range(5)).reading()
    assert "features" not in reading
    last = "4 units are accumulators (forget gate constant, 0.95 to 1.00): 0, 2, 5, 7."
    assert reading.splitlines()[-1] == last


def test_the_frame_has_a_row_for_each_unit():
    pytest.importorskip("pandas")
    frame = lstm().to_frame()
    assert list(frame.columns) == ["i", "f", "g", "o"]
    assert list(frame.index) == [0, 2, 5, 7]
    assert frame.loc[7, "g"] == -0.25
    np.testing.assert_array_equal(frame.isna().to_numpy().T, lstm().varies)
    assert emptied().to_frame().shape == (0, 4)


@given(structures())
def test_html_is_a_table_of_the_gates(s):
    root = ET.fromstring(s._repr_html_())
    assert [div.text for div in root.findall("div")] == s.reading().splitlines()
    rows = root.findall("table/tbody/tr")
    assert [row.find("th").text for row in rows] == [str(k) for k in s.units]
    for row, values in zip(rows, s.constants, strict=True):
        cells = [cell.text for cell in row.findall("td")]
        expected = ["varies" if v is None else f"{v:z.2f}" for v in values]
        assert cells == expected


def test_html_takes_the_colours_of_the_notebook():
    html = lstm()._repr_html_()
    assert "color:inherit" in html
    colours = re.findall(r"(?:color|background):([^;\"]*)", html)
    assert set(colours) - {"inherit"}
    for colour in colours:
        # Grounds let the notebook's own shine through.
        opacities = re.findall(r"rgba\([\d,]+,([\d.]+)\)", colour)
        assert colour == "inherit" or opacities
        assert all(float(opacity) < 0.8 for opacity in opacities)


def test_html_of_many_units_is_cut():
    n = 1000
    s = LSTMStructure(n, 5, 1, range(n), ((None,) * 4,) * n, range(5), n_weights=0)
    root = ET.fromstring(s._repr_html_())
    assert len(root.findall("table/tbody/tr")) == 256
    assert root.findall("div")[-1].text == "and 744 more units: to_frame() has them all"


def test_is_a_value():
    one = lstm()
    rows = np.array(one.constants, object).tolist()
    other = lstm(units=np.array(one.units), constants=rows, n_weights=np.int32(30))
    assert one == other
    assert hash(one) == hash(other)
    assert type(other.n_weights) is int
    assert pickle.loads(pickle.dumps(one)) == one
    assert one != lstm(inputs=(0, 4))
    with pytest.raises(AttributeError):
        one.n_weights = 1


@given(structures(), st.sampled_from([None, 2]))
def test_json_round_trip(s, indent):
    text = s.to_json(indent=indent)
    assert type(s).from_json(text) == structure_from_json(text) == s
    assert json.loads(text)["type"] == type(s).__name__


@given(structures(), st.data())
def test_a_damaged_byte_is_refused_or_changes_the_value(s, data):
    text = s.to_json()
    place = data.draw(st.integers(0, len(text) - 1))
    damaged = text[:place] + data.draw(st.characters(codec="utf-8")) + text[place + 1 :]
    try:
        read = structure_from_json(damaged)
    except ValueError:
        return
    numbers = read.units, read.inputs
    assert all(a < b for row in numbers for a, b in pairwise(row))
    assert all(v is None or -1 <= v <= 1 for row in read.constants for v in row)


TEXT = lstm().to_json()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (TEXT[:-5], "Not JSON"),
        (TEXT.replace("LSTM", "GRU"), "type 'GRUStructure'.*expected 'LSTMStructure'"),
        (TEXT.replace('"version": 1', '"version": 9'), "version 9; expected"),
        (TEXT.replace("n_outputs", "n_classes"), "keys"),
        (TEXT.replace("[0, 2, 5, 7]", "[0, 2, 7]"), "row for each of the 3 units"),
        (TEXT.replace("[0, 2, 5, 7]", "[0, 2, 2, 7]"), "units is .*rising.*below 8"),
        (TEXT.replace("[0, 2, 5, 7]", "[-1, 2, 5, 7]"), "units is .*rising"),
        (TEXT.replace("[0, 2, 5, 7]", "[0, 2, 5, 8]"), "units is .*rising"),
        (TEXT.replace("[0, 2, 5, 7]", "[0, 2, 5.0, 7]"), "units is .*integers"),
        (TEXT.replace("[0, 2, 5, 7]", '"0257"'), "units is '0257'"),
        (TEXT.replace("[1, 4]", "[1, 5]"), "inputs is .*below 5"),
        (TEXT.replace("[1, 4]", "{}"), "inputs is {}"),
        (TEXT.replace("0.99", "1.01"), r"constants\[0\] is .*from -1 to 1"),
        (TEXT.replace("0.99", "true"), r"constants\[0\] is .*from -1 to 1"),
        (TEXT.replace("0.99", '"one"'), r"constants\[0\] is .*from -1 to 1"),
        (TEXT.replace("0.99", "NaN"), r"constants\[0\]\[1\] is nan"),
        (TEXT.replace("0.99, ", ""), r"constants\[0\] is .*4 values"),
        (TEXT.replace(": 8,", ": 0,"), "n_units_initial is 0; expected.*from 1"),
        (TEXT.replace(": 8,", ": 65537,"), "65537; expected .* to 65,536"),
        (TEXT.replace(": 30,", ": -1,"), "n_weights is -1"),
        (TEXT.replace(": 30,", ": 55,"), "n_weights is 55; expected at most 54"),
        (TEXT.replace('"itemsize": 4', '"itemsize": 4.0'), "itemsize is 4.0"),
    ],
)
def test_json_that_cannot_be_read(text, message):
    assert text != TEXT
    with pytest.raises(ValueError, match=message):
        LSTMStructure.from_json(text)


def test_a_saved_structure_of_another_type():
    rational = RationalStructure((4, 4), (2, 0), n_features=5, n_outputs=1)
    with pytest.raises(ValueError, match=r"type 'RationalStructure'.*'LSTMStructure'"):
        LSTMStructure.from_json(rational.to_json())
    with pytest.raises(ValueError, match=r"type 'LSTMStructure'.*'RationalStructure'"):
        RationalStructure.from_json(TEXT)
    assert structure_from_json(TEXT) == lstm()
    other = TEXT.replace("LSTMStructure", "RNNStructure")
    with pytest.raises(ValueError, match=r"'RNNStructure'; expected one of .*'GRUStr"):
        structure_from_json(other)
