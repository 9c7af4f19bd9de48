"""The sections of a page that say how good predicted classes are."""

from __future__ import annotations

import numpy as np

from skrational.reporting.labelled import LabelledDocuments
from skrational.reporting.markup import Markup, bar, paragraph, table
from skrational.reporting.scores import Calibration, Scores

__all__ = ["predictions_section", "scores_section"]

_MOST_CLASSES = 12
_MOST_CONFUSIONS = 20


def scores_section(scores: Scores) -> str:
    """Accuracy beside the baselines', then class by class."""
    rows: list[list[object]] = [
        [Markup("<b>this model</b>"), scores.accuracy, scores.macro_f1, ""]
    ]
    rows += [[b.name, b.accuracy, b.macro_f1, b.about] for b in scores.baselines]
    error = f"The standard error of its accuracy is {scores.error:.3f}."
    parts = [
        table(["", "accuracy", "macro F1", ""], rows, text_columns=(0, 3)),
        paragraph(error),
        "<h3>Class by class</h3>",
        table(
            ["class", "precision", "recall", "F1", "documents"],
            [
                [name, bar(float(p)), bar(float(r)), bar(float(f)), int(n)]
                for name, p, r, f, n in zip(
                    scores.names,
                    scores.precision,
                    scores.recall,
                    scores.f1,
                    scores.support,
                    strict=True,
                )
            ],
        ),
    ]
    if unknown := scores.names[scores.n_known :]:
        parts.append(
            paragraph(
                f"The model doesn't know {', '.join(unknown)}: documents of these "
                "classes count as mistakes."
            )
        )
    parts += ["<h3>Confusions</h3>", _confusions(scores)]
    if scores.calibration is not None:
        parts += ["<h3>Probabilities</h3>", _calibration(scores.calibration)]
    return "\n".join(parts)


def _confusions(scores: Scores) -> str:
    """The confusion matrix or, of many classes, the most frequent confusions."""
    if len(scores.names) > _MOST_CLASSES:
        return _largest_confusions(scores)
    largest = max(int(scores.confusion.max()), 1)
    rows = [
        [name, *(_shaded(int(n), int(n) / largest, i == j) for j, n in enumerate(row))]
        for i, (name, row) in enumerate(
            zip(scores.names, scores.confusion, strict=True)
        )
    ]
    head = ["label \\ predicted", *scores.names]
    return table(head, rows)


def _shaded(n: int, share: float, is_right: bool) -> Markup:
    kind = "right" if is_right else "wrong"
    return Markup(f'<span class="{kind}" style="--share:{share:.2f}">{n:,}</span>')


def _largest_confusions(scores: Scores) -> str:
    wrong = scores.confusion.copy()
    np.fill_diagonal(wrong, 0)
    order = np.argsort(-wrong, axis=None, kind="stable")[:_MOST_CONFUSIONS]
    pairs = zip(*np.unravel_index(order, wrong.shape), strict=True)
    rows = [
        [scores.names[i], scores.names[j], int(wrong[i, j])]
        for i, j in pairs
        if wrong[i, j]
    ]
    if not rows:
        return paragraph("There are none.")
    return table(["label", "predicted", "documents"], rows, text_columns=(0, 1))


def _calibration(calibration: Calibration) -> str:
    """Confidence against accuracy, in bins."""
    rows = [
        [f"{i / 10:.1f} to {(i + 1) / 10:.1f}", int(n), float(c), bar(float(a))]
        for i, (n, c, a) in enumerate(
            zip(
                calibration.counts,
                calibration.confidences,
                calibration.accuracies,
                strict=True,
            )
        )
        if n
    ]
    return paragraph(
        f"Expected calibration error {calibration.error:.3f}, log loss "
        f"{calibration.log_loss:.3f}. A model that knows how sure it may be is right "
        "as often as its probabilities say."
    ) + table(["probability", "documents", "mean", "right"], rows)


def predictions_section(documents: LabelledDocuments) -> str:
    """How often each class is predicted, where there are no labels."""
    counts = np.bincount(documents.predicted, minlength=len(documents.classes))
    rows = [
        [name, int(n), bar(float(n / len(documents)))]
        for name, n in zip(documents.names, counts, strict=True)
    ]
    return paragraph(
        "There are no labels, so nothing can be said of how many are right."
    ) + table(["class", "predicted", "share"], rows)
