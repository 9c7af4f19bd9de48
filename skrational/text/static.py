"""The vectorizer of static subword embeddings: texts in, type-level sequences out."""

from __future__ import annotations

import os
from collections.abc import Iterable
from numbers import Integral
from typing import Any, ClassVar, Literal

from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from skrational.sequences import SequenceArray
from skrational.text.base import TextVectorizer
from skrational.text.static_models.model import StaticModel, load_model
from skrational.text.static_models.places import SubwordFinder
from skrational.text.static_models.rows import Cut, SubwordRows
from skrational.text.words.documents import check_texts

__all__ = ["StaticVectorizer"]


class StaticVectorizer(TextVectorizer):
    """Turn texts into sequences of static subword embeddings.

    For models of Model2Vec [1]_, of sentence-transformers' StaticEmbedding and of
    WordLlama: a tokenizer and a matrix. Unlike BERT's, the vector of a subword depends
    on nothing but the subword; the result holds each vector once, of the subwords that
    occurred so far. Any text has subwords, so that few words are unknown.

    Parameters
    ----------
    model : str or path-like
        A folder with ``tokenizer.json`` and ``model.safetensors``, in it or in its
        ``0_StaticEmbedding``; or ``"wordllama"``, the model that ``pip install
        wordllama`` brings; or a name on the Hugging Face hub such as
        ``"minishlab/potion-base-8M"``, which is downloaded when first used.
    unit_norm : bool, default=True
        Whether to scale each vector to Euclidean length 1. Zero vectors stay zero. What
        is lost are the lengths, which say how much a subword matters in an average.
    oov : {"vector", "drop"}, default="vector"
        What becomes of what the tokenizer doesn't know: it has the vector that the
        model has for it, or is left out, as Model2Vec does. Tokenizers that fall back
        on bytes know everything.
    max_length : int, default=None
        The most subwords of a text to keep, before any are left out by ``oov="drop"``.
        None: all of them, whatever the tokenizer's file says.
    keep : {"start", "end"}, default="start"
        Which end of a longer text is kept.
    revision : str, default=None
        Which version of the model: a branch, a tag or a commit on the hub; None: its
        main branch. For a folder, what ``revision_`` must be; None: whatever it holds.

    Attributes
    ----------
    n_features_out_ : int
        Width of the vectors.
    revision_ : str
        The commit on the hub that the files come from; or the fingerprint of the model:
        a hash of its tokenizer, its shape and a sample of its vectors.

    Notes
    -----
    The tokenizer is the model's, which decides about upper and lower case. It runs in
    parallel if the variable ``TOKENIZERS_PARALLELISM`` isn't ``false``. Special tokens
    that a model of sentences would put around a text are left out: an empty text is an
    empty sequence.

    A subword's label is its text. One that goes on within a word begins with ``##``, as
    in BERT's vocabulary; marks such as commas don't. A tokenizer that marks the space
    before a word, and puts none before a text, has other subwords for the first word
    of a text, which look as if they went on. What is no text by itself, such as a byte
    of an emoji, is labelled as the vocabulary writes it, and what isn't known as
    ``<unk>``.

    The matrix is mapped into memory, whole or half precision alike, and shared by
    processes; clones share the model. The results of one vectorizer share their rows,
    which are float32: each call of `transform` appends its new ones, so that a later
    result may have rows that none of its tokens refers to. A pickle holds the name of
    the model and ``revision_``, not the matrix; it goes on with the same commit, or
    refuses a folder of another model.

    References
    ----------
    .. [1] Tulkens and van Dongen, "Model2Vec: Fast State-of-the-Art Static Embeddings",
       2024, https://github.com/MinishLab/model2vec.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from skrational import SparseRationalClassifier
    >>> vectorizer = StaticVectorizer("wordllama")
    >>> pipeline = make_pipeline(vectorizer, SparseRationalClassifier())
    >>> pipeline.fit(texts, labels)  # doctest: +SKIP
    >>> vectorizer.transform(["Unputdownable"]).labels  # doctest: +SKIP
    array(['Un', '##put', '##down', '##able'], dtype=object)
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "model": [str, os.PathLike],
        "unit_norm": ["boolean"],
        "oov": [StrOptions({"vector", "drop"})],
        "max_length": [Interval(Integral, 1, None, closed="left"), None],
        "keep": [StrOptions({"start", "end"})],
        "revision": [str, None],
    }

    def __init__(
        self,
        model: str | os.PathLike[str],
        *,
        unit_norm: bool = True,
        oov: Literal["vector", "drop"] = "vector",
        max_length: int | None = None,
        keep: Literal["start", "end"] = "start",
        revision: str | None = None,
    ) -> None:
        self.model = model
        self.unit_norm = unit_norm
        self.oov = oov
        self.max_length = max_length
        self.keep = keep
        self.revision = revision

    def fit(self, X: Iterable[str], y: Any = None) -> StaticVectorizer:
        """Check the texts and open the model.

        Parameters
        ----------
        X : iterable of str
            The texts; at least one.
        y : None
            Ignored.

        Returns
        -------
        StaticVectorizer
            This vectorizer.

        Raises
        ------
        ImportError
            If tokenizers or safetensors isn't installed, or the package that the model
            is part of.
        FileNotFoundError
            If there is no such model, in a folder or on the hub.
        ValueError, TypeError
            If the model is damaged or of another kind, or a parameter or X isn't as
            documented.
        """
        return super().fit(X, y)

    def transform(self, X: Iterable[str]) -> SequenceArray:
        """Look up the subwords of texts.

        Parameters
        ----------
        X : iterable of str
            The texts; at least one. An empty text becomes an empty sequence.

        Returns
        -------
        SequenceArray of len(X) sequences
            Its rows are float32 and come in the order in which the subwords first
            occurred since `fit`. It shares its rows with the other results of this
            vectorizer, so that there may be more than its tokens refer to.

        Raises
        ------
        FileNotFoundError, ValueError
            If the vectorizer was unpickled and its model isn't there, or the folder
            holds another one.
        ValueError
            If the vector of a subword holds NaN or infinity; the message names it.
        ValueError, TypeError
            If X isn't as documented.

        Warns
        -----
        OutOfVocabularyWarning
            If the tokenizer knows less than half of the tokens, once for each method
            that was called.
        """
        check_is_fitted(self)
        sequences, *counts = self._encode(self._open_rows(), check_texts(X))
        self._warn_of_unknown(X, sequences, *counts)
        return sequences

    def _fit(self, X: Iterable[str], transform: bool) -> SequenceArray | None:
        texts = list(check_texts(X))
        if not texts:
            raise ValueError("X holds no texts; expected at least one.")
        model, revision = load_model(self.model, self.revision)
        rows = SubwordRows(model, self.unit_norm)
        sequences = self._encode(rows, texts)[0] if transform else None
        # Whatever fails until here leaves the vectorizer as it was.
        self._model, self._rows = model, rows
        self.n_features_out_, self.revision_ = model.matrix.n_features, revision
        return sequences

    def _encode(
        self, rows: SubwordRows, texts: Iterable[str]
    ) -> tuple[SequenceArray, int, int]:
        return rows.encode(texts, self._cut, with_unknown=self.oov == "vector")

    @property
    def _cut(self) -> Cut:
        return Cut(self.max_length, self.keep == "end")

    def _finder(self) -> SubwordFinder:
        return SubwordFinder(self._open_model(), self._cut, self.oov == "vector")

    def _open_rows(self) -> SubwordRows:
        """Return the rows, new ones if there are none with these lengths."""
        rows: SubwordRows | None = vars(self).get("_rows")
        if rows is None or rows.unit_norm != self.unit_norm:
            rows = self._rows = SubwordRows(self._open_model(), self.unit_norm)
        return rows

    def _open_model(self) -> StaticModel:
        """Return the model of fit, opened again if this is an unpickled copy."""
        if "_model" not in vars(self):
            self._model, _ = load_model(self.model, self.revision_)
        return self._model

    def __getstate__(self) -> dict[str, Any]:
        state = dict(super().__getstate__())
        for name in ("_model", "_rows", "_warned"):
            state.pop(name, None)
        return state
