"""The gradients of a batch's loss, between the matrix products compiled as one.

Each call from Python finds what the products have left of the caches; a hundred of them
take as long as the recurrence.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from skrational.kernels.cpu.backward import back_over_slabs
from skrational.kernels.cpu.forward import run_slabs
from skrational.kernels.cpu.losses import Targets, mean_loss
from skrational.kernels.cpu.passes import LEAST_ADJOINT, Documents, Pass
from skrational.kernels.cpu.readout import read_out, read_out_backward
from skrational.kernels.cpu.slabs import SLAB, STRIDE, Gradients, activate
from skrational.utils.compile import jit
from skrational.utils.simd import LANES

__all__ = ["Learner"]


class _Readout(NamedTuple):
    """What makes outputs of the states, and what takes their gradients.

    Attributes
    ----------
    columns, wfsa : ndarray of shape (S,), int64
        Place of each state in the slabs, and its automaton.
    final : ndarray of shape (S,)
    scale : ndarray of shape (B,)
        What the scores of a document are multiplied by.
    factors : ndarray of shape (B, d)
        What each score is multiplied by: dropout.
    A : ndarray of shape (n_outputs, d)
    a : ndarray of shape (n_outputs,)
    grad_A, grad_a : ndarray
        Added to.
    """

    columns: NDArray[np.int64]
    wfsa: NDArray[np.int64]
    final: NDArray[Any]
    scale: NDArray[Any]
    factors: NDArray[Any]
    A: NDArray[Any]
    a: NDArray[Any]
    grad_A: NDArray[Any]
    grad_a: NDArray[Any]


class Learner:
    """What adds the gradients of batches to those of the parameters.

    Parameters
    ----------
    parameters, gradients : sequence of Tensor
        W_u, W_f, b_f, A, a: the same memory for all batches.
    """

    def __init__(
        self, parameters: Sequence[Tensor], gradients: Sequence[Tensor]
    ) -> None:
        *self._weights, A, a = (p.detach().numpy() for p in parameters)
        *self._of_weights, grad_A, grad_a = (g.numpy() for g in gradients)
        self._readout = A, a, grad_A, grad_a

    def learn(
        self,
        x: Tensor,
        documents: Documents,
        final: Tensor,
        factors: Tensor,
        targets: Targets,
    ) -> float:
        """Add the gradients of a batch's loss, and return the loss.

        Parameters
        ----------
        x : Tensor of shape (n_rows, E)
        documents : Documents
        final : Tensor of shape (S,)
            Weight of each state in its automaton's score.
        factors : Tensor of shape (B, d)
        targets : Targets
        """
        run = Pass(x, self._weights, documents, keep=True)
        layout, final_ = documents.layout, final.numpy()
        scale = documents.scale.astype(final_.dtype)
        scoring = layout.columns, layout.wfsa, final_, scale, factors.numpy()
        readout = _Readout(*scoring, *self._readout)
        if run.is_shared or documents.recurrence.semiring != "plus-times":
            grad_states = np.empty_like(run.out)
            loss = _differentiate(run.forward(), readout, targets, grad_states)
            run.backward(grad_states, self._of_weights)
            return float(loss)
        run.project()
        grad, grad_bias = run.new_gradients()
        to_fill = Gradients(run.out, grad.numpy(), grad_bias, LEAST_ADJOINT[grad.dtype])
        walk, chained = run.reads(), True if layout.goes_on_below else None
        ids = None if run.fresh else walk.ids
        rows = run.table.numpy()
        loss = _recur(rows, walk, ids, chained, readout, targets, to_fill)
        run.add_products(grad, grad_bias, self._of_weights)
        return float(loss)


@jit
def _recur(rows, walk, ids, chained, readout, targets, gradients):  # type: ignore[no-untyped-def]
    """Go over the documents, to the loss, and back.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_slabs * 64)
        Those of ``walk``, which may only read them; projected, not yet activated.
    walk : Walk
    ids : ndarray of shape (n_tokens,), int32, or None
        As for `run_slabs`.
    chained : True or None
        Whether an automaton goes on from a slab to the one below.
    readout : _Readout
    targets : Targets
    gradients : Gradients
        Those of the scores are filled as well.

    Returns
    -------
    float
        The loss.
    """
    dtype = rows.dtype
    n_slabs, n_tokens, n_documents = len(walk.links), walk.ids.size, walk.offsets.size
    saved = np.empty((n_slabs, (n_tokens // STRIDE + n_documents) * SLAB), dtype)
    states = np.empty((n_slabs, (n_documents - 1) * SLAB), dtype)
    every_slab = 0, n_slabs
    if ids is not None:
        activate(rows, walk.bias)
        to_zero = gradients.rows.reshape(-1)
        for i in range(to_zero.size):
            to_zero[i] = 0
    if chained is None:
        run_slabs(walk, ids, every_slab, saved, None, states)
        loss = _differentiate(states, readout, targets, gradients.out)
        back_over_slabs(walk, ids, every_slab, saved, None, gradients)
    else:
        levels = np.empty((n_slabs, n_tokens * LANES), dtype)
        run_slabs(walk, ids, every_slab, saved, levels, states)
        loss = _differentiate(states, readout, targets, gradients.out)
        back_over_slabs(walk, ids, every_slab, saved, levels, gradients)
    return loss


@jit
def _differentiate(states, readout, targets, grad_states):  # type: ignore[no-untyped-def]
    """From states to the loss, and back.

    Parameters
    ----------
    states, grad_states : ndarray of shape (n_slabs, B * 32)
        The second is filled.
    readout : _Readout
    targets : Targets

    Returns
    -------
    float
        The loss.
    """
    columns, wfsa, final, scale, factors, A, a, grad_A, grad_a = readout
    scores = np.empty(factors.shape, states.dtype)
    read_out(states, columns, wfsa, final, scale, scores)
    outputs = np.empty((len(scores), a.size), states.dtype)
    gradient = np.empty_like(outputs)
    for b in range(len(scores)):
        for i in range(A.shape[1]):
            scores[b, i] *= factors[b, i]
        for k in range(a.size):
            output = a[k]
            for i in range(A.shape[1]):
                output += A[k, i] * scores[b, i]
            outputs[b, k] = output
    loss = mean_loss(outputs, targets, gradient)
    grad_scores = np.zeros_like(scores)
    for b in range(len(scores)):
        for k in range(a.size):
            slope = gradient[b, k]
            grad_a[k] += slope
            for i in range(A.shape[1]):
                grad_A[k, i] += slope * scores[b, i]
                grad_scores[b, i] += slope * A[k, i]
        for i in range(A.shape[1]):
            grad_scores[b, i] *= factors[b, i]
    grad_final = np.empty_like(final)
    read_out_backward(
        states, columns, wfsa, final, scale, grad_scores, grad_states, grad_final
    )
    return loss
