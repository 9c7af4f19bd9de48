import subprocess
import sys

import pytest
import torch

from skrational.utils import devices
from skrational.utils.devices import resolve_device

CPU = ("cpu",)


@pytest.fixture
def no_accelerator(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


@pytest.fixture
def one_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)


@pytest.fixture
def mps(monkeypatch):
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)


@pytest.mark.parametrize("device", ["auto", "cpu", "cpu:0"])
@pytest.mark.parametrize("fastest", [CPU, ("cuda", "cpu"), ("cuda", "mps", "cpu")])
def test_the_cpu_is_always_there(no_accelerator, device, fastest):
    assert resolve_device(device, fastest).type == "cpu"


@pytest.mark.parametrize("device", ["cuda", "cuda:0", "mps", "meta"])
def test_a_missing_device_is_refused(no_accelerator, device):
    with pytest.raises(
        ValueError, match=rf"device='{device}' is not available.*\['cpu'\]"
    ):
        resolve_device(device, CPU)


@pytest.mark.parametrize("device", ["cuda", "cuda:0"])
def test_a_gpu_that_is_there_is_taken(one_gpu, device):
    assert resolve_device(device, CPU) == torch.device(device)


def test_auto_is_the_first_that_is_there(one_gpu):
    assert resolve_device("auto", ("cuda", "cpu")) == torch.device("cuda")
    assert resolve_device("auto", ("cuda:1", "cpu")) == torch.device("cpu")
    assert resolve_device("auto", CPU) == torch.device("cpu")


def test_a_gpu_beyond_the_last_is_refused(one_gpu):
    with pytest.raises(ValueError, match=r"'cuda:1' is not available.*'cpu', 'cuda:0'"):
        resolve_device("cuda:1", CPU)


@pytest.mark.parametrize("device", ["mps", "mps:0"])
def test_mps_that_is_there_is_taken(no_accelerator, mps, device):
    assert resolve_device(device, CPU) == torch.device(device)
    assert resolve_device("auto", ("cuda", "mps", "cpu")) == torch.device("mps")


@pytest.mark.parametrize("device", ["gpu", "", "cuda:x", 3.5, None])
def test_an_unknown_device_is_refused(device):
    with pytest.raises(ValueError, match="is unknown; expected 'auto', 'cpu'"):
        resolve_device(device, CPU)


def test_importing_is_light():
    code = "import sys, skrational.utils.devices; print('torch' in sys.modules)"
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert out.stdout == "False\n"


@pytest.mark.parametrize("kernel", ["", "triton", "reference"])
@pytest.mark.parametrize("is_there", [False, True])
def test_triton_runs_on_cuda_unless_it_is_missing_or_forced_off(
    monkeypatch, kernel, is_there
):
    monkeypatch.setenv("SKRATIONAL_KERNEL", kernel)
    monkeypatch.setattr(devices, "has_triton", lambda: is_there)
    assert not devices.runs_triton(torch.device("cpu"))
    runs = devices.runs_triton(torch.device("cuda", 1))
    assert runs == (is_there and kernel != "reference")
