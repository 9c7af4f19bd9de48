"""Short product reviews in plain English, made up: real enough to learn to read.

The words alone don't tell the classes apart. Praise is negated in bad reviews as blame
is in good ones, concessions say the opposite of what follows them, and asides praise
and blame what the review isn't about.
"""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skrational.datasets._generator import generator_of
from skrational.datasets._review_writer import Dice, ReviewSentence, ReviewWriter
from skrational.utils.checks import check_count

__all__ = ["ProductReviews", "ReviewSentence", "make_product_reviews"]


@dataclass(frozen=True, eq=False)
class ProductReviews:
    """What `make_product_reviews` made: the data and the truth behind them.

    Attributes
    ----------
    texts : list of str
        The reviews, of one to four sentences.
    labels : ndarray of shape (n_reviews,), int64
        1 for a good review, 0 for a bad one; some are wrong, see ``mislabelled``.
    mislabelled : ndarray of shape (n_reviews,), bool
        Whether the label is not what the review says.
    sentences : list of tuple of ReviewSentence
        How each review was made.

    Examples
    --------
    >>> reviews = make_product_reviews(100, random_state=0)
    >>> len(reviews.texts), reviews.labels.sum().item()
    (100, 50)
    """

    texts: list[str]
    labels: NDArray[np.int64]
    mislabelled: NDArray[np.bool_]
    sentences: list[tuple[ReviewSentence, ...]]

    def __repr__(self) -> str:
        return (
            f"ProductReviews({len(self.texts):,} reviews, {self.labels.mean():.0%} "
            f"good, {self.mislabelled.mean():.1%} mislabelled)"
        )


def make_product_reviews(
    n_reviews: int = 3000,
    *,
    noise: float = 0.03,
    misspelled: float = 0.01,
    random_state: int | np.random.RandomState | None = None,
) -> ProductReviews:
    """Make short reviews of household goods, good ones and bad ones.

    A review has one to four sentences. Those that judge the product agree with its
    label; the others tell where it came from or what other people have. Half of what is
    said is said by a negation ("not worth the money", "the lid never leaked"), and
    concessions, hedges and asides hold words that speak for the other class. So a bag
    of words doesn't get far.

    Parameters
    ----------
    n_reviews : int, default=3000
        Number of reviews; as many good ones as bad ones, but for one if it is odd.
    noise : float, default=0.03
        Share of reviews, from 0 to 1, that get the other label, the same number in both
        classes.
    misspelled : float, default=0.01
        Share of words of five letters and more, from 0 to 1, that are misspelled.
    random_state : int, RandomState instance or None, default=None
        Pass an int for the same reviews in each call and on every platform. None draws
        fresh entropy. NumPy's global generator is not used.

    Returns
    -------
    ProductReviews
        With ``texts``, ``labels``, ``mislabelled`` and ``sentences``.

    Raises
    ------
    ValueError
        If a parameter is out of range.

    See Also
    --------
    make_planted_patterns : Documents of vectors with patterns that are known.
    load_reviews : Real reviews from a folder.

    Examples
    --------
    >>> reviews = make_product_reviews(2, random_state=12)
    >>> for text, label in zip(reviews.texts, reviews.labels):
    ...     print(label, text)
    0 Don't believe those who call this backpack excellent.
    1 The arm feels fragile, but this desk lamp isn't all that bad.
    """
    n_reviews = check_count("n_reviews", n_reviews)
    _check_share("noise", noise)
    _check_share("misspelled", misspelled)
    dice = Dice(generator_of(random_state))
    good = np.array(dice.shuffled([i % 2 for i in range(n_reviews)]), dtype=np.int64)
    writer = ReviewWriter(dice, misspelled)
    written = [writer.review(1 if is_good else -1) for is_good in good.tolist()]
    wrong = _mislabelled(good, noise, dice)
    return ProductReviews(
        texts=[text for text, _ in written],
        labels=np.where(wrong, 1 - good, good),
        mislabelled=wrong,
        sentences=[sentences for _, sentences in written],
    )


def _check_share(name: str, value: Any) -> None:
    if (
        isinstance(value, bool)
        or not isinstance(value, Real)
        or not 0 <= float(value) <= 1
    ):
        raise ValueError(f"{name} is {value!r}; expected a number from 0 to 1.")


def _mislabelled(
    good: NDArray[np.int64], noise: float, dice: Dice
) -> NDArray[np.bool_]:
    """Choose the same number of reviews of each class, so that they stay balanced."""
    wrong = np.zeros(len(good), bool)
    n_each = round(noise * len(good) / 2)
    for label in (0, 1):
        of_label = dice.shuffled(np.flatnonzero(good == label).tolist())
        wrong[of_label[:n_each]] = True
    return wrong
