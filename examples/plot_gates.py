"""
Read a gated network
====================

Which gates of an LSTM are left, and why does it predict what it predicts? Diaries,
invented here with a seed: somebody earns and spends, and an audit sets the balance to
zero. Whether the last balance is positive takes a sum, and the order of the words.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline

from skrational import SparseLSTMClassifier, WordVectorizer
from skrational.inspection import ExplanationDisplay, GateDisplay, explain

WORDS = ("earn", "spend", "audit", "tea", "and", "then", "walk", "rain", "sun")
FREQUENCIES = (0.25, 0.25, 0.08, *[0.07] * 6)
EFFECTS = {"earn": 1, "spend": -1}
N_DIARIES, N_TRAINED = 3000, 2000


def is_rich(words: NDArray[np.str_]) -> bool:
    """Whether more was earned than spent since the last audit."""
    after = np.flatnonzero(words == "audit").max(initial=-1) + 1
    return sum(EFFECTS.get(word, 0) for word in words[after:]) > 0


def draw_diaries(n: int) -> tuple[list[str], NDArray[np.str_]]:
    """Texts of 6 to 24 words, and whether each ends rich or poor."""
    rng = np.random.default_rng(0)
    diaries = [rng.choice(WORDS, rng.integers(6, 25), p=FREQUENCIES) for _ in range(n)]
    labels = np.where([is_rich(words) for words in diaries], "rich", "poor")
    return [" ".join(words) for words in diaries], labels


# %%
# Random vectors will do: they tell words apart.
texts, labels = draw_diaries(N_DIARIES)
vectors = np.random.default_rng(1).normal(size=(len(WORDS), 12))
pipeline = make_pipeline(
    WordVectorizer(dict(zip(WORDS, vectors, strict=True))),
    SparseLSTMClassifier(
        n_units=16,
        lambda_=1e-2,
        learning_rate=5e-3,
        readout="last",
        dropout=0.0,
        warmup_epochs=8,
        max_epochs=25,
        finetune_epochs=10,
        random_state=0,
    ),
)
pipeline.fit(texts[:N_TRAINED], labels[:N_TRAINED])
accuracy = pipeline.score(texts[N_TRAINED:], labels[N_TRAINED:])
print(f"accuracy on {N_DIARIES - N_TRAINED} other diaries: {accuracy:.3f}")
counts = make_pipeline(CountVectorizer(), LogisticRegression())
counts.fit(texts[:N_TRAINED], labels[:N_TRAINED])
accuracy = counts.score(texts[N_TRAINED:], labels[N_TRAINED:])
print(f"counts of words with logistic regression: {accuracy:.3f}")

# %%
# What is left, in words.
structure = pipeline[-1].learned_structure_
print(structure.reading())
print(f"{structure.n_bytes:,} of {structure.n_bytes_initial:,} bytes")

# %%
# And as a picture: a gate that varies with the tokens is hatched, of the others the
# value is written.
GateDisplay.from_estimator(pipeline)


# %%
# What the gates that vary do is in the weights. Each of them at each word, after a
# state of zeros:
def say_gates(pipeline: Pipeline) -> str:
    """A row for each gate that varies, a column for each word."""
    vectorizer, classifier = pipeline
    structure, weights = classifier.learned_structure_, classifier.weights_
    gates, units = np.nonzero(structure.varies)
    vocabulary = vectorizer.vocabulary()
    X = np.concatenate(vocabulary.to_list())[:, structure.inputs]
    entering = weights["W_ih"] @ X.T
    entering += weights["b"][gates, units][:, None]
    names = np.array(structure.gate_names)[gates]
    is_flow = (names == "g")[:, None]
    values = np.where(is_flow, np.tanh(entering), expit(entering))
    lines = ["unit  gate" + "".join(f"{w:>7}" for w in vocabulary.labels)]
    for i in np.lexsort([gates, units]):
        unit = structure.units[units[i]]
        numbers = "".join(f"{value:z7.2f}" for value in values[i])
        lines.append(f"{unit:4}  {names[i]:4}{numbers}")
    return "\n".join(lines)


print(say_gates(pipeline))

# %%
# Why it predicts what it predicts: what each unit adds, and the effect of each token.
explanations = explain(
    pipeline,
    ["spend earn tea earn earn and walk", "earn earn rain earn audit then spend"],
)
print(explanations[1])

# %%
ExplanationDisplay.from_explanation(explanations[1])
