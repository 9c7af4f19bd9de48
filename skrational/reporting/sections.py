"""The sections of a page that read the model: automata, mistakes, structure."""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skrational.inspection import explain, top_phrases, top_words
from skrational.inspection.model import Model
from skrational.reporting.documents import Documents
from skrational.reporting.markup import bar, note, paragraph, short, table

__all__ = ["automata_section", "documents_section", "structure_section"]

_MOST_WFSAS = 30
_N_PHRASES = 4
_N_WORDS = 6
_N_OPEN = 3


def structure_section(model: Model) -> str:
    """What was left of the network, as it shows itself in a notebook."""
    html: str = model.classifier.learned_structure_._repr_html_()
    return html


def automata_section(estimator: Any, model: Model, documents: Documents) -> str:
    """Each automaton: what it is worth on the documents, its phrases and words."""
    if model.automata.n_wfsas == 0:
        return paragraph(
            "No automaton is left: lambda_ removed them all, and every document gets "
            "the class that the bias favours."
        )
    flips, accuracies = _without_each(model, documents)
    order = np.argsort(-flips, kind="stable")[:_MOST_WFSAS].tolist()
    head = ["WFSA", "transitions", "predictions that change without it"]
    head += [] if accuracies is None else ["accuracy without it"]
    rows: list[list[object]] = []
    for k in order:
        row: list[object] = [str(k), model.automata.lengths[k], bar(float(flips[k]))]
        rows.append(row if accuracies is None else [*row, float(accuracies[k])])
    phrases = top_phrases(estimator, documents.texts, _N_PHRASES, wfsas=order)
    words = top_words(estimator, documents.texts, _N_WORDS, wfsas=order)
    left_out = model.automata.n_wfsas - len(order)
    more = f" The {left_out} others change fewer predictions." if left_out else ""
    return (
        _about_inner(model, documents)
        + paragraph(f"What becomes of the given documents if one is left out.{more}")
        + table(head, rows)
        + "<h3>Phrases</h3>"
        + paragraph(
            "The phrases of these documents that each automaton scores highest and "
            "lowest. Words that a transition only passes over are set in italics."
        )
        + phrases._repr_html_()
        + "<h3>Words</h3><details><summary>The words that single transitions weigh "
        f"most and least</summary>\n{words._repr_html_()}\n</details>"
    )


def _about_inner(model: Model, documents: Documents) -> str:
    """Say whose predictions change, if an estimator around the classifier decides."""
    if not model.wrappers:
        return ""
    inner, outer = (type(e).__name__ for e in (model.classifier, model.wrappers[0]))
    predictions = model.predict(documents.sequences).predictions.tolist()
    given = documents.predicted.tolist()
    n_same = sum(
        documents.classes[i] == p for i, p in zip(given, predictions, strict=True)
    )
    told = (
        f"These are the predictions of the {inner} itself, not those of the {outer} "
        f"around it, which the section before is about. On {n_same:,} of the "
        f"{len(documents):,} documents both agree."
    )
    if documents.labels is not None:
        right = documents.labels == documents.predicted
        labels = [documents.classes[i] for i in documents.labels.tolist()]
        own = np.mean([a == b for a, b in zip(labels, predictions, strict=True)])
        told += (
            f" The accuracy of the {inner} with all automata is {own:.3f}, that of the "
            f"{outer} {right.mean():.3f}."
        )
    return note(told)


def _without_each(
    model: Model, documents: Documents
) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
    """Leave out one automaton after the other.

    Parameters
    ----------
    model : Model
    documents : Documents
        n of them.

    Returns
    -------
    flips : ndarray of shape (d,)
        Share of the predictions that change.
    accuracies : ndarray of shape (d,) or None
        What is right then.
    """
    scored = model.predict(documents.sequences)
    coef = np.asarray(model.automata.coef, np.float64)
    scores = scored.scores.astype(np.float64)
    whole = _most_probable(scored.logits)
    flips, accuracies = [], []
    for k in range(len(coef.T)):
        chosen = _most_probable(scored.logits - np.outer(scores[:, k], coef[:, k]))
        flips.append(np.mean(chosen != whole))
        if documents.labels is not None:
            accuracies.append(np.mean(chosen == documents.labels))
    return np.array(flips), np.array(accuracies) if accuracies else None


def _most_probable(logits: NDArray[np.float64]) -> NDArray[np.intp]:
    """The number of the most probable class of each row."""
    if logits.shape[1] == 1:
        return (logits[:, 0] > 0).astype(np.intp)
    return logits.argmax(axis=1)


def documents_section(
    estimator: Any, model: Model, documents: Documents, n: int
) -> str:
    """Some documents explained: the worst mistakes or, without labels, the doubts."""
    chosen = _worst(documents, n)
    if not chosen:
        return paragraph("There is no mistake to explain.")
    if model.has_automata or hasattr(type(model.classifier), "n_gates_"):
        return _explained(estimator, documents, chosen)
    rows = [[_told(documents, i), _first_words(documents, i)] for i in chosen]
    return paragraph(
        "What such a network predicts isn't explained; these are the documents."
    ) + table(["prediction", "document"], rows, text_columns=(0, 1))


def _explained(estimator: Any, documents: Documents, chosen: list[int]) -> str:
    """Write explanations, to be opened one by one."""
    # Of a list of documents there are several, also of a list of one.
    explained: Any = explain(estimator, documents.take(chosen), progress=False)
    explanations = list(explained)
    decided_otherwise = sum(
        explanation.prediction != documents.classes[documents.predicted[i]]
        for explanation, i in zip(explanations, chosen, strict=True)
    )
    before = ""
    if decided_otherwise:
        before = note(
            "What is explained is what the classifier itself predicts; the estimator "
            f"around it decides otherwise in {decided_otherwise} of these documents."
        )
    parts = [
        f'<details class="document"{" open" if rank < _N_OPEN else ""}><summary>'
        f"<b>{escape(_told(documents, i))}</b> {escape(_first_words(documents, i))}"
        f"</summary>\n{explanation.to_html()}\n</details>"
        for rank, (i, explanation) in enumerate(zip(chosen, explanations, strict=True))
    ]
    return before + "\n".join(parts)


def _told(documents: Documents, i: int) -> str:
    """Say what is predicted for a document, and what its label is."""
    names, predicted = documents.names, documents.predicted[i]
    told = f"predicted {names[predicted]}"
    if documents.probabilities is not None:
        told += f" ({_probability(documents.confidence[i])})"
    if documents.labels is not None:
        told += f", labelled {names[documents.labels[i]]}"
    return f"{told}:"


def _probability(p: float) -> str:
    return "p > .999" if p > 0.999 else f"p = {p:.3f}"


def _first_words(documents: Documents, i: int) -> str:
    """The beginning of a document, or how long it is."""
    if documents.are_texts:
        return short(next(iter(documents.take([i]))))
    return f"document {i}, {documents.sequences.lengths[i]:,} tokens"


def _worst(documents: Documents, n: int) -> list[int]:
    """The most confident mistakes; without labels, the least confident predictions."""
    confidence = documents.confidence
    if documents.labels is None:
        return np.argsort(confidence, kind="stable")[:n].tolist()
    wrong = np.flatnonzero(documents.labels != documents.predicted)
    return wrong[np.argsort(-confidence[wrong], kind="stable")][:n].tolist()
