"""What an explanation says of its document: the text, the tokens, what is unknown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from skrational.inspection.explaining.known import count_words, frames_of
from skrational.inspection.model import Model
from skrational.inspection.names import token_names
from skrational.sequences import SequenceArray

__all__ = ["describe_documents"]


def describe_documents(model: Model, X: SequenceArray) -> Callable[[int], Any]:
    """Return what tells of a document what an `Explanation` says of it.

    Parameters
    ----------
    model : Model
    X : SequenceArray
        What it reads.

    Returns
    -------
    callable
        From the number of a document to the fields of an Explanation, by name, that
        tell of it and not of the prediction.
    """
    names, frames = token_names(X), frames_of(model.vectorizers)

    def describe(i: int) -> dict[str, Any]:
        labels, original = tuple(names(i)), X.original(i)
        n_words, n_unknown = count_words(labels, frames)
        if original is None:
            return {"tokens": labels, "n_words": n_words, "n_unknown": n_unknown}
        n_left_out = len(original.left_out)
        return {
            "tokens": labels,
            "n_words": n_words + n_left_out,
            "n_unknown": n_unknown + n_left_out,
            "original": original,
        }

    return describe
