"""The command line: parse, call one function, print."""

from ._app import app, main

__all__ = ["app", "main"]
