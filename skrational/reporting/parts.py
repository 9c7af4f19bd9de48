"""What a report says in words: of the documents, of the model, on the card."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from skrational.reporting.card import limits
from skrational.reporting.documents import Documents, Training
from skrational.reporting.facts import ModelFacts
from skrational.reporting.markup import cell_text, note, paragraph, short, table
from skrational.reporting.scores import Scores
from skrational.reporting.values import ValueScores

__all__ = ["card_sections", "documents_html", "lead", "model_section"]

_MOST_NAMED = 10
_LIKELY = 0.5
"""Share of known documents from which on scores are taken for those of training."""


def about_documents(
    documents: Documents, training: Training | None, not_compared: str
) -> list[str]:
    """Say on what the scores are, and whether they can be believed.

    Parameters
    ----------
    documents : Documents
    training : Training or None
    not_compared : str
        Why a baseline that learns is missing, "" if it isn't.
    """
    X = documents.sequences
    told = [
        f"Measured on {len(documents):,} documents of {X.n_tokens:,} tokens, "
        f"{X.n_tokens / len(documents):.0f} on average; "
        f"{documents.share_unknown:.1%} of the tokens have no vector of their own."
    ]
    if training is None:
        told.append(
            "Whether the model has learned from these documents isn't known here. If "
            "it has, its scores are better than they will be on others."
        )
    elif not (documents.are_texts and training.are_texts):
        told.append(f"It was fitted on {len(training):,} other documents.")
    else:
        n_shared = round(training.share_of(documents) * len(documents))
        told.append(
            f"It was fitted on {len(training):,} documents, {n_shared:,} of which are "
            "among these."
        )
        if not_compared and documents.has_targets:
            told.append(not_compared)
    return told


def warnings_about(documents: Documents, training: Training | None) -> list[str]:
    """Say what makes the scores doubtful."""
    told = []
    shared = 0.0 if training is None else training.share_of(documents)
    if shared >= _LIKELY:
        told.append(
            f"{shared:.0%} of these documents were learned from: the scores tell how "
            "well the model remembers, not how well it will do on others."
        )
    elif documents.are_all_right and len(documents) > 1:
        told.append(
            "Every document is right, as it mostly is with those that were learned "
            "from. Make sure that these are others."
        )
    if shared < _LIKELY and 0 < shared:
        told.append(f"{shared:.1%} of these documents were learned from.")
    if documents.share_unknown > _LIKELY:
        told.append(
            f"{documents.share_unknown:.0%} of the tokens have no vector of their own: "
            "the model sees little of these documents."
        )
    return told


def documents_html(
    documents: Documents, training: Training | None, not_compared: str
) -> str:
    """Write what the scores are on, and what makes them doubtful."""
    told = map(paragraph, about_documents(documents, training, not_compared))
    doubts = map(note, warnings_about(documents, training))
    return "\n".join([*told, *doubts])


def lead(
    facts: ModelFacts, scores: Scores | ValueScores | None, documents: Documents
) -> str:
    """The numbers at the head of the page."""
    numbers = [
        (facts.kind, "model"),
        (facts.size, facts.size_name),
        (f"{facts.n_parameters:,}", "parameters"),
        (cell_text(len(documents)), "documents"),
    ]
    if scores is not None:
        numbers[1:1] = scores.headline
    boxes = "".join(
        f"<div><b>{escape(value)}</b>{escape(name)}</div>" for value, name in numbers
    )
    return f'{paragraph(facts.about)}\n<div class="facts">{boxes}</div>'


def model_section(facts: ModelFacts, structure: str) -> str:
    """What the model is made of, and what it looks for in words."""
    steps = table(
        ["step", ""],
        [[i, s] for i, s in enumerate(facts.steps, 1)],
        text_columns=(0, 1),
    )
    rows = [[name, value] for name, value in facts.parameters]
    parameters = (
        table(["parameter", "value"], rows, text_columns=(0, 1))
        if rows
        else paragraph(f"All parameters of the {_noun(facts)} are the defaults.")
    )
    size = (
        f"{facts.structure}; {facts.n_parameters:,} parameters of the {_noun(facts)}, "
        f"{_bytes(facts.n_bytes)}. {_outcome(facts)}"
    )
    return (
        f"{paragraph(size)}\n{structure}\n{_in_words(facts, structure)}\n"
        f"<details><summary>Steps and parameters</summary>\n{steps}\n{parameters}\n"
        "</details>"
    )


def _in_words(facts: ModelFacts, structure: str) -> str:
    """What ``print`` tells, unless the picture of the structure says it already."""
    _, *lines = facts.rules.splitlines()
    if all(escape(line) in structure for line in lines):
        return ""
    return f"<h3>In words</h3>\n<pre>{escape(facts.rules)}</pre>"


def _noun(facts: ModelFacts) -> str:
    """Name what is fitted."""
    return "classifier" if facts.classes else "regressor"


def _outcome(facts: ModelFacts) -> str:
    """Say what it predicts."""
    if not facts.classes:
        return "It predicts a number."
    return f"It tells {_listed(facts.classes)} apart."


def _purpose(facts: ModelFacts) -> str:
    """Say what it may be meant for, where nobody has said so."""
    if not facts.classes:
        return "To predict a number for documents like those below."
    classes = _listed(facts.classes)
    return f"To give documents like those below one of the classes {classes}."


def _listed(classes: tuple[str, ...]) -> str:
    """Name the classes, of many the first ones."""
    first = [short(name, 40) for name in classes[:_MOST_NAMED]]
    more = len(classes) - len(first)
    if more:
        return f"{', '.join(first)} and {more:,} more classes"
    *others, last = first
    return f"{', '.join(others)} and {last}"


def _bytes(n: int) -> str:
    return f"{n:,} bytes" if n < 10_000 else f"{n / 1000:,.0f} kB"


def card_sections(
    facts: ModelFacts,
    documents: Documents,
    training: Training | None,
    not_compared: str,
    intended_use: str | None,
) -> Iterator[tuple[str, list[str]]]:
    """The sections of the model card.

    Parameters
    ----------
    facts : ModelFacts
    documents : Documents
    training : Training or None
    not_compared : str
        As for `about_documents`.
    intended_use : str or None
    """
    yield "Model", [facts.about, f"Structure: {facts.structure}."]
    yield (
        "Intended use",
        [
            intended_use or _purpose(facts),
            "It is meant to be read by people before it is relied on. Nobody should be "
            "judged by it alone.",
        ],
    )
    learned = "Nothing is known here of the documents that it was fitted on."
    if training is not None:
        learned = f"It was fitted on {len(training):,} documents."
    yield "Training data", [learned]
    doubts = warnings_about(documents, training)
    about = about_documents(documents, training, not_compared)
    yield "Evaluation", [*about, *doubts]
    yield "Limits", limits(facts)
    yield "Versions", [f"- {name} {number}" for name, number in facts.versions]
