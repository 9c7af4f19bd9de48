"""What a user does first, on an installed wheel: `make test-wheel` runs this program.

    python tests/installed.py README.md

It runs the first Python block of a page as it is written, in an empty namespace.
"""

import re
import sys
from importlib.metadata import entry_points
from pathlib import Path


def main():
    page = Path(sys.argv[1])
    block = re.search(r"^```python\n(.*?)^```$", page.read_text("utf-8"), re.M | re.S)
    namespace = {"__name__": "__main__"}
    exec(compile(block[1], str(page), "exec"), namespace)
    pipeline = namespace["pipeline"]
    assert pipeline.predict(["Not worth the money."]) == [0]

    import skrational

    folder = Path(skrational.__file__).parent
    assert "site-packages" in folder.parts, f"{folder} isn't installed"
    assert (folder / "py.typed").is_file()
    assert "skrational" in {s.name for s in entry_points(group="console_scripts")}
    print(f"skrational {skrational.__version__}: {pipeline[-1].learned_structure_}")


if __name__ == "__main__":
    main()
