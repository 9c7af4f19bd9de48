import copy
import json
import pickle
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skrational.structures import (
    RationalStructure,
    StructureDiff,
    structure_from_json,
)

SVG = "{http://www.w3.org/2000/svg}"


def dense(d=24, n_states=4, **keywords):
    counts = {"n_features": 300, "n_outputs": 1} | keywords
    return RationalStructure((n_states,) * d, (n_states,) * d, **counts)


@pytest.fixture
def mixed():
    return RationalStructure((1, 2, 3, 4), (1, 0, 2, 4), n_features=5, n_outputs=3)


@st.composite
def structures(draw):
    initial = draw(st.lists(st.integers(1, 7), min_size=1, max_size=30))
    kept = [draw(st.integers(0, n)) for n in initial]
    return RationalStructure(
        initial,
        kept,
        n_features=draw(st.integers(1, 1000)),
        n_outputs=draw(st.integers(1, 9)),
        n_readout_parameters_per_state=draw(st.integers(0, 1)),
        all_final=draw(st.booleans()),
    )


def test_counts_of_the_dense_model():
    structure = dense()
    assert structure.n_parameters == structure.n_parameters_initial == 96 * 601 + 25
    assert structure.n_transitions == 96
    assert structure.share_pruned == 0
    assert repr(structure) == "96 of 96 transitions in 24 of 24 WFSAs"


def test_counts_of_a_pruned_model():
    kept = [0] * 24
    kept[2], kept[7], kept[11], kept[16], kept[21] = 4, 4, 4, 3, 2
    structure = RationalStructure((4,) * 24, kept, 300, 5, 1)
    assert repr(structure) == "17 of 96 transitions in 5 of 24 WFSAs"
    assert structure.n_parameters == 17 * 602 + 5 * 6
    assert structure.n_parameters_initial == 96 * 602 + 5 * 25
    assert structure.survivors == (2, 7, 11, 16, 21)
    assert structure.lengths == (4, 4, 4, 3, 2)
    assert structure.share_pruned == pytest.approx(79 / 96)


def test_counts_of_an_empty_model():
    structure = RationalStructure((4, 4), (0, 0), n_features=300, n_outputs=5)
    assert structure.n_parameters == 5  # the bias of the readout is all that is left
    assert structure.share_pruned == 1
    assert structure.survivors == structure.lengths == structure.kept_states == ()


def test_kept_states_are_in_original_numbering(mixed):
    assert mixed.kept_states == (
        (0, 1),
        (2, 1),
        (2, 2),
        (3, 1),
        (3, 2),
        (3, 3),
        (3, 4),
    )


def test_is_a_value():
    one = dense(3)
    other = RationalStructure(
        np.array([4, 4, 4]), [np.int32(4)] * 3, np.int64(300), np.uint8(1)
    )
    assert one == other
    assert hash(one) == hash(other)
    assert one != dense(3, n_features=299)
    assert one != dense(3, n_readout_parameters_per_state=1)
    assert type(other.kept_lengths[0]) is type(other.n_features) is int
    assert pickle.loads(pickle.dumps(one)) == copy.deepcopy(one) == one
    with pytest.raises(AttributeError):
        one.n_features = 1


