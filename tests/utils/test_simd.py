import numba
import numpy as np
import pytest

from skrational.utils import compile as compile_
from skrational.utils.elementary import exp_less_one, log_sigmoid, sigmoid, tanh
from skrational.utils.simd import (
    LANES,
    flush,
    load,
    load_wide,
    maximum,
    mul_add,
    prefetch,
    splat,
    store,
    total,
    where_equal,
)

# Compiled anew in each run, with the options of the kernels: numba's cache would not
# notice that the module under test has changed.
compiled = numba.njit(**compile_._OPTIONS)

DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])
SPECIAL = [0.0, -0.0, 1.0, -2.5, np.inf, -np.inf, np.nan, 1e-30]


@compiled
def copy(source, i, target, j):
    store(target, j, load(source, i))


@compiled
def spread(value, like, out):
    of_array = splat(value, like)
    store(out, 0, of_array)
    store(out, LANES, splat(value, of_array))


@compiled
def all_operators(a, b, out):
    x, y = load(a, 0), load(b, 0)
    store(out, 0, x + y)
    store(out, LANES, x - y)
    store(out, 2 * LANES, x * y)
    store(out, 3 * LANES, x / y)


@compiled
def multiply_add(a, b, c, out):
    store(out, 0, mul_add(load(a, 0), load(b, 0), load(c, 0)))


@compiled
def flush_all(x, least, out):
    store(out, 0, flush(load(x, 0), splat(least, x)))


@compiled
def sigmoid_all(x, out):
    for i in range(0, x.size, LANES):
        store(out, i, sigmoid(load(x, i)))


@compiled
def tanh_all(x, out):
    for i in range(0, x.size, LANES):
        store(out, i, tanh(load(x, i)))


@compiled
def log_sigmoid_all(x, out):
    for i in range(0, x.size, LANES):
        store(out, i, log_sigmoid(load(x, i)))


@compiled
def exp_less_one_all(x, out):
    for i in range(0, x.size, LANES):
        store(out, i, exp_less_one(load(x, i)))


@compiled
def compare(a, b, value, other, out):
    x, y = load(a, 0), load(b, 0)
    store(out, 0, maximum(x, y))
    store(out, LANES, where_equal(x, y, load(value, 0), load(other, 0)))


@compiled
def wide_multiply_add(a, b, c, out):
    product = mul_add(splat(a, load_wide(b, 0)), load_wide(b, 0), load_wide(c, 0))
    store(out, 0, product)


@compiled
def sum_of_lanes(x):
    return total(load(x, 0))


@compiled
def fetch_all(x):
    for i in range(x.size):
        prefetch(x, i)


def draw(seed, dtype, n=LANES):
    return np.random.default_rng(seed).normal(size=n).astype(dtype)


