"""Gradients of rows that several tokens share.

The gradient of a row is summed over the tokens that read it, in their order: no
atomics, the same bits always.
"""

from __future__ import annotations

from typing import no_type_check

import triton
import triton.language as tl

from skrational.kernels.cuda.slabs import gate, through_gate

__all__ = ["COLUMNS", "sum_pieces", "sum_rows"]

COLUMNS = tl.constexpr(128)
"""States of a program that sums gradients over tokens."""


@triton.jit(do_not_specialize=["n_states"])
@no_type_check
def sum_pieces(order, piece_starts, entered_from, n_states, history, adjoints, sums):
    """Gradients of f and u, summed over the tokens of each piece of a row.

    There is a program for each piece and `COLUMNS` states.

    Parameters
    ----------
    order : pointer to (n_tokens,), int64
    piece_starts : pointer to (n_pieces + 1,), int64
        These two as in `skrational.kernels.cuda.batch.Pieces`.
    entered_from : pointer to (S,), int32
        Place of the state before; -1 for a first state.
    n_states : int
        S.
    history : pointer to (n_tokens, S)
        The states that each token meets, by place.
    adjoints : pointer to (n_tokens, S)
        Gradients of the states after each token, by place.
    sums : pointer to (n_pieces, 2 * S)
        Filled with the gradients of f, then of u, by place.
    """
    piece = tl.program_id(0).to(tl.int64)
    place = tl.program_id(1) * COLUMNS + tl.arange(0, COLUMNS)
    exists = place < n_states
    source = tl.load(entered_from + place, mask=exists, other=-1)
    g_f = tl.full([COLUMNS], 0.0, history.dtype.element_ty)
    g_u = g_f
    stop = tl.load(piece_starts + piece + 1)
    for n in tl.range(tl.load(piece_starts + piece), stop, num_stages=4):
        token = tl.load(order + n) * n_states
        a = tl.load(adjoints + token + place, mask=exists, other=0.0)
        before = tl.load(history + token + place, mask=exists, other=0.0)
        # The start state, which has no place, always weighs 1.
        entered = tl.load(history + token + source, mask=source >= 0, other=1.0)
        g_f += a * before
        g_u += a * entered
    target = sums + piece * (2 * n_states) + place
    tl.store(target, g_f, mask=exists)
    tl.store(target + n_states, g_u, mask=exists)


@triton.jit(do_not_specialize=["n_states"])
@no_type_check
def sum_rows(z_table, first_pieces, n_states, sums, grad_z):
    """Gradients of a row's pre-activations from the sums of its pieces.

    There is a program for each row and `COLUMNS` states.

    Parameters
    ----------
    z_table : pointer to (n_rows, 2 * S)
        Pre-activations: of a row first those of f, then ``W_u x``.
    first_pieces : pointer to (n_rows + 1,), int64
        The first piece of each row.
    n_states : int
        S.
    sums : pointer to (n_pieces, 2 * S)
        As `sum_pieces` left them.
    grad_z : pointer to (n_rows, 2 * S)
        Filled with the gradients, ordered as in ``z_table``.
    """
    row = tl.program_id(0).to(tl.int64)
    place = tl.program_id(1) * COLUMNS + tl.arange(0, COLUMNS)
    exists = place < n_states
    g_f = tl.full([COLUMNS], 0.0, sums.dtype.element_ty)
    g_u = g_f
    stop = tl.load(first_pieces + row + 1)
    for piece in tl.range(tl.load(first_pieces + row), stop, num_stages=4):
        of_piece = sums + piece * (2 * n_states) + place
        g_f += tl.load(of_piece, mask=exists, other=0.0)
        g_u += tl.load(of_piece + n_states, mask=exists, other=0.0)
    f, z_u = gate(z_table + row * (2 * n_states), n_states, place, exists)
    z_f_bar, z_u_bar = through_gate(f, z_u, g_f, g_u)
    target = grad_z + row * (2 * n_states) + place
    tl.store(target, z_f_bar, mask=exists)
    tl.store(target + n_states, z_u_bar, mask=exists)
