"""The state of torch that results must not depend on.

Callers may compute without gradients, in inference mode, under autocast or with another
default device. These belong to a thread: what is decorated here finds them as it needs
them, and leaves them as they were. Default types belong to the process, whose other
threads would see a change; no tensor is made here without naming its type.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, ParamSpec, TypeVar

import torch

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
    if torch.empty(0, dtype=torch.float32).device.type != "cpu":
        managers.append(torch.device("cpu"))
    return managers
