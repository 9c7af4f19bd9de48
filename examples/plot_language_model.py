"""
A language model whose structure is learned
===========================================

The LSTM that classifies can also say what comes next. Gates, units and words that it
can do without are removed.
"""

from skrational import SparseLSTMLanguageModel
from skrational.datasets import make_product_reviews

texts = make_product_reviews(1000, random_state=0).texts
new_texts = make_product_reviews(100, random_state=1).texts

# %%
model = SparseLSTMLanguageModel(
    n_units=24, n_embedding=16, lambda_=3e-4, random_state=0
)
model.fit(texts)
print(model.learned_structure_)
print(f"perplexity of other texts: {model.perplexity(new_texts):.1f}")

# %%
# Which kinds of gates are left:
print(model.learned_structure_.gates_by_kind())

# %%
# What it writes:
print(model.generate(25, prompt="the lid is", temperature=0.7, random_state=0))
