"""
Join several tables of word vectors
===================================

``vectors=[a, b]`` gives a word the vectors of all tables, one after the other, each of
length 1. ``"corpus"`` among them stands for vectors that are learned from the texts.
"""

import warnings

import numpy as np
from sklearn.pipeline import make_pipeline

from skrational import SparseRationalClassifier, WordVectorizer
from skrational.datasets import make_product_reviews
from skrational.exceptions import OutOfVocabularyWarning

train = make_product_reviews(1000, random_state=0)
test = make_product_reviews(500, random_state=1)

# %%
# A small table of your own, here a lexicon: one number says what a word is worth. A
# table may be a dict, gensim's KeyedVectors, or the path of a file.
GOOD = "great excellent sturdy reliable perfect lovely sharp handy quiet".split()
BAD = "flimsy useless awful dull cheap broken noisy terrible poor".split()
lexicon = {word: np.array([1.0]) for word in GOOD}
lexicon |= {word: np.array([-1.0]) for word in BAD}

# %%
# Words that a table lacks get a random vector by default; here zeros, which say
# nothing.
for name, vectors in {
    "lexicon": lexicon,
    "corpus": "corpus",
    "both": [lexicon, "corpus"],
}.items():
    pipeline = make_pipeline(
        WordVectorizer(vectors, oov="zero"), SparseRationalClassifier(random_state=0)
    )
    with warnings.catch_warnings():
        # The lexicon alone knows few of the words, which it says.
        warnings.simplefilter("ignore", OutOfVocabularyWarning)
        pipeline.fit(train.texts, train.labels)
        accuracy = pipeline.score(test.texts, test.labels)
    print(f"{name}: {accuracy:.3f}, {pipeline[-1].learned_structure_}")
