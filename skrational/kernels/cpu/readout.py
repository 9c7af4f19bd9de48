"""From the scores of states to those of automata, and to logits."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skrational.kernels.cpu.slabs import SLAB
from skrational.utils.compile import jit, part, read_only

__all__ = ["apply_readout", "read_out", "read_out_backward"]


@part
def read_out(states, columns, readers, final, scale, scores):  # type: ignore[no-untyped-def]
    """Sum weighted states to scores.

    Parameters
    ----------
    states : ndarray of shape (n_slabs, n_documents * 32)
        From `forward`.
    columns : ndarray of shape (S,), int64
        Place of each state in all slabs.
    readers : ndarray of shape (S,), int64
        Column of ``scores`` that each state adds to.
    final : ndarray of shape (S,)
        Weight of each state.
    scale : ndarray of shape (n_documents,)
    scores : ndarray of shape (n_documents, n_scores)
        Filled.
    """
    for b in range(scores.shape[0]):
        for i in range(scores.shape[1]):
            scores[b, i] = 0
        for s in range(columns.size):
            state = states[columns[s] // SLAB, b * SLAB + columns[s] % SLAB]
            scores[b, readers[s]] += final[s] * state
        for i in range(scores.shape[1]):
            scores[b, i] *= scale[b]


@part
def read_out_backward(  # type: ignore[no-untyped-def]
    states, columns, readers, final, scale, grad_scores, grad_states, grad_final
):
    """Differentiate `read_out`.

    Parameters
    ----------
    states, columns, readers, final, scale
        As for `read_out`.
    grad_scores : ndarray of shape (n_documents, n_scores)
    grad_states : ndarray of shape (n_slabs, n_documents * 32)
        Filled.
    grad_final : ndarray of shape (S,)
        Filled.
    """
    grad_states[:] = 0
    grad_final[:] = 0
    for b in range(grad_scores.shape[0]):
        for s in range(columns.size):
            slab, entry = columns[s] // SLAB, b * SLAB + columns[s] % SLAB
            grad = grad_scores[b, readers[s]] * scale[b]
            grad_states[slab, entry] = grad * final[s]
            grad_final[s] += grad * states[slab, entry]


def apply_readout(
    scores: NDArray[Any], A: NDArray[Any], a: NDArray[Any]
) -> NDArray[np.float64]:
    """Logits ``A s + a`` of documents, summed in double precision.

    Parameters
    ----------
    scores : ndarray of shape (n_documents, d)
    A : ndarray of shape (n_outputs, d)
    a : ndarray of shape (n_outputs,)

    Returns
    -------
    ndarray of shape (n_documents, n_outputs), float64
    """
    logits = np.empty((len(scores), len(A)))
    A, a = np.ascontiguousarray(A, scores.dtype), np.ascontiguousarray(a, np.float64)
    _apply(read_only(A), read_only(a), read_only(scores), logits)
    return logits


@jit
def _apply(A, a, scores, out):  # type: ignore[no-untyped-def]
    """Fill ``out`` (n_documents, n_outputs) with ``A s + a``; see `apply_readout`."""
    for b in range(scores.shape[0]):
        for k in range(A.shape[0]):
            logit = np.float64(a[k])
            for i in range(A.shape[1]):
                logit += np.float64(A[k, i]) * np.float64(scores[b, i])
            out[b, k] = logit
