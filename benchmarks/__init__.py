"""Benchmarks of accuracy and speed; each module says in its docstring what it measures and how to run it."""
