"""Calibration errors are those of a loop over bins."""

import numpy as np
import pytest

from benchmarks.calibration import BINS, calibration_error, report, scores


@pytest.fixture
def predicted():
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.ones(3), size=500)
    return p, rng.integers(3, size=500)


def test_bins_of_equal_width(predicted):
    p, codes = predicted
    expected = 0.0
    for i in range(BINS):
        own = [j for j in range(500) if i / BINS <= p[j].max() < (i + 1) / BINS]
        if own:
            confidence = np.mean([p[j].max() for j in own])
            accuracy = np.mean([p[j].argmax() == codes[j] for j in own])
            expected += abs(confidence - accuracy) * len(own) / 500
    assert calibration_error(p, codes) == pytest.approx(expected)


def test_bins_of_equally_many(predicted):
    p, codes = predicted
    p, codes = p[:450], codes[:450]
    order = np.argsort(p.max(axis=1)).reshape(BINS, 30)
    gaps = [
        abs(p[own].max(axis=1).mean() - (p[own].argmax(axis=1) == codes[own]).mean())
        for own in order
    ]
    assert calibration_error(p, codes, equal_mass=True) == pytest.approx(np.mean(gaps))


def test_who_is_sure_and_right_has_no_error():
    p = np.eye(2)[[0, 1, 1, 0]]
    assert calibration_error(p, np.array([0, 1, 1, 0])) == 0
    assert calibration_error(p, np.array([1, 0, 0, 1])) == 1


def test_a_report_has_means_over_seeds(capsys, predicted):
    p, codes = predicted
    rows = [
        {"set": "sst2", "model": "automata", "split": split, "temperature": 1.0}
        | {"transitions": 10 + seed, **scores(np.log(p), codes)}
        for split in ("dev", "test")
        for seed in (0, 2)
    ]
    report(rows, "dev")
    *_, line = capsys.readouterr().out.splitlines()
    accuracy = np.mean(p.argmax(axis=1) == codes)
    assert line.startswith(f"| sst2 | automata | {accuracy:.3f} |")
    assert line.endswith("| 1.00 | 11 |")
