"""The types that a skops file of a model of this package may hold."""

from __future__ import annotations

from skrational.persistence.registry import KNOWN

__all__ = ["TRUSTED_TYPES"]

_STRUCTURES = {
    "gated": ["GRUStructure", "LSTMStructure"],
    "layered": ["LayeredStructure"],
    "language": ["LSTMLanguageStructure"],
    "mask": ["MaskStructure"],
    "rational": ["RationalStructure"],
}
_TABLES = {
    "corpus": ["LearnedTable"],
    "kept_vectors": ["KeptVectors"],
    "subwords": ["SubwordTable", "Subwords"],
    "tables": ["VectorTable"],
}
_OF_SCIKIT_LEARN = {
    "calibration": [
        "_CalibratedClassifier",
        "_SigmoidCalibration",
        "_TemperatureScaling",
    ],
    "compose._column_transformer": ["make_column_selector"],
    "metrics._scorer": ["_PassthroughScorer"],
    "model_selection._split": [
        "_CVIterableWrapper",
        *(
            k.name
            for k in KNOWN.values()
            if k.module == "sklearn.model_selection" and k.kind == "object"
        ),
    ],
    "utils._bunch": ["Bunch"],
}

TRUSTED_TYPES: tuple[str, ...] = tuple(
    sorted(
        [
            "builtins.frozenset",
            # The names under which version 0.1.0 saved them.
            "skrational.cells.rational.Reading",
            "skrational.structures.RationalStructure",
            *(f"{k.module}.{k.name}" for k in KNOWN.values() if k.is_ours),
            *(
                f"skrational.structures.{m}.{n}"
                for m, v in _STRUCTURES.items()
                for n in v
            ),
            *(
                f"skrational.text.vectors.{m}.{n}"
                for m, v in _TABLES.items()
                for n in v
            ),
            *(f"sklearn.{m}.{n}" for m, v in _OF_SCIKIT_LEARN.items() for n in v),
        ]
    )
)
"""What to give ``skops.io.load`` as ``trusted``, for models of this package.

All are classes of this package whose state is numbers and words, and some of
scikit-learn's that skops doesn't list. Scorers made of functions, distributions of
scipy and functions of yours are not among them.
"""
