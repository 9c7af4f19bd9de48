"""The model card: what a model is for, and what it isn't, as Markdown."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from html import escape

from skrational.reporting.facts import ModelFacts
from skrational.reporting.scores import Scores
from skrational.reporting.values import ValueScores

__all__ = ["card_html", "card_markdown", "limits", "metadata"]

Section = tuple[str, list[str]]
"""A heading, and paragraphs; those that begin with "- " are items of a list."""


def limits(facts: ModelFacts) -> list[str]:
    """What such a model can't do."""
    outcome = (
        "- It knows the classes it was fitted with, and gives one of them to whatever "
        "comes, also to a text that is about something else."
    )
    if not facts.classes:
        outcome = (
            "- It predicts a number for whatever comes, also for a text that is about "
            "something else, and nothing keeps it in the range it was fitted on."
        )
    told = [
        outcome,
        "- Words that it has no vector for count as unknown.",
        "- Scores hold for documents like those they were measured on.",
    ]
    if facts.kind.startswith("SparseRational"):
        told.insert(
            0,
            "- A pattern is a short sequence of words with gaps, not a grammar: irony "
            "and what spans several sentences are beyond it.",
        )
    return told


def metadata(title: str, task: str, scores: Scores | ValueScores | None) -> str:
    """The head of a model card of the Hugging Face hub, in YAML.

    Parameters
    ----------
    title : str
    task : str
        A tag, "text-classification" or "text-regression".
    scores : Scores, ValueScores or None
    """
    lines = [
        "---",
        "library_name: skrational",
        "pipeline_tag: text-classification",
        "tags:",
        f"- {task}",
        "- interpretability",
        "- scikit-learn",
    ]
    if scores is not None:
        # A string of JSON is one of YAML.
        lines += [
            "model-index:",
            f"- name: {json.dumps(title)}",
            "  results:",
            "  - task:",
            "      type: text-classification",
            "    dataset:",
            f"      name: {json.dumps(f'{scores.n} documents')}",
            "      type: private",
            "    metrics:",
        ]
        for kind, name, value in scores.metrics:
            lines += [
                f"    - type: {kind}",
                f"      name: {name}",
                f"      value: {value}",
            ]
    return "\n".join([*lines, "---"])


def card_markdown(
    title: str,
    facts: ModelFacts,
    scores: Scores | ValueScores | None,
    sections: Sequence[Section],
) -> str:
    """Write the card.

    Parameters
    ----------
    title : str
    facts : ModelFacts
    scores : Scores, ValueScores or None
    sections : sequence of (str, list of str)

    Returns
    -------
    str
    """
    task = "text-classification" if facts.classes else "text-regression"
    parts = [metadata(title, task, scores), f"# {_plain(title)}"]
    for heading, paragraphs in sections:
        parts.append(f"## {heading}")
        if heading == "Evaluation" and scores is not None:
            parts += [_table(head, rows) for head, rows in scores.tables]
        parts += _joined_items([_plain(text) for text in paragraphs])
    parts += ["## What it looks for", f"```text\n{_fenced(facts.rules)}\n```"]
    return "\n\n".join(parts) + "\n"


def card_html(sections: Sequence[Section]) -> str:
    """Write the same sections for a page."""
    parts = []
    for heading, paragraphs in sections:
        parts.append(f"<h3>{escape(heading)}</h3>")
        for text in _joined_items(paragraphs):
            if text.startswith("- "):
                items = "".join(f"<li>{escape(i[2:])}</li>" for i in text.split("\n"))
                parts.append(f"<ul>{items}</ul>")
            else:
                parts.append(f"<p>{escape(text)}</p>")
    return "\n".join(parts)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    lines += [f"| {' | '.join([_plain(row[0]), *row[1:]])} |" for row in rows]
    return "\n".join(lines)


def _joined_items(paragraphs: Iterable[str]) -> list[str]:
    """Join items that follow one another to one list."""
    joined: list[str] = []
    for text in paragraphs:
        if text.startswith("- ") and joined and joined[-1].startswith("- "):
            joined[-1] += f"\n{text}"
        else:
            joined.append(text)
    return joined


def _plain(text: str) -> str:
    """Text that Markdown shows as it is, also where it renders HTML."""
    escaped = re.sub(r"([\\`*_\[\]#|])", r"\\\1", " ".join(text.split()))
    return escaped.replace("<", "&lt;")


def _fenced(text: str) -> str:
    return text.replace("```", "'''")
