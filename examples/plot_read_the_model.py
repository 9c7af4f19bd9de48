"""
Read a model: its phrases, its words, its automata
==================================================

What does each automaton look for? The phrases of a corpus that it scores highest and
lowest say it best, the words on its arcs say it shortest.
"""

from sklearn.pipeline import make_pipeline

from skrational import SparseRationalClassifier, WordVectorizer
from skrational.datasets import make_product_reviews
from skrational.inspection import (
    AutomatonDisplay,
    PhraseDisplay,
    StructureDisplay,
    top_phrases,
    top_words,
)

train = make_product_reviews(3000, random_state=0)
pipeline = make_pipeline(
    WordVectorizer(), SparseRationalClassifier(lambda_=2e-3, random_state=0)
)
pipeline.fit(train.texts, train.labels)
print(pipeline[-1].learned_structure_)

# %%
# The phrases of the corpus. A column is a transition; words in parentheses were skipped
# by a self-loop.
print(top_phrases(pipeline, train.texts, n=3))

# %%
# The same as a picture.
PhraseDisplay.from_estimator(pipeline, train.texts, n=3)

# %%
# The words on the arcs of the first automaton, of the whole vocabulary.
print(top_words(pipeline, n=5, wfsas=[0]))

# %%
# One automaton, drawn with the strongest words on its arcs.
AutomatonDisplay.from_estimator(pipeline, wfsa=0)

# %%
# All of them, before pruning and after it.
StructureDisplay.from_estimator(pipeline[-1])
