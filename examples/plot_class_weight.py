"""
Rare classes
============

Where one class is rare, a model may do well by never naming it. ``class_weight`` makes
each class count the same while the model is trained; a threshold can be tuned after it.
"""

import numpy as np
from sklearn.metrics import ConfusionMatrixDisplay, balanced_accuracy_score
from sklearn.model_selection import TunedThresholdClassifierCV
from sklearn.pipeline import make_pipeline

from skrational import SparseRationalClassifier, WordVectorizer
from skrational.datasets import make_product_reviews


def draw(n: int, random_state: int) -> tuple[list[str], np.ndarray]:
    """Reviews of which about one in fifteen is bad."""
    reviews = make_product_reviews(n, random_state=random_state)
    labels = np.where(reviews.labels, "good", "bad")
    rng = np.random.default_rng(random_state)
    kept = (labels == "good") | (rng.random(n) < 1 / 14)
    return [reviews.texts[i] for i in np.flatnonzero(kept)], labels[kept]


texts, labels = draw(5000, random_state=0)
new_texts, new_labels = draw(1500, random_state=1)
print(f"{np.mean(labels == 'bad'):.1%} of {len(labels)} reviews are bad")

# %%
# The same model with and without weights. Accuracy hardly tells them apart, balanced
# accuracy does: it is the mean of the shares of each class that are found.
pipelines = {
    weight: make_pipeline(
        WordVectorizer(),
        SparseRationalClassifier(lambda_=2e-3, class_weight=weight, random_state=0),
    ).fit(texts, labels)
    for weight in (None, "balanced")
}
for weight, pipeline in pipelines.items():
    predicted = pipeline.predict(new_texts)
    print(
        f"class_weight={weight!r}: accuracy {np.mean(predicted == new_labels):.3f}, "
        f"balanced {balanced_accuracy_score(new_labels, predicted):.3f}, "
        f"{pipeline[-1].learned_structure_}"
    )

# %%
ConfusionMatrixDisplay.from_estimator(pipelines["balanced"], new_texts, new_labels)

# %%
# Or move the threshold of the model that was fitted without weights, on reviews that it
# hasn't seen.
held_out = draw(2000, random_state=2)
tuned = TunedThresholdClassifierCV(pipelines[None], cv="prefit", refit=False)
tuned.fit(*held_out)
predicted = tuned.predict(new_texts)
print(f"a tuned threshold: {balanced_accuracy_score(new_labels, predicted):.3f}")
