"""
More than two classes
=====================

With many classes each automaton speaks for some of them and against others: ``coef_``
has a row for each class, and phrases say whom a high score speaks for.
"""

import numpy as np
from sklearn.metrics import ConfusionMatrixDisplay
from sklearn.pipeline import make_pipeline

from skrational import SparseRationalClassifier, WordVectorizer
from skrational.datasets import make_product_reviews
from skrational.inspection import explain, top_phrases

# %%
# Letters to a shop: they praise or complain, and some ask for the money back or for a
# delivery date instead.
ASKED = {
    "refund": "please send my money back .",
    "delivery": "when will my order arrive ?",
}


def draw(n: int, random_state: int) -> tuple[list[str], np.ndarray]:
    """Letters of four classes."""
    reviews = make_product_reviews(n, random_state=random_state)
    labels = np.where(reviews.labels, "praise", "complaint")
    rng = np.random.default_rng(random_state)
    letters = np.where(rng.random(n) < 0.5, labels, rng.choice(list(ASKED), n))
    texts = [
        f"{text} {ASKED[letter]}" if letter in ASKED else text
        for text, letter in zip(reviews.texts, letters, strict=True)
    ]
    return texts, letters


texts, labels = draw(3000, random_state=0)
new_texts, new_labels = draw(500, random_state=1)

# %%
# More classes need more states: the pull of the data grows with their number, so that
# the same ``lambda_`` leaves a larger model.
pipeline = make_pipeline(
    WordVectorizer(), SparseRationalClassifier(lambda_=1e-2, random_state=0)
)
pipeline.fit(texts, labels)
print(pipeline[-1].learned_structure_)
print(f"accuracy: {pipeline.score(new_texts, new_labels):.3f}")

# %%
print(top_phrases(pipeline, texts, n=2))

# %%
ConfusionMatrixDisplay.from_estimator(pipeline, new_texts, new_labels)

# %%
explain(pipeline, "The lid is flimsy. Please send my money back.")
