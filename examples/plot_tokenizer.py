"""
A tokenizer of your own
=======================

`WordVectorizer` splits texts into words, in any script that writes spaces. For other
scripts, or other units than words, give it a function from a text to a list of tokens.
"""

from sklearn.pipeline import make_pipeline

from skrational import SparseRationalClassifier, WordVectorizer
from skrational.datasets import make_product_reviews
from skrational.inspection import top_phrases

# %%
# Here the reviews are written without spaces, as Chinese, Japanese or Thai are. A run
# of letters is one token by default, a word that occurs once.
train = make_product_reviews(3000, random_state=0)
test = make_product_reviews(300, random_state=1)
joined, joined_test = (
    [text.replace(" ", "") for text in part.texts] for part in (train, test)
)
print(joined[0])

# %%
# A segmenter of the language would go here, such as ``jieba.lcut`` or
# ``pythainlp.word_tokenize``. Overlapping pieces of three characters need none.


def trigrams(text: str) -> list[str]:
    return [text[i : i + 3] for i in range(len(text) - 2)]


pipeline = make_pipeline(
    WordVectorizer(tokenizer=trigrams),
    SparseRationalClassifier(lambda_=2e-3, random_state=0),
)
pipeline.fit(joined, train.labels)
print(f"accuracy: {pipeline.score(joined_test, test.labels):.3f}")

# %%
# Pieces are what the automata read, and what is shown.
print(top_phrases(pipeline, joined, n=3, wfsas=[0]))
