"""One explanation as a picture: bars that add up to the logit, and the document."""

from __future__ import annotations

from typing import Any

from skrational.inspection.explaining.explain import Toward, explain
from skrational.inspection.explaining.explanations import Explanation
from skrational.inspection.explaining.picture import (
    WIDTH,
    draw_bars,
    write_captions,
    write_tokens,
)
from skrational.inspection.explaining.summands import MAX_WFSAS, summarize
from skrational.utils.checks import check_count
from skrational.utils.figures import new_axes

__all__ = ["ExplanationDisplay"]


class ExplanationDisplay:
    """Draw the explanation of one prediction.

    Bars are the bias and what each WFSA adds to the logit of the predicted class (or,
    as `explain` was asked, of the second class); they sum to it. What speaks for the
    prediction has its colour and a solid line. What speaks against it has dashes and,
    of two classes, the colour of the other one, else it is grey. A label says which
    WFSA it is, and the phrase of the path that leads, with self-loops in parentheses.
    What is predicted without a phrase, and the phrase's share of the score, are in
    `Explanation.to_html` and `Explanation.to_text`. Bars of a gated network are those
    of its units; their labels say which gates vary.

    Below are the tokens, highlighted likewise by what each adds to the log-odds of the
    prediction, the strong ones framed. What these effects leave of the log-odds is
    `Explanation.remainder`.

    Parameters
    ----------
    explanation : Explanation

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    bars_ : BarContainer
        Of the bias, of the WFSAs in the order of size and, if there are more than
        ``max_wfsas``, of all others together.
    numbers_ : list of Annotation
        What is written beside the bars.
    phrases_ : list of Text
        The label of each bar: "bias", the WFSA with its phrase, or how many others.
    tokens_ : list of Annotation
        Those that are shown, with "…" where some are left out.

    Examples
    --------
    >>> import numpy as np
    >>> from matplotlib.figure import Figure
    >>> from skrational import SparseRationalClassifier
    >>> from skrational.datasets import make_planted_patterns
    >>> data = make_planted_patterns(n_documents=200, random_state=0)
    >>> clf = SparseRationalClassifier(n_wfsas=3, random_state=0, max_epochs=2)
    >>> display = ExplanationDisplay.from_estimator(
    ...     clf.fit(data.X, data.y), data.X[:1], ax=Figure().subplots()
    ... )
    >>> logit = display.explanation.logits[0]
    >>> bars = sum(bar.get_width() for bar in display.bars_)
    >>> bool(np.isclose(bars, abs(logit), atol=1e-5))
    True
    """

    def __init__(self, explanation: Explanation) -> None:
        self.explanation = explanation

    def plot(
        self, ax: Any = None, *, max_wfsas: int = MAX_WFSAS, max_tokens: int = 120
    ) -> ExplanationDisplay:
        """Draw the explanation.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to; its axes are hidden. It shows as many tokens as it has room for.
            None makes a new figure, as high as it needs.
        max_wfsas : int, default=8
            WFSAs, or units, that have a bar of their own, the largest in size.
        max_tokens : int, default=120
            Of a longer document only the surroundings of the phrases and of the
            strongest tokens are shown.

        Returns
        -------
        ExplanationDisplay

        Raises
        ------
        ValueError
            If ``max_wfsas`` or ``max_tokens`` isn't an integer from 0 upwards.
        ImportError
            If matplotlib isn't installed.
        """
        max_wfsas = check_count("max_wfsas", max_wfsas, least=0)
        max_tokens = check_count("max_tokens", max_tokens, least=0)
        e, summary = self.explanation, summarize(self.explanation, max_wfsas)
        own = ax is None
        ax = new_axes(figsize=(WIDTH, WIDTH)) if own else ax
        self.tokens_ = write_tokens(ax, e, summary, max_tokens, fit_height=own)
        self.bars_, self.numbers_, self.phrases_ = draw_bars(ax, e, summary)
        write_captions(ax, e, summary)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    @classmethod
    def from_explanation(
        cls, explanation: Explanation, *, ax: Any = None, **kwargs: Any
    ) -> ExplanationDisplay:
        """Draw an explanation that was made before.

        Parameters
        ----------
        explanation : Explanation
        ax, **kwargs
            As for `plot`.

        Returns
        -------
        ExplanationDisplay

        Raises
        ------
        TypeError
            If it isn't one Explanation.
        """
        if not isinstance(explanation, Explanation):
            raise TypeError(
                f"explanation is a {type(explanation).__name__}; expected an "
                "Explanation, that of one document."
            )
        return cls(explanation).plot(ax, **kwargs)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        *,
        toward: Toward = "prediction",
        ax: Any = None,
        **kwargs: Any,
    ) -> ExplanationDisplay:
        """Explain the prediction for one document and draw that.

        Parameters
        ----------
        estimator : SparseRationalClassifier, SparseLSTMClassifier, or what holds one
            A fitted classifier, a pipeline that ends with one, or a search or another
            wrapper around either, as `explain` takes it.
        X : str, SequenceArray or array-like
            One document: what the classifier reads or, with a pipeline, a str or what
            that reads.
        toward : {"prediction", "positive"}, default="prediction"
            As for `explain`.
        ax, **kwargs
            As for `plot`.

        Returns
        -------
        ExplanationDisplay

        Raises
        ------
        NotFittedError
            If the estimator isn't fitted.
        TypeError, ValueError
            As for `explain`, or if X isn't one document.
        """
        explained = explain(estimator, X, toward=toward)
        if not isinstance(explained, Explanation):
            if len(explained) != 1:
                raise ValueError(
                    f"X holds {len(explained)} documents; expected exactly one."
                )
            explained = explained[0]
        return cls.from_explanation(explained, ax=ax, **kwargs)
