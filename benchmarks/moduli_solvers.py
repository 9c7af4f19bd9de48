"""The proximal operator alone, beside magnitude pruning to the same number of weights.

    python -m benchmarks.moduli_solvers [--seeds 3]

Elman networks with units on a torus, on the tasks of benchmarks.moduli that need no
data. First the penalty alone decides, by its proximal operator, which recurrent weights
are left; then as many are left by their magnitude, under the penalty of strength 1 by
subgradients. Mean over seeds on test, with standard errors.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed

from benchmarks import _harness as harness
from benchmarks._moduli_plan import FULL, QUICK, Job
from benchmarks._moduli_report import print_table, standard_error
from benchmarks._moduli_runs import Data

TASKS = ("navigation", "adding")
LAMBDAS = (1.0, 3.0, 10.0)
Found = tuple[float, float, float]


def measure(name: str, lambda_: float, seed: int, quick: bool) -> Found:
    """Share of the recurrent weights that is left, and what both networks reach."""
    harness.set_threads(1)
    data = Data(name, (QUICK if quick else FULL).tasks[name], Path())
    alone = data.estimator(Job(name, "torus, prox", 0.0, lambda_, seed))
    alone.fit(*data.splits["train"])
    by_size = data.estimator(Job(name, "torus", alone.sparsity_, 1.0, seed))
    by_size.fit(*data.splits["train"])
    left = alone.learned_structure_.density
    return left, data.judge(alone, "test"), data.judge(by_size, "test")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--quick", action="store_true", help="tiny networks")
    options = parser.parse_args()
    print(harness.describe_machine())
    for name in TASKS:
        print(f"\n### {name}: {FULL.tasks[name].metric}\n")
        rows = []
        for lambda_ in LAMBDAS:
            found = Parallel(options.jobs)(
                delayed(measure)(name, lambda_, seed, options.quick)
                for seed in range(options.seeds)
            )
            left, *errors = np.transpose(found)
            cells = (f"{e.mean():.4g} ± {standard_error(e):.2g}" for e in errors)
            rows.append((f"{lambda_:g}", f"{left.mean():.1%}", *cells))
        print_table(("lambda", "left", "prox alone", "magnitude"), rows)


if __name__ == "__main__":
    main()
