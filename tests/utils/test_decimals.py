"""Numbers written many at a time beside Python's repr of each."""

import numpy as np
import pytest

from skrational.utils.decimals import write_numbers

RNG = np.random.default_rng(0)
POWERS = np.concatenate(
    [2.0 ** np.arange(-1074, 1024), [float(f"1e{k}") for k in range(-323, 309)]]
)


@pytest.mark.parametrize(
    "values",
    [
        RNG.integers(0, 2**64, 20_000, dtype=np.uint64).view(np.float64),
        RNG.standard_normal(20_000),
        RNG.integers(1, 10**4, 5000).view(np.float64),
        POWERS,
        np.nextafter(POWERS, 0),
        np.nextafter(POWERS, np.inf),
        np.arange(-5000, 5000) / 1000,
        RNG.integers(2**53, 2**63, 5000).astype(float),
        np.array([0.0, -0.0, 1e-4, 1e-5, 1e15, 1e16, 9007199254740993.0]),
        np.empty(0),
    ],
    ids="bits normal tiny powers below above thousandths large edges none".split(),
)
def test_numbers_are_written_as_python_does(values):
    values = values[np.isfinite(values)]
    text, begins = write_numbers(values)
    expected = [f"{value!r}, " for value in values.tolist()]
    assert text == "".join(expected)
    assert begins.tolist() == np.cumsum([0, *map(len, expected)]).tolist()


def test_what_is_no_number_is_null():
    text, _ = write_numbers(np.array([1.0, np.nan, -2.5]))
    assert text == "1.0, null, -2.5, "
