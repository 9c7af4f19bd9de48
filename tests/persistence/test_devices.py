"""What was made on another device loads and predicts where that is missing.

A model that was fitted on CUDA holds numpy arrays and the name of the device. This
machine may have no CUDA: the name is set on models that were fitted here.
"""

import pickle
import pickletools

import joblib
import pytest
import torch

from skrational.persistence import load, save
from tests.persistence.models import assert_same, predictions
from tests.persistence.test_round_trips import NAMES

MISSING = "cuda:99"


def with_device(model, device):
    """Return a copy whose parameters, and those within, name a device."""
    twin = pickle.loads(pickle.dumps(model))
    seen = set()

    def visit(value):
        if id(value) in seen:
            return
        seen.add(id(value))
        if hasattr(value, "__dict__") and not isinstance(value, type):
            if "device" in vars(value):
                value.device = device
            for inner in vars(value).values():
                visit(inner)
        elif isinstance(value, list | tuple):
            for inner in value:
                visit(inner)

    visit(twin)
    return twin


def modules_in(content):
    """Return the names of the modules that a pickle calls for."""
    strings, found = [], set()
    for opcode, argument, _ in pickletools.genops(content):
        if isinstance(argument, str):
            strings.append(argument)
        if opcode.name == "GLOBAL":
            found.add(argument.split()[0])
        elif opcode.name == "STACK_GLOBAL":
            found.update(strings)
    return {name.partition(".")[0] for name in found}


@pytest.mark.parametrize("name", NAMES)
def test_no_model_holds_anything_of_torch(name, models):
    content = pickle.dumps(models[name][0])
    assert "torch" not in modules_in(content)
    assert b"torch" not in content


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("way", ["pickle", "joblib", "folder"])
def test_models_of_a_missing_device_predict_the_same(name, way, models, tmp_path):
    model, data = models[name]
    elsewhere = with_device(model, MISSING)
    if way == "pickle":
        again = pickle.loads(pickle.dumps(elsewhere))
    elif way == "joblib":
        joblib.dump(elsewhere, tmp_path / "model")
        again = joblib.load(tmp_path / "model")
    else:
        again = load(save(elsewhere, tmp_path / "model"))
    devices = {v for k, v in again.get_params().items() if k.endswith("device")}
    assert devices <= {MISSING}
    expected, found = predictions(model, data), predictions(again, data)
    assert expected.keys() == found.keys()
    assert_same(found, expected)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_a_model_that_was_fitted_on_cuda_is_plain_numpy(series, tmp_path):
    from tests.persistence.models import rational

    X, y = series
    clf = rational(device="cuda").fit(X, y)
    content = pickle.dumps(clf)
    assert b"torch" not in content
    again = load(save(clf, tmp_path / "model")).set_params(device="cpu")
    twin = pickle.loads(content).set_params(device="cpu")
    assert_same(predictions(again, X), predictions(twin, X))
