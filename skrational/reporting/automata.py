"""The section of a page that says what each automaton does."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import r2_score

from skrational.inspection import top_phrases, top_words
from skrational.inspection.model import Model
from skrational.inspection.tables import three_digits
from skrational.reporting.documents import Documents
from skrational.reporting.labelled import LabelledDocuments
from skrational.reporting.markup import bar, note, paragraph, table
from skrational.reporting.valued import ValuedDocuments

__all__ = ["automata_section"]

_MOST_WFSAS = 30
_N_PHRASES = 4
_N_WORDS = 6


class _Effects(NamedTuple):
    """What becomes of the documents without each automaton.

    Attributes
    ----------
    changes : ndarray of shape (d,)
        How much changes.
    head : list of str
        Of the columns: what changes, and, if it is known what is right, how good the
        predictions are then.
    cells : list of lists
        Those columns, a row for each automaton.
    """

    changes: NDArray[np.float64]
    head: list[str]
    cells: list[list[object]]


def automata_section(estimator: Any, model: Model, documents: Documents) -> str:
    """Each automaton: what it is worth on the documents, its phrases and words."""
    if model.automata.n_wfsas == 0:
        favoured = "the class that the bias favours"
        given = "the bias itself" if model.predicts_numbers else favoured
        return paragraph(
            "No automaton is left: lambda_ removed them all, and every document gets "
            f"{given}."
        )
    effects = _effects_of(model, documents)
    order = np.argsort(-effects.changes, kind="stable")[:_MOST_WFSAS].tolist()
    head = ["WFSA", "transitions", *effects.head]
    rows = [[str(k), model.automata.lengths[k], *effects.cells[k]] for k in order]
    phrases = top_phrases(estimator, documents.texts, _N_PHRASES, wfsas=order)
    words = top_words(estimator, documents.texts, _N_WORDS, wfsas=order)
    left_out = model.automata.n_wfsas - len(order)
    less = "predictions less" if model.predicts_numbers else "fewer predictions"
    more = f" The {left_out} others change {less}." if left_out else ""
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
    if not (model.wrappers and isinstance(documents, LabelledDocuments)):
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


def _effects_of(model: Model, documents: Documents) -> _Effects:
    """Leave out one automaton after the other, of n documents."""
    if isinstance(documents, ValuedDocuments):
        return _effects_on_values(model, documents)
    assert isinstance(documents, LabelledDocuments)
    flips, accuracies = _without_each(model, documents)
    head = ["predictions that change without it"]
    cells: list[list[object]] = [[bar(float(share))] for share in flips]
    if accuracies is not None:
        head.append("accuracy without it")
        cells = [[*c, float(a)] for c, a in zip(cells, accuracies, strict=True)]
    return _Effects(flips, head, cells)


def _effects_on_values(model: Model, documents: ValuedDocuments) -> _Effects:
    """Leave out one automaton after the other, of a regressor."""
    scores = model.predict(documents.sequences).scores.astype(np.float64)
    added = scores * np.asarray(model.automata.coef[0], np.float64)
    changes = np.abs(added).mean(axis=0)
    head = ["mean change of the prediction without it"]
    cells: list[list[object]] = [[three_digits(change)] for change in changes]
    if documents.values is not None and len(documents) > 1:
        head.append("R² without it")
        for k, row in enumerate(cells):
            without = documents.predicted - added[:, k]
            row.append(float(r2_score(documents.values, without)))
    return _Effects(changes, head, cells)


def _without_each(
    model: Model, documents: LabelledDocuments
) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
    """Leave out one automaton after the other, of a classifier.

    Parameters
    ----------
    model : Model
    documents : LabelledDocuments
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
