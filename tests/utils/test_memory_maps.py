"""What memory maps give back, and what they keep."""

import mmap
import os
import sys
from pathlib import Path

import numpy as np
import pytest

from skrational import SequenceArray, SparseRationalClassifier
from skrational.utils import memory_maps
from skrational.utils.memory_maps import release

ROWS, WIDTH = 4000, 256


@pytest.fixture
def file(tmp_path):
    rows = np.random.default_rng(0).normal(size=(ROWS, WIDTH)).astype(np.float16)
    rows.tofile(tmp_path / "rows")
    return tmp_path / "rows"


def mapped(file, mode="r"):
    return np.memmap(file, np.float16, mode, shape=(ROWS, WIDTH))


def resident_bytes(array):
    """Bytes of the file's pages that this process has in memory, as Linux tells."""
    address = array.ctypes.data
    lines = iter(Path("/proc/self/smaps").read_text().splitlines())
    for line in lines:
        first = line.split()[0]
        if "-" in first and int(first.split("-")[0], 16) == address:
            return 1024 * next(int(x.split()[1]) for x in lines if x.startswith("Rss:"))
    raise AssertionError("the map isn't there")


@pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's /proc/self/smaps")
@pytest.mark.parametrize("view", [lambda a: a, lambda a: a[10:20], np.asarray])
def test_pages_that_were_read_are_given_back(file, view):
    array = mapped(file)
    expected = float(array.sum(dtype=float))
    assert resident_bytes(array) >= array.nbytes // 2
    release(view(array))
    assert resident_bytes(array) == 0
    assert float(array.sum(dtype=float)) == expected


def test_changes_are_kept(file):
    private, shared = mapped(file, "c"), mapped(file, "r+")
    for array in (private, shared):
        array[0] = 7
        release(array[:5])
        assert (array[0] == 7).all()
    release(np.zeros(3))


@pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's /proc/self/smaps")
def test_a_fit_and_a_prediction_leave_no_pages_behind(file):
    array = mapped(file)
    X = SequenceArray(array, np.arange(0, ROWS + 1, 20))
    clf = SparseRationalClassifier(
        n_wfsas=4, lambda_=0, warmup_epochs=1, max_epochs=1, finetune_epochs=1
    )
    for part in (X, X[::2]):
        clf.fit(part, np.arange(len(part)) % 2)
        # A batch's pages are given back when it has been converted.
        assert resident_bytes(array) < array.nbytes // 4
        clf.predict(part)
        assert resident_bytes(array) < array.nbytes // 4


@pytest.mark.skipif(sys.platform == "win32", reason="maps of Unix")
def test_private_maps_that_are_no_memmap_keep_what_was_written(file):
    for pages in (
        mmap.mmap(-1, 8000, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS),
        mmap.mmap(os.open(file, os.O_RDONLY), 8000, access=mmap.ACCESS_COPY),
    ):
        array = np.ndarray(1000, np.float64, buffer=pages)
        array[:] = 3
        release(array[2:])
        assert (array == 3).all()


def test_rows_far_apart_are_read_a_few_at_a_time(file, monkeypatch):
    array, rows = mapped(file), np.arange(0, ROWS, 17)[::-1]
    resident = []

    def release_and_look(given):
        release(given)
        resident.append(resident_bytes(array) if sys.platform == "linux" else 0)

    monkeypatch.setattr(memory_maps, "release", release_and_look)
    np.testing.assert_array_equal(memory_maps.read_rows(array, rows), array[rows])
    assert len(resident) > 1
    assert not any(resident)
