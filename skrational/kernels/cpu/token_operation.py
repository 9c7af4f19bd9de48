"""The compiled recurrence over tokens as a differentiable operation."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from skrational.kernels.cpu.recurrences import token_runs
from skrational.kernels.cpu.tokens import first_states
from skrational.kernels.semirings import Semiring
from skrational.utils.compile import read_only

__all__ = ["token_states"]


def token_states(
    f: Tensor,
    u: Tensor,
    ids: NDArray[np.int32],
    offsets: NDArray[np.int64],
    lengths: tuple[int, ...],
    semiring: Semiring,
) -> Tensor:
    """Run over the tokens; see `skrational.kernels.reference.token_states`.

    Raises
    ------
    ValueError
        If a tensor isn't on the CPU.
    """
    if f.device.type != "cpu":
        raise ValueError(
            f"the numba kernel computes on the CPU; got a tensor on {f.device.type}."
        )
    table = torch.cat([f, u], dim=1)
    found: Tensor = _TokenStates.apply(table, ids, offsets, lengths, semiring.name)
    return semiring.with_zeros(found)


class _TokenStates(torch.autograd.Function):
    """States after every token, differentiable in the transition weights."""

    @staticmethod
    def forward(
        ctx: Any,
        table: Tensor,
        ids: NDArray[np.int32],
        offsets: NDArray[np.int64],
        lengths: tuple[int, ...],
        semiring: str,
    ) -> Tensor:
        rows = table.detach().numpy()
        first = first_states(lengths, rows.dtype)
        states = np.empty((len(ids), len(first)), rows.dtype)
        ctx.run = rows, read_only(ids), read_only(offsets), first, states
        run_tokens, ctx.run_back = token_runs(semiring)
        run_tokens(*ctx.run)
        return torch.from_numpy(states)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        grad_table = np.zeros_like(ctx.run[0])
        ctx.run_back(*ctx.run, grad.contiguous().numpy(), grad_table)
        return torch.from_numpy(grad_table), None, None, None, None
