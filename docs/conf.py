"""Sphinx's settings for the site of the reference: ``python -m tools.reference FOLDER`` builds it."""

from docutils import nodes
from latex2mathml.converter import convert

project = "backprop_lab"
author = copyright = "the backprop_lab authors"
extensions = ["sphinx.ext.autodoc", "myst_nb"]
html_theme = "furo"
html_title = "backprop_lab"
html_static_path = ["reference.css"]
html_css_files = ["reference.css"]
nb_execution_mode = "off"
nb_ipywidgets_js = {}
html_math_renderer = "mathml"
myst_enable_extensions = ["dollarmath"]
autodoc_member_order = "bysource"


def setup(app):
    """Formulas as MathML, which browsers draw themselves; MathJax would come from another server."""

    def written(display):
        def visit(translator, node):
            translator.body.append(convert(node.astext(), display=display))
            raise nodes.SkipNode

        return visit, None

    app.add_html_math_renderer("mathml", written("inline"), written("block"))
