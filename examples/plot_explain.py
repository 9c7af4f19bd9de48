"""
Why it predicts what it predicts
================================

`explain` splits a prediction exactly into what each automaton adds, and measures the
effect of each token: the log-odds of the prediction with it less those without it.
"""

from sklearn.pipeline import make_pipeline

from skrational import SparseRationalClassifier, WordVectorizer
from skrational.datasets import make_product_reviews
from skrational.inspection import ExplanationDisplay, explain

train = make_product_reviews(3000, random_state=0)
test = make_product_reviews(300, random_state=1)
pipeline = make_pipeline(
    WordVectorizer(), SparseRationalClassifier(lambda_=2e-3, random_state=0)
)
pipeline.fit(train.texts, train.labels)

# %%
# One text, as a terminal shows it:
sentence = "It looks great, but the lid isn't sturdy at all."
explanation = explain(pipeline, sentence)
print(explanation)

# %%
# A notebook shows a table and the highlighted text:
explanation

# %%
# The same as a figure.
ExplanationDisplay.from_estimator(pipeline, sentence)

# %%
# The parts are numbers, to be used elsewhere. The logit is the bias and what the
# automata add, to the last digit that matters.
total = explanation.bias[0] + explanation.contributions[0].sum()
print(f"{total:.6f} {pipeline.decision_function([sentence])[0]:.6f}")

# %%
# Many texts at once: of the reviews held out, those of which the model is least sure.
margins = abs(pipeline.decision_function(test.texts))
unsure = [test.texts[i] for i in margins.argsort()[:2]]
explain(pipeline, unsure)
