"""The site of guide, gallery and reference: `sphinx-build -c docs . out` writes it to out/index.html."""

import re
from pathlib import Path

import embtransfer

HERE = Path(__file__).parent
project = "embtransfer"
copyright = "the embtransfer developers"
release = version = embtransfer.__version__
extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx_gallery.gen_gallery",
]
root_doc = "README"
exclude_patterns = ["docs/templates", "docs/examples"]
include_patterns = [
    "*.md",
    "docs/**.md",
    "docs/**.rst",
    "benchmarks/**.md",
    "data/README.md",
    "fuzz/README.md",
]
html_theme = "furo"
html_title = f"embtransfer {release}"
html_additional_pages = {"index": "index.html"}  # leads to README.html
html_static_path = ["static"]
html_css_files = ["site.css"]
templates_path = [str(HERE / "templates")]
myst_heading_anchors = 4  # the anchors of a forge
suppress_warnings = ["toc.not_included"]  # the results of benchmarks are reached by links
numpydoc_show_class_members = False  # the templates show them
autodoc_typehints = "none"  # the docstrings say them
autosummary_ignore_module_all = False  # what __all__ names, wherever it lies
autosummary_imported_members = True
sphinx_gallery_conf = {
    "examples_dirs": str(HERE / "examples"),
    "gallery_dirs": "docs/gallery",
    "filename_pattern": "",  # all are run
    "abort_on_example_error": True,
    "within_subsection_order": "FileNameSortKey",
    "copyfile_regex": r".*\.csv",
    "ignore_repr_types": "matplotlib|pathlib",
    "write_computation_times": False,
    "show_memory": False,
    "show_signature": False,
}
CONTENTS = """

```{toctree}
:hidden:

docs/index
docs/gallery/index
docs/reference
```

```{toctree}
:caption: Guide
:hidden:

docs/which-model
docs/compare-and-report
docs/honest-validation
docs/few-labels
docs/what-differs
docs/explain
docs/millions-of-rows
docs/serving
docs/your-own-embeddings
docs/adapters
docs/combine-and-distil
docs/across-languages
docs/when-things-go-wrong
docs/measured
docs/design
```

```{toctree}
:caption: Project
:hidden:

CHANGELOG
CONTRIBUTING
SECURITY
benchmarks/README
data/README
fuzz/README
```
"""


def prepare(app, page, source):
    """The pages as they are, with a list of contents, and links to examples lead to the gallery."""
    source[0] = re.sub(r"\]\(examples/(\w+)\.py\)", r"](gallery/\1.rst)", source[0])
    if page == root_doc:
        source[0] += CONTENTS


def skip(app, what, name, member, skipped, options):
    """Also leave out what scikit-learn's base classes give."""
    return skipped or str(getattr(member, "__module__", "")).startswith("sklearn.")


def setup(app):
    app.connect("autodoc-skip-member", skip)
    app.connect("source-read", prepare)
