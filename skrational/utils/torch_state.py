"""The state of torch that results must not depend on.

Callers may compute without gradients, in inference mode, under autocast or with another
default device. These belong to a thread: what is decorated here finds them as it needs
them, and leaves them as they were. The precision of products belongs to the process,
and is full for as long as any thread needs that. Default types belong to the process,
too, but other threads would see a change: no tensor is made here without naming its
type.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, ParamSpec, TypeVar

import torch

from skrational.utils.fork_locks import Lock

__all__ = ["in_own_state"]

Given = ParamSpec("Given")
Result = TypeVar("Result")


def in_own_state(work: Callable[Given, Result]) -> Callable[Given, Result]:
    """Let a function compute with gradients, in full precision and on the CPU.

    What it finds is there again when it ends, even if a key interrupts it: context
    managers, which those of torch are, can be interrupted on their own way out.

    Examples
    --------
    >>> @in_own_state
    ... def state():
    ...     return torch.is_grad_enabled(), torch.is_inference_mode_enabled()
    >>> with torch.inference_mode():
    ...     state(), torch.is_grad_enabled()
    ((True, False), False)
    """

    @functools.wraps(work)
    def run(*args: Given.args, **kwargs: Given.kwargs) -> Result:
        with_gradients, n_threads = torch.is_grad_enabled(), torch.get_num_threads()
        try:
            with ExitStack() as stack:
                for manager in _needed():
                    stack.enter_context(manager)
                return work(*args, **kwargs)
        finally:
            # One call of C each, before which no key is noticed.
            try:
                torch._C._set_grad_enabled(with_gradients)
            finally:
                if torch.get_num_threads() != n_threads:
                    torch.set_num_threads(n_threads)

    return run


class _Precision:
    """The precision in which torch multiplies matrices of float32.

    What may lower it: ``torch.set_float32_matmul_precision`` and, from torch 2.9 on,
    settings of each kind of device.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._n_users = 0
        self._found: Any = None

    def is_full(self) -> bool:
        """Whether nobody has lowered it; False while it's held."""
        return not self._n_users and all(
            value in ("none", "ieee", "highest") for value in self._settings().values()
        )

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Keep it full for a while."""
        counted = False
        try:
            with self._lock.held:
                counted, self._n_users = True, self._n_users + 1
                if self._n_users == 1:
                    self._found = self._settings()
                    self._set(dict.fromkeys(self._found, self._full))
            yield
        finally:
            with self._lock.held:
                self._n_users -= counted
                if counted and not self._n_users:
                    self._set(self._found)

    @property
    def _full(self) -> str:
        return "ieee" if hasattr(torch.backends, "fp32_precision") else "highest"

    def _settings(self) -> dict[Any, str]:
        if self._full == "highest":
            return {None: torch.get_float32_matmul_precision()}
        backends: tuple[Any, Any] = torch.backends.mkldnn, torch.backends.cuda
        products = [backend.matmul for backend in backends]
        return {where: where.fp32_precision for where in products}

    def _set(self, settings: dict[Any, str]) -> None:
        for where, value in settings.items():
            if where is None:
                torch.set_float32_matmul_precision(value)
            else:
                where.fp32_precision = value


_precision = _Precision()


def _needed() -> list[Any]:
    """Return context managers for what is not as it should be."""
    managers: list[Any] = []
    if torch.is_inference_mode_enabled():
        managers.append(torch.inference_mode(False))
    if not torch.is_grad_enabled() or managers:
        managers.append(torch.enable_grad())
    managers += [
        torch.autocast(device, enabled=False)
        for device in ("cpu", "cuda")
        if torch.is_autocast_enabled(device)
    ]
    if not _precision.is_full():
        managers.append(_precision.hold())
    if torch.empty(0, dtype=torch.float32).device.type != "cpu":
        managers.append(torch.device("cpu"))
    return managers
