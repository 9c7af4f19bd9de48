"""The steps of the benchmark of scale, on a few documents."""

import mmap
import sys

import pytest

pytest.importorskip("benchmarks.scale", reason="benchmarks/ is not part of this copy")

from benchmarks import scale


@pytest.mark.slow
def test_each_step_goes_on_where_the_one_before_it_ended(tmp_path, monkeypatch):
    monkeypatch.setattr(scale, "BATCH", 25)
    rows = [step(tmp_path / "a", 60, True) for step in (scale.write, scale.fit)]
    assert rows[0]["tokens"] == rows[1]["tokens"] > 60
    assert scale.mapped(tmp_path / "a", 60, True)["accuracy"] > 0.8
    assert 0 <= scale.predict(tmp_path / "a", 60, True)["accuracy"] <= 1


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_memory_is_that_of_the_height():
    def call():
        # A map of its own: malloc may have as much at hand from other tests.
        with mmap.mmap(-1, 2**26, flags=mmap.MAP_PRIVATE) as held:
            for _ in range(200):
                held[::4096] = bytes(2**14)
        return {"tokens": 1}

    row = scale.watched(call)
    assert row["tokens"] == 1
    assert 60 < row["added_mib"] < 80


def test_what_is_computed_lies_on_the_line():
    rows = []
    for n in (100, 1000):
        for step in scale.STEPS:
            numbers = {name: 10 + n / 10 for name in scale.NUMBERS}
            rows.append({"step": step, "documents": n} | numbers)
    assert "| fit | 10,000, computed | 1010 | 1010 | 1010 | 1010 |" in scale.report(
        rows
    )
