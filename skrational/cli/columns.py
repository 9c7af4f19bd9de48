"""Which columns hold the texts and the labels: as named, or a guess that is told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from skrational.cli.faults import UsageFault
from skrational.cli.rows import Row
from skrational.utils.suggestions import did_you_mean

__all__ = ["Columns", "choose_columns"]

_TEXTS = ("text", "texts", "review", "sentence", "document", "comment", "message")
_LABELS = ("label", "labels", "class", "target", "sentiment", "category", "y")


class Columns(NamedTuple):
    """Names of columns.

    Attributes
    ----------
    text : str
    label : str or None
        None where labels aren't needed.
    guessed : bool
        Whether one of them was not named.
    """

    text: str
    label: str | None
    guessed: bool


def choose_columns(
    columns: Sequence[str],
    sample: Sequence[Row],
    text: str | None,
    label: str | None,
    needs_label: bool | None,
) -> Columns:
    """Choose the columns of a table.

    Parameters
    ----------
    columns : sequence of str
        All of them.
    sample : sequence of Row
        Some rows, to guess by.
    text, label : str or None
        What was named.
    needs_label : bool or None
        None: take one if it's clear which.

    Raises
    ------
    UsageFault
        If a name isn't there, or a guess would be a bet.

    Examples
    --------
    >>> choose_columns(["stars", "review"], [], None, None, needs_label=True)
    Columns(text='review', label='stars', guessed=True)
    """
    for option, name in (("--text", text), ("--label", label)):
        if name is not None and name not in columns:
            raise UsageFault(
                f"{option} {name}: there is no such column; there are "
                f"{_listed(columns)}.{did_you_mean(name, columns)}"
            )
    if text is not None and text == label:
        raise UsageFault(f"--text and --label both name {text!r}.")
    found_text = text or _guess_text(columns, sample, label)
    found_label = None
    if needs_label is not False:
        found_label = label or _guess_label(columns, found_text)
    if found_text is None or (needs_label and found_label is None):
        option = "--label" if found_text else "--text"
        raise UsageFault(
            f"Which column holds the {option[2:]}s? Name it by {option}; there are "
            f"{_listed(columns)}."
        )
    is_guess = text is None or (label is None and found_label is not None)
    return Columns(found_text, found_label, is_guess and len(columns) > 1)


def _guess_text(
    columns: Sequence[str], sample: Sequence[Row], label: str | None
) -> str | None:
    """Guess by the name or, of two columns, by the length of what is in them."""
    others = [column for column in columns if column != label]
    if len(others) == 1:
        return others[0]
    named = [column for column in others if column.strip().lower() in _TEXTS]
    if len(named) == 1:
        return named[0]
    if len(others) != 2:
        return None
    by_label = [column for column in others if column.strip().lower() not in _LABELS]
    if len(by_label) == 1:
        return by_label[0]
    lengths = {
        column: sum(len(str(row.cells.get(column, ""))) for row in sample)
        for column in others
    }
    return max(others, key=lengths.__getitem__)


def _guess_label(columns: Sequence[str], text: str | None) -> str | None:
    others = [column for column in columns if column != text]
    named = [column for column in others if column.strip().lower() in _LABELS]
    return next((found[0] for found in (others, named) if len(found) == 1), None)


def _listed(columns: Sequence[str]) -> str:
    return ", ".join(map(repr, columns))
