"""Word vectors of two languages, or of any two tables, in one space."""

from ._align import WordAlignment, align_word_vectors

__all__ = ["WordAlignment", "align_word_vectors"]
