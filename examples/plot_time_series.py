"""
Time series: ragged, with missing values, and explained
=======================================================

Gestures as an accelerometer on a wrist records them, invented here with a seed: waves,
knocks and circles of 3 channels, 40 to 90 steps long, that begin anywhere, drift, and
have gaps.
"""

import numpy as np
from matplotlib import pyplot as plt
from numpy.typing import NDArray
from sklearn.impute import SimpleImputer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skrational import SparseRationalClassifier, TimeStepTransformer, as_sequences
from skrational.inspection import explain

GESTURES = ("circle", "knock", "wave")
CHANNELS = ("x", "y", "z")
MISSING = 0.03


def gesture(kind: str, n_steps: int) -> NDArray[np.float64]:
    """The movement itself, (n_steps, 3)."""
    phase = np.linspace(0, 4 * np.pi, n_steps)
    still = np.zeros(n_steps)
    if kind == "wave":
        return np.stack([2 * np.sin(2 * phase), still, still], axis=1)
    if kind == "circle":
        return np.stack([np.sin(phase), np.cos(phase), still], axis=1)
    return np.stack([still, still, 4.0 * (np.sin(2 * phase) > 0.9)], axis=1)


def draw_series(kind: str, rng: np.random.Generator) -> NDArray[np.float64]:
    """A recording: noise, drift, the gesture somewhere in it, and gaps."""
    n_steps = int(rng.integers(40, 91))
    series = (
        rng.normal(0, 0.3, (n_steps, 3))
        + np.linspace(0, rng.normal(), n_steps)[:, None]
    )
    series[:, 2] += 9.81
    start = int(rng.integers(0, n_steps - 30))
    series[start : start + 30] += gesture(kind, 30)
    series[rng.random(series.shape) < MISSING] = np.nan
    return series


# %%
# A list of arrays of shape (n_steps, n_channels), and a label for each.
rng = np.random.default_rng(0)
y = np.array(GESTURES)[np.arange(240) % len(GESTURES)]
X = [draw_series(kind, rng) for kind in y]
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)

# %%
# ``TimeStepTransformer`` applies transformers of rows to every step. Gaps become the
# mean, and are told as features of their own.
steps = make_pipeline(SimpleImputer(add_indicator=True), StandardScaler())
pipeline = make_pipeline(
    TimeStepTransformer(steps),
    SparseRationalClassifier(lambda_=2e-2, random_state=0),
)
pipeline.fit(X_train, y_train)
print(f"{len(X_train)} recordings, learned: {pipeline[-1].learned_structure_}")
print(f"accuracy on {len(X_test)} others: {pipeline.score(X_test, y_test):.3f}")

# %%
# A recording, and below it what each step adds to the prediction. An explanation names
# steps by their labels.
series = X_test[0]
labels = [f"t={t}" for t in range(len(series))]
explanation = explain(pipeline, as_sequences([series], labels=labels))[0]
figure, (above, below) = plt.subplots(2, sharex=True, layout="constrained")
above.plot(series - np.nanmean(series, axis=0), label=CHANNELS)
above.legend(loc="upper right")
above.set(title=f"predicted: {explanation.prediction}", ylabel="acceleration")
below.bar(np.arange(len(series)), explanation.effects, width=1)
below.set(xlabel="step", ylabel="effect on the log-odds")

# %%
# The automata behind it, and the strongest steps.
explanation
