"""
How many labels are enough?
===========================

Fit to more and more of the labels, and look at texts that were held out. Beside the
automata stands TF-IDF with logistic regression, tuned, which few labels suit better
than any network.
"""

import matplotlib.pyplot as plt
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skrational import SparseRationalClassifier, WordVectorizer
from skrational.datasets import make_product_reviews

train = make_product_reviews(3000, random_state=0)
test = make_product_reviews(1000, random_state=1)

# %%
# The texts negate and concede, which words and pairs of words tell in part only.
automata = make_pipeline(WordVectorizer(), SparseRationalClassifier(random_state=0))
linear = GridSearchCV(
    make_pipeline(TfidfVectorizer(ngram_range=(1, 2)), LogisticRegression()),
    {"logisticregression__C": [1, 10, 100]},
    cv=3,
)
numbers = [100, 300, 1000, 3000]
curves = {"automata": [], "TF-IDF(1,2) + logistic regression": []}
for n in numbers:
    for model, scores in zip((automata, linear), curves.values(), strict=True):
        model.fit(train.texts[:n], train.labels[:n])
        scores.append(model.score(test.texts, test.labels))
    print(n, *(f"{name}: {scores[-1]:.3f}" for name, scores in curves.items()))

# %%
figure, ax = plt.subplots(layout="constrained")
for name, scores in curves.items():
    ax.plot(numbers, scores, marker="o", label=name)
ax.set(xscale="log", xlabel="labels", ylabel="accuracy on texts held out")
ax.legend()
