"""skops.io takes every model, with the published list of trusted types."""

import json

import pytest
from sklearn.base import clone

from skrational.persistence import TRUSTED_TYPES, load, save
from tests.persistence.models import LABELS, TEXTS, assert_same, predictions
from tests.persistence.models import pipeline as make
from tests.persistence.test_round_trips import NAMES
from tests.persistence.test_wrappers import CASES

sio = pytest.importorskip("skops.io", reason="needs the extra [safe]")
SEARCHES = ("tuned",)
"""Hold scorers made of functions, which skops doesn't trust."""


@pytest.mark.parametrize("name", [name for name in NAMES if name not in SEARCHES])
def test_models_load_with_the_published_list(name, models):
    model, data = models[name]
    content = sio.dumps(model)
    assert set(sio.get_untrusted_types(data=content)) <= set(TRUSTED_TYPES)
    again = sio.loads(content, trusted=list(TRUSTED_TYPES))
    assert_same(predictions(again, data), predictions(model, data))


@pytest.mark.parametrize("vectors", ["used", "all"])
def test_a_loaded_model_goes_through_skops(vectors, tmp_path):
    file = tmp_path / "vectors.txt"
    rows = [f"{w} {i} 1 2" for i, w in enumerate(set(" ".join(TEXTS).lower().split()))]
    file.write_text("\n".join(rows))
    model = make(str(file)).fit(TEXTS, [text[0] for text in TEXTS])
    again = load(save(model, tmp_path / "model", vectors=vectors))
    content = sio.dumps(again)
    once_more = sio.loads(content, trusted=list(TRUSTED_TYPES))
    assert_same(predictions(once_more, TEXTS), predictions(again, TEXTS))


@pytest.mark.parametrize("name", ["temperature", "predefined", "splits", "voting"])
def test_wrappers_load_with_the_published_list(name):
    model, X = CASES[name]
    model = clone(model).fit(X, LABELS)
    again = sio.loads(sio.dumps(model), trusted=list(TRUSTED_TYPES))
    assert (again.predict(X) == model.predict(X)).all()


def test_the_list_names_classes_that_are_there():
    from importlib import import_module

    for name in TRUSTED_TYPES:
        module, _, short = name.rpartition(".")
        assert hasattr(import_module(module), short), name
    assert list(TRUSTED_TYPES) == sorted(set(TRUSTED_TYPES))
    json.dumps(TRUSTED_TYPES)


# scikit-learn 1.9.1 was there when they were made.
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.InconsistentVersionWarning")
def test_files_of_version_0_1_0_load_with_the_list():
    from pathlib import Path

    folder = Path(__file__).parents[1] / "fixtures" / "0.1.0"
    for name in ("classifier.skops", "pipeline.skops"):
        file = folder / name
        assert set(sio.get_untrusted_types(file=file)) <= set(TRUSTED_TYPES)
        model = sio.load(file, trusted=list(TRUSTED_TYPES))
        assert hasattr(model, "predict")
