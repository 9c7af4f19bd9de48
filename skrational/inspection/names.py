"""What tokens are called, and how those are marked that are unknown."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from skrational.sequences import SequenceArray, is_unknown

__all__ = ["mark_unknown", "token_names"]


def token_names(X: SequenceArray) -> Callable[[int], list[str]]:
    """Names of the tokens of a document: labels or, without them, positions.

    Returns
    -------
    callable
        From the number of a document to its tokens as str.
    """

    def of_labels(i: int) -> list[str]:
        return [str(label) for label in X.labels[X.rows(i)]]  # type: ignore[index]

    def of_positions(i: int) -> list[str]:
        return [f"#{t}" for t in range(int(X.lengths[i]))]

    return of_positions if X.labels is None else of_labels


def mark_unknown(labels: Sequence[str], words: Sequence[str]) -> tuple[str, ...]:
    """Put "[?]" behind words that have no vector of their own.

    Parameters
    ----------
    labels, words : sequence of str
        Tokens by their labels, and as they stand in the text.

    Examples
    --------
    >>> mark_unknown(["not", "<unk>"], ["NOT", "worht"])
    ('NOT', 'worht[?]')
    """
    if not any(map(is_unknown, labels)):
        return tuple(words)
    return tuple(
        f"{word}[?]" if word != label and is_unknown(label) else word
        for label, word in zip(labels, words, strict=True)
    )
