"""What a user meets first: names, import time, errors."""

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


def test_importing_the_package_loads_neither_torch_nor_gensim():
    script = (
        "import sys, skrational; "
        "heavy = {'torch', 'gensim', 'numba', 'sklearn'} & set(sys.modules); "
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
