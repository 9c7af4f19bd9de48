"""The sections of a page that read the model: its structure, and mistakes explained."""

from __future__ import annotations

from html import escape
from typing import Any

from skrational.inspection import explain
from skrational.inspection.model import Model
from skrational.reporting.documents import Documents
from skrational.reporting.labelled import LabelledDocuments
from skrational.reporting.markup import note, paragraph, table

__all__ = ["documents_section", "structure_section"]

_N_OPEN = 3


def structure_section(model: Model) -> str:
    """What was left of the network, as it shows itself in a notebook."""
    html: str = model.classifier.learned_structure_._repr_html_()
    return html


def documents_section(
    estimator: Any, model: Model, documents: Documents, n: int
) -> str:
    """Some documents explained: the worst predictions or, without targets, others."""
    chosen = documents.to_explain(n)
    if not chosen:
        return paragraph("There is no mistake to explain.")
    if model.has_automata or hasattr(type(model.classifier), "n_gates_"):
        return _explained(estimator, documents, chosen)
    rows = [[documents.told(i), documents.first_words(i)] for i in chosen]
    return paragraph(
        "What such a network predicts isn't explained; these are the documents."
    ) + table(["prediction", "document"], rows, text_columns=(0, 1))


def _explained(estimator: Any, documents: Documents, chosen: list[int]) -> str:
    """Write explanations, to be opened one by one."""
    # Of a list of documents there are several, also of a list of one.
    explained: Any = explain(estimator, documents.take(chosen), progress=False)
    explanations = list(explained)
    before = ""
    if isinstance(documents, LabelledDocuments):
        before = _about_others(explanations, documents, chosen)
    parts = [
        f'<details class="document"{" open" if rank < _N_OPEN else ""}><summary>'
        f"<b>{escape(documents.told(i))}</b> {escape(documents.first_words(i))}"
        f"</summary>\n{explanation.to_html()}\n</details>"
        for rank, (i, explanation) in enumerate(zip(chosen, explanations, strict=True))
    ]
    return before + "\n".join(parts)


def _about_others(
    explanations: list[Any], documents: LabelledDocuments, chosen: list[int]
) -> str:
    """Say where an estimator around the classifier decides otherwise than it."""
    decided_otherwise = sum(
        explanation.prediction != documents.classes[documents.predicted[i]]
        for explanation, i in zip(explanations, chosen, strict=True)
    )
    if not decided_otherwise:
        return ""
    return note(
        "What is explained is what the classifier itself predicts; the estimator "
        f"around it decides otherwise in {decided_otherwise} of these documents."
    )
