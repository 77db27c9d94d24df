"""Rows and texts that are copies of one another, and what keeps them together."""
