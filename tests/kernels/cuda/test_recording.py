"""Work that is replayed is the work that was recorded."""

import gc

import pytest
import torch

from skrational.kernels.cuda.recording import Recording


@pytest.mark.parametrize(
    "device",
    [
        "cpu",
        pytest.param(
            "cuda",
            marks=pytest.mark.skipif(
                not torch.cuda.is_available(), reason="there is no GPU"
            ),
        ),
    ],
)
def test_reads_what_is_in_its_memory_at_the_time(device):
    source = torch.zeros(3, device=device)
    runs = []

    def work():
        runs.append(None)
        return source.square().sum()

    recording = Recording(work, source.device)
    for value in (1.0, 2.0, 3.0, 4.0):
        source.fill_(value)
        assert float(recording()) == 3 * value**2
    # On a device it is run, then recorded, and then only replayed.
    assert len(runs) == (4 if device == "cpu" else 2)
    assert gc.isenabled()


def test_collection_stays_as_it_was_when_work_fails(room):
    gc.disable()
    try:
        with room.recording._no_collection():
            assert not gc.isenabled()
        assert not gc.isenabled()
    finally:
        gc.enable()
    with pytest.raises(ValueError, match="work"), room.recording._no_collection():
        raise ValueError("work")
    assert gc.isenabled()
