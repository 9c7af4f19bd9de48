"""Units on a torus follow a walk: moduli regularization, drawn.

A network is told at which place of a box a random walk starts, and then the velocity of
each step; after every step it is to name the place that has been reached. Its hidden
units lie on a torus, near ones are cheap to connect, and nine of ten recurrent weights
are pruned. Needs matplotlib; the picture is written to ``build/manifold``.
"""

from __future__ import annotations

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt

from skrational import ModuliRNNRegressor
from skrational.datasets import NavigationTask, make_navigation
from skrational.inspection import ManifoldDisplay
from skrational.model_selection import retrain_mask

FOLDER = Path("build/manifold")
N_WALKS, N_PLACES, N_STEPS = 2000, 256, 10


def make_tasks() -> tuple[NavigationTask, NavigationTask]:
    """Walks to learn from, and others past the same place cells."""
    train = make_navigation(
        N_WALKS, N_STEPS, n_places=N_PLACES, surround=None, random_state=0
    )
    cells = train.place_cells
    return train, make_navigation(500, N_STEPS, place_cells=cells, random_state=1)


def build_regressor() -> ModuliRNNRegressor:
    """Rectified units without biases, as in the paper, but 128 of them."""
    return ModuliRNNRegressor(
        loss="cross_entropy",
        n_hidden=128,
        activation="relu",
        bias=False,
        manifold="torus",
        lambda_=20.0,
        solver="prox",
        sparsity=0.9,
        learning_rate=1e-3,
        batch_size=50,
        max_grad_norm=1.0,
        warmup_epochs=6,
        max_epochs=8,
        finetune_epochs=8,
        random_state=0,
    )


def main() -> None:
    train, test = make_tasks()
    regressor = build_regressor().fit(train.X, train.y)
    print(regressor.learned_structure_.reading())
    print(f"error: {test.error_cm(regressor.predict(test.X)):.1f} cm")
    still = [codes[[0] * len(codes)] for codes in test.y]
    print(f"of who stays where the walk began: {test.error_cm(still):.1f} cm")
    print(f"of the decoder alone: {test.error_cm(test.y):.1f} cm")
    again = retrain_mask(regressor, train.X, train.y, random_state=1).estimators[0]
    error = test.error_cm(again.predict(test.X))
    print(f"the same mask, from other weights: {error:.1f} cm")

    FOLDER.mkdir(parents=True, exist_ok=True)
    display = ManifoldDisplay.from_estimator(regressor)
    display.figure_.savefig(FOLDER / "torus.png", dpi=150)
    plt.close(display.figure_)
    print(f"Written: {FOLDER / 'torus.png'}")


if __name__ == "__main__":
    main()
