"""What a model says of texts, and how often that is so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np

from skrational.cli.faults import Fault

__all__ = ["Predictor", "measure", "shown"]


_LONGEST = 200
"""Characters of what a foreign model says of texts."""


class Predictor:
    """A model of texts, which are vectorized once for classes and probabilities.

    Parameters
    ----------
    model : classifier of texts

    Raises
    ------
    Fault
        If it reads something else.

    Attributes
    ----------
    classes : list
        Empty if the model doesn't say.
    columns : list of str
        Names of what `rows` yields.
    """

    def __init__(self, model: Any) -> None:
        if type(model).__module__.startswith("skrational."):
            raise Fault(
                f"The model is a {type(model).__name__} alone, which reads vectors; "
                "expected a pipeline of a vectorizer and a classifier."
            )
        self.model = model
        self.classes = np.asarray(getattr(model, "classes_", [])).tolist()
        self._knows_shares = bool(self.classes) and hasattr(model, "predict_proba")
        shares = self.classes if self._knows_shares else []
        self.columns = ["prediction", *(f"probability_{label}" for label in shares)]

    def rows(self, texts: list[str]) -> Iterator[list[Any]]:
        """Yield the class of each text and, if known, the probability of each class."""
        predictions, probabilities = self.predict(texts)
        if probabilities is None:
            yield from ([label] for label in predictions.tolist())
            return
        for label, shares in zip(predictions.tolist(), probabilities, strict=True):
            # Of single precision these are the digits that tell.
            yield [label, *(float(str(share)) for share in shares)]

    def predict(self, texts: list[str]) -> tuple[Any, Any]:
        """Return classes (n,), and probabilities (n, n_classes) or None."""
        try:
            return self._predict(texts)
        except (ValueError, TypeError, AttributeError) as error:
            first = getattr(self.model, "steps", [("", self.model)])[0][1]
            if type(first).__module__.startswith("skrational."):
                raise
            # Others quote all that they were given.
            why = str(error).partition("\n")[0]
            why = why if len(why) <= _LONGEST else f"{why[:_LONGEST]}..."
            raise Fault(
                f"The model is a {type(self.model).__name__}, which can't predict "
                f"texts; expected a pipeline of a vectorizer and a classifier. It "
                f"says: {why}"
            ) from error

    def _predict(self, texts: list[str]) -> tuple[Any, Any]:
        from sklearn.pipeline import Pipeline

        model, X = self.model, texts
        if isinstance(model, Pipeline) and len(model.steps) > 1:
            model, X = model[-1], model[:-1].transform(texts)
        predictions = model.predict(X)
        return predictions, model.predict_proba(X) if self._knows_shares else None


def measure(
    predictor: Predictor, texts: list[str], labels: list[Any]
) -> dict[str, Any]:
    """Measure a model.

    Parameters
    ----------
    predictor : Predictor
    texts : list of str
    labels : list
        Each of them one of the model's classes.

    Returns
    -------
    dict
        What JSON can hold. Rows of ``confusion`` are the classes that are true,
        columns those that were predicted.
    """
    from sklearn import metrics

    classes = predictor.classes
    predicted, probabilities = predictor.predict(texts)
    by_class = metrics.precision_recall_fscore_support(
        labels, predicted, labels=classes, zero_division=0
    )
    most, n_most = Counter(labels).most_common(1)[0]
    scores: dict[str, Any] = {
        "texts": len(texts),
        "accuracy": float(metrics.accuracy_score(labels, predicted)),
        "most_frequent": {"class": most, "accuracy": n_most / len(labels)},
    }
    if probabilities is not None:
        loss = metrics.log_loss(labels, probabilities, labels=classes)
        scores["log_loss"] = float(loss)
    names = ("precision", "recall", "f1", "texts")
    scores["classes"] = [
        {"class": label}
        | {name: of.tolist()[i] for name, of in zip(names, by_class, strict=True)}
        for i, label in enumerate(classes)
    ]
    confusion = metrics.confusion_matrix(labels, predicted, labels=classes)
    return scores | {"confusion": confusion.tolist()}


def shown(scores: dict[str, Any]) -> str:
    """Write scores for a terminal."""
    most = scores["most_frequent"]
    lines = [
        f"{scores['model']}",
        f"accuracy  {scores['accuracy']:.3f} on {scores['texts']:,} texts (always "
        f"{most['class']!r}: {most['accuracy']:.3f})",
    ]
    if "log_loss" in scores:
        lines.append(f"log loss  {scores['log_loss']:.3f}")
    labels = [str(row["class"]) for row in scores["classes"]]
    width = max(map(len, ["class", *labels]))
    counts = [max(len(label), 6) for label in labels]
    head = "  ".join(label.rjust(n) for label, n in zip(labels, counts, strict=True))
    lines += [
        "",
        f"{'class':{width}}  precision  recall    f1   texts    taken for {head}",
    ]
    for label, row, taken in zip(
        labels, scores["classes"], scores["confusion"], strict=True
    ):
        cells = "  ".join(f"{k:{n},}" for k, n in zip(taken, counts, strict=True))
        lines.append(
            f"{label:{width}}  {row['precision']:9.3f}  {row['recall']:6.3f}  "
            f"{row['f1']:.3f}  {row['texts']:6,}              {cells}"
        )
    return "\n".join(lines)
