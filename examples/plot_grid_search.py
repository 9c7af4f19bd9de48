"""
Search for the penalty, and take the smallest model that does
=============================================================

A pipeline is searched over as any other of scikit-learn. Among models that are about as
accurate one wants the smallest: that is a rule for ``refit``.
"""

import pandas as pd
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skrational import SparseRationalClassifier, WordVectorizer
from skrational.datasets import make_product_reviews
from skrational.model_selection import score_and_size, smallest_within_one_se

train = make_product_reviews(2000, random_state=0)
test = make_product_reviews(500, random_state=1)
pipeline = make_pipeline(WordVectorizer(), SparseRationalClassifier(random_state=0))

# %%
# ``score_and_size`` keeps the size beside the score, and ``smallest_within_one_se``
# chooses by both.
search = GridSearchCV(
    pipeline,
    {"sparserationalclassifier__lambda_": [1e-3, 2e-3, 4e-3]},
    scoring=score_and_size("n_transitions_"),
    refit=smallest_within_one_se("n_transitions_"),
    cv=2,
)
search.fit(train.texts, train.labels)

# %%
# Accuracy and size of each setting, mean of the folds:
results = pd.DataFrame(search.cv_results_)
results = results[[c for c in results if c.startswith(("param_", "mean_test"))]]
results.round(3)

# %%
best = search.best_estimator_
print(best[-1].learned_structure_)
print(f"accuracy on other reviews: {best.score(test.texts, test.labels):.3f}")
