"""Sphinx: the Python part of the reference (scripts/reference).

In docstrings, `name()`, `Name` and `Name.member` have to exist and become links. What else stands in backticks, and
indented lines behind an empty one, is shown as code.
"""

import re

import shoal

project = "shoal"
project_copyright = "Apache-2.0"
version = release = shoal.__version__
extensions = ["sphinx.ext.autodoc"]
html_theme = "alabaster"
html_theme_options = {"description": "Python reference", "page_width": "1200px", "body_max_width": "900px"}
html_sidebars = {"**": ["about.html", "localtoc.html", "searchbox.html"]}
html_copy_source = False
autodoc_inherit_docstrings = False
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
toc_object_entries_show_parents = "hide"
autodoc_mock_imports = ["ray"]  # not among the tests' requirements: it pins an older Gymnasium
# Links from docstrings have to be found; types of other libraries in signatures are not looked for.
nitpicky = True
nitpick_ignore_regex = [("py:(class|data|exc)", ".*")]

QUOTED = re.compile(r"(?<![`:\w])`([^`]+)`(?!`)")
CODE = re.compile(r"^(\S.*\n)\n {4}(?=\S)", re.M)
NAME = re.compile(r"(?!True$|False$|None$)([\w.]+\(\)|[A-Z]\w+(\.\w+)*)")


def mark_up(_app, _what, _name, _object, _options, lines):
    def role(quoted):
        return f":py:obj:`{quoted[1]}`" if NAME.fullmatch(quoted[1]) else f"``{quoted[1]}``"

    # Of nanobind's properties the signature is all that there is.
    text = "\n".join(line for line in lines if not line.startswith("(self) ->"))
    lines[:] = QUOTED.sub(role, CODE.sub(r"\1\n::\n\n    ", text)).split("\n")


def setup(app):
    app.connect("autodoc-process-docstring", mark_up)
