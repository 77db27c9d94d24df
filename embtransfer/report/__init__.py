"""The report of a comparison: one page for people, Markdown, and JSON for programs."""

from ._report import Report, make_report

__all__ = ["Report", "make_report"]
