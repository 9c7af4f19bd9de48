"""What a model is: its parts, its size, and what it was made with."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from skrational._version import __version__
from skrational.inspection.model import Model
from skrational.reporting.markup import short

__all__ = ["ModelFacts", "facts_of"]

_PACKAGES = ("scikit-learn", "numpy", "torch")
_METHODS = (
    (
        "automata_",
        "Weighted finite-state automata (a sparse rational recurrent network). Each "
        "automaton scores a soft pattern of a few words, with gaps; a linear readout "
        "of the scores {decides}.",
    ),
    (
        "n_gates_",
        "A gated recurrent network whose structure was learned: gates that need no "
        "input became constants. A linear readout of its units decides.",
    ),
    (
        "n_links_",
        "A recurrent network whose weights were pruned by magnitude. A linear readout "
        "of its units decides.",
    ),
)


@dataclass(frozen=True)
class ModelFacts:
    """What there is to say of a model without a document.

    Attributes
    ----------
    kind : str
        Class of the classifier or regressor.
    about : str
        What such a model does.
    steps : tuple of str
        The estimator's parts, from the text on, as Python writes them.
    structure : str
        What was left of the network.
    size, size_name : str
        What was left, of how much, and what is counted.
    n_parameters : int
    n_bytes : int
        Of the parameters of the classifier.
    classes : tuple of str
        Of a regressor empty.
    rules : str
        What ``print`` says of the classifier.
    parameters : tuple of (str, str)
        Of the classifier, those that aren't the defaults.
    versions : tuple of (str, str)
    """

    kind: str
    about: str
    steps: tuple[str, ...]
    structure: str
    size: str
    size_name: str
    n_parameters: int
    n_bytes: int
    classes: tuple[str, ...]
    rules: str
    parameters: tuple[tuple[str, str], ...]
    versions: tuple[tuple[str, str], ...]


def facts_of(model: Model) -> ModelFacts:
    """Gather what there is to say."""
    classifier, structure = model.classifier, model.classifier.learned_structure_
    about = next(text for name, text in _METHODS if hasattr(type(classifier), name))
    classes = () if model.predicts_numbers else classifier.classes_.tolist()
    arrays = [*classifier.weights_.values(), classifier.coef_, classifier.intercept_]
    return ModelFacts(
        kind=type(classifier).__name__,
        about=about.format(decides="decides" if classes else "gives the value"),
        steps=tuple(
            short(repr(step), 200) for step in (*model.vectorizers, classifier)
        ),
        structure=repr(structure),
        size=f"{structure.size:,} of {structure.size_initial:,}",
        size_name=structure.size_name,
        n_parameters=int(sum(array.size for array in arrays)),
        n_bytes=int(sum(array.nbytes for array in arrays)),
        classes=tuple(map(str, classes)),
        rules=str(classifier),
        parameters=tuple(_changed(classifier)),
        versions=tuple(_versions()),
    )


def _changed(classifier: Any) -> Iterator[tuple[str, str]]:
    """Parameters that differ from the defaults."""
    defaults = type(classifier)().get_params()
    for name, value in classifier.get_params().items():
        if repr(value) != repr(defaults[name]):
            yield name, short(repr(value))


def _versions() -> Iterator[tuple[str, str]]:
    yield "skrational", __version__
    yield "Python", platform.python_version()
    for package in _PACKAGES:
        try:
            yield package, version(package)
        except PackageNotFoundError:
            continue