@pytest.mark.parametrize(
    ("initial", "kept", "counts", "message"),
    [
        ([], [], {}, "initial_lengths is empty"),
        ([4, 4], [4], {}, "kept_lengths has 1 WFSAs and initial_lengths has 2"),
        ([4, 4], [4, 5], {}, r"kept_lengths\[1\] is 5; expected 0 to 4"),
        ([4], [-1], {}, r"kept_lengths\[0\] is -1; expected an integer from 0 to 1"),
        ([0], [0], {}, r"initial_lengths\[0\] is 0; expected an integer from 1 to 1"),
        ([4.0], [4], {}, r"initial_lengths\[0\] is 4.0"),
        ([4], [True], {}, r"kept_lengths\[0\] is True"),
        ([4], "4", {}, r"kept_lengths\[0\] is '4'"),
        (4, [4], {}, "initial_lengths is 4; expected a sequence"),
        ([4], None, {}, "kept_lengths is None; expected a sequence"),
        ([4], [4], {"n_features": 0}, "n_features is 0"),
        ([4], [4], {"n_features": 2.5}, "n_features is 2.5"),
        ([4], [4], {"n_outputs": None}, "n_outputs is None"),
        ([4], [4], {"n_readout_parameters_per_state": -1}, "per_state is -1"),
        ([4], [4], {"n_readout_parameters_per_state": 2}, "per_state is 2"),
        ([4], [4], {"n_features": 2**24 + 1}, "n_features is 16777217; .*16,777,216"),
        ([4], [4], {"n_outputs": 2**32}, "n_outputs is 4294967296"),
        ([4], [4], {"all_final": "no"}, "all_final is 'no'; expected True or False"),
        ([2**32], [4], {}, r"initial_lengths\[0\] is 4294967296; .*1,048,576"),
        ([2**20, 1], [4, 1], {}, "adds up to 1,048,577 states; .*at most 1,048,576"),
    ],
)
def test_invalid_input(initial, kept, counts, message):
    with pytest.raises(ValueError, match=message):
        RationalStructure(initial, kept, **({"n_features": 1, "n_outputs": 1} | counts))


@given(structures(), st.sampled_from([None, 0, 2]))
def test_json_round_trip(structure, indent):
    text = structure.to_json(indent=indent)
    assert RationalStructure.from_json(text) == structure
    assert json.loads(text)["type"] == "RationalStructure"
    assert json.loads(text)["version"] == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Not JSON"),
        (dense().to_json()[:-5], "Not JSON"),
        ("[" * 100_000, "Not JSON"),
        ("null", "type None"),
        ("[1, 2]", "type None"),
        ('{"type": "LSTMStructure", "version": 1}', "type 'LSTMStructure'"),
        (dense().to_json().replace('"version": 1', '"version": 2'), "version 2"),
        ('{"type": "RationalStructure", "version": 1}', "keys"),
        (dense().to_json().replace("n_outputs", "n_classes"), "n_classes"),
        (dense(1).to_json().replace("[4]", "[4.5]"), "is 4.5"),
        (dense(1).to_json().replace("[4]", "[4.0]"), "is 4.0"),
        (dense(1).to_json().replace("[4]", "[true]"), "is True"),
        (dense(1).to_json().replace("[4]", "[NaN]"), r"lengths\[0\] is nan"),
        (dense(1).to_json().replace("[4]", "[1e999]"), r"lengths\[0\] is inf"),
        (dense(1).to_json().replace("[4]", "[4294967296]"), "beyond 16,777,216"),
        (dense(1).to_json().replace("[4]", f"[1{'0' * 400}]"), "is 10+...0+, beyond"),
        (dense(1).to_json().replace("[4]", f"[1{'0' * 9999}]"), "Not JSON"),
        (dense(1).to_json().replace("[4]", '{"4": 4}'), r"initial_lengths\[0\] is '4'"),
        (dense().to_json().replace("true}", "1}"), "all_final is 1"),
        (dense().to_json().replace("true}", 'true, "n_outputs": 9}'), "twice"),
        ('{"type": ["RationalStructure"], "version": 1}', "type ..Rational"),
        ('{"type": {}, "version": 1}', "type {}"),
    ],
)
def test_json_that_cannot_be_read(text, message):
    with pytest.raises(ValueError, match=message):
        RationalStructure.from_json(text)


@pytest.mark.parametrize("text", ['{"type": []}', '{"type": {}}', "[]", "3"])
def test_json_of_no_kind(text):
    with pytest.raises(ValueError, match=r"JSON is of type .*; expected one of"):
        structure_from_json(text)


