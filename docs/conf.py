"""Sphinx configuration: ``sphinx-build docs docs/_build``."""

project = "skrational"
author = "The skrational developers"
extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
]
extlinks = {"arxiv": ("https://arxiv.org/abs/%s", "arXiv:%s")}
extensions.append("sphinx.ext.extlinks")
autosummary_generate = True
numpydoc_show_class_members = False
html_theme = "pydata_sphinx_theme"
html_title = "skrational"
exclude_patterns = ["_build"]
