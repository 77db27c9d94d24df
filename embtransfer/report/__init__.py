"""Pages: the report of a comparison (also as Markdown, and JSON for programs), and one to label texts."""

from ._label_page import check_label_page, write_label_page
from ._report import Report, make_report

__all__ = ["Report", "check_label_page", "make_report", "write_label_page"]
