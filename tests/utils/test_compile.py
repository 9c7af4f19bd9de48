import pickle

import numba
import numpy as np
import pytest
from numba.core import caching

from skrational.utils import compile as compile_module
from skrational.utils.compile import jit, part
from skrational.utils.kernel_parts import Kernel


def double(x):
    return 2 * x


def cached_files(folder):
    return sorted(path.suffix for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """What NUMBA_CACHE_DIR names."""
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_machine_code_is_kept_on_disk(folder):
    assert jit(double)(4) == 8
    assert cached_files(folder) == [".nbc", ".nbi"]


def test_kept_code_is_loaded_and_not_compiled_again(folder):
    jit(double)(4)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    again = jit(double)
    assert again(5) == 10
    assert sum(again.stats.cache_hits.values()) == 1
    assert not again.stats.cache_misses
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_what_a_kernel_calls_is_compiled_as_a_part_of_it(folder):
    inner = jit(double)
    outer = jit(lambda x: inner(x) + inner(3))
    assert outer(4) == 14
    assert len(inner.parts) == 1
    assert not inner.signatures
    assert cached_files(folder) == [".nbc", ".nbi"]
    # Loaded, it holds the part; and a part can still be called.
    again = jit(outer.py_func)
    assert again(4) == 14
    assert sum(again.stats.cache_hits.values()) == 1
    assert inner(4) == 8


def test_a_part_that_cannot_be_typed_is_named():
    inner = jit(lambda x: x.nothing)
    with pytest.raises(numba.TypingError, match="nothing"):
        jit(lambda x: inner(x))(1)


@pytest.mark.parametrize(
    "rest",
    [b"", b"damaged", b"cskrational.utils.compile\nGone\n.", b"cskrational.gone\nA\n."],
    ids=["cut", "damaged", "names a class that is gone", "names a module that is gone"],
)
def test_a_list_that_cannot_be_read_is_replaced(folder, rest):
    jit(double)(4)
    (kept,) = folder.rglob("*.nbi")
    kept.write_bytes(pickle.dumps(numba.__version__) + rest)
    anew, again = jit(double), jit(double)
    assert anew(4) == again(4) == 8
    assert sum(anew.stats.cache_misses.values()) == 1
    assert sum(again.stats.cache_hits.values()) == 1


def test_a_folder_that_cannot_be_made_is_done_without(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path / "file" / "cache"))
    # Not beside this file either.
    kinds = caching.CacheImpl._locator_classes
    locators = [kind for kind in kinds if "UserProvided" in kind.__name__]
    assert locators
    monkeypatch.setattr(caching.CacheImpl, "_locator_classes", locators)
    assert jit(double)(4) == 8
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_without_any_place_to_cache_each_process_compiles(monkeypatch):
    monkeypatch.setattr(caching.CacheImpl, "_locator_classes", [])
    compiled = jit(double)
    assert compiled(4) == 8
    assert compiled.targetoptions["nogil"]
    assert isinstance(compiled._cache, caching.NullCache)


@pytest.mark.parametrize("cached", [False, True])
def test_other_errors_are_not_swallowed(monkeypatch, cached):
    def fail(*args, **options):
        raise RuntimeError("cannot cache function: the moon is full")

    if cached:
        monkeypatch.setattr(caching.CompileResultCacheImpl, "__init__", fail)
    else:
        monkeypatch.setattr(compile_module, "_dispatcher", fail)
    with pytest.raises(RuntimeError, match="the moon is full"):
        jit(double)


def test_an_unknown_numba_compiles_in_its_own_way(monkeypatch):
    monkeypatch.setattr(compile_module, "_LAST_KNOWN", (0, 1))

    @jit
    def quadruple(x):
        return two_times(two_times(x))

    two_times = jit(double)
    assert not isinstance(two_times, Kernel) and not isinstance(quadruple, Kernel)
    assert quadruple(3) == 12


def test_an_error_of_another_kind_is_not_swallowed(monkeypatch):
    def fail(*args, **options):
        raise OSError("no locator available")

    monkeypatch.setattr(compile_module, "_dispatcher", fail)
    with pytest.raises(OSError, match="no locator"):
        jit(double)


# What follows needs no cache; a stale one could hide a change of the options.
@pytest.fixture
def uncached(monkeypatch):
    monkeypatch.setattr(caching.CacheImpl, "_locator_classes", [])
    return jit


def test_compiled_code_releases_the_interpreter_and_starts_no_threads(uncached):
    options = uncached(double).targetoptions
    assert options["nogil"]
    assert not options.get("parallel", False)


def test_nan_and_infinity_keep_their_meaning(uncached):
    @uncached
    def probe(x, out):
        out[0] = x != x
        out[1] = np.isinf(x)
        out[2] = x - x == 0
        out[3] = x * 0 == 0

    out = np.empty(4, dtype=bool)
    for x in (np.nan, np.inf, -np.inf, 1.0):
        probe(x, out)
        finite = np.isfinite(x)
        assert out.tolist() == [np.isnan(x), np.isinf(x), finite, finite]


def test_division_by_zero_follows_numpy(uncached):
    @uncached
    def divide(a, b):
        return a / b

    assert divide(1.0, 0.0) == np.inf
    assert np.isnan(divide(0.0, 0.0))


def test_sums_keep_their_order(uncached):
    @uncached
    def add_up(x):
        total = x.dtype.type(0)
        for value in x:
            total += value
        return total

    x = np.random.default_rng(0).normal(size=10_001).astype(np.float32)
    assert add_up(x) == np.cumsum(x)[-1]


def test_a_part_that_returns_an_array_is_refused():
    @part
    def both(x):
        return x, 1

    @jit
    def second(x):
        return both(x)[1]

    with pytest.raises(TypeError, match="both counts no references"):
        second(np.zeros(3))


@pytest.mark.parametrize("last_known", [compile_module._LAST_KNOWN, (0, 1)])
def test_a_part_is_called_by_python_and_by_kernels(monkeypatch, last_known):
    monkeypatch.setattr(compile_module, "_LAST_KNOWN", last_known)

    @part
    def total(x):
        result = 0.0
        for i in range(x.size):
            result += x[i]
        return result

    @jit
    def twice(x):
        return 2 * total(x)

    x = np.arange(4.0)
    assert total(x) == 6
    assert twice(x) == 12
