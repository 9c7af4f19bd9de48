"""Type checkers accept what users write, and find misspelled options."""

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, get_args, get_origin, get_type_hints

import pytest
from sklearn.utils._param_validation import StrOptions

import skrational
from skrational.estimators import _options

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "tests" / "typing_examples"
ESTIMATORS = [
    getattr(skrational, name)
    for name in skrational.__all__
    if hasattr(getattr(skrational, name), "_parameter_constraints")
]


@pytest.fixture(scope="module")
def found():
    """Lines of each example in which mypy finds a fault."""
    api = pytest.importorskip("mypy.api", reason="needs the group [lint]")
    config = ["--config-file", str(ROOT / "pyproject.toml"), "--no-error-summary"]
    cache = ["--cache-dir", str(ROOT / ".mypy_cache")]
    python = ["--python-executable", sys.executable]
    paths = [str(path) for path in sorted(EXAMPLES.glob("*.py"))]
    printed, errors, _ = api.run([*config, *cache, *python, *paths])
    assert not errors
    faults = re.findall(r"(\w+)\.py:(\d+): error: (.*)", printed)
    assert len(faults) == printed.count(": error: "), printed
    return faults


@pytest.mark.slow
def test_what_users_write_is_accepted(found):
    assert [fault for fault in found if fault[0] != "rejected"] == []


@pytest.mark.slow
def test_typos_are_found(found):
    lines = (EXAMPLES / "rejected.py").read_text().splitlines()
    marked = {i for i, line in enumerate(lines, 1) if line.endswith("# fault")}
    assert len(marked) > 20
    assert {int(line) for name, line, _ in found if name == "rejected"} == marked


def literals(hint):
    """All strings that a type names."""
    if get_origin(hint) is Literal:
        return {value for value in get_args(hint) if isinstance(value, str)}
    if get_origin(hint) in (Mapping, dict):
        return set()
    return {value for part in get_args(hint) for value in literals(part)}


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_types_name_the_options_that_validation_takes(estimator):
    names = {"options": _options}
    hints = get_type_hints(estimator.__init__, localns=names)
    for name, constraints in estimator._parameter_constraints.items():
        if isinstance(constraints, str):
            continue
        given = [c.options for c in constraints if isinstance(c, StrOptions)]
        if given:
            assert literals(hints[name]) == set().union(*given), name


@pytest.mark.parametrize(
    "estimator", [e for e in ESTIMATORS if len(e._parameter_constraints) > 10]
)
def test_help_names_what_to_start_with(estimator):
    summary = estimator.__doc__.partition("    Parameters\n")[0]
    start = re.search(r"Start with (.*?)\.\s", summary, re.DOTALL)
    assert start, estimator
    named = re.findall(r"``(\w+)``", start[1])
    assert named
    assert set(named) <= set(estimator._parameter_constraints)
