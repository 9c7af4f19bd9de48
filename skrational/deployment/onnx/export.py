"""`export_onnx`: a fitted model becomes a graph that other runtimes read."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import ArrayLike

from skrational._version import __version__
from skrational.deployment.onnx.folders import (
    CONFIG,
    FORMAT,
    MODEL,
    check_place,
    json_bytes,
    tokenizer_file,
)
from skrational.deployment.onnx.model import (
    IR_VERSION,
    OPSET,
    TABLE,
    network_of,
    put_together,
)
from skrational.deployment.onnx.network import Array
from skrational.deployment.onnx.opening import Opened, open_estimator, outputs_of
from skrational.deployment.onnx.steps import affine_of
from skrational.deployment.onnx.tokenizers import tokenizer_json
from skrational.deployment.onnx.vocabulary import (
    Vectors,
    Vocabulary,
    rows_of,
    settings_of,
    table_of,
)
from skrational.utils.folders import replace

__all__ = ["export_onnx"]

_TABLE_FILE = "table.bin"
_LARGE_TABLE = 2**26
"""Bytes of a table that is put into a file of its own, which is mapped into memory."""


def export_onnx(
    estimator: Any,
    folder: str | os.PathLike[str],
    *,
    vectors: Vectors = "all",
    texts: Iterable[Any] | None = None,
    table: ArrayLike | None = None,
) -> Path:
    """Write a fitted model as an ONNX graph, which needs none of what trained it.

    A pipeline that begins with a `WordVectorizer` becomes a graph that reads the
    numbers of words, with tokenizers beside it; any other model one that reads vectors
    or, with ``table``, their numbers. All give labels and probabilities, or the values
    of a regressor.

    Parameters
    ----------
    estimator : estimator
        A fitted classifier or regressor of this package; a pipeline that ends with one;
        a search, a cross-validated estimator or a FrozenEstimator that holds one.
    folder : str or path-like
        Need not be there. A model that was exported to it is replaced.
    vectors : {"all", "used"}, default="all"
        Which words the graph knows: all of the table, or for a smaller one those of the
        training texts, or of ``texts``, that have a vector. Vectors learned by
        ``"corpus"`` are kept for all words that have one. Words whose vectors are
        put together from n-grams are unknown to a graph.
    texts : iterable of str, or of lists of str, default=None
        With ``vectors="used"``, texts whose words count as used. None: those that the
        vectorizer was fitted on.
    table : array-like of shape (n_rows, n_features), default=None
        For a model without a vectorizer: the vectors that there are. The graph then
        reads their numbers.

    Returns
    -------
    Path
        The folder, absolute.

    Raises
    ------
    ImportError
        If onnx isn't installed.
    NotFittedError
        If the estimator isn't fitted.
    TypeError
        If it holds no network of this package, or something that a graph can't do: a
        tokenizer that is a Python function, a step that isn't affine, calibration by
        another estimator. Nothing is written then.
    ValueError
        If a parameter isn't as documented, or nobody knows which words were used.
    FileExistsError
        If there is something else than an exported model in the place.
    OSError
        If the folder can't be written.

    See Also
    --------
    skrational.warm_up : Compiles what predicts without ONNX.

    Notes
    -----
    The folder holds ``model.onnx`` (opset 13) and ``config.json``, which names inputs,
    outputs, classes and versions; of texts also ``vocabulary.json``, ``tokenizer.py``
    and ``tokenizer.json``, the last one for the tokenizers of Hugging Face. What a
    word's vector is projected to depends on the word alone, so the graph holds that and
    not the vectors: few numbers a word. More than 64 MiB of these are in a file of
    their own, ``table.bin``.

    Inputs are ``ids`` (batch, tokens), int64, or ``vectors`` (batch, tokens,
    features), float32, and ``lengths`` (batch,), int64; what stands behind the length
    of a sequence is never read. Outputs are ``labels`` (batch,) or, where y was an
    indicator matrix, (batch, classes), and ``probabilities`` (batch, classes), float32;
    of a regressor ``values``. The loop over tokens is computed in the
    estimator's ``dtype``; what is summed over tokens, and logits, in double precision.
    Probabilities are those of ``predict_proba`` up to 1e-5 for texts of 500 tokens.
    With ``dtype="float32"`` that method sums tokens in single precision, so that its
    error, and the difference, may grow with the number of tokens.

    Examples
    --------
    >>> import tempfile
    >>> from skrational import SparseRationalClassifier, export_onnx
    >>> from skrational.datasets import make_planted_patterns
    >>> data = make_planted_patterns(n_documents=60, random_state=0)
    >>> clf = SparseRationalClassifier(n_wfsas=2, max_epochs=1, random_state=0)
    >>> clf = clf.fit(data.X, data.y)
    >>> with tempfile.TemporaryDirectory() as place:
    ...     folder = export_onnx(clf, f"{place}/model")
    ...     print(*sorted(path.name for path in folder.iterdir()))
    config.json model.onnx
    """
    _check_onnx()
    if vectors not in get_args(Vectors):
        raise ValueError(
            f"vectors is {vectors!r}; expected one of {list(get_args(Vectors))}."
        )
    if texts is not None and vectors != "used":
        raise ValueError(
            f"texts is of use with vectors='used' only; vectors is {vectors!r}."
        )
    place = check_place(folder)
    files = _files_of(open_estimator(estimator), vectors, texts, table)
    place.parent.mkdir(parents=True, exist_ok=True)
    replace(place, files, {})
    return place


def _check_onnx() -> None:
    try:
        import onnx  # noqa: F401
    except ImportError as error:
        raise ImportError(
            "Exporting a graph needs onnx: pip install 'skrational[onnx]'"
        ) from error


def _files_of(
    opened: Opened, vectors: Vectors, texts: Iterable[Any] | None, table: Any
) -> dict[str, bytes]:
    """Return the files of a folder by name.

    Parameters
    ----------
    opened : Opened
    vectors, texts, table
        As for `export_onnx`.
    """
    estimator, vectorizer, steps = opened
    network, outputs = network_of(estimator), outputs_of(estimator)
    files: dict[str, bytes] = {}
    config: dict[str, Any] = {
        "format": FORMAT,
        "format_version": 1,
        "skrational": __version__,
        "opset": OPSET,
        "estimator": type(estimator).__name__,
    }
    if outputs.classes is not None:
        config["classes"] = outputs.classes.tolist()
    if vectorizer is None:
        rows = None if table is None else iter([_check_table(table, opened)])
    elif table is not None:
        raise ValueError(
            "table is for models that read vectors; this pipeline has those of its "
            "WordVectorizer."
        )
    else:
        vocabulary = Vocabulary.of(vectorizer, vectors, texts)
        rows = rows_of(vectorizer, vocabulary)
        config["tokenizer"] = settings_of(vectorizer, vocabulary)
        config["n_words"] = len(vocabulary.words)
        files = _text_files(vocabulary, config["tokenizer"])
    if rows is None:
        affine = affine_of(steps, estimator.n_features_in_)
        config["n_features"] = len(affine.center)
        graph = put_together(network, outputs, affine)
    else:
        projected = table_of(network, steps, rows)
        config["n_rows"] = len(projected)
        graph = put_together(network, outputs, projected)
    for name in ("input", "output"):
        config[f"{name}s"] = [value.name for value in getattr(graph, name)]
    return files | _model_files(graph, config) | {CONFIG: json_bytes(config)}


def _check_table(table: Any, opened: Opened) -> Array:
    """Return vectors that are given, if the model can read them."""
    rows: Array = np.asarray(table)
    first = opened.steps[0] if opened.steps else opened.estimator
    width = first.n_features_in_
    if rows.ndim != 2 or rows.shape[1] != width or not len(rows):
        raise ValueError(
            f"table has the shape {rows.shape}; expected (n_rows, {width}), with one "
            "row at least."
        )
    if rows.dtype.kind not in "fiub" or not np.isfinite(rows).all():
        raise ValueError("table must hold numbers, none of them NaN or infinite.")
    return rows


def _text_files(vocabulary: Vocabulary, settings: dict[str, Any]) -> dict[str, bytes]:
    """Return the files that turn texts into numbers."""
    return {
        "vocabulary.json": json_bytes(vocabulary.to_json()),
        "tokenizer.py": tokenizer_file(),
        "tokenizer.json": json_bytes(tokenizer_json(vocabulary, settings)),
    }


def _model_files(graph: Any, config: dict[str, Any]) -> dict[str, bytes]:
    """Return the file of a graph and, if that is large, the one of its table."""
    import onnx
    from onnx import helper

    model = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="skrational",
        producer_version=__version__,
    )
    helper.set_model_props(model, _told(config))
    tables = [tensor for tensor in model.graph.initializer if tensor.name == TABLE]
    large = next((t for t in tables if len(t.raw_data) > _LARGE_TABLE), None)
    if large is None:
        onnx.checker.check_model(model, full_check=True)
        return {MODEL: model.SerializeToString()}
    rows, n_rows = large.raw_data, large.dims[0]
    # The checker takes 2 GB at most, and finds in a row what it finds in all.
    large.dims[0], large.raw_data = 1, rows[: len(rows) // n_rows]
    onnx.checker.check_model(model, full_check=True)
    large.dims[0] = n_rows
    onnx.external_data_helper.set_external_data(large, _TABLE_FILE, 0, len(rows))
    large.ClearField("raw_data")
    return {MODEL: model.SerializeToString(), _TABLE_FILE: rows}


def _told(config: dict[str, Any]) -> dict[str, str]:
    """Return what the graph itself tells, as strings."""
    names = ("estimator", "skrational", "opset", "classes")
    return {
        name: told if isinstance(told := config[name], str) else json.dumps(told)
        for name in names
        if name in config
    }
