"""What a user does first, on an installed wheel: `make test-wheel` runs this program.

    python tests/installed.py README.md

It runs the first Python block of a page as it is written, in an empty namespace.
"""

import re
import sys
from importlib.metadata import entry_points
from pathlib import Path

import skrational

page = Path(sys.argv[1])
if page.resolve().parent in Path(skrational.__file__).resolve().parents:
    # A venv may lie within the sources; the package itself may not.
    assert "site-packages" in Path(skrational.__file__).parts, skrational.__file__
assert (Path(skrational.__file__).parent / "py.typed").is_file()
assert any(
    script.name == "skrational" for script in entry_points(group="console_scripts")
)

code = re.search(r"^```python\n(.*?)^```$", page.read_text("utf-8"), re.M | re.S)[1]
namespace = {"__name__": "__main__"}
exec(compile(code, str(page), "exec"), namespace)
pipeline = namespace["pipeline"]
print(f"skrational {skrational.__version__}: {pipeline[-1].learned_structure_}")
assert pipeline.predict(["Not worth the money."]) == [0]
