"""What ``verbose`` tells of an epoch, in a line."""

from __future__ import annotations

from typing import Any

from skrational.structures import Structure

__all__ = ["epoch_line"]


def epoch_line(row: dict[str, Any], n_epochs: int, live: Structure) -> str:
    """Write a row of the history for a reader.

    Parameters
    ----------
    row : dict
        Of the history.
    n_epochs : int
        Those of the phase.
    live : Structure
        What is left, or would be if the phase ended now.

    Examples
    --------
    >>> from skrational.structures import RationalStructure
    >>> live = RationalStructure((4, 4), (2, 0), n_features=50, n_outputs=1)
    >>> row = {"phase": "regularize", "epoch": 2, "loss": 0.41, "penalty": 0.05,
    ...     "validation_loss": 0.44, "validation_score": 0.83, "seconds": 0.31}
    >>> epoch_line(row, 20, live)
    'regularize  3/20  loss 0.4100, penalty 0.0500, validation loss 0.4400, score 0.830;
     2 of 8 transitions; 0.31 s'
    """
    told = [f"loss {row['loss']:.4f}"]
    if row["penalty"]:
        told.append(f"penalty {row['penalty']:.4f}")
    if row["validation_loss"] == row["validation_loss"]:  # it's no NaN
        told.append(f"validation loss {row['validation_loss']:.4f}")
        told.append(f"score {row['validation_score']:.3f}")
    epoch = f"{row['epoch'] + 1:>{len(str(n_epochs))}}/{n_epochs}"
    return (
        f"{row['phase']:10} {epoch}  {', '.join(told)}; {live.size} of "
        f"{live.size_initial} {live.size_name}; {row['seconds']:.2f} s"
    )
