"""Ask the package index for known vulnerabilities of what embtransfer requires.

For each requirement in setup.cfg, extras too: the version that is installed, and the lower bound, which is
what an old environment may hold. The index is the one that pip is configured with; it is asked in the way of
the Python Package Index (<index>/../pypi/NAME/VERSION/json, field `vulnerabilities`).

Exit code 1 if a version is vulnerable; 0 if none is known, and also where the index gives no answer, which is
then said: a mirror often has the files alone, and a build shall not fail for that.
"""

import json
import re
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from configparser import ConfigParser
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_ROOT = Path(__file__).parent.parent
_SECONDS = 20


def index_address() -> str:
    """The index of pip's configuration and environment, or else pip's own."""
    command = [sys.executable, "-m", "pip", "config", "list"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = dict(re.findall(r"^([\w:.-]+)='(.*)'$", listed, re.MULTILINE))
    for name in (
        ":env:.index-url",
        "install.index-url",
        "site.index-url",
        "user.index-url",
        "global.index-url",
    ):
        if name in found:
            return found[name]
    from pip._internal.models.index import PyPI

    return PyPI.simple_url


def requirements(file) -> list[str]:
    """Lines of install_requires and of all extras of a setup.cfg."""
    config = ConfigParser()
    config.read(file, "utf-8")
    lines = config["options"]["install_requires"].splitlines()
    for extra in config["options.extras_require"].values():
        lines += extra.splitlines()
    return [line.strip() for line in lines if line.strip()]


def lower_bounds(file) -> dict[str, str]:
    """Name -> lower bound, of the requirements that have one."""
    found = (re.match(r"([\w.-]+).*?>=\s*([\w.]+)", line) for line in requirements(file))
    return {match[1].lower(): match[2] for match in found if match}


def versions(file) -> list[tuple[str, str, str]]:
    """(name, version, what it is) of what is installed and of the lower bounds."""
    bounds = lower_bounds(file)
    found = [(name, bound, " (lower bound)") for name, bound in bounds.items()]
    for name in bounds:
        try:
            found.append((name, version(name), ""))
        except PackageNotFoundError:
            print(f"{name} is not installed: of it the lower bound alone is looked up.")
    return sorted(found)


def vulnerabilities(base: str, name: str, number: str) -> list[dict] | str:
    """What the index knows of one version, or why it did not say."""
    url = f"{base}/pypi/{name}/{number}/json"
    try:
        with urllib.request.urlopen(url, timeout=_SECONDS) as answer:
            found = json.load(answer)["vulnerabilities"]
            return [one for one in found if not one.get("withdrawn")]
    except urllib.error.HTTPError as error:
        return f"HTTP {error.code}"
    except (OSError, ssl.SSLError, ValueError, KeyError, TypeError) as error:
        return type(error).__name__


def main() -> int:
    base = re.sub(r"/(simple|\+simple)/?$", "", index_address().rstrip("/"))
    asked = versions(_ROOT / "setup.cfg")
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda item: vulnerabilities(base, *item[:2]), asked))
    bad, silent = 0, {}
    for (name, number, what), answer in zip(asked, answers, strict=True):
        if isinstance(answer, str):
            silent[f"{name} {number}{what}"] = answer
            continue
        for one in answer:
            bad += 1
            aliases = f" ({', '.join(one['aliases'])})" if one.get("aliases") else ""
            fixed = ", ".join(one.get("fixed_in") or []) or "no version"
            print(f"{name} {number}{what}: {one['id']}{aliases}, fixed in {fixed}")
    if silent:
        reasons = ", ".join(sorted(set(silent.values())))
        print(
            f"NOT AUDITED: {len(silent)} of {len(asked)} versions, as the package index gave no answer "
            f"({reasons}): {', '.join(silent)}. Run this where the index has the JSON interface."
        )
    if not bad and not silent:
        names = {name for name, *_ in asked}
        print(f"Audit: {len(asked)} versions of {len(names)} packages: no known vulnerability.")
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
