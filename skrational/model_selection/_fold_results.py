"""Accuracy and size over folds, in the form of scikit-learn's ``cv_results_``."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skrational.model_selection._path import RegularizationPath

__all__ = ["fold_results", "standard_errors"]


def fold_results(
    paths: list[RegularizationPath], lambdas: list[float]
) -> dict[str, NDArray[Any]]:
    """Accuracy and size, of each fold and on average, at each lambda."""
    results = {"lambda_": np.array(lambdas)}
    size_name = paths[0].points[0].structure.size_name
    for name, of_point in (
        ("test_score", "validation_score"),
        (f"n_{size_name}", "size"),
    ):
        folds = [[getattr(point, of_point) for point in p.points] for p in paths]
        values = np.array([f + [f[-1]] * (len(lambdas) - len(f)) for f in folds], float)
        results |= {f"split{i}_{name}": row for i, row in enumerate(values)}
        results[f"mean_{name}"] = values.mean(axis=0)
        results[f"std_{name}"] = values.std(axis=0)
    means = results["mean_test_score"]
    ranks = [1 + int((means > mean).sum()) for mean in means]
    return results | {"rank_test_score": np.array(ranks)}


def standard_errors(results: dict[str, NDArray[Any]]) -> NDArray[np.floating]:
    """Standard error of the mean accuracy at each lambda."""
    folds = [v for n, v in results.items() if n.startswith("split") and "score" in n]
    return np.std(folds, axis=0, ddof=1) / np.sqrt(len(folds))
