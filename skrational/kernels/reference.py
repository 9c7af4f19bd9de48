"""What an automaton computes: the definition that every other kernel must equal.

States are columns. The automata stand side by side, each with its states 1, 2, ... in
order, so ``lengths = (2, 3)`` means five columns: states 1 and 2 of the first
automaton, then states 1 to 3 of the second. ``S`` is their number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from skrational.kernels.semirings import SEMIRINGS, Semiring

__all__ = [
    "document_scores",
    "forward_algorithm",
    "state_scores",
    "token_scores",
    "token_states",
    "transition_weights",
]


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
    """Score every state of every automaton on every document.

    Parameters
    ----------
    x : Tensor of shape (n_rows, E)
        Feature rows.
    W_u, W_f : Tensor of shape (S, E)
        Main-path and self-loop weights of each state.
    b_f : Tensor of shape (S,)
        Self-loop biases.
    ids : ndarray of shape (n_tokens,), int32
        The row of x of each token.
    offsets : ndarray of shape (n_documents + 1,), int64
        Where documents begin in ``ids``.
    lengths : tuple of int
        States of each automaton; they sum to S.
    anywhere : bool, default=False
        False: the score after the last token (the paper's c_T). True: the scores after
        every token, joined by the semiring's plus, so that a match counts wherever it
        ends.
    semiring : {"plus-times", "max-plus", "max-times"}, default="plus-times"

    Returns
    -------
    Tensor of shape (n_documents, S)
        0 for a state that no path reaches, as in an empty document.

    References
    ----------
    .. [1] Dodge, Schwartz, Peng, Smith, "RNN Architecture Learning with Sparse
       Regularization", EMNLP 2019, section 2. :arxiv:`1909.03011`
    """
    ring = SEMIRINGS[semiring]
    f, u = transition_weights(x, W_u, W_f, b_f, ring)
    return forward_algorithm(f, u, ids, offsets, lengths, anywhere, ring)


def document_scores(
    x: Tensor,
    W_u: Tensor,
    W_f: Tensor,
    b_f: Tensor,
    final: Tensor,
    ids: NDArray[np.int32],
    offsets: NDArray[np.int64],
    lengths: tuple[int, ...],
    *,
    anywhere: bool = False,
    semiring: str = "plus-times",
    length_exponent: float = 0.0,
    states_of: Callable[..., Tensor] | None = None,
) -> Tensor:
    """Score every automaton on every document.

    Parameters
    ----------
    x, W_u, W_f, b_f, ids, offsets, lengths, anywhere, semiring
        As for `state_scores`.
    final : Tensor of shape (S,)
        Weight of each state in the score of its automaton.
    length_exponent : float, default=0.0
        Scores are divided by the number of tokens to this power.
    states_of : callable, default=None
        What computes the scores of the states; None: `state_scores`.

    Returns
    -------
    Tensor of shape (n_documents, len(lengths))
    """
    states = (states_of or state_scores)(
        x, W_u, W_f, b_f, ids, offsets, lengths, anywhere=anywhere, semiring=semiring
    )  # (B, S)
    wfsa = torch.from_numpy(np.repeat(np.arange(len(lengths)), lengths))
    scores = states.new_zeros(len(states), len(lengths))
    scores = scores.index_add(1, wfsa.to(states.device), states * final)
    if not length_exponent:
        return scores
    sizes = np.maximum(np.diff(offsets), 1).astype(np.float64)
    return scores * torch.from_numpy(sizes**-length_exponent).to(scores)[:, None]


def transition_weights(
    x: Tensor, W_u: Tensor, W_f: Tensor, b_f: Tensor, semiring: Semiring
) -> tuple[Tensor, Tensor]:
    """Weigh the transitions that each row would take: f and u, both (n_rows, S).

    In plus-times, ``f = sigmoid(W_f x + b_f)`` and ``u = (1 - f) * W_u x``.

    Parameters
    ----------
    x : Tensor of shape (n_rows, E)
    W_u, W_f : Tensor of shape (S, E)
    b_f : Tensor of shape (S,)
    semiring : Semiring
    """
    z_f = x @ W_f.T + b_f  # (n_rows, S)
    z_u = x @ W_u.T  # (n_rows, S)
    return semiring.self_loop(z_f), semiring.main_path(z_u, torch.sigmoid(z_f))


def forward_algorithm(
    f: Tensor,
    u: Tensor,
    ids: NDArray[np.int32],
    offsets: NDArray[np.int64],
    lengths: tuple[int, ...],
    anywhere: bool,
    semiring: Semiring,
) -> Tensor:
    r"""Sum the weights of all paths that end in each state, (n_documents, S).

    .. math::
        c_t[k] = f_t[k] \otimes c_{t-1}[k] \oplus u_t[k] \otimes c_{t-1}[k-1],
        \qquad c_t[0] = \bar 1, \quad c_0[k] = \bar 0

    Parameters
    ----------
    f, u : Tensor of shape (n_rows, S)
    ids : ndarray of shape (n_tokens,), int32
    offsets : ndarray of shape (n_documents + 1,), int64
    lengths : tuple of int
    anywhere : bool
    semiring : Semiring
    """
    zero = f.new_full((len(offsets) - 1, f.shape[1]), semiring.zero)
    c = joined = zero
    for running, after in _steps(f, u, ids, offsets, lengths, semiring):
        c = torch.where(running, after, c)
        joined = torch.where(running, semiring.plus(joined, after), joined)
    return semiring.with_zeros(joined if anywhere else c)


def token_states(
    f: Tensor,
    u: Tensor,
    ids: NDArray[np.int32],
    offsets: NDArray[np.int64],
    lengths: tuple[int, ...],
    semiring: Semiring,
) -> Tensor:
    """Sum the weights of all paths that end in each state at each token, c_t.

    Parameters
    ----------
    f, u, ids, offsets, lengths, semiring
        As for `forward_algorithm`.

    Returns
    -------
    Tensor of shape (n_tokens, S)
        0 for a state that no path has reached.
    """
    states = [f.new_empty(0, f.shape[1])]
    tokens = [np.empty(0, np.int64)]
    steps = _steps(f, u, ids, offsets, lengths, semiring)
    for t, (running, after) in enumerate(steps):
        states.append(after[running[:, 0]])
        tokens.append(offsets[:-1][running[:, 0].cpu().numpy()] + t)
    order = torch.from_numpy(np.argsort(np.concatenate(tokens))).to(f.device)
    return semiring.with_zeros(torch.cat(states)[order])


def token_scores(
    x: Tensor,
    W_u: Tensor,
    W_f: Tensor,
    b_f: Tensor,
    final: Tensor,
    ids: NDArray[np.int32],
    offsets: NDArray[np.int64],
    lengths: tuple[int, ...],
    *,
    semiring: str = "plus-times",
    states_of: Callable[..., Tensor] | None = None,
) -> Tensor:
    """Score every automaton after every token: what another layer of automata reads.

    Parameters
    ----------
    x, W_u, W_f, b_f, ids, offsets, lengths, semiring
        As for `state_scores`.
    final : Tensor of shape (S,)
        Weight of each state in the score of its automaton.
    states_of : callable, default=None
        What runs over the tokens; None: `token_states`.

    Returns
    -------
    Tensor of shape (n_tokens, len(lengths))
        The sum of all paths that end at the token.
    """
    ring = SEMIRINGS[semiring]
    f, u = transition_weights(x, W_u, W_f, b_f, ring)
    states = (states_of or token_states)(f, u, ids, offsets, lengths, ring)
    wfsa = torch.from_numpy(np.repeat(np.arange(len(lengths)), lengths))
    reading = torch.nn.functional.one_hot(wfsa, len(lengths)).to(states)
    return states @ (reading * final[:, None])


def _steps(
    f: Tensor,
    u: Tensor,
    ids: NDArray[np.int32],
    offsets: NDArray[np.int64],
    lengths: tuple[int, ...],
    semiring: Semiring,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Run over the documents side by side.

    Yields which of them have a t-th token, (B, 1), and the states after it, (B, S).
    """
    sizes = torch.from_numpy(np.diff(offsets)).to(f.device)
    n_steps = int(sizes.max()) if len(sizes) else 0
    first = _first_states(lengths, f.device)
    c = f.new_full((len(sizes), f.shape[1]), semiring.zero)
    for t, row in enumerate(_rows_by_step(ids, offsets, n_steps, f.device)):
        before = torch.where(first, semiring.one, c.roll(1, dims=1))  # c_{t-1}[k-1]
        after = semiring.plus(semiring.times(f[row], c), semiring.times(u[row], before))
        running = (t < sizes)[:, None]
        c = torch.where(running, after, c)
        yield running, after


def _first_states(lengths: tuple[int, ...], device: torch.device) -> Tensor:
    """Columns that are entered from the start state, a mask of shape (S,)."""
    first = torch.zeros(sum(lengths), dtype=torch.bool, device=device)
    starts = np.cumsum([0, *lengths])[:-1]
    first[torch.from_numpy(starts[np.asarray(lengths, dtype=int) > 0]).to(device)] = (
        True
    )
    return first


def _rows_by_step(
    ids: NDArray[np.int32],
    offsets: NDArray[np.int64],
    n_steps: int,
    device: torch.device,
) -> Tensor:
    """The row that each document reads at each step, (n_steps, n_documents).

    A document that has ended reads an arbitrary row.

    Parameters
    ----------
    ids : ndarray of shape (n_tokens,), int32
    offsets : ndarray of shape (n_documents + 1,), int64
    n_steps : int
    device : torch.device
    """
    tokens = offsets[:-1] + np.arange(n_steps)[:, None]
    inside = np.minimum(tokens, max(len(ids) - 1, 0))
    return torch.from_numpy(ids[inside].astype(np.int64)).to(device)
