"""Explanations: what there is to know of predictions, and the ways to show it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from skrational.inspection.explaining.html import document_html, documents_html
from skrational.inspection.explaining.prediction import ExplainedPrediction
from skrational.inspection.explaining.records import path_record, plain, write_json
from skrational.inspection.explaining.text import document_text
from skrational.utils.optional import data_frame

__all__ = ["Explanation", "Explanations"]

_SHOWN = 3
"""Documents whose explanations are part of a repr; ``print`` shows all."""
_COLUMNS = (
    "document",
    "prediction",
    "wfsa",
    "number",
    "score",
    "contribution",
    "share",
    "phrase",
    "prediction_without",
)


@dataclass(frozen=True, eq=False, repr=False)
class Explanation(ExplainedPrediction):
    """Why a classifier predicts what it predicts for a document.

    T is the number of tokens, d that of WFSAs, counted from 0 among those that are left
    (columns of ``coef_``). There is one output, the logit of ``classes[1]``, for two
    classes, else one for each class.

    Attributes
    ----------
    tokens : tuple of str, length T
        Labels; "#0", "#1", ... without labels.
    classes : ndarray of shape (n_classes,)
    prediction : object
        The class that the classifier predicts.
    probabilities : ndarray of shape (n_classes,)
    logits : ndarray of shape (n_outputs,)
        What the classifier computes: ``bias`` plus the sum of the ``contributions``.
    bias : ndarray of shape (n_outputs,)
    contributions : ndarray of shape (n_outputs, d)
        Of each WFSA: its readout weight times its score.
    scores : ndarray of shape (d,)
    numbers : tuple of int, length d
        Number of each WFSA before pruning.
    best, worst : tuple of Path or None, length d
        The single paths that score highest and lowest; None where there is none.
    paths : tuple of Path or None, length d
        The one of them that leads: the best of a WFSA whose score is at least 0, the
        worst of one whose score is negative.
    shares : ndarray of shape (d,)
        Share of the leading path in the score, a sum over all paths. It can exceed 1,
        since others may have the opposite sign. NaN without a path, or at a score of 0.
    main_path_weights, self_loop_weights : ndarray of shape (d, T)
        Derivative of the WFSA's log score with respect to the logarithms of the token's
        main-path transitions (self-loops): the share of the score that goes through
        them. Summed over tokens they give the mean number of main-path transitions
        (self-loops) on a path, each path counted by its share; together, its mean
        length in tokens. 0 at a score of 0. In max-plus, whose scores are logarithms,
        the derivative is that of the score.
    effects : ndarray of shape (T,)
        What each token adds to the log-odds of the predicted class: those of the
        document less those of the document without the token. Exact.
    probabilities_without : ndarray of shape (d, n_classes)
        What becomes of the probabilities if the phrase of the WFSA's leading path (its
        ``span``) is cut out of the document.
    n_words : int or None
        Number of tokens, without those that the vectorizer puts around a text (such as
        "<s>" and "</s>"). None in explanations that were pickled by version 0.1.0.
    n_unknown : int or None
        How many of them have no vector of their own: their label is "<unk>" or "[UNK]".
    original : Original or None
        The document as it was given, with the ``spans`` of its tokens and of words that
        were ``left_out`` for want of a vector. None if only its tokens are known.
    text : str or None
        The text of ``original``.
    words : tuple of str, length T
        The tokens as they stand in the text; by their labels where they don't.
    toward : {"prediction", "positive"}
        Whether text, HTML and pictures count towards the prediction or towards the
        second of two classes. It changes none of the other attributes.
    gates : tuple of str
        Empty; of a `GatedExplanation` the gates of each unit.
    temperature : float
        The classifier's ``temperature_``: probabilities are those of the logits divided
        by it. Logits, contributions and effects aren't divided.
    verdicts : tuple of Verdict
        What estimators around the classifier say, which calibrate its probabilities or
        have a threshold, that of the innermost first: each has a ``prediction``,
        ``probabilities`` and perhaps a ``threshold``.
    remainder : float
        What the effects of single tokens leave of the log-odds of the prediction: these
        less those of an empty document, less the sum of the ``effects``.

    Examples
    --------
    >>> from skrational import SparseRationalClassifier
    >>> from skrational.datasets import make_planted_patterns
    >>> from skrational.inspection import explain
    >>> data = make_planted_patterns(n_documents=400, random_state=0)
    >>> clf = SparseRationalClassifier(n_wfsas=8, random_state=0, max_epochs=5)
    >>> explanation = explain(clf.fit(data.X, data.y), data.X[:1])[0]
    >>> leader = explanation.order[0]
    >>> path = explanation.paths[leader]
    >>> len(path.cells(explanation.tokens)) == len(path.entries)
    True
    >>> list(explanation.to_dict()["wfsas"][leader])[:4]
    ['wfsa', 'number', 'score', 'contributions']
    >>> print(explanation)
    1 (p ...)
    logit of 1 = +...; positive numbers speak for 1, negative ones for 0
      WFSA  adds  share  without it  ...
    """

    def to_dict(self) -> dict[str, Any]:
        """Return the explanation as lists, numbers and strings; NaN becomes None."""
        known: dict[str, Any] = plain(self._record())
        return known

    def _record(self) -> dict[str, Any]:
        """Return what `to_dict` does, but with the arrays as they are."""
        counts = {"n_words": self.n_words, "n_unknown": self.n_unknown}
        return {
            "tokens": list(self.tokens),
            "classes": self.classes,
            "prediction": plain(self.prediction),
            "probabilities": self.probabilities,
            "logits": self.logits,
            "bias": self.bias,
            "effects": self.effects,
            **{name: n for name, n in counts.items() if n is not None},
            **self._calibration(),
            **self._original_dict(),
            **self._parts(),
        }

    def _calibration(self) -> dict[str, Any]:
        """Return what makes of the logits other probabilities, or decisions."""
        known: dict[str, Any] = {}
        if self.temperature != 1:
            known["temperature"] = plain(self.temperature)
        if self.verdicts:
            known["verdicts"] = [
                {name: plain(value) for name, value in verdict._asdict().items()}
                for verdict in self.verdicts
            ]
        return known

    def _original_dict(self) -> dict[str, Any]:
        if self.original is None:
            return {}
        spans, left_out = self.original.spans, self.original.left_out
        return {"text": self.text, "spans": spans, "left_out": left_out}

    def _parts(self) -> dict[str, Any]:
        """Return what is known of each WFSA, under a name for all of them."""
        return {"wfsas": self._wfsas()}

    def _wfsas(self) -> list[dict[str, Any]]:
        words = self.marked_words
        best, worst, paths = (
            [path_record(path, words) for path in side]
            for side in (self.best, self.worst, self.paths)
        )
        scores, shares = plain(self.scores), plain(self.shares)
        predictions = plain(self.predictions_without)
        return [
            {
                "wfsa": i,
                "number": number,
                "score": scores[i],
                "contributions": self.contributions[:, i],
                "path": paths[i],
                "share": shares[i],
                "best": best[i],
                "worst": worst[i],
                "main_path_weights": self.main_path_weights[i],
                "self_loop_weights": self.self_loop_weights[i],
                "probabilities_without": self.probabilities_without[i],
                "prediction_without": predictions[i],
            }
            for i, number in enumerate(self.numbers)
        ]

    def to_json(self, indent: int | None = None) -> str:
        """Write `to_dict` as JSON; ``indent`` as for :func:`json.dumps`.

        Without it there are no spaces.
        """
        if indent is None:
            return write_json([self._record()])
        return json.dumps(self.to_dict(), indent=indent, allow_nan=False)

    def rows(self) -> list[dict[str, Any]]:
        """Return what `Explanations.to_frame` says of each WFSA."""
        words, predictions = self.marked_words, self.predictions_without
        return [
            {
                "wfsa": i,
                "number": self.numbers[i],
                "score": self.scores[i],
                "contribution": self.contributions[self.output, i],
                "share": self.shares[i],
                "phrase": "" if path is None else " ".join(path.cells(words)),
                "prediction_without": predictions[i],
            }
            for i, path in enumerate(self.paths)
        ]

    def to_text(self) -> str:
        """Write the explanation for a terminal."""
        return document_text(self)

    def to_html(self) -> str:
        """Write the explanation for a notebook, light or dark; all text is escaped."""
        return document_html(self)

    def __eq__(self, other: object) -> bool:
        """Whether both explain the same, to the bit."""
        if not isinstance(other, Explanation):
            return NotImplemented
        return self.to_dict() == other.to_dict()

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return self.to_text()

    def __str__(self) -> str:
        return self.to_text()

    def _repr_html_(self) -> str:
        return self.to_html()


class Explanations(Sequence[Explanation]):
    """Explanations of several documents, in their order.

    Parameters
    ----------
    explanations : iterable of Explanation

    Examples
    --------
    >>> from skrational import SparseRationalClassifier
    >>> from skrational.datasets import make_planted_patterns
    >>> from skrational.inspection import explain
    >>> data = make_planted_patterns(n_documents=400, random_state=0)
    >>> clf = SparseRationalClassifier(n_wfsas=8, random_state=0, max_epochs=5)
    >>> explanations = explain(clf.fit(data.X, data.y), data.X[:5])
    >>> explanations
    Explanations of 5 documents
    ...
    ... and 2 more
    >>> len(explanations[1:3])
    2
    >>> len(explanations.to_frame()) == 5 * clf.coef_.shape[1]
    True
    """

    def __init__(self, explanations: Iterable[Explanation]) -> None:
        self._explanations = tuple(explanations)

    def __len__(self) -> int:
        return len(self._explanations)

    def __getitem__(self, i: Any) -> Any:
        """Return one Explanation (int), or the Explanations of a slice."""
        if isinstance(i, slice):
            return Explanations(self._explanations[i])
        return self._explanations[i]

    def to_dict(self) -> list[dict[str, Any]]:
        """Return a list of the explanations' `Explanation.to_dict`."""
        return [explanation.to_dict() for explanation in self]

    def to_json(self, indent: int | None = None) -> str:
        """Write `to_dict` as JSON; ``indent`` as for :func:`json.dumps`.

        Without it there are no spaces.
        """
        if indent is not None:
            return json.dumps(self.to_dict(), indent=indent, allow_nan=False)
        return f"[{write_json(e._record() for e in self)}]"

    def to_frame(self) -> Any:
        """Return a DataFrame of a row for each document and WFSA or unit.

        Columns are ``document``, ``prediction``, ``wfsa``, ``number``, ``score``,
        ``contribution`` (of two classes to the logit of ``classes[1]``, of more to
        that of the predicted class),
        ``share``, ``phrase``, and what is predicted without the phrase. Of a gated
        network they are ``document``, ``prediction``, ``unit``, ``gates``, ``score``
        and ``contribution``.

        Raises
        ------
        ImportError
            If pandas isn't installed.
        """
        rows = [
            {"document": n, "prediction": e.prediction, **row}
            for n, e in enumerate(self)
            for row in e.rows()
        ]
        names = rows[0] if rows else _COLUMNS
        return data_frame({name: [row[name] for row in rows] for name in names})

    def to_text(self) -> str:
        """Write the explanations for a terminal, one below the other."""
        return "\n\n".join(explanation.to_text() for explanation in self)

    def to_html(self) -> str:
        """Write the explanations for a notebook; all text is escaped."""
        return documents_html(self)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Explanations):
            return NotImplemented
        return self._explanations == other._explanations

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        more = len(self) - _SHOWN
        parts = [e.to_text() for e in self._explanations[:_SHOWN]]
        parts += [f"... and {more} more"] * (more > 0)
        return "\n\n".join([f"Explanations of {len(self)} documents", *parts])

    def __str__(self) -> str:
        return self.to_text()

    def _repr_html_(self) -> str:
        return self.to_html()
