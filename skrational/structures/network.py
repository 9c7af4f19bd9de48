"""What a recurrent network computes with its weights."""

from __future__ import annotations

from dataclasses import dataclass

from skrational.structures.gated import StateReadout

__all__ = ["EVERY_STATE", "NetworkKind"]

EVERY_STATE = StateReadout("every", 0.0)
"""Each state is read by itself."""


@dataclass(frozen=True)
class NetworkKind:
    """The kind of a recurrent network.

    Attributes
    ----------
    cell : {"elman", "lstm", "gru"}
    activation : {"tanh", "relu"}
        Of an Elman network.
    bias : bool
        Whether units of an Elman network have a bias.
    reading : StateReadout
    reads_words : bool, default=False
        Whether an Elman network reads numbers of words, which it embeds.
    """

    cell: str
    activation: str
    bias: bool
    reading: StateReadout
    reads_words: bool = False
