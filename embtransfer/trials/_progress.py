"""What trials say on the way: how far they are, and what went wrong."""


class Steps:
    """Counts the steps of `progress(done, total, description)`, which is called before each; or of none."""

    def __init__(self, progress, total, of=""):
        self.progress, self.total, self.of, self.done = progress, total, of, 0

    def __call__(self, description):
        if self.progress:
            self.progress(self.done, self.total, self.of + description)
        self.done += 1


def line(error) -> str:
    """The type and the first line of an error, for a cell of a table."""
    return f"{type(error).__name__}: {error}".partition("\n")[0]
