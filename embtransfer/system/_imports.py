"""Imports that other packages try, and can do without."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import get_ident


class _Finder:
    """A finder of modules for which some packages are not installed, in the thread that makes it."""

    def __init__(self, packages):
        self.packages, self.thread = packages, get_ident()

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self.packages and get_ident() == self.thread:
            raise ModuleNotFoundError(f"{name} is not looked for here", name=name)


@contextmanager
def not_found(*packages: str) -> Iterator[None]:
    """Let packages that are not imported yet seem not to be installed, in this thread.

    For imports by others, of what they try and do without, where that takes a part of a second or more.
    """
    finder = _Finder(packages)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
