#!/usr/bin/env python3
"""Run the tests with several sets of versions, and compare what the package computes with each.

.ci/compatibility.py FOLDER oldest newest
.ci/compatibility.py FOLDER newest --python python3.13 --without torch,sentence-transformers
.ci/compatibility.py FOLDER newest --files "" --numeric

A set of versions is `oldest` (the pins of tests/requirements-oldest.txt), `newest`, or `pre` with
pre-releases. With its Python it has a folder in FOLDER: a virtual environment, one report a test file, its
results and models. What is there is not made again, so that a run goes on where it was stopped, and the
tables at the end take in every set in FOLDER, those of another run, such as one inside a chroot, too.
`--numeric` also runs the tests of numbers (NUMERIC) with OpenBLAS's kernels for each of several processors
(CORES), which round in other ways; kernels whose instructions this processor does not have are skipped. The
exit code is 1 if a test failed, a result differs from tests/expected_results.json, or a model of another set
cannot be loaded.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "tests" / "contracts" / "test_expected_results.py"
PACKAGES = (
    "numpy",
    "scipy",
    "scikit-learn",
    "numba",
    "pandas",
    "pyarrow",
    "gensim",
    "skops",
    "polars",
    "torch",
)
NUMERIC = (
    "adapters",
    "alignment",
    "classifiers",
    "co_training",
    "common",
    "determinism",
    "diagnostics",
    "expected_results",
    "few_labels",
    "folding",
    "importance",
    "kernel_adapters",
    "label_shift",
    "lexical",
    "model_selection",
    "ridge",
    "search",
    "self_training",
    "sparse_rows",
    "streaming",
)
CORES = {"SkylakeX": "avx512f", "Haswell": "avx2", "Prescott": "pni"}  # and the flag of its instructions
KERNELS = (
    "import scipy.linalg; from threadpoolctl import threadpool_info; "  # of NumPy's OpenBLAS and of SciPy's
    "print(*sorted({one.get('architecture', '-') for one in threadpool_info()}))"
)
VERSIONS = (
    "import json, platform; from importlib.metadata import distributions; "
    "print(json.dumps({'python': platform.python_version()} "
    "| {d.metadata['Name'].lower(): d.version for d in distributions()}))"
)


class Versions:
    """A set of versions with its Python: what is made and found with it lies in one folder."""

    def __init__(self, folder):
        self.folder, self.name = folder, folder.name
        self.python = folder / "venv" / "bin" / "python"

    def run(self, *command, core=None, **options):
        environment = os.environ | {
            "OMP_NUM_THREADS": "1",
            "PYTHONPATH": str(ROOT),
            "NUMBA_CACHE_DIR": str(self.folder / "numba"),  # kernels of another numba would replace these
        }
        if core:
            environment["OPENBLAS_CORETYPE"] = core
        return subprocess.run([self.python, *command], cwd=ROOT, env=environment, text=True, **options)

    def install(self, kind, python, without):
        if (self.folder / "versions.json").exists():
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        subprocess.run([python, "-m", "venv", self.folder / "venv"], check=True)
        file = ROOT / "tests" / ("requirements-oldest.txt" if kind == "oldest" else "requirements.txt")
        wanted = [one for one in requirements(file) if one.partition("=")[0].strip("<>~") not in without]
        pip = ["-m", "pip", "install", "--upgrade", *(["--pre"] if kind == "pre" else [])]
        with (self.folder / "install.log").open("w") as log:
            self.run(*pip, "-e", str(ROOT), *wanted, check=True, stdout=log, stderr=log)
        found = self.run("-c", VERSIONS, check=True, stdout=subprocess.PIPE).stdout
        (self.folder / "versions.json").write_text(found)

    def test(self, files):
        """Run each test file by itself: one that crashes hides no other."""
        for file in files:
            self.report(self.folder / "tests" / f"{file.stem}.xml", "-n0", str(file))

    def numeric(self):
        """Run the tests of numbers with each kernel; as the name of its report, what OpenBLAS calls it."""
        files = [str(next((ROOT / "tests").rglob(f"test_{name}.py"))) for name in NUMERIC]
        for core in filter(runs_here, CORES):
            kernels = self.run("-c", KERNELS, core=core, check=True, stdout=subprocess.PIPE).stdout.strip()
            options = ["-o", f"junit_suite_name={kernels}"]
            self.report(self.folder / "numeric" / f"{core}.xml", *options, *files, core=core)

    def report(self, report, *options, core=None):
        if report.exists():
            return
        report.parent.mkdir(exist_ok=True)
        start = time.perf_counter()
        command = ["-m", "pytest", f"--junitxml={report}", *options]
        with report.with_suffix(".log").open("w") as log:
            code = self.run(*command, core=core, stdout=log, stderr=log).returncode
        seconds = time.perf_counter() - start
        print(f"{self.name}: {report.stem}: exit code {code}, {seconds:.0f} s", file=sys.stderr)

    def compute(self):
        if not (self.folder / "results.json").exists():
            shutil.rmtree(self.folder / "models", ignore_errors=True)  # of a run that was stopped here
            self.run(RESULTS, "save", self.folder / "models", check=True)
            self.run(RESULTS, "write", self.folder / "results.json", check=True)

    def load(self, other):
        """Load the models of another set: (model, difference or error) of each."""
        file = self.folder / f"loaded-{other.name}.json"
        if not file.exists():
            command = [RESULTS, "load", other.folder / "models"]
            file.write_text(self.run(*command, check=True, stdout=subprocess.PIPE).stdout)

    def found(self, name):
        return json.loads((self.folder / name).read_text("utf-8"))

    def tests(self):
        return counts((self.folder / "tests").glob("*.xml"))

    def kernels(self):
        """A row for each kernel, where the tests of numbers were run."""
        for core in CORES if (self.folder / "numeric").exists() else ():
            report = self.folder / "numeric" / f"{core}.xml"
            if report.exists():
                suite = ElementTree.parse(report).find(".//testsuite")
                yield [self.name, core, suite.get("name"), *counts([report])]
            elif report.with_suffix(".log").exists():
                yield [self.name, core, "crashed", 0, 1, 0, 0]
            else:
                yield [self.name, core, f"skipped: this processor has no {CORES[core]}", 0, 0, 0, 0]


def requirements(file):
    """Lines of a file of requirements, and of those that it names with -r."""
    for line in file.read_text("utf-8").splitlines():
        line = line.split("#")[0].strip()
        if line.startswith("-r "):
            yield from requirements(file.with_name(line[3:]))
        elif line:
            yield line


def counts(reports):
    """Passed, failed and skipped tests, and seconds."""
    total = dict.fromkeys(("tests", "failures", "errors", "skipped", "time"), 0)
    for report in reports:
        for suite in ElementTree.parse(report).iter("testsuite"):
            total = {key: number + float(suite.get(key, 0)) for key, number in total.items()}
    failed = total["failures"] + total["errors"]
    passed = total["tests"] - failed - total["skipped"]
    return [int(number) for number in (passed, failed, total["skipped"], total["time"])]


def runs_here(core):
    """OpenBLAS does not ask: kernels whose instructions the processor does not have would crash."""
    file = Path("/proc/cpuinfo")
    return file.exists() and CORES[core] in file.read_text("utf-8").split()


def table(header, rows):
    for row in [header, ["---"] * len(header), *rows]:
        print("|", " | ".join(map(str, row)), "|")
    print()


def against_expected(found):
    """Models, the largest difference of a prediction, and of the number of right ones, and whose that is."""
    expected = json.loads((ROOT / "tests" / "expected_results.json").read_text("utf-8"))
    far = {
        name: max(
            abs(a - b) for a, b in zip(result["predictions"], expected[name]["predictions"], strict=True)
        )
        for name, result in found.items()
    }
    right = {name: abs(result["right"] - expected[name]["right"]) for name, result in found.items()}
    return [len(found), f"{max(far.values()):.1e}", max(far, key=far.get), max(right.values())]


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("sets", nargs="+", choices=["oldest", "newest", "pre"])
    parser.add_argument("--python", default=sys.executable, help="the interpreter (default: this one)")
    parser.add_argument("--without", default="", help="test requirements to leave out: those without a wheel")
    parser.add_argument("--files", default="test_*.py", help="test files to run; '' for results alone")
    parser.add_argument(
        "--numeric", action="store_true", help="also test numbers with each kernel of OpenBLAS"
    )
    return parser.parse_args()


def main():
    options = arguments()
    command = [options.python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    number = subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE).stdout.strip()
    folder = options.folder.resolve()
    files = [*sorted((ROOT / "tests").rglob(options.files)), ROOT / "embtransfer"] if options.files else []

    ours = []
    for kind in options.sets:
        one = Versions(folder / f"{kind}-{number}")
        one.install(kind, options.python, options.without.split(","))
        one.compute()
        one.test(files)
        if options.numeric:
            one.numeric()
        ours.append(one)
    everyone = [Versions(file.parent) for file in sorted(folder.glob("*/results.json"))]
    for one in ours:
        for other in everyone:
            one.load(other)

    tests = [[one.name, *one.tests()] for one in everyone]
    table(["set", "passed", "failed", "skipped", "seconds"], tests)
    kernels = [row for one in everyone for row in one.kernels()]
    if kernels:
        table(["set", "kernels", "named by OpenBLAS", "passed", "failed", "skipped", "seconds"], kernels)
    versions = [one.found("versions.json") for one in everyone]
    rows = [[name, *(found.get(name, "-") for found in versions)] for name in ["python", *PACKAGES]]
    table(["version of", *(one.name for one in everyone)], rows)
    results = [[one.name, *against_expected(one.found("results.json"))] for one in everyone]
    table(["set", "models", "largest difference", "of", "right ones differ by at most"], results)
    loads, failed = [], any(row[2] for row in tests) or any(row[4] for row in kernels)
    failed |= any(row[4] > 4 for row in results)  # as the test of results allows
    for file in sorted(folder.glob("*/loaded-*.json")):
        found = json.loads(file.read_text("utf-8"))
        errors = {name: value for name, value in found.items() if isinstance(value, str)}
        far = max((value for value in found.values() if not isinstance(value, str)), default=0)
        saver, loader = file.stem.removeprefix("loaded-"), file.parent.name
        loads.append([saver, loader, len(found) - len(errors), f"{far:.1e}", len(errors)])
        for name, error in errors.items():
            failed = True
            print(f"{name}, saved with {saver}, loaded with {loader}: {error}\n")
    table(["saved with", "loaded with", "models loaded", "largest difference", "errors"], loads)
    sys.exit(int(failed))


if __name__ == "__main__":
    main()
