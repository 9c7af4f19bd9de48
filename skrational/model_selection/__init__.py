"""The accuracy-size curve: compute it, choose on it, draw it."""

from skrational.model_selection._cv import SparseRationalClassifierCV
from skrational.model_selection._display import RegularizationPathDisplay
from skrational.model_selection._lambda_max import lambda_max
from skrational.model_selection._one_se import score_and_size, smallest_within_one_se
from skrational.model_selection._path import PathPoint, RegularizationPath
from skrational.model_selection._path_fit import regularization_path
from skrational.model_selection._stability import (
    StructureStability,
    structure_stability,
)

__all__ = [
    "PathPoint",
    "RegularizationPath",
    "RegularizationPathDisplay",
    "SparseRationalClassifierCV",
    "StructureStability",
    "lambda_max",
    "regularization_path",
    "score_and_size",
    "smallest_within_one_se",
    "structure_stability",
]
