import pytest

from skrational.datasets import make_planted_patterns
from tests.persistence.models import Models


@pytest.fixture(scope="session")
def series():
    data = make_planted_patterns(60, random_state=0)
    return data.X, data.y


@pytest.fixture(scope="session")
def models(series):
    """Fitted models and what they predict, by name."""
    return Models(*series)
