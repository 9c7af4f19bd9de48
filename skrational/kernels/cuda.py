"""The plus-times recurrence for CUDA: Triton, forward and hand-written backward.

A program walks one document with 32 automata side by side and their states in
registers. The pre-activations of later tokens do not depend on the states, so Triton
fetches them ahead. States stand level by level, the longest automata first: those that
have a state k are then a prefix, at every level, and no memory is spent on states that
do not exist. Long automata are walked in slabs of four levels, each of which reads what
the slab below has stored.

The backward walks each document in reverse. Where rows repeat, it stores the adjoints
of the states, and the gradient of a row is summed over the tokens that read it, in
their order: no atomics, the same bits always.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple, no_type_check

import numpy as np
import torch
import triton
import triton.language as tl
from numpy.typing import NDArray
from torch import Tensor
from torch.autograd.function import once_differentiable

__all__ = ["state_scores"]

_LANES = tl.constexpr(32)
"""Automata of a program: one warp."""

_COLUMNS = tl.constexpr(128)
"""States of a program that sums gradients over tokens."""

_PIECE = 64
"""Tokens of a program that sums gradients: a frequent word is many pieces."""

_STAGES = tl.constexpr(8)
"""Tokens fetched ahead: what keeps memory busy while few programs run."""

_LEVELS = 4
"""States of an automaton that a program holds in registers."""


@triton.jit
@no_type_check
def _places(starts, lane, LEVELS: tl.constexpr):
    """Place of each state of the lanes, and whether it exists, level by level."""
    places = ()
    exist = ()
    for k in tl.static_range(LEVELS):
        start = tl.load(starts + k)
        places += (start + lane,)
        exist += (start + lane < tl.load(starts + k + 1),)
    return places, exist


@triton.jit
@no_type_check
def _gate(z, n_states, place, exists):
    """Self-loop f and projection ``W_u x`` from a row of pre-activations."""
    z_f = tl.load(z + place, mask=exists, other=0.0)
    z_u = tl.load(z + n_states + place, mask=exists, other=0.0)
    return 1.0 / (1.0 + tl.exp(-z_f)), z_u


@triton.jit
@no_type_check
def _through_gate(f, z_u, g_f, g_u):
    """Gradients of the pre-activations from those of f and u."""
    grad_u = (1.0 - f) * g_u
    return f * ((1.0 - f) * g_f - z_u * grad_u), grad_u


@triton.jit
@no_type_check
def _add(left, right, LEVELS: tl.constexpr):
    both = ()
    for k in tl.static_range(LEVELS):
        both += (left[k] + right[k],)
    return both


@triton.jit(do_not_specialize=["n_states"])
@no_type_check
def _forward(
    z_table,
    ids,
    offsets,
    starts,
    columns,
    n_states,
    history,
    out,
    LEVELS: tl.constexpr,
    CHAINED: tl.constexpr,
    REPEATS: tl.constexpr,
    ANYWHERE: tl.constexpr,
    KEEP: tl.constexpr,
):
    document = tl.program_id(0).to(tl.int64)
    lane = tl.program_id(1) * _LANES + tl.arange(0, _LANES)
    places, exist = _places(starts, lane, LEVELS)
    zero = tl.full([_LANES], 0.0, z_table.dtype.element_ty)
    c = (zero,) * LEVELS
    joined = (zero,) * LEVELS
    if CHAINED:
        place_below = tl.load(starts - 1) + lane
    stop = tl.load(offsets + document + 1)
    for t in tl.range(tl.load(offsets + document), stop, num_stages=_STAGES):
        row = t
        if REPEATS:
            row = tl.load(ids + t).to(tl.int64)
        z = z_table + row * (2 * n_states)
        met = history + t * n_states
        below = zero + 1.0
        if CHAINED:
            below = tl.load(met + place_below, mask=exist[0], other=0.0)
        after = ()
        for k in tl.static_range(LEVELS):
            if KEEP:
                # What the token meets, not what it leaves: nothing else is needed
                # later, and the first token of a document is no special case.
                tl.store(met + places[k], c[k], mask=exist[k])
            f, z_u = _gate(z, n_states, places[k], exist[k])
            after += (f * c[k] + (1.0 - f) * z_u * below,)
            below = c[k]
        c = after
        if ANYWHERE:
            joined = _add(joined, c, LEVELS)
    if ANYWHERE:
        c = joined
    for k in tl.static_range(LEVELS):
        column = tl.load(columns + places[k], mask=exist[k], other=0)
        tl.store(out + document * n_states + column, c[k], mask=exist[k])


@triton.jit(do_not_specialize=["n_states"])
@no_type_check
def _backward(  # noqa: C901, PLR0915
    z_table,
    ids,
    offsets,
    starts,
    columns,
    n_states,
    history,
    grad_out,
    stored,
    grad_bias,
    LEVELS: tl.constexpr,
    CHAINED: tl.constexpr,
    CROWNED: tl.constexpr,
    REPEATS: tl.constexpr,
    ANYWHERE: tl.constexpr,
):
    """Store adjoints if rows repeat, and else the gradients of pre-activations."""
    document = tl.program_id(0).to(tl.int64)
    lane = tl.program_id(1) * _LANES + tl.arange(0, _LANES)
    places, exist = _places(starts, lane, LEVELS)
    zero = tl.full([_LANES], 0.0, z_table.dtype.element_ty)
    width = n_states if REPEATS else 2 * n_states
    g = ()
    for k in tl.static_range(LEVELS):
        column = tl.load(columns + places[k], mask=exist[k], other=0)
        from_out = grad_out + document * n_states + column
        g += (tl.load(from_out, mask=exist[k], other=0.0),)
    a = g  # dL/dc_t
    if ANYWHERE:
        a = (zero,) * LEVELS
    bias = (zero,) * LEVELS
    if CHAINED:
        place_below = tl.load(starts - 1) + lane
    if CROWNED:
        place_above = tl.load(starts + LEVELS) + lane
        crowned = place_above < tl.load(starts + LEVELS + 1)
    start = tl.load(offsets + document)
    stop = tl.load(offsets + document + 1)
    for n in tl.range(0, stop - start, num_stages=_STAGES):
        t = stop - 1 - n
        row = t
        if REPEATS:
            row = tl.load(ids + t).to(tl.int64)
        z = z_table + row * (2 * n_states)
        met = history + t * n_states
        to = stored + t * width
        # What one slab hands down to the next stands where the next will store.
        from_above = zero
        if CROWNED:
            from_above = tl.load(to + places[LEVELS - 1], mask=crowned, other=0.0)
        below = zero + 1.0
        if CHAINED:
            below = tl.load(met + place_below, mask=exist[0], other=0.0)
        if ANYWHERE:
            a = _add(a, g, LEVELS)
        stays = ()  # what reaches dL/dc_{t-1} through the self-loop
        passes = ()  # and through the main path, one level below
        shares = ()  # of the bias gradient
        for k in tl.static_range(LEVELS):
            f, z_u = _gate(z, n_states, places[k], exist[k])
            own = tl.load(met + places[k], mask=exist[k], other=0.0)
            if REPEATS:
                tl.store(to + places[k], a[k], mask=exist[k])
            else:
                z_f_bar, z_u_bar = _through_gate(f, z_u, a[k] * own, a[k] * below)
                tl.store(to + places[k], z_f_bar, mask=exist[k])
                tl.store(to + n_states + places[k], z_u_bar, mask=exist[k])
                shares += (z_f_bar,)
            stays += (f * a[k],)
            passes += ((1.0 - f) * z_u * a[k],)
            below = own
        if CHAINED:
            tl.store(to + place_below, passes[0], mask=exist[0])
        passes += (from_above,)
        a = _add(stays, passes[1:], LEVELS)
        if not REPEATS:
            bias = _add(bias, shares, LEVELS)
    if not REPEATS:
        for k in tl.static_range(LEVELS):
            in_document = grad_bias + document * n_states
            tl.store(in_document + places[k], bias[k], mask=exist[k])


@triton.jit(do_not_specialize=["n_states"])
@no_type_check
def _sum_pieces(order, piece_starts, entered_from, n_states, history, adjoints, sums):
    """Gradients of f and u, summed over the tokens of each piece of a row."""
    piece = tl.program_id(0).to(tl.int64)
    place = tl.program_id(1) * _COLUMNS + tl.arange(0, _COLUMNS)
    exists = place < n_states
    source = tl.load(entered_from + place, mask=exists, other=-1)
    g_f = tl.full([_COLUMNS], 0.0, history.dtype.element_ty)
    g_u = g_f
    stop = tl.load(piece_starts + piece + 1)
    for n in tl.range(tl.load(piece_starts + piece), stop, num_stages=4):
        token = tl.load(order + n) * n_states
        a = tl.load(adjoints + token + place, mask=exists, other=0.0)
        own = tl.load(history + token + place, mask=exists, other=0.0)
        # The start state, which has no place, always weighs 1.
        entered = tl.load(history + token + source, mask=source >= 0, other=1.0)
        g_f += a * own
        g_u += a * entered
    to = sums + piece * (2 * n_states) + place
    tl.store(to, g_f, mask=exists)
    tl.store(to + n_states, g_u, mask=exists)


@triton.jit(do_not_specialize=["n_states"])
@no_type_check
def _sum_rows(z_table, first_pieces, n_states, sums, grad_z):
    """Gradients of a row's pre-activations from the sums of its pieces."""
    row = tl.program_id(0).to(tl.int64)
    place = tl.program_id(1) * _COLUMNS + tl.arange(0, _COLUMNS)
    exists = place < n_states
    g_f = tl.full([_COLUMNS], 0.0, sums.dtype.element_ty)
    g_u = g_f
    stop = tl.load(first_pieces + row + 1)
    for piece in tl.range(tl.load(first_pieces + row), stop, num_stages=4):
        of_piece = sums + piece * (2 * n_states) + place
        g_f += tl.load(of_piece, mask=exists, other=0.0)
        g_u += tl.load(of_piece + n_states, mask=exists, other=0.0)
    f, z_u = _gate(z_table + row * (2 * n_states), n_states, place, exists)
    z_f_bar, z_u_bar = _through_gate(f, z_u, g_f, g_u)
    to = grad_z + row * (2 * n_states) + place
    tl.store(to, z_f_bar, mask=exists)
    tl.store(to + n_states, z_u_bar, mask=exists)


