"""
A first fit, from texts to automata
===================================

A pipeline of two steps: word vectors that are learned from the texts themselves, and a
classifier that learns which patterns of words matter, and how many it needs.
"""

from sklearn.pipeline import make_pipeline

from skrational import SparseRationalClassifier, WordVectorizer
from skrational.datasets import make_product_reviews

# %%
# The texts are short reviews, invented with a seed; 1 is a good one. Any list of
# strings will do, with a label for each, a number or a word.
train = make_product_reviews(3000, random_state=0)
test = make_product_reviews(500, random_state=1)
for text, label in list(zip(train.texts, train.labels, strict=True))[:3]:
    print(f"{label}: {text}")

# %%
# Fitting takes seconds. ``lambda_`` is the price of a state: the larger it is, the
# smaller the model becomes.
pipeline = make_pipeline(
    WordVectorizer(), SparseRationalClassifier(lambda_=2e-3, random_state=0)
)
pipeline.fit(train.texts, train.labels)

# %%
# What is left of 24 automata of four states:
print(pipeline[-1].learned_structure_)
print(f"accuracy on other reviews: {pipeline.score(test.texts, test.labels):.3f}")

# %%
# Predictions are as of any classifier of scikit-learn.
pipeline.predict(["The handle is anything but flimsy.", "Not worth the money."])

# %%
# Seen as a picture: solid states were kept, dashed ones removed.
from skrational.inspection import StructureDisplay

StructureDisplay.from_estimator(pipeline[-1])
