"""The vectorizer of word vectors: texts in, type-level sequences out."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import islice
from numbers import Integral
from typing import Any, ClassVar, Literal

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from skrational.exceptions import OutOfVocabularyWarning, UnusableVectorWarning
from skrational.sequences import SequenceArray
from skrational.text.base import TextVectorizer
from skrational.text.vectors.coverage import (
    advice_for_unknown,
    describe_missing,
    find_unknown,
)
from skrational.text.vectors.kept import KeepsTables
from skrational.text.vectors.loading import CORPUS, load_tables
from skrational.text.vectors.shown import TableParameterMixin
from skrational.text.vectors.stop_words import StopWords
from skrational.text.vectors.word_rows import SharedRows, WordRows
from skrational.text.vectors.word_source import (
    WordSource,
    count_missing,
    draw_vectors,
)
from skrational.text.words.documents import check_any, check_documents
from skrational.text.words.encoded_texts import EncodedTexts, encode_texts
from skrational.text.words.lexicon import Lexicon
from skrational.text.words.places import WordFinder
from skrational.text.words.spans import Frame, split_documents
from skrational.utils.callers import called_function, caller_level
from skrational.utils.checks import is_integer

__all__ = ["WordVectorizer"]


class WordVectorizer(KeepsTables, TableParameterMixin, TextVectorizer):
    """Turn texts into sequences of word vectors, learned from them or before.

    The result holds the vector of each word once, of the words that occurred so far,
    however large the table is. Words are looked up in the whole table, so that
    `transform` knows words that `fit` never saw, if vectors come from elsewhere.

    Start with ``vectors``. The parameters come in groups: where vectors come from, how
    texts become tokens, unknown words and long texts, what is learned, and the rest.

    Parameters
    ----------
    vectors : str, path-like, KeyedVectors, dict, or list of these, default="corpus"
        Where the vectors come from. ``"corpus"``: they are learned in `fit` from its
        texts [2]_, in a second from some thousand. A path leads to a text table (GloVe,
        word2vec, fastText, CSV), to binary vectors of word2vec or of Facebook's
        fastText, or to what gensim's ``save`` wrote; the user guide says more. A name
        such as ``"glove-wiki-gigaword-300"`` is downloaded by gensim when first used. A
        gensim KeyedVectors object or a dict from words to vectors is used as it is. A
        list joins tables: a word has the vectors of all, zeros where one lacks it.
    lowercase : bool, default=True
        Whether to turn texts to lower case before they are tokenised, and the tokens of
        documents that are lists of these.
    tokenizer : callable, default=None
        Takes a document as it is in X and returns its tokens; ``str.split`` for texts
        whose tokens are separated by spaces. None: lists of tokens are taken as they
        are, and texts tokenised by `skrational.text.tokenize.tokenize`, compiled, which
        is faster than any function in Python. To pickle the vectorizer, give a function
        that pickles, so no lambda.
    start_token, end_token : str or None, default="<s>" and "</s>"
        Put before and after each text; None: nothing. One that the table lacks gets a
        random vector of its own, as in the code of [1]_: uniform between -0.25 and
        0.25, then scaled as the others.
    unit_norm : bool, default=True
        Whether to scale each vector to Euclidean length 1. Zero vectors stay zero.
    oov : {"random", "zero", "drop"}, default="random"
        What becomes of words without a vector: they share one random vector, drawn as
        above, or a zero vector, or are left out.
    stop_words : sequence of str, default=()
        Words that are left out, as if texts didn't hold them, in whatever spelling
        looks alike; `skrational.editing.without` adds to them.
    max_length : int, default=None
        The most tokens of a text to keep, before words are left out of them;
        the start and end tokens come on top. None: all of them.
    keep : {"start", "end"}, default="start"
        Which end of a longer text is kept.
    n_features : int, default=200
        Width of the vectors of ``"corpus"``; no more than words have vectors.
    window : int, default=5
        How many tokens away the neighbours are from which they are learned.
    min_count : int, default=3
        How often a word has to occur for one.
    cache : bool, str or path-like, default=True
        Whether to keep a binary copy of a parsed file, from which the next process
        loads it in a second, mapped into memory and shared among processes. True: in
        the folder named by the variable ``SKRATIONAL_CACHE``, or ``skrational`` in
        ``XDG_CACHE_HOME`` or ``~/.cache``. A path names another folder.
    random_state : int, RandomState instance or None, default=0
        Draws the random vectors. None: other ones at each fit.

    Attributes
    ----------
    n_features_out_ : int
        Width of the vectors.
    out_of_vocabulary_ : float
        Share, from 0 to 1, of the tokens of the texts given to `fit` (after truncation,
        without the start and end tokens) that have no vector.
    special_vectors_ : dict from str to ndarray of shape (n_features,)
        The random vectors of the start and end tokens that the table lacks.
    unknown_vector_ : ndarray of shape (n_features,) or None
        The vector of all other words that the table lacks; None if they are left out.

    Notes
    -----
    Clones share the table: a grid search reads it once. A pickle of a fitted vectorizer
    holds the path of the vectors, not the table, and reads the file again when it's
    used; a dict, KeyedVectors, and what was learned from texts it holds itself.
    `joblib.hash`, which ``Pipeline(memory=...)`` calls at each fit, reads all of them,
    in time linear in the table, the longest for a dict of vectors of unequal types.

    The results of one vectorizer share their rows: those of all words of the table that
    it has met since `fit`, to which each call of `transform` appends its new ones. A
    call takes the time of its own tokens, however many words were met before. When
    rows take more than 64 MiB, words that the table lacks are forgotten and looked up
    again; all words are at 2 GiB. The vector of a word is looked up once: don't change
    the dict or KeyedVectors after `fit`.

    No file of vectors runs code, not even a pickle that gensim saved. Words are looked
    up as they are, then as they look: in Unicode's normal form C and without invisible
    characters. Of fastText, words outside the table have the vectors of their n-grams.

    References
    ----------
    .. [1] Dodge, Schwartz, Peng and Smith, "RNN Architecture Learning with Sparse
       Regularization", EMNLP 2019, arXiv:1909.03011.
    .. [2] Levy, Goldberg and Dagan, "Improving Distributional Similarity with Lessons
       Learned from Word Embeddings", TACL 2015.

    Examples
    --------
    >>> vectors = {"good": [2.0, 0.0], "bad": [-2.0, 0.0], "not": [0.0, 1.0]}
    >>> vectorizer = WordVectorizer(vectors, start_token=None, end_token=None)
    >>> X = vectorizer.fit_transform(["Not good", "bad, not good"])
    >>> X
    SequenceArray(2 sequences, 6 tokens of 2 features in 4 rows, type-level)
    >>> X.labels.tolist()
    ['not', 'good', 'bad', '<unk>']
    >>> X[0]
    array([[0., 1.],
           [1., 0.]], dtype=float32)
    >>> print(f"{vectorizer.out_of_vocabulary_:.3f}")
    0.167
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "vectors": "no_validation",
        "lowercase": ["boolean"],
        "tokenizer": [callable, None],
        "start_token": [str, None],
        "end_token": [str, None],
        "unit_norm": ["boolean"],
        "oov": [StrOptions({"random", "zero", "drop"})],
        "stop_words": ["array-like"],
        "max_length": [Interval(Integral, 1, None, closed="left"), None],
        "keep": [StrOptions({"start", "end"})],
        "n_features": [Interval(Integral, 1, None, closed="left")],
        "window": [Interval(Integral, 1, None, closed="left")],
        "min_count": [Interval(Integral, 1, None, closed="left")],
        "cache": ["boolean", str, os.PathLike],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        vectors: Any = CORPUS,
        *,
        lowercase: bool = True,
        tokenizer: Callable[[str], Iterable[str]] | None = None,
        start_token: str | None = "<s>",
        end_token: str | None = "</s>",
        unit_norm: bool = True,
        oov: Literal["random", "zero", "drop"] = "random",
        stop_words: Sequence[str] = (),
        max_length: int | None = None,
        keep: Literal["start", "end"] = "start",
        n_features: int = 200,
        window: int = 5,
        min_count: int = 3,
        cache: bool | str | os.PathLike[str] = True,
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        self.vectors = vectors
        self.lowercase = lowercase
        self.tokenizer = tokenizer
        self.start_token = start_token
        self.end_token = end_token
        self.unit_norm = unit_norm
        self.oov = oov
        self.stop_words = stop_words
        self.max_length = max_length
        self.keep = keep
        self.n_features = n_features
        self.window = window
        self.min_count = min_count
        self.cache = cache
        self.random_state = random_state

    def fit(self, X: Iterable[Any], y: Any = None) -> WordVectorizer:
        """Load the table and count the words that it lacks.

        Parameters
        ----------
        X : iterable of str, or of lists of str
            The texts, or their tokens; at least one.
        y : None
            Ignored.

        Returns
        -------
        WordVectorizer
            This vectorizer.

        Raises
        ------
        FileNotFoundError
            If there is neither a file nor a downloadable table of this name.
        VectorFileError
            (a ValueError) if the file cannot be read to its end.
        ValueError, TypeError
            If a parameter or X isn't as documented.

        Warns
        -----
        OutOfVocabularyWarning
            If more than 30 % of the tokens have no vector, or some texts hold no word
            that has one.
        UnusableVectorWarning
            If vectors of the table hold NaN or infinity, or are no vectors; it names
            the words, which count as unknown.
        FeatureCacheWarning
            If the binary copy of the file was damaged; it is made anew.
        """
        return super().fit(X, y)

    def transform(self, X: Iterable[Any]) -> SequenceArray:
        """Look up the words of texts.

        Parameters
        ----------
        X : iterable of str, or of lists of str
            The texts, or their tokens; at least one. An empty text becomes its start
            and end tokens.

        Returns
        -------
        SequenceArray of len(X) sequences
            Its rows are float32 and come in the order in which the words first occurred
            since `fit`; its labels are the words, and "<unk>" for those that the table
            lacks. It shares its rows with the other results of this vectorizer, so that
            there may be more than its tokens refer to.

        Raises
        ------
        FileNotFoundError
            If the vectorizer was unpickled and the file of its vectors isn't there.
        ValueError, TypeError
            If X isn't as documented.

        Warns
        -----
        OutOfVocabularyWarning
            If some texts hold no word that has a vector, the first hundred times; or
            most tokens of the call have none, once for each method that was called.
        """
        check_is_fitted(self)
        rows = self._rows.open(self._open_source())
        sizes = self._frame.sizes
        sequences, texts, words = rows.encode(self._encode(X, rows.lexicon), sizes)
        faults = []
        if texts.n and self._rows.may_warn("texts"):
            faults.append(texts.describe(X, len(sequences), sizes, self.oov))
        if words.are_most and self._rows.may_warn(called_function(), 1):
            faults.append(words.describe(advice_for_unknown(self.lowercase)))
        if faults:
            message = " ".join(faults)
            warnings.warn(message, OutOfVocabularyWarning, stacklevel=caller_level())
        return sequences

    def vocabulary(self, n_words: int | None = 20_000) -> SequenceArray:
        """Return the words of the table, as documents of one word each.

        What a classifier would make of every word, without a corpus.

        Parameters
        ----------
        n_words : int or None, default=20_000
            So many words of the table, from its first one on: tables are mostly sorted
            by frequency, and among hundreds of thousands of rare words some score high
            by chance. None: all of them.

        Returns
        -------
        SequenceArray of at most n_words + 2 sequences
            After the start and end tokens, where they have vectors of their own; labels
            are the words.

        Raises
        ------
        NotFittedError
            If the vectorizer isn't fitted.
        ValueError
            If ``n_words`` isn't an integer from 1 upwards, or a vector holds NaN.

        Examples
        --------
        >>> vectors = {"good": [2.0, 0.0], "bad": [-2.0, 0.0]}
        >>> vectorizer = WordVectorizer(vectors).fit(["good"])
        >>> vectorizer.vocabulary().labels.tolist()
        ['<s>', '</s>', 'good', 'bad']
        """
        check_is_fitted(self)
        if n_words is not None and not (is_integer(n_words) and n_words >= 1):
            raise ValueError(
                f"n_words is {n_words!r}; expected an integer from 1 upwards, or None."
            )
        source = self._open_source()
        framing = (self.start_token, self.end_token)
        words: list[str | None] = [w for w in framing if w in source.special]
        known = (w for w in source.table.words if w not in self._stop_words)
        words += islice(known, n_words)
        labels = np.array(words, dtype=object)
        return SequenceArray(
            source.take(words), np.arange(len(words) + 1), labels=labels
        )

    def _fit(self, X: Iterable[Any], transform: bool) -> SequenceArray | None:
        loaded = load_tables(self.vectors, self.cache)
        told = (t.describe_unusable() for t in loaded if t is not None)
        unusable = " ".join(filter(None, told))
        lexicon = Lexicon()
        encoded = self._encode(X, lexicon)
        tables = [table or self._learn(encoded, lexicon) for table in loaded]
        table = self._join(tables)
        framing = (self.start_token, self.end_token)
        special, unknown = draw_vectors(
            table, *framing, self.unit_norm, self.random_state
        )
        choices = {"random": unknown, "zero": np.zeros_like(unknown), "drop": None}
        source = WordSource(table, special, choices[self.oov], self.unit_norm)
        is_known = {w: w in table for w in lexicon.words(np.arange(len(lexicon)))}
        missing, n_tokens = count_missing(encoded, is_known, set(framing))
        known = np.fromiter(is_known.values(), bool)
        blank = find_unknown(*encoded, known, self._frame.sizes)
        faults = [
            describe_missing(missing, n_tokens, self.lowercase),
            blank.describe(X, len(encoded.offsets) - 1, self._frame.sizes, self.oov),
        ]
        rows = WordRows(source, lexicon)
        sequences = rows.encode(encoded)[0] if transform else None
        # Whatever fails until here leaves the vectorizer as it was.
        self._keep(tables, is_known)
        self._rows = SharedRows(rows if transform else None)
        self.n_features_out_ = table.n_features
        self.special_vectors_, self.unknown_vector_ = source.special, source.unknown
        self.out_of_vocabulary_ = missing.total() / max(1, n_tokens)
        if any(faults):
            message = " ".join(filter(None, faults))
            warnings.warn(message, OutOfVocabularyWarning, stacklevel=caller_level())
        if unusable:
            warnings.warn(unusable, UnusableVectorWarning, stacklevel=caller_level())
        return sequences

    def _finder(self) -> WordFinder:
        known = self._open_source() if self.unknown_vector_ is None else None
        kept = self._stop_words.others(known)
        return WordFinder(self.tokenizer, self._frame, self.lowercase, kept)

    @property
    def _frame(self) -> Frame:
        return Frame(
            self.start_token, self.end_token, self.max_length, self.keep == "end"
        )

    def _encode(self, X: Iterable[Any], lexicon: Lexicon) -> EncodedTexts:
        split = partial(
            split_documents, self.tokenizer, frame=self._frame, lowercase=self.lowercase
        )
        check = check_documents if self.tokenizer is None else check_any
        encoded = encode_texts(X, split, lexicon, check)
        return self._stop_words.left_out_of(encoded, lexicon)

    @property
    def _stop_words(self) -> StopWords:
        framing = (self.start_token, self.end_token)
        return StopWords.of(self.stop_words, self.lowercase, framing)
