"""Sphinx's configuration of the pages; site/pages.py lays the lessons beside it."""

import re

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml
from pygments.lexers import PythonLexer

project = "Networks by hand"
author = ""
copyright = "the authors of the course (MIT); the digits: MNIST, CC BY-SA 3.0"
extensions = ["myst_nb", "sphinx.ext.napoleon", "autoapi.extension"]
exclude_patterns = ["doctrees"]
html_theme = "furo"
html_title = project
html_static_path = ["_static"]
html_css_files = ["course.css"]
html_show_sphinx = False
html_copy_source = False

html_theme_options = {"footer_icons": []}

nb_execution_mode = "off"
nb_merge_streams = True
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
suppress_warnings = ["myst.header", "autoapi.python_import_resolution"]

autoapi_type = "python"
autoapi_root = "api"
autoapi_add_toctree_entry = False
autoapi_options = ["members", "show-module-summary"]
autoapi_member_order = "bysource"
autoapi_ignore = ["*/commands/*", "*/benchmark/*", "*/exercises/*"]  # for those who work on it
default_role = "code"
QUOTED = re.compile("(`[^`]*`)")


def plain(app, what, name, obj, options, lines):
    """Docstrings are plain text with `code`: signs that mean something to docutils are quoted.

    What is indented in that of a module is shown as it stands.
    """
    result, block = [], False
    for line in lines:
        indented = line.startswith("    ")
        if what == "module" and indented and not block and (not result or not result[-1]):
            result += ["::", ""]
            block = True
        elif line and not indented:
            block = False
        result.append(line if block else quoted(line))
    lines[:] = result


def quoted(line):
    """A line in which no sign has a meaning but the `...` around code."""
    parts = QUOTED.split(line)
    parts[::2] = (re.sub(r"[*|]|_(?=\W|$)", r"\\\g<0>", part) for part in parts[::2])
    return re.sub(r"(`[^`]*`)(?=\w)", r"\1\\ ", "".join(parts))


def write_inline(self, node):
    self.body.append(tex2mathml(node.astext()))
    raise nodes.SkipNode


def write_block(self, node):
    self.body.append(f'<div class="math">{tex2mathml(node.astext(), as_block=True)}</div>')
    raise nodes.SkipNode


def setup(app):
    """Formulas are MathML, which browsers know by themselves: no script and no font is loaded."""
    app.add_html_math_renderer("mathml", (write_inline, None), (write_block, None))
    app.add_lexer("ipython3", PythonLexer)
    app.add_lexer("ipython", PythonLexer)
    app.connect("autodoc-process-docstring", plain, priority=900)
