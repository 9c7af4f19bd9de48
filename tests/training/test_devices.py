import pytest
import torch

from skrational.training.devices import resolve_device


@pytest.fixture
def no_accelerator(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


@pytest.fixture
def one_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)


@pytest.mark.parametrize("device", ["auto", "cpu"])
def test_the_cpu_is_always_there(no_accelerator, device):
    assert resolve_device(device) == torch.device("cpu")


@pytest.mark.parametrize("device", ["cuda", "cuda:0", "mps", "meta"])
def test_a_missing_device_is_refused(no_accelerator, device):
    with pytest.raises(
        ValueError, match=rf"device='{device}' is not available.*\['cpu'\]"
    ):
        resolve_device(device)


@pytest.mark.parametrize("device", ["cuda", "cuda:0"])
def test_a_gpu_that_is_there_is_taken(one_gpu, device):
    assert resolve_device(device) == torch.device(device)


def test_a_gpu_beyond_the_last_is_refused(one_gpu):
    with pytest.raises(ValueError, match=r"'cuda:1' is not available.*'cpu', 'cuda:0'"):
        resolve_device("cuda:1")


@pytest.mark.parametrize("device", ["gpu", "", "cuda:x", 3.5, None])
def test_an_unknown_device_is_refused(device):
    with pytest.raises(ValueError, match="is unknown; expected 'auto', 'cpu'"):
        resolve_device(device)
