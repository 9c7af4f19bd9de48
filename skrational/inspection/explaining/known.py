"""How many words of a document are known, and what to say if none is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from skrational.inspection.explaining.prediction import ExplainedPrediction
from skrational.sequences import is_unknown

__all__ = ["count_words", "frames_of", "nothing_known", "share_unknown"]

_USUAL_FRAMES = (("<s>", "</s>"), ("[CLS]", "[SEP]"))


def frames_of(vectorizers: Iterable[Any]) -> set[tuple[Any, Any]]:
    """Return the pairs of tokens that may stand around a text.

    Sequences that come without their vectorizer are taken to have the usual ones.
    """
    own = {
        (step.start_token, step.end_token)
        for step in vectorizers
        if hasattr(step, "start_token") and hasattr(step, "end_token")
    }
    return own or set(_USUAL_FRAMES)


def count_words(
    tokens: Sequence[str], frames: Iterable[tuple[Any, Any]]
) -> tuple[int, int]:
    """Count the tokens without those around a text, and how many are unknown.

    Examples
    --------
    >>> count_words(["<s>", "good", "<unk>", "</s>"], {("<s>", "</s>")})
    (2, 1)
    >>> count_words(["</s>"], {(None, "</s>")})
    (0, 0)
    """
    words = list(tokens)
    for start, end in frames:
        if words and words[0] == start:
            del words[0]
        if words and words[-1] == end:
            del words[-1]
    return len(words), sum(map(is_unknown, words))


def nothing_known(explanation: ExplainedPrediction) -> str:
    """Say that no word of the document is known, and what decides; else say nothing."""
    e = explanation
    if e.n_words is None or e.n_unknown != e.n_words:
        return ""
    fault = "No word of this document is known"
    if not e.n_words:
        fault = (
            "The document holds no known word"
            if e.tokens
            else "The document has no tokens"
        )
    if not len(e.scores):
        return f"{fault}."
    sources = ["the bias"]
    n_unknown = sum(map(is_unknown, e.tokens))
    if n_unknown:
        sources.append("the vector of unknown words")
    if len(e.tokens) > n_unknown:
        sources.append("the tokens around a text")
    *others, last = sources
    origin = f"{', '.join(others)} and {last}" if others else f"{last} alone"
    return f"{fault}: the prediction is that of {origin}."


def share_unknown(explanation: ExplainedPrediction) -> str:
    """Say how many words are unknown, if some but not all of them are."""
    n_words, n_unknown = explanation.n_words, explanation.n_unknown
    if not n_unknown or n_unknown == n_words:
        return ""
    return f"{n_unknown:,} of {n_words:,} words unknown"
