"""
Numbers instead of classes
==========================

`ModuliRNNRegressor` predicts a number of each sequence, or after each of its steps. The
adding problem is the classical test of memory: two of many numbers are marked, and the
answer is their sum.
"""

import matplotlib.pyplot as plt

from skrational import ModuliRNNRegressor
from skrational.datasets import make_adding

X, y = make_adding(1500, length=10, random_state=0)
X_new, y_new = make_adding(500, length=10, random_state=1)
print(X.to_list()[0].round(2))
print(f"the sum of the two that are marked: {y[0]:.2f}")

# %%
# Half of the recurrent weights are pruned while the network learns.
regressor = ModuliRNNRegressor(
    n_hidden=32, activation="relu", sparsity=0.5, random_state=0
)
regressor.fit(X, y)
print(regressor.learned_structure_)
print(f"R2 on other sequences: {regressor.score(X_new, y_new):.3f}")

# %%
figure, ax = plt.subplots()
ax.scatter(y_new, regressor.predict(X_new), s=8)
ax.plot([0, 2], [0, 2], color="gray", linewidth=1)
ax.set(xlabel="sum", ylabel="predicted", aspect="equal")
