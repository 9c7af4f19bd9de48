"""A comparison as tables, in print and in a notebook."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from skrational.structures.notebook import cell, row, words_and_table

if TYPE_CHECKING:
    from skrational.editing.comparison import Comparison, Flip

__all__ = ["in_html", "in_words"]

_MOST_PRINTED, _MOST_SHOWN = 10, 50
_LONGEST = 60
_FLIPS = "documents whose prediction differs, and the probability of the class after:"

_Table = tuple[list[str], list[list[str]]]
"""Names of the columns, and the rows."""


def in_words(found: Comparison) -> str:
    """Write what to print."""
    lines = [*_summary(found), *_aligned(_classes(found))]
    if found.flips:
        table = _flips(found, _MOST_PRINTED)
        lines += [_FLIPS, *(f"  {line}" for line in _aligned(table))]
        lines += _left_out(found, _MOST_PRINTED)
    return "\n".join(lines)


def in_html(found: Comparison) -> str:
    """Write what a notebook shows."""
    html = _html("\n".join(_summary(found)), _classes(found))
    if found.flips:
        after = " ".join(_left_out(found, _MOST_SHOWN))
        html += _html(_FLIPS, _flips(found, _MOST_SHOWN), after)
    return f"<div>{html}</div>"


def _summary(found: Comparison) -> list[str]:
    """Say how many predictions differ, and what that does to the accuracy."""
    n = len(found.flips)
    differ = "1 prediction differs" if n == 1 else f"{n:,} predictions differ"
    documents = (
        "1 document" if found.n_documents == 1 else f"{found.n_documents:,} documents"
    )
    lines = [f"{documents}: {differ} ({n / found.n_documents:.1%})".replace("%", " %")]
    if found.accuracy is not None:
        lines.append(
            f"accuracy {_pair(found.accuracy)}: {found.n_gained:,} are right only "
            f"after, {found.n_lost:,} were right only before"
        )
    return lines


def _classes(found: Comparison) -> _Table:
    """Tabulate the scores of the classes."""
    names, rows = ["class", "documents", "predicted"], []
    has_scores = found.accuracy is not None
    if has_scores:
        names += ["precision", "recall", "F1"]
    else:
        names.remove("documents")
    for scores in found.by_class:
        first, then = scores.n_predicted
        cells = [_short(scores.label)]
        cells += [f"{scores.n_documents:,}"] if has_scores else []
        cells.append(f"{first:,} -> {then:,}")
        if has_scores:
            cells += map(_pair, (scores.precision, scores.recall, scores.f1))
        rows.append(cells)
    return names, rows


def _flips(found: Comparison, most: int) -> _Table:
    """Tabulate the documents whose prediction differs, the largest changes first."""
    shown = sorted(found.flips, key=_by_change)[:most]
    columns: dict[str, list[str]] = {"document": [str(flip.document) for flip in shown]}
    if found.accuracy is not None:
        columns["label"] = [_short(flip.truth) for flip in shown]
    columns["before -> after"] = [
        f"{_short(flip.before)} -> {_short(flip.after)}" for flip in shown
    ]
    if not math.isnan(shown[0].change):
        columns["probability"] = [_pair(flip[-2:]) for flip in shown]
    if any(flip.text is not None for flip in shown):
        columns["text"] = [_short(flip.text or "") for flip in shown]
    return list(columns), [list(cells) for cells in zip(*columns.values(), strict=True)]


def _by_change(flip: Flip) -> float:
    """Sort by it for the largest change first; without probabilities, as they come."""
    return 0.0 if math.isnan(flip.change) else -flip.change


def _left_out(found: Comparison, most: int) -> list[str]:
    n = len(found.flips) - most
    return [f"and {n:,} more, which to_frame() holds"] if n > 0 else []


def _pair(values: Sequence[float]) -> str:
    first, then = values
    return f"{first:.3f} -> {then:.3f}"


def _short(text: Any) -> str:
    words = " ".join(str(text).split())
    return words if len(words) <= _LONGEST else words[: _LONGEST - 1] + "…"


def _aligned(table: _Table) -> list[str]:
    """Write a table as lines, numbers of documents to the right."""
    names, rows = table
    columns = list(zip(*rows, strict=True))
    widths = [max(map(len, (name, *c))) for name, c in zip(names, columns, strict=True)]
    right = {i for i, name in enumerate(names) if name.startswith("document")}
    return [
        "  ".join(
            text.rjust(width) if i in right else text.ljust(width)
            for i, (text, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in (names, *rows)
    ]


def _html(told: str, table: _Table, after: str = "") -> str:
    (_, *names), rows = table
    first = table[0][0]
    lines = [row(name, [cell(text) for text in cells]) for name, *cells in rows]
    return words_and_table(told, [first, *names], lines, after)
