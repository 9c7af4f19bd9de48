"""Whatever reads automata says of a gated network that it has none."""

import inspect

import numpy as np
import pytest
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline

from skrational import (
    SparseGRUClassifier,
    SparseLSTMClassifier,
    SparseRationalClassifier,
    WordVectorizer,
    inspection,
)
from skrational.datasets import make_planted_patterns

DISPLAYS = ["AutomataDisplay", "AutomatonDisplay", "PhraseDisplay", "StructureDisplay"]
FUNCTIONS = [
    "find_paths",
    "first_layer",
    "to_networkx",
    "to_openfst",
    "top_phrases",
    "top_words",
]
OF_OTHER_MODELS = {
    "ExplanationDisplay",
    "GateDisplay",
    "ManifoldDisplay",
    "explain",
    "explain_batches",
    "single_output",
}


@pytest.fixture(scope="module")
def data():
    return make_planted_patterns(20, n_features=5, random_state=0)


@pytest.fixture(scope="module", params=[SparseLSTMClassifier, SparseGRUClassifier])
def clf(data, request):
    clf = request.param(
        n_units=2,
        lambda_=0,
        min_steps_per_epoch=1,
        warmup_epochs=0,
        max_epochs=1,
        finetune_epochs=0,
        random_state=0,
    )
    return clf.fit(data.X, data.y)


def test_every_public_name_is_tested_here_or_a_value():
    values = {
        name
        for name in inspection.__all__
        if inspect.isclass(getattr(inspection, name)) and not name.endswith("Display")
    }
    named = {*DISPLAYS, *FUNCTIONS, *OF_OTHER_MODELS}
    assert named == set(inspection.__all__) - values


@pytest.mark.parametrize("name", DISPLAYS + FUNCTIONS)
@pytest.mark.parametrize("held", ["itself", "frozen", "in a pipeline"])
def test_what_reads_automata_says_what_it_needs(name, held, clf, data, tmp_path):
    estimator = {
        "itself": clf,
        "frozen": FrozenEstimator(clf),
        "in a pipeline": make_pipeline(WordVectorizer(data.vectors), clf),
    }[held]
    read = getattr(inspection, name)
    read = getattr(read, "from_estimator", read)
    arguments = {
        "X": data.texts[:2] if held == "in a pipeline" else data.X[:2],
        "folder": tmp_path / "out",
    }
    accepted = inspect.signature(read).parameters
    given = {k: v for k, v in arguments.items() if k in accepted}
    with pytest.raises(TypeError) as caught:
        read(estimator, **given)
    message = str(caught.value)
    assert type(clf).__name__ in message
    assert "weighted automata, which only a SparseRationalClassifier" in message
    assert "explain, GateDisplay" in message
    assert not list(tmp_path.iterdir())


def test_a_structure_display_names_the_display_of_gates(clf):
    with pytest.raises(TypeError, match="GateDisplay draws a GatedStructure"):
        inspection.StructureDisplay(clf.learned_structure_)


def test_a_gate_display_names_what_draws_automata(data):
    settings = {"n_wfsas": 1, "lambda_": 0, "max_epochs": 1, "finetune_epochs": 0}
    rational = SparseRationalClassifier(**settings, warmup_epochs=0, random_state=0)
    rational.fit(data.X, data.y)
    with pytest.raises(TypeError, match="StructureDisplay and AutomatonDisplay"):
        inspection.GateDisplay.from_estimator(rational)
    with pytest.raises(TypeError, match="StructureDisplay draws a RationalStructure"):
        inspection.GateDisplay(rational.learned_structure_)


def test_what_is_given_in_another_shape_is_refused(clf):
    with pytest.raises(ValueError, match=r"X has 3 features, but Sparse.* with 5"):
        inspection.explain(clf, [np.zeros((2, 3))])
