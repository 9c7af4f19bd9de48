"""The names of other projects that these pages refer to, as inventories of Sphinx.

Sphinx would download whole inventories at each build. The few names that are used here
are written down instead, so that a build needs no network and is the same anywhere.
"""

import zlib
from pathlib import Path

PLACES = {
    "python": "https://docs.python.org/3/",
    "numpy": "https://numpy.org/doc/stable/",
    "pandas": "https://pandas.pydata.org/docs/",
    "sklearn": "https://scikit-learn.org/stable/",
    "matplotlib": "https://matplotlib.org/stable/",
    "networkx": "https://networkx.org/documentation/stable/",
}
# Project, role, place with $ for the name, names.
NAMES = [
    ("python", "py:function", "library/functions.html#$", "open callable"),
    ("python", "py:function", "library/json.html#$", "json.dumps"),
    ("python", "py:function", "library/warnings.html#$", "warnings.warn"),
    ("python", "py:class", "library/stdtypes.html#$", "dict list str tuple bytes"),
    ("python", "py:class", "library/functions.html#$", "bool int float"),
    ("python", "py:data", "library/constants.html#$", "None True False"),
    ("python", "std:label", "library/stdtypes.html#$", "bltin-boolean-values"),
    ("python", "std:term", "glossary.html#term-$", "iterable sequence"),
    ("numpy", "py:class", "reference/generated/$.html#$", "numpy.ndarray"),
    (
        "numpy",
        "py:class",
        "reference/random/legacy.html#$",
        "numpy.random.RandomState",
    ),
    ("numpy", "std:term", "glossary.html#term-$", "array_like"),
    ("pandas", "py:class", "reference/api/$.html#$", "pandas.DataFrame"),
    (
        "sklearn",
        "py:class",
        "modules/generated/$.html#$",
        "sklearn.pipeline.Pipeline sklearn.model_selection.GridSearchCV "
        "sklearn.utils.metadata_routing.MetadataRequest",
    ),
    ("sklearn", "py:function", "modules/generated/$.html#$", "sklearn.set_config"),
    ("sklearn", "std:term", "glossary.html#term-$", "meta-estimator"),
    # Labels of its guide that inherited docstrings mention.
    ("sklearn", "std:label", "metadata_routing.html", "metadata_routing"),
    (
        "sklearn",
        "std:label",
        "modules/model_evaluation.html",
        "accuracy_score r2_score",
    ),
    ("sklearn", "std:label", "modules/df_output_transform.html", "df_output_transform"),
    (
        "sklearn",
        "std:label",
        "auto_examples/miscellaneous/plot_set_output.html",
        "sphx_glr_auto_examples_miscellaneous_plot_set_output.py",
    ),
    ("matplotlib", "py:class", "api/_as_gen/$.html#$", "matplotlib.axes.Axes"),
]


def write_inventories(folder: Path) -> dict[str, tuple[str, str]]:
    """Write an inventory a project; return what intersphinx is to be told."""
    folder.mkdir(exist_ok=True)
    for project in PLACES:
        lines = [
            f"{name} {role} 1 {place.replace('$', name)} {name}\n"
            for of, role, place, names in NAMES
            if of == project
            for name in names.split()
        ]
        head = (
            "# Sphinx inventory version 2\n"
            f"# Project: {project}\n# Version: \n"
            "# The remainder of this file is compressed using zlib.\n"
        )
        body = zlib.compress("".join(lines).encode())
        (folder / f"{project}.inv").write_bytes(head.encode() + body)
    return {p: (url, f"{folder.name}/{p}.inv") for p, url in PLACES.items()}