class _Slab(NamedTuple):
    """Some consecutive levels, and the automata that have the first of them.

    Attributes
    ----------
    starts : Tensor of int32
        Where these levels and all above them begin; what stands before in memory are
        the levels below.
    n_levels, n_lanes : int
    chained, crowned : bool
        Whether there are levels below, and above.
    """

    starts: Tensor
    n_levels: int
    n_lanes: int
    chained: bool
    crowned: bool


@dataclass(frozen=True, eq=False)
class _Layout:
    """Where states stand: level by level, the longest automata first.

    Attributes
    ----------
    columns : Tensor of shape (S,), int64
        Column (of the reference) of the state at each place.
    places : Tensor of shape (S,), int64
        Its inverse.
    entered_from : Tensor of shape (S,), int32
        Place of the state before; -1 for a first state.
    slabs : tuple of _Slab
    """

    columns: Tensor
    places: Tensor
    entered_from: Tensor
    slabs: tuple[_Slab, ...]

    @classmethod
    @lru_cache(maxsize=128)
    def of(cls, lengths: tuple[int, ...], device: torch.device) -> _Layout:
        """Lay out automata of these lengths."""
        sizes = np.asarray(lengths, dtype=np.int64)
        first = (np.cumsum(sizes) - sizes)[np.argsort(-sizes, kind="stable")]
        n_levels = int(sizes.max(initial=0))
        widths = [int(np.count_nonzero(sizes > k)) for k in range(n_levels)]
        starts = np.cumsum([0, *widths])
        level = np.repeat(np.arange(n_levels), widths)
        lane = np.arange(len(level)) - starts[level]
        columns = first[lane] + level
        entered_from = np.where(level > 0, starts[level - 1] + lane, -1)
        on_device = torch.tensor(starts, dtype=torch.int32, device=device)
        return cls(
            columns=torch.tensor(columns, device=device),
            places=torch.tensor(np.argsort(columns), device=device),
            entered_from=torch.tensor(entered_from, dtype=torch.int32, device=device),
            slabs=tuple(
                _Slab(
                    starts=on_device[low:],
                    n_levels=min(_LEVELS, n_levels - low),
                    n_lanes=widths[low],
                    chained=low > 0,
                    crowned=low + _LEVELS < n_levels,
                )
                for low in range(0, n_levels, _LEVELS)
            ),
        )


