"""Every package of the tree is installed: an editable install, in which the tests run, would not miss one."""

from configparser import ConfigParser
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_setup_names_every_package():
    setup = ConfigParser()
    setup.read(ROOT / "setup.cfg")
    named = set(setup["options"]["packages"].split()) - {"embtransfer.data"}  # stands in data/
    folders = (init.parent.relative_to(ROOT) for init in ROOT.glob("embtransfer/**/__init__.py"))
    assert named == {".".join(folder.parts) for folder in folders}
