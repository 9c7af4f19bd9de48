"""
A penalty of your own
=====================

A penalty is a value and, for exact zeros, a proximal operator. An estimator names the
penalties it trains with, and over which groups: here a group lasso together with a
square of each group's norm, an elastic net over groups.
"""

from dataclasses import dataclass

import torch

from skrational import SparseRationalClassifier
from skrational.datasets import make_planted_patterns
from skrational.penalties.group_lasso import GroupLasso


@dataclass(frozen=True)
class SquaredNorm:
    """Charge each group the square of its norm."""

    lambda_: float

    def value(self, groups):
        return self.lambda_ * groups.norms().square().sum()

    def scaled(self, share):
        """The same penalty, weaker, while it is ramped up."""
        return SquaredNorm(self.lambda_ * share)

    @torch.no_grad()
    def prox_(self, groups, metric, step_size):
        """Minimise (w - w_0)' D (w - w_0) / (2 step) + lambda |w|^2."""
        for part, d in zip(groups.parts, metric, strict=True):
            part.scale_(d / (d + 2 * step_size * self.lambda_))


class ElasticRationalClassifier(SparseRationalClassifier):
    """A SparseRationalClassifier with a group elastic net."""

    def _charges(self):
        squares = SquaredNorm(self.lambda_ / 10)
        return (squares, self.penalty), (GroupLasso(self.lambda_), self.penalty)


# %%
# Paths, searches and pickles work with it as with any other.
data = make_planted_patterns(800, random_state=0)
X, y = data.X[:500], data.y[:500]
for cls in (SparseRationalClassifier, ElasticRationalClassifier):
    clf = cls(n_wfsas=12, lambda_=4e-3, random_state=0).fit(X, y)
    largest = abs(clf.weights_["W_u"]).max()
    print(
        f"{cls.__name__}: {clf.learned_structure_}, "
        f"accuracy {clf.score(data.X[500:], data.y[500:]):.3f}, "
        f"largest weight {largest:.1f}"
    )