@dataclass(frozen=True, eq=False)
class _Batch:
    """Documents on the device, and how to walk them.

    Attributes
    ----------
    layout : _Layout
    ids : ndarray of shape (n_tokens,), int32
        The row of each token.
    repeats : bool
        Whether rows differ from tokens.
    device_ids, offsets : Tensor
        On the device; ``device_ids`` are not read unless rows repeat.
    """

    layout: _Layout
    ids: NDArray[np.int32]
    repeats: bool
    device_ids: Tensor
    offsets: Tensor

    @classmethod
    def of(
        cls,
        x: Tensor,
        ids: NDArray[np.int32],
        offsets: NDArray[np.int64],
        layout: _Layout,
    ) -> _Batch:
        """Bring documents to the device of their rows."""
        repeats = not np.array_equal(ids, np.arange(len(x)))
        on_device = torch.tensor(offsets, dtype=torch.int64, device=x.device)
        device_ids = torch.tensor(ids, device=x.device) if repeats else on_device
        return cls(layout, ids, repeats, device_ids, on_device)

    @property
    def n_documents(self) -> int:
        """Their number."""
        return len(self.offsets) - 1

    def new_history(self, z: Tensor) -> Tensor:
        """Room for the states that each token meets."""
        return z.new_empty(len(self.ids), len(self.layout.columns))

    def pieces(self, n_rows: int) -> tuple[Tensor, Tensor, Tensor]:
        """Cut the tokens of every row into pieces.

        Returns
        -------
        order : Tensor of shape (n_tokens,), int64
            Tokens sorted by their rows.
        starts : Tensor of shape (n_pieces + 1,), int64
            Where pieces begin in ``order``.
        first_pieces : Tensor of shape (n_rows + 1,), int64
            The first piece of each row.
        """
        counts = np.bincount(self.ids, minlength=n_rows)
        n_pieces = -(-counts // _PIECE)
        first_pieces = np.concatenate([[0], np.cumsum(n_pieces)])
        number = np.arange(first_pieces[-1]) - np.repeat(first_pieces[:-1], n_pieces)
        starts = np.repeat(np.cumsum(counts) - counts, n_pieces) + _PIECE * number
        device = self.offsets.device
        return (
            torch.argsort(self.device_ids, stable=True),
            torch.tensor(np.append(starts, len(self.ids)), device=device),
            torch.tensor(first_pieces, device=device),
        )


def _project(
    x: Tensor, W_u: Tensor, W_f: Tensor, b_f: Tensor, layout: _Layout
) -> tuple[Tensor, Tensor]:
    """Project rows to the pre-activations of f and u.

    Returns
    -------
    weight : Tensor of shape (2 * S, E)
    z : Tensor of shape (n_rows, 2 * S)
    """
    columns = layout.columns
    weight = torch.cat([W_f[columns], W_u[columns]])
    bias = torch.cat([b_f[columns], torch.zeros_like(b_f)])
    return weight, torch.addmm(bias, x, weight.T)


def _launch(kernel: Any, grid: tuple[int, int], *args: Any, **options: Any) -> None:
    """Run a kernel on the device of its first argument, unless the grid is empty."""
    if all(grid):
        with torch.cuda.device_of(args[0]):
            kernel[grid](*args, enable_fp_fusion=True, **options)


def _walk(
    kernel: Any, z: Tensor, at: _Batch, slab: _Slab, *args: Any, **constants: Any
) -> None:
    """Launch a kernel with a program for each document and block of automata."""
    _launch(
        kernel,
        (at.n_documents, triton.cdiv(slab.n_lanes, _LANES.value)),
        z,
        at.device_ids,
        at.offsets,
        slab.starts,
        at.layout.columns,
        len(at.layout.columns),
        *args,
        LEVELS=slab.n_levels,
        CHAINED=slab.chained,
        REPEATS=at.repeats,
        num_warps=1,
        **constants,
    )


def _score(z: Tensor, at: _Batch, anywhere: bool, history: Tensor | None) -> Tensor:
    """Run the recurrence; fill ``history`` with c_{t-1} if it is given."""
    out = z.new_empty(at.n_documents, len(at.layout.columns))
    if history is None and len(at.layout.slabs) > 1:
        history = at.new_history(z)
    keep = history is not None
    for slab in at.layout.slabs:
        _walk(
            _forward,
            z,
            at,
            slab,
            history if keep else out,
            out,
            ANYWHERE=anywhere,
            KEEP=keep,
        )
    return out


def _walk_back(
    z: Tensor,
    at: _Batch,
    history: Tensor,
    grad_out: Tensor,
    stored: Tensor,
    anywhere: bool,
) -> Tensor:
    """Run the adjoint recurrence: fill ``stored``, see `_backward`.

    Returns the gradient of the bias, (n_documents, S), unless rows repeat.
    """
    grad_bias = torch.empty_like(grad_out)
    for slab in reversed(at.layout.slabs):
        _walk(
            _backward,
            z,
            at,
            slab,
            history,
            grad_out,
            stored,
            grad_bias,
            ANYWHERE=anywhere,
            CROWNED=slab.crowned,
        )
    return grad_bias


def _grad_of_tokens(
    z: Tensor, at: _Batch, history: Tensor, grad_out: Tensor, anywhere: bool
) -> tuple[Tensor, Tensor]:
    """Gradients of pre-activations and bias where each token has a row of its own."""
    grad_z = torch.empty_like(z)
    grad_bias = _walk_back(z, at, history, grad_out, grad_z, anywhere)
    return grad_z, grad_bias.sum(dim=0)


def _grad_of_rows(
    z: Tensor, at: _Batch, history: Tensor, grad_out: Tensor, anywhere: bool
) -> tuple[Tensor, Tensor]:
    """Gradients of pre-activations and bias where tokens share rows."""
    n_states = len(at.layout.columns)
    n_blocks = triton.cdiv(n_states, _COLUMNS.value)
    adjoints = torch.empty_like(history)
    _walk_back(z, at, history, grad_out, adjoints, anywhere)
    order, starts, first_pieces = at.pieces(len(z))
    sums = z.new_empty(len(starts) - 1, 2 * n_states)
    entered_from = at.layout.entered_from
    _launch(
        _sum_pieces,
        (len(sums), n_blocks),
        order,
        starts,
        entered_from,
        n_states,
        history,
        adjoints,
        sums,
    )
    grad_z = torch.empty_like(z)
    _launch(_sum_rows, (len(z), n_blocks), z, first_pieces, n_states, sums, grad_z)
    return grad_z, grad_z[:, :n_states].sum(dim=0)


class _StateScores(torch.autograd.Function):
    """Projection and recurrence as one differentiable operation."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        W_u: Tensor,
        W_f: Tensor,
        b_f: Tensor,
        at: _Batch,
        anywhere: bool,
    ) -> Tensor:
        weight, z = _project(x, W_u, W_f, b_f, at.layout)
        history = at.new_history(z)
        ctx.save_for_backward(x, weight, z, history)
        ctx.constants = at, anywhere
        return _score(z, at, anywhere, history)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> Any:
        x, weight, z, history = ctx.saved_tensors
        at, anywhere = ctx.constants
        grad_of = _grad_of_rows if at.repeats else _grad_of_tokens
        grad_z, grad_b = grad_of(z, at, history, grad.contiguous(), anywhere)
        places = at.layout.places
        grad_f, grad_u = (grad_z.T @ x).chunk(2)
        return (
            grad_z @ weight if ctx.needs_input_grad[0] else None,
            grad_u[places],
            grad_f[places],
            grad_b[places],
            None,
            None,
        )


def state_scores(
    x: Tensor,
    W_u: Tensor,
    W_f: Tensor,
    b_f: Tensor,
    ids: NDArray[np.int32],
    offsets: NDArray[np.int64],
    lengths: tuple[int, ...],
    *,
    anywhere: bool = False,
    semiring: str = "plus-times",
) -> Tensor:
    """Score every state; see `skrational.kernels.reference.state_scores`.

    Parameters
    ----------
    x, W_u, W_f, b_f : Tensor
        On a CUDA device, or on any where Triton interprets (TRITON_INTERPRET=1);
        all float32 or all float64.
    ids, offsets, lengths, anywhere
        As in the reference.
    semiring : {"plus-times"}, default="plus-times"

    Returns
    -------
    Tensor of shape (n_documents, S)

    Raises
    ------
    ValueError
        If the semiring, the type or the device is another.

    References
    ----------
    .. [1] Dodge, Schwartz, Peng, Smith, "RNN Architecture Learning with Sparse
       Regularization", EMNLP 2019, section 2. :arxiv:`1909.03011`
    """
    if semiring != "plus-times":
        raise ValueError(f"the CUDA kernel computes plus-times; got {semiring}.")
    tensors = x, W_u, W_f, b_f
    types = {tensor.dtype for tensor in tensors}
    if types not in ({torch.float32}, {torch.float64}):
        names = ", ".join(sorted(map(str, types)))
        raise ValueError(f"the CUDA kernel takes float32 or float64; got {names}.")
    if x.device.type != "cuda" and isinstance(_forward, triton.JITFunction):
        raise ValueError(f"the CUDA kernel takes CUDA tensors; got {x.device}.")
    at = _Batch.of(x, ids, offsets, _Layout.of(tuple(lengths), x.device))
    if torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors):
        return _StateScores.apply(*tensors, at, anywhere)
    _, z = _project(*tensors, at.layout)
    return _score(z, at, anywhere, None)
