"""The one door to the fuzzers: `python -m fuzz TARGET [--seconds N]`; see README.md."""

import argparse
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from . import TARGETS

_CASES = Path(__file__).parent.parent / "tests" / "fuzz_corpus"
_FINAL = re.compile(r"stat::number_of_executed_units:\s*(\d+)")
_COVERAGE = re.compile(r"\bcov: (\d+) ft: (\d+) corp: (\d+)")
_KINDS = {"crash": "died", "timeout": "hung", "oom": "memory", "leak": "leak"}


def parser():
    asked = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    asked.add_argument("target", nargs="?", choices=TARGETS)
    asked.add_argument("--list", action="store_true", help="print the targets, and run none")
    asked.add_argument("--seconds", type=int, default=60, help="how long (default: 60)")
    asked.add_argument("--corpus", type=Path, help="folder of inputs (default: in the user's cache folder)")
    asked.add_argument("--timeout", type=int, default=30, help="seconds after which an input hangs")
    asked.add_argument("--source", action="store_true", help="run the kernels as Python, for their coverage")
    asked.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    return asked


def folder_of(target, corpus):
    if corpus is None:
        import platformdirs

        corpus = Path(platformdirs.user_cache_dir("embtransfer")) / "fuzz" / target
    (corpus / "inputs").mkdir(parents=True, exist_ok=True)
    (corpus / "found").mkdir(exist_ok=True)
    return corpus.resolve()


def watch(options):
    """Run the fuzzer in processes of its own until the time is over: an input may end one."""
    corpus, end = folder_of(options.target, options.corpus), time.monotonic() + options.seconds
    started, executed, coverage = time.monotonic(), 0, ("0", "0", "0")
    while (left := int(end - time.monotonic())) > 0:
        command = [sys.executable, "-m", "fuzz", options.target, "--inside", "--seconds", str(left)]
        command += ["--corpus", str(corpus), "--timeout", str(options.timeout)]
        command += ["--source"] * options.source
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, errors="replace")
        tail = []
        for line in process.stderr:
            tail = [*tail[-15:], line]
            if found := _COVERAGE.search(line):
                coverage = found.groups()
            if found := _FINAL.search(line):
                executed += int(found[1])
            if not line.startswith("#") or "pulse" in line:
                print(line, end="", file=sys.stderr, flush=True)
        if process.wait() and not _keep(corpus):
            sys.exit(f"The fuzzer ended with {process.returncode}:\n{''.join(tail)}")
    seconds = time.monotonic() - started
    found = sorted(file.name for file in (corpus / "found").iterdir())
    print(f"{options.target}: {executed:,} executions in {seconds:.0f} s; coverage {coverage[0]} edges, "
          f"{coverage[1]} features; {coverage[2]} inputs in {corpus / 'inputs'}")  # fmt: skip
    print(f"found: {', '.join(found) or 'nothing'}")
    return bool(found)


def _keep(corpus):
    """Give what libFuzzer left a name that says what it did."""
    files = [file for file in corpus.iterdir() if file.is_file() and file.name.partition("-")[0] in _KINDS]
    for file in files:
        kind, _, digest = file.name.partition("-")
        file.rename(corpus / "found" / f"{_KINDS[kind]}-{digest[:10]}")
    return files


def fuzz(options):
    """Hand the target to libFuzzer. An exception is kept under its name, once, and fuzzing goes on."""
    if options.source:
        from . import _source  # before the package is imported

        _source.install()
    try:
        import atheris
    except ImportError:
        sys.exit("Fuzzing needs atheris: pip install atheris. The cases of tests/fuzz_corpus run without it.")
    import random
    from importlib import import_module

    from . import _guard, _mutate

    kernels = [] if options.source else _compiled_modules()
    with atheris.instrument_imports(include=["embtransfer"], exclude=kernels):
        target = import_module(f"fuzz.{options.target}")
        _guard.warm_up(target)
    corpus, outcomes, seen = options.corpus, Counter(), set()
    known = {
        **target.seeds(),
        **{file.name: file.read_bytes() for file in (_CASES / options.target).glob("*")},
    }
    for name, data in known.items():
        (corpus / "inputs" / name).write_bytes(data)

    def one(data):
        try:
            outcomes[target.run(data)] += 1
        except Exception as error:
            name = _guard.name_of(error)
            if name not in seen:
                seen.add(name)
                (corpus / "found" / name).write_bytes(data)
                print(f"found {name}: {error!s:.300}", file=sys.stderr)

    def mutate(data, max_size, seed):
        rng = random.Random(seed)
        if rng.random() < 0.4:
            return atheris.Mutate(data, max_size)
        for _ in range(rng.choice((1, 1, 2, 4))):
            data = target.mutate(data, rng) if rng.random() < 0.8 else _mutate.change_bytes(data, rng)
        return data[:max_size]

    limits = [f"-max_total_time={options.seconds}", f"-timeout={options.timeout}", "-rss_limit_mb=4096"]
    more = [
        f"-max_len={target.MAX_SIZE}",
        f"-artifact_prefix={corpus}/",
        "-print_final_stats=1",
        "-close_fd_mask=0",
    ]
    atheris.Setup([sys.argv[0], str(corpus / "inputs"), *limits, *more], one, custom_mutator=mutate)
    atheris.Fuzz()


def _compiled_modules():
    """Modules of kernels: numba cannot compile what atheris has instrumented."""
    package = Path(__file__).parent.parent / "embtransfer"
    files = [
        file
        for file in package.rglob("*.py")
        if re.search(r"^(from|import) \.*(_compiling|numba|llvmlite)", file.read_text(), re.M)
    ]
    return [".".join(file.relative_to(package.parent).with_suffix("").parts) for file in files]


def main():
    options = parser().parse_args()
    if options.list or options.target is None:
        for name, about in TARGETS.items():
            print(f"{name:14} {about}")
    elif options.inside:
        fuzz(options)
    else:
        sys.exit(watch(options))


if __name__ == "__main__":
    main()
