"""
The whole curve of accuracy and size
====================================

How small may a model be? `regularization_path` fits models of all sizes in one run, and
each point of the curve is a fitted classifier. Beside it stands TF-IDF with logistic
regression, scored on the same reviews.
"""

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skrational import SparseRationalClassifier, WordVectorizer
from skrational.datasets import make_product_reviews
from skrational.model_selection import RegularizationPathDisplay, regularization_path

train = make_product_reviews(2000, random_state=0)
dev = make_product_reviews(400, random_state=1)
vectorizer = WordVectorizer()
X, X_dev = vectorizer.fit_transform(train.texts), vectorizer.transform(dev.texts)

# %%
# One path a seed: two of them show how much the curve moves by chance.
paths = [
    regularization_path(
        SparseRationalClassifier(random_state=seed),
        X,
        train.labels,
        X_val=X_dev,
        y_val=dev.labels,
    )
    for seed in (0, 1)
]
print(paths[0])

# %%
# A choice on the curve is a classifier, ready to predict.
choices = {
    "the best": paths[0].best(),
    "the smallest within one standard error": paths[0].smallest_within_one_se(),
    "the best of at most six transitions": paths[0].at(n_transitions=6),
}
for name, clf in choices.items():
    print(f"{name}: {clf.learned_structure_}, {clf.score(X_dev, dev.labels):.3f}")

# %%
linear = make_pipeline(TfidfVectorizer(ngram_range=(1, 2)), LogisticRegression(C=10))
baseline = linear.fit(train.texts, train.labels).score(dev.texts, dev.labels)
RegularizationPathDisplay.from_path(
    paths, baselines={"TF-IDF(1,2) + logistic regression": baseline}
)
