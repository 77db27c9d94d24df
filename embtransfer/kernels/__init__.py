"""Compiled loops: bytes -> tokens -> rows -> sums and scores.

Imported where they run, in functions: numba is slow to load.
"""