@given(structures(), st.data())
def test_a_damaged_byte_costs_neither_time_nor_memory(structure, data):
    text = structure.to_json()
    i = data.draw(st.integers(0, len(text) - 1))
    damaged = text[:i] + chr(data.draw(st.integers(1, 127))) + text[i + 1 :]
    try:
        found = RationalStructure.from_json(damaged)
    except ValueError:
        return
    assert len(found.kept_states) == found.n_transitions <= 2**20
    assert len(found.possible_parts()) <= 2**20
    assert found.n_parameters <= found.n_parameters_initial < 2**63
    if found.n_transitions_initial <= 10_000:
        ET.fromstring(found.to_svg())
    else:
        assert "Too large to draw" in found._repr_html_()


def test_what_is_too_large_to_draw_says_so():
    large = dense(1667, n_states=6)
    message = "Too large to draw: 10,002 states; expected at most 10,000."
    for draw in (large.to_svg, large.to_dot):
        with pytest.raises(ValueError, match=message):
            draw()
    caption, text = ET.fromstring(large._repr_html_())
    assert (caption.text, text.text) == (repr(large), message)
    assert dense(500, n_states=6).to_svg().count('class="state"') == 3000


def test_diff(mixed):
    other = RationalStructure((1, 2, 3, 4), (1, 2, 2, 1), n_features=5, n_outputs=3)
    diff = mixed.diff(other)
    assert diff
    assert diff.rows == ((1, 0, 2), (3, 4, 1))
    assert diff.n_transitions == -1
    assert diff.n_parameters == -11 + 3  # a state less, a column of the readout more
    assert str(diff) == repr(diff)
    assert str(diff).splitlines() == [
        "2 WFSAs differ, -1 transitions, -8 parameters",
        "  WFSA 1: 0 -> 2 states",
        "  WFSA 3: 4 -> 1 states",
    ]
    back = other.diff(mixed)
    assert (back.n_transitions, back.n_parameters) == (1, 8)


def test_diff_without_a_difference(mixed):
    assert not mixed.diff(copy.copy(mixed))
    assert str(mixed.diff(mixed)) == "no difference"
    assert mixed.diff(mixed) == StructureDiff((), 0, 0)


def test_diff_of_the_word_vectors_alone():
    diff = dense(2).diff(dense(2, n_features=301))
    assert diff
    assert str(diff) == "0 WFSAs differ, +0 transitions, +16 parameters"


def test_diff_of_equal_totals_is_a_difference():
    a = RationalStructure((2, 2), (2, 1), n_features=5, n_outputs=1)
    b = RationalStructure((2, 2), (1, 2), n_features=5, n_outputs=1)
    assert a.diff(b)
    assert a.diff(b).n_parameters == 0


def test_diff_refuses_what_cannot_be_paired(mixed):
    with pytest.raises(ValueError, match="other began with 24 WFSAs; expected 4"):
        mixed.diff(dense())
    with pytest.raises(TypeError, match="other is a str"):
        mixed.diff("structure")


def circles(automaton, look, kind):
    path = f"{SVG}g[@class='{look}']/{SVG}circle[@class='{kind}']"
    return automaton.findall(path)


@given(structures())
def test_svg_draws_every_state_as_what_it_is(structure):
    root = ET.fromstring(structure.to_svg())
    assert root.tag == f"{SVG}svg"
    assert root.find(f"{SVG}title").text.startswith(repr(structure))
    automata = root.findall(f"{SVG}g")
    assert [a.get("data-wfsa") for a in automata] == [
        str(i) for i in range(structure.n_wfsas_initial)
    ]
    pairs = zip(structure.initial_lengths, structure.kept_lengths, strict=True)
    for automaton, (initial, kept) in zip(automata, pairs, strict=True):
        assert len(circles(automaton, "kept", "state")) == kept
        assert len(circles(automaton, "removed", "state")) == initial - kept
        assert len(circles(automaton, "kept", "start")) == (kept > 0)
        assert len(circles(automaton, "removed", "start")) == (kept == 0)
        n_final = kept if structure.all_final else (kept > 0)
        assert len(circles(automaton, "kept", "final")) == n_final
        assert circles(automaton, "removed", "final") == []


def test_svg_dashes_what_was_removed_and_nothing_else(mixed):
    for group in ET.fromstring(mixed.to_svg()).iter(f"{SVG}g"):
        if "class" in group.attrib:
            dashed = "stroke-dasharray" in group.attrib
            assert dashed == (group.get("class") == "removed")


