"""`export_onnx`: a fitted model becomes a graph that other runtimes read."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from skrational._version import __version__
from skrational.deployment.onnx.folders import (
    CONFIG,
    FORMAT,
    MODEL,
    check_place,
    json_bytes,
    tokenizer_file,
    write_folder,
)
from skrational.deployment.onnx.model import (
    IR_VERSION,
    OPSET,
    TABLE,
    Outputs,
    network_of,
    put_together,
)
from skrational.deployment.onnx.steps import affine_of
from skrational.deployment.onnx.tokenizers import tokenizer_json
from skrational.deployment.onnx.vocabulary import (
    Vectors,
    Vocabulary,
    check_steps,
    settings_of,
    table_of,
)
from skrational.estimators.gru import SparseGRUClassifier
from skrational.estimators.lstm import SparseLSTMClassifier
from skrational.estimators.moduli import ModuliRNNClassifier
from skrational.estimators.moduli_regressor import ModuliRNNRegressor
from skrational.estimators.rational import SparseRationalClassifier
from skrational.inspection.model import open_any_model
from skrational.text.base import TextVectorizer
from skrational.text.word_vectors import WordVectorizer

__all__ = ["export_onnx"]

_ESTIMATORS = (
    ModuliRNNClassifier,
    ModuliRNNRegressor,
    SparseGRUClassifier,
    SparseLSTMClassifier,
    SparseRationalClassifier,
)
_COMPUTING = (
    "_biases",
    "_blank_cell",
    "_cell_type",
    "_logits_of",
    "_packed",
    "_predict",
    "_probabilities",
    "_readout",
    "_scores",
    "predict",
    "predict_proba",
)
"""Methods with which an estimator decides what it computes."""

_METHODS = ("automata_", "n_gates_", "n_links_")
_TABLE_FILE = "table.bin"
_LARGE_TABLE = 2**26
"""Bytes of a table that is put into a file of its own, which is mapped into memory."""


def export_onnx(
    estimator: Any,
    folder: str | os.PathLike[str],
    *,
    vectors: Vectors = "used",
    texts: Iterable[Any] | None = None,
) -> Path:
    """Write a fitted model as an ONNX graph, which needs none of what trained it.

    A pipeline that begins with a `WordVectorizer` becomes a graph that reads the
    numbers of words, with a tokenizer of pure Python beside it; any other model one
    that reads vectors. Both give labels and probabilities, or the values of a
    regressor.

    Parameters
    ----------
    estimator : estimator
        A fitted classifier or `ModuliRNNRegressor` of this package; a pipeline that
        ends with one; a search, a cross-validated estimator or a FrozenEstimator that
        holds one.
    folder : str or path-like
        Need not be there. A model that was exported to it is replaced.
    vectors : {"used", "all"}, default="used"
        Which words the graph knows: those of the training texts, or of ``texts``, that
        have a vector; or all of the table. Vectors learned by ``"corpus"`` are kept for
        all words that have one.
    texts : iterable of str, or of lists of str, default=None
        Texts whose words count as used. None: those that the vectorizer was fitted on.

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
    outputs, classes and versions; of texts also ``vocabulary.json`` and
    ``tokenizer.py``. What a word's vector is projected to depends on the word alone, so
    the graph holds that and not the vectors: a table of few numbers a word. One of more
    than 64 MiB is in a file of its own, ``table.bin``.

    Inputs are ``ids`` (batch, tokens), int64, or ``vectors`` (batch, tokens,
    features), float32, and ``lengths`` (batch,), int64; what stands behind the length
    of a sequence is never read. Outputs are ``labels`` (batch,) and ``probabilities``
    (batch, classes), float32, or ``values``. The loop over tokens is computed in the
    estimator's ``dtype``, logits in double precision. Probabilities are those of
    ``predict_proba`` up to 1e-5.

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
    place = check_place(folder)
    write_folder(place, _files_of(estimator, vectors, texts))
    return place


def _check_onnx() -> None:
    try:
        import onnx  # noqa: F401
    except ImportError as error:
        raise ImportError(
            "Exporting a graph needs onnx: pip install 'skrational[onnx]'"
        ) from error


