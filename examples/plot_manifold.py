"""
Units on a torus follow a walk
==============================

A network is told at which place of a box a random walk starts, and then the velocity of
each step; after every step it is to name the place that has been reached. Its hidden
units lie on a torus, near ones are cheap to connect, and nine of ten recurrent weights
are pruned.
"""

from skrational import ModuliRNNRegressor
from skrational.datasets import make_navigation
from skrational.inspection import ManifoldDisplay
from skrational.model_selection import retrain_mask

train = make_navigation(2000, 10, n_places=256, surround=None, random_state=0)
test = make_navigation(500, 10, place_cells=train.place_cells, random_state=1)

# %%
# Rectified units without biases, as in the paper, but 128 of them.
regressor = ModuliRNNRegressor(
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
regressor.fit(train.X, train.y)
print(regressor.learned_structure_.reading())

# %%
# How far off it is, and what there is to compare with.
still = [codes[[0] * len(codes)] for codes in test.y]
print(f"error: {test.error_cm(regressor.predict(test.X)):.1f} cm")
print(f"of who stays where the walk began: {test.error_cm(still):.1f} cm")
print(f"of the decoder alone: {test.error_cm(test.y):.1f} cm")

# %%
# The torus, unrolled, with the links that are left; and how far apart their units are.
ManifoldDisplay.from_estimator(regressor)

# %%
# Is the sparse architecture worth something by itself? The mask is kept, all weights
# are drawn anew and trained.
again = retrain_mask(regressor, train.X, train.y, random_state=1).estimators[0]
print(
    f"the same mask, from other weights: {test.error_cm(again.predict(test.X)):.1f} cm"
)