def sigmoids(x, compute=sigmoid_all):
    """Compute them, padded to whole vectors."""
    padded = np.resize(x, -(-len(x) // LANES) * LANES)
    out = np.empty_like(padded)
    compute(padded, out)
    return out[: len(x)]


def tanhs(x):
    return sigmoids(x, tanh_all)


@DTYPES
@pytest.mark.parametrize(("i", "j"), [(0, 0), (1, 0), (3, 5), (12, 12)])
def test_eight_numbers_are_copied_from_and_to_any_place(dtype, i, j):
    source, target = draw(0, dtype, 20), np.full(20, 7, dtype)
    expected = target.copy()
    expected[j : j + LANES] = source[i : i + LANES]
    copy(source, i, target, j)
    np.testing.assert_array_equal(target, expected)


@DTYPES
def test_copies_keep_every_bit(dtype):
    source, target = np.array(SPECIAL, dtype), np.zeros(LANES, dtype)
    copy(source, 0, target, 0)
    assert source.tobytes() == target.tobytes()


@DTYPES
@pytest.mark.parametrize("value", [0.1, -3, np.float32(0.25), np.float64(1e-3), True])
def test_a_number_is_spread_over_the_lanes(dtype, value):
    like, out = np.zeros(0, dtype), np.zeros(2 * LANES, dtype)
    spread(value, like, out)
    np.testing.assert_array_equal(out, np.full(2 * LANES, value, dtype))


@DTYPES
@pytest.mark.parametrize("seed", [*range(5), None])
def test_operators_round_as_numpy_does(dtype, seed):
    if seed is None:
        a, b = np.array(SPECIAL, dtype), np.array(SPECIAL[::-1], dtype)
    else:
        a, b = draw(seed, dtype), draw(seed + 99, dtype)
    out = np.empty(4 * LANES, dtype)
    all_operators(a, b, out)
    with np.errstate(all="ignore"):
        expected = np.concatenate([a + b, a - b, a * b, a / b])
    np.testing.assert_array_equal(out, expected)


@DTYPES
@pytest.mark.parametrize("seed", range(5))
def test_a_product_and_a_sum_are_rounded_once_or_twice(dtype, seed):
    a, b, c = (draw(100 * seed + i, dtype) for i in range(3))
    out = np.empty(LANES, dtype)
    multiply_add(a, b, c, out)
    wide = np.float64 if dtype == np.float32 else np.longdouble
    once = (a.astype(wide) * b + c).astype(dtype)
    twice = a * b + c
    assert ((out == once) | (out == twice)).all()


@DTYPES
def test_a_product_and_a_sum_keep_what_is_not_finite(dtype):
    a, ones, out = np.array(SPECIAL, dtype), np.ones(LANES, dtype), np.empty(LANES)
    out = out.astype(dtype)
    multiply_add(a, ones, ones, out)
    np.testing.assert_array_equal(out, a + ones)


@DTYPES
def test_what_is_below_the_threshold_becomes_zero(dtype):
    tiny = np.finfo(dtype).tiny
    x = np.array([tiny, -tiny, tiny / 2, -tiny / 2, 0.0, 1.0, -1.0, tiny * 2], dtype)
    out = np.empty(LANES, dtype)
    flush_all(x, tiny, out)
    np.testing.assert_array_equal(out, [tiny, -tiny, 0, 0, 0, 1, -1, 2 * tiny])
    flush_all(x, dtype(1), out)
    np.testing.assert_array_equal(out, [0, 0, 0, 0, 0, 1, -1, 0])


@DTYPES
def test_flushing_keeps_nan_and_infinity(dtype):
    x = np.array([np.nan, np.inf, -np.inf, 0.5, -0.5, np.nan, 2, -2], dtype)
    out = np.empty(LANES, dtype)
    flush_all(x, dtype(1), out)
    np.testing.assert_array_equal(out, [np.nan, np.inf, -np.inf, 0, 0, np.nan, 2, -2])


@DTYPES
@pytest.mark.parametrize("seed", range(5))
def test_lanes_are_summed_in_a_fixed_order(dtype, seed):
    x = draw(seed, dtype)
    halves = x[:4] + x[4:]
    quarters = halves[:2] + halves[2:]
    assert sum_of_lanes(x) == quarters[0] + quarters[1]
    assert np.isnan(sum_of_lanes(np.array(SPECIAL, dtype)))


def test_sigmoid_is_exact_to_a_few_units_in_single_precision():
    rng = np.random.default_rng(0)
    x = np.concatenate(
        [
            np.linspace(-87, 87, 200_001),
            rng.normal(size=100_000),
            rng.normal(size=1000) * 1e-20,
        ]
    ).astype(np.float32)
    expected = 1 / (1 + np.exp(-x.astype(np.float64)))
    error = np.abs(sigmoids(x) - expected)
    assert error.max() <= 2e-7
    assert (error / expected).max() <= 5e-7


def test_sigmoid_is_exact_in_double_precision():
    rng = np.random.default_rng(0)
    x = np.concatenate([np.linspace(-700, 700, 50_001), rng.normal(size=50_000)])
    expected = 1 / (1 + np.exp(-x.astype(np.longdouble)))
    error = np.abs(sigmoids(x) - expected)
    assert error.max() <= 1e-15
    assert (error / expected).max() <= 1e-15


@DTYPES
@pytest.mark.filterwarnings("ignore:overflow")
def test_sigmoid_reaches_its_ends(dtype):
    far = [90, 1e4, 3e38, np.inf]
    np.testing.assert_array_equal(sigmoids(np.array(far, dtype)), 1)
    low = sigmoids(-np.array(far, dtype))
    assert (low >= 0).all()
    assert (low <= 2e-7 if dtype == np.float32 else low <= 1e-38).all()
    denormal = np.finfo(dtype).smallest_subnormal
    near = np.array([0.0, -0.0, denormal, -denormal], dtype)
    np.testing.assert_array_equal(sigmoids(near), 0.5)


@DTYPES
def test_tanh_is_exact_to_two_units_even_of_small_numbers(dtype):
    rng = np.random.default_rng(0)
    sizes = (1e-30, 1e-8, 1e-3, 0.1, 0.5, 1, 3, 10, 40)
    x = np.concatenate([rng.normal(size=20_000) * size for size in sizes]).astype(dtype)
    expected = np.tanh(x.astype(np.longdouble))
    error = np.abs((tanhs(x) - expected) / expected)
    assert error.max() <= 2 * np.finfo(dtype).eps


@DTYPES
def test_tanh_reaches_its_ends_and_keeps_nan_and_denormals(dtype):
    denormal = np.finfo(dtype).smallest_subnormal
    x = np.array([np.inf, -np.inf, 50, -1e4, np.nan, 0, denormal, -denormal], dtype)
    expected = np.array([1, -1, 1, -1, np.nan, 0, denormal, -denormal], dtype)
    np.testing.assert_array_equal(tanhs(x), expected)


@DTYPES
def test_the_logarithm_of_a_sigmoid_is_exact_to_a_few_units(dtype):
    rng = np.random.default_rng(0)
    sizes = (1e-30, 1e-3, 0.1, 1, 3, 10, 40)
    x = np.concatenate([rng.normal(size=20_000) * size for size in sizes])
    x = x[np.abs(x) < 80].astype(dtype)
    exact = x.astype(np.longdouble)
    expected = np.minimum(exact, 0) - np.log1p(np.exp(-np.abs(exact)))
    error = np.abs((sigmoids(x, log_sigmoid_all) - expected) / expected)
    assert error.max() <= 4 * np.finfo(dtype).eps


@DTYPES
def test_the_logarithm_of_a_sigmoid_reaches_its_ends_and_keeps_nan(dtype):
    x = np.array([np.inf, -np.inf, 1e4, -1e4, np.nan, -3e38, 0, 0], dtype)
    found = sigmoids(x, log_sigmoid_all)
    half = np.log(dtype(0.5))
    expected = [0, -np.inf, 0, -1e4, np.nan, dtype(-3e38), half, half]
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-37)


@DTYPES
def test_an_exponential_less_one_is_exact_even_of_small_numbers(dtype):
    rng = np.random.default_rng(0)
    sizes = (1e-30, 1e-8, 1e-3, 0.1, 0.5, 1, 3, 10)
    x = np.concatenate([rng.normal(size=20_000) * size for size in sizes]).astype(dtype)
    expected = np.expm1(x.astype(np.longdouble))
    error = np.abs((sigmoids(x, exp_less_one_all) - expected) / expected)
    assert error.max() <= 2 * np.finfo(dtype).eps
    assert sigmoids(np.array([-np.inf], dtype), exp_less_one_all)[0] == -1


@DTYPES
def test_lanes_are_compared_as_numpy_does(dtype):
    a = np.array([1, 2, -np.inf, np.nan, 3, np.nan, -1, -np.inf], dtype)
    b = np.array([1, -3, -np.inf, 3, np.nan, np.nan, 4, -2], dtype)
    value, other, out = draw(0, dtype), draw(1, dtype), np.empty(2 * LANES, dtype)
    compare(a, b, value, other, out)
    np.testing.assert_array_equal(out[:LANES], np.maximum(a, b))
    np.testing.assert_array_equal(out[LANES:], np.where(a == b, value, other))


@DTYPES
def test_wide_vectors_have_twice_as_many_lanes(dtype):
    b, c = draw(0, dtype, 2 * LANES), draw(1, dtype, 2 * LANES)
    out = np.empty(2 * LANES, dtype)
    wide_multiply_add(0.7, b, c, out)
    np.testing.assert_allclose(out, dtype(0.7) * b + c, rtol=1e-6)


@DTYPES
@pytest.mark.parametrize("lane", range(LANES))
def test_nan_stays_nan_and_spoils_no_other_lane(dtype, lane):
    x = draw(0, dtype)
    expected = sigmoids(x)
    x[lane], expected[lane] = np.nan, np.nan
    np.testing.assert_array_equal(sigmoids(x), expected)
    assert np.isnan(sigmoids(-x)[lane])


@DTYPES
def test_sigmoid_never_falls(dtype):
    x = np.linspace(-20, 20, 10_001).astype(dtype)
    step = np.diff(sigmoids(x))
    assert step.min() >= -2 * np.finfo(dtype).eps


@DTYPES
def test_fetching_ahead_changes_nothing(dtype):
    x = draw(0, dtype, 40)
    before = x.copy()
    assert fetch_all(x) is None
    np.testing.assert_array_equal(x, before)
