import gc
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from skrational.utils import buffers
from skrational.utils.buffers import empty, recycling

LARGE = buffers._LEAST
F32, F64 = torch.float32, torch.float64


@pytest.fixture(autouse=True)
def small_arrays_count(monkeypatch):
    """Let arrays of a few numbers be worth keeping."""
    monkeypatch.setattr(buffers, "_LEAST", 8)


def address(tensor):
    return tensor.untyped_storage().data_ptr()


def pool():
    return buffers._active.pool


def test_memory_is_used_again_when_its_tensor_is_gone():
    with recycling():
        first = empty(4, 5, dtype=F32)
        at = address(first)
        del first
        second = empty(5, 4, dtype=F32)
        assert address(second) == at
        assert second.shape == (5, 4)
        assert address(empty(20, dtype=F32)) != at


@pytest.mark.parametrize(
    "view_of",
    [
        lambda x: x.view(-1),
        lambda x: x.T,
        lambda x: x[1:, ::2],
        lambda x: x[0, 0],
        lambda x: x.detach(),
        lambda x: x.numpy(),
        lambda x: x.numpy()[1:],
        lambda x: torch.from_numpy(x.numpy()[1:]),
        lambda x: memoryview(x.numpy()),
        lambda x: x.untyped_storage(),
    ],
    ids=range(10),
)
def test_memory_is_not_used_again_while_a_view_is_left(view_of):
    with recycling():
        tensor = empty(4, 5, dtype=F32)
        at = address(tensor)
        view = view_of(tensor)
        del tensor
        others = [empty(4, 5, dtype=F32) for _ in range(5)]
        assert at not in map(address, others)
        del view
        assert address(empty(4, 5, dtype=F32)) == at


def test_what_a_backward_pass_needs_is_not_used_again():
    weight = torch.ones(10, requires_grad=True)
    with recycling():
        tensor = empty(10, dtype=F32)
        tensor.copy_(torch.arange(10))
        total = (weight * tensor).sum()
        del tensor
        others = [empty(10, dtype=F32).fill_(99) for _ in range(4)]
        total.backward()
    assert len(others) == 4
    assert torch.equal(weight.grad, torch.arange(10.0))


def test_a_smaller_tensor_may_take_the_place_of_a_larger_one():
    with recycling():
        at = address(empty(100, dtype=F32))
        small = empty(10, dtype=F32)
        assert address(small) == at
        assert small.shape == (10,)


def test_the_tightest_memory_that_fits_is_taken():
    with recycling():
        large, small = empty(1000, dtype=F32), empty(100, dtype=F32)
        at_large, at_small = address(large), address(small)
        del large, small
        assert address(empty(90, dtype=F32)) == at_small
        assert address(empty(900, dtype=F32)) == at_large


def test_a_larger_tensor_never_gets_too_little():
    with recycling():
        for size in (10, 100, 1000, 50, 5000):
            tensor = empty(size, dtype=F32)
            assert tensor.untyped_storage().nbytes() >= 4 * size
            tensor.fill_(1)
            del tensor


def test_types_have_memory_of_their_own():
    with recycling():
        at = address(empty(16, dtype=F32))
        double = empty(16, dtype=F64)
        assert double.dtype == F64
        assert address(double) != at
        assert address(empty(16, dtype=F32)) == at


@pytest.mark.parametrize("shape", [(), (1,), (0,), (0, 50), (7,), (8,), (2, 3, 4)])
def test_any_shape_is_possible(shape):
    plain = empty(*shape, dtype=F64)
    with recycling():
        recycled = empty(*shape, dtype=F64)
    for tensor in (plain, recycled):
        assert tensor.shape == shape
        assert tensor.dtype == F64
        assert tensor.is_contiguous()
        tensor.fill_(1)


def test_small_arrays_are_left_to_malloc(monkeypatch):
    monkeypatch.setattr(buffers, "_LEAST", LARGE)
    with recycling():
        empty(100, dtype=F32)
        assert not pool()._free
        tensor = empty(LARGE, dtype=F32)
        at = address(tensor)
        del tensor
        assert address(empty(LARGE, dtype=F32)) == at


