"""The gradients of a batch's loss, without autograd's bookkeeping.

A step of a small network is some thirty short kernels, each of which takes the host
longer to launch than the device to run. Batches of about the same size share memory
and, from the second one on, the recorded launches: the host then copies the batch and
replays them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from skrational.kernels.batch_loss import BatchLoss
from skrational.kernels.cuda.batch import Batch, Room, pack_numbers
from skrational.kernels.cuda.layout import LevelLayout
from skrational.kernels.cuda.operation import project
from skrational.kernels.cuda.passes import gradients, score
from skrational.kernels.cuda.recording import Recording, shared_pool
from skrational.utils.uploads import pinned

__all__ = ["Learner"]

_MOST_RECORDINGS = 64
"""Then memory begins anew."""
_FINELY = 8
"""Sizes from a power of two to the next for which steps are recorded."""


class _Inputs(NamedTuple):
    """What a batch is: see `Learner.prepare`, and `pack_numbers`."""

    x: Tensor
    numbers: Tensor
    reader: Tensor
    factors: Tensor
    targets: Tensor
    weights: Tensor

    def on(self, device: torch.device) -> _Inputs:
        """Bring them to a device."""
        return _Inputs(*(tensor.to(device, non_blocking=True) for tensor in self))

    def roomy(self, room: Room, device: torch.device) -> _Inputs:
        """Make memory on a device for the inputs of batches that fit a room."""
        x = torch.zeros(room.n_rows, self.x.shape[1], dtype=self.x.dtype, device=device)
        return _Inputs(x, *(t.to(device, copy=True) for t in self[1:]))

    def fill(self, others: _Inputs) -> None:
        """Copy others, of which x may have fewer rows, over these."""
        for mine, other in zip(self, others, strict=True):
            mine[: len(other)].copy_(other, non_blocking=True)


class _Network(NamedTuple):
    """Automata and their readout, as for `Learner`, and where their states stand."""

    parameters: Sequence[Tensor]
    gradients: Sequence[Tensor]
    layout: LevelLayout
    anywhere: bool


class Learner:
    """What adds the gradients of batches to those of the parameters.

    Parameters
    ----------
    parameters, gradients : sequence of Tensor
        W_u, W_f, b_f, A, a: the same memory for all batches.
    lengths : tuple of int
        States of each automaton.
    anywhere : bool
        Whether the scores after every token are summed.
    """

    def __init__(
        self,
        parameters: Sequence[Tensor],
        gradients: Sequence[Tensor],
        lengths: tuple[int, ...],
        anywhere: bool,
    ) -> None:
        self._device = parameters[0].device
        layout = LevelLayout.of(tuple(lengths), self._device)
        detached = [p.detach() for p in parameters]
        self._network = _Network(detached, gradients, layout, anywhere)
        self._pool = shared_pool(self._device)
        self._recordings: dict[Room, tuple[_Inputs, Recording[Tensor]]] = {}

    def learn(self, *batch: Any) -> Tensor:
        """Add the gradients of a batch's loss, and return the loss.

        Parameters
        ----------
        *batch
            As for `prepare`.

        Returns
        -------
        Tensor
            A scalar on the device, for which the host hasn't waited.
        """
        # The next batch of this size will overwrite it.
        return self.prepare(*batch)().clone()

    def prepare(
        self,
        x: Tensor,
        ids: NDArray[np.int32],
        offsets: NDArray[np.int64],
        reader: Tensor,
        factors: Tensor,
        loss: BatchLoss,
    ) -> Recording[Tensor]:
        """Bring a batch to the device.

        Parameters
        ----------
        x : Tensor of shape (n_rows, E)
        ids : ndarray of shape (n_tokens,), int32
        offsets : ndarray of shape (B + 1,), int64
        reader : Tensor of shape (S, d)
            Weight of each state in each automaton's score.
        factors : Tensor of shape (B, d)
            What each score is multiplied by; on the host.
        loss : BatchLoss

        Returns
        -------
        Recording
            What adds the gradients and returns the loss, of this batch until the next
            one is prepared.
        """
        repeats = not np.array_equal(ids, np.arange(len(x)))
        n_tokens, n_rows = len(ids), len(x)
        if repeats:
            n_tokens, n_rows = _rounded(n_tokens, 1), _rounded(n_rows, _FINELY)
        room = Room(len(offsets) - 1, n_tokens, n_rows)
        numbers = pack_numbers(ids, offsets, room, repeats, self._device)
        factors = pinned(factors, self._device)
        given = _Inputs(x, numbers, reader, factors, loss.targets, loss.weights)
        if not repeats:
            # Hardly any two batches have as many tokens.
            inputs = given.on(self._device)
            return self._recording(inputs, room, repeats, loss, pool=None)
        if room not in self._recordings:
            if len(self._recordings) == _MOST_RECORDINGS:
                self._recordings.clear()
                # One whose recordings are gone can't be used again.
                self._pool = shared_pool(self._device)
            inputs = given.roomy(room, self._device)
            of_inputs = loss.of(inputs.targets, inputs.weights)
            batch = inputs, room, repeats, of_inputs
            recording = self._recording(*batch, pool=self._pool)
            self._recordings[room] = inputs, recording
        inputs, recording = self._recordings[room]
        inputs.fill(given)
        return recording

    def _recording(self, *of_batch: Any, pool: Any) -> Recording[Tensor]:
        work = partial(_differentiate, self._network, *of_batch)
        return Recording(work, self._device, pool)


@torch.no_grad()
def _differentiate(
    network: _Network, inputs: _Inputs, room: Room, repeats: bool, loss: BatchLoss
) -> Tensor:
    """Go over the documents, to the loss, and back.

    Parameters
    ----------
    network : _Network
    inputs : _Inputs
        On the device.
    room : Room
    repeats : bool
        Whether rows differ from tokens.
    loss : BatchLoss
        Of the targets and weights of the inputs.
    """
    x, numbers, reader, factors, *_ = inputs
    (W_u, W_f, b_f, A, a), sums, layout, anywhere = network
    *of_weights, grad_A, grad_a = sums
    batch = Batch.at(numbers, room, repeats)
    _, gates = project(x, W_u, W_f, b_f, layout)
    history = batch.new_history(gates, layout)
    states = score(gates, batch, layout, anywhere, history)
    scores = (states @ reader).mul_(factors)  # (B, d)
    outputs = torch.addmm(a, scores, A.T)
    value, slope = _with_gradient(loss, outputs)
    grad_A.addmm_(slope.T, scores)
    grad_a.add_(slope.sum(dim=0))
    grad_states = (slope @ A).mul_(factors) @ reader.T
    grad_z, grad_b = gradients(gates, batch, layout, history, grad_states, anywhere)
    grad_f, grad_u = (grad_z.T @ x).chunk(2)
    for total, part in zip(of_weights, (grad_u, grad_f, grad_b), strict=True):
        total.add_(part[layout.places])
    return value


def _with_gradient(loss: BatchLoss, outputs: Tensor) -> tuple[Tensor, Tensor]:
    """Return the loss of outputs, and its gradient, shaped as they are."""
    with torch.enable_grad():
        leaf = outputs.requires_grad_()
        value = loss(leaf)
        (slope,) = torch.autograd.grad(value, leaf)
    return value.detach(), slope


def _rounded(n: int, steps: int) -> int:
    """Round up: to one of so many steps from each power of two to the next."""
    step = max(1, 2 ** max(n - 1, 0).bit_length() // (2 * steps))
    return -(-n // step) * step
