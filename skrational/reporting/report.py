"""One page about a model: what it is, how good it is, what it looks for."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any

from skrational._version import __version__
from skrational.inspection.explaining.underlined import visible
from skrational.inspection.model import open_any_model
from skrational.reporting.automata import automata_section
from skrational.reporting.card import card_html, card_markdown
from skrational.reporting.facts import ModelFacts, facts_of
from skrational.reporting.page import page
from skrational.reporting.parts import (
    card_sections,
    documents_html,
    lead,
    model_section,
)
from skrational.reporting.scores import Scores
from skrational.reporting.sections import documents_section, structure_section
from skrational.reporting.tasks import task_of
from skrational.reporting.values import ValueScores
from skrational.utils.checks import check_count
from skrational.utils.files import expanded, replaced_file

__all__ = ["Report", "report"]

_READ = ("automata_", "n_gates_", "n_links_")
_PAGES, _CARDS = (".html", ".htm"), (".md", ".markdown")


@dataclass(frozen=True, eq=False, repr=False)
class Report:
    """A page about a model, as `report` makes it; shows itself in notebooks.

    Attributes
    ----------
    title : str
    facts : ModelFacts
        What the model is.
    scores : Scores, ValueScores or None
        How good it is on the given documents, by classes or, of a regressor, by values;
        None if they came without y.

    Examples
    --------
    >>> from skrational import SparseRationalClassifier
    >>> from skrational.datasets import make_planted_patterns
    >>> from skrational.reporting import report
    >>> data = make_planted_patterns(n_documents=300, random_state=0)
    >>> clf = SparseRationalClassifier(n_wfsas=4, random_state=0, max_epochs=5)
    >>> made = report(clf.fit(data.X[:200], data.y[:200]), data.X[200:], data.y[200:])
    >>> made
    Report('SparseRationalClassifier', 100 documents, accuracy ...)
    >>> made.to_markdown().splitlines()[1]
    'library_name: skrational'
    """

    title: str
    facts: ModelFacts
    scores: Scores | ValueScores | None
    _lead: str = field(repr=False)
    _sections: tuple[tuple[str, str], ...] = field(repr=False)
    _card: tuple[tuple[str, list[str]], ...] = field(repr=False)
    _n_documents: int
    _made: str

    def to_html(self) -> str:
        """Write the page: one HTML document that loads nothing and runs no script.

        Returns
        -------
        str
        """
        sections = (*self._sections, ("Model card", card_html(self._card)))
        footer = f"Made by skrational {__version__} on {self._made}."
        return visible(page(self.title, self._lead, sections, footer))

    def to_markdown(self) -> str:
        """Write the model card, in the form of the Hugging Face hub.

        Returns
        -------
        str
        """
        card = card_markdown(self.title, self.facts, self.scores, self._card)
        return visible(card)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the page to a file or, if its name ends with ".md", the model card.

        The file is written whole or not at all, and replaces one of that name.

        Parameters
        ----------
        path : path-like
            In a folder that is there. The name ends with ".html" or ".htm" for the
            page, with ".md" or ".markdown" for the card.

        Returns
        -------
        Path

        Raises
        ------
        ValueError
            If the name ends with something else.
        OSError
            If the file can't be written.
        """
        path = expanded(path)
        suffix = path.suffix.lower()
        if suffix not in (*_PAGES, *_CARDS) and not path.is_dir():
            expected = ", ".join(_PAGES + _CARDS)
            raise ValueError(
                f"path is {str(path)!r}, whose name ends with {suffix!r}; expected one "
                f"of {expected}."
            )
        text = self.to_markdown() if suffix in _CARDS else self.to_html()
        with replaced_file(path, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        return path

    def __repr__(self) -> str:
        told = f"{self._n_documents:,} documents"
        if self.scores is not None:
            told += f", {self.scores.told}"
        return f"Report({self.title!r}, {told})"

    def _repr_html_(self) -> str:
        # A notebook has a page of its own: this one gets a frame, so that neither
        # changes how the other looks.
        title = escape(visible(self.title))
        return (
            f'<iframe srcdoc="{escape(self.to_html())}" title="{title}" '
            'style="width:100%;height:40em;border:1px solid rgba(127,127,127,.4)">'
            "</iframe>"
        )


def report(
    estimator: Any,
    texts: Any,
    y: Any = None,
    *,
    train: tuple[Any, Any] | None = None,
    path: Any = None,
    title: str | None = None,
    intended_use: str | None = None,
    n_errors: int = 10,
) -> Report:
    """Make a page about a fitted model: one HTML file, to be read without Python.

    It says what the model is and how large, how good its predictions are beside those
    of simple models, what each automaton looks for, and explains the most confident
    mistakes; of a regressor, the largest errors. A model card is at its end.

    Parameters
    ----------
    estimator : classifier, SparseRationalRegressor, or what holds one
        A fitted classifier of this package or a regressor of one number, a pipeline
        that ends with one, or a search or another wrapper around either, as
        `skrational.inspection.explain` takes it. Of a network that isn't explained, the
        page has structure and scores.
    texts : sequence of documents
        What the estimator reads. Scores mean something only if it hasn't learned from
        them.
    y : array-like of shape (n_documents,), default=None
        Their labels, or values. None: the page has no scores, and explains what the
        model is least sure of, or the predictions that are farthest from their mean.
    train : tuple (texts, y), default=None
        What the estimator was fitted on. If given, TF-IDF with logistic or ridge
        regression is fitted on it for comparison, unless all of its y are the same, and
        documents that are in both are counted.
    path : RegularizationPath, default=None
        Shown as a curve and a table.
    title : str, default=None
        None: the name of the class of the classifier or regressor.
    intended_use : str, default=None
        What the model is for, for the model card.
    n_errors : int, default=10
        How many mistakes, or errors, are explained, at most.

    Returns
    -------
    Report
        With ``to_html()``, ``to_markdown()`` and ``save(path)``.

    Raises
    ------
    NotFittedError
        If the estimator isn't fitted.
    TypeError, ValueError
        If the estimator holds no such classifier or regressor, or texts, y or another
        parameter aren't what they should be; or if there are several labels or numbers
        to predict, of which `skrational.inspection.single_output` takes one.

    See Also
    --------
    skrational.inspection.explain : Explains single predictions.
    skrational.inspection.top_phrases : What each automaton looks for.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from skrational import SparseRationalClassifier, WordVectorizer
    >>> from skrational.datasets import make_product_reviews
    >>> reviews = make_product_reviews(150, random_state=0)
    >>> pipeline = make_pipeline(
    ...     WordVectorizer(n_features=20),
    ...     SparseRationalClassifier(n_wfsas=2, max_epochs=1, random_state=0),
    ... )
    >>> texts, labels = reviews.texts, reviews.labels
    >>> pipeline = pipeline.fit(texts[:100], labels[:100])
    >>> made = report(pipeline, texts[100:], labels[100:], title="Goods")
    >>> made
    Report('Goods', 50 documents, accuracy ...)
    >>> made.to_html().startswith("<!DOCTYPE html>")
    True
    """
    n_errors = check_count("n_errors", n_errors, least=0)
    for name, value in (("title", title), ("intended_use", intended_use)):
        if value is not None and not isinstance(value, str):
            raise TypeError(f"{name} is {value!r}; expected a str or None.")
    if path is not None and not hasattr(path, "points"):
        raise TypeError(
            f"path is a {type(path).__name__}; expected a RegularizationPath or None."
        )
    model = open_any_model(estimator, _READ)
    task = task_of(model)
    documents = task.read(estimator, model, texts, y)
    training = None if train is None else task.read_training(train, documents)
    facts = facts_of(model)
    scores = task.score(documents, training)
    sections = [("Model", model_section(facts, structure_section(model)))]
    not_compared = task.why_not_compared(documents, training)
    on = documents_html(documents, training, not_compared)
    if scores is None:
        sections.append(("Predictions", on + task.predictions_html(documents)))
    else:
        sections.append(("Scores", on + task.scores_html(scores, documents)))
    if model.has_automata and not model.is_layered:
        sections.append(("Automata", automata_section(estimator, model, documents)))
    if path is not None:
        sections.append(("Path", path._repr_html_()))
    if n_errors:
        html = documents_section(estimator, model, documents, n_errors)
        sections.append((task.others if scores is None else task.errors, html))
    return Report(
        title=title or facts.kind,
        facts=facts,
        scores=scores,
        _lead=lead(facts, scores, documents),
        _sections=tuple(sections),
        _card=tuple(
            card_sections(facts, documents, training, not_compared, intended_use)
        ),
        _n_documents=len(documents),
        _made=datetime.now(UTC).date().isoformat(),
    )
