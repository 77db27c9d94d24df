"""Speed of the adapters against skada and POT, and of ours alone at many rows.

    python -m benchmarks.adapter_speed [--rounds 5] [--rows 1000] [--many 100000] [--columns 300]

Ours: fit(source, X_target=target), transform_source(source), transform(target). skada: fit_transform of the
stacked domains (stacked beforehand, not measured), then transform of the target rows, as in fitting a
pipeline and predicting. POT: fit, then transform of the source rows. One thread of BLAS for all. Every
contender has a process of its own, so that `import skada`, which switches scikit-learn's metadata routing on,
does not reach ours. skada's TCA takes a time that grows with the cube of the rows: 4 s at 1,000, 165 s at
4,000. No data set is needed: the rows are random, with decaying variances along random axes. Writes
results/adapter_speed.json and .md.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from ._interleaved import interleave, stopwatch
from ._results import RESULTS, machine, markdown_table, spread, write_results

# isort: split
import numpy as np

from .coral_speed import load

ABOUT = """# Speed of the adapters

{columns} columns, {dtype}, every contender in a process of its own. Seconds: median over the rounds, the
fastest and the slowest. "Times as long": the contender's seconds divided by those of the first of its table
in the same round. CPU: CPU seconds a second."""
COMPONENTS = 50
OURS = {
    "TCA": ("TCA", {"n_components": COMPONENTS}),
    "TCA, linear": ("TCA", {"n_components": COMPONENTS, "kernel": "linear"}),
    "CORAL": ("CORAL", {}),
    "LinearOT": ("LinearOT", {}),
    "SubspaceAlignment": ("SubspaceAlignment", {"n_components": COMPONENTS}),
    "GeodesicFlowKernel": ("GeodesicFlowKernel", {"n_components": COMPONENTS}),
    "OptimalTransport": ("OptimalTransport", {}),
}
SKADA = {
    "TCA of skada": (
        "TransferComponentAnalysisAdapter",
        {"kernel": "rbf", "n_components": COMPONENTS, "mu": 1.0},
    ),
    "LinearOT of skada": ("LinearOTMappingAdapter", {}),
    "SubspaceAlignment of skada": ("SubspaceAlignmentAdapter", {"n_components": COMPONENTS}),
}
POT = {
    "LinearOT of POT": ("LinearTransport", {}),
    "OptimalTransport of POT": (
        "SinkhornTransport",
        {"reg_e": 0.05, "norm": "median", "method": "sinkhorn", "out_of_sample_map": "ferradans"},
    ),
}
TABLES = [
    ["TCA", "TCA, linear", "TCA of skada"],
    ["LinearOT", "LinearOT of skada", "LinearOT of POT"],
    ["SubspaceAlignment", "SubspaceAlignment of skada"],
    ["OptimalTransport", "OptimalTransport of POT"],
]
MANY = ["CORAL", "LinearOT", "GeodesicFlowKernel", "TCA, linear", "TCA"]


def contender(name, stacked):
    """A function that adapts both domains and returns the adapted rows."""
    rows = len(stacked) // 2
    source, target = stacked[:rows], stacked[rows:]
    if name in OURS:
        import embtransfer

        kind, parameters = OURS[name]

        def adapt():
            adapter = getattr(embtransfer, kind)(**parameters).fit(source, X_target=target)
            return adapter.transform_source(source), adapter.transform(target)

    elif name in SKADA:
        import skada

        kind, parameters = SKADA[name]
        sample_domain = np.repeat([1, -2], rows)

        def adapt():
            adapter = getattr(skada, kind)(**parameters)
            return adapter.fit_transform(stacked, sample_domain=sample_domain), adapter.transform(target)

    else:
        from ot import da

        kind, parameters = POT[name]

        def adapt():
            return getattr(da, kind)(**parameters).fit(Xs=source, Xt=target).transform(source)

    return adapt


def serve(name, rows, columns, dtype):
    """A contender's process: a repetition for each line of stdin."""
    adapt = contender(name, load(rows, columns, dtype))
    repetition = stopwatch(lambda _: adapt())
    for _ in sys.stdin:
        print(json.dumps(repetition()), flush=True)


class Worker:
    """The other end of `serve`."""

    def __init__(self, name, rows, args):
        command = [sys.executable, "-m", "benchmarks.adapter_speed", "--serve", name, "--dtype", args.dtype]
        command += ["--rows", str(rows), "--columns", str(args.columns)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        # skada and POT load torch and jax where they find them
        environment = os.environ | {"POT_BACKEND_DISABLE_PYTORCH": "1", "POT_BACKEND_DISABLE_JAX": "1"}
        self.process = subprocess.Popen(command, env=environment, **pipes)

    def __call__(self):
        self.process.stdin.write("run\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.communicate()


def run(names, rows, args):
    """Times of contenders, compared with the first."""
    print(f"{rows:,} rows: {', '.join(names)}", file=sys.stderr)
    workers = {name: Worker(name, rows, args) for name in names}
    result = {"rows": rows, "contenders": interleave(workers, names[0], args.rounds)}
    for worker in workers.values():
        worker.close()
    return result


def report(data):
    """The parts of the Markdown file."""
    parts = [ABOUT.format(**data)]
    for result in data["runs"]:
        cells = [
            [
                name,
                spread(one["seconds"], one["min"], one["max"], 3),
                spread(one["ratio"], one["ratio_min"], one["ratio_max"], 2),
                f"{one['cpu']:.2f}",
            ]
            for name, one in result["contenders"].items()
        ]
        header = [f"{result['rows']:,} rows a domain", "seconds", "times as long", "CPU"]
        parts.append(markdown_table(header, cells))
    return parts


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rows", type=int, default=1000, help="of each domain, against the peers")
    parser.add_argument("--many", type=int, default=100_000, help="of each domain, ours alone; 0: left out")
    parser.add_argument("--columns", type=int, default=300)
    parser.add_argument("--dtype", choices=["float32", "float64"], default="float32")
    parser.add_argument("--output", type=Path, default=RESULTS, help="folder of the report")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        return serve(args.serve, args.rows, args.columns, args.dtype)
    host = machine("embtransfer", "numpy", "scipy", "scikit-learn", "skada", "POT")
    data = {"columns": args.columns, "dtype": args.dtype, "rounds": args.rounds, "runs": []}
    for names in TABLES:
        data["runs"].append(run(names, args.rows, args))
    if args.many:
        data["runs"].append(run(MANY, args.many, args))
    write_results(args.output, "adapter_speed", data, host, report(data))


if __name__ == "__main__":
    main()
