"""The report of `embtransfer compare --report`."""

import warnings
from pathlib import Path

from ._models import beside_plain
from ._terminal import progress_bar, talk


def check_folder(folder) -> None:
    """Refuse a place for the report before the long comparison, and not after it."""
    if folder is not None and folder.exists() and not folder.is_dir():
        raise ValueError(f"Got --report {folder}, which is a file. Expected a folder, new or not.")


def write_report(folder, context, data, groups, shares, table, parts, split, scoring, jobs) -> None:
    """Write the report of a comparison, with what a search chooses and learning curves.

    The search sees the target texts that the adapters of the comparison saw, and those of their labels that
    models learned from; the report describes the model that it chooses.
    """
    from sklearn.frozen import FrozenEstimator

    from ..report import make_report
    from ..trials import learning_curve
    from ..trials._splits import Split
    from ..trials.search import TransferSearch

    X, y, X_target = data[:3]
    cut = Split(*data, **split | {"tables": True})
    embedders = parts[0]
    fast = {name: made for name, made in embedders.items() if name not in ("sentence", "distilled")}
    given = context.params["source"], [context.params["target"]]
    title = " → ".join(", ".join(Path(name).stem for name in names) for names in given)
    with progress_bar() as progress:
        seed = split["random_state"]
        search = TransferSearch(
            *parts, target_shares=shares, scoring=scoring, random_state=seed, n_jobs=jobs, progress=progress
        ).fit(X, y, X_target=cut.seen, y_target=cut.y_seen, groups=groups)
        with warnings.catch_warnings():  # the comparison has warned of the same texts
            warnings.filterwarnings("ignore", ".* (repeat another|stand in the source)", UserWarning)
            curves = learning_curve(
                *data,
                groups=groups,
                target_shares=shares,
                models=beside_plain(fast, X_target),
                scoring=scoring,
                test_size=split["test_size"],
                random_state=seed,
                n_jobs=jobs,
                progress=progress,
            )
        report = make_report(
            *data,
            table=table,
            model=FrozenEstimator(search._fitted),  # without a threshold
            selection=search,
            curves=curves,
            title=title,
            command=command_line(context),
            **split,
            progress=progress,
        )
    page, *others = report.save(folder)
    talk.print(f"Report: {page}, and {', '.join(path.name for path in others)} beside it.")


def command_line(context) -> list[str]:
    """The words of the running command: options that were given, in the order of its help."""
    words = context.command_path.split()
    words[0] = "embtransfer"  # not the path of the script
    for parameter in context.command.params:
        if context.get_parameter_source(parameter.name).name != "COMMANDLINE":
            continue
        given = context.params[parameter.name]
        for one in given if parameter.multiple else [given]:
            words += [parameter.opts[0]] if parameter.is_flag else [parameter.opts[0], str(one)]
    return words
