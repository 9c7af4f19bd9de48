"""What docs/architecture.md says of the house is so."""

import re
import runpy
from pathlib import Path

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "architecture.md").read_text()
MOST_LINES = 400


def test_the_picture_shows_the_layers_of_today():
    drawing = runpy.run_path(str(ROOT / "docs" / "draw_layers.py"))
    layers = drawing["read_layers"]()
    rooms = {path.parent.name for path in (ROOT / "skrational").glob("*/__init__.py")}
    modules = {path.stem for path in (ROOT / "skrational").glob("[a-z_]*.py")}
    named = {name for layer in layers for name in layer}
    assert named == rooms | modules - {"__init__", "__main__"}
    assert drawing["PICTURE"].read_text() == drawing["draw"](layers)


def test_files_that_are_named_or_included_are_there():
    named = re.findall(r"`((?:skrational|tests|docs)/[\w/.]+)`", TEXT)
    included = re.findall(r"literalinclude\} \.\./(\S+)", TEXT)
    assert len(named) > 5
    assert len(included) > 5
    for name in named + included:
        assert (ROOT / name).exists(), name


def test_objects_that_are_included_are_there():
    for name, found in re.findall(
        r"literalinclude\} \.\./(\S+)\n:pyobject: (\w+)", TEXT
    ):
        source = (ROOT / name).read_text()
        assert re.search(rf"^(class|def) {found}\b", source, re.MULTILINE), found


def test_at_the_root_are_rooms_and_five_modules():
    modules = {path.stem for path in (ROOT / "skrational").glob("*.py")}
    assert modules == {"__init__", "__main__", "_version", "exceptions", "groups"}


def test_no_module_is_too_long():
    lines = {
        p: len(p.read_text().splitlines()) for p in ROOT.glob("skrational/**/*.py")
    }
    assert {p: n for p, n in lines.items() if n > MOST_LINES} == {}
