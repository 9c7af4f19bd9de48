"""What a user meets first: names, import time, errors."""

import importlib
import subprocess
import sys

import pytest

import skrational


def test_public_names_are_there():
    for name in skrational.__all__:
        assert getattr(skrational, name).__name__ == name
    assert set(skrational.__all__) <= set(dir(skrational))
    with pytest.raises(AttributeError, match="no attribute 'Nonsense'"):
        _ = skrational.Nonsense


PUBLIC = (
    "datasets",
    "deployment",
    "editing",
    "exceptions",
    "inspection",
    "model_selection",
    "persistence",
    "reporting",
    "sequences",
    "structures",
    "testing",
    "text",
)


def test_public_packages_are_attributes_and_list_what_is_public():
    script = (
        "import skrational; "
        f"names = [getattr(skrational, name).__name__ for name in {PUBLIC}]; "
        f"assert names == ['skrational.' + name for name in {PUBLIC}]; "
        "expected = {*skrational.__all__, *" + f"{PUBLIC}" + ", '__version__'}; "
        "assert set(dir(skrational)) == expected, dir(skrational)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
    for name in PUBLIC:
        package = importlib.import_module(f"skrational.{name}")
        assert set(package.__all__) <= set(dir(package))
        if hasattr(package, "__path__"):
            assert sorted(dir(package)) == sorted(package.__all__)


def test_importing_the_package_loads_neither_torch_nor_gensim():
    script = (
        "import sys, skrational; "
        "heavy = {'torch', 'gensim', 'numba', 'sklearn'} & set(sys.modules); "
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