def _files_of(
    outer: Any, vectors: Vectors, texts: Iterable[Any] | None
) -> dict[str, bytes]:
    """Return the files of a folder by name."""
    opened = open_any_model(outer, _METHODS)
    if opened.wrappers:
        name = type(opened.wrappers[0]).__name__
        raise TypeError(
            f"estimator holds a {name}, which decides otherwise than the classifier in "
            "it and can't be a part of the graph. Export that classifier, and do what "
            f"{name} does with its probabilities; calibration='temperature' of the "
            "classifier is a part of the graph."
        )
    estimator, steps = opened.classifier, opened.vectorizers
    _check_estimator(estimator)
    network, outputs = network_of(estimator), _outputs_of(estimator)
    config = {
        "format": FORMAT,
        "format_version": 1,
        "skrational": __version__,
        "opset": OPSET,
        "estimator": type(estimator).__name__,
    }
    if outputs.classes is not None:
        config["classes"] = outputs.classes.tolist()
    files: dict[str, bytes] = {}
    table = None
    if reads_texts := bool(steps) and isinstance(steps[0], TextVectorizer):
        _check_vectorizer(steps[0])
        check_steps(steps)
        vocabulary = Vocabulary.of(steps[0], vectors, texts)
        table = table_of(network, steps, vocabulary)
        settings = settings_of(steps[0], vocabulary)
        config |= {
            "inputs": ["ids", "lengths"],
            "n_words": len(vocabulary.words),
            "tokenizer": settings,
        }
        files["tokenizer.json"] = json_bytes(tokenizer_json(vocabulary, settings))
        files["vocabulary.json"] = json_bytes(vocabulary.to_json())
        files["tokenizer.py"] = tokenizer_file()
    else:
        config["inputs"] = ["vectors", "lengths"]
    affine = affine_of(() if reads_texts else steps, estimator.n_features_in_)
    if not reads_texts:
        config["n_features"] = len(affine.center)
    graph = put_together(network, outputs, table, affine)
    config["outputs"] = [output.name for output in graph.output]
    return files | _model_files(graph, config) | {CONFIG: json_bytes(config)}


def _check_estimator(estimator: Any) -> None:
    """Raise a TypeError if the estimator may compute what no graph here does."""
    of_ours = next((t for t in type(estimator).__mro__ if t in _ESTIMATORS), None)
    name = type(estimator).__name__
    if of_ours is None:
        raise TypeError(
            f"estimator is, or holds, a {name}; a graph can be made of "
            f"{', '.join(sorted(t.__name__ for t in _ESTIMATORS))}."
        )
    for method in _COMPUTING:
        if getattr(type(estimator), method, None) is not getattr(of_ours, method, None):
            raise TypeError(
                f"{name} has a {method} of its own, so that its graph isn't that of "
                f"{of_ours.__name__}. Put the graph together by onnx.helper."
            )


def _check_vectorizer(vectorizer: Any) -> None:
    """Raise a TypeError if the texts' vectors don't come from a table of words."""
    if not isinstance(vectorizer, WordVectorizer):
        raise TypeError(
            f"The pipeline begins with a {type(vectorizer).__name__}, whose vectors "
            "come from another model. Export the steps behind it, such as "
            "pipeline[-1]: that graph reads vectors, which the other model gives where "
            "it is served."
        )


def _outputs_of(estimator: Any) -> Outputs:
    """Describe what comes of the logits."""
    if not hasattr(estimator, "classes_"):
        return Outputs(
            None,
            n_outputs=len(estimator.intercept_),
            softmax=estimator.loss == "cross_entropy",
            flat=estimator._target_ndim == 1,
        )
    return Outputs(_labels(estimator.classes_), float(estimator.temperature_))


def _labels(classes: NDArray[Any]) -> NDArray[Any]:
    """Return classes in a type that graphs have.

    Raises
    ------
    TypeError
        If there is none.
    """
    if len(set(map(type, classes))) == 1:
        classes = np.array(classes.tolist())
    if classes.dtype.kind in "iu":
        return classes.astype(np.int64)
    if classes.dtype.kind in "bf":
        return classes
    if classes.dtype.kind == "U":
        return classes.astype(object)
    kinds = sorted({type(label).__name__ for label in classes})
    raise TypeError(
        f"classes_ holds {kinds}; a graph can tell strings, numbers and booleans: fit "
        "with one of these."
    )


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
