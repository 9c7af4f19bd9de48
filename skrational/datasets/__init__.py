"""Data sets: made ones, local text sets, public ones to download."""

from skrational.datasets.adding import make_adding
from skrational.datasets.agreement import AgreementSentences, make_agreement
from skrational.datasets.download import clear_data_home, get_data_home
from skrational.datasets.navigation import NavigationTask, make_navigation
from skrational.datasets.place_cells import PlaceCells
from skrational.datasets.planted import PlantedPatterns, make_planted_patterns
from skrational.datasets.planted_scores import PlantedScores, make_planted_scores
from skrational.datasets.product_reviews import ProductReviews, make_product_reviews
from skrational.datasets.remote import fetch_amazon_reviews, fetch_sst2
from skrational.datasets.reviews import (
    Reviews,
    data_folder,
    load_reviews,
    reviews_available,
)
from skrational.utils.lazy import listing

__all__ = [
    "AgreementSentences",
    "NavigationTask",
    "PlaceCells",
    "PlantedPatterns",
    "PlantedScores",
    "ProductReviews",
    "Reviews",
    "clear_data_home",
    "data_folder",
    "fetch_amazon_reviews",
    "fetch_sst2",
    "get_data_home",
    "load_reviews",
    "make_adding",
    "make_agreement",
    "make_navigation",
    "make_planted_patterns",
    "make_planted_scores",
    "make_product_reviews",
    "reviews_available",
]

__dir__ = listing(__all__)
