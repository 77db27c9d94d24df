"""Commands as a shell would run them."""

from typer.testing import CliRunner

from embtransfer.cli import app


def run(*words):
    found = CliRunner().invoke(app, [*words])
    assert found.exit_code == 0, found.output
    return found


def refused(*words):
    found = CliRunner().invoke(app, [*words])
    assert found.exit_code == 2, found.output
    assert len(found.stderr.splitlines()) == 1, found.stderr
    return found.stderr
