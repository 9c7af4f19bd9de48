"""Wheel and sdist: the same bytes wherever they are built, and nothing missing."""

import email
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import skrational

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
LEFT_OUT = shutil.ignore_patterns(
    ".*", "__pycache__", "_build", "generated", "_inventories", "auto_examples", "dist"
)

pytestmark = pytest.mark.skipif(
    not (ROOT / "Makefile").is_file(), reason="needs the sources' root"
)


def build(sources, out, umask=0o022):
    """Make sdist and wheel; return their paths."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-d", str(out)],
        cwd=sources,
        check=True,
        capture_output=True,
        umask=umask,
    )
    return next(out.glob("*.tar.gz")), next(out.glob("*.whl"))


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """A copy of the sources, made at another time than they were."""
    copy = tmp_path_factory.mktemp("sources") / "skrational"
    shutil.copytree(ROOT, copy, ignore=LEFT_OUT)
    shutil.copy(ROOT / ".gitignore", copy)
    for path in copy.rglob("*"):
        os.utime(path, (1e9, 1e9))
    return copy


@pytest.fixture(scope="module")
def distributions(sources, tmp_path_factory):
    return build(sources, tmp_path_factory.mktemp("first"))


def digests(paths):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def test_builds_are_the_same_to_the_bit(sources, distributions, tmp_path):
    for path in sources.rglob("*.py"):
        os.utime(path, (1.7e9, 1.7e9))
    again = build(sources, tmp_path, umask=0o077)
    assert digests(again) == digests(distributions)


def test_the_wheel_of_the_sdist_is_the_wheel_of_the_sources(distributions, tmp_path):
    sdist, wheel = distributions
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    (unpacked,) = (tmp_path / "unpacked").iterdir()
    again = build(unpacked, tmp_path / "again")[1]
    assert digests([again]) == digests([wheel])


def test_the_wheel_holds_the_package_and_nothing_else(distributions):
    with zipfile.ZipFile(distributions[1]) as wheel:
        names = {name for name in wheel.namelist() if ".dist-info/" not in name}
        (license_,) = (name for name in wheel.namelist() if name.endswith("LICENSE"))
        assert wheel.read(license_) == (ROOT / "LICENSE").read_bytes()
    package = ROOT / "skrational"
    expected = {
        path.relative_to(ROOT).as_posix()
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert names == expected
    assert "skrational/py.typed" in names


def test_the_sdist_holds_what_its_tests_need(distributions):
    with tarfile.open(distributions[0]) as sdist:
        folders = {Path(name).parts[1] for name in sdist.getnames()}
    needed = {"skrational", "tests", "benchmarks", "examples", "docs", "Makefile"}
    assert needed | {"constraints.txt", "README.md", "SECURITY.md"} <= folders


def test_the_metadata_say_what_pyproject_says(distributions):
    with zipfile.ZipFile(distributions[1]) as wheel:
        (name,) = (name for name in wheel.namelist() if name.endswith("METADATA"))
        metadata = email.message_from_bytes(wheel.read(name))
    assert metadata["Version"] == skrational.__version__
    assert set(metadata.get_all("Provides-Extra")) == set(
        PROJECT["project"]["optional-dependencies"]
    )
    required = [Requirement(line) for line in metadata.get_all("Requires-Dist")]
    core = {str(requirement) for requirement in required if not requirement.marker}
    declared = map(Requirement, PROJECT["project"]["dependencies"])
    assert core == {str(requirement) for requirement in declared}


def declared():
    """All requirements: of the package, of its extras and of its suite."""
    project = PROJECT["project"]
    extras = project["optional-dependencies"].values()
    suite = PROJECT["dependency-groups"]["suite"]
    for line in (*project["dependencies"], *suite, *(r for e in extras for r in e)):
        yield Requirement(line)


def pins(name):
    lines = (ROOT / name).read_text("utf-8").splitlines()
    pinned = (line.split("==") for line in lines if line and not line.startswith("#"))
    return {canonicalize_name(name): version for name, version in pinned}


def test_the_oldest_versions_are_those_that_are_declared():
    oldest = pins("constraints-min.txt")
    for requirement in declared():
        (least,) = (s.version for s in requirement.specifier if s.operator == ">=")
        pinned = oldest[canonicalize_name(requirement.name)]
        assert (*pinned.split("."), "0", "0")[:3] == (*least.split("."), "0", "0")[:3]


def test_what_is_pinned_satisfies_what_is_declared():
    pinned = pins("constraints.txt")
    for requirement in declared():
        name = canonicalize_name(requirement.name)
        if name in pinned:
            assert requirement.specifier.contains(pinned[name]), requirement
