"""Formulas as MathML, which browsers show by themselves: no script, no network."""

import re

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx

# Brackets grow by themselves, and docutils knows no command that makes them.
SIZES = re.compile(r"\\[bB]igg?[lrm]?(?![A-Za-z])")


def visit_inline(translator, node: nodes.math) -> None:
    translator.body.append(tex2mathml(SIZES.sub("", node.astext())))
    raise nodes.SkipNode


def visit_block(translator, node: nodes.math_block) -> None:
    translator.body.append(translator.starttag(node, "div", CLASS="math"))
    for part in node.astext().split("\n\n"):
        translator.body.append(tex2mathml(SIZES.sub("", part), as_block=True))
    translator.body.append("</div>")
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
