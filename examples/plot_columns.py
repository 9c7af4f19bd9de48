"""
Texts beside other columns of a DataFrame
=========================================

The classifier is a transformer, too: its ``transform`` returns a score for each
automaton. So a ColumnTransformer sets texts beside numbers and categories.
"""

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skrational import SparseRationalClassifier, WordVectorizer
from skrational.datasets import make_product_reviews

# %%
# Reviews with a price and a shop. Whether a customer came back depends on what is
# written, and on the price.
rng = np.random.default_rng(0)
reviews = make_product_reviews(3000, random_state=0)
frame = pd.DataFrame(
    {
        "review": reviews.texts,
        "price": rng.gamma(2, 20, len(reviews.texts)).round(2),
        "shop": rng.choice(["north", "south"], len(reviews.texts)),
    }
)
came_back = (reviews.labels == 1) & (frame["price"] < 60)
train, test = slice(0, 2000), slice(2000, None)
frame.head(3)

# %%
text = make_pipeline(
    WordVectorizer(), SparseRationalClassifier(lambda_=2e-3, random_state=0)
)
columns = ColumnTransformer(
    [
        ("text", text, "review"),
        ("price", StandardScaler(), ["price"]),
        ("shop", OneHotEncoder(sparse_output=False), ["shop"]),
    ]
)
columns.set_output(transform="pandas")
model = make_pipeline(columns, LogisticRegression())
model.fit(frame[train], came_back[train])

# %%
# What the last step sees has names: a column for each automaton that is left.
columns.transform(frame[test]).head(3).round(2)

# %%
print(f"texts and columns: {model.score(frame[test], came_back[test]):.3f}")
alone = columns.named_transformers_["text"]
print(f"texts alone: {alone.score(frame['review'][test], came_back[test]):.3f}")
