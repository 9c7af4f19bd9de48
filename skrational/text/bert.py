"""The vectorizer of contextual embeddings: texts in, token-level sequences out."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from math import inf
from numbers import Integral
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from skrational.sequences import UNKNOWN, SequenceArray
from skrational.text.base import TextVectorizer
from skrational.text.encoders.embedding import embed_texts
from skrational.text.encoders.hub import check_revision, describe_encoder
from skrational.text.encoders.loading import FASTEST, load_encoder
from skrational.text.encoders.places import EncodedFinder
from skrational.text.encoders.settings import EmbeddingSettings, Layers
from skrational.text.features.store import FeatureStore
from skrational.text.words.documents import check_texts
from skrational.utils.devices import resolve_device
from skrational.utils.files import cache_folder
from skrational.utils.optional import advancing, check_progress

__all__ = ["BertVectorizer"]

# A change of what a folder holds raises it: folders of other formats are ignored.
_FORMAT = 2
# More than any tokenizer puts around a text, and than a model keeps for padding.
_SPECIAL = 16


class BertVectorizer(TextVectorizer):
    """Turn texts into sequences of contextual embeddings, one a subword or word.

    Any encoder of transformers will do, with its weights as they are. Embeddings are
    kept on disk, so that a text is embedded once.

    Start with ``model``. The parameters come in groups: the model and what of it makes
    a vector, long texts, the computation, and where embeddings are kept.

    Parameters
    ----------
    model : str or path-like
        A folder that transformers can read, or a name on the Hugging Face hub such as
        ``"bert-base-uncased"``, which is downloaded when first used.
    layers : str or list of int, default=None
        What makes a token's vector: ``"last"``, the last layer; ``"sum_last_N"`` or
        ``"mean_last_N"``, the sum or mean of the last N; or the numbers of layers to
        add up. Layer 0 is the embeddings; negative numbers count from the end. None:
        ``"sum_last_4"``, or the sum of all of a smaller model, with the embeddings.
    tokens : {"subwords", "first", "mean"}, default="subwords"
        What a token is: each subword, as in [2]_; or each word, with the vector of its
        first subword or the mean over its subwords. Words are the tokenizer's.
    special_tokens : bool, default=True
        Whether tokens such as [CLS] and [SEP], which the model reads in any case, are
        the first and last tokens of each sequence.
    long : {"windows", "sentences", "every_sentence"}, default="windows"
        How to cut documents that are longer than the model can read. ``"windows"``:
        into overlapping windows. ``"sentences"``: at the ends of sentences, as many to
        a piece as fit. ``"every_sentence"``: each sentence of any document is embedded
        by itself, as in [2]_. A sentence that is too long is cut into windows. Nothing
        is lost.
    overlap : int, default=None
        How many subwords a window shares with the one before. Their vectors are the
        averages over the windows. None: 64, or a quarter of a window that holds no more
        than 64 subwords.
    max_length : int, default=None
        The most subwords that the model reads at a time, with special tokens. None, and
        at most: what it was made for.
    unit_norm : bool, default=True
        Whether to scale each token's vector to Euclidean length 1. Zero vectors stay
        zero.
    batch_size : int, default=32
        How many pieces of similar length the model reads at once.
    device : str, default="auto"
        Where it runs: ``"cpu"``, ``"cuda"``, ``"cuda:1"``, ... ``"auto"`` takes a CUDA
        device if there is one, and so does what was fitted where ``device`` was and is
        loaded where it's missing. It computes in float32.
    dtype : {"float16", "float32"}, default="float16"
        Type of the features.
    revision : str, default=None
        Which version of the model: a branch, a tag or a commit on the hub; None: its
        main branch. For a folder, what ``revision_`` must be; None: whatever it holds.
    cache : bool, str or path-like, default=True
        Whether to keep the features of each text on disk. True: in the folder named by
        the variable ``SKRATIONAL_CACHE``, or ``skrational`` in ``XDG_CACHE_HOME`` or
        ``~/.cache``. A path names another folder.
    cache_size : int, default=2**34
        The most bytes that the features of one model and one set of parameters may
        take in the cache.
    progress : bool or None, default=None
        Whether to show a progress bar, for which rich is needed. None: if 1,000 texts
        or more must be embedded and rich is installed.

    Attributes
    ----------
    n_features_out_ : int
        Width of the vectors.
    n_layers_ : int
        Number of the model's layers, without the embeddings.
    revision_ : str
        The commit on the hub that all files come from; or the fingerprint of the
        folder: a hash of the names, the sizes and the contents of its files.

    Notes
    -----
    `fit` reads the model's configuration. The model itself is loaded when a text isn't
    in the cache, or ``overlap`` may be too large for it, once in a process for all
    clones and copies; the last two models are kept. Pickles and clones hold no weights.
    A pickle goes on with the same commit, or refuses a folder whose content has
    changed.

    The last digits of a text's features depend on its batch. The cache knows a text by
    its content, and its features by all else that they depend on but the device.

    ``HF_HUB_OFFLINE=1`` keeps transformers from asking the hub. Models that need code
    of their own from the hub are refused.

    References
    ----------
    .. [1] Devlin, Chang, Lee and Toutanova, "BERT: Pre-training of Deep Bidirectional
       Transformers for Language Understanding", NAACL 2019. :arxiv:`1810.04805`
    .. [2] Dodge, Schwartz, Peng and Smith, "RNN Architecture Learning with Sparse
       Regularization", EMNLP 2019. :arxiv:`1909.03011`

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from skrational import SparseRationalClassifier
    >>> vectorizer = BertVectorizer("bert-base-uncased", layers="mean_last_4")
    >>> pipeline = make_pipeline(vectorizer, SparseRationalClassifier())
    >>> pipeline.fit(texts, labels)  # doctest: +SKIP
    >>> vectorizer.transform(["Not worth it."]).labels  # doctest: +SKIP
    array(['[CLS]', 'not', 'worth', 'it', '.', '[SEP]'], dtype=object)
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "model": [str, os.PathLike],
        "layers": [str, list, tuple, np.ndarray, None],
        "tokens": [StrOptions({"subwords", "first", "mean"})],
        "special_tokens": ["boolean"],
        "long": [StrOptions({"windows", "sentences", "every_sentence"})],
        "overlap": [Interval(Integral, 0, None, closed="left"), None],
        "max_length": [Interval(Integral, 1, None, closed="left"), None],
        "unit_norm": ["boolean"],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "device": [str],
        "dtype": [StrOptions({"float16", "float32"})],
        "revision": [str, None],
        "cache": ["boolean", str, os.PathLike],
        "cache_size": [Interval(Integral, 1, None, closed="left")],
        "progress": ["boolean", None],
    }

    def __init__(
        self,
        model: str | os.PathLike[str],
        *,
        layers: str | Sequence[int] | None = None,
        tokens: Literal["subwords", "first", "mean"] = "subwords",
        special_tokens: bool = True,
        long: Literal["windows", "sentences", "every_sentence"] = "windows",
        overlap: int | None = None,
        max_length: int | None = None,
        unit_norm: bool = True,
        batch_size: int = 32,
        device: str = "auto",
        dtype: Literal["float16", "float32"] = "float16",
        revision: str | None = None,
        cache: bool | str | os.PathLike[str] = True,
        cache_size: int = 2**34,
        progress: bool | None = None,
    ) -> None:
        self.model = model
        self.layers = layers
        self.tokens = tokens
        self.special_tokens = special_tokens
        self.long = long
        self.overlap = overlap
        self.max_length = max_length
        self.unit_norm = unit_norm
        self.batch_size = batch_size
        self.device = device
        self.dtype = dtype
        self.revision = revision
        self.cache = cache
        self.cache_size = cache_size
        self.progress = progress

    def fit(self, X: Iterable[str], y: Any = None) -> BertVectorizer:
        """Check the texts and read the model's configuration.

        Parameters
        ----------
        X : iterable of str
            The texts; at least one.
        y : None
            Ignored.

        Returns
        -------
        BertVectorizer
            This vectorizer.

        Raises
        ------
        ImportError
            If transformers isn't installed.
        FileNotFoundError
            If there is no such model, in a folder or on the hub.
        ValueError, TypeError
            If the model is no encoder, a parameter doesn't fit it, or a parameter or X
            isn't as documented.
        """
        return super().fit(X, y)

    def transform(self, X: Iterable[str]) -> SequenceArray:
        """Embed texts, or take from the cache those that were embedded before.

        Parameters
        ----------
        X : iterable of str
            The texts; at least one. An empty text becomes its special tokens.

        Returns
        -------
        SequenceArray of len(X) sequences
            Of type ``dtype``. Its labels are the subwords as the tokenizer writes them
            or, of words, the text itself.

        Raises
        ------
        FileNotFoundError, ValueError
            If the vectorizer was unpickled and its model isn't there, or the folder
            holds another one.
        ValueError
            If ``overlap`` or ``max_length`` don't fit the model, or a feature is too
            large for float16.
        ValueError, TypeError
            If X isn't as documented.

        Warns
        -----
        OutOfVocabularyWarning
            If the tokenizer knows less than half of the tokens, once for each method
            that was called.
        """
        check_is_fitted(self)
        texts = _read_texts(X)
        sequences = self._transform(texts)
        self._warn_of_unknown(texts, sequences, *_count_unknown(sequences))
        return sequences

    def _fit(self, X: Iterable[str], transform: bool) -> SequenceArray | None:
        texts = _read_texts(X)
        resolve_device(self.device, FASTEST)
        found = describe_encoder(self.model, self.revision)
        settings = self._settings(found.n_layers)
        room = min(
            n for n in (found.n_positions, self.max_length, inf) if n is not None
        )
        if self.overlap is not None and self.overlap + _SPECIAL >= room:
            settings.window(load_encoder(self.model, found.revision, self.device))
        self.revision_ = found.revision
        self.n_layers_, self.n_features_out_ = found.n_layers, found.n_features
        return self._transform(texts) if transform else None

    def _transform(self, texts: list[str]) -> SequenceArray:
        check_revision(self.model, self.revision_)
        settings = self._settings(self.n_layers_)
        store = FeatureStore(
            self._folder(settings), self.n_features_out_, self.dtype, self.cache_size
        )
        keys = [
            hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
            for text in texts
        ]
        return store.sequences(keys, partial(self._embed, texts, settings))

    def _finder(self) -> EncodedFinder:
        special = bool(self.special_tokens)
        return EncodedFinder(self.model, self.revision_, self.tokens, special)

    def _settings(self, n_layers: int) -> EmbeddingSettings:
        return EmbeddingSettings(
            Layers.read(self.layers, n_layers),
            self.tokens,
            bool(self.special_tokens),
            self.long,
            None if self.overlap is None else int(self.overlap),
            None if self.max_length is None else int(self.max_length),
            bool(self.unit_norm),
            self.dtype,
        )

    def _present_device(self) -> str:
        """Return the device of the parameter, the fastest where that is missing."""
        try:
            resolve_device(self.device, FASTEST)
        except ValueError:
            return "auto"
        return self.device

    def _folder(self, settings: EmbeddingSettings) -> Path | None:
        root = cache_folder(self.cache)
        if root is None:
            return None
        parts = {"format": _FORMAT, "revision": self.revision_} | settings.to_dict()
        name = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
        return root / "bert" / name

    def _embed(
        self, texts: list[str], settings: EmbeddingSettings, positions: list[int]
    ) -> Iterator[tuple[int, NDArray[np.floating], list[str]]]:
        """Embed the texts that the cache lacks."""
        encoder = load_encoder(self.model, self.revision_, self._present_device())
        with_bar = check_progress(self.progress, len(positions))
        with advancing("embed", len(positions), with_bar) as advance:
            yield from embed_texts(
                encoder, texts, positions, settings, self.batch_size, advance
            )


def _count_unknown(sequences: SequenceArray) -> tuple[int, int]:
    """Count the tokens that the tokenizer doesn't know, and all but special ones."""
    assert sequences.labels is not None
    labels = sequences.labels[sequences.row_numbers()].tolist()
    around = sum(map(labels.count, ("[CLS]", "[SEP]", "<s>", "</s>")))
    return sum(map(labels.count, ("[UNK]", UNKNOWN))), len(labels) - around


def _read_texts(X: Iterable[str]) -> list[str]:
    texts = list(check_texts(X))
    if not texts:
        raise ValueError("X holds no texts; expected at least one.")
    return texts
