"""The accuracy-size curve: compute it, choose on it, draw it.

The names are loaded when they are first used, so that a fitted search predicts without
what trains.
"""

from typing import TYPE_CHECKING

from skrational.utils.lazy import lazy_names

if TYPE_CHECKING:
    from skrational.model_selection._cv import (
        SparseRationalClassifierCV,
        SparseRationalRegressorCV,
    )
    from skrational.model_selection._display import RegularizationPathDisplay
    from skrational.model_selection._lambda_max import lambda_max
    from skrational.model_selection._one_se import (
        score_and_size,
        smallest_within_one_se,
    )
    from skrational.model_selection._path import PathPoint, RegularizationPath
    from skrational.model_selection._path_fit import regularization_path
    from skrational.model_selection._retrain import MaskRetraining, retrain_mask
    from skrational.model_selection._stability import (
        StructureStability,
        structure_stability,
    )

__all__ = [
    "MaskRetraining",
    "PathPoint",
    "RegularizationPath",
    "RegularizationPathDisplay",
    "SparseRationalClassifierCV",
    "SparseRationalRegressorCV",
    "StructureStability",
    "lambda_max",
    "regularization_path",
    "retrain_mask",
    "score_and_size",
    "smallest_within_one_se",
    "structure_stability",
]

_HOMES = {
    "MaskRetraining": "skrational.model_selection._retrain",
    "PathPoint": "skrational.model_selection._path",
    "RegularizationPath": "skrational.model_selection._path",
    "RegularizationPathDisplay": "skrational.model_selection._display",
    "SparseRationalClassifierCV": "skrational.model_selection._cv",
    "SparseRationalRegressorCV": "skrational.model_selection._cv",
    "StructureStability": "skrational.model_selection._stability",
    "lambda_max": "skrational.model_selection._lambda_max",
    "regularization_path": "skrational.model_selection._path_fit",
    "retrain_mask": "skrational.model_selection._retrain",
    "score_and_size": "skrational.model_selection._one_se",
    "smallest_within_one_se": "skrational.model_selection._one_se",
    "structure_stability": "skrational.model_selection._stability",
}

# Of a module with __getattr__, type checkers would take any name.
if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy_names(__name__, _HOMES)
