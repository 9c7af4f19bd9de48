"""
Semirings, readouts, and where a match may end
==============================================

What an automaton computes is a choice: in the semiring plus-times a score is a sum over
all paths, in max-times that of the best path alone. Each choice is a parameter.
"""

import time

from skrational import SparseRationalClassifier
from skrational.datasets import make_planted_patterns

data = make_planted_patterns(400, random_state=0)
X, y = data.X[:250], data.y[:250]
X_new, y_new = data.X[250:], data.y[250:]

# %%
# Only the order of words tells the classes of these documents apart.
for pattern in data.patterns:
    print(" -> ".join("[" + " ".join(slot) + "]" for slot in pattern))

# %%
# Max semirings run a plain loop in torch, and take longer. A small network will do
# here.
settings = {
    "the default": {},
    "read after the last word, as in the paper": {"match": "end"},
    "states weighted by learned numbers": {"readout": "rho"},
    "the best path only": {
        "semiring": "max-times",
        "max_epochs": 2,
        "warmup_epochs": 2,
    },
}
for name, parameters in settings.items():
    clf = SparseRationalClassifier(n_wfsas=8, random_state=0).set_params(**parameters)
    began = time.perf_counter()
    clf.fit(X, y)
    seconds = time.perf_counter() - began
    print(
        f"{name}: {clf.score(X_new, y_new):.3f}, "
        f"{clf.learned_structure_.n_transitions} transitions, {seconds:.1f} s"
    )
