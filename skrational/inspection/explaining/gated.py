"""Explanations of gated networks: units and single tokens, without paths."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from skrational.inspection.explaining.deletions import (
    MOST_TOKENS,
    effects_by_deletion,
    pieces,
)
from skrational.inspection.explaining.documents import describe_documents
from skrational.inspection.explaining.explanations import Explanation
from skrational.inspection.explaining.records import plain
from skrational.inspection.model import Model
from skrational.sequences import SequenceArray

__all__ = ["GatedExplanation", "explain_by_units"]

_OF_PATHS = (
    "best",
    "worst",
    "paths",
    "shares",
    "main_path_weights",
    "self_loop_weights",
    "probabilities_without",
    "token_weights",
    "predictions_without",
)


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class GatedExplanation(Explanation):
    """Why a gated network predicts what it predicts for a document.

    An `Explanation` whose d contributions are those of the units that are left: a
    unit's readout weight times what the readout reads of its states. With the bias they
    add up to the logits.

    A gated network has no paths: what tells of them in an `Explanation` (``best``,
    ``worst``, ``paths``, ``shares``, ``main_path_weights``, ``self_loop_weights``,
    ``token_weights``, ``probabilities_without``, ``predictions_without``) is an
    AttributeError here. What tokens do is told by their ``effects``. Each is exact for
    itself; they don't add up, and ``remainder`` is what they leave.

    Attributes
    ----------
    tokens, classes, prediction, probabilities, logits, bias, n_words, n_unknown, \
    temperature, verdicts, toward
        As in an `Explanation`.
    contributions : ndarray of shape (n_outputs, d)
        Of each unit.
    scores : ndarray of shape (d,)
        What the readout reads of each unit.
    numbers : tuple of int, length d
        Number of each unit before pruning.
    gates : tuple of str, length d
        Letters of the gates of each unit that vary, "-" for none.
    effects : ndarray of shape (T,)
        What each token adds to the log-odds of the predicted class: those of the
        document less those of the document without the token, as the classifier
        predicts both.
    remainder : float
        The log-odds of the document, less those of an empty one, less the sum of the
        ``effects``: what tokens do together.

    Examples
    --------
    >>> from skrational.datasets import make_planted_patterns
    >>> from skrational.estimators.lstm import SparseLSTMClassifier
    >>> from skrational.inspection import explain
    >>> data = make_planted_patterns(n_documents=60, n_features=5, random_state=0)
    >>> clf = SparseLSTMClassifier(n_units=4, max_epochs=1, random_state=0)
    >>> explanation = explain(clf.fit(data.X, data.y), data.X[:1])[0]
    >>> shorter = [data.X[0][1:]]
    >>> logits = clf.decision_function(data.X[:1]), clf.decision_function(shorter)
    >>> sign = 1 if explanation.prediction == 1 else -1
    >>> bool(np.isclose(explanation.effects[0], sign * (logits[0] - logits[1])[0]))
    True
    >>> explanation.paths
    Traceback (most recent call last):
        ...
    AttributeError: paths is about the paths of weighted automata, ...
    """

    part: ClassVar[str] = "unit"
    has_paths: ClassVar[bool] = False

    best: Any = field(init=False)
    worst: Any = field(init=False)
    paths: Any = field(init=False)
    shares: Any = field(init=False)
    main_path_weights: Any = field(init=False)
    self_loop_weights: Any = field(init=False)
    probabilities_without: Any = field(init=False)

    def __getattr__(self, name: str) -> Any:
        if name in _OF_PATHS:
            raise AttributeError(
                f"{name} is about the paths of weighted automata, which a gated "
                "network doesn't have. What there is of it: contributions of its units "
                "and effects of the tokens."
            )
        raise AttributeError(f"{type(self).__name__!r} has no attribute {name!r}")

    def _parts(self) -> dict[str, Any]:
        units = [
            {
                "unit": self.numbers[i],
                "gates": self.gates[i],
                "score": plain(self.scores[i]),
                "contributions": self.contributions[:, i],
            }
            for i in range(len(self.scores))
        ]
        return {"remainder": plain(self.remainder), "units": units}

    def rows(self) -> list[dict[str, Any]]:
        """Return what `Explanations.to_frame` says of each unit."""
        return [
            {
                "unit": self.numbers[i],
                "gates": self.gates[i],
                "score": self.scores[i],
                "contribution": self.contributions[self.output, i],
            }
            for i in range(len(self.scores))
        ]


def explain_by_units(
    model: Model, X: SequenceArray, toward: str = "prediction"
) -> Iterator[list[Explanation]]:
    """Explain documents, some at a time."""
    for piece in pieces(X.lengths**2, MOST_TOKENS):
        yield list(_explanations(model, X[piece], toward))


def _explanations(model: Model, X: SequenceArray, toward: str) -> Iterator[Explanation]:
    clf = model.classifier
    coef, structure = clf.coef_.astype(np.float64), clf.learned_structure_
    scored = model.predict(X)
    scores = scored.scores.astype(np.float64)
    codes = np.searchsorted(clf.classes_, scored.predictions)
    effects = effects_by_deletion(model, X, scored.logits, codes)
    verdicts = model.verdicts(scored)
    document = describe_documents(model, X)
    for i in range(len(X)):
        yield GatedExplanation(
            **document(i),
            classes=clf.classes_,
            prediction=scored.predictions[i],
            probabilities=scored.probabilities[i],
            logits=scored.logits[i],
            bias=clf.intercept_.astype(np.float64),
            contributions=coef * scores[i],
            scores=scores[i],
            numbers=structure.units,
            gates=structure.parts(),
            effects=effects[X.offsets[i] : X.offsets[i + 1]],
            temperature=clf.temperature_,
            verdicts=verdicts[i],
            toward=toward,
        )
