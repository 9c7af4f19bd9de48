"""Torch's own recurrences, which run on CUDA by cuDNN and here on the CPU, too."""

import numpy as np
import pytest
import torch

from skrational.kernels.gated import choose_kernel, cudnn, reference

DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-12}


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize(("name", "n_kinds"), [("lstm_states", 4), ("gru_states", 3)])
@pytest.mark.parametrize("share", [0.0, 0.6, 1.0])
def test_values_and_gradients_are_those_of_the_reference(
    device, dtype, name, n_kinds, share
):
    rng = np.random.default_rng(0)
    offsets = np.array([0, 3, 3, 10, 11, 20])
    ids = rng.integers(0, 7, 20).astype(np.int32)
    learned = rng.random((n_kinds, 5)) < share
    n_gates = int(learned.sum())

    def draw(*shape):
        values = torch.from_numpy(rng.normal(size=shape)).to(device, dtype)
        return values.requires_grad_()

    inputs = draw(7, 4), draw(n_gates, 4), draw(n_gates, 5), draw(4, 5)
    results = []
    for module in (reference, cudnn):
        states = getattr(module, name)(*inputs, ids, offsets, learned)
        loss = states.square().sum()
        gradients = torch.autograd.grad(loss, inputs, allow_unused=True)
        filled = [
            torch.zeros_like(v) if g is None else g
            for v, g in zip(inputs, gradients, strict=True)
        ]
        results.append((states.detach(), *filled))
    for expected, found in zip(*results, strict=True):
        scale = max(1.0, float(expected.abs().max()) if expected.numel() else 1.0)
        torch.testing.assert_close(
            found, expected, rtol=0, atol=TOLERANCE[dtype] * scale
        )


@pytest.mark.parametrize("name", ["lstm_states", "gru_states"])
def test_without_tokens_or_units_there_is_nothing(name):
    n_kinds = 4 if name == "lstm_states" else 3
    nothing = np.zeros(0, np.int32), np.zeros(3, np.int64)
    for n_units in (0, 2):
        learned = np.ones((n_kinds, n_units), bool)
        n_gates = learned.size
        weights = torch.zeros(n_gates, 3), torch.zeros(n_gates, n_units)
        x, b = torch.zeros(0, 3), torch.zeros(4, n_units)
        states = getattr(cudnn, name)(x, *weights, b, *nothing, learned)
        assert states.shape == (0, n_units)


def test_each_device_has_its_kernel(monkeypatch):
    monkeypatch.delenv("SKRATIONAL_KERNEL", raising=False)
    assert [choose_kernel(d) for d in ("cpu", "cuda", "mps")] == [
        "numba",
        "cudnn",
        "reference",
    ]
    monkeypatch.setenv("SKRATIONAL_KERNEL", "cudnn")
    with pytest.raises(ValueError, match="computes on device='cuda'; got device='cpu'"):
        choose_kernel("cpu")