@given(structures())
def test_svg_has_an_arc_and_a_loop_into_each_state(structure):
    root = ET.fromstring(structure.to_svg())
    lines = "".join(p.get("d") for p in root.iter(f"{SVG}path") if not p.get("fill"))
    heads = "".join(p.get("d") for p in root.iter(f"{SVG}path") if p.get("fill"))
    n_states = structure.n_transitions_initial
    assert lines.count("H") == lines.count("C") == n_states
    assert heads.count("Z") == 2 * n_states


@given(structures())
def test_svg_fits_its_view_box_without_overlaps(structure):
    root = ET.fromstring(structure.to_svg())
    _, _, width, height = map(float, root.get("viewBox").split())
    centres = set()
    for circle in root.iter(f"{SVG}circle"):
        x, y, r = (float(circle.get(name)) for name in ("cx", "cy", "r"))
        assert r < x < width - r
        assert 2 * r < y < height - r
        if circle.get("class") != "final":
            centres.add((x, y))
    n_starts = structure.n_wfsas_initial
    assert len(centres) == structure.n_transitions_initial + n_starts


def test_svg_of_many_automata_stays_narrow():
    width, height = map(
        float, ET.fromstring(dense().to_svg()).get("viewBox").split()[2:]
    )
    assert 500 < width < 650
    assert height < 400


def test_svg_takes_the_colours_of_its_surroundings(mixed):
    svg = mixed.to_svg()
    assert set(re.findall(r'(?:fill|stroke)="([^"]*)"', svg)) == {
        "none",
        "currentColor",
    }
    assert "<style" not in svg  # it would leak into the notebook
    assert " id=" not in svg  # it would clash with the next picture's


def test_html_is_a_caption_and_the_picture(mixed):
    root = ET.fromstring(mixed._repr_html_())
    assert root.find("div").text == "7 of 10 transitions in 3 of 4 WFSAs"
    assert root.find(f"{SVG}svg") is not None


@given(structures())
def test_dot_is_a_cluster_for_each_automaton(structure):
    dot = structure.to_dot()
    head, *clusters = dot.split("  subgraph ")
    assert head == "digraph wfsas {\n  rankdir=LR;\n  node [shape=circle];\n"
    assert dot.count("{") == dot.count("}") == 1 + len(clusters)
    assert len(clusters) == structure.n_wfsas_initial
    pairs = zip(structure.initial_lengths, structure.kept_lengths, strict=True)
    for i, (text, (initial, kept)) in enumerate(zip(clusters, pairs, strict=True)):
        nodes = dict(re.findall(rf"^    w{i}q(\d+) \[(.*)\];$", text, re.M))
        arcs = re.findall(rf"^    w{i}q(\d+) -> w{i}q(\d+) \[(.*)\];$", text, re.M)
        assert list(nodes) == [str(k) for k in range(initial + 1)]
        assert {(int(a), int(b)) for a, b, _ in arcs} == {
            (k - step, k) for k in range(1, initial + 1) for step in (0, 1)
        }
        bold = [int(k) for k, look in nodes.items() if "style=bold" in look]
        assert bold == (list(range(kept + 1)) if kept else [])
        assert all(("bold" in look) == (int(b) <= kept) for _, b, look in arcs)
        final = [int(k) for k, look in nodes.items() if "doublecircle" in look]
        every = structure.all_final
        last = [kept] if kept else []
        assert final == (list(range(1, kept + 1)) if every else last)


def test_removed_self_loops_are_not_counted():
    whole = RationalStructure((4,), (3,), n_features=10, n_outputs=1)
    fixed = RationalStructure((4,), (3,), 10, 1, n_fixed_self_loops=2)
    assert whole.n_parameters - fixed.n_parameters == 2 * 11
    with pytest.raises(ValueError, match="n_fixed_self_loops is 4"):
        RationalStructure((4,), (3,), 10, 1, n_fixed_self_loops=4)
