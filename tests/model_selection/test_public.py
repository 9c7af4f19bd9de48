"""What is exported is documented, and the other way round."""

import re
from pathlib import Path

import skrational.model_selection as module


def test_the_reference_lists_what_is_exported():
    text = Path(__file__).parents[2].joinpath("docs/api.rst").read_text()
    listed = set(re.findall(r"model_selection\.(\w+)", text))
    assert listed | {"SparseRationalClassifierCV"} == set(module.__all__)
