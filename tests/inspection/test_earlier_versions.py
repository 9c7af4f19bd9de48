"""What version 0.1.0 pickled is read, and says what it said then."""

import json
import pickle
import re
from pathlib import Path

import pytest

from skrational import inspection

SAVED = Path(__file__).parents[1] / "fixtures/0.1.0/inspection.pkl"


@pytest.fixture(scope="module")
def saved():
    # A pickle that numpy 2 has written names modules that numpy 1 lacks.
    pytest.importorskip("numpy", "2.0")
    return pickle.loads(SAVED.read_bytes())


@pytest.fixture(scope="module")
def values(saved):
    return saved["values"]


@pytest.fixture(scope="module")
def expected(saved):
    return saved["expected"]


def test_values_say_what_they_said(values, expected):
    found = json.loads(values["explanations"].to_json())
    assert found == json.loads(expected["explanations"])
    assert values["phrases"].to_text() == expected["phrases"]
    assert values["words"].to_text() == expected["words"]
    paths = [
        [path and [path.wfsa, path.score, list(path.entries), path.end] for path in row]
        for row in values["paths"]
    ]
    assert paths == expected["paths"]


def test_values_are_of_todays_classes(values):
    explanations = values["explanations"]
    assert type(explanations) is inspection.Explanations
    assert {type(e) for e in explanations} == {inspection.Explanation}
    assert type(values["paths"]) is inspection.Paths
    assert {type(path) for row in values["paths"] for path in row} == {inspection.Path}
    assert type(values["phrases"]) is inspection.Phrases
    assert {type(phrase) for phrase in values["phrases"]} == {inspection.Phrase}
    assert type(values["words"]) is inspection.TransitionWords
    assert {type(word) for word in values["words"]} == {inspection.TransitionWord}
    assert explanations == pickle.loads(pickle.dumps(explanations))


def test_displays_hold_what_they_draw(values, expected):
    explanation, phrases, structure, automaton = values["displays"]
    assert type(explanation) is inspection.ExplanationDisplay
    assert explanation.explanation == values["explanations"][0]
    assert type(phrases) is inspection.PhraseDisplay
    assert phrases.phrases.to_text() == expected["phrases"]
    assert type(structure) is inspection.StructureDisplay
    assert structure.structure.n_transitions == sum(values["phrases"].lengths)
    assert type(automaton) is inspection.AutomatonDisplay
    dot = automaton.to_dot()
    # Colours stand for classes, of which that version's display knows nothing.
    of_colours = re.compile(r',\s+(?:font)?color="[^"]*"')
    shown, expected = (of_colours.sub("", d) for d in (dot, expected["dot"]))
    assert shown == expected


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("graphs", "to_networkx"),
        ("openfst", "to_openfst"),
        ("paths", "find_paths"),
        ("phrases", "top_phrases"),
        ("words", "top_words"),
    ],
)
def test_functions_are_found_where_they_were(module, name):
    by_old_name = f"cskrational.inspection.{module}\n{name}\n.".encode()
    assert pickle.loads(by_old_name) is getattr(inspection, name)
