"""The recurrence for the CPU: projection and recurrence as one operation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from skrational.kernels.cpu.passes import Documents, Pass
from skrational.kernels.cpu.readout import read_out, read_out_backward

__all__ = ["document_scores", "state_scores"]


class _Scored:
    """Documents that were scored, and the way back.

    Parameters
    ----------
    run : Pass
    readers : ndarray of shape (S,), int64
        The score that each state adds to.
    final : Tensor of shape (S,)
    scale : ndarray of shape (B,)

    Attributes
    ----------
    scores : Tensor of shape (B, n_scores)
    """

    def __init__(
        self,
        run: Pass,
        readers: NDArray[np.int64],
        final: Tensor,
        scale: NDArray[Any],
    ) -> None:
        self._run, self._readers, self._scale = run, readers, scale
        self._final = final.detach()
        self._was_pulled = False
        n_scores = int(readers[-1]) + 1 if len(readers) else 0
        scores = np.empty((len(scale), n_scores), run.out.dtype)
        columns = run.layout.columns
        weights = self._final.numpy()
        read_out(run.forward(), columns, readers, weights, scale, scores)
        self.scores = torch.from_numpy(scores)

    def pull(self, grad: Tensor, weights: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Carry gradients of the scores back.

        Parameters
        ----------
        grad : Tensor of shape (B, n_scores)
        weights : sequence of Tensor
            Those of W_u, W_f and b_f, which are added to.

        Returns
        -------
        rows : Tensor of shape (n_rows, n_slabs * 64)
            The gradients of the projected feature rows.
        final : Tensor of shape (S,)
        """
        run = self._run
        if self._was_pulled and run.fresh:
            # The first way back wrote its gradients over the table.
            run.forward()
        self._was_pulled = True
        grad_states, grad_final = np.empty_like(run.out), torch.empty_like(self._final)
        read_out_backward(
            run.out,
            run.layout.columns,
            self._readers,
            self._final.numpy(),
            self._scale,
            grad.contiguous().numpy(),
            grad_states,
            grad_final.numpy(),
        )
        sums = [weight.numpy() for weight in weights]
        return run.backward(grad_states, sums), grad_final

    def pull_to_features(self, grad_rows: Tensor) -> Tensor:
        """Carry the gradients of projected rows on to the rows, (n_rows, E)."""
        return grad_rows @ self._run.weight


class _DocumentScores(torch.autograd.Function):
    """Projection, recurrence and readout as one differentiable operation."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        W_u: Tensor,
        W_f: Tensor,
        b_f: Tensor,
        final: Tensor,
        score: Callable[..., _Scored],
    ) -> Tensor:
        ctx.scored = score(x, (W_u, W_f, b_f), final, keep=True)
        ctx.weights = W_u, W_f, b_f
        return ctx.scored.scores

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        of_weights = tuple(map(torch.zeros_like, ctx.weights))
        grad_rows, grad_final = ctx.scored.pull(grad, of_weights)
        of_x = None
        if ctx.needs_input_grad[0]:
            of_x = ctx.scored.pull_to_features(grad_rows)
        return of_x, *of_weights, grad_final, None


def document_scores(
    x: Tensor,
    W_u: Tensor,
    W_f: Tensor,
    b_f: Tensor,
    final: Tensor,
    ids: NDArray[np.int32],
    offsets: NDArray[np.int64],
    lengths: tuple[int, ...],
    **options: Any,
) -> Tensor:
    """Score every automaton; see `skrational.kernels.reference.document_scores`.

    Raises
    ------
    ValueError
        If a tensor isn't on the CPU.
    """
    documents = Documents.of(ids, offsets, lengths, **options)
    score = _scorer(documents, documents.layout.wfsa)
    return _scores(score, (x, W_u, W_f, b_f, final))


def state_scores(
    x: Tensor,
    W_u: Tensor,
    W_f: Tensor,
    b_f: Tensor,
    ids: NDArray[np.int32],
    offsets: NDArray[np.int64],
    lengths: tuple[int, ...],
    **options: Any,
) -> Tensor:
    """Score every state; see `skrational.kernels.reference.state_scores`.

    Raises
    ------
    ValueError
        If a tensor isn't on the CPU.
    """
    documents = Documents.of(ids, offsets, lengths, **options)
    score = _scorer(documents, np.arange(sum(lengths)))
    return _scores(score, (x, W_u, W_f, b_f, torch.ones_like(b_f)))


def _scorer(documents: Documents, readers: NDArray[np.int64]) -> Callable[..., _Scored]:
    """Make a function that scores these documents.

    ``readers``, (S,), is the score that each state adds to.
    """

    def score(
        x: Tensor, weights: tuple[Tensor, Tensor, Tensor], final: Tensor, keep: bool
    ) -> _Scored:
        if x.device.type != "cpu":
            raise ValueError(
                f"the numba kernel computes on the CPU; got a tensor on "
                f"{x.device.type}."
            )
        arrays = [weight.detach().contiguous().numpy() for weight in weights]
        run = Pass(x, arrays, documents, keep)
        return _Scored(run, readers, final, documents.scale.astype(run.out.dtype))

    return score


def _scores(score: Callable[..., _Scored], inputs: tuple[Tensor, ...]) -> Tensor:
    """Score documents, differentiably unless gradients are off.

    Parameters
    ----------
    score : callable
        From `_scorer`.
    inputs : tuple of Tensor
        x (n_rows, E), W_u and W_f (S, E), b_f and final (S,), which may need gradients.
    """
    if torch.is_grad_enabled():
        return _DocumentScores.apply(*inputs, score)
    x, *weights, final = inputs
    return score(x, tuple(weights), final, keep=False).scores
