"""
Are patterns found again?
=========================

Documents are made in which certain patterns decide the class, and no single word does.
The model that is learned is set beside what was planted.
"""

from skrational import SparseRationalClassifier
from skrational.datasets import make_planted_patterns
from skrational.inspection import StructureDisplay, top_phrases

data = make_planted_patterns(1500, random_state=0)
X, y = data.X[:1000], data.y[:1000]
X_new, y_new = data.X[1000:], data.y[1000:]
print("planted:")
for pattern in data.patterns:
    print("  " + " -> ".join("[" + " ".join(slot) + "]" for slot in pattern))

# %%
# Settings for the sharpest structure rather than the best accuracy: without dropout the
# network isn't paid for keeping copies, and a slow penalty has time to choose.
clf = SparseRationalClassifier(
    n_wfsas=8,
    lambda_=4e-3,
    readout="rho",
    dropout=0.0,
    warmup_epochs=20,
    max_epochs=40,
    min_steps_per_epoch=1,
    ramp_epochs=20,
    random_state=0,
)
clf.fit(X, y)
print(f"accuracy on new documents: {clf.score(X_new, y_new):.3f}")

# %%
# Planted were patterns of these lengths, learned were automata of these:
print(sorted(data.lengths), sorted(n for n in clf.learned_structure_.lengths if n))

# %%
print(top_phrases(clf, X, n=2))

# %%
StructureDisplay.from_estimator(clf)
