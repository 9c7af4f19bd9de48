"""What is exported is documented, and the other way round."""

import re
from importlib import import_module
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    ("package", "elsewhere"),
    [("model_selection", {"SparseRationalClassifierCV"}), ("inspection", set())],
)
def test_the_reference_lists_what_is_exported(package, elsewhere):
    text = Path(__file__).parents[1].joinpath("docs/api.rst").read_text()
    listed = set(re.findall(rf"{package}\.(\w+)", text))
    assert listed | elsewhere == set(import_module(f"skrational.{package}").__all__)