def test_outside_nothing_is_kept():
    tensor = empty(50, dtype=F32)
    assert getattr(buffers._active, "pool", None) is None
    assert tensor.shape == (50,)


def test_nothing_is_kept_when_the_context_is_over():
    with recycling():
        for size in (10, 20, 30):
            empty(size, dtype=F32)
        kept = weakref.ref(pool())
        assert sum(map(len, kept()._free.values())) == 1
    gc.collect()
    assert kept() is None


def test_a_tensor_that_outlives_the_context_stays_valid_and_is_freed_then():
    with recycling():
        tensor = empty(50, dtype=F32)
        tensor.fill_(3)
        kept = weakref.ref(pool())
    with recycling():
        assert address(empty(50, dtype=F32)) != address(tensor)
    assert (tensor == 3).all()
    del tensor
    gc.collect()
    assert kept() is None


def test_a_few_pieces_are_kept_at_most():
    with recycling():
        tensors = [empty(10, dtype=F32) for _ in range(3 * buffers._MOST_KEPT)]
        assert len(set(map(address, tensors))) == len(tensors)
        tensors.clear()
        assert len(pool()._free[F32]) == buffers._MOST_KEPT


def test_contexts_nest():
    with recycling():
        at = address(empty(50, dtype=F32))
        with recycling():
            assert address(empty(50, dtype=F32)) == at
        assert address(empty(50, dtype=F32)) == at
    assert buffers._active.pool is None


def test_an_error_ends_the_context():
    with pytest.raises(KeyError), recycling():
        kept = weakref.ref(pool())
        raise KeyError
    assert buffers._active.pool is None
    gc.collect()
    assert kept() is None


def test_another_thread_does_not_take_part():
    with recycling():
        at = address(empty(50, dtype=F32))
        thread = threading.Thread(target=lambda: addresses.append(pool_of_thread()))
        addresses = []
        thread.start()
        thread.join()
        assert addresses == [None]
        assert address(empty(50, dtype=F32)) == at


def pool_of_thread():
    empty(50, dtype=F32)
    return getattr(buffers._active, "pool", None)


def test_what_another_thread_lets_go_comes_back():
    with recycling():
        held = [empty(50, dtype=F32)]
        at = address(held[0])
        thread = threading.Thread(target=held.clear)
        thread.start()
        thread.join()
        assert address(empty(50, dtype=F32)) == at


actions = st.lists(
    st.one_of(
        st.tuples(st.just("new"), st.integers(8, 60), st.sampled_from([F32, F64])),
        st.tuples(st.just("drop"), st.integers(0, 30), st.none()),
        st.tuples(st.just("view"), st.integers(0, 30), st.none()),
        st.tuples(st.just("array"), st.integers(0, 30), st.none()),
    ),
    max_size=60,
)


def run_schedule(schedule, first=0):
    """Fill each tensor with a number of its own; it stays while the tensor lives."""
    live = []
    with recycling():
        for number, (action, n, dtype) in enumerate(schedule, first):
            if action == "new":
                tensor = empty(n, dtype=dtype)
                tensor.fill_(number)
                live.append((tensor, number))
            elif live:
                tensor, mark = live.pop(n % len(live))
                if action == "view":
                    live.append((tensor[1:] if len(tensor) > 1 else tensor, mark))
                if action == "array":
                    live.append((np.asarray(tensor), mark))
                del tensor
            for tensor, mark in live:
                assert (np.asarray(tensor) == mark).all()
    for tensor, mark in live:
        assert (np.asarray(tensor) == mark).all()


@given(actions)
def test_two_live_tensors_never_share_memory(schedule):
    run_schedule(schedule)


def test_threads_that_run_at_once_never_share_memory():
    rng = np.random.default_rng(0)
    schedules = [
        [
            (
                rng.choice(["new", "new", "drop", "view", "array"]),
                int(rng.integers(8, 60)),
                F32 if rng.random() < 0.5 else F64,
            )
            for _ in range(60)
        ]
        for _ in range(16)
    ]
    with ThreadPoolExecutor(4) as threads:
        runs = [
            threads.submit(run_schedule, schedule, 1000 * i)
            for i, schedule in enumerate(schedules)
        ]
    for run in runs:
        run.result()
