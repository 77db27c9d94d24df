"""Commands as a shell would run them."""

import shlex

import pandas as pd
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


def fill_in(name, n=None):
    """What somebody would say who reads the texts, of the first n."""
    table, pans = pd.read_csv(name), pd.read_csv("pans.csv")
    table["label"] = pans["label"][table["row"] - 1].to_numpy()
    table.loc[len(table) if n is None else n :, "label"] = None
    table.to_csv(name, index=False, encoding="utf-8-sig")
    return table


def next_command(said):
    program, *words = shlex.split(said.splitlines()[-1])
    assert program == "embtransfer"
    return words
