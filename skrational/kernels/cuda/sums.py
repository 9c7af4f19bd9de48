"""Gradients of rows that several tokens share.

The gradient of a row is summed over the tokens that read it, always in the same order:
no atomics, the same bits always.
"""

from __future__ import annotations

from typing import no_type_check

import triton
import triton.language as tl

from skrational.kernels.cuda.gates import through_gate
from skrational.kernels.cuda.slabs import is_below

__all__ = ["COLUMNS", "sum_pieces", "sum_rows"]

COLUMNS = tl.constexpr(128)
"""States of a program that sums gradients over tokens."""


@triton.jit(do_not_specialize=["n_states"])
@no_type_check
def sum_pieces(
    order,
    piece_starts,
    entered_from,
    n_states,
    history,
    adjoints,
    sums,
    TILE: tl.constexpr,
):
    """Gradients of f and u, summed over the tokens of each piece of a row.

    There is a program for each piece and `COLUMNS` states.

    Parameters
    ----------
    order : pointer to (n_tokens,), int32
    piece_starts : pointer to (n_pieces + 1,), int32
        These two as in `skrational.kernels.cuda.batch.Batch`.
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
    TILE : int
        Tokens that are fetched together.
    """
    piece = tl.program_id(0).to(tl.int64)
    place = tl.program_id(1) * COLUMNS + tl.arange(0, COLUMNS)
    exists = place < n_states
    source = tl.load(entered_from + place, mask=exists, other=-1)
    g_f = tl.full([COLUMNS], 0.0, history.dtype.element_ty)
    g_u = g_f
    stop = tl.load(piece_starts + piece + 1)
    for n in tl.range(tl.load(piece_starts + piece), stop, TILE):
        tokens = ()
        for i in tl.static_range(TILE):
            token = tl.load(order + n + i, mask=n + i < stop, other=0)
            tokens += (token.to(tl.int64) * n_states,)
        a = ()
        before = ()
        entered = ()
        for i in tl.static_range(TILE):
            inside = exists & is_below(n + i, stop, COLUMNS)
            here = tokens[i] + place
            a += (tl.load(adjoints + here, mask=inside, other=0.0),)
            before += (tl.load(history + here, mask=inside, other=0.0),)
            # The start state, which has no place, always weighs 1.
            has_source = inside & (source >= 0)
            there = history + tokens[i] + source
            entered += (tl.load(there, mask=has_source, other=1.0),)
        for i in tl.static_range(TILE):
            g_f += a[i] * before[i]
            g_u += a[i] * entered[i]
    target = sums + piece * (2 * n_states) + place
    tl.store(target, g_f, mask=exists)
    tl.store(target + n_states, g_u, mask=exists)


@triton.jit(do_not_specialize=["n_states"])
@no_type_check
def sum_rows(gates, first_pieces, n_states, sums, grad_z, TILE: tl.constexpr):
    """Gradients of a row's pre-activations from the sums of its pieces.

    There is a program for each row and `COLUMNS` states.

    Parameters
    ----------
    gates : pointer to (n_rows, 2 * S)
        Of a row first f, then u, by place.
    first_pieces : pointer to (n_rows + 1,), int32
        The first piece of each row.
    n_states : int
        S.
    sums : pointer to (n_pieces, 2 * S)
        As `sum_pieces` left them.
    grad_z : pointer to (n_rows, 2 * S)
        Filled with the gradients of the pre-activations, ordered as ``gates``.
    TILE : int
        Pieces that are fetched together.
    """
    row = tl.program_id(0).to(tl.int64)
    place = tl.program_id(1) * COLUMNS + tl.arange(0, COLUMNS)
    exists = place < n_states
    g_f = tl.full([COLUMNS], 0.0, sums.dtype.element_ty)
    g_u = g_f
    width = 2 * n_states.to(tl.int64)
    stop = tl.load(first_pieces + row + 1)
    for n in tl.range(tl.load(first_pieces + row), stop, TILE):
        of_f = ()
        of_u = ()
        for i in tl.static_range(TILE):
            inside = exists & is_below(n + i, stop, COLUMNS)
            of_piece = sums + (n + i) * width + place
            of_f += (tl.load(of_piece, mask=inside, other=0.0),)
            of_u += (tl.load(of_piece + n_states, mask=inside, other=0.0),)
        for i in tl.static_range(TILE):
            g_f += of_f[i]
            g_u += of_u[i]
    of_row = gates + row * (2 * n_states) + place
    f = tl.load(of_row, mask=exists, other=0.0)
    u = tl.load(of_row + n_states, mask=exists, other=0.0)
    z_f_bar, z_u_bar = through_gate(f, u, g_f, g_u)
    target = grad_z + row * (2 * n_states) + place
    tl.store(target, z_f_bar, mask=exists)
    tl.store(target + n_states, z_u_bar, mask=exists)
