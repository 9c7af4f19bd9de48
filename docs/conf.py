"""Sphinx configuration: ``make docs``."""

import inspect
import os
import sys
from pathlib import Path
from pydoc import locate

import matplotlib

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE / "_ext")]

from external_names import write_inventories
from gallery_order import ExampleOrder

from skrational import __version__

matplotlib.use("Agg")
# The site is the same wherever it is built.
os.environ.pop("SKRATIONAL_DATA", None)

project = "skrational"
author = "The skrational developers"
copyright = author
version = release = __version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.extlinks",
    "sphinx.ext.intersphinx",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "mathml",
]
exclude_patterns = ["_build"]
templates_path = ["_templates"]
default_role = "literal"
# The classes of the configuration can't be compared with those of the last build.
suppress_warnings = ["config.cache"]

myst_enable_extensions = ["colon_fence", "dollarmath", "deflist"]
myst_heading_anchors = 3

extlinks = {"arxiv": ("https://arxiv.org/abs/%s", "arXiv:%s")}
intersphinx_mapping = write_inventories(HERE / "_inventories")


def documented_properties(name: str, attributes: list[str]) -> list[str]:
    """Of the attributes of a class those that are properties with a docstring."""
    cls = locate(name)
    members = {item: inspect.getattr_static(cls, item, None) for item in attributes}
    return [k for k, v in members.items() if isinstance(v, property) and v.__doc__]


def documented_methods(name: str, methods: list[str]) -> list[str]:
    """Of the methods of a class those that this package or scikit-learn documents."""
    cls = locate(name)
    homes = {item: getattr(getattr(cls, item), "__module__", "") for item in methods}
    wanted = ("skrational", "sklearn")
    return [k for k, v in homes.items() if (v or "").startswith(wanted) and k[0] != "_"]


autosummary_generate = True
autosummary_context = {
    "documented_methods": documented_methods,
    "documented_properties": documented_properties,
}
autodoc_typehints = "none"
numpydoc_show_class_members = False
numpydoc_xref_param_type = True
numpydoc_xref_ignore = "all"
numpydoc_xref_aliases = {
    "ndarray": "numpy.ndarray",
    "DataFrame": "pandas.DataFrame",
    "Pipeline": "sklearn.pipeline.Pipeline",
    "SequenceArray": "skrational.SequenceArray",
    "RationalStructure": "skrational.structures.RationalStructure",
    "RegularizationPath": "skrational.model_selection.RegularizationPath",
    "Explanation": "skrational.inspection.Explanation",
    "Explanations": "skrational.inspection.Explanations",
}

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": r"/plot_",
    "ignore_pattern": r"^(demo|_\w+)\.py$",
    "within_subsection_order": ExampleOrder,
    "doc_module": ("skrational",),
    "backreferences_dir": "generated/backreferences",
    "reference_url": {"skrational": None},
    "ignore_repr_types": r"matplotlib|Display",
    "parallel": True,
    "abort_on_example_error": True,
    "remove_config_comments": True,
    "download_all_examples": False,
    "default_thumb_file": str(HERE / "images" / "kitchen_structure.png"),
    "min_reported_time": 1,
    "show_signature": False,
}

html_theme = "pydata_sphinx_theme"
html_title = "skrational"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "header_links_before_dropdown": 6,
    "navigation_with_keys": False,
    "show_nav_level": 1,
    "show_prev_next": True,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
# Pages without pages below them have nothing to show beside them.
html_sidebars = {page: [] for page in ("index", "tutorial", "guide", "theory", "faq")}
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
