"""Gates of rows: once for each row, instead of each time that a token reads it."""

from __future__ import annotations

from typing import no_type_check

import triton
import triton.language as tl

__all__ = ["activate", "through_gate"]


@triton.jit(do_not_specialize=["n_rows", "n_states"])
@no_type_check
def activate(rows, n_rows, n_states, BLOCK: tl.constexpr):
    """Turn pre-activations of f, and ``W_u x``, into f and u, in place.

    Parameters
    ----------
    rows : pointer to (n_rows, 2 * S)
    n_rows : int
    n_states : int
        S.
    BLOCK : int
        States of rows that a program turns.
    """
    i = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    exists = i < n_rows.to(tl.int64) * n_states
    of_f = rows + i // n_states * (2 * n_states) + i % n_states
    f = 1.0 / (1.0 + tl.exp(-tl.load(of_f, mask=exists, other=0.0)))
    z_u = tl.load(of_f + n_states, mask=exists, other=0.0)
    tl.store(of_f, f, mask=exists)
    tl.store(of_f + n_states, (1.0 - f) * z_u, mask=exists)


@triton.jit
@no_type_check
def through_gate(f, u, g_f, g_u):
    """Gradients of the pre-activations from those of f and u.

    Parameters
    ----------
    f, u : (n,)
        Self-loop, and main path.
    g_f, g_u : (n,)
        Their gradients.
    """
    return f * ((1.0 - f) * g_f - u * g_u), (1.0 - f) * g_u
